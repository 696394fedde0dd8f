package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// NoticeKind is the kind of the tasks that send one notice by one channel. Payload: the id of its row. Before such a task is asked for
// again by hand, the row must be due again: a task of a notice that was given up finds nothing to do.
const NoticeKind = "notice"

const (
	documentKind = "document"
	// probing marks the task of a message to a webhook of which nobody knows whether it answers.
	probing = " probing"

	patienceQueue = 2 * time.Second // how long a Redis that does not answer may hold up what can be done without it
	recent        = 24 * time.Hour  // documents uploaded within are checked
	recentAtMost  = 1000
	recall        = 10 * time.Minute // how often all of them are offered again, in case the queue was emptied
)

// noticeKind is the task of one notice and channel. The row of the notice decides whether and when it is tried again; the queue follows.
func (w *Worker) noticeKind() Kind {
	return Kind{Name: NoticeKind, Queue: Notices, Retries: 10, Timeout: 2 * time.Minute, Handle: func(ctx context.Context, payload []byte) error {
		id, probe := strings.CutSuffix(string(payload), probing)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(w.stopped, cancel)() // a server that hangs must not hold up the end
		out, err := w.cfg.Engine.DeliverNotice(ctx, id)
		if probe {
			w.hooks.known(out.Target)
		}
		switch {
		case err != nil:
			return err
		case out.State == store.NoticeFailed:
			return &unsent{out.Error, out.Retries}
		case out.State == store.NoticeDead:
			return &hopeless{errors.New(out.Error)}
		case out.State == store.NoticeDelivered && probe:
			due, err := w.cfg.Engine.DueHook(ctx, sentOnce, out.Target)
			if err != nil {
				return nil // the sweep finds the others
			}
			w.offer(ctx, due, "")
		}
		return nil
	}}
}

// unsent says why a notice did not leave, and when it is due again by its row.
type unsent struct {
	why  string
	wait time.Duration
}

func (u *unsent) Error() string { return u.why }

// hopeless is an error after which another attempt makes no sense: the task goes to the dead letters.
type hopeless struct{ error }

// Is reports that asynq is not to try again.
func (h *hopeless) Is(target error) bool { return target == asynq.SkipRetry }

func (h *hopeless) Unwrap() error { return h.error }

// offer puts notices into the queue, each under an id for each attempt, and returns those to be sent without it: it does not take
// them, or has had them for too long.
func (w *Worker) offer(ctx context.Context, due []store.DueNotice, mark string) []store.DueNotice {
	var left []store.DueNotice
	for i, n := range due {
		asking, cancel := context.WithTimeout(ctx, patienceQueue)
		err := w.Enqueue(asking, NoticeKind, NoticeKind+":"+n.ID+":"+strconv.Itoa(n.Attempts), []byte(n.ID+mark), time.Time{}, 0)
		cancel()
		if err != nil { // the planner says that Redis is away
			return append(left, due[i:]...)
		}
		if n.Late > overdue {
			left = append(left, n)
		}
	}
	return left
}

// documentKind is the task that reads the bytes of one document again.
func (w *Worker) documentKind() Kind {
	return Kind{Name: documentKind, Queue: Documents, Retries: 5, Timeout: 5 * time.Minute, Handle: func(ctx context.Context, payload []byte) error {
		err := w.cfg.Engine.CheckDocument(ctx, string(payload))
		var damaged *engine.DamagedDocument
		if errors.As(err, &damaged) {
			return &hopeless{err}
		}
		return err
	}}
}

// checking is what a planner remembers of the documents that it has offered.
type checking struct {
	offered map[string]bool
	since   time.Time
}

// documents makes one task for each document uploaded lately. Its id is kept after the check, so that it is checked once.
func (p *planner) documents(ctx context.Context, now time.Time) error {
	c := &p.checking
	if c.offered == nil || p.down || now.Sub(c.since) >= recall {
		c.offered, c.since = map[string]bool{}, now
	}
	ids, err := p.w.cfg.Engine.RecentDocuments(ctx, recent, recentAtMost)
	if err != nil {
		return fmt.Errorf("documents to check: %w", err)
	}
	for _, id := range ids {
		if c.offered[id] {
			continue
		}
		if err := p.w.Enqueue(ctx, documentKind, documentKind+":"+id, []byte(id), time.Time{}, 2*recent); err != nil {
			return err
		}
		c.offered[id] = true
	}
	return nil
}
