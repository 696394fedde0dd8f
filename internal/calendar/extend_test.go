package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// end is the first instant after a day, as Count gives it.
func end(t *testing.T, day string) time.Time {
	t.Helper()
	d, err := ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	return d.AddDays(1).Start()
}

func TestExtend(t *testing.T) {
	padova := Italy(MonthDay{time.June, 13})
	for _, c := range []struct {
		last string
		n    int
		unit Unit
		rule string
		want string
	}{
		{"2026-03-10", 5, Days, "calendar_roll", "2026-03-16"},          // 15 March is a Sunday
		{"2026-03-10", 4, Days, "calendar_roll", "2026-03-14"},          // a Saturday is no holiday …
		{"2026-03-10", 4, Days, "calendar_roll_saturday", "2026-03-16"}, // … but no last day here
		{"2026-03-10", 5, Days, "calendar", "2026-03-15"},
		{"2026-03-10", 5, Days, "", "2026-03-15"},
		{"2026-01-31", 1, Months, "months", "2026-02-28"},
		{"2026-04-01", 1, Months, "months_roll", "2026-05-02"},  // over 1 May
		{"2025-06-13", 12, Months, "months_roll", "2026-06-15"}, // the patron, a Saturday, then a Sunday
		{"2024-02-29", 1, Years, "years_roll", "2025-02-28"},
		{"2026-03-13", 2, Days, "working_days", "2026-03-17"},
		{"2026-07-31", 1, Days, "court", "2026-09-01"},
		{"2026-03-10", 3, Days, "free_days", "2026-03-13"}, // the free day at the end is counted once
		{"2026-03-10", 0, Days, "calendar", "2026-03-10"},
	} {
		got, err := Extend(end(t, c.last), c.n, c.unit, c.rule, padova)
		if err != nil || got.LastDay.String() != c.want || !got.Due.Equal(end(t, c.want)) {
			t.Errorf("%s and %d %s by %s: %v %v %v, want %s", c.last, c.n, c.unit, c.rule, got.LastDay, got.Due, err, c.want)
		}
	}
}

// Calendar days whatever the rule counts; the rule only moves the last one.
func TestExtendDays(t *testing.T) {
	for rule, want := range map[string]string{"months": "2026-05-01", "months_roll": "2026-05-02", "working_days": "2026-05-04", "eu_1182": "2026-05-04", "hours": "2026-05-01", "": "2026-05-01"} {
		got, err := ExtendDays(end(t, "2026-04-21"), 10, rule, Italy())
		if err != nil || got.LastDay.String() != want || !got.Due.Equal(end(t, want)) {
			t.Errorf("%s: %v %v, want %s", rule, got.LastDay, err, want)
		}
	}
}

func TestExtendKeepsTheHour(t *testing.T) {
	noon := time.Date(2026, 3, 27, 11, 0, 0, 0, time.UTC) // 12:00 in Rome, in winter
	if got, err := ExtendDays(noon, 5, "", Italy()); err != nil || !got.Due.Equal(time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC)) || got.LastDay.String() != "2026-04-01" {
		t.Errorf("%+v %v", got, err)
	}
	hours, err := Extend(noon, 48, Hours, "hours", Italy())
	if err != nil || !hours.Due.Equal(noon.Add(48*time.Hour)) || hours.LastDay.String() != "2026-03-29" || !strings.Contains(hours.Explanation.IT, "Proroga di 48 ore") {
		t.Errorf("%+v %v", hours, err)
	}
}

func TestExtendExplains(t *testing.T) {
	got, err := Extend(end(t, "2026-04-01"), 1, Months, "months_roll", Italy())
	if err != nil {
		t.Fatal(err)
	}
	it := "Proroga di 1 mese dall'ultimo giorno (mercoledì 1° aprile 2026): si arriva a venerdì 1° maggio 2026, che non può essere l'ultimo giorno (Festa del Lavoro): il termine è prorogato a sabato 2 maggio 2026. Ultimo giorno: sabato 2 maggio 2026."
	if got.Explanation.IT != it || !strings.HasPrefix(got.Explanation.EN, "Extended by 1 month from the last day (") {
		t.Errorf("%+v", got.Explanation)
	}
}

func TestExtendRefuses(t *testing.T) {
	due := end(t, "2026-04-01")
	for _, c := range []struct {
		due  time.Time
		n    int
		unit Unit
		rule string
		want error
	}{
		{due, 1, Days, "backward", ErrRule}, {due, 1, Days, "nothing", ErrRule}, {due, 1, Days, "months", ErrUnit}, {due, 1, Months, "calendar_roll", ErrUnit},
		{due, -1, Days, "calendar", ErrLength}, {due, 36526, Days, "calendar", ErrLength}, {time.Time{}, 1, Days, "calendar", ErrStart},
	} {
		if _, err := Extend(c.due, c.n, c.unit, c.rule, Italy()); !errors.Is(err, c.want) {
			t.Errorf("%d %s by %s: %v, want %v", c.n, c.unit, c.rule, err, c.want)
		}
	}
	if _, err := ExtendDays(due, 1, "backward", Italy()); !errors.Is(err, ErrRule) {
		t.Errorf("backward: %v", err)
	}
}
