package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// Changes are what an effect asks for: fields to set and rows to replace.
type Changes struct {
	Fields store.Values
	Rows   []store.Row
}

func allEffects() map[string]Effect {
	return map[string]Effect{
		"sum_lots": {
			Word: flow.Word{Needs: flow.NeedChildren, Fields: map[string][]flow.Type{"amount": {flow.TypeMoney}},
				Doc: Text{IT: "somma gli importi dei lotti", EN: "sums the lots"}},
			Apply: sumLots,
		},
		"rank_bids": {
			Word:  flow.Word{Needs: flow.NeedRows, Registers: bidColumns, Doc: Text{IT: "forma la graduatoria", EN: "ranks the bids"}},
			Apply: rankBids,
		},
		"next_in_rank": {
			Word:  flow.Word{Needs: flow.NeedRows, Registers: exclusionColumns, Doc: Text{IT: "scorre la graduatoria: esclude il primo, con la motivazione indicata", EN: "moves to the next ranked: the first is excluded, for the reason given"}},
			Apply: nextInRank,
		},
		"first_contract_day": {
			Word: flow.Word{Fields: map[string][]flow.Type{"contract_from": {flow.TypeDate}}, AnyFields: map[string][]flow.Type{"amount": {flow.TypeMoney}, "kind": {flow.TypeChoice}},
				Registers: admissionColumn, Limits: []string{"standstill.days", "threshold.eu.works", "threshold.eu.services_subcentral"},
				Doc: Text{IT: "fissa il primo giorno in cui si può firmare il contratto", EN: "sets the first day on which the contract may be signed"}},
			Apply: firstContractDay,
		},
		"move_later": {
			Word:  flow.Word{Params: moveLaterParam{}, Doc: Text{IT: "sposta in avanti le date del tempo trascorso, fino a un giorno lavorativo", EN: "moves the dates later by the time gone by, to a working day"}},
			Apply: moveLater,
		},
		"size_subcontract": {
			Word: flow.Word{Fields: map[string][]flow.Type{"amount": {flow.TypeMoney}, "size": {flow.TypeChoice}}, ParentFields: map[string][]flow.Type{"contract_amount": {flow.TypeMoney}},
				Limits: []string{"subcontract.small_pct", "subcontract.small_amount"},
				Doc:    Text{IT: "dice se il subappalto è piccolo", EN: "says whether the subcontract is small"}},
			Apply: sizeSubcontract,
		},
	}
}

var bidColumns = map[string]map[string][]flow.Type{
	"bids": {"admission": {flow.TypeChoice}, "score": {flow.TypePercent}, "rank": {flow.TypeInt}},
}

// sumLots: art. 14 c. 9: the value of the procurement is that of all its lots together.
func sumLots(f *Facts, _ any) (Changes, error) {
	var sum int64
	for _, c := range f.Children {
		if v, ok := c.Data["amount"].(int64); ok && c.Workflow == "lot" {
			sum += v
		}
	}
	return Changes{Fields: store.Values{"amount": sum}}, nil
}

// rankBids orders the bids that are still in the race by score, highest first; where nobody has a score by discount, highest
// first, or else by price, lowest first. Equal bids share a rank, to be settled by draw; who is out has none.
func rankBids(f *Facts, _ any) (Changes, error) {
	var in []store.Row
	var changed Changes
	for _, r := range f.Rows["bids"] {
		if !out(r) {
			in = append(in, r)
		} else if r.Data["rank"] != nil {
			r.Data = r.Data.Clone()
			delete(r.Data, "rank")
			changed.Rows = append(changed.Rows, r)
		}
	}
	worth := worthOf(in)
	slices.SortStableFunc(in, func(a, b store.Row) int {
		return cmp.Or(worth(b).Cmp(worth(a)), cmp.Compare(a.Row, b.Row))
	})
	rank := int64(1)
	for i, r := range in {
		if i > 0 && worth(in[i-1]).Cmp(worth(r)) != 0 {
			rank = int64(i + 1)
		}
		r.Data = r.Data.Clone()
		r.Data["rank"] = rank
		changed.Rows = append(changed.Rows, r)
	}
	return changed, nil
}

// worthOf says how good a bid is: its score, else its discount, else how low its price is. What is missing is worth nothing,
// and of no price at all less than any.
func worthOf(bids []store.Row) func(store.Row) *big.Rat {
	decimal := func(column string) func(store.Row) *big.Rat {
		return func(r store.Row) *big.Rat {
			s, _ := r.Data[column].(string)
			if v, ok := new(big.Rat).SetString(s); ok {
				return v
			}
			return new(big.Rat)
		}
	}
	for _, column := range []string{"score", "discount"} {
		if matching(bids, column, "") > 0 {
			return decimal(column)
		}
	}
	if matching(bids, "price", "") == 0 {
		return decimal("score") // nothing is known: all are equal
	}
	return func(r store.Row) *big.Rat {
		cents, ok := r.Data["price"].(int64)
		if !ok {
			cents = math.MaxInt64
		}
		return new(big.Rat).SetInt64(-cents)
	}
}

