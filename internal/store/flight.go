package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Moves decided on the memory (ahead.go) leave together. While one group is on its way to PostgreSQL, those that are decided
// meanwhile gather and make the next: nobody waits for company, and the more there are, the less each costs. Once enough wait
// they leave beside the first, so that the server is not idle while the program answers. A group is one transaction of moves of
// different trees: a case on its way is not in the memory, so none meets its own in a group, nor in the group beside.

// flightMost bounds how many moves one group carries.
const flightMost = 32

// flightsMost is how many groups are on their way at once; another than the first leaves when flightEnough moves wait. More of
// either kind of haste makes smaller groups, which cost the server more than the waiting.
const (
	flightsMost  = 2
	flightEnough = 4
)

// flightTime is how long a group may take before its outcome counts as unknown. It does not end with the request of any of its
// members: the others have asked for nothing of the kind.
const flightTime = 30 * time.Second

// flights are the groups on their way.
type flights struct {
	mu      sync.Mutex
	waiting []*flier
	flying  int
}

// flier is a decided move, and how its group ended.
type flier struct {
	tx   *Tx
	done chan error
}

// join sends a decided move with those that leave now, and waits until it is committed. errBehind means that nothing was
// written: the tree has moved on, or another move of the group could not be made, and the ordinary way says which.
func (db *DB) join(ctx context.Context, tx *Tx) error {
	me := &flier{tx: tx, done: make(chan error, 1)}
	if group := db.flights.wait(me); group != nil {
		db.fly(context.WithoutCancel(ctx), group)
	}
	return <-me.done
}

// fly sends a group; the next one, if there is, has a goroutine of its own, so that no request works for others.
func (db *DB) fly(ctx context.Context, group []*flier) {
	err := errNoAnswer
	defer func() { // also when sending panics: the others must not wait for ever
		for _, m := range group {
			m.done <- err
		}
		if next := db.flights.landed(); next != nil {
			go db.fly(ctx, next)
		}
	}()
	err = db.sendGroup(ctx, group)
}

// errNoAnswer is the outcome of a group that was given up half way.
var errNoAnswer = errors.New("the outcome of the move is not known")

// wait makes a move wait, and gives the group that is to leave at once, if one is.
func (fs *flights) wait(m *flier) []*flier {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.waiting = append(fs.waiting, m)
	return fs.board()
}

// landed counts a group as arrived, and gives the one that is to leave now, if one is.
func (fs *flights) landed() []*flier {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.flying--
	return fs.board()
}

// board takes those that wait, the first come first, in the order in which their rows are to be locked; none, while others are
// on their way and too few wait: whichever of those lands takes them.
func (fs *flights) board() []*flier {
	n := min(len(fs.waiting), flightMost)
	if n == 0 || fs.flying >= flightsMost || fs.flying > 0 && n < flightEnough {
		return nil
	}
	fs.flying++
	group := slices.Clone(fs.waiting[:n])
	fs.waiting = append(fs.waiting[:0], fs.waiting[n:]...)
	slices.SortFunc(group, func(a, b *flier) int { return cmp.Compare(a.tx.Root.ID, b.tx.Root.ID) })
	return group
}

// sendGroup writes the moves of a group in one round trip, which is one transaction: a batch without BEGIN.
func (db *DB) sendGroup(ctx context.Context, group []*flier) error {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	conn, err := db.writer(ctx)
	if err != nil {
		return err
	}
	defer conn.release()
	qs := append([]query{scopeOf(group).query()}, writesOf(group)...)
	if db.opts.Sent != nil {
		db.opts.Sent(len(qs))
	}
	if err := conn.send(ctx, qs); err != nil {
		conn.rollback(ctx)
		return undone(err)
	}
	for _, m := range group {
		m.tx.trips++
		m.tx.leave()
		if db.opts.Committed != nil {
			db.opts.Committed(m.tx.trips, m.tx.Root.ID)
		}
	}
	return nil
}

// undone is errBehind where the database says that it wrote nothing: a number taken, a deadlock, a value that it refuses.
func undone(err error) error {
	var pg *pgconn.PgError
	if errors.Is(err, ErrConflict) || errors.As(err, &pg) && pg.Severity == "ERROR" {
		return errBehind
	}
	return err
}

// scopeOf is all that the members of a group may see between them. Each was compared with its own before it was decided.
func scopeOf(group []*flier) Scope {
	if len(group) == 1 {
		return group[0].tx.scope
	}
	var all Scope
	for _, m := range group {
		all.All = all.All || m.tx.scope.All
		for _, b := range m.tx.scope.Bodies {
			if !slices.Contains(all.Bodies, b) {
				all.Bodies = append(all.Bodies, b)
			}
		}
	}
	return all
}

// writesOf makes two statements of all writes of a group: the update of the roots, which locks them before anything else is
// written, and the rest.
func writesOf(group []*flier) []query {
	if len(group) == 1 {
		qs := group[0].tx.pending
		qs[0].alone = false // the root's update
		return merged(qs)
	}
	var kinds []*write
	byKind := map[*write][]query{}
	for _, m := range group {
		for _, q := range m.tx.pending {
			if byKind[q.kind] == nil {
				kinds = append(kinds, q.kind)
			}
			byKind[q.kind] = append(byKind[q.kind], q)
		}
	}
	slices.SortFunc(kinds, func(a, b *write) int { return cmp.Compare(a.rank, b.rank) })
	var out []query
	for _, k := range kinds {
		out = append(out, query{sql: k.many, args: k.arrays(byKind[k]), alone: k != updateState, kind: k})
	}
	return merged(out)
}
