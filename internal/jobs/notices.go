package jobs

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

const (
	relayed  = 1000 // messages of the outbox made into notices in one transaction
	sentOnce = 200  // notices looked at in one round
	senders  = 8    // of them on their way at once, where the sweep sends by itself

	// overdue is how long a notice may wait in the queue before the sweep sends it by itself.
	overdue = 10 * time.Second
)

// mails are the channels that wait for each other.
var mails = []string{store.ChannelMail, store.ChannelPEC}

// SendNotices turns the outbox into notices and puts those that are due into the queue, every so often until ctx ends: reminders,
// escalations, the outbox and digests in one loop, mails in another, webhooks in a third. What the queue does not take, or has not
// sent in time, it sends by itself. It returns when the rounds in progress are over.
func (w *Worker) SendNotices(ctx context.Context, every time.Duration) {
	e, log := w.cfg.Engine, w.log
	var all sync.WaitGroup
	all.Go(func() {
		repeat(ctx, every, func() {
			for _, step := range []struct {
				what string
				run  func(context.Context) (int, error)
			}{
				{"reminders", e.RemindDue}, {"escalations", e.EscalateDue}, {"outbox", func(ctx context.Context) (int, error) { return expandAll(ctx, e) }}, {"digests", e.DigestDue},
			} {
				if n, err := step.run(ctx); err != nil && ctx.Err() == nil {
					log.Error("notices: step failed", "step", step.what, "error", err)
				} else if n > 0 {
					log.Debug("notices", "step", step.what, "count", n)
				}
			}
		})
	})
	hooks := &hookLane{w: w, busy: map[string]bool{}}
	for _, round := range []func(context.Context) error{w.mailRound, hooks.round} {
		all.Go(func() {
			repeat(ctx, every, func() {
				if err := round(ctx); err != nil && ctx.Err() == nil {
					log.Error("notices: due ones not read", "error", err)
				}
			})
		})
	}
	all.Wait()
	hooks.wait.Wait()
}

// repeat runs f at once and then every so often until ctx ends.
func repeat(ctx context.Context, every time.Duration, f func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		f()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// expandAll works until the outbox is empty.
func expandAll(ctx context.Context, e *engine.Engine) (int, error) {
	all := 0
	for {
		n, err := e.ExpandOutbox(ctx, relayed)
		all += n
		if err != nil || n < relayed {
			return all, err
		}
	}
}

// mailRound is one look at mails and certified mails.
func (w *Worker) mailRound(ctx context.Context) error {
	due, err := w.cfg.Engine.DueNotices(ctx, sentOnce, mails...)
	if err != nil {
		return err
	}
	w.sendAll(ctx, w.offer(ctx, due, ""))
	return nil
}

// hookLane looks after webhooks, each beside the others: one that hangs holds up nobody. To one that has not just answered it offers
// one message; when that arrives, the task asks for the others.
type hookLane struct {
	w    *Worker
	mu   sync.Mutex
	busy map[string]bool // called by this lane itself: left out until what was found for them has been tried
	wait sync.WaitGroup
}

func (h *hookLane) round(ctx context.Context) error {
	h.mu.Lock()
	but := slices.Sorted(maps.Keys(h.busy))
	h.mu.Unlock()
	due, err := h.w.cfg.Engine.DueHooks(ctx, sentOnce, but)
	if err != nil {
		return err
	}
	for target, all := range due {
		late := h.w.offer(ctx, all[:1], probing)
		if len(late) == 0 {
			continue
		}
		h.mu.Lock()
		h.busy[target] = true
		h.mu.Unlock()
		h.wait.Go(func() {
			// The first goes alone: when it fails the others are put off, and cost nothing.
			h.w.sendAll(ctx, all[:1])
			h.w.sendAll(ctx, all[1:])
			h.mu.Lock()
			delete(h.busy, target)
			h.mu.Unlock()
		})
	}
	return nil
}

// sendAll sends notices without the queue, several at once, and waits for the end of all.
func (w *Worker) sendAll(ctx context.Context, all []store.DueNotice) {
	var sending sync.WaitGroup
	slots := make(chan struct{}, senders)
	for _, n := range all {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			out, err := w.cfg.Engine.DeliverNotice(ctx, n.ID)
			if err != nil && ctx.Err() == nil {
				w.log.Error("notice not delivered", "notice", n.ID, "error", err)
			}
			if out.State == store.NoticeDead { // its task finds that, and stays where an administrator looks for what was given up
				n.Attempts++
				w.offer(ctx, []store.DueNotice{{ID: n.ID, Attempts: n.Attempts}}, "")
			}
		})
	}
	sending.Wait()
}