// exclusionColumns are bidColumns and why a bid is excluded.
var exclusionColumns = map[string]map[string][]flow.Type{
	"bids": {"admission": {flow.TypeChoice}, "score": {flow.TypePercent}, "rank": {flow.TypeInt}, "reason": {flow.TypeText}},
}

// nextInRank excludes the first, for the reason that the event asks for, and moves the others up.
func nextInRank(f *Facts, _ any) (Changes, error) {
	var out Changes
	for _, r := range f.Rows["bids"] {
		rank, ok := r.Data["rank"].(int64)
		if !ok {
			continue
		}
		r.Data = r.Data.Clone()
		if rank == 1 {
			r.Data["admission"] = "excluded"
			delete(r.Data, "rank")
			if reason, given := f.Inputs["reason"]; given {
				r.Data["reason"] = reason
			}
		} else {
			r.Data["rank"] = rank - 1
		}
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}

// firstContractDay: art. 18 c. 3: the day after the last of the standstill, full days that no holiday moves; the day of the
// event itself when no standstill applies. What is not known spares none.
func firstContractDay(f *Facts, _ any) (Changes, error) {
	day := calendar.DateOf(f.Effective)
	no := standstillApplies(f)
	if no == nil || no.Code == "amount_unknown" {
		res, _, missing := f.DeadlineAfter(f.Effective, "standstill.days", "standstill")
		if missing != nil {
			return Changes{}, &Refused{Event: f.Event.ID, Refusals: []Refusal{*missing}}
		}
		day = res.LastDay.AddDays(1)
	} else if no.Code == "limit_missing" {
		return Changes{}, &Refused{Event: f.Event.ID, Refusals: []Refusal{*no}}
	}
	return Changes{Fields: store.Values{"contract_from": day.String()}}, nil
}

// moveLaterParam names dates or instants to move, and the moment since which time has been lost.
type moveLaterParam struct {
	Fields []string `yaml:"fields" flow:"field,instant|date"`
	Since  string   `yaml:"since" flow:"field,instant|date"`
}

// moveLater moves dates that were still to come at a moment of the case by the time that has gone by since, in whole days as a
// suspended term (calendar.Suspend), and on to the next day that is no Saturday, Sunday or holiday. Without that moment, or
// with no time lost, nothing moves.
func moveLater(f *Facts, params any) (Changes, error) {
	p, ok := params.(moveLaterParam)
	if !ok {
		return Changes{}, fmt.Errorf("move_later: parameters %T", params)
	}
	out := Changes{Fields: store.Values{}}
	since, ok := moment(f.Case.Data[p.Since])
	if !ok || !f.Effective.After(since) {
		return out, nil
	}
	for _, id := range p.Fields {
		b, filled := boundOf(f.Case.Data[id], Text{})
		if !filled || b.at.Before(since) {
			continue
		}
		if b.day {
			day := calendar.DateOf(b.at)
			day = day.AddDays(max(0, calendar.DateOf(f.Effective).Sub(calendar.DateOf(since))))
			out.Fields[id] = f.Holidays.NextWorkingDay(day).String()
			continue
		}
		at := calendar.Suspend(b.at, since, f.Effective)
		day := calendar.DateOf(at)
		at = calendar.Shift(at, f.Holidays.NextWorkingDay(day).Sub(day))
		v, err := flow.Parse(flow.TypeInstant, nil, at.Format(time.RFC3339Nano))
		if err != nil {
			return Changes{}, fmt.Errorf("move_later: %w", err)
		}
		out.Fields[id] = v
	}
	return out, nil
}

// sizeSubcontract: art. 119 c. 16: small is a subcontract below the share of the contract or below the amount of the law; the
// body then has half the days. What is not known is not small.
func sizeSubcontract(f *Facts, _ any) (Changes, error) {
	size := "ordinary"
	amount, known := f.Case.Data["amount"].(int64)
	small, no := f.Limit("subcontract.small_amount")
	share, none := f.Limit("subcontract.small_pct")
	if no = cmp.Or(no, none); no != nil {
		return Changes{}, &Refused{Event: f.Event.ID, Refusals: []Refusal{*no}}
	}
	within, err := compareAmount(amount, small)
	if err != nil {
		return Changes{}, err
	}
	contract, _ := f.parentData()["contract_amount"].(int64)
	below, err := belowShare(amount, contract, share)
	if err != nil {
		return Changes{}, err
	}
	if known && (within || below) {
		size = "small"
	}
	return Changes{Fields: store.Values{"size": size}}, nil
}

// belowShare compares an amount with a share of a whole, as the law compares; of an unknown whole nothing is a share.
func belowShare(amount, whole int64, l law.Limit) (bool, error) {
	part, err := l.Fraction()
	if err != nil {
		return false, err
	}
	part.Mul(part, big.NewRat(whole, 1))
	return whole > 0 && l.Op.Holds(big.NewRat(amount, 1).Cmp(part)), nil
}
