package engine

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// admissionColumn is the column of the bids that says who is still in the race.
var admissionColumn = map[string]map[string][]flow.Type{"bids": {"admission": {flow.TypeChoice}}}

// awardGuards are those of the way from the bids to the end of the contract.
func awardGuards() map[string]Guard {
	fields := func(t flow.Type, ids ...string) map[string][]flow.Type {
		out := map[string][]flow.Type{}
		for _, id := range ids {
			out[id] = []flow.Type{t}
		}
		return out
	}
	fvoe := plain(Text{IT: "FVOE guasto e termine trascorso dalla proposta", EN: "FVOE broken and its term over since the proposal"}, "art. 99 c. 3-bis", 0, fvoeFallbackOpen).reading(fields(flow.TypeBool, "fvoe_malfunction"), fvoeTerm)
	fvoe.Events = []string{proposal}
	definitive := plain(Text{IT: "garanzia definitiva presente", EN: "definitive guarantee there"}, "art. 53 c. 4, art. 117", 0, definitiveGuaranteeOK).reading(fields(flow.TypeMoney, "definitive_guarantee"))
	definitive.Documents = []string{"definitive_guarantee"}
	return map[string]Guard{
		"automatic_exclusion_allowed": plain(Text{IT: "esclusione automatica ammessa", EN: "automatic exclusion allowed"}, "art. 54 c. 1", 0, automaticExclusionAllowed).
			above(map[string][]flow.Type{"amount": {flow.TypeMoney}, "kind": {flow.TypeChoice}, "criterion": {flow.TypeChoice}, "cross_border": {flow.TypeBool}}).
			rows(admissionColumn).reading(nil, "anomaly.auto_min_offers", "threshold.eu.works", "threshold.eu.services_subcentral"),
		"anomaly_elements_present": plain(Text{IT: "elementi di anomalia indicati nel bando", EN: "elements of anomaly stated in the notice"}, "art. 110 c. 1", 0, anomalyElementsPresent).above(fields(flow.TypeText, "anomaly_elements")),
		"criteria_sum_100":         plain(Text{IT: "i punti dei criteri fanno il totale", EN: "the points of the criteria make the total"}, "art. 108 c. 4", 0, criteriaSum).above(map[string][]flow.Type{"criterion": {flow.TypeChoice}, "labour_intensive": {flow.TypeBool}}).reading(fields(flow.TypeInt, "technical_points", "price_points"), "score.total", "score.price_max_labour"),
		"provisional_guarantee_ok": plain(Text{IT: "garanzie provvisorie a posto", EN: "provisional guarantees in order"}, "art. 53 c. 1, art. 106", 0, provisionalGuaranteeOK).
			rows(map[string]map[string][]flow.Type{"bids": {"operator": {flow.TypeText}, "admission": {flow.TypeChoice}, "guarantee": {flow.TypeChoice}}}),
		"committee_compatible": plain(Text{IT: "commissione dispari, nominata dopo le offerte, senza incompatibilità", EN: "committee odd, declared compatible after the bids"}, "art. 93", 0, committeeCompatible).
			above(map[string][]flow.Type{"bids_due": {flow.TypeDate, flow.TypeInstant}}).rows(map[string]map[string][]flow.Type{"committee": {"declaration": {flow.TypeDate}}}).reading(nil, "committee.max"),
		"requirements_positive":   plain(Text{IT: "verifiche dei requisiti positive", EN: "checks of the requirements positive"}, "art. 17 c. 5, art. 99", flow.NeedChildren|flow.NeedRows, requirementsPositive).peeking(winnerFields, winnerRows, checkFields),
		"fvoe_fallback_open":      fvoe,
		"definitive_guarantee_ok": definitive,
		"contract_not_too_early":  plain(Text{IT: "contratto non prima della fine dello stand-still", EN: "contract not before the end of the standstill"}, "art. 18 c. 3", 0, contractNotTooEarly).above(fields(flow.TypeDate, "contract_from")),
		"closing_duties_done":     plain(Text{IT: "adempimenti di chiusura compiuti", EN: "duties of closing done"}, "art. 28, 111, 117 c. 8, 222", 0, closingDutiesDone).reading(fields(flow.TypeBool, closingDuties...)),
	}
}

// proposal is the event from which the term of the FVOE counts.
const (
	proposal = "propose_award"
	fvoeTerm = "fvoe.malfunction_days"
)

