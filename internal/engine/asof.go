package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// PastView is a case as it was, rebuilt from its story alone, and whether that story holds.
type PastView struct {
	CaseView
	At       time.Time // the instant asked for
	Seq      int64     // the last event of the tree recorded up to then
	Verified bool
	Broken   string // where the chain does not hold, in Italian
	Erased   bool   // personal data that the story told were erased since: what they filled is empty
}

// AsOf shows a case as it stood at an instant: state, fields, rows, documents, terms and the cases around it, rebuilt from the
// events recorded up to then. What is secret is what is secret for the reader today. Links and blocked terms are told as far as
// events tell them. It returns *Invalid when the instant is to come, or before the case began.
func (e *Engine) AsOf(ctx context.Context, who auth.Actor, id string, at time.Time) (PastView, error) {
	out := PastView{At: at.UTC()}
	var w *world
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		if at.After(tx.Now) {
			return &Invalid{[]Problem{problem("/at", "instant_future")}}
		}
		s, err := tx.Load(store.Want{Tree: true, Documents: true, Deadlines: true})
		if err != nil {
			return err
		}
		events, err := tx.History(0, 0)
		if err != nil {
			return err
		}
		out.Verified = true
		if broken := check(events, tx.Root, 0, 0); broken != nil {
			out.Verified, out.Broken = false, brokenText(broken)
		}
		past, err := e.rewind(s, events, &out)
		if err != nil {
			return err
		}
		if past.Cases[id] == nil {
			return &Invalid{[]Problem{problem("/at", "instant_before", "day", calendar.DateOf(tx.Case.OpenedAt).String())}}
		}
		w, err = e.newWorld(out.At, who, past)
		return err
	})
	if err != nil {
		return out, err
	}
	out.CaseView = w.view(w.nodes[id])
	out.Turn = nil
	links, err := e.links(ctx, who, id)
	out.Links = slices.DeleteFunc(links, func(l LinkView) bool { return l.At.After(out.At) })
	return out, err
}

// rewind makes a snapshot of the tree as its events up to the instant tell it; of the present one it takes what never changes.
func (e *Engine) rewind(now *store.Snapshot, events []store.Event, out *PastView) (*store.Snapshot, error) {
	told := map[string]*replayed{}
	for i := range events {
		h, err := audit.Parse(events[i].Header)
		if err != nil || h.At.After(out.At) {
			break // an unreadable header was said to break the chain
		}
		out.Seq = h.Seq
		if told[h.Case] == nil {
			told[h.Case] = &replayed{id: h.Case}
		}
		if err := told[h.Case].replay(h, sealed(&events[i]).Parts); err != nil {
			return nil, err
		}
	}
	past := &store.Snapshot{Cases: map[string]*store.Case{}}
	for id, c := range now.Cases {
		r := told[id]
		if r == nil {
			continue
		}
		out.Erased = out.Erased || r.erased
		was, err := e.pastCase(c, r)
		if err != nil {
			return nil, err
		}
		past.Cases[id] = was
		if err := r.addRows(past); err != nil {
			return nil, err
		}
		def, _ := e.lib.ByHash(was.Hash)
		for _, t := range r.deadlines {
			past.Deadlines = append(past.Deadlines, pastTerm(now.Deadlines, c, &t, def, out.At))
		}
	}
	for _, d := range now.Documents {
		if d.Seq <= out.Seq {
			past.Documents = append(past.Documents, d)
		}
	}
	return past, nil
}

// pastCase fills a case with what its story tells. Visited stays today's: it says what is secret today.
func (e *Engine) pastCase(c *store.Case, r *replayed) (*store.Case, error) {
	def, err := e.Definition(r.definition)
	if err != nil {
		return nil, err
	}
	was := *c
	was.Workflow, was.Version, was.Hash = def.Workflow, def.Version, def.Hash
	was.State, was.Previous, was.Revision = r.state, r.previous, r.revision
	was.OpenedAt, was.UpdatedAt, was.EndedAt, was.NextDue, was.ChainAt = r.opened, r.moved, nil, nil, nil
	was.Stage, was.Outcome = "", ""
	if st, ok := def.State(r.state); ok {
		was.Stage, was.Outcome = st.Stage, st.Final
	}
	if was.Outcome != "" {
		was.EndedAt = &r.entered
	}
	if r.born != nil { // older stories do not tell these: today's stand in for them
		was.RulesDate, was.Officer, was.RUP = r.rulesDate, r.officer, r.rup
	}
	if was.Data, err = r.values(); err != nil {
		return nil, err
	}
	text := func(id string) string { s, _ := was.Data[id].(string); return s }
	was.Title, was.CIG, was.CUP, was.Amount = text("title"), text("cig"), text("cup"), nil
	if cents, ok := was.Data["amount"].(int64); ok {
		was.Amount = &cents
	}
	return &was, nil
}

// addRows puts the rows of the registers into a snapshot, in their order.
func (r *replayed) addRows(s *store.Snapshot) error {
	first := len(s.Rows)
	for k, row := range r.rows {
		values, err := scalars(row.values)
		if err != nil {
			return err
		}
		s.Rows = append(s.Rows, store.Row{CaseID: r.id, Register: k.register, Row: k.row, Data: values, ChangedSeq: row.seq})
	}
	slices.SortFunc(s.Rows[first:], func(a, b store.Row) int {
		if c := strings.Compare(a.Register, b.Register); c != 0 {
			return c
		}
		return a.Row - b.Row
	})
	return nil
}

// pastTerm is a term as its last event up to the instant left it; how it was counted stands on today's row.
func pastTerm(all []store.Deadline, c *store.Case, t *replayedTerm, def *flow.Definition, at time.Time) store.Deadline {
	d := store.Deadline{CaseID: c.ID, Root: c.Root, MemberBody: c.MemberBody, SUA: c.SUA, Name: t.Name, StartedAt: t.effective, StartedSeq: t.Started, DueAt: t.Due}
	for _, x := range all {
		if x.CaseID == c.ID && x.Name == t.Name && (t.Started == 0 || x.StartedSeq == t.Started) {
			d = x
		}
	}
	d.BlockedBy, d.EndedAt, d.LastDay = nil, nil, t.LastDay
	if !t.Due.IsZero() {
		d.DueAt = t.Due
	}
	if d.Status = t.Status; def != nil {
		d.Status = t.status(def, at)
	}
	switch {
	case d.Status == store.Suspended:
		d.EndedAt = &t.effective
	case d.Status == store.Expired && t.Status == store.Running: // without an event
		d.EndedAt = &d.DueAt
	case d.Status != store.Running:
		d.EndedAt = &t.since
	}
	return d
}
