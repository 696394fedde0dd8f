package flow

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/law"
)

var (
	italianDate  = regexp.MustCompile(`^([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})(.*)$`)
	groupedWhole = regexp.MustCompile(`^-?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)$`)
	localTime    = regexp.MustCompile(`^[T ,]*(?:ore )?([0-9]{1,2})[:.]([0-9]{2})(?::([0-9]{2}))?$`)
)

// ParseForm reads what a person types, in Italian habits ("3.307.836,24", "sì", "22/11/2026 12:00" in Rome time) or in
// the forms of browsers and exports (ISO dates, RFC 3339), and returns the same canonical values as Parse. An empty text
// is BadValue "empty", but for a bool, where an unticked box means no.
func ParseForm(t Type, of []Choice, s string) (any, error) {
	s = strings.TrimSpace(s)
	if s == "" && t != TypeBool {
		return nil, bad("empty", "il valore manca", "the value is missing")
	}
	switch t {
	case TypeBool:
		return formBool(s)
	case TypeInt:
		return formInt(s)
	case TypeMoney:
		return formMoney(s)
	case TypePercent:
		return Parse(t, of, formDecimal(s))
	case TypeDate:
		return Parse(t, of, isoDate(s))
	case TypeInstant:
		return formInstant(s)
	case TypeChoice:
		return Parse(t, of, choiceID(of, s))
	}
	return Parse(t, of, s)
}

func formBool(s string) (any, error) {
	switch strings.ToLower(s) {
	case "si", "sì", "si'", "s", "on", "true", "vero", "yes", "y", "1", "x":
		return true, nil
	case "", "no", "n", "off", "false", "falso", "0":
		return false, nil
	}
	return nil, bad("type", fmt.Sprintf("«%s» non è né sì né no", clip(s)), fmt.Sprintf("«%s» is neither yes nor no", clip(s)))
}

func formInt(s string) (any, error) {
	if !groupedWhole.MatchString(s) {
		return nil, bad("type", fmt.Sprintf("«%s» non è un numero intero", clip(s)), fmt.Sprintf("«%s» is not a whole number", clip(s)))
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(s, ".", ""), 10, 64)
	if err != nil {
		return nil, bad("range", "il numero è troppo grande", "the number is too large")
	}
	return Parse(TypeInt, nil, n)
}

func formMoney(s string) (any, error) {
	cents, err := law.ParseEuro(s)
	if err != nil {
		return nil, bad("format", fmt.Sprintf("«%s» non è un importo come 3.307.836,24", clip(s)), fmt.Sprintf("«%s» is not an amount such as 3.307.836,24", clip(s)))
	}
	return Parse(TypeMoney, nil, cents)
}

// formDecimal turns "1.234,5 %" into "1234.5"; without a comma a point is the decimal mark.
func formDecimal(s string) string {
	s = strings.TrimSpace(strings.TrimSuffix(s, "%"))
	if strings.Contains(s, ",") {
		whole, decimals, _ := strings.Cut(s, ",")
		if groupedWhole.MatchString(whole) {
			whole = strings.ReplaceAll(whole, ".", "")
		}
		return whole + "." + decimals
	}
	return s
}

// isoDate turns "22/11/2026" into "2026-11-22"; anything else is left for Parse to refuse.
func isoDate(s string) string {
	m := italianDate.FindStringSubmatch(s)
	if m == nil || m[4] != "" {
		return s
	}
	return isoDay(m)
}

func isoDay(m []string) string {
	return fmt.Sprintf("%s-%02d-%02d", m[3], atoi(m[2]), atoi(m[1]))
}

// formInstant reads a day and an hour of Rome, or RFC 3339. An hour that the clock skipped in March is refused; of the
// two that October repeats, the first is meant.
func formInstant(s string) (any, error) {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return canonicalInstant(at)
	}
	day, hour := s, ""
	if m := italianDate.FindStringSubmatch(s); m != nil {
		day, hour = isoDay(m), m[4]
	} else if len(s) > 10 {
		day, hour = s[:10], s[10:]
	}
	d, err := calendar.ParseDate(day)
	m := localTime.FindStringSubmatch(hour)
	if err != nil || m == nil {
		return nil, bad("format", fmt.Sprintf("«%s» non è data e ora come 22/11/2026 12:00", clip(s)), fmt.Sprintf("«%s» is not a date and time such as 22/11/2026 12:00", clip(s)))
	}
	h, mi, sec := atoi(m[1]), atoi(m[2]), atoi(m[3])
	at := time.Date(d.Year, d.Month, d.Day, h, mi, sec, 0, calendar.Rome)
	if at.Hour() != h || at.Minute() != mi || at.Second() != sec {
		return nil, bad("range", fmt.Sprintf("l'ora «%s» non esiste", clip(strings.TrimSpace(hour))), fmt.Sprintf("the time «%s» does not exist", clip(strings.TrimSpace(hour))))
	}
	if first := at.Add(-time.Hour); first.Hour() == h { // Go does not say which of the two it takes
		at = first
	}
	return canonicalInstant(at)
}

// atoi reads one or two digits that a pattern has already checked; "" is 0.
func atoi(s string) int {
	n := 0
	for _, r := range s {
		n = 10*n + int(r-'0')
	}
	return n
}

// choiceID accepts a label for its id: people paste from spreadsheets.
func choiceID(of []Choice, s string) string {
	for _, c := range of {
		if strings.EqualFold(c.Label.IT, s) || strings.EqualFold(c.Label.EN, s) {
			return c.ID
		}
	}
	return s
}

// Format writes a canonical value (or one just read from JSON) for people: euros, Italian dates, Rome time, labels.
// lang "en" changes words and the decimal mark of percentages. A nil value gives "".
func Format(t Type, of []Choice, v any, lang string) string {
	if v == nil {
		return ""
	}
	canonical, err := Parse(t, of, v)
	if err != nil {
		return fmt.Sprint(v) // an old value that today's rules refuse is shown as it is
	}
	switch value := canonical.(type) {
	case bool:
		answer := Text{"No", "No"}
		if value {
			answer = Text{"Sì", "Yes"}
		}
		return answer.In(lang)
	case int64:
		if t == TypeMoney {
			return law.Cents(value).String()
		}
		return strconv.FormatInt(value, 10)
	case string:
		return formatText(t, of, value, lang)
	}
	return fmt.Sprint(canonical)
}

func formatText(t Type, of []Choice, s, lang string) string {
	switch t {
	case TypePercent:
		if lang != "en" {
			s = strings.Replace(s, ".", ",", 1)
		}
		return s
	case TypeDate:
		return s[8:] + "/" + s[5:7] + "/" + s[:4]
	case TypeInstant:
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return s
		}
		return at.In(calendar.Rome).Format("02/01/2006 15:04")
	case TypeChoice:
		for _, c := range of {
			if c.ID == s {
				return c.Label.In(lang)
			}
		}
	}
	return s
}
