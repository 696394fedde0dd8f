package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
)

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
	return f.within(f.Case.Data[p.Field], f.fieldLabel(p.Field), p.Term, p.Counted, false)
}

func fieldAtMost(f *Facts, p fieldTermParam) *Refusal {
	return f.within(f.Case.Data[p.Field], f.fieldLabel(p.Field), p.Term, p.Counted, true)
}

// within compares the day of a value with the last day of a term counted from the effective date: not before it, or with
// atMost not after it.
func (f *Facts) within(v any, label Text, term flow.Term, rule string, atMost bool) *Refusal {
	at, ok := moment(v)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	key, no := f.termKey(term)
	if no != nil {
		return no
	}
	res, l, no := f.DeadlineAfter(f.Effective, key, rule)
	if no != nil {
		return no
	}
	var r *Refusal
	switch day := calendar.DateOf(at); {
	case !atMost && day.Before(res.LastDay):
		r = refuse("field_too_early", "field", label.IT, "field_en", label.EN, "minimum", res.LastDay.Italian(), "minimum_en", res.LastDay.English(), "term", l.Text())
	case atMost && day.After(res.LastDay):
		r = refuse("field_too_late", "field", label.IT, "field_en", label.EN, "maximum", res.LastDay.Italian(), "maximum_en", res.LastDay.English(), "term", l.Text())
	default:
		return nil
	}
	r.Law = l.Law
	return r
}

