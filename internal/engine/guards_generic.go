package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// Parameters of the generic guards; see flow.Word for the tags.
type (
	fieldsParam struct {
		Fields []string `yaml:"fields" flow:"field"`
	}
	fieldTermParam struct {
		Field   string `yaml:"field" flow:"field,instant|date"`
		Term    string `yaml:"term" flow:"limit,days|months|years|hours"`
		Counted string `yaml:"counted" flow:"rule"`
	}
	twoFieldsParam struct {
		Field string `yaml:"field" flow:"field,instant|date"`
		Other string `yaml:"other" flow:"field,instant|date"`
	}
	fieldParam struct {
		Field string `yaml:"field" flow:"field,instant|date"`
	}
	amountParam struct {
		Field string `yaml:"field" flow:"field,money"`
		Limit string `yaml:"limit" flow:"limit,amount"`
	}
	sinceParam struct {
		Since   string `yaml:"since" flow:"event"`
		Term    string `yaml:"term" flow:"limit,days|months|years|hours"`
		Counted string `yaml:"counted,optional" flow:"rule"`
	}
	columnParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column"`
	}
	columnValueParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column,optional" flow:"column"`
		Value    string `yaml:"value,optional" flow:"value"`
	}
	rowsLimitParam struct {
		Register string `yaml:"register" flow:"register"`
		Limit    string `yaml:"limit" flow:"limit,count"`
	}
	registerParam struct {
		Register string `yaml:"register" flow:"register"`
	}
	rowsSumParam struct {
		Register string `yaml:"register" flow:"register"`
		Column   string `yaml:"column" flow:"column,money|int"`
		Equals   string `yaml:"equals" flow:"field,money|int"`
	}
	childrenParam struct {
		Children string `yaml:"children" flow:"children"`
	}
	childStatesParam struct {
		Children string   `yaml:"children" flow:"children"`
		States   []string `yaml:"states" flow:"child_states"`
	}
	childFieldsParam struct {
		Children string   `yaml:"children" flow:"children"`
		Fields   []string `yaml:"fields" flow:"child_fields"`
	}
	documentParam struct {
		Type string `yaml:"type" flow:"document"`
	}
	eventParam struct {
		Event string `yaml:"event" flow:"event"`
	}
)

func genericGuards() map[string]Guard {
	return map[string]Guard{
		"fields_filled":          guard(Text{IT: "campi compilati", EN: "fields filled in"}, "", 0, fieldsFilled),
		"field_at_least":         guard(Text{IT: "data non prima del termine minimo", EN: "date not before the minimum term"}, "", 0, fieldAtLeast),
		"field_at_most":          guard(Text{IT: "data entro il termine massimo", EN: "date within the maximum term"}, "", 0, fieldAtMost),
		"field_before":           guard(Text{IT: "una data precede l'altra", EN: "one date precedes the other"}, "", 0, fieldBefore),
		"field_moves_later":      guard(Text{IT: "la data si sposta in avanti", EN: "the date moves later"}, "", 0, fieldMovesLater),
		"amount_within":          guard(Text{IT: "importo entro il limite", EN: "amount within the limit"}, "", 0, amountWithin),
		"elapsed":                guard(Text{IT: "termine trascorso", EN: "term elapsed"}, "", flow.NeedPast, elapsed),
		"not_elapsed":            guard(Text{IT: "termine non ancora trascorso", EN: "term not elapsed"}, "", flow.NeedPast, notElapsed),
		"rows_filled":            guard(Text{IT: "colonna compilata in ogni riga", EN: "column filled in every row"}, "", flow.NeedRows, rowsFilled),
		"rows_some":              guard(Text{IT: "almeno una riga", EN: "at least one row"}, "", flow.NeedRows, rowsSome),
		"rows_none":              guard(Text{IT: "nessuna riga", EN: "no row"}, "", flow.NeedRows, rowsNone),
		"rows_at_least":          guard(Text{IT: "numero minimo di righe", EN: "minimum number of rows"}, "", flow.NeedRows, rowsAtLeast),
		"rows_odd":               guard(Text{IT: "numero dispari di righe", EN: "odd number of rows"}, "", flow.NeedRows, rowsOdd),
		"rows_sum":               guard(Text{IT: "la somma delle righe torna", EN: "rows add up"}, "", flow.NeedRows, rowsSum),
		"children_exist":         guard(Text{IT: "almeno una pratica collegata", EN: "at least one child case"}, "", flow.NeedChildren, childrenExist),
		"children_ended":         guard(Text{IT: "pratiche collegate tutte concluse", EN: "all child cases ended"}, "", flow.NeedChildren, childrenEnded),
		"children_in":            guard(Text{IT: "pratiche collegate nello stato richiesto", EN: "child cases in the states asked"}, "", flow.NeedChildren, childrenIn),
		"no_child_in":            guard(Text{IT: "nessuna pratica collegata in quello stato", EN: "no child case in those states"}, "", flow.NeedChildren, noChildIn),
		"children_fields_filled": guard(Text{IT: "campi compilati nelle pratiche collegate", EN: "fields filled in child cases"}, "", flow.NeedChildren, childrenFieldsFilled),
		"document_valid":         guard(Text{IT: "documento presente", EN: "document present"}, "", flow.NeedDocuments, documentValid),
		"not_same_person":        guard(Text{IT: "persona diversa da chi ha compiuto l'altro atto", EN: "not the person of the other act"}, "", flow.NeedPast, notSamePerson),
	}
}

