package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSuspendedTermEndsLaterByThePause(t *testing.T) {
	for _, c := range []struct{ name, start, rule, from, to, last, it, en string }{
		{"ten days", "2026-11-23", "calendar_roll", "2026-12-01", "2026-12-11", "2027-01-02", "si sposta di 10 giorni", "moves by 10 days"},
		{"ends on Sunday and stays", "2026-11-23", "calendar_roll", "2026-12-01", "2026-12-12", "2027-01-03", "(domenica), ma dopo una sospensione", "(Sunday), but after a suspension"},
		{"a day", "2026-11-23", "eu_1182", "2026-12-22", "2026-12-23", "2026-12-24", "si sposta di 1 giorno.", "moves by 1 day."},
		{"on the last day itself", "2026-11-23", "calendar_roll", "2026-12-23", "2026-12-28", "2026-12-28", "si sposta di 5 giorni", "moves by 5 days"},
	} {
		first := count(t, day(t, c.start).Start(), 30, Days, c.rule, Italy())
		got, err := first.Suspended(day(t, c.from).Start(), day(t, c.to).Start(), c.rule, Italy())
		if err != nil || got.LastDay != day(t, c.last) || !got.Due.Equal(day(t, c.last).AddDays(1).Start()) {
			t.Errorf("%s: %v %v, want %s", c.name, got.LastDay, err, c.last)
		}
		if !strings.HasPrefix(got.Explanation.IT, first.Explanation.IT) || !strings.Contains(got.Explanation.IT, c.it) || !strings.Contains(got.Explanation.EN, c.en) {
			t.Errorf("%s: explained as %q, %q", c.name, got.Explanation.IT, got.Explanation.EN)
		}
		if d, _ := Italy().Closed(got.FirstDay); d.IT != "" || !got.FirstDay.After(got.LastDay) {
			t.Errorf("%s: first working day %v", c.name, got.FirstDay)
		}
	}
}

func TestWhatCannotBeSuspended(t *testing.T) {
	at := func(s string) time.Time { return day(t, s).Start() }
	r := count(t, at("2026-11-23"), 30, Days, "calendar_roll", Italy())
	for name, c := range map[string]struct {
		from, to, rule string
		want           error
	}{
		"backward":         {"2026-12-01", "2026-12-02", "backward", ErrBackward},
		"no such rule":     {"2026-12-01", "2026-12-02", "calendar_rol", ErrRule},
		"the wrong way":    {"2026-12-02", "2026-12-01", "calendar_roll", ErrPause},
		"when it was over": {"2026-12-24", "2026-12-28", "calendar_roll", ErrPause},
	} {
		if got, err := r.Suspended(at(c.from), at(c.to), c.rule, Italy()); !errors.Is(err, c.want) || got != (Result{}) {
			t.Errorf("suspended %s: %v, want %v", name, err, c.want)
		}
	}
}
