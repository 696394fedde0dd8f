package calendar

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// worked are the dates of the domain dossier and one for each kind of timer in its catalogue, checked on a wall calendar.
// first is given where the day fit for acting is the point.
var worked = []struct {
	name  string
	start string
	n     int
	unit  Unit
	rule  string
	last  string
	first string
}{
	{"notice + 30", "2026-11-23", 30, Days, "calendar_roll", "2026-12-23", "2026-12-24"},
	{"notice + 30, EU", "2026-11-23", 30, Days, "eu_1182", "2026-12-23", "2026-12-24"},
	{"remedy ends on Sunday", "2026-11-26", 10, Days, "calendar_roll_saturday", "2026-12-07", "2026-12-09"},
	{"15 days end on Immacolata", "2026-11-23", 15, Days, "calendar_roll", "2026-12-09", ""},
	{"standstill over Epiphany", "2026-12-04", 32, Days, "standstill", "2027-01-05", "2027-01-07"},
	{"appeal ends on Sunday", "2026-12-04", 30, Days, "court", "2027-01-04", ""},
	{"remedy ends on Saturday", "2026-11-25", 10, Days, "calendar_roll_saturday", "2026-12-07", ""},
	{"Saturday binds the body", "2026-11-25", 10, Days, "calendar_roll", "2026-12-05", "2026-12-07"},
	{"start on a holiday is not moved", "2026-11-22", 10, Days, "calendar_roll", "2026-12-02", ""},
	{"4 October 2026 is a Sunday", "2026-09-24", 10, Days, "calendar_roll", "2026-10-05", ""},
	{"4 October 2028 is a Wednesday", "2028-09-04", 30, Days, "calendar_roll", "2028-10-05", ""},
	{"Easter Monday 2026, standstill", "2026-03-05", 32, Days, "standstill", "2026-04-06", "2026-04-07"},
	{"Easter Monday 2027", "2027-03-19", 10, Days, "calendar_roll", "2027-03-30", ""},
	{"Easter Monday 2028", "2028-04-07", 10, Days, "calendar_roll", "2028-04-18", ""},
	{"EU: Thursday before Easter + 2", "2027-03-25", 2, Days, "eu_1182", "2027-03-30", ""}, // works on Friday 26 and Tuesday 30
	{"court: precautionary, August runs", "2026-08-03", 15, Days, "calendar_roll_saturday", "2026-08-18", ""},
	{"month from 31 January", "2027-01-31", 1, Months, "months_roll", "2027-03-01", ""}, // 28 February is a Sunday
	{"month from 31 January of a leap year", "2028-01-31", 1, Months, "months_roll", "2028-02-29", ""},
	{"4 October 2027", "2027-09-24", 10, Days, "calendar_roll", "2027-10-05", ""},
	{"4 October 2023", "2023-09-24", 10, Days, "calendar_roll", "2023-10-04", ""},

	{"T-REQ-10", "2026-11-27", 10, Days, "calendar_roll", "2026-12-07", ""},
	{"T-SUB-30 ends on Sunday", "2026-12-04", 30, Days, "calendar_roll", "2027-01-04", ""},
	{"T-SIGN-60 ends on New Year", "2026-11-02", 60, Days, "calendar_roll", "2027-01-02", "2027-01-04"},
	{"T-DURC-120", "2026-08-28", 120, Days, "calendar", "2026-12-26", "2026-12-28"},
	{"T-ANTIMAFIA 12 months, never moved", "2026-06-13", 12, Months, "calendar", "2027-06-13", "2027-06-14"},
	{"six months from the 31st clip", "2026-08-31", 6, Months, "calendar", "2027-02-28", "2027-03-01"},
	{"SOA 5 years", "2026-11-22", 5, Years, "calendar", "2031-11-22", "2031-11-24"},
	{"T-OPEN-15U ends on Santo Stefano", "2026-12-11", 15, Days, "eu_1182", "2026-12-28", ""},
	{"T-STAND-32 runs in August", "2026-07-20", 32, Days, "standstill", "2026-08-21", "2026-08-24"},
	{"T-MAXPROC 9 months", "2026-11-23", 9, Months, "months_roll", "2027-08-23", ""},
	{"T-MAXPROC 5 months end on Christmas", "2026-07-25", 5, Months, "months_roll", "2026-12-28", ""},
	{"T-WORKS-3M without roll", "2026-09-25", 3, Months, "months", "2026-12-25", "2026-12-28"},
	{"T-CRE-3M clips", "2026-11-30", 3, Months, "months", "2027-02-28", ""},
	{"T-TESTFIN-2Y from 29 February", "2028-02-29", 2, Years, "years_roll", "2030-02-28", ""},
	{"T-TESTFIN-2Y ends on Sunday", "2024-11-22", 2, Years, "years_roll", "2026-11-23", ""},
	{"T-APPEAL-30 in August", "2026-08-10", 30, Days, "court", "2026-09-30", ""},
	{"T-APPEAL-30 from 31 July", "2026-07-31", 30, Days, "court", "2026-09-30", ""},
	{"T-APPEAL-30 from 31 August", "2026-08-31", 30, Days, "court", "2026-09-30", ""},
	{"T-APPEAL-30 across August, Saturday", "2026-07-20", 30, Days, "court", "2026-09-21", ""},
	{"T-APPEAL-30 ends on Saturday 31 July", "2027-07-01", 30, Days, "court", "2027-09-01", ""},
	{"T-APPEAL-6M across August", "2026-04-10", 6, Months, "court", "2026-11-10", ""},
	{"T-APPEAL-6M ends in August", "2026-02-20", 6, Months, "court", "2026-09-21", ""},
	{"T-APPEAL-6M from August", "2026-08-10", 6, Months, "court", "2027-03-01", ""}, // 28 February 2027 is a Sunday
	{"T-CLAR 6 days before", "2026-12-23", 6, Days, "backward", "2026-12-17", ""},
	{"T-CLAR before Immacolata", "2026-12-14", 6, Days, "backward", "2026-12-07", ""},
	{"T-CLAR before Sunday", "2026-12-19", 6, Days, "backward", "2026-12-11", ""},
	{"T-SUB-20", "2027-01-25", 20, Days, "backward", "2027-01-05", ""},
	{"prior notice 12 months before", "2027-11-23", 12, Months, "backward", "2026-11-23", ""},
	{"verbale in 5 working days", "2026-12-04", 5, WorkingDays, "working_days", "2026-12-14", ""},
	{"the same written in days", "2026-12-04", 5, Days, "working_days", "2026-12-14", ""},
	{"free days", "2026-11-23", 10, Days, "free_days", "2026-12-04", ""},
	{"free days end on Sunday", "2026-11-25", 10, Days, "free_days", "2026-12-07", ""},
	{"EU: Friday + 2 has no two working days", "2026-11-27", 2, Days, "eu_1182", "2026-12-01", ""},
	{"EU: one day needs one working day", "2026-11-27", 1, Days, "eu_1182", "2026-11-30", ""},
	{"EU: Christmas + 3", "2026-12-24", 3, Days, "eu_1182", "2026-12-29", ""},
	{"EU: months roll on Saturday", "2026-11-05", 1, Months, "eu_1182", "2026-12-07", ""},
}

