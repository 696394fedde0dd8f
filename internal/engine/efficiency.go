package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// The fields by which a workflow takes part in the efficiency figure, and the limits that judge it (All. II.4 art. 11).
const (
	fieldContractSigned = "contract_signed_on" // date, of the lot
	fieldBidsDue        = "bids_due"           // instant or date, of the lot or of the procurement above it
	limitPeriod         = "kpi.award.check_months"
	limitPremium        = "kpi.award.premium_upto"
	limitPlan           = "kpi.award.plan_over"
)

// Verdicts on a period.
const (
	VerdictPremium = "premium" // the mean is within what earns the premium
	VerdictMiddle  = "middle"  // neither
	VerdictPlan    = "plan"    // the mean is beyond what asks for a plan to ANAC
	VerdictNone    = "none"    // nothing to judge: no lot, no law for that time, or only part of the SUA in sight
)

// AwardTime is one lot with a contract. Days run from the day of the bid deadline to that of the contract; nil when the deadline is not
// recorded.
type AwardTime struct {
	Case     Summary
	BidsDue  string // day in Italy, YYYY-MM-DD; empty when not recorded
	Contract string // YYYY-MM-DD
	Days     *int
}

// AwardPeriod is a half-year (as long as the law says) by date of contract.
type AwardPeriod struct {
	From, To string // YYYY-MM-DD, both included
	Lots     int    // with both dates
	Missing  int    // with a contract but no bid deadline: not in the mean
	Days     int    // sum over Lots
	Complete bool   // the period is over
	Verdict  string
	Text     Text // the verdict for people
	Law      string
}

// Mean writes the mean in days with one decimal, rounded half up, "98.5"; empty without lots.
func (p AwardPeriod) Mean() string {
	if p.Lots == 0 {
		return ""
	}
	sign, sum := "", p.Days
	if sum < 0 {
		sign, sum = "-", -sum
	}
	tenths := (20*sum + p.Lots) / (2 * p.Lots)
	return fmt.Sprintf("%s%d.%d", sign, tenths/10, tenths%10)
}

// Efficiency is the figure of a SUA.
type Efficiency struct {
	SUA     Ref
	Whole   bool // every lot of the SUA is in sight; else those of the actor's bodies
	Lots    []AwardTime
	Periods []AwardPeriod // newest first
}

// EfficiencySUAs returns the SUAs whose figure the actor may ask for, by name: the actor's own, those that serve the actor's body; all for
// control.
func (e *Engine) EfficiencySUAs(ctx context.Context, who auth.Actor) ([]Ref, error) {
	if err := e.parties.refresh(ctx); err != nil {
		return nil, err
	}
	e.parties.mu.RLock()
	defer e.parties.mu.RUnlock()
	var out []Ref
	for sua, members := range e.parties.members {
		if who.Everywhere() || slices.Contains(who.Bodies(), sua) || slices.ContainsFunc(who.Bodies(), func(b string) bool { return slices.Contains(members, b) }) {
			out = append(out, Ref{sua, e.parties.bodies[sua].Name})
		}
	}
	sortRefs(out)
	return out, nil
}

// Efficiency tells how long the lots of a SUA took from the bid deadline to the contract, and the mean of each half-year with what the law
// makes of it. sua may be empty when the actor has one only. from and to bound the date of the contract (YYYY-MM-DD, included; empty: no
// bound); a bound inside a half-year leaves it partial and without verdict. It returns *Invalid for a wrong day or a missing sua, and
// ErrNotFound for a SUA that is not the actor's.
func (e *Engine) Efficiency(ctx context.Context, who auth.Actor, sua, from, to string) (Efficiency, error) {
	if err := checkSpan(from, to); err != nil {
		return Efficiency{}, err
	}
	mine, err := e.EfficiencySUAs(ctx, who)
	if err != nil {
		return Efficiency{}, err
	}
	switch {
	case sua == "" && len(mine) == 1:
		sua = mine[0].ID
	case sua == "" && len(mine) > 1:
		return Efficiency{}, &Invalid{[]Problem{problem("/sua", "sua_choose")}}
	case !slices.ContainsFunc(mine, func(r Ref) bool { return r.ID == sua }):
		return Efficiency{}, ErrNotFound
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return Efficiency{}, err
	}
	found, err := e.db.CasesDated(ctx, scope(who), store.DatedFilter{SUA: sua, Hashes: e.contracted(), From: from, To: to})
	if err != nil {
		return Efficiency{}, err
	}
	out := Efficiency{SUA: e.parties.bodyRef(sua), Whole: who.Everywhere() || slices.Contains(who.Bodies(), sua)}
	for i := range found {
		if t, ok := e.awardTime(who, &found[i]); ok {
			out.Lots = append(out.Lots, t)
		}
	}
	out.Periods, err = e.periods(out, now, from, to)
	slices.Reverse(out.Lots)
	return out, err
}

// checkSpan wants days that exist, in their order.
func checkSpan(from, to string) error {
	var problems []Problem
	for _, d := range []struct{ name, text string }{{"/from", from}, {"/to", to}} {
		if _, err := calendar.ParseDate(d.text); d.text != "" && err != nil {
			problems = append(problems, problem(d.name, "day_unknown"))
		}
	}
	if len(problems) == 0 && from != "" && to != "" && from > to {
		problems = append(problems, problem("/to", "span_backward"))
	}
	if len(problems) > 0 {
		return &Invalid{problems}
	}
	return nil
}

