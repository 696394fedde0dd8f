package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// clockwork is on whose account terms expire.
var clockwork = auth.System("deadlines")

// ExpireDue applies the deadlines whose time has come and returns how many it applied. Each is decided from the database
// under the lock of its tree: calling it twice, late or from several processes changes nothing but lateness. A deadline that
// fails is logged and left for the next call; the others go on.
func (e *Engine) ExpireDue(ctx context.Context) (int, error) {
	applied := 0
	settled := map[string]bool{} // failed, or not to be applied after all: not looked at again in this call
	for {
		now, err := e.db.Now(ctx)
		if err != nil {
			return applied, err
		}
		due, err := e.db.Due(ctx, now, 100)
		if err != nil {
			return applied, fmt.Errorf("read due deadlines: %w", err)
		}
		progress := false
		for _, d := range due {
			if settled[d.ID] {
				continue
			}
			done, err := e.expire(ctx, d.CaseID, d.ID)
			if err != nil {
				if ctx.Err() != nil {
					return applied, err
				}
				settled[d.ID] = true
				e.cfg.Log.Error("deadline not applied", "deadline", d.ID, "case", d.CaseID, "error", err)
				continue
			}
			if !done {
				settled[d.ID] = true
				continue
			}
			applied++
			progress = true
		}
		if !progress {
			return applied, nil
		}
	}
}

// NextDue is the first instant at which ExpireDue would find a running deadline over; zero when none runs.
func (e *Engine) NextDue(ctx context.Context) (time.Time, error) { return e.db.NextDue(ctx) }

// overTerms are the terms that were already over when they began: what was recorded late.
func (w *world) overTerms() []*store.Deadline {
	var out []*store.Deadline
	for _, n := range w.nodes {
		for _, d := range n.newDeadlines {
			if !d.DueAt.After(w.now) {
				out = append(out, d)
			}
		}
	}
	return out
}

// expireNowOver applies such terms at once, after the commit that recorded them; what fails is left to the sweep.
func (e *Engine) expireNowOver(ctx context.Context, over []*store.Deadline) {
	for _, d := range over {
		if _, err := e.expire(ctx, d.CaseID, d.ID); err != nil {
			e.cfg.Log.Warn("term already over left to the sweep", "deadline", d.ID, "error", err)
		}
	}
}

// expire applies one deadline: fires its event, alerts, or blocks with a reason. It reports false when the deadline turned out
// to be over, moved or not yet due.
func (e *Engine) expire(ctx context.Context, caseID, id string) (bool, error) {
	done := false
	err := e.db.Update(ctx, store.Everything, caseID, nil, func(tx *store.Tx) error {
		w, n, d, err := e.loadDeadline(tx, id)
		if err != nil || d == nil {
			return err
		}
		done = true
		decl, ok := n.def.Deadline(d.Name)
		if !ok {
			return fmt.Errorf("deadline %s is not in %s v%d", d.Name, n.def.Workflow, n.def.Version)
		}
		if no := w.blocked(n, decl, d); no != nil {
			return w.block(tx, n, d, no)
		}
		err = w.expireNow(n, decl, d)
		var refused *Refused
		if errors.As(err, &refused) { // a child or the parent stands in the way: this world is thrown away unwritten, and another only blocks the term
			w, n, d, err = e.loadDeadline(tx, id)
			if err != nil {
				return err
			}
			return w.block(tx, n, d, &refused.Refusals[0])
		}
		if err != nil {
			return err
		}
		return w.record(tx, nil, nil)
	})
	return done, err
}

// loadDeadline reads a deadline again, under the lock, with what its event needs; nil when it is no longer to be applied.
func (e *Engine) loadDeadline(tx *store.Tx, id string) (*world, *node, *store.Deadline, error) {
	def, err := e.Definition(tx.Case.Hash)
	if err != nil {
		return nil, nil, nil, err
	}
	needs := flow.Needs{What: flow.NeedDeadlines}
	for _, decl := range def.Deadlines {
		if ev, ok := def.Event(decl.Fire); ok {
			needs = flow.Needs{What: needs.What | ev.Needs.What, Tree: needs.Tree || ev.Needs.Tree}
		}
		for _, g := range decl.BlockedBy {
			needs.What |= guards[g.Name].NeedsOf(g.Params)
		}
	}
	w, n, err := e.loadNeeds(tx, clockwork, needs)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, d := range n.deadlines {
		if d.ID == id && (d.Status == store.Running || d.Status == store.Blocked) && !d.DueAt.After(tx.Now) {
			return w, n, d, nil
		}
	}
	return w, n, nil, nil
}

// blocked returns what lawfully holds the deadline back, or nil.
func (w *world) blocked(n *node, decl *flow.Deadline, d *store.Deadline) *Refusal {
	if len(decl.BlockedBy) == 0 {
		return nil
	}
	ev, ok := n.def.Event(decl.Fire)
	if !ok {
		return nil
	}
	draft := *n.c
	f := w.facts(n, &step{n: n, ev: ev, effective: d.DueAt, draft: &draft, rows: n.rows})
	if no := f.check(decl.BlockedBy, false); len(no) > 0 {
		return &no[0]
	}
	return nil
}

// block marks the deadline, alerts once, and lets it be tried again.
func (w *world) block(tx *store.Tx, n *node, d *store.Deadline, no *Refusal) error {
	reason, err := json.Marshal(no)
	if err != nil {
		return fmt.Errorf("block deadline: %w", err)
	}
	first := d.Status != store.Blocked
	d.Status, d.BlockedBy, d.NextTry = store.Blocked, reason, tx.Now.Add(retryBlocked)
	w.touch(n, nil, d)
	if first {
		h := &happening{event: d.Name, seq: d.StartedSeq}
		if err := w.notify(n, h, "deadline_blocked", []string{"sua_clerk", "sua_director"}); err != nil {
			return err
		}
	}
	return w.record(tx, nil, nil)
}

// expireNow ends the deadline and makes what it promises happen, with effect from the instant at which the term was over.
func (w *world) expireNow(n *node, decl *flow.Deadline, d *store.Deadline) error {
	w.endTerm(n, nil, d, store.Expired)
	if decl.Fire == "" {
		return w.notify(n, &happening{event: d.Name, seq: d.StartedSeq}, "deadline_expired", decl.Alert)
	}
	ev, ok := n.def.Event(decl.Fire)
	if !ok {
		return fmt.Errorf("deadline %s fires unknown event %s", d.Name, decl.Fire)
	}
	s, err := w.prepare(n, ev, ask{effective: latest(d.DueAt, d.StartedAt), by: by{role: "system", cause: d.StartedSeq}})
	if err != nil {
		return err
	}
	if len(s.refusals) > 0 {
		return &Refused{Event: ev.ID, Refusals: s.refusals}
	}
	h, err := w.commit(s)
	if err != nil {
		return err
	}
	h.story.Deadline = d.Name
	h.story.Deadlines = append(h.story.Deadlines, DeadlineChange{Name: d.Name, Status: store.Expired, LastDay: d.LastDay})
	if len(decl.Alert) > 0 {
		return w.notify(n, h, "deadline_expired", decl.Alert)
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ForgetAnswers drops the answers to repeatable requests that are older than keep.
func (e *Engine) ForgetAnswers(ctx context.Context, keep time.Duration) error {
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	return e.db.ForgetAnswers(ctx, now.Add(-keep))
}