// admitted counts the bids that somebody has admitted.
func (f *Facts) admitted() int { return matching(f.Rows["bids"], "admission", "admitted") }

// automaticExclusionAllowed: art. 54 c. 1: lowest price, works or services below the threshold, no cross-border interest, and
// enough bids admitted.
func automaticExclusionAllowed(f *Facts) *Refusal {
	if no := lowestPrice(f); no != nil {
		return no
	}
	if kind := f.kind(); kind != "works" && kind != "services" {
		return refuse("exclusion_kind")
	}
	if no := belowThreshold(f); no != nil {
		return no
	}
	if f.yes("cross_border") {
		return refuse("cross_border")
	}
	l, no := f.Limit("anomaly.auto_min_offers")
	if no != nil {
		return no
	}
	if n, err := l.Int(); err != nil || f.admitted() < n {
		r := refuse("offers_too_few", "minimum", strconv.Itoa(n), "admitted", strconv.Itoa(f.admitted()))
		r.Law = l.Law
		return r
	}
	return nil
}

// anomalyElementsPresent: art. 110 c. 1: a bid is suspect by the elements that the notice states.
func anomalyElementsPresent(f *Facts) *Refusal {
	if s, _ := f.anywhere("anomaly_elements").(string); strings.TrimSpace(s) != "" {
		return nil
	}
	label := f.anyLabel("anomaly_elements")
	return refuse("field_empty", "field", label.IT, "field_en", label.EN)
}

// criteriaSum: art. 108 c. 4: with best value the points of technique and price make the total, and where labour is what is
// bought the price has at most its share. The share is looked at first: it rests on the law, the total on custom.
func criteriaSum(f *Facts) *Refusal {
	if f.choice("criterion") == "lowest_price" {
		return nil
	}
	technical, ok := f.Case.Data["technical_points"].(int64)
	if !ok {
		return f.missing("technical_points")
	}
	price, ok := f.Case.Data["price_points"].(int64)
	if !ok {
		return f.missing("price_points")
	}
	if f.yes("labour_intensive") {
		l, no := f.Limit("score.price_max_labour")
		if no != nil {
			return no
		}
		share, err := l.Fraction()
		if err != nil {
			return refuse("limit_missing", "key", l.Key, "day", "")
		}
		if share.Mul(share, big.NewRat(technical+price, 1)).Cmp(big.NewRat(price, 1)) < 0 {
			r := refuse("price_points_high", "points", strconv.FormatInt(price, 10), "maximum", l.Text())
			r.Law = l.Law
			return r
		}
	}
	l, no := f.Limit("score.total")
	if no != nil {
		return no
	}
	if total, err := l.Int(); err != nil || technical+price != int64(total) {
		return refuse("points_sum", "sum", strconv.FormatInt(technical+price, 10), "total", strconv.Itoa(total))
	}
	return nil
}

// provisionalGuaranteeOK: art. 106 c. 1: nobody who is still in the race lacks the guarantee.
func provisionalGuaranteeOK(f *Facts) *Refusal {
	for _, r := range f.Rows["bids"] {
		if r.Data["guarantee"] != "missing" || out(r) {
			continue
		}
		who, _ := r.Data["operator"].(string)
		return refuse("guarantee_missing", "operator", cmp.Or(who, strconv.Itoa(r.Row)))
	}
	return nil
}

// out reports whether a bid is no longer in the race.
func out(bid store.Row) bool {
	return bid.Data["admission"] == "excluded" || bid.Data["admission"] == "withdrawn"
}

// committeeCompatible: art. 93 c. 1, 2, 5: an odd number, no more than the maximum, each having declared to be compatible once
// the bids were in: before, nobody knew with whom.
func committeeCompatible(f *Facts) *Refusal {
	for _, check := range []func() *Refusal{
		func() *Refusal { return rowsSome(f, columnValueParam{Register: "committee"}) },
		func() *Refusal { return rowsOdd(f, registerParam{"committee"}) },
		func() *Refusal { return rowsAtMost(f, rowsLimitParam{"committee", "committee.max"}) },
		func() *Refusal { return rowsFilled(f, columnParam{Register: "committee", Column: "declaration"}) },
	} {
		if no := check(); no != nil {
			return no
		}
	}
	label := f.anyLabel("bids_due")
	due, ok := boundOf(f.anywhere("bids_due"), label)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	for _, r := range f.Rows["committee"] {
		if at, _ := boundOf(r.Data["declaration"], Text{}); at.compare(due) < 0 {
			day, when := at.when(), due.when()
			return refuse("declaration_early", "row", strconv.Itoa(r.Row), "day", day.IT, "day_en", day.EN, "when", when.IT, "when_en", when.EN)
		}
	}
	return nil
}

