package engine_test

import (
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// bid is a row of the bids: who, its place and whether it is in the race.
func bid(operator string, rank int64, admission string, more ...any) store.Values {
	v := store.Values{"operator": operator, "admission": admission}
	if rank > 0 {
		v["rank"] = rank
	}
	for i := 0; i < len(more); i += 2 {
		v[more[i].(string)] = more[i+1]
	}
	return v
}

// noticeTrials are the guards from the notice to the proposal of award; the clock of the bench says 2 March 2026.
var noticeTrials = []trial{
	{"within_term_of", "{field: first, term: noaward.days, counted: calendar_roll}",
		func(b *bench) { b.set("first", "2026-01-29") }, "too_late", func(b *bench) { b.set("first", "2026-01-30") }}, // thirty days end on Sunday 1 March
	{"reduced_term_justified", "", func(b *bench) { b.set("bid_term", "urgent", "urgency_reason", " ") }, "field_empty", func(b *bench) { b.set("bid_term", "urgent", "urgency_reason", "PNRR") }},
	{"admission_precedes_evaluation", "", func(b *bench) { b.set("inversion", true) }, "inversion", nothing},
	{"no_bid_left", "", func(b *bench) { b.rows("bids", store.Values{"operator": "Alfa"}) }, "bids_left", func(b *bench) { b.rows("bids", bid("Alfa", 0, "excluded")) }},
	{"winner_ranked_first", "", func(b *bench) {
		b.set("winner", "Alfa srl")
		b.rows("bids", bid("Alfa srl", 2, "admitted"), bid("Beta spa", 1, "admitted"))
	}, "winner_not_first", func(b *bench) {
		b.set("winner", "beta SPA ")
		b.rows("bids", bid("Alfa srl", 2, "admitted"), bid("Beta spa", 1, "admitted"))
	}},
	{"prices_complete", "", func(b *bench) {
		b.set("criterion", "best_value")
		b.rows("bids", bid("Alfa", 0, "admitted", "discount", "12.5"))
	}, "price_missing", func(b *bench) {
		b.set("criterion", "best_value")
		b.rows("bids", bid("Alfa", 0, "admitted", "score", "81.2"), bid("Beta", 0, "excluded"))
	}},
	{"no_court_order", "", func(b *bench) {
		(&bench{t: b.t, o: b.o, id: b.parent, root: b.root}).child("disputes", "litigation", "stayed_by_court", nil)
	}, "court_stay", func(b *bench) { // a claim that waits is no order
		b.child("disputes", "litigation", "precautionary_pending", nil)
	}},
}

func TestNoticeGuardsRefuseForEachReason(t *testing.T) {
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for _, c := range []struct {
			guard, code string
			facts       func(*bench)
		}{
			{"within_term_of", "field_empty", nothing},
			{"reduced_term_justified", "field_empty", func(b *bench) { b.set("bid_term", "prior_notice") }},
			{"reduced_term_justified", "prior_notice_day", func(b *bench) { b.set("bid_term", "prior_notice", "pin_sent_on", "2026-01-27") }}, // 34 days
			{"reduced_term_justified", "", func(b *bench) { b.set("bid_term", "prior_notice", "pin_sent_on", "2026-01-26") }},
			{"reduced_term_justified", "", func(b *bench) { b.set("bid_term", "prior_notice", "pin_sent_on", "2025-03-02") }},
			{"reduced_term_justified", "prior_notice_day", func(b *bench) { b.set("bid_term", "prior_notice", "pin_sent_on", "2025-03-01") }},
			{"reduced_term_justified", "", nothing},
			{"no_bid_left", "", nothing},
			{"winner_ranked_first", "field_empty", nothing},
			{"winner_ranked_first", "rank_missing", func(b *bench) { b.set("winner", "Alfa"); b.rows("bids", bid("Alfa", 0, "admitted")) }},
			{"winner_ranked_first", "rank_missing", func(b *bench) { b.set("winner", "Alfa"); b.rows("bids", bid("Alfa", 1, "excluded")) }},
			{"winner_ranked_first", "rank_tied", func(b *bench) {
				b.set("winner", "Alfa")
				b.rows("bids", bid("Alfa", 1, "admitted"), bid("Beta", 1, "admitted"))
			}},
			{"winner_ranked_first", "first_not_admitted", func(b *bench) {
				b.set("winner", "Alfa")
				b.rows("bids", store.Values{"operator": "Alfa", "rank": int64(1)})
			}},
			{"prices_complete", "rank_missing", nothing},
			{"prices_complete", "price_missing", func(b *bench) { b.rows("bids", bid("Alfa", 0, "admitted")) }},
			{"prices_complete", "", func(b *bench) { b.rows("bids", bid("Alfa", 0, "admitted", "price", int64(90000_00))) }},
		} {
			b := newHeldBench(t, o)
			c.facts(b)
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + c.guard})
			if c.code == "" && err != nil || c.code != "" && !refusedWith(err, c.code) {
				t.Errorf("%s = %v, want %q", c.guard, err, c.code)
			}
		}
	})
}

