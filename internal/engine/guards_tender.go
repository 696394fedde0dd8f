package engine

import (
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
)

// withinParam names a day of the case and the term that runs from it.
type withinParam struct {
	Field   string    `yaml:"field" flow:"field,instant|date"`
	Term    flow.Term `yaml:"term" flow:"term,days|months|years"`
	Counted string    `yaml:"counted" flow:"rule"`
}

// tenderGuards are those of a tender with a notice, from its publication to the proposal of award.
func tenderGuards() map[string]Guard {
	bids := func(more map[string][]flow.Type) map[string]map[string][]flow.Type {
		columns := map[string][]flow.Type{"admission": {flow.TypeChoice}}
		for id, types := range more {
			columns[id] = types
		}
		return map[string]map[string][]flow.Type{"bids": columns}
	}
	return map[string]Guard{
		"within_term_of": guard(Text{IT: "entro il termine da una data", EN: "within the term from a date"}, "", 0, withinTermOf).earlier(),
		"reduced_term_justified": plain(Text{IT: "termine ridotto giustificato", EN: "reduced term justified"}, "art. 71 c. 3-4", 0, reducedTermJustified).
			reading(map[string][]flow.Type{"bid_term": {flow.TypeChoice}, "urgency_reason": {flow.TypeText}, "pin_sent_on": {flow.TypeDate}}, "pin.min_before", "pin.max_before").earlier(),
		"admission_precedes_evaluation": plain(Text{IT: "documentazione prima delle offerte", EN: "admission before offers"}, "art. 107 c. 3", flow.NeedParent, admissionPrecedes).above(map[string][]flow.Type{"inversion": {flow.TypeBool}}),
		"no_bid_left":                   plain(Text{IT: "nessuna offerta in gara", EN: "no bid in the race"}, "art. 76 c. 2 a", flow.NeedRows, noBidLeft).rows(bids(nil)),
		"winner_ranked_first": plain(Text{IT: "proposto il primo ammesso della graduatoria", EN: "the first admitted of the ranking is proposed"}, "art. 17 c. 5", flow.NeedRows, winnerRankedFirst).
			reading(map[string][]flow.Type{"winner": {flow.TypeText}}).rows(bids(map[string][]flow.Type{"operator": {flow.TypeText}, "rank": {flow.TypeInt}})),
		"prices_complete": plain(Text{IT: "prezzi e punteggi di ogni offerta in gara", EN: "prices and scores of every bid in the race"}, "art. 108", flow.NeedParent|flow.NeedRows, pricesComplete).
			above(map[string][]flow.Type{"criterion": {flow.TypeChoice}}).
			rows(bids(map[string][]flow.Type{"operator": {flow.TypeText}, "discount": {flow.TypePercent}, "price": {flow.TypeMoney}, "score": {flow.TypePercent}})),
		"no_court_order": plain(Text{IT: "nessuna ordinanza di sospensione", EN: "no order of stay"}, "All. I.3 c. 3", flow.NeedChildren|flow.NeedParent|flow.NeedAbove, noCourtOrder),
	}
}

// withinTermOf: the effective day is not after the last day of the term that runs from a day of the case.
func withinTermOf(f *Facts, p withinParam) *Refusal {
	from, ok := moment(f.Case.Data[p.Field])
	if !ok {
		return f.missing(p.Field)
	}
	key, no := f.termKey(p.Term)
	if no != nil {
		return no
	}
	res, l, no := f.DeadlineAfter(from, key, p.Counted)
	if no != nil {
		return no
	}
	if calendar.DateOf(f.Effective).After(res.LastDay) {
		r := refuse("too_late", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
		r.Law = l.Law
		return r
	}
	return nil
}

// reducedTermJustified: art. 71 c. 3-4: fifteen days need reasons of urgency, or a prior notice sent neither too late nor
// too early before the notice.
func reducedTermJustified(f *Facts) *Refusal {
	switch term, _ := f.Case.Data["bid_term"].(string); term {
	case "urgent":
		if s, _ := f.Case.Data["urgency_reason"].(string); strings.TrimSpace(s) == "" {
			return f.missing("urgency_reason")
		}
	case "prior_notice":
		sent, ok := moment(f.Case.Data["pin_sent_on"])
		if !ok {
			return f.missing("pin_sent_on")
		}
		day := calendar.DateOf(f.Effective)
		first, least, no := f.DeadlineAfter(sent, "pin.min_before", "calendar")
		if no != nil {
			return no
		}
		last, most, no := f.DeadlineAfter(sent, "pin.max_before", "months")
		if no != nil {
			return no
		}
		if day.Before(first.LastDay) || day.After(last.LastDay) {
			return refuse("prior_notice_day", "least", least.Text(), "most", most.Text(),
				"first", first.LastDay.Italian(), "first_en", first.LastDay.English(), "last", last.LastDay.Italian(), "last_en", last.LastDay.English())
		}
	}
	return nil
}

// admissionPrecedes: the ordinary order, unless the documents invert it (art. 107 c. 3).
func admissionPrecedes(f *Facts) *Refusal {
	if inversion(f) == nil {
		return refuse("inversion")
	}
	return nil
}

// noBidLeft: a bid that nobody has judged yet is still in the race.
func noBidLeft(f *Facts) *Refusal {
	for _, r := range f.Rows["bids"] {
		if !out(r) {
			return refuse("bids_left")
		}
	}
	return nil
}

// pricesComplete: a ranking of bids some of which nobody has read would be a ranking of nothing: with best value each has its
// total score, with lowest price its discount or its price.
func pricesComplete(f *Facts) *Refusal {
	seen := false
	for _, r := range f.Rows["bids"] {
		if out(r) {
			continue
		}
		seen = true
		read := !empty(r.Data["discount"]) || !empty(r.Data["price"])
		if f.choice("criterion") == "best_value" {
			read = !empty(r.Data["score"])
		}
		if !read {
			who, _ := r.Data["operator"].(string)
			return refuse("price_missing", "operator", who)
		}
	}
	if !seen {
		return refuse("rank_missing")
	}
	return nil
}

// winnerRankedFirst: the proposal is for the best bid admitted (art. 17 c. 5); with equal bids a draw must have told them
// apart, and with inversion the papers of the first must have been checked.
func winnerRankedFirst(f *Facts) *Refusal {
	winner, _ := f.Case.Data["winner"].(string)
	if strings.TrimSpace(winner) == "" {
		return f.missing("winner")
	}
	first := ""
	for _, r := range f.Rows["bids"] {
		if r.Data["rank"] != int64(1) || out(r) {
			continue
		}
		if first != "" {
			return refuse("rank_tied")
		}
		if first, _ = r.Data["operator"].(string); r.Data["admission"] != "admitted" {
			return refuse("first_not_admitted", "operator", first)
		}
	}
	if first == "" {
		return refuse("rank_missing")
	}
	if !sameOperator(first, winner) {
		return refuse("winner_not_first", "operator", first)
	}
	return nil
}

// noCourtOrder: unlike no_court_stay it does not mind a claim that still waits for an order: only an order stops the tender
// (art. 17 c. 10, annex I.3 c. 3).
func noCourtOrder(f *Facts) *Refusal {
	for _, list := range [][]Child{f.Children, f.Above} {
		for _, c := range list {
			if c.Workflow == "litigation" && c.State == "stayed_by_court" {
				return refuse("court_stay")
			}
		}
	}
	return nil
}
