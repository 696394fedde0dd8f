package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	planEvery = 10 * time.Second // how often the queue is filled again from the database
	ahead     = time.Hour        // of the deadlines to come, how many stand in the queue
	patience  = time.Minute      // how long regular work waits for a Redis that does not answer, before it is done without

	// answersKept is how long the answer to a request with an idempotency key is remembered (design.md §4).
	answersKept = 7 * 24 * time.Hour

	dueKind     = "due"
	regularKind = "regular"
)

// dueKind is the task of a minute in which something is due.
func (w *Worker) dueKind() Kind {
	return Kind{Name: dueKind, Queue: Deadlines, Retries: 5, Timeout: 3 * time.Minute, Handle: w.settleMinute}
}

// settleMinute applies what is due within a minute. It may be called early: then it waits.
func (w *Worker) settleMinute(ctx context.Context, payload []byte) error {
	minute, err := time.Parse(time.RFC3339, string(payload))
	if err != nil {
		return fmt.Errorf("due: %w", err)
	}
	end := minute.Add(time.Minute)
	for {
		now, next, err := w.apply(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || !next.Before(end) {
			return nil
		}
		timer := time.NewTimer(max(again, next.Sub(now)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-w.stopped.Done(): // the next worker makes the task anew
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// regularKind is the task of one period of regular work.
func (w *Worker) regularKind() Kind {
	return Kind{Name: regularKind, Queue: Periodic, Retries: 5, Timeout: 10 * time.Minute, Handle: func(ctx context.Context, payload []byte) error {
		for _, r := range w.regular {
			if r.Name == string(payload) {
				return r.Run(ctx)
			}
		}
		return fmt.Errorf("regular: no work is called %q", payload)
	}}
}

func (w *Worker) forgetAnswers() Regular {
	return Regular{Name: "forget_answers", Every: time.Hour, Run: func(ctx context.Context) error { return w.cfg.Engine.ForgetAnswers(ctx, answersKept) }}
}

// plan fills the queue from the database, at the start and from then on, so that a Redis that forgot everything has it again.
func (w *Worker) plan(ctx context.Context) {
	tick := time.NewTicker(w.cfg.Plan)
	defer tick.Stop()
	p := planner{w: w, last: map[string]int64{}, refused: map[string]time.Time{}}
	for {
		p.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

type planner struct {
	w       *Worker
	down    bool
	last    map[string]int64     // regular work: the period that is taken care of
	refused map[string]time.Time // regular work: since when the queue does not take it
	checking
}

// round makes one task for each minute of the coming hour in which something is due, one for each document uploaded lately, and one
// for each period that has begun.
func (p *planner) round(ctx context.Context) {
	w := p.w
	now, err := w.cfg.Engine.Now(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.log.Error("queues not filled: the database does not answer", "error", err)
		}
		return
	}
	w.renewClient()
	err = errors.Join(p.minutes(ctx, now), p.documents(ctx, now))
	for _, r := range w.regular {
		if e := p.period(ctx, r, now); e != nil {
			err = e
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil && !p.down:
		w.log.Error("queues not filled: until Redis is back the sweep applies deadlines and sends notices", "error", err)
	case err == nil && p.down:
		w.log.Info("queues filled again")
	}
	if p.down = err != nil; !p.down {
		w.planned.Store(true)
	}
}

func (p *planner) minutes(ctx context.Context, now time.Time) error {
	for from := now; ; {
		next, found, err := p.w.cfg.Engine.NextDeadline(ctx, from)
		if err != nil {
			return err
		}
		if !found || next.After(now.Add(ahead)) {
			return nil
		}
		minute := next.Truncate(time.Minute)
		name := minute.Format(time.RFC3339)
		if err := p.w.Enqueue(ctx, dueKind, dueKind+":"+name, []byte(name), next, 0); err != nil {
			return err
		}
		from = minute.Add(time.Minute)
	}
}

// period puts regular work into the queue once in its period. The id is kept after the work is done: another worker that comes
// later finds it there.
func (p *planner) period(ctx context.Context, r Regular, now time.Time) error {
	n := now.Unix() / int64(r.Every/time.Second)
	if p.last[r.Name] == n {
		return nil
	}
	err := p.w.Enqueue(ctx, regularKind, r.Name+":"+strconv.FormatInt(n, 10), []byte(r.Name), time.Time{}, 2*r.Every)
	if err == nil {
		p.last[r.Name] = n
		delete(p.refused, r.Name)
		return nil
	}
	since, waiting := p.refused[r.Name]
	if !waiting {
		p.refused[r.Name] = now
		return err
	}
	if now.Sub(since) < patience {
		return err
	}
	if failed := r.Run(ctx); failed != nil {
		p.w.log.Error("regular work failed", "job", r.Name, "error", failed)
		return err
	}
	p.last[r.Name] = n
	return err
}