const ranked = `
workflow: ranked
version: 1
case: ranked
label: {it: Graduatoria, en: Ranking}
start: going
stages: {work: {label: {it: Lavoro, en: Work}}}
registers:
  bids: {label: {it: Offerte, en: Bids}, columns: {operator: text, admission: {choice: [admitted, excluded, withdrawn]}, reason: text, discount: percent, price: money, score: percent, rank: int}}
states:
  going: {stage: work, label: {it: In corso, en: Going}}
  done:  {stage: work, final: done, label: {it: Fatto, en: Done}}
events:
  begin: {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: going}
  rank:  {label: {it: Forma, en: Rank}, by: [rup], from: [going], to: same, then: [{run: rank_bids}]}
  next:  {label: {it: Escludi, en: Exclude}, by: [rup], from: [going], to: same, input: {reason: {type: text, label: {it: Motivo, en: Reason}}}, then: [{run: next_in_rank}]}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [going], to: done}
`

// The score decides; without any the discount, without any the price. Equal bids share a place, who is out has none.
func TestRankBids(t *testing.T) {
	each(t, map[string]string{"ranked.v1.yaml": ranked}, func(t *testing.T, o *office) {
		for name, c := range map[string]struct {
			bids []store.Values
			want []any
		}{
			"score": {[]store.Values{bid("A", 3, "admitted", "score", "80.5", "discount", "30"), bid("B", 0, "admitted", "score", "80.50"), bid("C", 0, "admitted", "score", "91"),
				bid("D", 1, "excluded", "score", "99"), bid("E", 2, "withdrawn"), bid("F", 0, "admitted", "score", "7")},
				[]any{int64(2), int64(2), int64(1), nil, nil, int64(4)}},
			"discount": {[]store.Values{bid("A", 0, "admitted", "discount", "9.99"), bid("B", 0, "admitted", "discount", "10.00001")}, []any{int64(2), int64(1)}},
			"price":    {[]store.Values{bid("A", 0, "admitted", "price", int64(100_01)), bid("B", 0, "admitted", "price", int64(100_00)), bid("C", 0, "admitted")}, []any{int64(2), int64(1), int64(3)}},
			"nothing":  {[]store.Values{bid("A", 0, "admitted"), bid("B", 0, "admitted")}, []any{int64(1), int64(1)}},
		} {
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "ranked", SUA: "padova"})
			if err != nil {
				t.Fatal(err)
			}
			(&bench{t: t, o: o, id: m.Case, root: m.Case}).rows("bids", c.bids...)
			fire(t, o, o.rup, m.Case, "rank", nil)
			v, err := o.Case(t.Context(), o.rup, m.Case)
			if err != nil || len(v.Registers) != 1 || len(v.Registers[0].Rows) != len(c.want) {
				t.Fatalf("%s: %+v %v", name, v.Registers, err)
			}
			for i, want := range c.want {
				if got := v.Registers[0].Rows[i].Values["rank"]; got != want {
					t.Errorf("%s: row %d has place %v, want %v", name, i+1, got, want)
				}
			}
		}
	})
}

// The first goes out, and its row says why; the others move up.
func TestNextInRank(t *testing.T) {
	each(t, map[string]string{"ranked.v1.yaml": ranked}, func(t *testing.T, o *office) {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "ranked", SUA: "padova"})
		if err != nil {
			t.Fatal(err)
		}
		(&bench{t: t, o: o, id: m.Case, root: m.Case}).rows("bids", bid("A", 2, "admitted"), bid("B", 1, "admitted"))
		fire(t, o, o.rup, m.Case, "next", map[string]any{"reason": "Contributi non versati"})
		v, err := o.Case(t.Context(), o.rup, m.Case)
		if err != nil {
			t.Fatal(err)
		}
		up, out := v.Registers[0].Rows[0].Values, v.Registers[0].Rows[1].Values
		if up["rank"] != int64(1) || up["reason"] != nil || out["admission"] != "excluded" || out["reason"] != "Contributi non versati" || out["rank"] != nil {
			t.Errorf("rows %v, %v", up, out)
		}
	})
}
