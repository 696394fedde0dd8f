//go:build linux

package faulttest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRedisAway measures, in turns, the transitions a second of `sua serve` while Redis answers and while it is away, and how long
// after its return the outbox is empty. On PostgreSQL, eight clients. A ratio of 0.95 and a minute are asked.
func BenchmarkRedisAway(b *testing.B) {
	if !servers(b) {
		b.Fatal("run it with: make bench BENCH=RedisAway")
	}
	q := newQueue(b)
	if q == nil {
		b.Fatal("run it with: make bench BENCH=RedisAway")
	}
	s := postgresOffice(b, "away")
	s.env = []string{"SUA_REDIS_URL=redis-socket://" + q.socket()}
	p := served(b, s)
	l := newLoad(b, s, p.address(), 1)
	var each [clients]*client
	for k := range each {
		each[k] = &client{load: l, number: k}
		for i := range 20 {
			if !each[k].open(string(rune('a'+k)) + "-" + string(rune('a'+i))) {
				b.FailNow()
			}
		}
	}
	rate := func(span time.Duration) float64 {
		var done atomic.Int64
		var wait sync.WaitGroup
		began := time.Now()
		for _, c := range each {
			wait.Go(func() {
				for i := 0; time.Since(began) < span; i++ {
					if c.fire(time.Now().Format(time.RFC3339Nano)+string(rune('a'+c.number)), c.own[i%len(c.own)], "next", map[string]any{"reason": "x"}) {
						done.Add(1)
					}
				}
			})
		}
		wait.Wait()
		return float64(done.Load()) / time.Since(began).Seconds()
	}
	rate(time.Second)
	var ratios []float64
	for range 12 { // short turns: what else the machine does weighs on both alike
		with := rate(1500 * time.Millisecond)
		q.kill()
		without := rate(1500 * time.Millisecond)
		q.start()
		ratios = append(ratios, without/with)
		b.Logf("with %.0f/s, without %.0f/s", with, without)
	}
	back := time.Now()
	s.settle(b)
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio-away")
	b.ReportMetric(time.Since(back).Seconds(), "backlog-s")
	b.ReportMetric(0, "ns/op")
}
