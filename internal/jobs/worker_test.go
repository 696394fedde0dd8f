package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

var discard = slog.New(slog.DiscardHandler)

// atOnce is how late a deadline may be while nothing else happens; the machine of the tests is busy.
const atOnce = 2 * time.Second

// A worker whose sweep comes once an hour applies each deadline when it is due: those that it found and those written later.
func TestDeadlinesAreAppliedWhenTheyAreDue(t *testing.T) {
	storetest.Each(t, store.Options{}, func(t *testing.T, db *store.DB) {
		e, rup := office(t, db, timed)
		start := time.Now()
		until := []time.Time{start.Add(1500 * time.Millisecond), start.Add(700 * time.Millisecond), start.Add(900 * time.Millisecond), start.Add(30 * time.Second)}
		var ids []string
		for _, at := range until[:2] {
			ids = append(ids, ask(t, e, rup, at))
		}
		begun(t, Config{Engine: e, Every: time.Hour})
		for _, at := range until[2:] {
			ids = append(ids, ask(t, e, rup, at))
		}
		eventually(t, time.Minute, "three are applied", func() bool { return waitingIn(t, db) == 1 })
		for i, id := range ids[:3] {
			if late := once(t, e, id, until[i].Truncate(time.Microsecond)); late > atOnce {
				t.Errorf("deadline %d: %s late", i, late)
			}
		}
	})
}

// A deadline written while there is no other wakes the worker too.
func TestTheFirstDeadlineWakesTheWorker(t *testing.T) {
	storetest.Each(t, store.Options{}, func(t *testing.T, db *store.DB) {
		e, rup := office(t, db, timed)
		w := begun(t, Config{Engine: e, Every: time.Hour})
		eventually(t, time.Minute, "the worker has looked and sleeps", func() bool {
			w.alarm.mu.Lock()
			defer w.alarm.mu.Unlock()
			return !w.alarm.next.IsZero()
		})
		until := time.Now().Add(300 * time.Millisecond)
		id := ask(t, e, rup, until)
		eventually(t, time.Minute, "it is applied", func() bool { return waitingIn(t, db) == 0 })
		if late := once(t, e, id, until.Truncate(time.Microsecond)); late > atOnce {
			t.Errorf("%s late", late)
		}
	})
}

// The queue alone: the task of a minute waits for what is due in it, and three copies of it apply each deadline once.
func TestATaskMayComeEarlyAndThreeTimes(t *testing.T) {
	storetest.Each(t, store.Options{}, func(t *testing.T, db *store.DB) {
		e, rup := office(t, db, timed)
		w := &Worker{cfg: Config{Engine: e}, log: discard, turn: make(chan struct{}, 1), stopped: t.Context()}
		until := time.Now().Add(400 * time.Millisecond)
		ids := []string{ask(t, e, rup, until), ask(t, e, rup, until.Add(300*time.Millisecond))}
		minute := until.Truncate(time.Minute)
		if !until.Add(300 * time.Millisecond).Before(minute.Add(time.Minute)) { // the second falls into the next minute: look that far
			minute = minute.Add(time.Minute)
		}
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				if err := w.settleMinute(t.Context(), []byte(minute.UTC().Format(time.RFC3339))); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		once(t, e, ids[0], until.Truncate(time.Microsecond))
		once(t, e, ids[1], until.Add(300*time.Millisecond).Truncate(time.Microsecond))
	})
}

