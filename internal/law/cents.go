package law

import (
	"regexp"
	"strconv"
	"strings"
)

// Cents is an amount of money in euro cents. Amounts never pass through a float.
type Cents int64

// Two ways of writing an amount. A point before three digits separates thousands: cents never have three digits.
var (
	euroItalian = regexp.MustCompile(`^-?([0-9]+|[1-9][0-9]{0,2}(\.[0-9]{3})+)(,[0-9]{1,2})?$`)
	euroMachine = regexp.MustCompile(`^-?[0-9]+\.[0-9]{1,2}$`)
)

// ParseEuro reads an amount written the Italian way ("3.307.836,24", "3307836,24", "5.000") or the way of machines
// ("3307836.24"), with or without the sign €. It refuses, with an Italian *FormatError, anything else and what does not
// fit in 64 bits.
func ParseEuro(text string) (Cents, error) {
	bad := &FormatError{Code: "euro", Name: "Importo", Text: text, Want: "un importo in euro come 3.307.836,24 oppure 3307836.24"}
	s := strings.TrimSpace(text)
	if cut, ok := strings.CutPrefix(s, "€"); ok {
		s = strings.TrimSpace(cut)
	} else if cut, ok := strings.CutSuffix(s, "€"); ok {
		s = strings.TrimSpace(cut)
	}
	var whole, cents string
	switch {
	case euroItalian.MatchString(s):
		whole, cents, _ = strings.Cut(s, ",")
		whole = strings.ReplaceAll(whole, ".", "")
	case euroMachine.MatchString(s):
		whole, cents, _ = strings.Cut(s, ".")
	default:
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+(cents + "00")[:2], 10, 64)
	if err != nil { // only its size can be wrong: the digits were matched above
		bad.Want = "un importo più piccolo"
		return 0, bad
	}
	return Cents(n), nil
}

// String writes the amount as Italians read it: "3.307.836,24 €". ParseEuro reads it back.
func (c Cents) String() string {
	digits, negative := strings.CutPrefix(strconv.FormatInt(int64(c), 10), "-")
	if len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	whole, cents := digits[:len(digits)-2], digits[len(digits)-2:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	if negative {
		whole = "-" + whole
	}
	return whole + "," + cents + " €"
}
