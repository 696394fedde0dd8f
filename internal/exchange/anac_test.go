package exchange

import (
	"context"
	"errors"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// subject is an engine with an empty office, on a database.
type subject struct {
	*engine.Engine
	db *store.DB
}

// today is before the deadline of some rows of testdata and after that of others.
var today = time.Date(2023, 9, 10, 8, 0, 0, 0, time.UTC)

var everybody = auth.System("test")

func newSubject(tb testing.TB) *subject {
	return on(tb, storetest.SQLite(tb, store.Options{Now: func() time.Time { return today }}))
}

func on(tb testing.TB, db *store.DB) *subject {
	tb.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		tb.Fatal(err)
	}
	cfg.DB = db
	e, err := engine.New(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return &subject{e, db}
}

// take imports a text and demands that every row is accounted for.
func (s *subject) take(t *testing.T, csv string) Report {
	t.Helper()
	rep, err := ImportANAC(t.Context(), s.Engine, strings.NewReader(csv), Options{BatchRows: 10})
	if err != nil {
		t.Fatal(err)
	}
	if sum := rep.Imported + rep.Updated + rep.Unchanged + rep.Repeated + rep.Rejected; sum != rep.Rows {
		t.Errorf("%d of %d rows are accounted for:\n%s", sum, rep.Rows, rep.Text())
	}
	return rep
}

// lot finds the lot, or the tender, whose CIG or number is given.
func (s *subject) find(t *testing.T, workflow, text string) engine.Summary {
	t.Helper()
	p, err := s.Cases(t.Context(), everybody, engine.Filter{Workflow: workflow, Text: text, Children: true, Limit: 10})
	if err != nil || len(p.Items) != 1 {
		t.Fatalf("%s %s: %d cases, %v", workflow, text, len(p.Items), err)
	}
	return p.Items[0]
}

func (s *subject) states(t *testing.T, tender string, cigs ...string) []string {
	t.Helper()
	out := []string{s.find(t, "imported_tender", tender).State.ID}
	for _, cig := range cigs {
		out = append(out, s.find(t, "imported_lot", cig).State.ID)
	}
	return out
}

func sample(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile("testdata/cig.csv")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func each(t *testing.T, f func(t *testing.T, s *subject)) {
	t.Helper()
	storetest.Each(t, store.Options{Now: func() time.Time { return today }}, func(t *testing.T, db *store.DB) { f(t, on(t, db)) })
}

// An import that is stopped leaves what it has written, and all indexes of the lists.
func TestStoppedImportLeavesNothingUndone(t *testing.T) {
	storetest.EachRaw(t, store.Options{Now: func() time.Time { return today }}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		count := func() (n int) {
			sql := "SELECT count(*) FROM pg_indexes WHERE tablename = 'cases'"
			if db.Dialect() == "sqlite" {
				sql = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'cases'"
			}
			if err := raw.DB.QueryRowContext(t.Context(), sql).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before, fewest := count(), count()
		ctx, stop := context.WithCancel(t.Context())
		rep, err := ImportANAC(ctx, on(t, db).Engine, strings.NewReader(sample(t)), Options{BatchRows: 10, Progress: func(rows, _ int64) {
			fewest = min(fewest, count())
			if rows >= 30 {
				stop()
			}
		}})
		if !errors.Is(err, context.Canceled) || rep.Imported < 20 || rep.Imported > 40 {
			t.Errorf("%d imported, %v", rep.Imported, err)
		}
		if after := count(); after != before || (fewest == before) != (db.Dialect() == "postgres") {
			t.Errorf("%d indexes before, %d at the fewest, %d after", before, fewest, after)
		}
	})
}

func TestImportRealRows(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		rep := s.take(t, sample(t))
		if rep.Imported != 64 || rep.Tenders != 47 || rep.Rejected != 0 || !rep.Complete() || len(rep.Absent) != 0 {
			t.Fatalf("report:\n%s", rep.Text())
		}
		for tender, want := range map[string]string{
			"9290076": "published",       // bids due on the 14th
			"9268199": "bids_closed",     // were due on 21 August
			"9238171": "awarded",         // two lots of two
			"8094547": "outcome_unknown", // eight lots awarded, of seventeen
		} {
			if got := s.find(t, "imported_tender", tender).State.ID; got != want {
				t.Errorf("tender %s is %s, want %s", tender, got, want)
			}
		}
		for cig, want := range map[string]string{"93738097E4": "award_proposed", "97162474AC": "cancelled", "A00931B602": "deserted"} {
			if got := s.find(t, "imported_lot", cig).State.ID; got != want {
				t.Errorf("lot %s is %s, want %s", cig, got, want)
			}
		}
		school := s.find(t, "imported_tender", "A0080CB958")
		if school.MemberBody.Name != "COMUNE DI CONSELVE" || school.SUA.Name != "PROVINCIA DI PADOVA" || school.CUP != "B18E18000340009" || *school.Amount != 330783624 {
			t.Errorf("the school of Conselve: %+v", school)
		}
		bodies := map[string]string{}
		all, err := s.db.Bodies(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			bodies[b.TaxCode] = b.Kind
		}
		if bodies["80009330285"] != "comune" || bodies["80006510285"] != "provincia" || bodies["CFAVCP-0001216"] != "other" {
			t.Errorf("kinds of bodies: %v", bodies)
		}
	})
}

func TestImportTwiceChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		first := s.take(t, sample(t))
		again := s.take(t, sample(t))
		if again.Unchanged != first.Imported || again.Imported+again.Updated+again.Tenders+again.TendersUpdated+again.Bodies != 0 {
			t.Errorf("the second time:\n%s", again.Text())
		}
		h, err := s.History(t.Context(), everybody, s.find(t, "imported_tender", "8094547").ID, 0, 0)
		if err != nil || !h.Verified || len(h.Items) != 9 {
			t.Errorf("history: %d events, verified %v %s, %v", len(h.Items), h.Verified, h.Broken, err)
		}
	})
}

// TestSourceIsKept: the original row stands in the event, byte by byte, under the seal.
func TestSourceIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		s.take(t, sheet(row{"oggetto_lotto": `Lavori "urgenti"; via Roma, 1`, "codice_ausa": "0000240773"}))
		tender := s.find(t, "imported_tender", "100")
		events, err := s.db.History(t.Context(), store.Everything, tender.ID, 0, 0)
		if err != nil || len(events) != 2 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		body := string(events[1].OpenBody)
		for _, want := range []string{`"source":{`, `"oggetto_lotto":"Lavori \"urgenti\"; via Roma, 1"`, `"codice_ausa":"0000240773"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s is not in %s", want, body)
			}
		}
		if strings.Contains(body, `""`) {
			t.Errorf("empty values are kept: %s", body)
		}
	})
}

func TestSiblingComesInALaterFile(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		one := row{"cig": cigOf(1), "n_lotti_componenti": "2", "ESITO": "AGGIUDICATA"}
		s.take(t, sheet(one))
		if got := s.states(t, "100", cigOf(1)); got[0] != "outcome_unknown" || got[1] != "awarded" {
			t.Errorf("one lot of two: %v", got)
		}
		two := row{"cig": cigOf(2), "n_lotti_componenti": "2", "data_scadenza_offerta": "2023-09-30"}
		rep := s.take(t, sheet(two))
		if rep.Imported != 1 || rep.Tenders != 0 || rep.TendersUpdated != 1 {
			t.Errorf("the sibling:\n%s", rep.Text())
		}
		if got := s.states(t, "100", cigOf(2)); got[0] != "published" || got[1] != "published" {
			t.Errorf("the slower lot decides: %v", got)
		}
		two["ESITO"] = "DESERTA"
		rep = s.take(t, sheet(one, two))
		if rep.Updated != 1 || rep.Unchanged != 1 {
			t.Errorf("its outcome:\n%s", rep.Text())
		}
		if got := s.states(t, "100", cigOf(2)); got[0] != "awarded" || got[1] != "deserted" {
			t.Errorf("one awarded, one deserted: %v", got)
		}
		h, err := s.History(t.Context(), everybody, s.find(t, "imported_tender", "100").ID, 0, 0)
		if err != nil || !h.Verified || len(h.Items) != 6 {
			t.Errorf("history: %d events, verified %v %s, %v", len(h.Items), h.Verified, h.Broken, err)
		}
	})
}

func TestTenderFollowsItsLots(t *testing.T) {
	going, closed := row{"data_scadenza_offerta": "2023-09-30"}, row{"data_scadenza_offerta": "2023-09-01"}
	unknown, proposed, awarded := row{"ESITO": "VINTA"}, row{"ESITO": "PROPOSTA DI AGGIUDICAZIONE"}, row{"ESITO": "AGGIUDICATA"}
	deserted, cancelled := row{"ESITO": "DESERTA"}, row{"DATA_CANCELLAZIONE": "2023-08-05"}
	s := newSubject(t)
	for i, c := range []struct {
		lots []row
		want string
	}{
		{[]row{awarded, going, closed}, "published"},
		{[]row{unknown, closed, deserted}, "bids_closed"},
		{[]row{proposed, unknown}, "outcome_unknown"},
		{[]row{awarded, proposed}, "award_proposed"},
		{[]row{cancelled, deserted, awarded}, "awarded"},
		{[]row{cancelled, deserted}, "deserted"},
		{[]row{cancelled, cancelled}, "cancelled"},
	} {
		number := "9" + cigOf(i)
		var rows []row
		for j, lot := range c.lots {
			r := row{"cig": cigOf(10*i + j), "numero_gara": number, "n_lotti_componenti": strconv.Itoa(len(c.lots))}
			maps.Copy(r, lot)
			rows = append(rows, r)
		}
		s.take(t, sheet(rows...))
		if got := s.find(t, "imported_tender", number).State.ID; got != c.want {
			t.Errorf("lots %v: the tender is %s, want %s", c.lots, got, c.want)
		}
	}
}

func TestWhatHasEndedStays(t *testing.T) {
	s := newSubject(t)
	r := row{"ESITO": "AGGIUDICATA"}
	s.take(t, sheet(r))
	r["ESITO"] = "DESERTA"
	rep := s.take(t, sheet(r))
	if got := s.states(t, "100", cigOf(1)); got[0] != "awarded" || got[1] != "awarded" || !has(rep.Warnings, "engine:ended") {
		t.Errorf("the outcome changed after the end: %v\n%s", got, rep.Text())
	}
	r["ESITO"], r["oggetto_lotto"] = "AGGIUDICATA", "Altro oggetto"
	if rep = s.take(t, sheet(r)); !has(rep.Warnings, "engine:ended_data") || rep.Unchanged != 1 {
		t.Errorf("other data changed after the end:\n%s", rep.Text())
	}
	late := row{"cig": cigOf(2)}
	if rep = s.take(t, sheet(late)); rep.Imported != 1 || !has(rep.Warnings, "engine:tender_ended") {
		t.Errorf("a lot that nobody announced:\n%s", rep.Text())
	}
}

func TestUpdateEmptiesOnlyWhatTheFileSays(t *testing.T) {
	s := newSubject(t)
	s.take(t, sheet(row{"data_scadenza_offerta": "2023-09-30", "cod_cpv": "45454000-4", "luogo_istat": "028031"}))
	rep := s.take(t, sheet(row{"data_scadenza_offerta": "", "cod_cpv": "boh"}))
	lot, err := s.Case(t.Context(), everybody, s.find(t, "imported_lot", cigOf(1)).ID)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for _, f := range lot.Fields {
		values[f.Field.ID] = f.Value
	}
	if rep.Updated != 1 || values["bids_due"] != nil || values["cpv"] != "45454000-4" || values["place"] != "028031" {
		t.Errorf("emptied %v, wrong %v, not in the file %v\n%s", values["bids_due"], values["cpv"], values["place"], rep.Text())
	}
}

// TestSeveralCPVs: rows that repeat a CIG make one lot; the prevalent row wins wherever it stands, also in the next batch.
func TestSeveralCPVs(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		filler := make([]row, 12)
		for i := range filler {
			filler[i] = row{"cig": cigOf(50 + i), "numero_gara": "200"}
		}
		a := []row{{"cod_cpv": "30230000-0", "flag_prevalente": "0"}, {"cod_cpv": "45454000-4", "flag_prevalente": "1"}, {"cod_cpv": "72000000-5", "flag_prevalente": "0"}}
		b := []row{{"cig": cigOf(2), "numero_gara": "101", "cod_cpv": "30230000-0", "flag_prevalente": "0"}}
		c := []row{{"cig": cigOf(2), "numero_gara": "101", "cod_cpv": "45454000-4", "flag_prevalente": "1"}, {"cig": cigOf(2), "numero_gara": "101", "cod_cpv": "45454000-4", "flag_prevalente": "1"}}
		csv := sheet(append(append(append(a, b...), filler...), c...)...)
		for i, want := range []int64{14, 0} {
			rep := s.take(t, csv)
			if rep.Imported != want || rep.Updated != 1-int64(i) || len(rep.Warnings) != 0 {
				t.Errorf("import %d:\n%s", i+1, rep.Text())
			}
			for _, cig := range []string{cigOf(1), cigOf(2)} {
				lot, err := s.Case(t.Context(), everybody, s.find(t, "imported_lot", cig).ID)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range lot.Fields {
					if f.Field.ID == "cpv" && f.Value != "45454000-4" {
						t.Errorf("import %d, lot %s has the CPV %v", i+1, cig, f.Value)
					}
				}
			}
		}
	})
}

func TestTwoImportsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		csv := sample(t)
		reports := make(chan Report, 2)
		for range 2 {
			go func() {
				rep, err := ImportANAC(t.Context(), s.Engine, strings.NewReader(csv), Options{BatchRows: 20})
				if err != nil {
					t.Error(err)
				}
				reports <- rep
			}()
		}
		one, two := <-reports, <-reports
		if one.Imported+two.Imported != 64 || one.Unchanged+two.Unchanged != 64 {
			t.Errorf("%d and %d lots imported, %d and %d unchanged", one.Imported, two.Imported, one.Unchanged, two.Unchanged)
		}
	})
}

func TestReaderThatBreaks(t *testing.T) {
	s := newSubject(t)
	broken := errors.New("cable pulled")
	lines := strings.SplitAfter(sample(t), "\n")
	rep, err := ImportANAC(t.Context(), s.Engine, &breaking{strings.NewReader(strings.Join(lines[:31], "")), broken}, Options{BatchRows: 20})
	if !errors.Is(err, broken) || rep.Imported != 30 {
		t.Errorf("imported %d before %v", rep.Imported, err)
	}
}

// breaking ends in an error instead of the end of the file.
type breaking struct {
	r   *strings.Reader
	err error
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.r.Len() == 0 {
		return 0, b.err
	}
	return b.r.Read(p)
}

func has(list []Finding, code string) bool {
	for _, f := range list {
		if f.Code == code {
			return true
		}
	}
	return false
}
