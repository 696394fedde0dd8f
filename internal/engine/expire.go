package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// clockwork is on whose account terms expire.
var clockwork = auth.System("deadlines")

// Of due deadlines so many are picked at once, and the trees of so many are locked and written in one transaction: enough that
// its start and end cost little, few enough that nobody waits long for one of these trees.
const (
	duePage    = 1000
	batchTrees = 200
	lanes      = 2 // batches at once: while the database writes one, the next is decided
)

// retryFailed is how long a deadline waits that could not be applied because of a fault, so that it keeps none of the others.
const retryFailed = time.Minute

// ExpireDue applies the deadlines whose time has come and returns how many it applied. Each is decided from the database
// under the lock of its tree: calling it twice, late or from several processes changes nothing but lateness. A deadline that
// fails is logged and tried again a little later, one whose tree somebody else has locked at the next call; the others go on.
func (e *Engine) ExpireDue(ctx context.Context) (int, error) {
	applied := 0
	for { // what was applied may have started terms that are over too
		n, err := e.expirePass(ctx)
		applied += n
		if err != nil || n == 0 {
			return applied, err
		}
	}
}

// expirePass goes once through everything that is due.
func (e *Engine) expirePass(ctx context.Context) (applied int, err error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return 0, err
	}
	var after store.Try
	for {
		page, err := e.db.Due(ctx, now, after, duePage)
		if err != nil {
			return applied, fmt.Errorf("read due deadlines: %w", err)
		}
		if len(page) == 0 {
			return applied, nil
		}
		after = page[len(page)-1]
		for len(page) > 0 {
			var round []store.Try
			round, page = onePerTree(page)
			n, err := e.expireRound(ctx, round)
			applied += n
			if err != nil {
				return applied, err
			}
		}
	}
}

// onePerTree takes the first deadline of each tree and leaves the rest in order.
func onePerTree(page []store.Try) (round, rest []store.Try) {
	seen := make(map[string]bool, len(page))
	for _, t := range page {
		if !seen[t.Root] {
			seen[t.Root] = true
			round = append(round, t)
		} else {
			rest = append(rest, t)
		}
	}
	return round, rest
}

// expireRound applies deadlines of different trees, some batches at once.
func (e *Engine) expireRound(ctx context.Context, round []store.Try) (int, error) {
	batches := slices.Collect(slices.Chunk(round, batchTrees))
	var applied atomic.Int64
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, lanes)
	for lane := range min(lanes, len(batches)) {
		wait.Go(func() {
			for errs[lane] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(batches) {
					return
				}
				var n int
				n, errs[lane] = e.expireBatch(ctx, batches[i])
				applied.Add(int64(n))
			}
		})
	}
	wait.Wait()
	return int(applied.Load()), errors.Join(errs...)
}

// expireBatch applies deadlines of as many trees. When the database refuses what one of them writes, the halves are tried, down
// to the one that is to blame.
func (e *Engine) expireBatch(ctx context.Context, batch []store.Try) (int, error) {
	n, err := e.applyDue(ctx, batch, false)
	if err == nil {
		return n, nil
	}
	if ctx.Err() != nil || store.Away(err) || store.Full(err) || e.db.Ping(ctx) != nil {
		return 0, err // no deadline is to blame: all are due still, and the next look finds them
	}
	if len(batch) == 1 {
		return 0, e.putOff(ctx, batch[0], err)
	}
	half := len(batch) / 2
	n, err = e.expireBatch(ctx, batch[:half])
	if err != nil {
		return n, err
	}
	m, err := e.expireBatch(ctx, batch[half:])
	return n + m, err
}

// putOff leaves a deadline that failed for later, in a transaction of its own.
func (e *Engine) putOff(ctx context.Context, t store.Try, why error) error {
	return e.db.UpdateTrees(ctx, []store.Try{t}, true, func(tx *store.Tx, _ store.Trees) error {
		e.failed(tx, t, why)
		return nil
	})
}

func (e *Engine) failed(tx *store.Tx, t store.Try, why error) {
	tx.PutOff(t.ID, tx.Now.Add(retryFailed))
	e.cfg.Log.Error("deadline not applied", "deadline", t.ID, "case", t.CaseID, "again_in", retryFailed, "error", why)
}

