package calendar

import (
	"fmt"
	"slices"
	"time"

	"github.com/rickar/cal/v2/it"
)

// MonthDay is a day that returns every year, such as the feast of a patron saint.
type MonthDay struct {
	Month time.Month
	Day   int
}

// ParseMonthDay reads "12-07" (month, day); 29 February is allowed. Anything else is ErrDate.
func ParseMonthDay(s string) (MonthDay, error) {
	t, err := time.Parse(dateLayout, "2024-"+s) // a leap year, so that every possible day exists
	if err != nil {
		return MonthDay{}, fmt.Errorf("%q: %w of the year, want for example 12-07 for 7 December", s, ErrDate)
	}
	return MonthDay{t.Month(), t.Day()}, nil
}

// String writes the day as month and day, "12-07".
func (m MonthDay) String() string { return fmt.Sprintf("%02d-%02d", int(m.Month), m.Day) }

// MarshalText writes String.
func (m MonthDay) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *MonthDay) UnmarshalText(b []byte) error {
	read, err := ParseMonthDay(string(b))
	if err != nil {
		return err
	}
	*m = read
	return nil
}

// national lists the public holidays with a fixed day (L. 260/1949 as amended). Sundays and Easter Monday are computed.
var national = []struct {
	day  MonthDay
	from int // first year, 0 = before any term we count
	name Text
}{
	{MonthDay{time.January, 1}, 0, Text{"Capodanno", "New Year's Day"}},
	{MonthDay{time.January, 6}, 0, Text{"Epifania", "Epiphany"}},
	{MonthDay{time.April, 25}, 0, Text{"Festa della Liberazione", "Liberation Day"}},
	{MonthDay{time.May, 1}, 0, Text{"Festa del Lavoro", "Labour Day"}},
	{MonthDay{time.June, 2}, 0, Text{"Festa della Repubblica", "Republic Day"}},
	{MonthDay{time.August, 15}, 0, Text{"Assunzione", "Assumption"}},
	{MonthDay{time.October, 4}, 2026, Text{"San Francesco d'Assisi", "Saint Francis of Assisi"}}, // L. 151/2025
	{MonthDay{time.November, 1}, 0, Text{"Ognissanti", "All Saints' Day"}},
	{MonthDay{time.December, 8}, 0, Text{"Immacolata Concezione", "Immaculate Conception"}},
	{MonthDay{time.December, 25}, 0, Text{"Natale", "Christmas Day"}},
	{MonthDay{time.December, 26}, 0, Text{"Santo Stefano", "Saint Stephen's Day"}},
}

var (
	easterMonday = Text{"Lunedì dell'Angelo", "Easter Monday"}
	patronSaint  = Text{"Santo patrono", "Patron saint's day"}
	sunday       = Text{"domenica", "Sunday"}
	saturday     = Text{"sabato", "Saturday"}
)

// Holidays tells which days are public holidays for one body: the national ones and those of its own patron saint.
// The zero value has the national ones only. It is immutable and safe to share.
type Holidays struct {
	patrons []MonthDay
}

// Italy gives the national holidays plus the feast days of the patron saint of the body's seat.
func Italy(patron ...MonthDay) Holidays { return Holidays{slices.Clone(patron)} }

// National gives the same holidays without patron saints: for terms of EU law only national days count
// (Reg. 1182/71 art. 2: the days designated by the Member State).
func (h Holidays) National() Holidays { return Holidays{} }

// Holiday reports whether d is a public holiday, Sundays included, and what it is called. Saturday is not one.
func (h Holidays) Holiday(d Date) (Text, bool) {
	md := MonthDay{d.Month, d.Day}
	for _, f := range national {
		if f.day == md && d.Year >= f.from {
			return f.name, true
		}
	}
	if d.Month == time.March || d.Month == time.April { // the only months Easter Monday can be in
		if monday, _ := it.Pasquetta.Calc(d.Year); civil(monday) == d {
			return easterMonday, true
		}
	}
	if slices.Contains(h.patrons, md) {
		return patronSaint, true
	}
	if d.Weekday() == time.Sunday {
		return sunday, true
	}
	return Text{}, false
}

// Closed reports whether d is a Saturday or a public holiday, and why: a day on which no deadline should be set.
func (h Holidays) Closed(d Date) (Text, bool) {
	if name, ok := h.Holiday(d); ok {
		return name, true
	}
	if d.Weekday() == time.Saturday {
		return saturday, true
	}
	return Text{}, false
}

// WorkingDay reports whether d is a day from Monday to Friday that is no public holiday.
func (h Holidays) WorkingDay(d Date) bool {
	_, closed := h.Closed(d)
	return !closed
}

// NextWorkingDay gives d itself when it is a working day, else the first one after it.
func (h Holidays) NextWorkingDay(d Date) Date {
	for !h.WorkingDay(d) {
		d = d.AddDays(1)
	}
	return d
}

// PreviousWorkingDay gives d itself when it is a working day, else the last one before it.
func (h Holidays) PreviousWorkingDay(d Date) Date {
	for !h.WorkingDay(d) {
		d = d.AddDays(-1)
	}
	return d
}
