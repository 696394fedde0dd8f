package play

import (
	"sync"
	"time"
)

// Clock is a time that stands still until the player moves it. Its Now is what store.Options.Now must be, so that engine and
// database live in the played time. Safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns the played time, in UTC. Before the first step it is 2026-01-01.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c.at
}

func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t.UTC()
}