func fieldsFilled(f *Facts, p fieldsParam) *Refusal {
	var it, en []string
	for _, id := range p.Fields {
		if empty(f.Case.Data[id]) {
			l := f.fieldLabel(id)
			it, en = append(it, l.IT), append(en, l.EN)
		}
	}
	if len(it) == 0 {
		return nil
	}
	return refuse("fields_empty", "fields", strings.Join(it, ", "), "fields_en", strings.Join(en, ", "))
}

func empty(v any) bool { return v == nil || v == "" }

func (f *Facts) fieldLabel(id string) Text {
	if d, ok := f.Def.Field(id); ok {
		return d.Label
	}
	return Text{IT: id, EN: id}
}

// moment reads a date or instant: a date counts from the start of its day in Italy.
func moment(v any) (time.Time, bool) {
	s, _ := v.(string)
	if d, err := calendar.ParseDate(s); err == nil {
		return d.Start(), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err == nil
}

func (f *Facts) missing(id string) *Refusal {
	l := f.fieldLabel(id)
	return refuse("field_empty", "field", l.IT, "field_en", l.EN)
}

// fieldAtLeast: the day of the field is not before the last day of the term counted from the effective date.
func fieldAtLeast(f *Facts, p fieldTermParam) *Refusal {
	at, ok := moment(f.Case.Data[p.Field])
	if !ok {
		return f.missing(p.Field)
	}
	res, l, no := f.DeadlineAfter(f.Effective, p.Term, p.Counted)
	if no != nil {
		return no
	}
	if calendar.DateOf(at).Before(res.LastDay) {
		label := f.fieldLabel(p.Field)
		r := refuse("field_too_early", "field", label.IT, "field_en", label.EN, "minimum", res.LastDay.Italian(), "minimum_en", res.LastDay.English(), "term", l.Text())
		r.Law = l.Law
		return r
	}
	return nil
}

func fieldAtMost(f *Facts, p fieldTermParam) *Refusal {
	at, ok := moment(f.Case.Data[p.Field])
	if !ok {
		return f.missing(p.Field)
	}
	res, l, no := f.DeadlineAfter(f.Effective, p.Term, p.Counted)
	if no != nil {
		return no
	}
	if calendar.DateOf(at).After(res.LastDay) {
		label := f.fieldLabel(p.Field)
		r := refuse("field_too_late", "field", label.IT, "field_en", label.EN, "maximum", res.LastDay.Italian(), "maximum_en", res.LastDay.English(), "term", l.Text())
		r.Law = l.Law
		return r
	}
	return nil
}

func fieldBefore(f *Facts, p twoFieldsParam) *Refusal {
	a, okA := moment(f.Case.Data[p.Field])
	b, okB := moment(f.Case.Data[p.Other])
	if !okA {
		return f.missing(p.Field)
	}
	if !okB {
		return f.missing(p.Other)
	}
	if !a.Before(b) {
		x, y := f.fieldLabel(p.Field), f.fieldLabel(p.Other)
		return refuse("field_not_before", "field", x.IT, "field_en", x.EN, "other", y.IT, "other_en", y.EN)
	}
	return nil
}

func fieldMovesLater(f *Facts, p fieldParam) *Refusal {
	now, ok := moment(f.Case.Data[p.Field])
	if !ok {
		return f.missing(p.Field)
	}
	if before, had := moment(f.Before[p.Field]); had && !now.After(before) {
		l := f.fieldLabel(p.Field)
		return refuse("field_not_later", "field", l.IT, "field_en", l.EN)
	}
	return nil
}

func amountWithin(f *Facts, p amountParam) *Refusal {
	v, ok := f.Case.Data[p.Field].(int64)
	if !ok {
		return f.missing(p.Field)
	}
	l, no := f.Limit(p.Limit)
	if no != nil {
		return no
	}
	within, err := compareAmount(v, l)
	if err != nil {
		return refuse("limit_missing", "key", p.Limit, "day", "")
	}
	if within {
		return nil
	}
	label := f.fieldLabel(p.Field)
	r := refuse("amount_beyond", "field", label.IT, "field_en", label.EN, "limit", l.Text())
	r.Law = l.Law
	return r
}

// since finds the end of the term that began with the last time an event happened.
func (f *Facts) since(p sinceParam) (calendar.Result, *Refusal) {
	fired, ok := f.Past[p.Since]
	if !ok {
		label := Text{IT: p.Since, EN: p.Since}
		if ev, found := f.Def.Event(p.Since); found {
			label = ev.Label
		}
		return calendar.Result{}, refuse("not_happened", "event", label.IT, "event_en", label.EN)
	}
	rule := p.Counted
	if rule == "" {
		l, no := f.Limit(p.Term)
		if no != nil {
			return calendar.Result{}, no
		}
		rule = plainRule(l)
	}
	res, _, no := f.DeadlineAfter(fired.Effective, p.Term, rule)
	return res, no
}

// plainRule is how a term counts when the workflow does not say: forward, rolling to the next working day.
func plainRule(l law.Limit) string {
	switch l.Kind {
	case law.KindMonths:
		return "months_roll"
	case law.KindYears:
		return "years_roll"
	case law.KindHours:
		return "hours"
	}
	return "calendar_roll"
}

func elapsed(f *Facts, p sinceParam) *Refusal {
	res, no := f.since(p)
	if no != nil {
		return no
	}
	if f.Now.Before(res.Due) {
		return refuse("too_soon", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
	}
	return nil
}

func notElapsed(f *Facts, p sinceParam) *Refusal {
	res, no := f.since(p)
	if no != nil {
		return no
	}
	if !f.Now.Before(res.Due) {
		return refuse("too_late", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
	}
	return nil
}

func (f *Facts) registerLabel(id string) Text {
	if r, ok := f.Def.Register(id); ok {
		return r.Label
	}
	return Text{IT: id, EN: id}
}

func rowsFilled(f *Facts, p columnParam) *Refusal {
	label := f.registerLabel(p.Register)
	for _, r := range f.Rows[p.Register] {
		if empty(r.Data[p.Column]) {
			column := p.Column
			if reg, ok := f.Def.Register(p.Register); ok {
				if c, ok := reg.Column(p.Column); ok {
					column = c.Label.IT
				}
			}
			return refuse("rows_unfilled", "register", label.IT, "register_en", label.EN, "column", column)
		}
	}
	return nil
}

// matching counts the rows: all, those with the column filled in, or those with the value.
func matching(rows []store.Row, column, value string) int {
	n := 0
	for _, r := range rows {
		if column == "" || (value == "" && !empty(r.Data[column])) || (value != "" && fmt.Sprint(r.Data[column]) == value) {
			n++
		}
	}
	return n
}

func rowsSome(f *Facts, p columnValueParam) *Refusal {
	if matching(f.Rows[p.Register], p.Column, p.Value) > 0 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_missing", "register", label.IT, "register_en", label.EN)
}

func rowsNone(f *Facts, p columnValueParam) *Refusal {
	if matching(f.Rows[p.Register], p.Column, p.Value) == 0 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_present", "register", label.IT, "register_en", label.EN)
}

func rowsAtLeast(f *Facts, p rowsLimitParam) *Refusal {
	l, no := f.Limit(p.Limit)
	if no != nil {
		return no
	}
	n, err := l.Int()
	if err == nil && len(f.Rows[p.Register]) >= n {
		return nil
	}
	label := f.registerLabel(p.Register)
	r := refuse("rows_too_few", "register", label.IT, "register_en", label.EN, "minimum", strconv.Itoa(n))
	r.Law = l.Law
	return r
}

func rowsOdd(f *Facts, p registerParam) *Refusal {
	if len(f.Rows[p.Register])%2 == 1 {
		return nil
	}
	label := f.registerLabel(p.Register)
	return refuse("rows_even", "register", label.IT, "register_en", label.EN)
}

func rowsSum(f *Facts, p rowsSumParam) *Refusal {
	var sum int64
	for _, r := range f.Rows[p.Register] {
		v, _ := r.Data[p.Column].(int64)
		sum += v
	}
	if want, _ := f.Case.Data[p.Equals].(int64); sum == want {
		return nil
	}
	reg, label := f.registerLabel(p.Register), f.fieldLabel(p.Equals)
	return refuse("rows_sum", "register", reg.IT, "register_en", reg.EN, "field", label.IT, "field_en", label.EN)
}

func (f *Facts) childLabel(id string) Text {
	if c, ok := f.Def.Child(id); ok {
		return c.Label
	}
	return Text{IT: id, EN: id}
}

func childrenExist(f *Facts, p childrenParam) *Refusal {
	if len(f.childrenIn(p.Children)) > 0 {
		return nil
	}
	l := f.childLabel(p.Children)
	return refuse("children_missing", "children", l.IT, "children_en", l.EN)
}

func childrenEnded(f *Facts, p childrenParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if !c.final() {
			l := f.childLabel(p.Children)
			return refuse("children_going_on", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func childrenIn(f *Facts, p childStatesParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if !slices.Contains(p.States, c.State) {
			l := f.childLabel(p.Children)
			return refuse("children_elsewhere", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func noChildIn(f *Facts, p childStatesParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if slices.Contains(p.States, c.State) {
			l := f.childLabel(p.Children)
			return refuse("children_there", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func childrenFieldsFilled(f *Facts, p childFieldsParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		for _, id := range p.Fields {
			if empty(c.Data[id]) && !c.final() {
				l, name := f.childLabel(p.Children), Text{IT: id, EN: id}
				if d, ok := c.Def.Field(id); ok {
					name = d.Label
				}
				return refuse("children_fields_empty", "children", l.IT, "children_en", l.EN, "field", name.IT, "field_en", name.EN)
			}
		}
	}
	return nil
}

func documentValid(f *Facts, p documentParam) *Refusal {
	if _, ok := f.Documents[p.Type]; ok {
		return nil
	}
	label := Text{IT: p.Type, EN: p.Type}
	if t, ok := f.Def.Document(p.Type); ok {
		label = t.Label
	}
	return refuse("document_missing", "document", label.IT, "document_en", label.EN, "type", p.Type)
}

func notSamePerson(f *Facts, p eventParam) *Refusal {
	if fired, ok := f.Past[p.Event]; !ok || fired.Actor != f.Actor.ID {
		return nil
	}
	label := Text{IT: p.Event, EN: p.Event}
	if ev, ok := f.Def.Event(p.Event); ok {
		label = ev.Label
	}
	return refuse("same_person", "event", label.IT, "event_en", label.EN)
}
