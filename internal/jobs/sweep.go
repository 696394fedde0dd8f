// Package jobs runs what nobody clicks: today the sweep that applies due deadlines inside the serving process.
//
// It decides nothing: each job calls one use case of package engine, which decides from the database, so that running a job
// twice, late or in two processes changes nothing but lateness. Queues, notices and several workers come with a later issue.
package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// answersKept is how long the answer to a request with an idempotency key is remembered (design.md §4).
const answersKept = 7 * 24 * time.Hour

// Sweep applies due deadlines every so often until ctx ends, and once an hour forgets old answers. It returns when the run
// in progress is over.
func Sweep(ctx context.Context, e *engine.Engine, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		n, err := e.ExpireDue(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("deadlines not applied", "error", err)
		case n > 0:
			log.Info("deadlines applied", "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
			if err := e.ForgetAnswers(ctx, answersKept); err != nil {
				log.Error("old answers not forgotten", "error", err)
			}
		case <-tick.C:
		}
	}
}
