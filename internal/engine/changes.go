package engine

import (
	"context"
	"strconv"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// Change is an event with its number in the one sequence of all events, as the actor may read it.
type Change struct {
	N        int64
	Root     string
	Workflow string // of the case
	HistoryItem
}

// ChangeQuery selects changes.
type ChangeQuery struct {
	After    int64  // Next of the page before; 0: from the first event
	Workflow string // empty: all
	Case     string // a case, or with its root the whole tree; empty: all
	Limit    int    // 1 … MaxPage; 0 is 100
}

// ChangePage is part of the sequence. Next is the highest number looked at, also past events that the actor may not see: whoever
// asks again from there misses nothing and gets nothing twice. Last is the highest number there is: with Next == Last there is no more for now.
type ChangePage struct {
	Items      []Change
	Next, Last int64
}

// nearby finds cases in sight beside those read already: few events need one.
func (e *Engine) nearby(ctx context.Context, who auth.Actor, cases map[string]*store.Case) func(id string) *store.Case {
	return func(id string) *store.Case {
		if c, ok := cases[id]; ok {
			return c
		}
		more, err := e.db.CasesByID(ctx, scope(who), []string{id})
		if err != nil { // what cannot be looked at is not seen
			e.cfg.Log.Error("case unreadable", "case", id, "error", err)
		}
		return more[id]
	}
}

// Changes tells what happened since a number, in the order of the one sequence. Committed events are numbered first, so that one's own
// act is there at the next call unless an older transaction is still open. ErrNotFound: the case of the filter is not in sight.
// *Invalid: the number is higher than any there is.
//
// What is secret when it is read is left out (Hidden) and not told again when it opens: the history of the case has it then.
func (e *Engine) Changes(ctx context.Context, who auth.Actor, q ChangeQuery) (ChangePage, error) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return ChangePage{}, &Invalid{[]Problem{problem("/limit", "limit_range", "max", strconv.Itoa(MaxPage))}}
	}
	if q.Case != "" {
		if err := e.db.Peek(ctx, scope(who), q.Case, func(*store.Tx) error { return nil }); err != nil {
			return ChangePage{}, err
		}
	}
	if _, err := e.Sequence(ctx); err != nil {
		return ChangePage{}, err
	}
	page, err := e.db.Changes(ctx, scope(who), store.ChangeFilter{After: q.After, Workflow: q.Workflow, Case: q.Case, Limit: q.Limit})
	if err != nil {
		return ChangePage{}, err
	}
	if q.After > page.Last { // in silence the caller would wait for what is long past
		return ChangePage{}, &Invalid{[]Problem{problem("/after", "after_beyond", "last", strconv.FormatInt(page.Last, 10))}}
	}
	ids := make([]string, len(page.Items))
	for i := range page.Items {
		ids[i] = page.Items[i].CaseID
	}
	cases, err := e.db.CasesByID(ctx, scope(who), ids)
	if err != nil {
		return ChangePage{}, err
	}
	near := e.nearby(ctx, who, cases)
	out := ChangePage{Next: page.Next, Last: page.Last}
	for i := range page.Items {
		c, ok := cases[page.Items[i].CaseID]
		if !ok {
			continue
		}
		item, err := e.tell(&page.Items[i].Event, c, look(who, c).among(near))
		if err != nil { // damaged behind our back: the number stays, the history of the case says what is wrong
			e.cfg.Log.Error("event unreadable", "n", page.Items[i].N, "case", c.ID, "error", err)
			continue
		}
		out.Items = append(out.Items, Change{N: page.Items[i].N, Root: page.Items[i].Root, Workflow: c.Workflow, HistoryItem: item})
	}
	return out, nil
}
