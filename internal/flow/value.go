package flow

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/law"
)

// Bounds of values; the JSON schemas say the same.
const (
	maxText     = 20_000                        // runes
	maxInt      = 1 << 53                       // exact in every JSON reader
	maxCents    = 900_000_000_000_000           // nine thousand billion euros
	maxPercent  = 1_000_000                     // scores and discounts are far below
	maxDecimals = 10                            // of a percent
	minYear     = 1900                          // earlier dates are typing errors
	maxYear     = 2200                          // later ones too
	instantForm = "2006-01-02T15:04:05.000000Z" // fixed width, so that text order is time order
)

var (
	decimalShape = regexp.MustCompile(`^-?[0-9]{1,10}(\.[0-9]{1,10})?$`)
	refShape     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
)

// BadValue says why a value is refused. Code is stable (empty, type, format, range, choice, control); Message is for people.
type BadValue struct {
	Code    string
	Message Text
}

// Error gives the Italian text after the code.
func (e BadValue) Error() string { return e.Code + ": " + e.Message.IT }

func bad(code, it, en string) error { return BadValue{code, Text{it, en}} }

// Parse reads a value from JSON (string, bool, float64, json.Number or int64) and returns its canonical form:
// string, bool or int64; money is integer cents, dates "2006-01-02", instants RFC 3339 in UTC with microseconds.
// Canonical values parse to themselves. An absent or empty value is refused: whether it may be missing is the caller's
// to know. Errors are BadValue.
func Parse(t Type, of []Choice, raw any) (any, error) {
	switch t {
	case TypeBool:
		if b, ok := raw.(bool); ok {
			return b, nil
		}
		return nil, bad("type", "serve vero o falso", "true or false is needed")
	case TypeInt:
		return parseWhole(raw, maxInt, Text{"serve un numero intero", "a whole number is needed"})
	case TypeMoney:
		return parseWhole(raw, maxCents, Text{"serve un importo in centesimi, intero", "an amount in whole cents is needed"})
	case TypePercent:
		return parsePercent(raw)
	}
	s, ok := raw.(string)
	if !ok {
		return nil, bad("type", "serve un testo", "a text is needed")
	}
	if !utf8.ValidString(s) {
		return nil, bad("format", "il testo non è in UTF-8", "the text is not UTF-8")
	}
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	if s == "" {
		return nil, bad("empty", "il valore manca", "the value is missing")
	}
	switch t {
	case TypeText:
		return parseText(s)
	case TypeDate:
		return parseDate(s)
	case TypeInstant:
		return parseInstant(s)
	case TypeChoice:
		if hasChoice(of, s) {
			return s, nil
		}
		return nil, bad("choice", fmt.Sprintf("«%s» non è fra i valori ammessi", clip(s)), fmt.Sprintf("«%s» is not among the values allowed", clip(s)))
	case TypeCIG, TypeCUP, TypeCUI, TypeCPV, TypeNUTS:
		return parseCode(t, s)
	case TypeBody, TypePerson:
		if refShape.MatchString(s) {
			return s, nil
		}
		return nil, bad("format", "identificativo non valido", "not a valid id")
	}
	return nil, bad("type", fmt.Sprintf("tipo sconosciuto: %s", t), fmt.Sprintf("unknown type: %s", t))
}

func parseWhole(raw any, most int64, want Text) (any, error) {
	var n int64
	switch v := raw.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case law.Cents:
		n = int64(v)
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > maxInt {
			return nil, BadValue{"type", want}
		}
		n = int64(v)
	case json.Number:
		i, err := v.Int64()
		if err != nil {
			return nil, BadValue{"type", want}
		}
		n = i
	default:
		return nil, BadValue{"type", want}
	}
	if n > most || n < -most {
		return nil, bad("range", "il numero è troppo grande", "the number is too large")
	}
	return n, nil
}

