package calendar

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

// day reads a date of a test table.
func day(t *testing.T, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-2", "26-01-02", "2026-01-02 ", "2026-01-02T00:00", "0000-01-01", "23/12/2026", "+026-01-02"} {
		if d, err := ParseDate(s); !errors.Is(err, ErrDate) {
			t.Errorf("ParseDate(%q) = %v, %v, want ErrDate", s, d, err)
		}
	}
	if d := day(t, "2024-02-29"); d != (Date{2024, time.February, 29}) {
		t.Errorf("29 February of a leap year = %v", d)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-12-23", "2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", "", "2026-1-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err != nil {
			return
		}
		if d.String() != s || !d.Valid() {
			t.Errorf("ParseDate(%q) = %v (valid %v), want the same text back", s, d, d.Valid())
		}
		if DateOf(d.Start()) != d && d.Year >= firstYear {
			t.Errorf("%v starts at %v, which is another day", d, d.Start())
		}
	})
}

// FuzzParseMonthDay: what is read as a day of the year is written the same, and exists in a leap year.
func FuzzParseMonthDay(f *testing.F) {
	for _, s := range []string{"12-07", "02-29", "02-30", "1-2", "13-01", "", "06-13T00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMonthDay(s)
		if err != nil {
			return
		}
		var back MonthDay
		if m.String() != s || back.UnmarshalText([]byte(s)) != nil || back != m || !(Date{2024, m.Month, m.Day}).Valid() {
			t.Errorf("ParseMonthDay(%q) = %v, and back %v", s, m, back)
		}
	})
}

func TestDateOfIsTheDayInRome(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-23T22:59:59Z": "2026-11-23",
		"2026-11-23T23:00:00Z": "2026-11-24", // winter: midnight in Rome is 23 UTC
		"2026-07-01T21:59:59Z": "2026-07-01",
		"2026-07-01T22:00:00Z": "2026-07-02", // summer: 22 UTC
	} {
		at, err := time.Parse(time.RFC3339, in)
		if err != nil {
			t.Fatal(err)
		}
		if got := DateOf(at).String(); got != want {
			t.Errorf("DateOf(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestStartOnDaysOfClockChange(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-29": "2026-03-28T23:00:00Z", // clocks change at 2: the day starts in winter time
		"2026-03-30": "2026-03-29T22:00:00Z", // after 23 hours
		"2026-10-25": "2026-10-24T22:00:00Z",
		"2026-10-26": "2026-10-25T23:00:00Z", // after 25 hours
	} {
		start := day(t, in).Start()
		if got := start.Format(time.RFC3339); got != want || start.Location() != time.UTC {
			t.Errorf("%s starts at %s, want %s", in, got, want)
		}
	}
}

func TestAddMonthsClipsToTheEndOfTheMonth(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2027-01-31", 1, "2027-02-28"},
		{"2028-01-31", 1, "2028-02-29"},
		{"2028-02-29", 12, "2029-02-28"},
		{"2028-02-29", 48, "2032-02-29"},
		{"2026-11-30", 3, "2027-02-28"},
		{"2026-12-31", -1, "2026-11-30"},
		{"2026-01-15", -13, "2024-12-15"},
		{"2026-08-31", 0, "2026-08-31"},
	} {
		if got := day(t, c.from).AddMonths(c.n).String(); got != c.want {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestDatesCompareAndSubtract(t *testing.T) {
	days := []Date{day(t, "2027-01-01"), day(t, "2026-02-03"), day(t, "2026-12-31"), day(t, "2026-02-01")}
	slices.SortFunc(days, Date.Compare)
	for i := 1; i < len(days); i++ {
		a, b := days[i-1], days[i]
		if !a.Before(b) || !b.After(a) || a.After(b) || b.Before(a) {
			t.Errorf("%v and %v do not compare as they were sorted", a, b)
		}
		if n := b.Sub(a); n <= 0 || a.AddDays(n) != b || b.AddDays(-n) != a {
			t.Errorf("%v - %v = %d days, which does not lead back", b, a, n)
		}
	}
	if n := day(t, "2028-03-01").Sub(day(t, "2028-02-28")); n != 2 {
		t.Errorf("from 28 February to 1 March of a leap year: %d days, want 2", n)
	}
}

func TestDateInWords(t *testing.T) {
	for in, want := range map[string]Text{
		"2026-12-23": {"mercoledì 23 dicembre 2026", "Wednesday 23 December 2026"},
		"2027-01-01": {"venerdì 1° gennaio 2027", "Friday 1 January 2027"},
		"2026-08-09": {"domenica 9 agosto 2026", "Sunday 9 August 2026"},
	} {
		if d := day(t, in); d.Italian() != want.IT || d.English() != want.EN {
			t.Errorf("%s = %q, %q, want %v", in, d.Italian(), d.English(), want)
		}
	}
	if s := (Date{}).Italian() + (Date{}).English(); s != "" {
		t.Errorf("no day in words = %q, want nothing", s)
	}
}

func TestDateAsJSON(t *testing.T) {
	type row struct {
		Due  Date         `json:"due"`
		None Date         `json:"none,omitzero"`
		By   map[Date]int `json:"by"`
	}
	in := row{Due: day(t, "2026-12-23"), By: map[Date]int{day(t, "2027-01-05"): 3}}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"due":"2026-12-23","by":{"2027-01-05":3}}`; string(b) != want {
		t.Errorf("marshalled %s, want %s", b, want)
	}
	var out row
	if err := json.Unmarshal(b, &out); err != nil || out.Due != in.Due || out.By[day(t, "2027-01-05")] != 3 {
		t.Errorf("read back %+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"due":""}`), &out); err != nil || !out.Due.IsZero() {
		t.Errorf("an empty text = %v, %v, want no day", out.Due, err)
	}
	if err := json.Unmarshal([]byte(`{"due":"2026-02-30"}`), &out); !errors.Is(err, ErrDate) {
		t.Errorf("30 February = %v, want ErrDate", err)
	}
	if b, err := json.Marshal(Date{2026, time.February, 30}); err == nil {
		t.Errorf("a day that does not exist was written as %s", b)
	}
}
