package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// ErrDate says that a text is not a day of the calendar written as 2006-01-02.
var ErrDate = errors.New("not a date")

const dateLayout = "2006-01-02"

// Date is a day of the civil calendar, without hour or zone. It is comparable and fit as a map key; the zero value is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a day written exactly as "2006-01-02"; anything else, or a day that does not exist, is ErrDate.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() == 0 { // year 0 is none: a slip of the keyboard, not a day
		return Date{}, fmt.Errorf("%q: %w, want for example 2026-12-23", s, ErrDate)
	}
	return civil(t), nil
}

// DateOf gives the legal day of an instant: the day in Rome, which may not be the day in UTC.
func DateOf(t time.Time) Date { return civil(t.In(Rome)) }

func civil(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// noon is the day as a time to compute with; UTC has no change of hour that could lose a day.
func (d Date) noon() time.Time { return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC) }

// IsZero reports the zero value, which is no day (used by the omitzero option of encoding/json).
func (d Date) IsZero() bool { return d == Date{} }

// Valid reports whether the day exists in the calendar.
func (d Date) Valid() bool { return civil(d.noon()) == d }

// Weekday gives the day of the week.
func (d Date) Weekday() time.Weekday { return d.noon().Weekday() }

// AddDays moves by n days, back when n is negative.
func (d Date) AddDays(n int) Date {
	return civil(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// AddMonths moves by n months, back when n is negative, to the same day of the month or, where that month is shorter,
// to its last day (art. 2963 c. 5 c.c.).
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 12, 0, 0, 0, time.UTC)
	length := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, length)}
}

// Sub counts the days from other to d: positive when d is later.
func (d Date) Sub(other Date) int {
	const day = 24 * 60 * 60
	return int((d.noon().Unix() - other.noon().Unix()) / day)
}

// Compare gives -1, 0 or +1 as d is before, equal to or after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// Before reports whether d is earlier than other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// After reports whether d is later than other.
func (d Date) After(other Date) bool { return d.Compare(other) > 0 }

// Start gives the first instant of the day in Rome, as UTC.
func (d Date) Start() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, Rome).UTC()
}

// String writes the day as 2006-01-02.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

var (
	italianDays   = [...]string{"domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"}
	italianMonths = [...]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno",
		"luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}
)

// Italian writes the day for a person: "mercoledì 23 dicembre 2026", "venerdì 1° gennaio 2027". The zero value is empty.
func (d Date) Italian() string {
	if d.IsZero() {
		return ""
	}
	t := d.noon()
	ordinal := ""
	if t.Day() == 1 {
		ordinal = "°"
	}
	return fmt.Sprintf("%s %d%s %s %d", italianDays[t.Weekday()], t.Day(), ordinal, italianMonths[t.Month()-1], t.Year())
}

// English writes the day for a person: "Wednesday 23 December 2026". The zero value is empty.
func (d Date) English() string {
	if d.IsZero() {
		return ""
	}
	return d.noon().Format("Monday 2 January 2006")
}

// text is the day in both languages.
func (d Date) text() Text { return Text{d.Italian(), d.English()} }

// MarshalText writes 2006-01-02, and nothing for the zero value; a day that does not exist is ErrDate.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return []byte{}, nil
	}
	if !d.Valid() || d.Year < 1 || d.Year > 9999 {
		return nil, fmt.Errorf("%v: %w", d, ErrDate)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes; an empty text is the zero value.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	read, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = read
	return nil
}
