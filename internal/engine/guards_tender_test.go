package engine_test

import (
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// holder is the parent of guarded, and top the root above both.
const holder = `
workflow: holder
version: 1
case: holder
label: {it: Contenitore, en: Holder}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  budget: {type: money, label: {it: Budget, en: Budget}}
  promise: {type: date, label: {it: Promessa, en: Promise}}
  close: {type: instant, label: {it: Chiusura, en: Closing}}
  hush: {type: date, secret: {until: [shut], see: [sua_clerk]}, label: {it: Segreto, en: Secret}}
  pace: {type: choice, of: {slow: {it: Lento, en: Slow}, fast: {it: Veloce, en: Fast}}, label: {it: Passo, en: Pace}}
children:
  cases: {workflow: guarded, label: {it: Pratiche, en: Cases}, outlives: true}
  disputes: {workflow: litigation, label: {it: Contenziosi, en: Litigation}, outlives: true}
states:
  open: {stage: work, label: {it: Aperto, en: Open}}
  shut: {stage: work, label: {it: Chiuso, en: Shut}}
  over: {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup, parent], opens: true, to: open}
  add:   {label: {it: Aggiungi, en: Add}, by: [rup], from: [open], to: same, then: [{open: cases}]}
  shut:  {label: {it: Chiudi, en: Shut}, by: [rup], from: [open], to: shut}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [shut], to: over}
`

const top = `
workflow: top
version: 1
case: top
label: {it: Cima, en: Top}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
children:
  holders: {workflow: holder, label: {it: Contenitori, en: Holders}, outlives: true}
  disputes: {workflow: litigation, label: {it: Contenziosi, en: Litigation}, outlives: true}
states:
  open: {stage: work, label: {it: Aperto, en: Open}}
  over: {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: open, then: [{open: holders}]}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [open], to: over}
`

const requirementsCheck = `
workflow: requirements_check
version: 1
case: requirements_check
label: {it: Verifica, en: Check}
start: requested
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  operator: {type: text, label: {it: Operatore, en: Operator}}
  certificate: {type: choice, of: {durc: {it: DURC, en: DURC}, antimafia: {it: Antimafia, en: Antimafia}}, label: {it: Certificato, en: Certificate}}
states:
  requested: {stage: work, label: {it: Richiesto, en: Requested}}
  positive: {stage: work, label: {it: Positivo, en: Positive}}
  negative: {stage: work, final: negative, label: {it: Negativo, en: Negative}}
events:
  begin: {label: {it: Apri, en: Open}, by: [parent], opens: true, to: requested}
  pass:  {label: {it: Positivo, en: Pass}, by: [rup], from: [requested], to: positive}
  fail:  {label: {it: Negativo, en: Fail}, by: [rup], from: [requested, positive], to: negative}
`

// newHeldBench is a guarded case below a holder below a top.
func newHeldBench(t *testing.T, o *office) *bench {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "top", SUA: "padova"})
	if err != nil {
		t.Fatal(err)
	}
	parent := m.Opened[0]
	added := fire(t, o, o.rup, parent, "add", nil)
	return &bench{t: t, o: o, id: added.Opened[0], parent: parent, root: m.Case}
}

// above gives fields of the parent their values.
func (b *bench) above(pairs ...any) {
	(&bench{t: b.t, o: b.o, id: b.parent}).set(pairs...)
}

func admitted(n int) []store.Values {
	rows := make([]store.Values, n)
	for i := range rows {
		rows[i] = store.Values{"admission": "admitted"}
	}
	return rows
}

// priced is a lowest price tender of works below the threshold with as many bids admitted.
func (b *bench) priced(n int) {
	b.set("criterion", "lowest_price", "kind", "works", "amount", int64(100000_00))
	b.rows("bids", admitted(n)...)
}

