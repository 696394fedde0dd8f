package jobs

import (
	"context"
	"sync"
	"time"
)

const (
	// grace is how far back the soonest deadline is looked for after a look: one that the database's clock, read again under the
	// lock, found not yet due, or whose tree somebody had locked, is tried again at once and not at the next sweep.
	grace = 100 * time.Millisecond
	again = 15 * time.Millisecond
)

// alarm wakes the sweep when a deadline is written that comes sooner than it means to look.
type alarm struct {
	mu   sync.Mutex
	next time.Time // when the sweep looks again; zero while it is looking
	ring chan struct{}
}

// written is told by the engine of the soonest deadline of a commit.
func (a *alarm) written(at time.Time) {
	a.mu.Lock()
	sooner := a.next.IsZero() || at.Before(a.next)
	a.mu.Unlock()
	if sooner {
		select {
		case a.ring <- struct{}{}:
		default: // it will look anyway
		}
	}
}

func (a *alarm) set(next time.Time) {
	a.mu.Lock()
	a.next = next
	a.mu.Unlock()
}

// sweep applies deadlines the moment they are due, as far as this process knows of them, and looks every so often for the
// others, until ctx ends.
func (w *Worker) sweep(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.alarm.ring:
		case <-timer.C:
		}
		w.alarm.set(time.Time{})
		now, next, err := w.apply(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Error("deadlines not applied", "error", err)
		}
		pause := w.cfg.Every
		if !next.IsZero() {
			pause = min(pause, max(again, next.Sub(now)))
		}
		if err == nil {
			w.alarm.set(now.Add(pause))
		}
		timer.Reset(pause)
	}
}

// apply applies what is due. It returns the time, and when the next deadline is to be looked at: zero when there is none.
func (w *Worker) apply(ctx context.Context) (now, next time.Time, err error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return now, next, ctx.Err()
	}
	e := w.cfg.Engine
	before, err := e.Now(ctx)
	if err != nil {
		return now, next, err
	}
	n, err := e.ExpireDue(ctx)
	if n > 0 {
		w.log.Info("deadlines applied", "count", n)
	}
	if err != nil {
		return now, next, err
	}
	next, found, err := e.NextDeadline(ctx, before.Add(-grace))
	if err != nil {
		return now, next, err
	}
	if now, err = e.Now(ctx); err != nil || !found {
		next = time.Time{}
	}
	return now, next, err
}
