package calendar

import (
	"testing"
	"time"
)

// clock reads an instant as clocks in Rome show it.
func clock(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, Rome)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSuspendExtendsByWholeDays(t *testing.T) {
	for _, c := range []struct{ name, due, from, to, want string }{
		{"three hours are a day", "2026-12-23 12:00", "2026-12-22 09:00", "2026-12-22 12:00", "2026-12-24 12:00"},
		{"exactly one day", "2026-12-23 12:00", "2026-12-20 09:00", "2026-12-21 09:00", "2026-12-24 12:00"},
		{"a minute more", "2026-12-23 12:00", "2026-12-20 09:00", "2026-12-21 09:01", "2026-12-25 12:00"},
		{"a day of 25 hours is one day", "2026-11-10 12:00", "2026-10-25 00:00", "2026-10-26 00:00", "2026-11-11 12:00"},
		{"a day of 23 hours is one day", "2027-04-10 12:00", "2027-03-28 00:00", "2027-03-29 00:00", "2027-04-11 12:00"},
		{"the hour of the deadline survives the change", "2026-10-24 12:00", "2026-10-20 00:00", "2026-10-22 00:00", "2026-10-26 12:00"},
		{"half a year", "2026-03-02 00:00", "2026-01-01 00:00", "2026-07-01 00:00", "2026-08-30 00:00"},
		{"a term in days counts dates", "2027-04-24 00:00", "2026-04-01 08:00", "2026-05-11 09:00", "2027-06-03 00:00"},
		{"a term in days and a pause of hours", "2027-04-24 00:00", "2026-04-01 08:00", "2026-04-01 17:00", "2027-04-24 00:00"},
		{"no pause", "2026-12-23 12:00", "2026-12-20 09:00", "2026-12-20 09:00", "2026-12-23 12:00"},
		{"a pause the wrong way round", "2026-12-23 12:00", "2026-12-20 09:00", "2026-12-01 09:00", "2026-12-23 12:00"},
	} {
		got := Suspend(clock(t, c.due), clock(t, c.from), clock(t, c.to))
		if !got.Equal(clock(t, c.want)) || got.Location() != time.UTC {
			t.Errorf("%s: %v, want %s", c.name, got.In(Rome), c.want)
		}
	}
}

func TestShiftKeepsTheHourInRome(t *testing.T) {
	for days, want := range map[int]string{0: "2026-10-24 00:00", 1: "2026-10-25 00:00", 2: "2026-10-26 00:00", -30: "2026-09-24 00:00"} {
		if got := Shift(clock(t, "2026-10-24 00:00"), days); !got.Equal(clock(t, want)) {
			t.Errorf("%d days on: %v, want %s", days, got.In(Rome), want)
		}
	}
}