// applyDue locks the trees of the deadlines, reads everything again, decides each tree in a world of its own and writes them
// together. It returns how many it applied; the others turned out to be over, moved or not yet due, failed and were put off, or
// stand in a tree that somebody else has locked and that it was not to wait for.
func (e *Engine) applyDue(ctx context.Context, batch []store.Try, wait bool) (int, error) {
	applied := 0
	err := e.db.UpdateTrees(ctx, batch, wait, func(tx *store.Tx, trees store.Trees) error {
		mine, targets := e.dueTargets(tx, batch, trees)
		found, err := tx.LoadTrees(trees, targets)
		if err != nil {
			return err
		}
		for _, t := range mine {
			before := tx.Queued()
			done, err := e.applyOne(tx, found[t.Root], t)
			if err != nil {
				tx.Unqueue(before)
				e.failed(tx, t, err)
			} else if done {
				applied++
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return applied, nil
}

// dueTargets keeps the deadlines whose tree is locked and says what to read for each. One whose definition is not there fails.
func (e *Engine) dueTargets(tx *store.Tx, batch []store.Try, trees store.Trees) ([]store.Try, []store.Target) {
	wants := map[string]store.Want{}
	mine := make([]store.Try, 0, len(trees.Roots))
	targets := make([]store.Target, 0, len(trees.Roots))
	for _, t := range batch {
		c := trees.Cases[t.CaseID]
		if c == nil {
			continue
		}
		want, ok := wants[c.Hash]
		if !ok {
			def, err := e.Definition(c.Hash)
			if err != nil {
				e.failed(tx, t, err)
				continue
			}
			want = wanted(dueNeeds(def))
			wants[c.Hash] = want
		}
		mine, targets = append(mine, t), append(targets, store.Target{Case: c, Want: want})
	}
	return mine, targets
}

// dueNeeds is what the deadlines of a definition need to be decided.
func dueNeeds(def *flow.Definition) flow.Needs {
	needs := flow.Needs{What: flow.NeedDeadlines}
	for _, decl := range def.Deadlines {
		if ev, ok := def.Event(decl.Fire); ok {
			needs = flow.Needs{What: needs.What | ev.Needs.What, Tree: needs.Tree || ev.Needs.Tree}
		}
		for _, g := range decl.BlockedBy {
			needs.What |= guards[g.Name].NeedsOf(g.Params)
		}
	}
	return needs
}

// applyOne decides one deadline in what was read of its tree and queues what follows. It reports false when there is nothing to
// apply any more.
func (e *Engine) applyOne(tx *store.Tx, s *store.Snapshot, t store.Try) (bool, error) {
	w, n, d, err := e.dueIn(tx, s.Copy(), t)
	if err != nil || d == nil {
		return false, err
	}
	decl, ok := n.def.Deadline(d.Name)
	if !ok {
		return false, fmt.Errorf("deadline %s is not in %s v%d", d.Name, n.def.Workflow, n.def.Version)
	}
	if no := w.blocked(n, decl, d); no != nil {
		return true, w.block(tx, n, d, no)
	}
	err = w.expireNow(n, decl, d)
	var refused *Refused
	if errors.As(err, &refused) { // a child or the parent stands in the way: this world is thrown away unwritten, and another only blocks the term
		if w, n, d, err = e.dueIn(tx, s, t); err != nil {
			return false, err
		}
		return true, w.block(tx, n, d, &refused.Refusals[0])
	}
	if err != nil {
		return false, err
	}
	return true, w.record(tx, nil, nil)
}

// dueIn finds the deadline in a world made of what was read under the lock; nil when it is not to be applied now.
func (e *Engine) dueIn(tx *store.Tx, s *store.Snapshot, t store.Try) (*world, *node, *store.Deadline, error) {
	w, err := e.newWorld(tx.Now, clockwork, s)
	if err != nil {
		return nil, nil, nil, err
	}
	n := w.nodes[t.CaseID]
	for _, d := range n.deadlines {
		if d.ID == t.ID && (d.Status == store.Running || d.Status == store.Blocked) && !d.DueAt.After(tx.Now) && !d.NextTry.After(tx.Now) {
			return w, n, d, nil
		}
	}
	return w, n, nil, nil
}

// overTerms are the terms that were already over when they began: what was recorded late.
func (w *world) overTerms() []store.Try {
	var out []store.Try
	for _, n := range w.nodes {
		for _, d := range n.newDeadlines {
			if !d.DueAt.After(w.now) {
				out = append(out, store.Try{ID: d.ID, CaseID: d.CaseID, Root: d.Root, NextTry: d.NextTry})
			}
		}
	}
	return out
}

// expireNowOver applies such terms at once, after the commit that recorded them; what fails is left to the sweep.
func (e *Engine) expireNowOver(ctx context.Context, over []store.Try) {
	for _, t := range over {
		if _, err := e.applyDue(ctx, []store.Try{t}, true); err != nil {
			e.cfg.Log.Warn("term already over left to the sweep", "deadline", t.ID, "error", err)
		}
	}
}

// expireTree applies the terms of a tree whose time has come, waiting for its lock, and returns how many. One that was put off for a
// fault or is held back is left to its next time.
func (e *Engine) expireTree(ctx context.Context, root string, now time.Time) (applied int, err error) {
	for { // what was applied may have started terms that are over too
		due, err := e.db.DueOf(ctx, root, now)
		if err != nil {
			return applied, fmt.Errorf("read due deadlines: %w", err)
		}
		n := 0
		for _, t := range due {
			k, err := e.applyDue(ctx, []store.Try{t}, true)
			if err != nil && ctx.Err() == nil && !store.Away(err) && !store.Full(err) {
				err = e.putOff(ctx, t, err) // a fault of one term must not keep people from the case
			}
			if err != nil {
				return applied, err
			}
			n += k
		}
		if applied += n; n == 0 {
			return applied, nil
		}
	}
}

// NextDeadline is the soonest instant, not before from, at which a deadline is to be looked at; false when there is none.
func (e *Engine) NextDeadline(ctx context.Context, from time.Time) (time.Time, bool, error) {
	return e.db.NextTry(ctx, from)
}

// NextDue is the first instant at which ExpireDue would find a running deadline over; zero when none runs.
func (e *Engine) NextDue(ctx context.Context) (time.Time, error) { return e.db.NextDue(ctx) }

// OverdueDeadlines counts, up to most, the deadlines that wait to be looked at now, and says since when the first does.
func (e *Engine) OverdueDeadlines(ctx context.Context, most int) (n int, oldest time.Time, err error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return 0, oldest, err
	}
	return e.db.Overdue(ctx, now, most)
}

// OnDeadline has f told, after each commit of this process that wrote live deadlines, when the soonest of them is to be looked
// at. f must not wait; nil ends it.
func (e *Engine) OnDeadline(f func(nextTry time.Time)) { e.db.OnDeadline(f) }

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
	reason, err := json.Marshal(heldBack{Refusal: *no, Plain: len(no.rests) == 0, Rests: no.rests})
	if err != nil {
		return fmt.Errorf("block deadline: %w", err)
	}
	first := d.Status != store.Blocked
	d.Status, d.BlockedBy, d.NextTry = store.Blocked, reason, tx.Now.Add(retryBlocked)
	w.touch(n, nil, d)
	if first {
		h := &happening{event: d.Name, seq: d.StartedSeq}
		w.notify(n, h, "deadline_blocked", []string{"sua_clerk", "sua_director"})
	}
	return w.record(tx, nil, nil)
}

// expireNow ends the deadline and makes what it promises happen, with effect from the instant at which the term was over.
func (w *world) expireNow(n *node, decl *flow.Deadline, d *store.Deadline) error {
	w.endTerm(n, nil, d, store.Expired)
	if decl.Fire == "" {
		w.notify(n, &happening{event: d.Name, seq: d.StartedSeq}, "deadline_expired", decl.Alert)
		return nil
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
	h.story.Deadlines = append(h.story.Deadlines, changeOf(d))
	if len(decl.Alert) > 0 {
		w.notify(n, h, "deadline_expired", decl.Alert)
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
