// Package jobs runs what nobody clicks: deadlines that fall due, periodic work, and what other packages put into its queues.
//
// It decides nothing: each job calls one use case, which decides from the database, so that losing, doubling or delaying a job
// changes nothing but lateness (docs/decisions/0012 has the table). Three things call the same use case for deadlines: a timer
// on the soonest one, a task per minute in asynq, and a sweep every two seconds that works with Redis empty, down or flushed. Notices
// have a task each and a sweep that fills the queue from their rows. It is the only package that knows asynq; how a person is told something is not its business.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/province-comuni/sua/internal/engine"
)

// The queues, and how often each is looked at when all are full.
const (
	Deadlines = "deadlines"
	Notices   = "notices"
	Documents = "documents"
	Periodic  = "periodic"
)

func weights() map[string]int {
	return map[string]int{Deadlines: 6, Notices: 3, Documents: 2, Periodic: 1}
}

// Config is what a Worker is made of. Engine is required.
type Config struct {
	Engine *engine.Engine
	// Redis is redis://, rediss://, redis-socket:// or redis-sentinel://; empty starts one inside this process.
	Redis string
	// AddressFile, when Redis is empty, is where the address of the one inside is left for `sua jobs`, readable by this user only.
	AddressFile string
	// Every is the pause between two sweeps; 0 is two seconds. Plan is the one between two fillings of the queue; 0 is ten.
	Every, Plan time.Duration
	// Kinds and Regular add jobs of other packages to those that stand here.
	Kinds   []Kind
	Regular []Regular
	Log     *slog.Logger // nil discards
}

// Kind is a kind of task in a queue.
type Kind struct {
	Name, Queue string
	Retries     int           // after so many failures more, a task waits among the dead letters
	Timeout     time.Duration // of one attempt
	Handle      func(ctx context.Context, payload []byte) error
}

// Regular is work done once in each period, by one of the workers.
type Regular struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context) error
}

// Worker is the background work of one process.
type Worker struct {
	cfg     Config
	log     *slog.Logger
	redis   *embedded // nil when Redis is another program
	conn    redis.UniversalClient
	client  atomic.Pointer[asynq.Client]
	server  *asynq.Server
	kinds   map[string]Kind
	regular []Regular
	alarm   alarm
	hooks   hookLane
	planned atomic.Bool   // the queues were filled once without an error
	turn    chan struct{} // one look for deadlines at a time: two in a process would only meet each other's locks
	stopped context.Context
	stop    context.CancelFunc
	wait    sync.WaitGroup
}

