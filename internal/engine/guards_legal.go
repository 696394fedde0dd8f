package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

func legalGuards() map[string]Guard {
	money := map[string][]flow.Type{"amount": {flow.TypeMoney}}
	choices := func(ids ...string) map[string][]flow.Type {
		out := map[string][]flow.Type{}
		for _, id := range ids {
			out[id] = []flow.Type{flow.TypeChoice}
		}
		return out
	}
	value := map[string][]flow.Type{"amount": {flow.TypeMoney}, "kind": {flow.TypeChoice}}
	thresholds := []string{"threshold.eu.works", "threshold.eu.services_subcentral"}
	return map[string]Guard{
		"agreement_active":             plain(Text{IT: "convenzione in vigore", EN: "agreement in force"}, "art. 62 c. 9", flow.NeedAgreement, agreementActive).earlier(),
		"sua_qualified":                plain(Text{IT: "SUA qualificata per l'importo", EN: "SUA qualified for the value"}, "art. 62-63", 0, suaQualified).above(choices("kind")).reading(money, "qualification.base.works", "qualification.base.services", "qualification.mid.works", "qualification.mid.services"),
		"qualification_sufficient":     plain(Text{IT: "SUA qualificata per l'importo", EN: "SUA qualified for the value"}, "art. 62-63", 0, suaQualified).above(choices("kind")).reading(money, "qualification.base.works", "qualification.base.services", "qualification.mid.works", "qualification.mid.services"),
		"above_eu_threshold":           plain(Text{IT: "importo pari o superiore alla soglia europea", EN: "at or above the EU threshold"}, "art. 14", 0, aboveThreshold).above(value).reading(nil, thresholds...),
		"below_eu_threshold":           plain(Text{IT: "importo sotto la soglia europea", EN: "below the EU threshold"}, "art. 14", 0, belowThreshold).above(value).reading(nil, thresholds...),
		"best_value":                   plain(Text{IT: "criterio OEPV", EN: "best value"}, "art. 108", 0, bestValue).above(choices("criterion")),
		"lowest_price":                 plain(Text{IT: "criterio del minor prezzo", EN: "lowest price"}, "art. 108", 0, lowestPrice).above(choices("criterion")),
		"standstill_applies":           plain(Text{IT: "si applica lo stand-still", EN: "standstill applies"}, "art. 18 c. 3", 0, standstillApplies).above(value).rows(admissionColumn).reading(nil, thresholds...),
		"admission_follows_evaluation": plain(Text{IT: "inversione procedimentale", EN: "offers before admission"}, "art. 107 c. 3", 0, inversion).above(map[string][]flow.Type{"inversion": {flow.TypeBool}}),
		"no_court_stay":                plain(Text{IT: "nessuna sospensione del giudice", EN: "no court stay"}, "art. 18 c. 4", flow.NeedChildren|flow.NeedParent|flow.NeedAbove, noCourtStay),
		"quadro_economico_sums":        plain(Text{IT: "il quadro economico torna", EN: "the cost breakdown adds up"}, "art. 41, all. I.7", flow.NeedRows, quadroEconomicoSums),
		"programming_respected":        plain(Text{IT: "CUI o esenzione motivata", EN: "programme code or reasoned exemption"}, "art. 37", 0, programmingRespected).reading(map[string][]flow.Type{"amount": {flow.TypeMoney}, "kind": {flow.TypeChoice}, "cui": {flow.TypeCUI}, "programme_exemption": {flow.TypeText}}, "programming.works_min", "programming.services_min"),
		"request_documents_complete":   plain(Text{IT: "documenti della richiesta completi", EN: "request documents complete"}, "convenzione", flow.NeedDocuments, requestDocuments).above(choices("kind", "criterion")),
	}
}

// agreementActive: art. 62 c. 9: the SUA works for a body under an agreement in force on the effective day.
func agreementActive(f *Facts) *Refusal {
	day := calendar.DateOf(f.Effective).String()
	if f.Case.MemberBody == f.Case.SUA { // the Province's own tenders need no agreement with itself
		return nil
	}
	if f.Agreement == nil {
		return refuse("agreement_missing")
	}
	if day < f.Agreement.ValidFrom || f.Agreement.ValidTo != "" && day > f.Agreement.ValidTo {
		return refuse("agreement_inactive", "from", italianDay(f.Agreement.ValidFrom), "to", italianDay(f.Agreement.ValidTo))
	}
	return nil
}

