package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// awarding is a procurement with lots, no more than the figure wants.
var awarding = map[string]string{"awarding.v1.yaml": `
workflow: awarding
version: 1
case: procurement
label: {it: Gara, en: Tender}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:    {type: text, label: {it: Oggetto, en: Subject}}
  bids_due: {type: instant, label: {it: Scadenza offerte, en: Bids due}}
children: {lots: {workflow: awarded_lot, label: {it: Lotti, en: Lots}, outlives: true}}
states:
  open: {stage: work, label: {it: Aperta, en: Open}}
  done: {stage: work, final: done, label: {it: Chiusa, en: Done}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: open, input: {title: {field: title}, bids_due: {field: bids_due, optional: true}}}
  split: {label: {it: Aggiungi un lotto, en: Add a lot}, by: [rup], from: [open], to: same, input: {lot_title: {type: text, label: {it: Lotto, en: Lot}}}, then: [{open: lots, copy: [{lot_title: title}]}]}
  end:   {label: {it: Chiudi, en: End}, by: [rup], from: [open], to: done}
`, "awarded_lot.v1.yaml": `
workflow: awarded_lot
version: 1
case: lot
label: {it: Lotto, en: Lot}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:              {type: text, label: {it: Oggetto, en: Subject}}
  contract_signed_on: {type: date, label: {it: Contratto stipulato il, en: Contract signed on}}
states:
  open:   {stage: work, label: {it: Aperto, en: Open}}
  signed: {stage: work, final: signed, label: {it: Stipulato, en: Signed}}
events:
  begin: {label: {it: Apri, en: Open}, by: [parent], opens: true, to: open, input: {title: {field: title, optional: true}}}
  sign:  {label: {it: Stipula, en: Sign}, by: [rup], from: [open], to: signed, input: {contract_signed_on: {field: contract_signed_on}}}
`}

// tender plays a tender of a body with one lot for each date of contract ("": not signed), and returns its id.
func tender(t *testing.T, o *office, who auth.Actor, due string, contracts ...string) string {
	t.Helper()
	in := map[string]any{"title": "Gara " + due}
	if due != "" {
		in["bids_due"] = due
	}
	m, err := o.Open(t.Context(), who, engine.Open{Workflow: "awarding", Inputs: in})
	if err != nil {
		t.Fatal(describe(err))
	}
	for i := range contracts {
		fire(t, o, who, m.Case, "split", map[string]any{"lot_title": fmt.Sprintf("Lotto %d", i+1)})
	}
	v, err := o.Case(t.Context(), who, m.Case)
	if err != nil {
		t.Fatal(err)
	}
	for i, lot := range v.Children[0].Cases {
		if contracts[i] != "" {
			fire(t, o, who, lot.ID, "sign", map[string]any{"contract_signed_on": contracts[i]})
		}
	}
	return m.Case
}

func efficiency(t *testing.T, o *office, who auth.Actor, sua, from, to string) engine.Efficiency {
	t.Helper()
	f, err := o.Efficiency(t.Context(), who, sua, from, to)
	if err != nil {
		t.Fatal(describe(err))
	}
	return f
}

// at puts the clock of an office on a day.
func (o *office) at(day string) {
	o.clock.at.Store(newClock(day + "T09:00:00Z").at.Load())
}

func TestEfficiencyOfASUA(t *testing.T) {
	each(t, awarding, func(t *testing.T, o *office) {
		o.at("2027-03-01")
		// 23:30 UTC of 28 February is 1 March in Rome: 115 and 116 days, a half-year at 115.5
		first := tender(t, o, o.rup, "2026-02-28T23:30:00Z", "2026-06-24", "2026-06-25", "")
		// second half of 2026: 115 days, the limit itself; another Comune's 1 January belongs to the next
		second := tender(t, o, o.otherRUP, "2026-03-10T11:00:00Z", "2026-07-03")
		third := tender(t, o, o.otherRUP, "2026-07-24T10:00:00Z", "2027-01-01") // 161 days
		f := efficiency(t, o, o.director, "padova", "", "")
		if f.SUA.Name != "Provincia di Padova" || !f.Whole || len(f.Lots) != 4 || len(f.Periods) != 3 {
			t.Fatalf("the figure is %+v", f)
		}
		for i, want := range []struct {
			from, to, mean, verdict, text string
			complete                      bool
		}{
			{"2027-01-01", "2027-06-30", "161.0", engine.VerdictPlan, "Finora media di 161,0 giorni (lotti: 1), oltre 160", false},
			{"2026-07-01", "2026-12-31", "115.0", engine.VerdictPremium, "Media di 115,0 giorni (lotti: 1), entro 115", true},
			{"2026-01-01", "2026-06-30", "115.5", engine.VerdictMiddle, "Media di 115,5 giorni (lotti: 2), oltre 115 ma non oltre 160", true},
		} {
			p := f.Periods[i]
			if p.From != want.from || p.To != want.to || p.Mean() != want.mean || p.Verdict != want.verdict || p.Complete != want.complete ||
				!strings.HasPrefix(p.Text.IT, want.text) || p.Text.EN == "" || !strings.Contains(p.Law, "All. II.4 art. 11") {
				t.Errorf("period %d is %+v (mean %s), want %+v", i, p, p.Mean(), want)
			}
		}
		if l := f.Lots[len(f.Lots)-1]; l.BidsDue != "2026-03-01" || *l.Days != 115 || l.Case.Root != first || l.Case.Title != "Lotto 1" {
			t.Errorf("the oldest lot is %+v, %d days", l, *l.Days)
		}
		if f.Lots[0].Case.Root != third || f.Lots[1].Case.Root != second {
			t.Errorf("lots are not listed by contract, newest first: %+v", f.Lots)
		}
	})
}