// What the queue holds of the coming hour is found again after FLUSHALL, and several planners do not double it.
func TestQueuesAreFilledFromTheDatabase(t *testing.T) {
	eachRedis(t, func(t *testing.T, address string) {
		db := storetest.SQLite(t, store.Options{})
		e, rup := office(t, db, timed)
		now := time.Now()
		for _, in := range []time.Duration{5 * time.Minute, 5*time.Minute + time.Millisecond, 30 * time.Minute, 59 * time.Minute, 2 * time.Hour} {
			ask(t, e, rup, now.Truncate(time.Minute).Add(in))
		}
		var ran atomic.Int64
		regular := Regular{Name: "count", Every: 24 * time.Hour, Run: func(context.Context) error { ran.Add(1); return nil }}
		cfg := Config{Engine: e, Redis: address, Plan: 200 * time.Millisecond, Regular: []Regular{regular}}
		one, two := begun(t, cfg), begun(t, cfg)
		planned := func() bool {
			s, err := Look(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			return s.Queues[0].Name == Deadlines && s.Queues[0].Scheduled == 3
		}
		eventually(t, 20*time.Second, "a task per minute", planned)
		eventually(t, 20*time.Second, "the regular work is done", func() bool { return ran.Load() == 1 })
		// One that had not looked before would take the regular work for not done: FLUSHALL takes the note of it away too.
		eventually(t, 20*time.Second, "both have looked at what is to be done", func() bool { return one.planned.Load() && two.planned.Load() })
		flush(t, address)
		eventually(t, 20*time.Second, "a task per minute after FLUSHALL", planned)
		eventually(t, 20*time.Second, "both workers are seen again, and no dead letter", func() bool {
			s, err := Look(t.Context(), address)
			return err == nil && len(s.Workers) == 2 && len(s.Dead) == 0
		})
		if n := ran.Load(); n != 1 {
			t.Errorf("the regular work was done %d times", n)
		}
	})
}

// A job that fails is tried again, given up, listed with its error, and done when somebody asks for it.
func TestDeadLettersAreSeenAndRetried(t *testing.T) {
	eachRedis(t, func(t *testing.T, address string) {
		e, _ := office(t, storetest.SQLite(t, store.Options{}), timed)
		var broken atomic.Bool
		var done atomic.Int64
		broken.Store(true)
		kind := Kind{Name: "letter", Queue: Notices, Retries: 0, Timeout: time.Minute, Handle: func(_ context.Context, payload []byte) error {
			if broken.Load() {
				return errors.New("the postman is ill: " + string(payload))
			}
			done.Add(1)
			return nil
		}}
		w := begun(t, Config{Engine: e, Redis: address, Kinds: []Kind{kind}})
		for range 3 { // unique: the second and third find the first
			if err := w.Enqueue(t.Context(), "letter", "letter:1", []byte("n. 1"), time.Time{}, 0); err != nil {
				t.Fatal(err)
			}
		}
		var s Status
		eventually(t, 20*time.Second, "a dead letter", func() (ok bool) {
			var err error
			if s, err = Look(t.Context(), address); err != nil {
				t.Fatal(err)
			}
			return len(s.Dead) == 1
		})
		if l := s.Dead[0]; l.ID != "letter:1" || l.Queue != Notices || l.Error != "the postman is ill: n. 1" || l.Next != nil {
			t.Errorf("letter: %+v", l)
		}
		if err := Retry(t.Context(), address, "letter:2", nil); !errors.Is(err, ErrNoLetter) {
			t.Errorf("retry of none: %v", err)
		}
		broken.Store(false)
		if err := Retry(t.Context(), address, "letter:1", nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, 20*time.Second, "the letter is done", func() bool { return done.Load() == 1 })
	})
}

// Redis stops, deadlines go on; it comes back empty, and is filled.
func TestRedisStopsAndComesBack(t *testing.T) {
	r := realRedis(t)
	if r == nil {
		return
	}
	db := storetest.Postgres(t, store.Options{})
	e, rup := office(t, db, timed)
	var log logBook
	begun(t, Config{Engine: e, Redis: r.address(), Plan: 200 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	r.kill()
	until := time.Now().Add(500 * time.Millisecond)
	id := ask(t, e, rup, until)
	eventually(t, time.Minute, "applied without redis", func() bool { return waitingIn(t, db) == 0 })
	if late := once(t, e, id, until.Truncate(time.Microsecond)); late > 2*atOnce {
		t.Errorf("%s late without redis", late)
	}
	ask(t, e, rup, time.Now().Add(20*time.Minute))
	eventually(t, time.Minute, "the log says that Redis is away", func() bool { return log.says("queues not filled") })
	r.start()
	eventually(t, time.Minute, "the queue is filled again", func() bool {
		s, err := Look(t.Context(), r.address())
		return err == nil && s.Queues[0].Scheduled == 1
	})
	eventually(t, time.Minute, "the log says that it is back", func() bool { return log.says("queues filled again") })
}

// logBook keeps what a worker says.
type logBook struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) says(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), what)
}

// A worker that starts without Redis works, and stops.
func TestNoRedisAtAll(t *testing.T) {
	db := storetest.SQLite(t, store.Options{})
	e, rup := office(t, db, timed)
	until := time.Now().Add(200 * time.Millisecond)
	id := ask(t, e, rup, until)
	w, err := Start(Config{Engine: e, Redis: "redis-socket://" + filepath.Join(t.TempDir(), "nobody")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "applied", func() bool { return waitingIn(t, db) == 0 })
	once(t, e, id, until.Truncate(time.Microsecond))
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := Look(t.Context(), w.cfg.Redis); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("status: %v", err)
	}
}

// Of two workers whose clocks are five seconds apart each applies by its own; every deadline once, none before the hour of the
// one who applied it.
func TestClocksFiveSecondsApart(t *testing.T) {
	r := realRedis(t)
	if r == nil {
		return
	}
	url := storetest.PostgresURL(t)
	fast := opened(t, store.Options{URL: url, Now: func() time.Time { return time.Now().Add(5 * time.Second) }})
	slow := opened(t, store.Options{URL: url, Now: time.Now})
	e, rup := office(t, slow, timed)
	now := time.Now()
	until := map[string]time.Time{}
	for i := range long(60, 600) {
		at := now.Add(time.Duration(4000+20*i) * time.Millisecond).Truncate(time.Microsecond)
		until[ask(t, e, rup, at)] = at
	}
	begun(t, Config{Engine: e, Redis: r.address(), Plan: 200 * time.Millisecond})
	begun(t, Config{Engine: engineOn(t, fast, timed), Redis: r.address(), Plan: 200 * time.Millisecond})
	eventually(t, time.Minute, "all are applied", func() bool { return waitingIn(t, slow) == 0 })
	for id, at := range until {
		once(t, e, id, at)
	}
}

// The address of the Redis inside is for this user only, and goes with it.
func TestTheAddressOfTheRedisInside(t *testing.T) {
	e, _ := office(t, storetest.SQLite(t, store.Options{}), timed)
	file := filepath.Join(t.TempDir(), "sua.db.redis")
	if err := os.WriteFile(file, []byte("of a process that was killed"), 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := Start(Config{Engine: e, AddressFile: file})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("rights: %v %v", info.Mode(), err)
	}
	address, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Look(t.Context(), strings.TrimSpace(string(address))); err != nil || len(s.Queues) != 4 {
		t.Errorf("status: %+v %v", s, err)
	}
	if _, err := Look(t.Context(), "redis://"+w.redis.server.Addr()); err == nil {
		t.Error("without the password it answers too")
	}
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
}

func TestBackoffGrowsToAnHour(t *testing.T) {
	var all []time.Duration
	for n := range 20 {
		all = append(all, backoff(n, nil, (*asynq.Task)(nil)))
	}
	if all[0] != 2*time.Second || all[1] != 4*time.Second || all[19] != time.Hour || !slices.IsSorted(all) {
		t.Error(fmt.Sprint(all))
	}
}
