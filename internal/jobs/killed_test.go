package jobs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// TestMain is also the worker that TestAKilledWorker starts and kills.
func TestMain(m *testing.M) {
	if os.Getenv("SUA_TEST_WORKER") == "" {
		os.Exit(m.Run())
	}
	if err := workerProcess(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// workerProcess works until it is told to stop.
func workerProcess() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	db, err := store.Open(ctx, store.Options{URL: os.Getenv("SUA_TEST_WORKER")})
	if err != nil {
		return err
	}
	cfg, err := engine.Shipped(nil)
	if err != nil {
		return err
	}
	if cfg.Sources, err = flow.Sources(fstest.MapFS{"waiting.v1.yaml": {Data: []byte(timed)}}); err != nil {
		return err
	}
	cfg.DB = db
	e, err := engine.New(ctx, cfg)
	if err != nil {
		return err
	}
	w, err := Start(Config{Engine: e, Redis: os.Getenv("SUA_TEST_WORKER_REDIS")})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return w.Stop()
}

// A worker process is killed in the middle of many deadlines. Another, which was there all the time, applies the rest within five
// seconds; each is applied once.
func TestAKilledWorker(t *testing.T) {
	r := realRedis(t)
	if r == nil {
		return
	}
	for round := range long(1, 5) {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) { killWorker(t, r.address(), long(1500, 6000)) })
	}
}

func killWorker(t *testing.T, redis string, n int) {
	url := storetest.PostgresURL(t)
	db := opened(t, store.Options{URL: url})
	e, rup := office(t, db, timed)
	until := map[string]time.Time{}
	due := time.Now().Add(time.Hour).Truncate(time.Microsecond) // to come, so that opening is not late already
	for range n {
		until[ask(t, e, rup, due)] = due
	}
	// the clock cannot be moved under a process of its own: the hour is brought to now instead
	if err := byHand(t, url, "UPDATE deadlines SET due_at = clock_timestamp(), next_try = clock_timestamp()"); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SUA_TEST_WORKER="+url, "SUA_TEST_WORKER_REDIS="+redis)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the first worker has begun", func() bool { return waitingIn(t, db) < n })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait() // it says that it was killed
	left := waitingIn(t, db)
	begun(t, Config{Engine: e, Redis: redis})
	eventually(t, 5*time.Second, "the other worker applies the rest", func() bool { return waitingIn(t, db) == 0 })
	t.Logf("%d of %d were left; the last was applied %s after the kill", left, n, time.Since(killed))
	for id := range until {
		once(t, e, id, time.Time{})
	}
}
