package calendar

import (
	"fmt"
	"time"
)

// Extend moves the end of a running term later: n units are counted on from its last day as the named rule counts them, and
// a last day that cannot be one is moved as the rule moves it. The hour at which the term is over stays what clocks in Rome
// show. An empty rule counts calendar days. The errors are those of Count; a rule that counts backward is ErrRule.
func Extend(due time.Time, n int, unit Unit, rule string, h Holidays) (Result, error) {
	return extend(due, n, unit, rule, h, false)
}

// ExtendDays does the same with calendar days whatever the rule counts; the rule only moves the last day.
func ExtendDays(due time.Time, days int, rule string, h Holidays) (Result, error) {
	return extend(due, days, Days, rule, h, true)
}

func extend(due time.Time, n int, unit Unit, rule string, h Holidays, plain bool) (Result, error) {
	if rule == "" {
		rule = "calendar"
	}
	r, ok := Lookup(rule)
	if !ok || r.back {
		return Result{}, fmt.Errorf("extend by %q: %w", rule, ErrRule)
	}
	if !plain && !r.Counts(unit) {
		return Result{}, fmt.Errorf("extend %d %q by %s: %w", n, unit, rule, ErrUnit)
	}
	if n < 0 || n > longest[unit] {
		return Result{}, fmt.Errorf("extend %d %s by %s: %w", n, unit, rule, ErrLength)
	}
	last := DateOf(due.Add(-time.Microsecond))
	if last.Year < firstYear || last.Year > lastYear {
		return Result{}, fmt.Errorf("extend %s: %w", due.Format(time.RFC3339), ErrStart)
	}
	length := quantity(n, unit)
	if unit == Hours {
		over := due.UTC().Add(time.Duration(n) * time.Hour)
		to := instant(over)
		return Result{Due: over, LastDay: DateOf(over.Add(-1)), FirstDay: h.NextWorkingDay(DateOf(over)), Explanation: Text{
			fmt.Sprintf("Proroga di %s: il termine è compiuto %s.", length.IT, to.IT),
			fmt.Sprintf("Extended by %s: the term is over %s.", length.EN, to.EN),
		}}, nil
	}
	if r.national {
		h = h.National()
	}
	reach := r.reach
	if plain || reach == nil || r.Name == "free_days" { // the free day at the end is there already
		reach = forward
	}
	reached := reach(last, n, unit, h)
	end, reasons := r.move(reached, h)
	c := counted{rule: r, start: last, n: n, unit: unit, reached: reached, reasons: reasons, last: end}
	from, to, moved, day := last.text(), reached.text(), c.moved(), end.text()
	return Result{Due: Shift(due, end.Sub(last)), LastDay: end, FirstDay: h.NextWorkingDay(end.AddDays(1)), Explanation: Text{
		fmt.Sprintf("Proroga di %s dall'ultimo giorno (%s): si arriva a %s%s. Ultimo giorno: %s.", length.IT, from.IT, to.IT, moved.IT, day.IT),
		fmt.Sprintf("Extended by %s from the last day (%s): this leads to %s%s. Last day: %s.", length.EN, from.EN, to.EN, moved.EN, day.EN),
	}}, nil
}
