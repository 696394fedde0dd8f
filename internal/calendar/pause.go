package calendar

import (
	"errors"
	"fmt"
	"time"
)

// ErrBackward says that a term counted backward cannot be suspended: its end is the date that it precedes.
var ErrBackward = errors.New("a term counted backward is not suspended")

// ErrPause says that a suspension does not lie within the term: it ends before it begins, or begins when the term is over.
var ErrPause = errors.New("the suspension does not lie within the term")

// Suspended is the term after it stood still from..to: its end moves by the days of the pause, as Suspend counts them, and
// stays where that leads, also on a holiday, for no law found rolls it. rule is that of the term. The errors are ErrRule, ErrBackward
// and ErrPause.
func (r Result) Suspended(from, to time.Time, rule string, h Holidays) (Result, error) {
	by, err := forwardRule(rule)
	if err != nil {
		return Result{}, fmt.Errorf("suspend: %w", err)
	}
	if !to.After(from) || !from.Before(r.Due) {
		return Result{}, fmt.Errorf("suspend from %s to %s: %w", from.Format(time.RFC3339), to.Format(time.RFC3339), ErrPause)
	}
	before, due := r.LastDay, Suspend(r.Due, from, to)
	out := r.ending(due, by, h)
	days, f, t, l := quantity(out.LastDay.Sub(before), Days), instant(from), instant(to), out.LastDay.text()
	out.Explanation = r.Explanation.and(Text{
		fmt.Sprintf("Sospeso da %s a %s: la fine si sposta di %s. Nuovo ultimo giorno: %s.", f.IT, t.IT, days.IT, l.IT),
		fmt.Sprintf("Suspended from %s to %s: the end moves by %s. New last day: %s.", f.EN, t.EN, days.EN, l.EN),
	})
	if why, closed := by.days(h).Closed(out.LastDay); closed {
		out.Explanation = out.Explanation.and(Text{
			fmt.Sprintf("È un giorno non lavorativo (%s), ma dopo una sospensione il termine non slitta da sé.", why.IT),
			fmt.Sprintf("It is not a working day (%s), but after a suspension the term does not move by itself.", why.EN),
		})
	}
	return out, nil
}

// forwardRule finds a rule that counts towards the future.
func forwardRule(name string) (Rule, error) {
	r, ok := Lookup(name)
	switch {
	case !ok:
		return r, fmt.Errorf("by %q: %w", name, ErrRule)
	case r.back:
		return r, fmt.Errorf("by %s: %w", name, ErrBackward)
	}
	return r, nil
}

// days are the holidays that the rule looks at.
func (r Rule) days(h Holidays) Holidays {
	if r.national {
		return h.National()
	}
	return h
}

// ending is the same term over at another instant.
func (r Result) ending(due time.Time, by Rule, h Holidays) Result {
	r.Due, r.LastDay = due, DateOf(due.Add(-1))
	r.FirstDay = by.days(h).NextWorkingDay(DateOf(due))
	return r
}
