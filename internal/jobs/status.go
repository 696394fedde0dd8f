package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Status is what an administrator sees of the queues.
type Status struct {
	Queues  []Queue   `json:"queues"`
	Workers []Process `json:"workers"`
	Retries []Letter  `json:"retries"` // failed, to be tried again
	Dead    []Letter  `json:"dead"`    // given up
}

// Queue counts the tasks of a queue.
type Queue struct {
	Name      string `json:"name"`
	Weight    int    `json:"weight"`
	Pending   int    `json:"pending"`
	Active    int    `json:"active"`
	Scheduled int    `json:"scheduled"`
	Retry     int    `json:"retry"`
	Dead      int    `json:"dead"`
	// Latency is how long the oldest pending task has waited, in seconds.
	Latency float64 `json:"latency_seconds"`
}

// Process is a worker at work.
type Process struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Busy    int       `json:"busy"`
}

// Letter is a task that failed.
type Letter struct {
	ID     string     `json:"id"`
	Queue  string     `json:"queue"`
	Job    string     `json:"job"`
	Tried  int        `json:"tried"`
	Error  string     `json:"error"`
	Failed time.Time  `json:"failed"`
	Next   *time.Time `json:"next,omitempty"` // nil when it was given up
}

// lettersShown bounds each list of a Status; the counts of the queues are whole.
const lettersShown = 100

// ErrNoLetter: no failed task has this id.
var ErrNoLetter = errors.New("no failed job has this id")

// Look reads the queues at an address. An error is for a Redis that does not answer.
func Look(ctx context.Context, address string) (s Status, err error) {
	inspector, err := inspect(ctx, address)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, inspector.Close()) }()
	s = Status{Workers: []Process{}, Retries: []Letter{}, Dead: []Letter{}}
	all := weights()
	used, err := inspector.Queues()
	if err != nil {
		return s, fmt.Errorf("queues: %w", err)
	}
	for _, name := range slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b)) }) {
		q := Queue{Name: name, Weight: all[name]}
		if !slices.Contains(used, name) { // nothing was ever put into it
			s.Queues = append(s.Queues, q)
			continue
		}
		info, err := inspector.GetQueueInfo(name)
		if err != nil {
			return s, fmt.Errorf("queue %s: %w", name, err)
		}
		q.Pending, q.Active, q.Scheduled, q.Retry, q.Dead, q.Latency = info.Pending, info.Active, info.Scheduled, info.Retry, info.Archived, info.Latency.Seconds()
		s.Queues = append(s.Queues, q)
		retries, err := inspector.ListRetryTasks(name, asynq.PageSize(lettersShown))
		if err != nil {
			return s, fmt.Errorf("queue %s: %w", name, err)
		}
		dead, err := inspector.ListArchivedTasks(name, asynq.PageSize(lettersShown))
		if err != nil {
			return s, fmt.Errorf("queue %s: %w", name, err)
		}
		s.Retries, s.Dead = append(s.Retries, letters(retries)...), append(s.Dead, letters(dead)...)
	}
	servers, err := inspector.Servers()
	if err != nil {
		return s, fmt.Errorf("workers: %w", err)
	}
	for _, p := range servers {
		s.Workers = append(s.Workers, Process{Host: p.Host, PID: p.PID, Started: p.Started.UTC(), Busy: len(p.ActiveWorkers)})
	}
	return s, nil
}

func letters(tasks []*asynq.TaskInfo) []Letter {
	out := make([]Letter, 0, len(tasks))
	for _, t := range tasks {
		l := Letter{ID: t.ID, Queue: t.Queue, Job: t.Type, Tried: t.Retried + 1, Error: t.LastErr, Failed: t.LastFailedAt.UTC()}
		if t.State == asynq.TaskStateRetry {
			next := t.NextProcessAt.UTC()
			l.Next = &next
		}
		out = append(out, l)
	}
	return out
}

// Retry lets a failed task be done now: one that waits for its next attempt, or one that was given up. Before that it calls before, if
// not nil, with the kind and the payload of the task. ErrNoLetter when there is none.
func Retry(ctx context.Context, address, id string, before func(ctx context.Context, kind, payload string) error) (err error) {
	inspector, err := inspect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inspector.Close()) }()
	used, err := inspector.Queues()
	if err != nil {
		return err
	}
	for _, name := range used {
		t, err := inspector.GetTaskInfo(name, id)
		if errors.Is(err, asynq.ErrTaskNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if t.State != asynq.TaskStateRetry && t.State != asynq.TaskStateArchived {
			continue
		}
		if before != nil {
			if err := before(ctx, t.Type, strings.TrimSuffix(string(t.Payload), probing)); err != nil {
				return err
			}
		}
		return inspector.RunTask(name, id)
	}
	return ErrNoLetter
}

// inspect opens the queues for reading, and asks first whether Redis answers.
func inspect(ctx context.Context, address string) (*asynq.Inspector, error) {
	opt, err := asynq.ParseRedisURI(address)
	if err != nil {
		return nil, errors.New("redis: the address cannot be read")
	}
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, errors.New("redis: the address cannot be used")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := errors.Join(client.Ping(ctx).Err(), client.Close()); err != nil {
		return nil, fmt.Errorf("redis does not answer: %w", err)
	}
	return asynq.NewInspector(opt), nil
}
