package sim

import "sync"

// cutter breaks the connection before one statement of the line that is being played. The zero value breaks nothing.
type cutter struct {
	mu   sync.Mutex
	left int  // statements until the one; 0: none
	on   bool // a request is under way
	hit  bool
}

// arm has the connection break before the n-th statement of the next request; 0 disarms.
func (c *cutter) arm(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.hit = n, false
}

// during is play.Session's hook.
func (c *cutter) during(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = on
}

// broken is store.Options.Broken.
func (c *cutter) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.on || c.left == 0 {
		return false
	}
	c.left--
	c.hit = c.hit || c.left == 0
	return c.left == 0
}
