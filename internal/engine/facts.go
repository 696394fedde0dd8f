package engine

import (
	"errors"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// Facts is what guards and effects may look at: a snapshot read after the lock, with the inputs of the event already in
// place. Pure data: a guard neither reads the clock nor asks anybody.
type Facts struct {
	Now, Effective time.Time
	Actor          auth.Actor
	Def            *flow.Definition
	Event          *flow.Event
	Inputs         store.Values
	Case           *store.Case  // as it would be: field inputs applied
	Before         store.Values // its data as it is
	Parent, Root   *store.Case
	Children       []Child
	Above          []Child                // the other children of the parent and of the root, when the event needs them
	Rows           map[string][]store.Row // by register, row inputs applied
	Documents      map[string]store.Document
	Agreement      *store.Agreement // nil: none, or not needed by the event
	Past           map[string]store.Fired
	Holidays       calendar.Holidays
	SUA            store.Body // of the case

	above    []Child // the parent and the root, with their definitions
	limits   law.Limits
	enforced func(key string) bool
	grounds  func(flow.Call) []ground // the secret things that a guard looks at
	used     map[string]law.Limit
	softened bool // the guard being checked used a limit that may only warn
}

// Child is a case below, as guards see it.
type Child struct {
	*store.Case
	Def *flow.Definition
}

// Limit returns a number of the law at the rules date and notes that the event rests on it. A key without a row for that
// day is a refusal that names both: never zero.
func (f *Facts) Limit(key string) (law.Limit, *Refusal) {
	l, err := f.limits.Get(key)
	if err != nil {
		var none law.ErrNoLimit
		if errors.As(err, &none) {
			return l, refuse("limit_missing", "key", none.Key, "day", none.Day)
		}
		return l, refuse("limit_missing", "key", key, "day", "")
	}
	f.used[key] = l
	if !l.Mark.Blocks() && !f.enforced(key) {
		f.softened = true
	}
	return l, nil
}

// DeadlineAfter counts a term from a day under a rule with the holidays of the SUA's seat.
func (f *Facts) DeadlineAfter(from time.Time, key, rule string) (calendar.Result, law.Limit, *Refusal) {
	l, no := f.Limit(key)
	if no != nil {
		return calendar.Result{}, l, no
	}
	res, err := countLimit(from, l, rule, f.Holidays)
	if err != nil {
		return calendar.Result{}, l, refuse("term_uncountable", "key", key)
	}
	return res, l, nil
}

// countLimit counts a limit in its own unit.
func countLimit(from time.Time, l law.Limit, rule string, h calendar.Holidays) (calendar.Result, error) {
	n, err := l.Int()
	if err != nil {
		return calendar.Result{}, err
	}
	return calendar.Count(from, n, unitOf(l), rule, h)
}

// unitOf is the unit in which a limit is counted; none for one that is no length of time.
func unitOf(l law.Limit) calendar.Unit {
	return map[law.Kind]calendar.Unit{
		law.KindDays: calendar.Days, law.KindMonths: calendar.Months, law.KindYears: calendar.Years, law.KindHours: calendar.Hours,
	}[l.Kind]
}

// check evaluates guards and returns the refusals. soft makes every one a warning (`warns:`); so does a limit whose
// evidence may not block.
func (f *Facts) check(calls []flow.Call, soft bool) []Refusal {
	var out []Refusal
	for _, c := range calls {
		f.softened = false
		if r := guards[c.Name].Check(f, c.Params); r != nil {
			r.Soft = soft || f.softened
			if r.Law == "" {
				r.Law = guards[c.Name].Law
			}
			if f.grounds != nil {
				r.rests = f.grounds(c)
			}
			out = append(out, *r)
		}
	}
	return out
}

// limitsUsed lists the numbers the event rested on, for its header.
func (f *Facts) limitsUsed() []audit.LimitUsed {
	keys := sortedKeys(f.used)
	out := make([]audit.LimitUsed, 0, len(keys))
	for _, k := range keys {
		l := f.used[k]
		out = append(out, audit.LimitUsed{Key: k, Value: l.Text(), Law: l.Law, Mark: string(l.Mark)})
	}
	return out
}

// final reports whether a child has ended.
func (c Child) final() bool { return c.Outcome != "" }

// childrenIn returns the children under one declaration.
func (f *Facts) childrenIn(id string) []Child {
	var out []Child
	for _, c := range f.Children {
		if c.Child == id {
			out = append(out, c)
		}
	}
	return out
}
