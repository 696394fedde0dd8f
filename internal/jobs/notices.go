package jobs

import (
	"context"
	"log/slog"
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
	senders  = 8    // of them on their way at once
)

// mails are the channels that wait for each other.
var mails = []string{store.ChannelMail, store.ChannelPEC}

// SendNotices turns the outbox into notices and sends them, every so often until ctx ends: reminders, escalations, the outbox and digests in
// one loop, mails in another, webhooks in a third. It returns when the rounds in progress are over.
func SendNotices(ctx context.Context, e *engine.Engine, every time.Duration, log *slog.Logger) {
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
	hooks := &hookLane{e: e, log: log, busy: map[string]bool{}}
	for _, round := range []func(context.Context) error{func(ctx context.Context) error { return sendDue(ctx, e, mails, log) }, hooks.round} {
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

// hookLane sends to webhooks, to each beside the others: one that hangs holds up nobody. A webhook that is being called is left out
// until what was found for it has been tried.
type hookLane struct {
	e    *engine.Engine
	log  *slog.Logger
	mu   sync.Mutex
	busy map[string]bool
	wait sync.WaitGroup
}

func (h *hookLane) round(ctx context.Context) error {
	h.mu.Lock()
	but := slices.Sorted(maps.Keys(h.busy))
	h.mu.Unlock()
	due, err := h.e.DueHooks(ctx, sentOnce, but)
	if err != nil {
		return err
	}
	for target, ids := range due {
		h.mu.Lock()
		h.busy[target] = true
		h.mu.Unlock()
		h.wait.Go(func() {
			// The first goes alone: when it fails the others are put off, and cost nothing.
			deliverAll(ctx, h.e, ids[:1], h.log)
			deliverAll(ctx, h.e, ids[1:], h.log)
			h.mu.Lock()
			delete(h.busy, target)
			h.mu.Unlock()
		})
	}
	return nil
}

// sendDue sends what is due on some channels, several at once, and waits for the end of all.
func sendDue(ctx context.Context, e *engine.Engine, channels []string, log *slog.Logger) error {
	ids, err := e.DueNotices(ctx, sentOnce, channels...)
	if err != nil {
		return err
	}
	deliverAll(ctx, e, ids, log)
	return nil
}

func deliverAll(ctx context.Context, e *engine.Engine, ids []string, log *slog.Logger) {
	var sending sync.WaitGroup
	slots := make(chan struct{}, senders)
	for _, id := range ids {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			if err := e.DeliverNotice(ctx, id); err != nil && ctx.Err() == nil {
				log.Error("notice not delivered", "notice", id, "error", err)
			}
		})
	}
	sending.Wait()
}
