package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/law"
)

// nearDays is how early a term is shown as near: three days, as the reminders of the workflows do.
const nearDays = 3

var (
	shortDays   = [...]string{"dom", "lun", "mar", "mer", "gio", "ven", "sab"}
	shortMonths = [...]string{"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"}
)

// moment writes an instant in Rome time: "02/12/2026 10:30".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(calendar.Rome).Format("02/01/2006 15:04")
}

// day writes the day of an instant in Rome: "02/12/2026".
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(calendar.Rome).Format("02/01/2006")
}

// machineTime is an instant for the datetime attribute of <time>.
func machineTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// isoDay turns "2026-12-02" into "02/12/2026"; anything else is left alone.
func isoDay(s string) string {
	d, err := calendar.ParseDate(s)
	if err != nil {
		return s
	}
	return fmt.Sprintf("%02d/%02d/%d", d.Day, int(d.Month), d.Year)
}

// euro writes an amount, or nothing.
func euro(cents *int64) string {
	if cents == nil {
		return ""
	}
	return law.Cents(*cents).String()
}

// term is a coming term as a list shows it.
type term struct {
	Text   string // "entro mer 2 dic"
	Notice string // "scaduto da 2 giorni", "oggi", "fra 3 giorni": empty when it is far
	Late   bool
}

// coming writes the first instant at which a term is over as people say it: by the last day that is still good.
func coming(due, now time.Time) term {
	last := due.Add(-time.Nanosecond).In(calendar.Rome)
	d, today := calendar.DateOf(last), calendar.DateOf(now)
	text := fmt.Sprintf("entro %s %d %s", shortDays[d.Weekday()], d.Day, shortMonths[d.Month-1])
	if d.Year != today.Year {
		text += fmt.Sprintf(" %d", d.Year)
	}
	if at := due.In(calendar.Rome); at.Hour() != 0 || at.Minute() != 0 {
		text = fmt.Sprintf("%s, ore %s", text, at.Format("15:04"))
	}
	t := term{Text: text}
	switch left := d.Sub(today); {
	case !due.After(now):
		t.Late, t.Notice = true, "scaduto"
		if left < 0 {
			t.Notice = "scaduto da " + days(-left)
		}
	case left == 0:
		t.Notice = "oggi"
	case left == 1:
		t.Notice = "domani"
	case left <= nearDays:
		t.Notice = "fra " + days(left)
	}
	return t
}

func days(n int) string {
	if n == 1 {
		return "1 giorno"
	}
	return fmt.Sprintf("%d giorni", n)
}

// size writes a number of bytes: "1,4 MB".
func size(bytes int64) string {
	switch {
	case bytes >= mebibyte:
		return comma(float64(bytes)/mebibyte) + " MB"
	case bytes >= 1024:
		return comma(float64(bytes)/1024) + " kB"
	}
	return fmt.Sprintf("%d byte", bytes)
}

func comma(f float64) string {
	s := []byte(fmt.Sprintf("%.1f", f))
	for i := range s {
		if s[i] == '.' {
			s[i] = ','
		}
	}
	return string(s)
}

// short cuts a hash for reading; the whole stands beside it for who verifies.
func short(hash string) string {
	const most = 12
	if len(hash) > most {
		return hash[:most] + "…"
	}
	return hash
}

// lower writes a label inside a sentence; an acronym stays as it is.
func lower(label string) string {
	r := []rune(label)
	if len(r) < 2 || unicode.IsUpper(r[1]) {
		return label
	}
	return string(unicode.ToLower(r[0])) + string(r[1:])
}

// dial leaves of a telephone number what a telephone dials.
func dial(number string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
}

// countText tells a count that stops at a hundred.
func countText(n int) string {
	if n >= 100 {
		return "99+"
	}
	return strconv.Itoa(n)
}

func orNone(s string) string {
	if s == "" {
		return "nessun indirizzo"
	}
	return s
}
