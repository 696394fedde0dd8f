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
	relayed  = 250 // messages of the outbox made into notices in one transaction
	sentOnce = 200 // notices looked at in one round
	senders  = 8   // of them on their way at once, where the sweep sends by itself

	// overdue is how long a notice may wait in the queue before the sweep sends it by itself.
	overdue = 10 * time.Second
	// probed is how long a webhook is left alone after one message to it was queued and nobody said what became of it: another
	// process may be calling.
	probed = 20 * time.Second
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
	for _, round := range []func(context.Context) error{w.mailRound, w.hookRound} {
		all.Go(func() {
			repeat(ctx, every, func() {
				if err := round(ctx); err != nil && ctx.Err() == nil {
					log.Error("notices: due ones not read", "error", err)
				}
			})
		})
	}
	all.Wait()
	w.hooks.wait.Wait()
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

// rest waits, and reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// expandAll works off what waits in the outbox: in small parts, and after each it rests twice as long as that took. Whoever waits for an
// answer meanwhile hardly notices; a worker that kept a processor for a tenth of a second would make the slowest answers a third slower.
func expandAll(ctx context.Context, e *engine.Engine) (int, error) {
	start := time.Now()
	return e.ExpandAll(ctx, relayed, func() bool {
		goes := rest(ctx, 2*time.Since(start))
		start = time.Now()
		return goes
	})
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

// hookLane remembers which webhooks are being called, to see whether they answer: nothing else is sent to them until that is known,
// and one that hangs holds up nobody.
type hookLane struct {
	mu   sync.Mutex
	busy map[string]*hookCall
	wait sync.WaitGroup
}

type hookCall struct{ queued bool } // else called by the lane itself

// begin marks a webhook as being called; the function returned takes this mark away, and no later one.
func (h *hookLane) begin(target string, queued bool) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy == nil {
		h.busy = map[string]*hookCall{}
	}
	call := &hookCall{queued}
	h.busy[target] = call
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.busy[target] == call {
			delete(h.busy, target)
		}
	}
}

// known takes the mark of a queued call away: it is over.
func (h *hookLane) known(target string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if call := h.busy[target]; call != nil && call.queued {
		delete(h.busy, target)
	}
}

func (h *hookLane) called() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.busy))
}

// hookRound is one look at messages to webhooks. To each it offers one; when that arrives, its task asks for the others.
func (w *Worker) hookRound(ctx context.Context) error {
	h := &w.hooks
	due, err := w.cfg.Engine.DueHooks(ctx, sentOnce, h.called())
	if err != nil {
		return err
	}
	for target, all := range due {
		end := h.begin(target, true) // before the offer: its task may be over before the offer returns
		if late := w.offer(ctx, all[:1], probing); len(late) == 0 {
			time.AfterFunc(probed, end)
			continue
		}
		end = h.begin(target, false)
		h.wait.Go(func() {
			defer end()
			// The first goes alone: when it fails the others are put off, and cost nothing.
			w.sendAll(ctx, all[:1])
			w.sendAll(ctx, all[1:])
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
