package calendar

import (
	"fmt"
	"time"
)

// Outage is the term after the platform was down from..to: its end moves by the time lost, rounded up to whole days, at least one, and the
// hour that clocks in Rome show stays (art. 25 c. 2: an extension in proportion). A day that is not worked cannot be the last one of a term that is
// set anew, so the end moves on to the next that is [P]. The errors are ErrPause, for an outage that lies outside the term or ends
// before it begins, ErrRule and ErrBackward.
func (r Result) Outage(from, to time.Time, rule string, h Holidays) (Result, error) {
	by, err := forwardRule(rule)
	if err != nil {
		return Result{}, fmt.Errorf("outage: %w", err)
	}
	if !to.After(from) || !from.Before(r.Due) {
		return Result{}, fmt.Errorf("outage from %s to %s: %w", from.Format(time.RFC3339), to.Format(time.RFC3339), ErrPause)
	}
	lost := wholeDays(from, to)
	out := r.ending(Shift(r.Due, lost), by, h)
	f, t, length := instant(from), instant(to), quantity(lost, Days)
	out.Explanation = r.Explanation.and(Text{
		fmt.Sprintf("Piattaforma ferma da %s a %s: il tempo perso, arrotondato per eccesso, è di %s.", f.IT, t.IT, length.IT),
		fmt.Sprintf("Platform down from %s to %s: the time lost, rounded up, is %s.", f.EN, t.EN, length.EN),
	})
	moved := 0
	for why, closed := by.days(h).Closed(out.LastDay); closed; why, closed = by.days(h).Closed(out.LastDay) {
		day := out.LastDay.text()
		out.Explanation = out.Explanation.and(Text{
			fmt.Sprintf("Non può finire %s (%s).", day.IT, why.IT), fmt.Sprintf("It cannot end on %s (%s).", day.EN, why.EN),
		})
		moved++
		out = out.ending(Shift(r.Due, lost+moved), by, h)
	}
	l := out.LastDay.text()
	out.Explanation = out.Explanation.and(Text{fmt.Sprintf("Nuovo ultimo giorno: %s.", l.IT), fmt.Sprintf("New last day: %s.", l.EN)})
	return out, nil
}

// wholeDays is the time from..to in days as clocks in Rome count them, rounded up.
func wholeDays(from, to time.Time) int {
	const day = 24 * 60 * 60
	days := max(0, int((to.Unix()-from.Unix())/day)-1) // one less, then up: a day with a change of hour is not of 24 hours
	for Shift(from, days).Before(to) {
		days++
	}
	return days
}
