//go:build linux

package faulttest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// under runs a fault of PostgreSQL again and again while clients work, until they are done.
func under(t *testing.T, s *site, p *server, seed uint64, every time.Duration, fault func(rng *rand.Rand)) *load {
	l := newLoad(t, s, p.address(), seed)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(clients, things)
	}()
	rng := rand.New(rand.NewPCG(seed, 99))
	<-l.after(clients)
	for {
		select {
		case <-done:
			return l
		case <-time.After(time.Duration(rng.Int64N(int64(every)))):
			fault(rng)
		}
	}
}

// PostgreSQL stops at once, without a checkpoint, in the middle of writes, and starts again; the server stays.
func TestPostgresStopped(t *testing.T) {
	if !servers(t) {
		return
	}
	each(t, 1, 100, func(t *testing.T, seed uint64) {
		s := postgresOffice(t, "stop")
		p := served(t, s)
		left := 2
		l := under(t, s, p, seed, 150*time.Millisecond, func(rng *rand.Rand) {
			if left--; left < 0 {
				return
			}
			place.cluster.kill()
			pause(rng, 100*time.Millisecond)
			if err := place.cluster.start(); err != nil {
				t.Error(err)
			}
		})
		l.judge()
		t.Logf("%d requests, %d attempts without an answer", len(l.requests), l.unanswered())
	})
}

// Sessions of the server are ended at random, many times a second.
func TestSessionsTerminated(t *testing.T) {
	if !servers(t) {
		return
	}
	each(t, 1, 100, func(t *testing.T, seed uint64) {
		s := postgresOffice(t, "sessions")
		p := served(t, s)
		ended := 0
		l := under(t, s, p, seed, 40*time.Millisecond, func(rng *rand.Rand) {
			ended++
			if err := place.cluster.super("postgres", fmt.Sprintf(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = 'sessions' AND usename = 'sua_app' AND hashint4(pid) %% %d = 0`, 1+rng.IntN(4))); err != nil {
				t.Error(err)
			}
		})
		l.judge()
		t.Logf("%d requests, %d attempts without an answer, %d rounds", len(l.requests), l.unanswered(), ended)
	})
}
