package law

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxDecimals bounds the decimals of a limit, so that Text shows them all.
const maxDecimals = 6

// How values are written in the file: plain, with a point before decimals. Sizes are bounded so that no arithmetic on
// terms overflows.
var (
	wholeShape   = regexp.MustCompile(`^[0-9]{1,6}$`)
	decimalShape = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{1,6})?$`)
	amountShape  = regexp.MustCompile(`^[0-9]{1,12}(\.[0-9]{2})?$`)
)

// units lists the units that a kind accepts; the other kinds have none.
var units = map[Kind][]string{
	KindCount: {"", "operators", "candidates", "offers", "members", "points"},
	KindRange: {"percent", "months", "ratio"},
}

// ordered tells whether a comparison can stand beside a value of this kind. Of a reference it is checked at its end.
func ordered(k Kind) bool {
	switch k {
	case KindBool, KindRange, KindDate, KindPeriod, KindOperator, KindTable:
		return false
	default:
		return true
	}
}

// parseValue reads a scalar value of a kind; tables are read by the loader, where each line can be named.
func parseValue(kind Kind, text string) (value, error) {
	switch kind {
	case KindAmount:
		c, err := parseAmount(text)
		return value{cents: c}, err
	case KindCount, KindDays, KindMonths, KindYears, KindHours:
		n, err := parseWhole(text)
		return value{whole: n}, err
	case KindPercent, KindPermille, KindRatio:
		r, err := parseDecimal(text)
		return value{low: r}, err
	case KindRange:
		return parseRange(text)
	case KindBool:
		if text != "true" && text != "false" {
			return value{}, fmt.Errorf("%q is neither true nor false", text)
		}
		return value{yes: text == "true"}, nil
	case KindDate:
		d, err := parseMonthDay(text)
		return value{period: Period{From: d}}, err
	case KindPeriod:
		return parsePeriod(text)
	case KindOperator:
		op, err := parseOp(text)
		return value{op: op}, err
	case KindRef:
		if text == "" {
			return value{}, fmt.Errorf("a reference needs the name of a key")
		}
		return value{}, nil
	default:
		return value{}, fmt.Errorf("a value of kind %s is not a plain text", kind)
	}
}

func parseAmount(text string) (Cents, error) {
	if !amountShape.MatchString(text) {
		return 0, fmt.Errorf("%q is not an amount in euro such as 5404000 or 25.50", text)
	}
	return ParseEuro(text)
}

func parseWhole(text string) (int, error) {
	if !wholeShape.MatchString(text) {
		return 0, fmt.Errorf("%q is not a whole number of at most six digits", text)
	}
	return strconv.Atoi(text)
}

func parseDecimal(text string) (*big.Rat, error) {
	if !decimalShape.MatchString(text) {
		return nil, fmt.Errorf("%q is not a decimal number with at most %d decimals", text, maxDecimals)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%q is not a decimal number", text)
	}
	return r, nil
}

func parseRange(text string) (value, error) {
	low, high, ok := strings.Cut(text, "..")
	if !ok {
		return value{}, fmt.Errorf("%q is not a range such as 1..4", text)
	}
	from, err := parseDecimal(low)
	if err != nil {
		return value{}, err
	}
	to, err := parseDecimal(high)
	if err != nil {
		return value{}, err
	}
	if from.Cmp(to) > 0 {
		return value{}, fmt.Errorf("range %q ends before it begins", text)
	}
	return value{low: from, high: to}, nil
}

func parseMonthDay(text string) (MonthDay, error) {
	// A common year refuses 29 February, which does not come back every year.
	d, err := time.Parse(dayLayout, "2001-"+text)
	if err != nil {
		return MonthDay{}, fmt.Errorf("%q is not a day of every year such as 10-04", text)
	}
	return MonthDay{Month: d.Month(), Day: d.Day()}, nil
}

func parsePeriod(text string) (value, error) {
	first, last, ok := strings.Cut(text, "..")
	if !ok {
		return value{}, fmt.Errorf("%q is not a period such as 08-01..08-31", text)
	}
	from, err := parseMonthDay(first)
	if err != nil {
		return value{}, err
	}
	to, err := parseMonthDay(last)
	return value{period: Period{From: from, To: to}}, err
}

func parseOp(text string) (Op, error) {
	op := Op(text)
	if !slices.Contains([]Op{OpLess, OpAtMost, OpMore, OpAtLeast}, op) {
		return "", fmt.Errorf("%q is not a comparison (<, <=, >, >=)", text)
	}
	return op, nil
}

// bands reads a table: a list of {from, body, operator} that begins at zero and rises.
func (l *loader) bands(n *yaml.Node) Bands {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		l.fault(n, "a table is a list of {from, body, operator}")
		return nil
	}
	var bands Bands
	for _, item := range n.Content {
		f := l.fields(item, "from", "body", "operator")
		if f == nil {
			continue
		}
		band := Band{From: l.cents(item, f, "from"), Body: l.cents(item, f, "body"), Operator: l.cents(item, f, "operator")}
		switch {
		case len(bands) == 0 && band.From != 0:
			l.fault(item, "the first band must begin at 0")
		case len(bands) > 0 && band.From <= bands[len(bands)-1].From:
			l.fault(item, "bands must rise")
		}
		bands = append(bands, band)
	}
	return bands
}

func (l *loader) cents(item *yaml.Node, f map[string]*yaml.Node, name string) Cents {
	text, at := l.text(item, f, name, true)
	if text == "" {
		return 0
	}
	c, err := parseAmount(text)
	if err != nil {
		l.fault(at, "%s: %v", name, err)
	}
	return c
}
