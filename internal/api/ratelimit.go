package api

import (
	"sync"
	"time"
)

// limiter counts requests in fixed windows of a minute, the same for everybody, so that forgetting the last window forgets
// every key of it. It is one process's: with several, each grants the whole.
type limiter struct {
	most int
	now  func() time.Time

	mu     sync.Mutex
	window time.Time
	used   map[string]int
}

const (
	window  = time.Minute
	maxKeys = 100_000 // beyond, newcomers share one count until the window ends
)

func newLimiter(perMinute int, now func() time.Time) *limiter {
	return &limiter{most: perMinute, now: now, used: map[string]int{}}
}

// take spends one request of key. left is how many remain, reset how long until all are back; ok is false when none was left.
func (l *limiter) take(key string) (left int, reset time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if start := now.Truncate(window); !start.Equal(l.window) {
		l.window = start
		clear(l.used)
	}
	reset = l.window.Add(window).Sub(now)
	if _, known := l.used[key]; !known && len(l.used) >= maxKeys {
		key = ""
	}
	if l.used[key] >= l.most {
		return 0, reset, false
	}
	l.used[key]++
	return l.most - l.used[key], reset, true
}
