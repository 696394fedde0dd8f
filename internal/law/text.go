package law

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// nouns gives, singular and plural, the Italian noun that follows a whole number.
var nouns = map[string][2]string{
	"days": {"giorno", "giorni"}, "months": {"mese", "mesi"}, "years": {"anno", "anni"}, "hours": {"ora", "ore"},
	"operators": {"operatore", "operatori"}, "candidates": {"candidato", "candidati"}, "offers": {"offerta", "offerte"},
	"members": {"componente", "componenti"}, "points": {"punto", "punti"},
}

var opTexts = map[Op]string{
	OpLess: "inferiore a", OpAtMost: "inferiore o uguale a", OpMore: "superiore a", OpAtLeast: "superiore o uguale a",
}

var monthNames = [...]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto",
	"settembre", "ottobre", "novembre", "dicembre"}

// Text is the value as a person reads it, in Italian: "32 giorni", "5.404.000,00 €", "2 %". The comparison is not in it.
func (l Limit) Text() string {
	v := l.value
	switch l.Kind {
	case KindAmount:
		return v.cents.String()
	case KindDays, KindMonths, KindYears, KindHours:
		return counted(v.whole, string(l.Kind))
	case KindCount:
		return counted(v.whole, v.unit)
	case KindPercent, KindPermille, KindRatio:
		return measured(decimal(v.low), l.Kind)
	case KindRange:
		return measured(decimal(v.low)+"–"+decimal(v.high), Kind(v.unit))
	case KindBool:
		if v.yes {
			return "sì"
		}
		return "no"
	case KindDate:
		return v.period.From.text()
	case KindPeriod:
		return v.period.From.text() + " – " + v.period.To.text()
	case KindOperator:
		return opTexts[v.op]
	case KindTable:
		return fmt.Sprintf("tabella di %d fasce", len(v.bands))
	case KindRef:
		return "il valore di " + l.Ref
	default:
		return ""
	}
}

// counted writes a whole number with its noun; a count without unit is the bare number.
func counted(n int, unit string) string {
	noun, ok := nouns[unit]
	switch {
	case !ok:
		return strconv.Itoa(n)
	case n == 1:
		return "1 " + noun[0]
	default:
		return strconv.Itoa(n) + " " + noun[1]
	}
}

// measured adds the unit to a number already written.
func measured(number string, unit Kind) string {
	switch unit {
	case KindPercent:
		return number + " %"
	case KindPermille:
		return number + " ‰"
	case KindMonths:
		return number + " mesi"
	default:
		return number
	}
}

// decimal writes a number with the Italian comma and without trailing zeros; limits have at most six decimals.
func decimal(r *big.Rat) string {
	s := strings.TrimRight(r.FloatString(maxDecimals), "0")
	return strings.Replace(strings.TrimSuffix(s, "."), ".", ",", 1)
}

func (d MonthDay) text() string {
	if d.Month < time.January || d.Month > time.December {
		return ""
	}
	day := strconv.Itoa(d.Day)
	if d.Day == 1 {
		day = "1º"
	}
	return day + " " + monthNames[d.Month-1]
}
