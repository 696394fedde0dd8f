package law

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// Kind says what sort of value a limit holds, and so which accessor reads it.
type Kind string

// The kinds of limits.
const (
	KindAmount   Kind = "amount"   // Limit.Cents
	KindCount    Kind = "count"    // Limit.Int
	KindDays     Kind = "days"     // Limit.Int
	KindMonths   Kind = "months"   // Limit.Int
	KindYears    Kind = "years"    // Limit.Int
	KindHours    Kind = "hours"    // Limit.Int
	KindPercent  Kind = "percent"  // Limit.Rat, Limit.Fraction
	KindPermille Kind = "permille" // Limit.Rat, Limit.Fraction
	KindRatio    Kind = "ratio"    // Limit.Rat, Limit.Fraction
	KindBool     Kind = "bool"     // Limit.Bool
	KindRange    Kind = "range"    // Limit.Range
	KindDate     Kind = "date"     // Limit.MonthDay
	KindPeriod   Kind = "period"   // Limit.Period
	KindOperator Kind = "operator" // Limit.Operator
	KindTable    Kind = "table"    // Limit.Bands
	KindRef      Kind = "ref"      // the value of another key; Limits.Get follows it
)

var kinds = []Kind{KindAmount, KindCount, KindDays, KindMonths, KindYears, KindHours, KindPercent, KindPermille,
	KindRatio, KindBool, KindRange, KindDate, KindPeriod, KindOperator, KindTable, KindRef}

// Mark is the evidence on which a limit rests.
type Mark string

// The marks of evidence, strongest first.
const (
	MarkV   Mark = "V"   // read in the text in force
	MarkV23 Mark = "V23" // read in the text of 2023 only
	MarkM   Mark = "M"   // somebody's memory
	MarkP   Mark = "P"   // a proposal of this product, not law
)

// marks lists the marks from the strongest to the weakest.
var marks = []Mark{MarkV, MarkV23, MarkM, MarkP}

// Blocks tells whether a limit with this mark may refuse an act; the others only warn.
func (m Mark) Blocks() bool { return m == MarkV || m == MarkV23 }

// weaker is the weaker of two marks: a borrowed value is as certain as the weakest of its links.
func weaker(a, b Mark) Mark { return marks[max(slices.Index(marks, a), slices.Index(marks, b))] }

// Op is a comparison, written "value Op limit": an amount may be awarded directly while amount < limit.
type Op string

// The comparisons.
const (
	OpLess    Op = "<"
	OpAtMost  Op = "<="
	OpMore    Op = ">"
	OpAtLeast Op = ">="
)

// Holds tells whether the comparison holds for a value whose difference from the limit has this sign, as the Cmp
// functions return it: OpAtMost.Holds(cmp.Compare(amount, limit)). An empty Op never holds.
func (o Op) Holds(sign int) bool {
	switch o {
	case OpLess:
		return sign < 0
	case OpAtMost:
		return sign <= 0
	case OpMore:
		return sign > 0
	case OpAtLeast:
		return sign >= 0
	default:
		return false
	}
}

// Limit is one legal number as it stands between two days.
type Limit struct {
	Key  string
	Kind Kind
	Op   Op     // comparison that the law uses with the value; empty where it gives none
	From string // first day of validity, "2006-01-02"; empty: always
	To   string // last day of validity, included; empty: still in force
	Law  string // reference, in Italian; an article without an act is of D.Lgs. 36/2023
	Mark Mark   // evidence
	Note string // Italian: what the number counts, or why the evidence is what it is
	Ref  string // key that the value is taken from; empty for a value of its own

	value value
	line  int // where the row stands in the file, for the checks of Load
}

// value holds what the kind says; the other fields are zero.
type value struct {
	cents     Cents
	whole     int
	low, high *big.Rat // a plain number stands in low
	yes       bool
	op        Op
	period    Period // a date stands in period.From
	bands     Bands
	unit      string // of a count or of a range
}

// MonthDay is a day that comes back every year.
type MonthDay struct {
	Month time.Month
	Day   int
}

// Period is a stretch of days that comes back every year, both ends included.
type Period struct{ From, To MonthDay }

// Range is an interval, both ends included; numbers as they are written (percent in percent points).
type Range struct{ Low, High *big.Rat }

// Band is what is due from an amount upwards, until the next band.
type Band struct{ From, Body, Operator Cents }

// Bands is a table of amounts in ascending order; the first begins at zero.
type Bands []Band

// At is the band in which an amount falls; false for a negative amount.
func (b Bands) At(amount Cents) (Band, bool) {
	for _, band := range slices.Backward(b) {
		if amount >= band.From {
			return band, true
		}
	}
	return Band{}, false
}

// want refuses an accessor that does not fit the kind: a mistake of the caller or a key used for what it is not.
func (l Limit) want(kinds ...Kind) error {
	if slices.Contains(kinds, l.Kind) {
		return nil
	}
	return fmt.Errorf("limit %s is of kind %q, want %v", l.Key, l.Kind, kinds)
}

// Cents is the value of an amount, in euro cents.
func (l Limit) Cents() (Cents, error) { return l.value.cents, l.want(KindAmount) }

// Int is the value of a count or of a length in days, months, years or hours.
func (l Limit) Int() (int, error) {
	return l.value.whole, l.want(KindCount, KindDays, KindMonths, KindYears, KindHours)
}

// Rat is the value of a percent, permille or ratio exactly as it is written: 2 for 2 %, 0.5 for 0.5 ‰. Multiply by
// Fraction instead.
func (l Limit) Rat() (*big.Rat, error) {
	if err := l.want(KindPercent, KindPermille, KindRatio); err != nil {
		return nil, err
	}
	return new(big.Rat).Set(l.value.low), nil
}

// Fraction is the value of a percent, permille or ratio as a factor: 1/50 for 2 %, 1/2000 for 0.5 ‰, 3/20 for 0.15.
func (l Limit) Fraction() (*big.Rat, error) {
	r, err := l.Rat()
	if err != nil {
		return nil, err
	}
	switch l.Kind {
	case KindPercent:
		r.Quo(r, big.NewRat(100, 1))
	case KindPermille:
		r.Quo(r, big.NewRat(1000, 1))
	}
	return r, nil
}

// Range is the value of a range.
func (l Limit) Range() (Range, error) {
	if err := l.want(KindRange); err != nil {
		return Range{}, err
	}
	return Range{Low: new(big.Rat).Set(l.value.low), High: new(big.Rat).Set(l.value.high)}, nil
}

// Bands is the value of a table.
func (l Limit) Bands() (Bands, error) { return slices.Clone(l.value.bands), l.want(KindTable) }

// Bool is the value of a yes or no.
func (l Limit) Bool() (bool, error) { return l.value.yes, l.want(KindBool) }

// MonthDay is the value of a date.
func (l Limit) MonthDay() (MonthDay, error) { return l.value.period.From, l.want(KindDate) }

// Period is the value of a period.
func (l Limit) Period() (Period, error) { return l.value.period, l.want(KindPeriod) }

// Operator is the value of an operator: the comparison itself is what the law fixes.
func (l Limit) Operator() (Op, error) { return l.value.op, l.want(KindOperator) }
