package sim

import "sync"

// cutter breaks the connection before one statement of what a deed is about. The zero value breaks nothing.
type cutter struct {
	mu   sync.Mutex
	left int   // statements until the one; 0: none
	at   place // whose statements count
	now  place // what is under way
}

// place is where a connection may break.
type place int

const (
	elsewhere place = iota
	request         // what a person asks for
	sweep           // terms that are over are applied
	relay           // messages of the outbox become notices
)

// arm has the connection break before the n-th statement of the next deed, in that place of it; 0 disarms.
func (c *cutter) arm(n int, at place) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.at = n, at
}

// during says that something begins, or ends.
func (c *cutter) during(at place) func(on bool) {
	return func(on bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.now = elsewhere; on {
			c.now = at
		}
	}
}

// broken is store.Options.Broken.
func (c *cutter) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != c.at || c.left == 0 {
		return false
	}
	c.left--
	return c.left == 0
}
