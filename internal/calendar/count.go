package calendar

import (
	"errors"
	"fmt"
	"time"
)

// What Count refuses. All are faults of the caller or of a workflow, not of a person: the texts are for operators.
var (
	ErrRule   = errors.New("unknown counting rule")
	ErrUnit   = errors.New("the rule does not count this unit")
	ErrLength = errors.New("the length of the term is out of range")
	ErrStart  = errors.New("the start of the term is out of range")
)

// The span in which terms are believed. Since 1980 no clock in Rome changes at midnight, so every day begins at 00:00;
// a start outside it is a zero value or a slip, not a tender.
const firstYear, lastYear = 1980, 2200

// longest bounds each unit to a century: no law asks for more, and dates cannot overflow.
var longest = map[Unit]int{Days: 36525, WorkingDays: 36525, Months: 1200, Years: 100, Hours: 24 * 36525}

// Result is a counted term.
type Result struct {
	Due         time.Time // UTC: the first instant at which the term is over; 00:00 in Rome except for hours
	LastDay     Date      // last useful day; counted backward, the last day by which the thing must be done
	FirstDay    Date      // first working day after the term: for a standstill, the first day fit for signing
	Explanation Text      // how the count went, in full sentences
}

// Count counts n units from start under the named rule. For a rule that counts backward, start is the event that the term
// precedes. The errors are ErrRule, ErrUnit, ErrLength (n negative or above a century) and ErrStart (outside 1980-2200).
func Count(start time.Time, n int, unit Unit, rule string, h Holidays) (Result, error) {
	r, ok := Lookup(rule)
	if !ok {
		return Result{}, fmt.Errorf("count by %q: %w", rule, ErrRule)
	}
	if !r.Counts(unit) {
		return Result{}, fmt.Errorf("count %d %q by %s: %w", n, unit, rule, ErrUnit)
	}
	if n < 0 || n > longest[unit] {
		return Result{}, fmt.Errorf("count %d %s by %s: %w", n, unit, rule, ErrLength)
	}
	if y := DateOf(start).Year; y < firstYear || y > lastYear {
		return Result{}, fmt.Errorf("count from %s: %w", start.Format(time.RFC3339), ErrStart)
	}
	if unit == Hours {
		return countHours(start, n, h), nil
	}
	return r.count(DateOf(start), n, unit, h), nil
}

// count runs the three steps that all day rules share: reach a day, move it if it cannot be the last, explain.
func (r Rule) count(start Date, n int, unit Unit, h Holidays) Result {
	h = r.days(h)
	reached := r.reach(start, n, unit, h)
	last, reasons := r.move(reached, h)
	after := last.AddDays(1)
	c := counted{rule: r, start: start, n: n, unit: unit, reached: reached, reasons: reasons, last: last, first: h.NextWorkingDay(after)}
	return Result{Due: after.Start(), LastDay: last, FirstDay: c.first, Explanation: c.explain()}
}

// move shifts a day that cannot be the last one, in the direction of the rule, and says which obstacles it passed.
func (r Rule) move(d Date, h Holidays) (Date, []Text) {
	step := 1
	if r.back {
		step = -1
	}
	var reasons []Text
	for r.rest != nil {
		why, rests := r.rest(d, h)
		if !rests {
			break
		}
		reasons = append(reasons, why)
		d = d.AddDays(step)
	}
	return d, reasons
}

// countHours adds real hours, so that a night in which the clock changes is neither longer nor shorter. The count runs from
// the instant of the event [P]; read to the letter, Reg. 1182/71 art. 3 par. 1 leaves out the whole clock hour of the event,
// which would end the term up to an hour later.
func countHours(start time.Time, n int, h Holidays) Result {
	due := start.UTC().Add(time.Duration(n) * time.Hour)
	return Result{
		Due:         due,
		LastDay:     DateOf(due.Add(-1)),
		FirstDay:    h.NextWorkingDay(DateOf(due)),
		Explanation: explainHours(start, due, n),
	}
}

// Shift moves a term by whole days and keeps the hour that clocks in Rome show, also across a change of hour.
func Shift(due time.Time, days int) time.Time { return due.In(Rome).AddDate(0, 0, days).UTC() }

// Suspend extends a term by the time it stood still, from..to. A term in days, over at a midnight of Rome, stands still from
// date to date, whatever the hours: suspended on 1 April and resumed on 11 May, forty days. One with an hour of its own gets the
// pause rounded up to whole days (art. 92 c. 2 c: proportional extension). A pause that does not end after it began extends nothing. The result may fall on a Saturday or holiday:
// whoever sets it as a new deadline checks Holidays.Closed.
func Suspend(due, from, to time.Time) time.Time {
	if due.Equal(DateOf(due).Start()) {
		return Shift(due, max(0, DateOf(to).Sub(DateOf(from))))
	}
	return Shift(due, wholeDays(from, to))
}
