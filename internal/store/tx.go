package store

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// Tx is one transaction under the lock of a tree (or of none, for Create). It is used by one goroutine and never outlives
// the function it was given to.
type Tx struct {
	// Now is the time of the whole transaction: UTC, microseconds.
	Now time.Time
	// Case and Root are the case asked for and the locked root of its tree (the same pointer when the case is the root).
	// Nil in Create and Batch.
	Case, Root *Case
	// Answer is the stored answer of the same request made before; nil when the request is new.
	Answer []byte

	ctx      context.Context
	db       *DB
	scope    Scope
	conn     transport
	pending  []query // writes, sent with the commit
	behind   *lane   // of the writes that FlushBehind has on their way; nil when there are none
	trips    int
	readOnly bool
	unread   bool      // Move: nothing was read and nothing may be
	moved    *Case     // of which UpdateState was queued
	more     bool      // something was queued that a remembered case does not hold
	wordless []string  // SQLite: new cases whose words are not in the index yet
	soonest  time.Time // of the live deadlines written here: when to look at them; zero when there is none
}

// Update runs f under the lock of the root of the tree of case id. Round trips on PostgreSQL: one to begin, lock and read
// the case, one for each Load, one to write and commit.
//
// It returns ErrNotFound when the case is not there or not in scope, ErrKeyReused when key was used with another body.
func (db *DB) Update(ctx context.Context, scope Scope, id string, key *IdemKey, f func(*Tx) error) error {
	if !storable(id) {
		return ErrNotFound
	}
	return db.run(ctx, scope, func(tx *Tx) error {
		first := append(tx.begin(), tx.lockAndRead(id)...)
		if key != nil {
			first = append(first, tx.readAnswer(*key))
		}
		if err := tx.send(first); err != nil {
			return err
		}
		if !tx.found(id) {
			return ErrNotFound
		}
		db.roots.put(id, tx.Root.ID)
		return tx.finish(f)
	})
}

// Create runs f in a transaction that holds no lock: for a new tree, whose rows nobody else can see yet.
func (db *DB) Create(ctx context.Context, scope Scope, key *IdemKey, f func(*Tx) error) error {
	return db.run(ctx, scope, func(tx *Tx) error {
		first := tx.begin()
		if db.opts.Now == nil {
			first = append(first, query{sql: "SELECT clock_timestamp()", scan: tx.scanClock})
		}
		if key != nil {
			first = append(first, tx.readAnswer(*key))
		}
		if err := tx.send(first); err != nil {
			return err
		}
		return tx.finish(f)
	})
}

func (tx *Tx) scanClock(r rows) error {
	err := r.Scan(&tx.Now)
	tx.Now = tx.Now.UTC().Truncate(time.Microsecond)
	return err
}

// Peek runs f over an unlocked snapshot of a case, to read only: what f writes is refused by the database.
func (db *DB) Peek(ctx context.Context, scope Scope, id string, f func(*Tx) error) error {
	if !storable(id) {
		return ErrNotFound
	}
	conn, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer conn.release()
	tx := &Tx{ctx: ctx, db: db, scope: scope, conn: conn, readOnly: true}
	defer conn.rollback(ctx)
	if tx.Now, err = db.Now(ctx); err != nil {
		return err
	}
	if err := tx.send(append(tx.begin(), tx.readRoot("id = (SELECT root FROM cases WHERE id = $1)", id), tx.readCase(id))); err != nil {
		return err
	}
	if !tx.found(id) {
		return ErrNotFound
	}
	return f(tx)
}

// lockAndRead locks the root of the tree of a case and reads both. A case never changes tree: once its root is known, it is
// locked by its own id, and a case that is its own root is read once.
func (tx *Tx) lockAndRead(id string) []query {
	root, known := tx.db.roots.get(id)
	switch {
	case !known:
		return []query{tx.lockRoot("id = (SELECT root FROM cases WHERE id = $1)", id), tx.readCase(id)}
	case root == id:
		return []query{tx.lockRoot("id = $1", id)}
	}
	return []query{tx.lockRoot("id = $1", root), tx.readCase(id)}
}

// rootMemory remembers the roots of cases touched lately.
type rootMemory struct {
	mu   sync.Mutex
	root map[string]string
}

// rootsKept bounds the memory; past it, it starts afresh.
const rootsKept = 20_000

func (m *rootMemory) get(id string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	root, ok := m.root[id]
	return root, ok
}

func (m *rootMemory) put(id, root string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.root == nil || len(m.root) >= rootsKept {
		m.root = map[string]string{}
	}
	m.root[id] = root
}

// found reports whether the case and its root were read; a case that is its own root was read once, as the root.
func (tx *Tx) found(id string) bool {
	if tx.Root != nil && tx.Root.ID == id {
		tx.Case = tx.Root
	}
	return tx.Case != nil && tx.Root != nil
}

// finish runs f, which looks first whether the request was answered before, then writes and commits.
func (tx *Tx) finish(f func(*Tx) error) error {
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.send([]query{{sql: "COMMIT"}}); err != nil {
		return err
	}
	if tx.Root != nil {
		tx.leave()
	}
	tx.tell()
	return nil
}