// termKey resolves a term to its key of the law: fixed, or by a choice field of the case or of its parent.
func (f *Facts) termKey(t flow.Term) (string, *Refusal) {
	if t.Key != "" {
		return t.Key, nil
	}
	data, id, label := f.Case.Data, t.Field, f.fieldLabel(t.Field)
	if t.ParentField != "" {
		if f.Parent == nil {
			return "", refuse("parent_missing")
		}
		data, id, label = f.Parent.Data, t.ParentField, f.parentLabel(t.ParentField)
	}
	chosen, _ := data[id].(string)
	key, ok := t.ByChoice[chosen]
	if !ok { // nothing chosen: Compile has seen that every value has its line
		return "", refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	return key, nil
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
		label := f.eventLabel(p.Since)
		return calendar.Result{}, refuse("not_happened", "event", label.IT, "event_en", label.EN)
	}
	key, no := f.termKey(p.Term)
	if no != nil {
		return calendar.Result{}, no
	}
	rule := p.Counted
	if rule == "" {
		l, no := f.Limit(key)
		if no != nil {
			return calendar.Result{}, no
		}
		rule = plainRule(l)
	}
	res, _, no := f.DeadlineAfter(fired.Effective, key, rule)
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

// elapsed looks at the day on which the act has effect: one recorded late is judged by its own day.
func elapsed(f *Facts, p sinceParam) *Refusal {
	res, no := f.since(p)
	if no != nil {
		return no
	}
	if f.Effective.Before(res.Due) {
		return refuse("too_soon", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
	}
	return nil
}

func notElapsed(f *Facts, p sinceParam) *Refusal {
	res, no := f.since(p)
	if no != nil {
		return no
	}
	if !f.Effective.Before(res.Due) {
		return refuse("too_late", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
	}
	return nil
}

func happened(f *Facts, p eventParam) *Refusal {
	if _, ok := f.Past[p.Event]; ok {
		return nil
	}
	label := f.eventLabel(p.Event)
	return refuse("not_happened", "event", label.IT, "event_en", label.EN)
}

func notHappened(f *Facts, p eventParam) *Refusal {
	if _, ok := f.Past[p.Event]; !ok {
		return nil
	}
	label := f.eventLabel(p.Event)
	return refuse("happened_already", "event", label.IT, "event_en", label.EN)
}

func (f *Facts) eventLabel(id string) Text {
	if ev, ok := f.Def.Event(id); ok {
		return ev.Label
	}
	return Text{IT: id, EN: id}
}

// hasValue compares a choice with its id, a yes or no with true and false. What nobody has filled in has no value.
func (f *Facts) hasValue(p fieldValueParam) bool {
	switch v := f.Case.Data[p.Field].(type) {
	case string:
		return v == p.Value
	case bool:
		return strconv.FormatBool(v) == p.Value
	}
	return false
}

func (f *Facts) valueLabel(p fieldValueParam) Text {
	d, ok := f.Def.Field(p.Field)
	if !ok {
		return Text{IT: p.Value, EN: p.Value}
	}
	if d.Type == flow.TypeBool {
		return map[string]Text{"true": {IT: "sì", EN: "yes"}, "false": {IT: "no", EN: "no"}}[p.Value]
	}
	return choiceLabel(d.Of, p.Value)
}

func choiceLabel(of []flow.Choice, id string) Text {
	for _, c := range of {
		if c.ID == id {
			return c.Label
		}
	}
	return Text{IT: id, EN: id}
}

func fieldIs(f *Facts, p fieldValueParam) *Refusal {
	if f.hasValue(p) {
		return nil
	}
	label, value := f.fieldLabel(p.Field), f.valueLabel(p)
	return refuse("field_other", "field", label.IT, "field_en", label.EN, "value", value.IT, "value_en", value.EN)
}

func fieldNot(f *Facts, p fieldValueParam) *Refusal {
	if !f.hasValue(p) {
		return nil
	}
	label, value := f.fieldLabel(p.Field), f.valueLabel(p)
	return refuse("field_same", "field", label.IT, "field_en", label.EN, "value", value.IT, "value_en", value.EN)
}

// given reads what the event was given under an id, else the field of that id; and how people call it.
func (f *Facts) given(id string) (any, Text) {
	var in *flow.Input
	ok := false
	if f.Event != nil {
		in, ok = f.Event.Input(id)
	}
	switch {
	case ok && id == "effective":
		return f.Effective.Format(time.RFC3339Nano), in.Label // now, when nothing was typed
	case ok:
		return f.Inputs[id], in.Label
	}
	return f.Case.Data[id], f.fieldLabel(id)
}

func givenAtLeast(f *Facts, p givenTermParam) *Refusal {
	v, label := f.given(p.Given)
	return f.within(v, label, p.Term, p.Counted, false)
}

func givenAtMost(f *Facts, p givenTermParam) *Refusal {
	v, label := f.given(p.Given)
	return f.within(v, label, p.Term, p.Counted, true)
}

func onWorkingDay(f *Facts, p givenParam) *Refusal {
	v, label := f.given(p.Given)
	at, ok := moment(v)
	if !ok {
		return refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	day := calendar.DateOf(at)
	why, closed := f.Holidays.Closed(day)
	if !closed {
		return nil
	}
	return refuse("day_off", "field", label.IT, "field_en", label.EN, "day", day.Italian(), "day_en", day.English(), "why", why.IT, "why_en", why.EN)
}

// bound is a day or an instant that something is compared with.
type bound struct {
	at    time.Time
	day   bool // only the day is known
	label Text
}

// when says the bound to people.
func (b bound) when() Text {
	day := calendar.DateOf(b.at)
	if b.day {
		return Text{IT: day.Italian(), EN: day.English()}
	}
	hour := b.at.In(calendar.Rome).Format("15:04")
	return Text{IT: day.Italian() + ", ore " + hour, EN: day.English() + ", " + hour}
}

// bound reads the field, or the parent's, that a guard compares with.
func (f *Facts) bound(field, parentField string) (bound, *Refusal) {
	v, label := f.Case.Data[field], f.fieldLabel(field)
	if parentField != "" {
		if f.Parent == nil {
			return bound{}, refuse("parent_missing")
		}
		v, label = f.Parent.Data[parentField], f.parentLabel(parentField)
	}
	b, ok := boundOf(v, label)
	if !ok {
		return b, refuse("field_empty", "field", label.IT, "field_en", label.EN)
	}
	return b, nil
}

func boundOf(v any, label Text) (bound, bool) {
	at, ok := moment(v)
	s, _ := v.(string)
	_, err := calendar.ParseDate(s)
	return bound{at: at, day: err == nil, label: label}, ok
}

// compare orders two moments as exactly as both are known: by the day when of one only the day is.
func (b bound) compare(other bound) int {
	if b.day || other.day {
		return calendar.DateOf(b.at).Compare(calendar.DateOf(other.at))
	}
	return b.at.Compare(other.at)
}

// effectiveBound is when the event takes effect. One recorded later is known by its day alone: then it stands at the
// start of that day.
func (f *Facts) effectiveBound() bound {
	return bound{at: f.Effective, day: f.Effective.Equal(calendar.DateOf(f.Effective).Start())}
}

// effectiveFrom: on the day itself it may be, when the hour is not known.
func effectiveFrom(f *Facts, p boundParam) *Refusal {
	b, no := f.bound(p.Field, p.ParentField)
	if no != nil || f.effectiveBound().compare(b) >= 0 {
		return no
	}
	when := b.when()
	return refuse("effective_early", "field", b.label.IT, "field_en", b.label.EN, "when", when.IT, "when_en", when.EN)
}

// effectiveAfter: on the day itself it may not be, unless both hours are known.
func effectiveAfter(f *Facts, p boundParam) *Refusal {
	b, no := f.bound(p.Field, p.ParentField)
	if no != nil || f.effectiveBound().compare(b) > 0 {
		return no
	}
	when := b.when()
	return refuse("effective_not_after", "field", b.label.IT, "field_en", b.label.EN, "when", when.IT, "when_en", when.EN)
}