// requirementsPositive: art. 17 c. 5 and 99: every certificate about who wins is positive, or conditional as the law of the
// certificate allows. The antimafia papers are needed for the contract, not for the award (law.md §3.2): they count where
// the checks hang from a contract. Checks given up or closed, and those of operators who no longer win, say nothing.
func requirementsPositive(f *Facts) *Refusal {
	child, contract := "requirements", false
	if _, ok := f.Def.Child("checks"); ok {
		child, contract = "checks", true
	}
	label, winners, seen := f.childLabel(child), f.winners(), false
	for _, c := range f.childrenIn(child) {
		certificate, _ := c.Data["certificate"].(string)
		operator, _ := c.Data["operator"].(string)
		switch {
		case certificate == "antimafia" && !contract, c.State == "abandoned", c.State == "closed":
			continue
		case operator != "" && len(winners) > 0 && !slices.ContainsFunc(winners, func(w string) bool { return sameOperator(w, operator) }):
			continue
		case c.State == "positive" || c.State == "conditional":
			seen = true
			continue
		}
		return f.openRequirement(c)
	}
	if !seen {
		return refuse("children_missing", "children", label.IT, "children_en", label.EN)
	}
	return nil
}

// What winners reads, and of the checks what tells whose they are.
var (
	winnerFields = []string{"winner", "operator"}
	winnerRows   = map[string][]string{"bids": {"operator", "rank"}}
	checkFields  = map[string][]string{"requirements_check": {"certificate", "operator"}}
)

// winners are the operators of whom the checks are: the one recorded as such, else those ranked first; none when nobody
// says.
func (f *Facts) winners() []string {
	for _, id := range winnerFields {
		if s, _ := f.Case.Data[id].(string); s != "" {
			return []string{s}
		}
	}
	var first []string
	for _, r := range f.Rows["bids"] {
		if who, _ := r.Data["operator"].(string); who != "" && r.Data["rank"] == int64(1) {
			first = append(first, who)
		}
	}
	return first
}

func sameOperator(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// fvoeFallbackOpen: art. 99 c. 3-bis: when the FVOE does not answer for the days of the law after the proposal, the award may
// rest on the operator's own declaration.
func fvoeFallbackOpen(f *Facts) *Refusal {
	if broken, _ := f.Case.Data["fvoe_malfunction"].(bool); !broken {
		return refuse("fvoe_works")
	}
	return elapsed(f, sinceParam{Since: proposal, Term: flow.Term{Key: fvoeTerm}})
}

// definitiveGuaranteeOK: art. 117 c. 1: no contract without it.
func definitiveGuaranteeOK(f *Facts) *Refusal {
	if v, _ := f.Case.Data["definitive_guarantee"].(int64); v <= 0 {
		return f.missing("definitive_guarantee")
	}
	return documentValid(f, documentParam{"definitive_guarantee"})
}

// contractNotTooEarly: art. 18 c. 3: from the day that first_contract_day has found; nothing to say when nobody has.
func contractNotTooEarly(f *Facts) *Refusal {
	label := f.anyLabel("contract_from")
	first, ok := boundOf(f.anywhere("contract_from"), label)
	if !ok || f.effectiveBound().compare(first) >= 0 {
		return nil
	}
	day := first.when()
	return refuse("contract_early", "day", day.IT, "day_en", day.EN)
}

// closingDuties are what must have been done before a contract is put away (law.md §3.5).
var closingDuties = []string{"results_sent", "report_published", "guarantees_released", "cel_issued", "archived"}

func closingDutiesDone(f *Facts) *Refusal {
	var it, en []string
	for _, id := range closingDuties {
		if done, _ := f.Case.Data[id].(bool); !done {
			l := f.fieldLabel(id)
			it, en = append(it, l.IT), append(en, l.EN)
		}
	}
	if len(it) == 0 {
		return nil
	}
	return refuse("duties_open", "duties", strings.Join(it, "; "), "duties_en", strings.Join(en, "; "))
}