// parsePercent keeps decimals exact: text, never a float, and no trailing zeros.
func parsePercent(raw any) (any, error) {
	var s string
	switch v := raw.(type) {
	case string:
		s = strings.TrimSpace(v)
	case json.Number:
		s = v.String()
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		s = strconv.FormatInt(v, 10)
	default:
		return nil, bad("type", "serve un numero decimale", "a decimal number is needed")
	}
	if s == "" {
		return nil, bad("empty", "il valore manca", "the value is missing")
	}
	if !decimalShape.MatchString(s) {
		return nil, bad("format", fmt.Sprintf("«%s» non è un numero decimale come 12.35", clip(s)), fmt.Sprintf("«%s» is not a decimal number such as 12.35", clip(s)))
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Cmp(big.NewRat(maxPercent, 1)) > 0 || r.Cmp(big.NewRat(-maxPercent, 1)) < 0 {
		return nil, bad("range", "il numero è troppo grande", "the number is too large")
	}
	s = r.FloatString(maxDecimals)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), "."), nil
}

func parseText(s string) (any, error) {
	if utf8.RuneCountInString(s) > maxText {
		return nil, bad("range", "il testo supera i 20.000 caratteri", "the text is longer than 20,000 characters")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return nil, bad("control", "il testo contiene caratteri di controllo", "the text contains control characters")
	}
	return s, nil
}

func parseDate(s string) (any, error) {
	d, err := calendar.ParseDate(s)
	if err != nil {
		return nil, bad("format", fmt.Sprintf("«%s» non è una data", clip(s)), fmt.Sprintf("«%s» is not a date", clip(s)))
	}
	if d.Year < minYear || d.Year >= maxYear {
		return nil, bad("range", "la data è fuori dal 1900–2199", "the date is outside 1900–2199")
	}
	return d.String(), nil
}

func parseInstant(s string) (any, error) {
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, bad("format", fmt.Sprintf("«%s» non è un istante come 2026-11-22T12:00:00+01:00", clip(s)), fmt.Sprintf("«%s» is not an instant such as 2026-11-22T12:00:00+01:00", clip(s)))
	}
	return canonicalInstant(at)
}

func canonicalInstant(at time.Time) (any, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() < minYear || at.Year() >= maxYear {
		return nil, bad("range", "la data è fuori dal 1900–2199", "the date is outside 1900–2199")
	}
	return at.Format(instantForm), nil
}

// parseCode normalises the codes of public procurement. A wrong check character does not refuse: see Warnings.
func parseCode(t Type, s string) (any, error) {
	var code string
	var err error
	switch t {
	case TypeCIG:
		var c law.CIG
		c, err = law.ParseCIG(s)
		code = string(c)
	case TypeCUP:
		var c law.CUP
		c, err = law.ParseCUP(s)
		code = string(c)
	case TypeCUI:
		var c law.CUI
		c, err = law.ParseCUI(s)
		code = string(c)
	case TypeCPV:
		var c law.CPV
		c, err = law.ParseCPV(s)
		code = string(c)
	default:
		var c law.NUTS
		c, err = law.ParseNUTS(s)
		code = string(c)
	}
	if err != nil {
		return nil, bad("format", err.Error(), fmt.Sprintf("«%s» is not a valid %s code", clip(s), strings.ToUpper(string(t))))
	}
	return code, nil
}

// Warnings says what looks wrong in a canonical value and is accepted all the same: a check character that does not
// match, because codes in force exist that break their own rule.
func Warnings(t Type, v any) []Text {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	matches := true
	switch t {
	case TypeCIG:
		matches = law.CIG(s).ChecksumOK()
	case TypeCUI:
		matches = law.CUI(s).ChecksumOK()
	}
	if matches {
		return nil
	}
	name := strings.ToUpper(string(t))
	return []Text{{
		fmt.Sprintf("il carattere di controllo del %s %s non torna: verificare che sia scritto bene", name, s),
		fmt.Sprintf("the check character of %s %s does not match: verify that it is written right", name, s),
	}}
}

// clip keeps a pasted page out of messages.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