// tenderTrials are the guards of the whole tender, on a case that has a parent and a root.
var tenderTrials = []trial{
	{"field_is", "{field: kind, value: works}", func(b *bench) { b.set("kind", "services") }, "field_other", func(b *bench) { b.set("kind", "works") }},
	{"field_not", "{field: inversion, value: true}", func(b *bench) { b.set("inversion", true) }, "field_same", nothing},
	{"share_of_parent_within", "{amount: amount, share: variant.fifth, of: budget, field: kind, value: works}", func(b *bench) {
		b.above("budget", int64(1000))
		b.set("kind", "works", "amount", int64(201))
	}, "share_beyond", func(b *bench) {
		b.above("budget", int64(1000))
		b.set("kind", "services", "amount", int64(201))
	}},
	{"given_at_least", "{given: first, term: {field: kind, works: request.answer_days, services: remedy.min, supplies: remedy.min}, counted: calendar_roll}",
		func(b *bench) { b.set("kind", "works", "first", "2026-03-11") }, "field_too_early", func(b *bench) { b.set("kind", "services", "first", "2026-03-11") }},
	{"given_at_most", "{given: second, term: {parent_field: pace, slow: request.answer_days, fast: remedy.min}, counted: calendar_roll}",
		func(b *bench) { b.above("pace", "fast"); b.set("second", "2026-03-11T12:00:00Z") }, "field_too_late", func(b *bench) { b.above("pace", "slow"); b.set("second", "2026-03-11T12:00:00Z") }},
	{"on_working_day", "{given: first}", func(b *bench) { b.set("first", "2026-03-07") }, "day_off", func(b *bench) { b.set("first", "2026-03-06") }},
	{"effective_from", "{field: first}", func(b *bench) { b.set("first", "2026-03-03") }, "effective_early", func(b *bench) { b.set("first", "2026-03-02") }},
	{"effective_after", "{parent_field: close}", func(b *bench) { b.above("close", "2026-03-02T08:30:00Z") }, "effective_not_after", func(b *bench) { b.above("close", "2026-03-02T07:30:00Z") }},
	{"parent_in", "{states: [shut]}", nothing, "parent_elsewhere", func(b *bench) { fire(b.t, b.o, b.o.rup, b.parent, "shut", nil) }},
	{"parent_fields_filled", "{fields: [promise]}", nothing, "parent_fields_empty", func(b *bench) { b.above("promise", "2026-03-05") }},
	{"happened", "{event: mark}", nothing, "not_happened", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", nil) }},
	{"not_happened", "{event: mark}", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", nil) }, "happened_already", nothing},
	{"rows_at_most", "{register: parts, limit: committee.max}", func(b *bench) { b.rows("parts", admitted(6)...) }, "rows_too_many", func(b *bench) { b.rows("parts", admitted(5)...) }},
	{"rows_not_after", "{register: bids, column: received, parent_field: close}", func(b *bench) {
		b.above("close", "2026-03-02T08:00:00Z")
		b.rows("bids", store.Values{"operator": "Alfa"}, store.Values{"operator": "Beta", "received": "2026-03-02T08:00:01Z"})
	}, "row_late", func(b *bench) {
		b.above("close", "2026-03-02T08:00:00Z")
		b.rows("bids", store.Values{"operator": "Alfa"}, store.Values{"operator": "Beta", "received": "2026-03-02T08:00:00Z"})
	}},
	{"children_some", "{children: items, states: [going]}", func(b *bench) { b.child("items", "item", "idle", nil) }, "children_none_there", func(b *bench) { b.child("items", "item", "idle", nil); b.child("items", "item", "going", nil) }},

	{"automatic_exclusion_allowed", "", func(b *bench) { b.priced(4) }, "offers_too_few", func(b *bench) { b.priced(5) }},
	{"anomaly_elements_present", "", func(b *bench) { b.set("anomaly_elements", " ") }, "field_empty", func(b *bench) { b.set("anomaly_elements", "ribasso oltre il 30 %") }},
	{"criteria_sum_100", "", func(b *bench) {
		b.set("technical_points", int64(69), "price_points", int64(31), "labour_intensive", true)
	}, "price_points_high", func(b *bench) {
		b.set("technical_points", int64(70), "price_points", int64(30), "labour_intensive", true)
	}},
	{"provisional_guarantee_ok", "", func(b *bench) {
		b.rows("bids", store.Values{"operator": "Alfa", "guarantee": "missing"})
	}, "guarantee_missing", func(b *bench) {
		b.rows("bids", store.Values{"operator": "Alfa", "guarantee": "missing", "admission": "excluded"}, store.Values{"guarantee": "provided"})
	}},
	{"committee_compatible", "", func(b *bench) {
		b.set("bids_due", "2026-02-20T12:00:00Z")
		b.rows("committee", store.Values{"declaration": "2026-02-19"})
	}, "declaration_early", func(b *bench) {
		b.set("bids_due", "2026-02-20T12:00:00Z")
		b.rows("committee", store.Values{"declaration": "2026-02-20"})
	}},
	{"requirements_positive", "", func(b *bench) {
		b.child("requirements", "requirements_check", "requested", store.Values{"certificate": "durc"})
		b.child("requirements", "requirements_check", "positive", store.Values{"certificate": "durc"})
	}, "requirement_open", func(b *bench) { // antimafia is for the contract; Beta no longer wins
		b.set("winner", "Alfa srl")
		b.child("requirements", "requirements_check", "requested", store.Values{"certificate": "antimafia"})
		b.child("requirements", "requirements_check", "negative", store.Values{"certificate": "durc", "operator": "Beta srl"})
		b.child("requirements", "requirements_check", "positive", store.Values{"certificate": "durc", "operator": "ALFA srl"})
	}},
	{"fvoe_fallback_open", "", func(b *bench) {
		b.set("fvoe_malfunction", true)
		fire(b.t, b.o, b.o.rup, b.id, "propose_award", map[string]any{"effective": "2026-01-31"}) // to 2 March
	}, "too_soon", func(b *bench) {
		b.set("fvoe_malfunction", true)
		fire(b.t, b.o, b.o.rup, b.id, "propose_award", map[string]any{"effective": "2026-01-29"}) // to 28 February
	}},
	{"definitive_guarantee_ok", "", func(b *bench) { b.set("definitive_guarantee", int64(1)) }, "document_missing", func(b *bench) { b.set("definitive_guarantee", int64(1)); b.files("definitive_guarantee") }},
	{"contract_not_too_early", "", func(b *bench) { b.set("contract_from", "2026-03-03") }, "contract_early", func(b *bench) { b.set("contract_from", "2026-03-02") }},
	{"closing_duties_done", "", func(b *bench) {
		b.set("results_sent", true, "report_published", true, "guarantees_released", false, "cel_issued", true, "archived", true)
	}, "duties_open", func(b *bench) {
		b.set("results_sent", true, "report_published", true, "guarantees_released", true, "cel_issued", true, "archived", true)
	}},
}

// Each of several conditions refuses by itself.
func TestTenderGuardsRefuseForEachReason(t *testing.T) {
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for _, c := range []struct {
			guard, code string
			facts       func(*bench)
		}{
			{"automatic_exclusion_allowed", "not_lowest_price", func(b *bench) { b.priced(5); b.set("criterion", "best_value") }},
			{"automatic_exclusion_allowed", "exclusion_kind", func(b *bench) { b.priced(5); b.set("kind", "supplies") }},
			{"automatic_exclusion_allowed", "above_threshold", func(b *bench) { b.priced(5); b.set("amount", int64(5404000_00)) }},
			{"automatic_exclusion_allowed", "cross_border", func(b *bench) { b.priced(5); b.set("cross_border", true) }},
			{"committee_compatible", "rows_missing", nothing},
			{"committee_compatible", "rows_even", func(b *bench) { b.rows("committee", admitted(2)...) }},
			{"committee_compatible", "rows_too_many", func(b *bench) { b.rows("committee", admitted(7)...) }},
			{"committee_compatible", "rows_unfilled", func(b *bench) { b.rows("committee", admitted(1)...) }},
			{"committee_compatible", "field_empty", func(b *bench) { b.rows("committee", store.Values{"declaration": "2026-02-20"}) }},
			{"requirements_positive", "children_missing", nothing},
			{"requirements_positive", "children_missing", func(b *bench) { // of another operator than the first in rank
				b.rows("bids", store.Values{"operator": "Alfa", "rank": int64(1)})
				b.child("requirements", "requirements_check", "positive", store.Values{"certificate": "durc", "operator": "Beta"})
			}},
			{"fvoe_fallback_open", "fvoe_works", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "propose_award", nil) }},
			{"fvoe_fallback_open", "not_happened", func(b *bench) { b.set("fvoe_malfunction", true) }},
			{"definitive_guarantee_ok", "field_empty", func(b *bench) { b.files("definitive_guarantee") }},
			{"criteria_sum_100", "field_empty", nothing},
			{"field_is", "field_other", nothing},
			{"given_at_least", "field_empty", func(b *bench) { b.set("first", "2026-03-11") }}, // no kind, so no line of the table
			{"on_working_day", "field_empty", nothing},
			{"effective_after", "field_empty", nothing},
		} {
			b := newHeldBench(t, o)
			c.facts(b)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + c.guard}); !refusedWith(err, c.code) {
				t.Errorf("%s = %v, want %s", c.guard, err, c.code)
			}
		}
		for _, guard := range []string{"parent_in", "parent_fields_filled", "effective_after", "rows_not_after"} { // a case of its own
			b := newBench(t, o)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + guard}); !refusedWith(err, "parent_missing") {
				t.Errorf("%s without a parent = %v", guard, err)
			}
		}
	})
}

