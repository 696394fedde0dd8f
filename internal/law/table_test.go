package law_test

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/law"
)

func load(t *testing.T, text string) *law.Table {
	t.Helper()
	table, err := law.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

const sample = `
works:
  - {kind: amount, op: "<", value: 2000.50, from: 2025-01-01, law: a, mark: V}
  - {kind: amount, value: 1000, from: 2024-01-01, to: 2024-12-31, law: a, mark: M}
borrowed:
  - {kind: ref, op: ">", value: works, from: 2024-07-01, to: 2025-06-30, law: b, mark: V23, note: n}
twice_borrowed:
  - {kind: ref, value: borrowed, law: c, mark: V}
share: [{kind: percent, value: 0.25, law: a, mark: V}]
daily: [{kind: permille, value: 1.5, law: a, mark: V}]
part: [{kind: ratio, value: 0.15, law: a, mark: V}]
span: [{kind: range, unit: percent, value: 5..15, law: a, mark: V}]
stop: [{kind: period, value: 08-01..08-31, law: a, mark: V}]
feast: [{kind: date, value: 10-04, law: a, mark: V}]
rule: [{kind: operator, value: ">=", law: a, mark: V}]
yes: [{kind: bool, value: true, law: a, mark: P}]
term: [{kind: days, value: 32, law: a, mark: V}]
`

// The day counts where the time says it is: half past midnight in Rome is still the day before in UTC.
func TestOnUsesTheDayOfTheLocation(t *testing.T) {
	table := load(t, sample)
	rome := time.FixedZone("CET", 3600)
	newYear := time.Date(2025, 1, 1, 0, 30, 0, 0, rome)
	here, err := table.On(newYear).Get("works")
	if err != nil {
		t.Fatal(err)
	}
	there, err := table.On(newYear.UTC()).Get("works")
	if err != nil {
		t.Fatal(err)
	}
	if here.From != "2025-01-01" || there.From != "2024-01-01" {
		t.Errorf("rows from %s in Rome and %s in UTC", here.From, there.From)
	}
}

func TestReferencesAreFollowed(t *testing.T) {
	table := load(t, sample)
	early, err := table.On(day(t, "2024-08-01")).Get("twice_borrowed")
	if err != nil {
		t.Fatal(err)
	}
	cents, err := early.Cents()
	if err != nil || cents != 100000 {
		t.Errorf("value = %v, %v", cents, err)
	}
	if early.Key != "twice_borrowed" || early.Ref != "borrowed" || early.Kind != law.KindAmount || early.Law != "c" {
		t.Errorf("identity lost: %+v", early)
	}
	if early.Mark != law.MarkM {
		t.Errorf("mark = %s, want the weakest, M", early.Mark)
	}
	if early.Op != law.OpMore {
		t.Errorf("op = %s, want that of the nearest row that has one, >", early.Op)
	}
	if early.From != "2024-07-01" || early.To != "2024-12-31" {
		t.Errorf("valid %s to %s, want what all rows share", early.From, early.To)
	}
	late, err := table.On(day(t, "2025-02-01")).Get("borrowed")
	if err != nil {
		t.Fatal(err)
	}
	if late.Text() != "2.000,50 €" || late.Mark != law.MarkV23 || late.From != "2025-01-01" || late.To != "2025-06-30" {
		t.Errorf("late = %s %+v", late.Text(), late)
	}
	if kind, ok := table.KindOf("twice_borrowed"); kind != law.KindAmount || !ok {
		t.Errorf("kind = %s, %v", kind, ok)
	}
}

func TestTableListsItsKeys(t *testing.T) {
	table := load(t, sample)
	if got := strings.Join(table.Keys()[:4], " "); got != "works borrowed twice_borrowed share" {
		t.Errorf("keys = %s", got)
	}
	if !table.Has("works") || table.Has("nothing") {
		t.Error("Has is wrong")
	}
	if _, ok := table.KindOf("nothing"); ok {
		t.Error("an unknown key has a kind")
	}
	history := table.History("works")
	if len(history) != 2 || history[0].From != "2024-01-01" || history[1].From != "2025-01-01" {
		t.Errorf("history is not in order: %+v", history)
	}
	history[0].Key = "changed"
	if table.History("works")[0].Key != "works" {
		t.Error("a caller changed the table")
	}
}

// What is assumed stands only where the table says nothing.
func TestAssume(t *testing.T) {
	table := load(t, "a.days:\n  - {kind: days, value: 10, from: 2026-01-01, to: 2027-12-31, law: l, mark: V}\n")
	extra := load(t, "a.days:\n  - {kind: days, value: 7, from: 2027-01-01, law: assumed, mark: P}\nb.days:\n  - {kind: days, value: 3, law: assumed, mark: P}\n")
	both := table.Assume(extra)
	for on, want := range map[string]string{"2026-06-01": "10 giorni", "2027-06-01": "10 giorni", "2028-01-01": "7 giorni"} {
		limit, err := both.On(day(t, on)).Get("a.days")
		if err != nil || limit.Text() != want {
			t.Errorf("on %s: %s (%v), want %s", on, limit.Text(), err, want)
		}
	}
	if _, err := both.On(day(t, "2025-06-01")).Get("a.days"); err == nil {
		t.Error("a day that neither knows has a row")
	}
	if limit, err := both.On(day(t, "2025-06-01")).Get("b.days"); err != nil || limit.Text() != "3 giorni" || !both.Has("b.days") {
		t.Errorf("a key that only the other has: %v", err)
	}
	if _, err := table.On(day(t, "2028-01-01")).Get("a.days"); err == nil || table.Has("b.days") {
		t.Error("the table itself has changed")
	}
}

func TestZeroLimitsRefuse(t *testing.T) {
	var missing law.ErrNoLimit
	if _, err := (law.Limits{}).Get("works"); !errors.As(err, &missing) || missing.Key != "works" {
		t.Errorf("got %v", err)
	}
}

func TestAccessorsFitTheKind(t *testing.T) {
	limits := load(t, sample).On(day(t, "2025-03-01"))
	get := func(key string) law.Limit {
		limit, err := limits.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		return limit
	}
	for key, want := range map[string]*big.Rat{"share": big.NewRat(1, 400), "daily": big.NewRat(3, 2000), "part": big.NewRat(3, 20)} {
		r, err := get(key).Fraction()
		if err != nil || r.Cmp(want) != 0 {
			t.Errorf("%s = %v, %v, want %v", key, r, err, want)
		}
	}
	share, err := get("share").Rat()
	if err != nil || share.Cmp(big.NewRat(1, 4)) != 0 {
		t.Errorf("share as written = %v, %v", share, err)
	}
	share.SetInt64(99)
	if again, _ := get("share").Rat(); again.Cmp(big.NewRat(1, 4)) != 0 {
		t.Error("a caller changed the table")
	}
	span, err := get("span").Range()
	if err != nil || span.Low.Cmp(big.NewRat(5, 1)) != 0 || span.High.Cmp(big.NewRat(15, 1)) != 0 {
		t.Errorf("span = %v, %v", span, err)
	}
	stop, err := get("stop").Period()
	if err != nil || stop != (law.Period{From: law.MonthDay{Month: time.August, Day: 1}, To: law.MonthDay{Month: time.August, Day: 31}}) {
		t.Errorf("stop = %v, %v", stop, err)
	}
	feast, err := get("feast").MonthDay()
	if err != nil || feast != (law.MonthDay{Month: time.October, Day: 4}) {
		t.Errorf("feast = %v, %v", feast, err)
	}
	rule, err := get("rule").Operator()
	if err != nil || rule != law.OpAtLeast {
		t.Errorf("rule = %v, %v", rule, err)
	}
	yes, err := get("yes").Bool()
	if err != nil || !yes {
		t.Errorf("yes = %v, %v", yes, err)
	}
	days, err := get("term").Int()
	if err != nil || days != 32 {
		t.Errorf("term = %v, %v", days, err)
	}
}

func TestAccessorsRefuseAnotherKind(t *testing.T) {
	limit, err := load(t, sample).On(day(t, "2025-03-01")).Get("term")
	if err != nil {
		t.Fatal(err)
	}
	_, cents := limit.Cents()
	_, rat := limit.Rat()
	_, fraction := limit.Fraction()
	_, span := limit.Range()
	_, bands := limit.Bands()
	_, yes := limit.Bool()
	_, date := limit.MonthDay()
	_, period := limit.Period()
	_, rule := limit.Operator()
	if errs := []error{cents, rat, fraction, span, bands, yes, date, period, rule}; slices.Contains(errs, nil) {
		t.Errorf("days were read as something else: %v", errs)
	}
	amount, err := load(t, sample).On(day(t, "2025-03-01")).Get("works")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := amount.Int(); err == nil {
		t.Error("an amount was read as a whole number")
	}
}

func TestOpHolds(t *testing.T) {
	for op, want := range map[law.Op][3]bool{
		law.OpLess: {true, false, false}, law.OpAtMost: {true, true, false},
		law.OpMore: {false, false, true}, law.OpAtLeast: {false, true, true}, "": {},
	} {
		if got := [3]bool{op.Holds(-1), op.Holds(0), op.Holds(1)}; got != want {
			t.Errorf("%q holds %v, want %v", op, got, want)
		}
	}
}
