package engine_test

import (
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

const running = `
workflow: running
version: 1
case: running
label: {it: Contratto, en: Contract}
start: going
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  amount: {type: money, label: {it: Importo, en: Value}}
  contract_amount: {type: money, label: {it: Importo del contratto, en: Contract value}}
  kind: {type: choice, of: {works: {it: Lavori, en: Works}, services: {it: Servizi, en: Services}}, label: {it: Tipo, en: Kind}}
  contract_from: {type: date, label: {it: Contratto dal, en: Contract from}}
  stood_since: {type: instant, label: {it: Fermo dal, en: Stood since}}
  due: {type: instant, label: {it: Scadenza, en: Due}}
  asked_by: {type: instant, label: {it: Domande, en: Questions}}
  day: {type: date, label: {it: Giorno, en: Day}}
  note: {type: text, label: {it: Nota, en: Note}}
registers:
  bids: {label: {it: Offerte, en: Bids}, columns: {operator: text, admission: {choice: [admitted, excluded]}}}
children:
  subs: {workflow: sub, label: {it: Subappalti, en: Subcontracts}, outlives: true}
states:
  going: {stage: work, label: {it: In corso, en: Going}}
  done:  {stage: work, final: done, label: {it: Fatto, en: Done}}
events:
  begin: {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: going}
  tell:  {label: {it: Comunica, en: Tell}, by: [rup], from: [going], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}, then: [{run: first_contract_day}]}
  add:   {label: {it: Subappalto, en: Subcontract}, by: [rup], from: [going], to: same, input: {value: {type: money, optional: true, label: {it: Importo, en: Value}}}, then: [{open: subs, copy: [{value: amount}]}]}
  go_on: {label: {it: Riprendi, en: Go on}, by: [rup], from: [going], to: same, input: {effective: {type: instant, optional: true, label: {it: Il, en: 'On'}}}, then: [{run: {move_later: {fields: [due, asked_by, day], since: stood_since}}}]}
  wipe:  {label: {it: Svuota, en: Wipe}, by: [rup], from: [going], to: same, input: {amount: {field: amount, optional: true}}, then: [{clear: note, if: [{fields_filled: {fields: [amount]}}]}, {clear: due}, {clear: day, if: [{now_in: {states: [done]}}]}]}
  wait:  {label: {it: Attendi, en: Wait}, by: [rup], from: [going], to: same, guards: [{now_in: {states: [done]}}]}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [going], to: done, then: [{clear: day, if: [{now_in: {states: [done]}}]}]}
`

const sub = `
workflow: sub
version: 1
case: sub
label: {it: Subappalto, en: Subcontract}
start: received
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  amount: {type: money, label: {it: Importo, en: Value}}
  size: {type: choice, of: {ordinary: {it: Ordinario, en: Ordinary}, small: {it: Piccolo, en: Small}}, label: {it: Dimensione, en: Size}}
states:
  received: {stage: work, label: {it: Ricevuto, en: Received}}
  done:     {stage: work, final: done, label: {it: Fatto, en: Done}}
events:
  begin: {label: {it: Apri, en: Begin}, by: [parent], opens: true, to: received, then: [{run: size_subcontract}]}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [received], to: done}
`

var runningFiles = map[string]string{"running.v1.yaml": running, "sub.v1.yaml": sub}

// shown is a field of a case as its page shows it.
func shown(t *testing.T, o *office, id, field string) any {
	t.Helper()
	v, err := o.Case(t.Context(), o.rup, id)
	if err != nil {
		t.Fatal(err)
	}
	return fieldOf(v, field)
}

// The worked dates of law.md: 32 full days after the last communication, then the first on which the contract may be signed.
func TestFirstContractDay(t *testing.T) {
	each(t, runningFiles, func(t *testing.T, o *office) {
		o.clock.at.Store(newClock("2026-12-09T09:00:00Z").at.Load())
		two := []store.Values{{"admission": "admitted"}, {"admission": "admitted"}}
		for name, c := range map[string]struct {
			facts func(*bench)
			want  string
		}{
			"standstill":      {func(b *bench) { b.set("kind", "works", "amount", int64(9000000_00)); b.rows("bids", two...) }, "2027-01-06"},
			"one offer":       {func(b *bench) { b.set("kind", "works", "amount", int64(9000000_00)); b.rows("bids", two[0]) }, "2026-12-04"},
			"below threshold": {func(b *bench) { b.set("kind", "works", "amount", int64(5403999_99)); b.rows("bids", two...) }, "2026-12-04"},
			"unknown value":   {nothing, "2027-01-06"}, // what is not known spares no standstill
		} {
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "running", SUA: "padova"})
			if err != nil {
				t.Fatal(err)
			}
			c.facts(&bench{t: t, o: o, id: m.Case, root: m.Case})
			fire(t, o, o.rup, m.Case, "tell", map[string]any{"effective": "2026-12-04"})
			events, err := o.db.History(t.Context(), store.Everything, m.Case, 0, 0)
			if err != nil || len(events) == 0 {
				t.Fatal(events, err)
			}
			rests := strings.Contains(string(events[len(events)-1].Header), `"standstill.days"`)
			if rests != (c.want == "2027-01-06") {
				t.Errorf("%s: the record rests on the standstill: %v", name, rests)
			}
			if got := shown(t, o, m.Case, "contract_from"); got != c.want {
				t.Errorf("%s: from %v, want %s", name, got, c.want)
			}
		}
	})
}

