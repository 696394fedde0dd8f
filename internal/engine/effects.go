package engine

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/province-comuni/sua/internal/flow"
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
			Word:  flow.Word{Needs: flow.NeedRows, Registers: bidColumns, Doc: Text{IT: "scorre la graduatoria", EN: "moves to the next ranked"}},
			Apply: nextInRank,
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

// rankBids orders the admitted bids by score, highest first; equal scores share a rank, to be settled by draw.
func rankBids(f *Facts, _ any) (Changes, error) {
	score := func(r store.Row) *big.Rat {
		s, _ := r.Data["score"].(string)
		v, ok := new(big.Rat).SetString(s)
		if !ok {
			return new(big.Rat)
		}
		return v
	}
	var admitted []store.Row
	for _, r := range f.Rows["bids"] {
		if r.Data["admission"] != "excluded" {
			admitted = append(admitted, r)
		}
	}
	slices.SortStableFunc(admitted, func(a, b store.Row) int {
		return cmp.Or(score(b).Cmp(score(a)), cmp.Compare(a.Row, b.Row))
	})
	var out Changes
	for i, r := range admitted {
		rank := int64(i + 1)
		if i > 0 && score(admitted[i-1]).Cmp(score(r)) == 0 {
			rank = out.Rows[i-1].Data["rank"].(int64) // set just above
		}
		r.Data = r.Data.Clone()
		r.Data["rank"] = rank
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}

// nextInRank excludes the first and moves the others up.
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
		} else {
			r.Data["rank"] = rank - 1
		}
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}