func TestWorkedDates(t *testing.T) {
	for _, c := range worked {
		t.Run(c.name, func(t *testing.T) {
			got := count(t, day(t, c.start).Start().Add(10*time.Hour), c.n, c.unit, c.rule, Italy())
			if got.LastDay != day(t, c.last) {
				t.Errorf("last day %v, want %s\n%s", got.LastDay, c.last, got.Explanation.IT)
			}
			if want := got.LastDay.AddDays(1).Start(); !got.Due.Equal(want) {
				t.Errorf("over at %v, want the end of the last day, %v", got.Due, want)
			}
			if c.first != "" && got.FirstDay != day(t, c.first) {
				t.Errorf("first working day after %v, want %s", got.FirstDay, c.first)
			}
		})
	}
}

func TestEveryRuleIsWorked(t *testing.T) {
	seen := map[string]bool{"hours": true} // TestHoursAreReal
	for _, c := range worked {
		seen[c.rule] = true
	}
	for _, r := range Rules() {
		if !seen[r.Name] {
			t.Errorf("rule %s has no worked date", r.Name)
		}
	}
}

func count(t *testing.T, start time.Time, n int, unit Unit, rule string, h Holidays) Result {
	t.Helper()
	r, err := Count(start, n, unit, rule, h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPatronSaintMovesItalianTermsOnly(t *testing.T) {
	milan := Italy(MonthDay{time.December, 7})
	start := day(t, "2026-11-27").Start() // + 10 is Monday 7 December; the 8th is a holiday for all
	for rule, want := range map[string]string{"calendar_roll": "2026-12-09", "eu_1182": "2026-12-07", "calendar": "2026-12-07"} {
		if got := count(t, start, 10, Days, rule, milan).LastDay; got != day(t, want) {
			t.Errorf("%s ends on %v, want %s", rule, got, want)
		}
	}
}

func TestStartIsTheDayInRome(t *testing.T) {
	late := time.Date(2026, time.November, 23, 23, 30, 0, 0, time.UTC) // 00:30 of the 24th in Rome
	if got := count(t, late, 10, Days, "calendar", Italy()).LastDay; got != day(t, "2026-12-04") {
		t.Errorf("last day %v, want 4 December", got)
	}
}

func TestDueFollowsTheClockOfRome(t *testing.T) {
	for n, want := range map[int]string{5: "2026-10-24T22:00:00Z", 6: "2026-10-25T23:00:00Z"} { // from 19 October, over the change of hour
		got := count(t, day(t, "2026-10-19").Start(), n, Days, "calendar", Italy()).Due
		if s := got.Format(time.RFC3339); s != want || got.Location() != time.UTC {
			t.Errorf("%d days are over at %s, want %s", n, s, want)
		}
	}
}

func TestHoursAreReal(t *testing.T) {
	for _, c := range []struct {
		start string
		n     int
		due   string // as clocks in Rome show it
		last  string
		first string
	}{
		{"2026-11-27T10:20:30+01:00", 48, "2026-11-29T10:20:30+01:00", "2026-11-29", "2026-11-30"}, // no roll on Sunday
		{"2027-03-27T12:00:00+01:00", 24, "2027-03-28T13:00:00+02:00", "2027-03-28", "2027-03-30"}, // an hour is lost; the 29th is Easter Monday
		{"2026-10-24T12:00:00+02:00", 24, "2026-10-25T11:00:00+01:00", "2026-10-25", "2026-10-26"}, // an hour is gained
		{"2026-11-23T00:00:00+01:00", 24, "2026-11-24T00:00:00+01:00", "2026-11-23", "2026-11-24"}, // the last day ends with the term
	} {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			t.Fatal(err)
		}
		got := count(t, start, c.n, Hours, "hours", Italy())
		if s := got.Due.In(Rome).Format(time.RFC3339); s != c.due || got.LastDay != day(t, c.last) || got.FirstDay != day(t, c.first) {
			t.Errorf("%s + %d h = %s, last %v, first %v, want %s, %s, %s", c.start, c.n, s, got.LastDay, got.FirstDay, c.due, c.last, c.first)
		}
	}
}

func TestCountRefuses(t *testing.T) {
	start := day(t, "2026-11-23").Start()
	for _, c := range []struct {
		name  string
		start time.Time
		n     int
		unit  Unit
		rule  string
		want  error
	}{
		{"a rule nobody wrote", start, 10, Days, "calendar_rol", ErrRule},
		{"no rule", start, 10, Days, "", ErrRule},
		{"months by a rule for days", start, 10, Months, "calendar_roll", ErrUnit},
		{"days by a rule for months", start, 10, Days, "months_roll", ErrUnit},
		{"hours by a rule for days", start, 10, Hours, "eu_1182", ErrUnit},
		{"days by a rule for hours", start, 10, Days, "hours", ErrUnit},
		{"months of standstill", start, 1, Months, "standstill", ErrUnit},
		{"an unknown unit", start, 10, "weeks", "calendar", ErrUnit},
		{"a negative term", start, -1, Days, "calendar", ErrLength},
		{"a negative term backward", start, -1, Days, "backward", ErrLength},
		{"more than a century", start, 36526, Days, "calendar", ErrLength},
		{"overflowing days", start, math.MaxInt, Days, "calendar", ErrLength},
		{"overflowing hours", start, math.MaxInt, Hours, "hours", ErrLength},
		{"overflowing years", start, math.MaxInt, Years, "years_roll", ErrLength},
		{"no start", time.Time{}, 10, Days, "calendar", ErrStart},
		{"a start in another age", day(t, "2999-01-01").Start(), 10, Days, "calendar", ErrStart},
	} {
		if got, err := Count(c.start, c.n, c.unit, c.rule, Italy()); !errors.Is(err, c.want) || got != (Result{}) {
			t.Errorf("%s = %+v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestRulesAreComplete(t *testing.T) {
	want := "calendar_roll calendar_roll_saturday calendar months_roll months years_roll eu_1182 hours working_days backward free_days court standstill"
	var names []string
	for _, r := range Rules() {
		names = append(names, r.Name)
		if r.Label.IT == "" || r.Label.EN == "" || r.Law == "" || !strings.Contains("VMP", r.Mark) || len(r.units) == 0 {
			t.Errorf("rule %s lacks a label, its law, its mark or its units", r.Name)
		}
		if !Known(r.Name) {
			t.Errorf("rule %s is listed but not known", r.Name)
		}
		for _, u := range []Unit{Days, Months, Years, Hours, WorkingDays} {
			_, err := Count(day(t, "2026-11-23").Start(), 1, u, r.Name, Italy())
			if r.Counts(u) != (err == nil) {
				t.Errorf("%s counts %s: %v, but counting gave %v", r.Name, u, r.Counts(u), err)
			}
		}
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("rules are\n%s\nwant\n%s", got, want)
	}
	if Known("calendar_rol") || Known("") {
		t.Error("a rule nobody wrote is known")
	}
	Rules()[0].Name = "changed"
	if Rules()[0].Name != "calendar_roll" {
		t.Error("a caller could change the list of rules")
	}
}