func italianDay(s string) string {
	if d, err := calendar.ParseDate(s); err == nil {
		return d.Italian()
	}
	return "…"
}

// kind is works, services or supplies, of the case or of one above; empty when nobody says.
func (f *Facts) kind() string { return f.choice("kind") }

// anywhere reads a field of the case, or of the parent or root that has it filled in.
func (f *Facts) anywhere(id string) any {
	for _, data := range []store.Values{f.Case.Data, f.parentData(), f.Root.Data} {
		if v := data[id]; !empty(v) {
			return v
		}
	}
	return nil
}

func (f *Facts) parentData() store.Values {
	if f.Parent == nil {
		return nil
	}
	return f.Parent.Data
}

// anyLabel is how people call such a field.
func (f *Facts) anyLabel(id string) Text {
	if d, ok := f.Def.Field(id); ok {
		return d.Label
	}
	return f.parentLabel(id)
}

func (f *Facts) choice(id string) string {
	s, _ := f.anywhere(id).(string)
	return s
}

func (f *Facts) yes(id string) bool {
	yes, _ := f.anywhere(id).(bool)
	return yes
}

// threshold is the EU threshold of the contract. Without a kind the lower one holds: what is not known must not spare a
// standstill.
func (f *Facts) threshold() (law.Limit, *Refusal) {
	if f.kind() == "works" {
		return f.Limit("threshold.eu.works")
	}
	return f.Limit("threshold.eu.services_subcentral")
}

// procurementAmount is the value of the whole procurement, all lots together (art. 14 c. 9): the root's.
func (f *Facts) procurementAmount() (int64, *Refusal) {
	if v, ok := f.Root.Data["amount"].(int64); ok {
		if f.Root.ID == f.Case.ID {
			v, ok = f.Case.Data["amount"].(int64)
		}
		if ok {
			return v, nil
		}
	}
	if v, ok := f.Case.Data["amount"].(int64); ok {
		return v, nil
	}
	return 0, refuse("amount_unknown")
}

func (f *Facts) aboveEU() (bool, law.Limit, *Refusal) {
	l, no := f.threshold()
	if no != nil {
		return false, l, no
	}
	amount, no := f.procurementAmount()
	if no != nil {
		return false, l, no
	}
	cents, err := l.Cents()
	if err != nil {
		return false, l, refuse("limit_missing", "key", l.Key, "day", "")
	}
	return amount >= int64(cents), l, nil
}

func aboveThreshold(f *Facts) *Refusal {
	above, l, no := f.aboveEU()
	if no != nil || above {
		return no
	}
	return refuse("below_threshold", "threshold", l.Text())
}

func belowThreshold(f *Facts) *Refusal {
	above, l, no := f.aboveEU()
	if no != nil || !above {
		return no
	}
	return refuse("above_threshold", "threshold", l.Text())
}

func bestValue(f *Facts) *Refusal {
	if f.choice("criterion") == "best_value" {
		return nil
	}
	return refuse("not_best_value")
}

func lowestPrice(f *Facts) *Refusal {
	if f.choice("criterion") == "lowest_price" {
		return nil
	}
	return refuse("not_lowest_price")
}

func inversion(f *Facts) *Refusal {
	if f.yes("inversion") {
		return nil
	}
	return refuse("no_inversion")
}

// standstillApplies: art. 18 c. 3 and 55 c. 2: at or above the threshold, unless only one offer was made or admitted.
// That no challenge of the notice is pending is for who communicates the award to know.
func standstillApplies(f *Facts) *Refusal {
	above, l, no := f.aboveEU()
	if no != nil {
		return no
	}
	if !above {
		return refuse("below_threshold", "threshold", l.Text())
	}
	bids := f.Rows["bids"]
	if len(bids) > 0 && (len(bids) == 1 || matching(bids, "admission", "admitted") == 1) {
		return refuse("single_offer")
	}
	return nil
}

// noCourtStay: art. 18 c. 4: no litigation case stands in a state that stays the contract, here or above: a challenge of the
// notice hangs from the procedure, one of the award from the lot. A precautionary claim alone stays it only from the EU
// threshold up (art. 55 c. 2); a court's order always.
func noCourtStay(f *Facts) *Refusal {
	for _, c := range slices.Concat(f.Children, f.Above) {
		if c.Workflow == "litigation" && (c.State == "stayed_by_court" || c.State == "precautionary_pending" && !f.surelyBelowEU()) {
			return refuse("court_stay")
		}
	}
	return nil
}