// The hundred points are custom (mark M) and only warn; the share of the price with much labour is law and refuses, also when both
// are wrong.
func TestTotalOfPointsWarns(t *testing.T) {
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for _, c := range []struct {
			price  int64
			labour bool
			want   engine.ErrorKind
		}{{20, false, engine.KindAcknowledge}, {20, true, engine.KindAcknowledge}, {60, true, engine.KindRefused}} {
			b := newHeldBench(t, o)
			b.set("technical_points", int64(70), "price_points", c.price, "labour_intensive", c.labour)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_criteria_sum_100"}); engine.Kind(err) != c.want {
				t.Errorf("70 + %d, labour %v: %v", c.price, c.labour, err)
			}
		}
		b := newHeldBench(t, o)
		b.set("criterion", "lowest_price")
		fire(t, o, o.rup, b.id, "try_criteria_sum_100", nil) // points are of best value alone
	})
}

// A stay of the notice hangs from the procedure, one of the award from the lot: both hold the contract below. Only the events
// that ask for it load what hangs there.
func TestCourtStayAbove(t *testing.T) {
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for name, at := range map[string]func(*bench) string{"parent": func(b *bench) string { return b.parent }, "root": func(b *bench) string { return b.root }} {
			b := newHeldBench(t, o)
			dispute := &bench{t: t, o: o, id: at(b), root: b.root}
			dispute.child("disputes", "litigation", "filed", nil)
			fire(t, o, o.rup, b.id, "try_no_court_stay", nil)
			dispute.child("disputes", "litigation", "precautionary_pending", nil)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_no_court_stay"}); !refusedWith(err, "court_stay") {
				t.Errorf("a stay on the %s: %v", name, err)
			}
			fire(t, o, o.rup, b.id, "mark", nil)
		}
		def, _ := o.Library().Latest("guarded")
		for event, want := range map[string]bool{"try_no_court_stay": true, "mark": false} {
			if ev, _ := def.Event(event); ev.Needs.Has(flow.NeedAbove) != want {
				t.Errorf("%s needs what is above: %v", event, !want)
			}
		}
	})
}
