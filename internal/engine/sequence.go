package engine

import "context"

// numberedAtOnce is how many events one transaction of the sequencer numbers.
const numberedAtOnce = 20_000

// Sequence numbers the committed events that nothing can overtake any more, for the change feed and the Merkle log, and returns how
// many. It may be called at any time by any process: one at a time works, the others return at once.
func (e *Engine) Sequence(ctx context.Context) (int, error) {
	all := 0
	for {
		n, more, err := e.db.Sequence(ctx, numberedAtOnce)
		all += n
		if err != nil || !more {
			return all, err
		}
	}
}
