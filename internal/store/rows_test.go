package store_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// unset lists the fields of a struct that still have their zero value: a round trip proves nothing about them.
func unset(v any) []string {
	var out []string
	r := reflect.ValueOf(v)
	for i := range r.NumField() {
		if r.Field(i).IsZero() {
			out = append(out, r.Type().Field(i).Name)
		}
	}
	return out
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %+v\nwant %+v", what, got, want)
	}
}

func fullCase() *store.Case {
	return &store.Case{
		ID: "b", Workflow: "parcel", Version: 1, Hash: "h1", State: "sent", Stage: "work", Previous: "draft", Outcome: "completed",
		Visited: " draft  sent ", Revision: 7, Parent: "a", Root: "a", Child: "lots", Ordinal: 2, MemberBody: "conselve", SUA: "padova",
		Officer: "istruttore", RUP: "rup", Title: "Scuola «à la Conselve» 🏫 \\ % _ '\"", Search: "scuola a la conselve", CIG: "Z0123456AB",
		CUP: "B18E18000340009", Amount: ptr(int64(330783624)),
		Data: store.Values{
			"title": "Perché: è così\n€ 日本", "big": int64(1<<53 + 1), "low": int64(-1<<53 - 1), "most": int64(1<<63 - 1), "zero": int64(0),
			"yes": true, "no": false, "percent": "12.3456789012", "none": nil, "html": "<a&b>",
		},
		RulesDate: "2024-12-31", NextDue: ptr(noon.Add(time.Hour)), OpenedAt: noon, UpdatedAt: noon.Add(time.Microsecond), EndedAt: ptr(noon.Add(time.Second)),
		Source: "anac-cig", SourceKey: "9876543210", ChainSeq: 12, ChainHash: []byte{0, 255, 7}, ChainAt: ptr(noon.Add(-time.Minute)),
	}
}

func TestCasesComeBackAsTheyWere(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		full := fullCase()
		if missing := unset(*full); len(missing) > 0 {
			t.Fatalf("not set: %v", missing)
		}
		insert(t, db, plain("a"), full)
		same(t, "inserted", get(t, db, home, "b"), fullCase())
		same(t, "empty", get(t, db, home, "a"), plain("a"))

		changed := fullCase() // everything that an update may change, changed; then all nil
		changed.State, changed.Stage, changed.Previous, changed.Outcome, changed.Visited, changed.Revision = "s", "g", "p", "o", "v", 8
		changed.Officer, changed.RUP, changed.Title, changed.Search, changed.CIG, changed.CUP = "of", "ru", "ti", "se", "ci", "cu"
		changed.Amount, changed.Data, changed.RulesDate = ptr(int64(-1)), store.Values{"x": int64(1)}, "2025-01-01"
		changed.UpdatedAt, changed.EndedAt = noon.Add(time.Hour), ptr(noon.Add(2*time.Hour))
		changed.ChainSeq, changed.ChainHash, changed.ChainAt = 13, []byte{9}, ptr(noon.Add(3*time.Hour))
		cleared := plain("b")
		cleared.Parent, cleared.Root, cleared.Child, cleared.Ordinal = "a", "a", "lots", 2
		cleared.NextDue, cleared.Source, cleared.SourceKey = full.NextDue, full.Source, full.SourceKey
		for _, want := range []*store.Case{changed, cleared} {
			if err := db.Update(t.Context(), home, "b", nil, func(tx *store.Tx) error { return tx.UpdateCase(want) }); err != nil {
				t.Fatal(err)
			}
			same(t, "updated", get(t, db, home, "b"), want)
		}
	})
}

func TestUpdateStateMovesAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"), fullCase())
		moved := *plain("b")
		moved.State, moved.Stage, moved.Previous, moved.Visited, moved.Outcome, moved.Revision = "s", "g", "p", "v", "", 8
		moved.UpdatedAt, moved.EndedAt, moved.ChainSeq, moved.ChainHash, moved.ChainAt = noon.Add(time.Hour), nil, 13, []byte{9}, ptr(noon.Add(3*time.Hour))
		if err := db.Update(t.Context(), home, "b", nil, func(tx *store.Tx) error { tx.UpdateState(&moved); return nil }); err != nil {
			t.Fatal(err)
		}
		want := fullCase()
		want.State, want.Stage, want.Previous, want.Visited, want.Outcome, want.Revision = moved.State, moved.Stage, moved.Previous, moved.Visited, moved.Outcome, moved.Revision
		want.UpdatedAt, want.EndedAt, want.ChainSeq, want.ChainHash, want.ChainAt = moved.UpdatedAt, nil, moved.ChainSeq, moved.ChainHash, moved.ChainAt
		same(t, "moved", get(t, db, home, "b"), want)
	})
}

func load(t *testing.T, db *store.DB, id string) *store.Snapshot {
	t.Helper()
	var s *store.Snapshot
	err := db.Peek(t.Context(), home, id, func(tx *store.Tx) (err error) {
		s, err = tx.Load(store.Want{Tree: true, Rows: true, Documents: true, Deadlines: true, Agreement: true, Past: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What hangs from the parent and from the root is read when it is asked for, cousins never.
func TestAboveIsReadWhenAsked(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		below := func(id, parent string) *store.Case {
			c := plain(id)
			c.Root, c.Parent, c.Child, c.Ordinal = "a", parent, "kids", 1
			return c
		}
		insert(t, db, plain("a"), below("b", "a"), below("c", "b"), below("uncle", "a"), below("cousin", "uncle"), below("twin", "b"), below("child", "c"))
		for _, tt := range []struct {
			id   string
			want store.Want
			have string
		}{
			{"c", store.Want{}, "a c"}, {"c", store.Want{Above: true}, "a b c twin uncle"},
			{"c", store.Want{Above: true, Parent: true, Children: true}, "a b c child twin uncle"},
			{"b", store.Want{Above: true}, "a b uncle"}, {"a", store.Want{Above: true}, "a"},
			{"c", store.Want{Above: true, Tree: true}, "a b c child cousin twin uncle"},
		} {
			err := db.Peek(t.Context(), home, tt.id, func(tx *store.Tx) error {
				s, err := tx.Load(tt.want)
				if err == nil {
					if got := strings.Join(slices.Sorted(maps.Keys(s.Cases)), " "); got != tt.have {
						t.Errorf("%s with %+v reads %s, want %s", tt.id, tt.want, got, tt.have)
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestRowsDocumentsAndDeadlinesComeBack(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		row := store.Row{CaseID: "a", Register: "offers", Row: 1, Data: store.Values{"operator": "Impresa Però", "bid": int64(1<<53 + 1)}, ChangedSeq: 3}
		doc := store.Document{ID: "d", CaseID: "a", Root: "a", MemberBody: "conselve", SUA: "padova", Type: "request_form", Name: "è.pdf", Media: "application/pdf", Size: 1 << 40, SHA256: "ab", UploadedBy: "rup", At: noon, Seq: 4}
		term := store.Deadline{
			ID: "t", CaseID: "a", Root: "a", MemberBody: "conselve", SUA: "padova", Name: "answer", Status: store.Blocked, StartedAt: noon, StartedSeq: 3, DueAt: noon.Add(time.Hour),
			LastDay: "2026-03-02", LimitKey: "request.answer_days", ExplainIT: "dieci giorni «»", ExplainEN: "ten days", Revision: 2, NextTry: noon.Add(time.Minute), BlockedBy: []byte(`{"code": "x"}`), EndedAt: ptr(noon.Add(2 * time.Hour)),
		}
		bare := store.Deadline{ID: "u", CaseID: "a", Root: "a", MemberBody: "conselve", SUA: "padova", Name: "b", Status: store.Running, StartedAt: noon, StartedSeq: 4, DueAt: noon, LastDay: "2026-03-01", Revision: 1, NextTry: noon}
		audited := row // only an audit reads what the case says too
		audited.MemberBody, audited.SUA = "conselve", "padova"
		for _, v := range []any{audited, doc, term} {
			if missing := unset(v); len(missing) > 0 {
				t.Fatalf("%T not set: %v", v, missing)
			}
		}
		create(t, db, func(tx *store.Tx) error {
			tx.InsertDocument(doc)
			if err := tx.InsertRow(plain("a"), row); err != nil {
				return err
			}
			if err := tx.InsertDeadline(bare); err != nil {
				return err
			}
			return tx.InsertDeadline(term)
		})
		s := load(t, db, "a")
		same(t, "rows", s.Rows, []store.Row{row})
		same(t, "documents", s.Documents, []store.Document{doc})
		same(t, "deadlines", s.Deadlines, []store.Deadline{term, bare})
		if got, err := db.DocumentByID(t.Context(), home, "d"); err != nil || got != doc {
			t.Errorf("document by id: %+v %v", got, err)
		}

		row.Data, row.ChangedSeq = store.Values{"bid": int64(5)}, 9
		bare.Status, bare.DueAt, bare.LastDay, bare.Revision, bare.NextTry, bare.BlockedBy, bare.EndedAt = store.Blocked, noon.Add(9), "2026-03-05", 5, noon.Add(time.Hour), []byte(`{}`), ptr(noon)
		bare.DueAt = noon.Add(9 * time.Hour)
		term.BlockedBy, term.EndedAt, term.Status = nil, nil, store.Running
		create(t, db, func(tx *store.Tx) error {
			tx.UpdateDeadline(bare)
			tx.UpdateDeadline(term)
			tx.RefreshDue("a", []string{"a"})
			return tx.UpdateRow(row)
		})
		s = load(t, db, "a")
		same(t, "rows", s.Rows, []store.Row{row})
		same(t, "deadlines", s.Deadlines, []store.Deadline{term, bare})
		if due := s.Cases["a"].NextDue; due == nil || !due.Equal(term.DueAt) {
			t.Errorf("next due %v, want %v", due, term.DueAt)
		}
	})
}

func TestHistoryLinksAndAgreementsComeBack(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"), plain("b"))
		full := store.Event{
			Root: "a", Seq: 1, CaseID: "a", MemberBody: "conselve", SUA: "padova", Event: "open", At: noon, Effective: noon.Add(-time.Hour), Actor: "rup",
			Header: []byte("{\"n\": 1.00,  \"b\":\"è\"}"), Hash: []byte{0, 1}, OpenSalt: []byte{2}, OpenBody: []byte("{}"), SecretSalt: []byte{3}, SecretBody: []byte("s"),
			PersonalSalt: []byte{4}, PersonalBody: []byte("p"),
		}
		if missing := unset(full); len(missing) > 0 {
			t.Fatalf("not set: %v", missing)
		}
		bare := store.Event{Root: "a", Seq: 2, CaseID: "a", MemberBody: "conselve", SUA: "padova", Event: "send", At: noon, Effective: noon, Actor: "rup", Header: []byte("{}"), Hash: []byte{5}}
		link := store.Link{From: "b", To: "a", Kind: "re_tender_of", MemberBody: "conselve", SUA: "padova", At: noon}
		create(t, db, func(tx *store.Tx) error {
			tx.InsertEvent(&full)
			tx.InsertEvent(&bare)
			tx.InsertLink(link)
			return nil
		})
		history := func(scope store.Scope, after int64, limit int) []store.Event {
			h, err := db.History(t.Context(), scope, "a", after, limit)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		same(t, "history", history(home, 0, 0), []store.Event{full, bare})
		same(t, "first page", history(home, 0, 1), []store.Event{full})
		same(t, "second page", history(home, 1, 1), []store.Event{bare})
		if out := history(away, 0, 0); len(out) != 0 {
			t.Errorf("another body reads %d events", len(out))
		}
		for id, scope := range map[string]store.Scope{"a": home, "b": home} {
			if got, err := db.Links(t.Context(), scope, id); err != nil || !reflect.DeepEqual(got, []store.Link{link}) {
				t.Errorf("links of %s: %+v %v", id, got, err)
			}
		}
		if got, _ := db.Links(t.Context(), away, "a"); len(got) != 0 {
			t.Error("another body reads links")
		}
		same(t, "past", load(t, db, "a").Past["a"], map[string]store.Fired{
			"open": {Seq: 1, At: full.At, Effective: full.Effective, Actor: "rup"}, "send": {Seq: 2, At: noon, Effective: noon, Actor: "rup"},
		})
	})
}

func TestPartiesComeBack(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		body := store.Body{ID: "conselve", Kind: "comune", Name: "Conselve", TaxCode: "80009330285", ISTAT: "028034", NUTS: "ITH36", Patron: "08-10", WorksLevel: "L3", ServicesLevel: "SF3", Source: "anac", CreatedAt: noon}
		sua := store.Body{ID: "padova", Kind: "provincia", Name: "Padova", TaxCode: "80006510285", CreatedAt: noon}
		if missing := unset(body); len(missing) > 0 {
			t.Fatalf("not set: %v", missing)
		}
		for _, b := range []store.Body{body, sua} {
			if id, err := db.SaveBody(t.Context(), b); err != nil || id != b.ID {
				t.Fatalf("save %s: %s %v", b.ID, id, err)
			}
		}
		got, err := db.BodyByID(t.Context(), "conselve")
		got.CreatedAt = got.CreatedAt.UTC()
		if err != nil || got != body {
			t.Errorf("body %+v %v", got, err)
		}
		again := store.Body{ID: "other", Kind: "comune", Name: "Comune di Conselve", TaxCode: body.TaxCode, CreatedAt: noon}
		if id, err := db.SaveBody(t.Context(), again); err != nil || id != "conselve" {
			t.Errorf("same tax code: %s %v", id, err)
		}
		if got, _ := db.BodyByID(t.Context(), "conselve"); got.Name != "Comune di Conselve" || got.Patron != "08-10" {
			t.Errorf("renewed body %+v", got)
		}
		old := store.Agreement{ID: "1", MemberBody: "conselve", SUA: "padova", ValidFrom: "2020-01-01", ValidTo: "2024-12-31", Acts: map[string]string{"award": "member"}}
		now := store.Agreement{ID: "2", MemberBody: "conselve", SUA: "padova", ValidFrom: "2025-01-01", Acts: map[string]string{"award": "sua"}}
		for _, a := range []store.Agreement{now, old} {
			if err := db.SaveAgreement(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		all, err := db.Agreements(t.Context(), "conselve")
		same(t, "agreements", all, []store.Agreement{now, old})
		insert(t, db, plain("a"))
		if a := load(t, db, "a").Agreement; a == nil || !reflect.DeepEqual(*a, now) || err != nil {
			t.Errorf("the agreement of the case: %+v %v", a, err)
		}
	})
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		if err := db.SavePerson(t.Context(), store.Person{ID: "anna", Name: "Anna", CreatedAt: noon}, nil); err != nil {
			t.Fatal(err)
		}
		if err := db.SaveToken(t.Context(), []byte{1}, "anna", "demo", noon, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for at, want := range map[time.Time]string{noon: "anna", noon.Add(time.Hour - time.Microsecond): "anna", noon.Add(time.Hour): ""} {
			if id, _ := db.TokenPerson(t.Context(), []byte{1}, at.In(time.FixedZone("", 7200))); id != want {
				t.Errorf("token at %v belongs to %q, want %q", at, id, want)
			}
		}
		if err := db.DropToken(t.Context(), []byte{1}); err != nil {
			t.Fatal(err)
		}
		if id, err := db.TokenPerson(t.Context(), []byte{1}, noon); err == nil {
			t.Errorf("a dropped token is %s's", id)
		}
	})
}
