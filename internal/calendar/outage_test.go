package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestOutageGivesBackWhatWasLost(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, Rome)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for _, c := range []struct{ name, due, from, to, want string }{
		{"three hours make a day", "2026-03-10 12:00", "2026-03-05 09:00", "2026-03-05 12:00", "2026-03-11 12:00"},
		{"at midnight too", "2026-03-11 00:00", "2026-03-05 09:00", "2026-03-05 12:00", "2026-03-12 00:00"},
		{"a day and a minute make two", "2026-03-10 12:00", "2026-03-04 09:00", "2026-03-05 09:01", "2026-03-12 12:00"},
		{"not on a Saturday", "2026-03-13 12:00", "2026-03-05 09:00", "2026-03-05 12:00", "2026-03-16 12:00"},
		{"nor at Easter", "2026-04-03 12:00", "2026-03-30 09:00", "2026-03-30 10:00", "2026-04-07 12:00"},
		{"over the short night the hour stays", "2026-03-27 02:30", "2026-03-25 09:00", "2026-03-25 10:00", "2026-03-30 02:30"},
		{"over the long night the hour stays", "2026-10-23 02:30", "2026-10-21 09:00", "2026-10-21 10:00", "2026-10-26 02:30"},
		{"a day of 23 hours is one day", "2026-04-01 12:00", "2026-03-28 12:00", "2026-03-29 12:00", "2026-04-02 12:00"},
	} {
		r := Result{Due: at(c.due), LastDay: DateOf(at(c.due).Add(-1))}
		got, err := r.Outage(at(c.from), at(c.to), "calendar", Italy())
		if err != nil || !got.Due.Equal(at(c.want)) || got.LastDay != DateOf(at(c.want).Add(-1)) {
			t.Errorf("%s: over %s, last day %s, want %s (%v)", c.name, got.Due.In(Rome), got.LastDay, c.want, err)
		}
		if !strings.Contains(got.Explanation.IT, "tempo perso") || got.Explanation.EN == "" {
			t.Errorf("%s: %q", c.name, got.Explanation.IT)
		}
	}
	r := Result{Due: at("2026-03-10 12:00"), LastDay: Date{2026, 3, 10}}
	for _, c := range []struct {
		from, to, rule string
		want           error
	}{
		{"2026-03-05 09:00", "2026-03-05 09:00", "calendar", ErrPause},
		{"2026-03-10 12:00", "2026-03-10 15:00", "calendar", ErrPause},
		{"2026-03-05 09:00", "2026-03-05 12:00", "backward", ErrBackward},
		{"2026-03-05 09:00", "2026-03-05 12:00", "no such", ErrRule},
	} {
		if _, err := r.Outage(at(c.from), at(c.to), c.rule, Italy()); !errors.Is(err, c.want) {
			t.Errorf("%s to %s by %s: %v", c.from, c.to, c.rule, err)
		}
	}
}
