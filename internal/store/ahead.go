package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// On PostgreSQL a case that this program moved last is remembered as it was left. Its next move, when it needs no facts
// beside the case, is decided on the memory and written in one round trip. If meanwhile anything of the tree changed, an event
// has the number that this one would get (each change is an event, and their numbers are a key): nothing is written, and the
// ordinary way is taken, which locks and reads first. Both ways write the same, under the same lock of the root.

// errBehind says that the memory cannot serve: the tree has moved on, or f asked for facts. The function given to Update
// passes it on.
var errBehind = errors.New("the tree must be read")

// Move is Update for a change that may be decided twice: f may be called a second time, and then only the second counts.
// It takes one round trip where Update takes two, when the program moved the case last and f loads nothing.
func (db *DB) Move(ctx context.Context, scope Scope, id string, key *IdemKey, f func(*Tx) error) error {
	if db.pool != nil { // a key used before is a conflict like a number taken: the ordinary way finds the answer
		if err := db.ahead(ctx, scope, id, f); !errors.Is(err, errBehind) {
			return err
		}
	}
	return db.Update(ctx, scope, id, key, f)
}

// ahead tries a change on what is remembered; errBehind when it cannot.
func (db *DB) ahead(ctx context.Context, scope Scope, id string, f func(*Tx) error) error {
	c, ok := db.left.take(id)
	if !ok || !scope.Sees(c.MemberBody, c.SUA) {
		return errBehind
	}
	now, err := db.Now(ctx)
	if err != nil {
		return err
	}
	tx := &Tx{Now: now, Case: &c, Root: &c, ctx: ctx, db: db, scope: scope, unread: true}
	if err := f(tx); err != nil {
		return errBehind // a refusal must rest on what is true now
	}
	if tx.moved != tx.Root || tx.more {
		return errBehind // more is to be written than the place of one case: under a lock taken first
	}
	return db.join(ctx, tx)
}

// leftCases remembers cases as their last move left them.
type leftCases struct {
	mu    sync.Mutex
	cases map[string]Case
}

// casesLeft bounds the memory, at some kilobytes each; past it, it starts afresh.
const casesLeft = 2_500

// take gives what is remembered of a case and forgets it: until its move is committed, no other is decided on it.
func (l *leftCases) take(id string) (Case, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.cases[id]
	delete(l.cases, id)
	return c, ok
}

// put keeps a copy that nothing else points into: its times would else hold on to all that their transaction read. Values are
// never changed in place.
func (l *leftCases) put(c *Case) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cases == nil || len(l.cases) >= casesLeft {
		l.cases = map[string]Case{}
	}
	kept := *c
	for _, t := range []**time.Time{&kept.NextDue, &kept.EndedAt, &kept.ChainAt} {
		if *t != nil {
			own := **t
			*t = &own
		}
	}
	l.cases[c.ID] = kept
}

// leave remembers a case that only moved, and forgets one of which more was written than the memory holds.
func (tx *Tx) leave() {
	if tx.db.pool == nil {
		return
	}
	if tx.moved != nil && tx.moved == tx.Root && !tx.more {
		tx.db.left.put(tx.moved)
	} else {
		tx.db.left.drop(tx.Root.ID)
	}
}

func (l *leftCases) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.cases, id)
}
