package calendar

import (
	"errors"
	"testing"
	"time"

	"github.com/rickar/cal/v2/it"
)

func TestEasterMonday(t *testing.T) {
	for _, s := range []string{"2024-04-01", "2025-04-21", "2026-04-06", "2027-03-29", "2028-04-17", "2029-04-02", "2030-04-22"} {
		d := day(t, s)
		if name, ok := Italy().Holiday(d); !ok || name.EN != "Easter Monday" {
			t.Errorf("%s = %v, %v, want Easter Monday", s, name, ok)
		}
		for _, near := range []Date{d.AddDays(1), d.AddDays(7)} { // a Tuesday, and the wrong Monday
			if name, ok := Italy().Holiday(near); ok && name.EN == "Easter Monday" {
				t.Errorf("%v is Easter Monday too", near)
			}
		}
	}
}

func TestSaintFrancisIsAHolidayFrom2026(t *testing.T) {
	for s, want := range map[string]bool{
		"2023-10-04": false, "2024-10-04": false, "2025-10-04": false, // Wednesday, Friday, Saturday
		"2026-10-04": true, "2027-10-04": true, "2028-10-04": true, // Sunday, Monday, Wednesday
	} {
		name, ok := Italy().Holiday(day(t, s))
		if ok != want || ok && name.IT != "San Francesco d'Assisi" {
			t.Errorf("%s = %v, %v, want holiday %v", s, name, ok, want)
		}
	}
}

func TestDaysThatAreNoHolidays(t *testing.T) {
	// 19 March, 29 June and 4 November stand in L. 260/1949 but L. 54/1977 took their effects; Good Friday never was one.
	for _, s := range []string{"2026-03-19", "2026-06-29", "2026-11-04", "2026-04-03", "2026-12-24", "2026-12-31", "2026-12-05"} {
		if name, ok := Italy().Holiday(day(t, s)); ok || name != (Text{}) {
			t.Errorf("%s = %v, want no holiday", s, name)
		}
	}
}

// The table of ours and the library's own must agree on every day but 4 October, which the library lacks.
func TestHolidaysAgreeWithTheLibrary(t *testing.T) {
	for year := 2020; year <= 2045; year++ {
		theirs := map[Date]bool{}
		for _, h := range it.Holidays {
			at, _ := h.Calc(year)
			theirs[civil(at)] = true
		}
		for d := (Date{year, time.January, 1}); d.Year == year; d = d.AddDays(1) {
			saintFrancis := year >= 2026 && d.Month == time.October && d.Day == 4
			want := theirs[d] || saintFrancis || d.Weekday() == time.Sunday
			if _, got := Italy().Holiday(d); got != want {
				t.Errorf("%v holiday = %v, want %v", d, got, want)
			}
		}
	}
}

func TestPatronSaint(t *testing.T) {
	feast, err := ParseMonthDay("12-07")
	if err != nil {
		t.Fatal(err)
	}
	milan, d := Italy(feast), day(t, "2026-12-07")
	if name, ok := milan.Holiday(d); !ok || name.IT != "Santo patrono" {
		t.Errorf("the patron's day = %v, %v", name, ok)
	}
	if milan.WorkingDay(d) || !Italy().WorkingDay(d) || !milan.National().WorkingDay(d) {
		t.Error("7 December must rest in Milan only, and never for EU terms")
	}
	if got := milan.NextWorkingDay(day(t, "2026-12-05")); got != day(t, "2026-12-09") {
		t.Errorf("after Saturday, Sunday, patron and Immacolata comes %v, want 9 December", got)
	}
	if got := milan.PreviousWorkingDay(day(t, "2026-12-08")); got != day(t, "2026-12-04") {
		t.Errorf("before them comes %v, want 4 December", got)
	}
	if name, _ := Italy(MonthDay{time.December, 8}).Holiday(day(t, "2026-12-08")); name.EN != "Immaculate Conception" {
		t.Errorf("a patron on a national day = %v, want the national name", name)
	}
}

func TestHolidaysDoNotFollowTheCallersSlice(t *testing.T) {
	feasts := []MonthDay{{time.December, 7}}
	milan := Italy(feasts...)
	feasts[0] = MonthDay{time.June, 24}
	if milan.WorkingDay(day(t, "2026-12-07")) || !milan.WorkingDay(day(t, "2026-06-24")) {
		t.Error("changing the caller's slice changed the holidays")
	}
}

func TestClosedNamesTheReason(t *testing.T) {
	for s, want := range map[string]string{
		"2026-12-05": "sabato", "2026-12-06": "domenica", "2026-12-08": "Immacolata Concezione", "2026-12-26": "Santo Stefano", "2026-12-09": "",
	} {
		if why, closed := Italy().Closed(day(t, s)); why.IT != want || closed != (want != "") {
			t.Errorf("%s closed = %v, %q, want %q", s, closed, why.IT, want)
		}
	}
}

func TestParseMonthDay(t *testing.T) {
	for _, s := range []string{"", "7-12", "02-30", "13-01", "2026-12-07", "12-07 "} {
		if m, err := ParseMonthDay(s); !errors.Is(err, ErrDate) {
			t.Errorf("ParseMonthDay(%q) = %v, %v, want ErrDate", s, m, err)
		}
	}
	var m MonthDay
	if err := m.UnmarshalText([]byte("02-29")); err != nil || m != (MonthDay{time.February, 29}) {
		t.Errorf("29 February = %v, %v", m, err)
	}
	if b, err := m.MarshalText(); err != nil || string(b) != "02-29" {
		t.Errorf("written as %q, %v", b, err)
	}
}