// tell says to who waits for deadlines that some were written.
func (tx *Tx) tell() {
	if f := tx.db.written.Load(); f != nil && !tx.soonest.IsZero() {
		(*f)(tx.soonest)
	}
}

func (db *DB) run(ctx context.Context, scope Scope, f func(*Tx) error) error {
	conn, err := db.writer(ctx)
	if err != nil {
		return err
	}
	defer conn.release()
	tx := &Tx{ctx: ctx, db: db, scope: scope, conn: conn}
	if db.opts.Now != nil {
		tx.Now = db.opts.Now().UTC().Truncate(time.Microsecond)
	}
	committed := false
	defer func() { // also when f panics: SQLite's only writer must not stay inside a transaction
		if !committed {
			_ = tx.landed() // what came after the rollback would stand by itself
			conn.rollback(ctx)
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	committed = true
	if db.opts.Committed != nil {
		root := ""
		if tx.Root != nil {
			root = tx.Root.ID
		}
		db.opts.Committed(tx.trips, root)
	}
	return nil
}

// writer gives the connection for a change; on SQLite there is one and the caller waits for it.
func (db *DB) writer(ctx context.Context) (transport, error) {
	conn, err := db.sound(ctx)
	if err != nil || db.opts.Broken == nil {
		return conn, err
	}
	return breaking{conn, db.opts.Broken}, nil
}

// sound is a connection that no test breaks.
func (db *DB) sound(ctx context.Context) (transport, error) {
	if db.pool != nil {
		c, err := db.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		return pgConn{c}, nil
	}
	db.writeMu.Lock()
	return lockedSQLite{db.write, db.writeMu.Unlock}, nil
}

// reader gives a connection for reading.
func (db *DB) reader(ctx context.Context) (transport, error) {
	if db.pool != nil {
		return db.sound(ctx)
	}
	c, err := db.readPool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	lite := newSQLiteConn(c)
	return lockedSQLite{lite, func() { _ = lite.close() }}, nil // its statements too: database/sql forgets those of a Conn
}

// lockedSQLite gives its connection back when released.
type lockedSQLite struct {
	*sqliteConn
	done func()
}

func (l lockedSQLite) release() { l.done() }

// begin opens the transaction; on PostgreSQL it also tells the scope.
func (tx *Tx) begin() []query {
	if tx.db.pool == nil {
		if tx.readOnly {
			return []query{{sql: "BEGIN DEFERRED"}}
		}
		return []query{{sql: "BEGIN IMMEDIATE"}}
	}
	start := "BEGIN"
	if tx.readOnly {
		start = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
	}
	return []query{{sql: start}, tx.scope.query()}
}

// query tells PostgreSQL the scope for the rest of the transaction.
func (s Scope) query() query {
	return query{sql: "SELECT set_config('sua.scope', $1, true)", args: []any{s.setting()},
		scan: func(r rows) error { var s string; return r.Scan(&s) }}
}

// send runs queries now, with the pending writes before them.
func (tx *Tx) send(qs []query) error {
	if tx.unread {
		return errBehind
	}
	if err := tx.landed(); err != nil {
		return err
	}
	tx.addWords()
	if len(tx.pending) > 0 {
		if tx.db.pool != nil {
			tx.pending = gathered(tx.pending)
		}
		qs = append(tx.pending, qs...)
		tx.pending = nil
	}
	tx.trips++
	if tx.db.opts.Sent != nil {
		tx.db.opts.Sent(len(qs))
	}
	tx.note(qs)
	return tx.conn.send(tx.ctx, qs)
}

// note tells of statements to who listens.
func (tx *Tx) note(qs []query) {
	if f := tx.db.opts.Statement; f != nil {
		for _, q := range qs {
			f(q.sql, q.args)
		}
	}
}

// Flush sends the pending writes now. Only Batch needs it, to see its own rows.
func (tx *Tx) Flush() error {
	if len(tx.pending) == 0 {
		return nil
	}
	return tx.send(nil)
}

func (tx *Tx) readAnswer(key IdemKey) query {
	return query{
		sql:  "SELECT body_hash, answer FROM idempotency WHERE actor = $1 AND path = $2 AND key = $3",
		args: []any{key.Actor, key.Path, key.Key},
		scan: func(r rows) error {
			var hash, answer []byte
			if err := r.Scan(&hash, &answer); err != nil {
				return err
			}
			if !bytes.Equal(hash, key.BodyHash) {
				return ErrKeyReused
			}
			tx.Answer = answer
			return nil
		},
	}
}

// clock is read in the same round trip as the lock, after it: no transaction is dated before the one it waited for.
func (tx *Tx) clockColumn() string {
	if tx.db.pool != nil && tx.db.opts.Now == nil {
		return "clock_timestamp()"
	}
	return "CAST(NULL AS timestamp)" // typed: a column of unknown type is costly to read
}