// contracted lists the definitions whose cases may hold a date of contract.
func (e *Engine) contracted() []string {
	var out []string
	for _, d := range e.lib.All() {
		if f, ok := d.Field(fieldContractSigned); ok && f.Type == flow.TypeDate {
			out = append(out, d.Hash)
		}
	}
	return out
}

// awardTime reads the two dates; false when the actor may not see that of the contract.
func (e *Engine) awardTime(who auth.Actor, d *store.Dated) (AwardTime, bool) {
	seen := look(who, &d.Case)
	def, err := e.Definition(d.Hash)
	if err != nil {
		return AwardTime{}, false
	}
	if f, ok := def.Field(fieldContractSigned); !ok || !seen.sees(f.Secret, "") {
		return AwardTime{}, false
	}
	text, _ := d.Data[fieldContractSigned].(string)
	signed, err := calendar.ParseDate(text)
	if err != nil {
		return AwardTime{}, false
	}
	t := AwardTime{Case: e.summary(&d.Case, seen), Contract: text}
	for _, data := range []store.Values{d.Data, d.ParentData} { // the lot's own, where it has one
		text, _ := data[fieldBidsDue].(string)
		if due, ok := dayOf(text); ok {
			days := signed.Sub(due)
			t.BidsDue, t.Days = due.String(), &days
			break
		}
	}
	return t, true
}

// dayOf reads the day in Italy of a date or of an instant.
func dayOf(text string) (calendar.Date, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return calendar.DateOf(at), true
	}
	d, err := calendar.ParseDate(text)
	return d, err == nil
}

// periods groups the lots by the half-year of their contract and judges each. Lots come by date of contract.
func (e *Engine) periods(f Efficiency, now time.Time, from, to string) ([]AwardPeriod, error) {
	months, err := e.limits.On(romeDay(now)).Get(limitPeriod)
	if err != nil {
		return nil, fmt.Errorf("efficiency: %w", err)
	}
	length, err := months.Int()
	if err != nil || length < 1 || length > 12 {
		return nil, fmt.Errorf("efficiency: %s = %d: %w", limitPeriod, length, err)
	}
	var out []AwardPeriod
	today := calendar.DateOf(now).String()
	for _, lot := range f.Lots {
		signed, err := calendar.ParseDate(lot.Contract)
		if err != nil {
			return nil, err
		}
		first := calendar.Date{Year: signed.Year, Month: (signed.Month-1)/time.Month(length)*time.Month(length) + 1, Day: 1}
		if len(out) == 0 || out[len(out)-1].From != first.String() {
			last := first.AddMonths(length).AddDays(-1).String()
			out = append(out, AwardPeriod{From: first.String(), To: last, Complete: last < today})
		}
		p := &out[len(out)-1]
		if lot.Days == nil {
			p.Missing++
			continue
		}
		p.Lots, p.Days = p.Lots+1, p.Days+*lot.Days
	}
	for i := range out {
		cut := from > out[i].From || to != "" && to < min(out[i].To, today)
		if err := e.judge(&out[i], f.Whole && !cut, today); err != nil {
			return nil, err
		}
	}
	slices.Reverse(out)
	return out, nil
}

// judge compares the mean with the two limits in force when the period ends, or today while it runs.
func (e *Engine) judge(p *AwardPeriod, whole bool, today string) error {
	p.Verdict = VerdictNone
	mean := strings.Replace(p.Mean(), ".", ",", 1)
	tell := func(code string, params ...string) {
		p.Text = say(code, append(params, "mean", mean, "mean_en", p.Mean(), "lots", fmt.Sprint(p.Lots)))
	}
	switch {
	case p.Lots == 0:
		tell("kpi_empty")
		return nil
	case !whole:
		tell("kpi_partial")
		return nil
	}
	day, err := time.Parse(time.DateOnly, min(p.To, today))
	if err != nil {
		return err
	}
	limits := e.limits.On(day)
	premium, errPremium := limits.Get(limitPremium)
	plan, errPlan := limits.Get(limitPlan)
	if errPremium != nil || errPlan != nil { // the law did not judge then
		tell("kpi_no_law")
		return nil
	}
	return p.compare(premium, plan, tell)
}

// compare sets the verdict: sums are compared, so that no rounding decides.
func (p *AwardPeriod) compare(premium, plan law.Limit, tell func(code string, params ...string)) error {
	upto, err := premium.Int()
	if err != nil {
		return err
	}
	over, err := plan.Int()
	if err != nil {
		return err
	}
	limits := []string{"upto", fmt.Sprint(upto), "over", fmt.Sprint(over)}
	switch {
	case p.Days <= upto*p.Lots:
		p.Verdict, p.Law = VerdictPremium, premium.Law
	case p.Days > over*p.Lots:
		p.Verdict, p.Law = VerdictPlan, plan.Law
	default:
		p.Verdict, p.Law = VerdictMiddle, plan.Law
	}
	if p.Complete {
		tell("kpi_"+p.Verdict, limits...)
	} else {
		tell("kpi_"+p.Verdict+"_so_far", limits...)
	}
	return nil
}
