package jobs

import (
	"context"
	"log/slog"
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

// lanes are the channels that wait for each other: a webhook that hangs delays no mail.
var lanes = [][]string{{store.ChannelMail, store.ChannelPEC}, {store.ChannelWebhook}}

// SendNotices turns the outbox into notices and sends them, every so often until ctx ends: reminders, escalations, the outbox and digests in
// one loop, each lane of channels in its own. It returns when the rounds in progress are over.
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
	for _, channels := range lanes {
		all.Go(func() {
			repeat(ctx, every, func() {
				if err := sendDue(ctx, e, channels, log); err != nil && ctx.Err() == nil {
					log.Error("notices: due ones not read", "error", err)
				}
			})
		})
	}
	all.Wait()
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

// sendDue sends what is due on some channels, several at once, and waits for the end of all.
func sendDue(ctx context.Context, e *engine.Engine, channels []string, log *slog.Logger) error {
	ids, err := e.DueNotices(ctx, sentOnce, channels...)
	if err != nil {
		return err
	}
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
	return nil
}