func TestEfficiencyEdges(t *testing.T) {
	each(t, awarding, func(t *testing.T, o *office) {
		o.at("2026-12-01")
		if f := efficiency(t, o, o.clerk, "", "", ""); len(f.Lots)+len(f.Periods) != 0 || f.SUA.ID != "padova" {
			t.Errorf("before any contract: %+v", f)
		}
		tender(t, o, o.rup, "2024-02-01T11:00:00Z", "2024-05-01")               // 90 days, before the law judged
		tender(t, o, o.rup, "", "2026-10-02")                                   // the deadline was never recorded
		tender(t, o, o.rup, "2026-05-01T11:00:00Z", "2026-10-08", "2026-11-30") // 160 and 213
		f := efficiency(t, o, o.director, "", "", "")
		if len(f.Lots) != 4 || len(f.Periods) != 2 {
			t.Fatalf("%+v", f)
		}
		if p := f.Periods[0]; p.Lots != 2 || p.Missing != 1 || p.Mean() != "186.5" || p.Verdict != engine.VerdictPlan || p.Complete {
			t.Errorf("the half-year that runs: %+v", p)
		}
		if p := f.Periods[1]; p.Mean() != "90.0" || p.Verdict != engine.VerdictNone || !strings.Contains(p.Text.IT, "la legge non fissa soglie") {
			t.Errorf("before the law: %+v", p)
		}
		for _, c := range []struct {
			from, to string
			lots     int
			verdict  string
		}{
			{"2026-07-01", "", 3, engine.VerdictPlan}, {"2026-07-01", "2026-12-31", 3, engine.VerdictPlan}, {"2026-10-08", "2026-10-08", 1, engine.VerdictNone},
			{"2026-10-03", "", 2, engine.VerdictNone}, {"", "2026-11-29", 3, engine.VerdictNone}, {"2027-01-01", "", 0, ""},
		} {
			f := efficiency(t, o, o.director, "padova", c.from, c.to)
			if len(f.Lots) != c.lots || c.lots > 0 && f.Periods[0].Verdict != c.verdict {
				t.Errorf("%s to %s: %+v", c.from, c.to, f)
			}
		}
		for _, c := range [][2]string{{"2026-02-30", ""}, {"", "domani"}, {"2026-07-01", "2026-06-30"}, {"2026-07-01\x00", ""}} {
			if _, err := o.Efficiency(t.Context(), o.director, "padova", c[0], c[1]); engine.Kind(err) != engine.KindInvalid {
				t.Errorf("from %q to %q: %v", c[0], c[1], err)
			}
		}
	})
}

// What each role of each body gets: the whole of its SUA, its own part of the SUA that serves it, or nothing.
func TestEfficiencyRoleBodyMatrix(t *testing.T) {
	each(t, awarding, func(t *testing.T, o *office) {
		o.at("2026-12-01")
		tender(t, o, o.rup, "2026-05-01T11:00:00Z", "2026-10-08", "2026-10-09")
		tender(t, o, o.otherRUP, "2026-05-01T11:00:00Z", "2026-10-10")
		want := map[string]int{"conselve": 2, "este": 1, "padova": 3, auth.AllBodies: 3}
		for _, p := range posts() {
			f, err := o.Efficiency(t.Context(), p.actor(), "padova", "", "")
			if p.body == "treviso" {
				if engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s of %s: %v %+v", p.role, p.body, err, f)
				}
				continue
			}
			whole := p.body == "padova" || p.body == auth.AllBodies
			if err != nil || len(f.Lots) != want[p.body] || f.Whole != whole || (f.Periods[0].Verdict == engine.VerdictNone) == whole {
				t.Errorf("%s of %s: %v, %+v", p.role, p.body, err, f)
			}
			suas, err := o.EfficiencySUAs(t.Context(), p.actor())
			if err != nil || !slices.Equal(suas, []engine.Ref{{ID: "padova", Name: "Provincia di Padova"}}) {
				t.Errorf("%s of %s may ask of %v %v", p.role, p.body, suas, err)
			}
		}
		for _, sua := range []string{"treviso", "conselve", "atlantide", "x\x00", "'; --"} {
			for _, who := range []auth.Actor{o.director, o.auditor, o.rup, {ID: "nessuno"}} {
				if _, err := o.Efficiency(t.Context(), who, sua, "", ""); engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s asks of %q: %v", who.ID, sua, err)
				}
			}
		}
		if _, err := o.Efficiency(t.Context(), auth.Actor{ID: "nessuno"}, "", "", ""); engine.Kind(err) != engine.KindNotFound {
			t.Errorf("nobody asks: %v", err)
		}
	})
}

func TestMeanIsRoundedHalfUp(t *testing.T) {
	for _, c := range []struct {
		days, lots int
		want       string
	}{{0, 0, ""}, {0, 1, "0.0"}, {1, 3, "0.3"}, {2, 3, "0.7"}, {461, 4, "115.3"}, {1153, 10, "115.3"}, {-5, 2, "-2.5"}} {
		if got := (engine.AwardPeriod{Days: c.days, Lots: c.lots}).Mean(); got != c.want {
			t.Errorf("%d days of %d lots = %q, want %q", c.days, c.lots, got, c.want)
		}
	}
}