// Start begins to work. Redis need not answer: until it does, the sweep does what must be done.
func Start(cfg Config) (*Worker, error) {
	w := &Worker{cfg: cfg, log: cfg.Log, turn: make(chan struct{}, 1), kinds: map[string]Kind{}}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.cfg.Every == 0 {
		w.cfg.Every = 2 * time.Second
	}
	if w.cfg.Plan == 0 {
		w.cfg.Plan = planEvery
	}
	w.alarm.ring = make(chan struct{}, 1)
	address := cfg.Redis
	if address == "" {
		var err error
		if w.redis, err = startEmbedded(cfg.AddressFile); err != nil {
			return nil, err
		}
		address = w.redis.address()
	}
	opt, err := asynq.ParseRedisURI(address)
	if err != nil {
		return nil, errors.Join(errors.New("redis: the address cannot be read"), w.closeRedis()) // the error would show the password
	}
	for _, k := range append([]Kind{w.dueKind(), w.regularKind(), w.noticeKind(), w.documentKind()}, cfg.Kinds...) {
		w.kinds[k.Name] = k
	}
	w.regular = append([]Regular{w.forgetAnswers()}, cfg.Regular...)
	var ok bool
	if w.conn, ok = opt.MakeRedisClient().(redis.UniversalClient); !ok {
		return nil, errors.Join(errors.New("redis: the address cannot be used"), w.closeRedis())
	}
	w.renewClient()
	look := time.Second
	if w.redis != nil {
		look = 4 * time.Second // each look runs scripts, which cost the Redis inside far more than another program
	}
	w.server = asynq.NewServer(opt, asynq.Config{
		Concurrency: 8, Queues: weights(), Logger: newQuietLog(w.log), LogLevel: asynq.WarnLevel, RetryDelayFunc: backoff,
		ShutdownTimeout: 8 * time.Second, TaskCheckInterval: look, DelayedTaskCheckInterval: look, ErrorHandler: asynq.ErrorHandlerFunc(w.noteFailure),
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.stopped, w.stop = ctx, cancel
	if err := w.server.Start(asynq.HandlerFunc(w.handle)); err != nil {
		cancel()
		return nil, errors.Join(err, w.conn.Close(), w.closeRedis())
	}
	cfg.Engine.OnDeadline(w.alarm.written)
	w.wait.Go(func() { w.sweep(ctx) })
	w.wait.Go(func() { w.plan(ctx) })
	return w, nil
}

// Stop lets the jobs in progress end, for some seconds at most, and ends the rest: what was not finished is done by the next
// worker.
func (w *Worker) Stop() error {
	w.cfg.Engine.OnDeadline(nil)
	w.stop()
	w.server.Shutdown()
	w.wait.Wait()
	return errors.Join(w.conn.Close(), w.closeRedis())
}

// renewClient makes asynq's client anew, on the same connections: it registers a queue only once, and a Redis that lost everything
// would hold tasks of a queue that no inspector knows.
func (w *Worker) renewClient() { w.client.Store(asynq.NewClientFromRedisClient(w.conn)) }

func (w *Worker) closeRedis() error {
	if w.redis == nil {
		return nil
	}
	return w.redis.close()
}

// Enqueue puts a task into the queue of its kind, to be handled at an instant or, with the zero time, at once. The id makes it
// unique while it waits, and for keep after it is done. A task that is already there is no error.
func (w *Worker) Enqueue(ctx context.Context, kind, id string, payload []byte, at time.Time, keep time.Duration) error {
	k, ok := w.kinds[kind]
	if !ok {
		return errors.New("jobs: no such kind: " + kind)
	}
	options := []asynq.Option{asynq.Queue(k.Queue), asynq.TaskID(id), asynq.MaxRetry(k.Retries), asynq.Timeout(k.Timeout), asynq.Retention(keep)}
	if !at.IsZero() {
		options = append(options, asynq.ProcessAt(at))
	}
	_, err := w.client.Load().EnqueueContext(ctx, asynq.NewTask(kind, payload), options...)
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// handle gives a task to its kind.
func (w *Worker) handle(ctx context.Context, t *asynq.Task) error {
	k, ok := w.kinds[t.Type()]
	if !ok {
		return errors.New("no such kind of job in this version of the program")
	}
	return k.Handle(ctx, t.Payload())
}

// backoff is how long a failed task waits: 2, 4, 8 … seconds, an hour at most; a notice as long as its row says.
func backoff(n int, err error, _ *asynq.Task) time.Duration {
	var u *unsent
	if errors.As(err, &u) {
		return u.wait + time.Second // the queue counts whole seconds, and must not come early
	}
	return min(2*time.Second<<min(n, 11), time.Hour)
}

func (w *Worker) noteFailure(ctx context.Context, t *asynq.Task, err error) {
	tried, _ := asynq.GetRetryCount(ctx)
	most, _ := asynq.GetMaxRetry(ctx)
	id, _ := asynq.GetTaskID(ctx)
	if tried >= most || errors.Is(err, asynq.SkipRetry) {
		w.log.Error("job given up: see sua jobs status", "job", t.Type(), "id", id, "error", err)
		return
	}
	if errors.As(err, new(*unsent)) {
		return // the engine has said it of the notice
	}
	w.log.Warn("job failed", "job", t.Type(), "id", id, "attempt", tried+1, "error", err)
}
