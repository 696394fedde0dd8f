//go:build linux

package faulttest

import (
	"math/rand/v2"
	"testing"
	"time"
)

const (
	clients = 8
	things  = 25 // that each client does
)

// eachOffice runs f with the office on SQLite and on PostgreSQL.
func eachOffice(t *testing.T, few, many int, f func(t *testing.T, s *site, seed uint64)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		each(t, few, many, func(t *testing.T, seed uint64) { f(t, sqliteOffice(t, t.TempDir()), seed) })
	})
	if servers(t) {
		t.Run("postgres", func(t *testing.T) {
			each(t, few, many, func(t *testing.T, seed uint64) { f(t, postgresOffice(t, "kill"), seed) })
		})
	}
}

// wait waits for a while that a seed draws.
func pause(rng *rand.Rand, most time.Duration) { <-time.After(time.Duration(rng.Int64N(int64(most)))) }

// The server is killed in the middle of writes and started again, twice. What clients were told is there, what they were not told
// they ask for again under its key.
func TestServerKilled(t *testing.T) {
	eachOffice(t, 1, 100, func(t *testing.T, s *site, seed uint64) {
		p := served(t, s)
		l := newLoad(t, s, p.address(), seed)
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(clients, things)
		}()
		rng := rand.New(rand.NewPCG(seed, 99))
		at := 0
		for range 2 {
			at += 20 + rng.IntN(clients*things/2-40)
			select {
			case <-l.after(at):
			case <-done:
			}
			pause(rng, 5*time.Millisecond)
			p.kill()
			p.start()
		}
		<-done
		l.judge()
		t.Logf("%d requests, %d attempts without an answer", len(l.requests), l.unanswered())
	})
}
