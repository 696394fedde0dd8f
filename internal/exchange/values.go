package exchange

import (
	"math/big"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
)

// dateForms are the ways in which ANAC, and the programs that its files pass through, write a day.
var dateForms = []string{time.DateOnly, "02/01/2006", "2006-01-02T15:04:05", time.DateTime, time.RFC3339, "2006-01-02T15:04:05.000", "02/01/2006 15:04:05", "02/01/2006 15:04", "20060102"}

// parseDay returns a day as 2006-01-02, and false when the text is no day between 1900 and 2199.
func parseDay(s string) (string, bool) {
	for _, form := range dateForms {
		if len(form) != len(s) && form != time.RFC3339 {
			continue
		}
		if t, err := time.Parse(form, s); err == nil {
			v, err := flow.Parse(flow.TypeDate, nil, t.Format(time.DateOnly))
			day, _ := v.(string)
			return day, err == nil
		}
	}
	return "", false
}

var (
	machineAmount = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,20})?([eE]\+?[0-9]{1,2})?$`)
	groupedAmount = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{3}){2,}$`)
	hundred       = big.NewRat(100, 1)
)

// parseAmount reads euros into cents. ANAC writes them as machines do ("45419.0", with any number of decimals: rounded to the
// cent), so one point is always the decimal one; with a comma, or several points, the Italian way is meant. Negative amounts
// and those too large are refused.
func parseAmount(s string) (int64, bool) {
	var cents int64
	if machineAmount.MatchString(s) {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return 0, false
		}
		r.Mul(r, hundred).Add(r, big.NewRat(1, 2))
		n := new(big.Int).Quo(r.Num(), r.Denom())
		if !n.IsInt64() {
			return 0, false
		}
		cents = n.Int64()
	} else {
		if !strings.Contains(s, ",") && !groupedAmount.MatchString(s) {
			return 0, false
		}
		c, err := law.ParseEuro(s)
		if err != nil || c < 0 {
			return 0, false
		}
		cents = int64(c)
	}
	_, err := flow.Parse(flow.TypeMoney, nil, cents)
	return cents, err == nil
}

// parseFlag reads yes and no as 1, 0, 1.0, S, N, SI, NO, TRUE, FALSE.
func parseFlag(s string) (yes, ok bool) {
	switch strings.ToUpper(s) {
	case "1", "1.0", "S", "SI", "SÌ", "Y", "YES", "T", "TRUE", "VERO":
		return true, true
	case "0", "0.0", "N", "NO", "F", "FALSE", "FALSO":
		return false, true
	}
	return false, false
}

// whole drops the ".0" that programs of statistics put behind numbers of identity.
func whole(s string) string { return strings.TrimSuffix(s, ".0") }

const maxRunes = 20_000 // what package flow takes of a text

// clean makes one line of a text: control characters and runs of spaces become one space. cut reports that it was too long.
func clean(s string) (text string, cut bool) {
	if needsCleaning(s) {
		s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	}
	if len(s) > maxRunes {
		if r := []rune(s); len(r) > maxRunes {
			return string(r[:maxRunes]), true
		}
	}
	return s, false
}

func needsCleaning(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f || s[i] == 0xc2 || (s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i+1] == ' ')) {
			return true // 0xc2 begins the control characters beyond ASCII, and the no-break space
		}
	}
	return false
}

// findCUPs returns the different codes of the form of a CUP that stand as words in texts: a letter, two digits, a letter,
// eleven digits. The form is rare enough in prose: of 300 real titles none has it by chance.
func findCUPs(texts ...string) []string {
	const size = 15
	var out []string
	for _, s := range texts {
		for i := 0; i+size <= len(s); i++ {
			if !upper(s[i]) || (i > 0 && wordByte(s[i-1])) || !cupAt(s[i:i+size]) || (i+size < len(s) && wordByte(s[i+size])) {
				continue
			}
			code := strings.ToUpper(s[i : i+size])
			if len(out) == 0 || out[0] != code {
				out = append(out, code)
			}
			i += size
		}
	}
	return out
}

func cupAt(s string) bool {
	for i := range len(s) {
		if i == 0 || i == 3 {
			if !upper(s[i]) {
				return false
			}
		} else if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func upper(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func wordByte(c byte) bool { return upper(c) || (c >= '0' && c <= '9') || c >= 0x80 }
