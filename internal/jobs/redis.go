package jobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// embedded is a Redis inside this process, for an office that installs nothing. It keeps nothing over a restart: all that
// matters is in the database.
type embedded struct {
	server   *miniredis.Miniredis
	password string
	file     string
	stop     chan struct{}
	stopped  chan struct{}
}

// startEmbedded serves on a free port of this machine, behind a password that only this user can read in file.
func startEmbedded(file string) (*embedded, error) {
	var secret [16]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("embedded redis: %w", err)
	}
	r := &embedded{server: miniredis.NewMiniRedis(), password: hex.EncodeToString(secret[:]), file: file, stop: make(chan struct{}), stopped: make(chan struct{})}
	r.server.RequireAuth(r.password)
	if err := r.server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("embedded redis: %w", err)
	}
	go r.clock()
	if file != "" {
		if err := writeAddress(file, r.address()); err != nil {
			return nil, errors.Join(fmt.Errorf("embedded redis: %w", err), r.close())
		}
	}
	return r, nil
}

// writeAddress replaces whatever stands there, so that the rights are those of a new file.
func writeAddress(file, address string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(file, []byte(address+"\n"), 0o600)
}

// clock lets time pass: this server's stands still by itself.
func (r *embedded) clock() {
	defer close(r.stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			r.server.FastForward(time.Second)
		}
	}
}

func (r *embedded) address() string { return "redis://:" + r.password + "@" + r.server.Addr() + "/0" }

func (r *embedded) close() error {
	close(r.stop)
	<-r.stopped
	r.server.Close()
	if r.file == "" {
		return nil
	}
	if err := os.Remove(r.file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// quietLog writes what asynq says of itself, the same thing at most once a minute: while Redis is down it would say it every
// second.
type quietLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	said map[string]time.Time
}

func newQuietLog(log *slog.Logger) asynq.Logger {
	return &quietLog{log: log, said: map[string]time.Time{}}
}

const (
	quietFor  = time.Minute
	saidAlike = 40 // messages that begin alike are the same
)

func (q *quietLog) write(level slog.Level, args []any) {
	text := fmt.Sprint(args...)
	key := text[:min(len(text), saidAlike)]
	q.mu.Lock()
	now := time.Now()
	last, seen := q.said[key]
	if len(q.said) > 100 {
		clear(q.said)
	}
	fresh := !seen || now.Sub(last) >= quietFor
	if fresh {
		q.said[key] = now
	}
	q.mu.Unlock()
	if fresh {
		q.log.Log(context.Background(), level, "queue", "said", text)
	}
}

// Debug, Info, Warn, Error and Fatal are what asynq asks of a log. Fatal ends nothing here: a program that serves pages goes on.
func (q *quietLog) Debug(args ...any) { q.write(slog.LevelDebug, args) }

// Info writes at level debug: it tells only of itself.
func (q *quietLog) Info(args ...any) { q.write(slog.LevelDebug, args) }

// Warn writes a warning.
func (q *quietLog) Warn(args ...any) { q.write(slog.LevelWarn, args) }

// Error writes a warning: nothing is lost with the queue.
func (q *quietLog) Error(args ...any) { q.write(slog.LevelWarn, args) }

// Fatal writes an error.
func (q *quietLog) Fatal(args ...any) { q.write(slog.LevelError, args) }