// Art. 119 c. 16: small is below 2 % of the contract or below 100,000 euro; neither bound is itself small.
func TestSizeSubcontract(t *testing.T) {
	each(t, runningFiles, func(t *testing.T, o *office) {
		for _, c := range []struct {
			contract, amount int64
			want             string
		}{
			{1000000_00, 100000_00, "ordinary"}, {1000000_00, 99999_99, "small"},
			{10000000_00, 200000_00, "ordinary"}, {10000000_00, 199999_99, "small"},
			{0, 99999_99, "small"}, {0, 100000_00, "ordinary"}, {1000000_00, -1, "ordinary"},
		} {
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "running", SUA: "padova"})
			if err != nil {
				t.Fatal(err)
			}
			inputs := map[string]any{}
			if c.amount >= 0 {
				inputs["value"] = c.amount
			}
			if c.contract > 0 {
				(&bench{t: t, o: o, id: m.Case, root: m.Case}).set("contract_amount", c.contract)
			}
			added := fire(t, o, o.rup, m.Case, "add", inputs)
			if got := shown(t, o, added.Opened[0], "size"); got != c.want {
				t.Errorf("%d of %d: %v, want %s", c.amount, c.contract, got, c.want)
			}
		}
	})
}

// A stay of nine days: what was still to come moves by as many, on to a working day; what was over before does not move.
func TestMoveLater(t *testing.T) {
	each(t, runningFiles, func(t *testing.T, o *office) {
		o.clock.at.Store(newClock("2026-03-12T09:00:00Z").at.Load())
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "running", SUA: "padova"})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, o: o, id: m.Case, root: m.Case}
		b.set("due", "2026-03-19T11:00:00Z", "asked_by", "2026-03-01T11:00:00Z", "day", "2026-03-20")
		fire(t, o, o.rup, m.Case, "go_on", nil) // nobody said since when
		if got := shown(t, o, m.Case, "due"); got != "2026-03-19T11:00:00Z" {
			t.Errorf("without a moment: %v", got)
		}
		b.set("stood_since", "2026-03-02T09:00:00Z")
		fire(t, o, o.rup, m.Case, "go_on", map[string]any{"effective": "2026-03-11T09:00:00Z"})
		for field, want := range map[string]string{"due": "2026-03-30T10:00:00.000000Z", "asked_by": "2026-03-01T11:00:00Z", "day": "2026-03-30"} { // the 28th and 29th are a weekend, with a change of hour
			if got := shown(t, o, m.Case, field); got != want {
				t.Errorf("%s: %v, want %s", field, got, want)
			}
		}
	})
}

// `clear` empties a field, and a line with `if` is carried out only when it holds.
func TestClearAndIf(t *testing.T) {
	each(t, runningFiles, func(t *testing.T, o *office) {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "running", SUA: "padova"})
		if err != nil {
			t.Fatal(err)
		}
		(&bench{t: t, o: o, id: m.Case, root: m.Case}).set("note", "x", "due", "2026-03-19T11:00:00Z", "day", "2026-03-20")
		fire(t, o, o.rup, m.Case, "wipe", nil)
		if note, due := shown(t, o, m.Case, "note"), shown(t, o, m.Case, "due"); note != "x" || due != nil {
			t.Errorf("without an amount: note %v, due %v", note, due)
		}
		fire(t, o, o.rup, m.Case, "wipe", map[string]any{"amount": int64(1)})
		if note := shown(t, o, m.Case, "note"); note != nil {
			t.Errorf("with an amount: note %v", note)
		}
		events, err := o.db.History(t.Context(), store.Everything, m.Case, 0, 0)
		if err != nil || len(events) == 0 {
			t.Fatal(events, err)
		}
		if last := string(events[len(events)-1].OpenBody); !strings.Contains(last, `"note":null`) {
			t.Errorf("the story does not tell that the note was emptied: %s", last)
		}
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: m.Case, Event: "wait"}); !refusedWith(err, "state_elsewhere") {
			t.Errorf("a guard that wants another state: %v", err)
		}
		if day := shown(t, o, m.Case, "day"); day != "2026-03-20" {
			t.Errorf("the day before the end: %v", day)
		}
		fire(t, o, o.rup, m.Case, "end", nil) // a line looks at the state where the case has come to
		if day := shown(t, o, m.Case, "day"); day != nil {
			t.Errorf("the day after the end: %v", day)
		}
	})
}