// surelyBelowEU reports whether the contract is below the EU threshold: as somebody wrote on the case or above it, else by its
// value. What is not known is taken for above.
func (f *Facts) surelyBelowEU() bool {
	for _, c := range []*store.Case{f.Case, f.Parent, f.Root} {
		if c == nil {
			continue
		}
		if above, ok := c.Data["above_threshold"].(bool); ok {
			return !above
		}
	}
	above, _, no := f.aboveEU()
	return no == nil && !above
}

// quadroEconomicoSums holds when the workflow keeps the breakdown as a register and its rows make the total declared.
func quadroEconomicoSums(f *Facts) *Refusal {
	total, ok := f.Case.Data["qe_total"].(int64)
	rows := f.Rows["quadro_economico"]
	if !ok && len(rows) == 0 {
		return nil // not kept as data here: the check is by eye
	}
	var sum int64
	for _, r := range rows {
		v, _ := r.Data["amount"].(int64)
		sum += v
	}
	if sum != total {
		return refuse("quadro_economico_sum", "sum", law.Cents(sum).String(), "total", law.Cents(total).String())
	}
	return nil
}

// programmingRespected: art. 37: from a value on, what is bought stands in the programme, or somebody says why not.
func programmingRespected(f *Facts) *Refusal {
	key := "programming.services_min"
	if f.kind() == "works" {
		key = "programming.works_min"
	}
	amount, ok := f.Case.Data["amount"].(int64)
	if !ok {
		return f.missing("amount")
	}
	l, no := f.Limit(key)
	if no != nil {
		return no
	}
	due, err := compareAmount(amount, l)
	if err != nil {
		return refuse("limit_missing", "key", key, "day", "")
	}
	if due && empty(f.Case.Data["cui"]) && empty(f.Case.Data["programme_exemption"]) {
		return refuse("cui_missing", "limit", l.Text())
	}
	return nil
}

// compareAmount applies the comparison that the law gives with a limit; without one, "at most".
func compareAmount(amount int64, l law.Limit) (bool, error) {
	cents, err := l.Cents()
	if err != nil {
		return false, err
	}
	if l.Op == "" {
		return amount <= int64(cents), nil
	}
	return l.Op.Holds(cmp.Compare(amount, int64(cents))), nil
}

// suaQualified compares the value with the level of the SUA (art. 63 c. 2). A central purchasing body has at least L2 and
// SF2 (annex II.4), so that is taken for one whose level nobody has written down.
func suaQualified(f *Facts) *Refusal {
	amount, ok := f.Case.Data["amount"].(int64)
	if !ok {
		return f.missing("amount")
	}
	level, what := cmp.Or(f.SUA.ServicesLevel, "SF2"), "services"
	if f.kind() == "works" {
		level, what = cmp.Or(f.SUA.WorksLevel, "L2"), "works"
	}
	band := map[string]string{"L3": "base", "SF3": "base", "L2": "mid", "SF2": "mid"}[level]
	if band == "" { // L1, SF1: no limit
		return nil
	}
	l, no := f.Limit("qualification." + band + "." + what)
	if no != nil {
		return no
	}
	if within, err := compareAmount(amount, l); err != nil || !within {
		return refuse("not_qualified", "level", level, "limit", l.Text())
	}
	return nil
}

// requestDocs are the documents of law.md §5.2 that a request carries besides those every request must have, by kind.
var requestDocs = map[string][]string{
	"works":    {"project", "validation", "site_attestation", "dl_appointment", "specs", "labour_cost", "safety", "requirements"},
	"services": {"service_project", "specs", "labour_cost", "safety", "requirements"},
	"supplies": {"service_project", "specs", "requirements"},
}

func requestDocuments(f *Facts) *Refusal {
	wanted := append([]string(nil), requestDocs[f.kind()]...)
	if f.choice("criterion") == "best_value" {
		wanted = append(wanted, "criteria")
	}
	var it, en []string
	for _, id := range wanted {
		if _, ok := f.Documents[id]; ok {
			continue
		}
		label := Text{IT: id, EN: id}
		if t, ok := f.Def.Document(id); ok {
			label = t.Label
		}
		it, en = append(it, label.IT), append(en, label.EN)
	}
	if len(it) == 0 {
		return nil
	}
	return refuse("documents_incomplete", "documents", strings.Join(it, "; "), "documents_en", strings.Join(en, "; "))
}
