package store

import (
	"context"
	"errors"
	"fmt"
)

// The sequencer gives each committed event a number: 1, 2, 3 … without gaps, and in the order of its tree. Numbers stand in the
// table log and never change.
//
// Events cannot number themselves: on PostgreSQL transactions commit in another order than they begin, and a reader who has seen
// number 7 must never meet a 6 later. So events carry the id of their transaction, and only those of transactions older than
// every running one (xmin of the snapshot) are looked at: none of them can appear any more. They are taken in windows of
// transaction ids, [watermark, bound), and numbered by (at, root, seq).
//
// Why the order of a tree holds. Within a tree `at` never goes back (engine/world.go), so that within a window (at, root, seq) is
// its order. Across windows the ids alone would not do: a transaction with a low id may lock a tree after one with a higher id
// has written it and committed. Hence a window takes, of each tree it touches, also the events before: all after the last one
// numbered. They are visible, since whoever wrote the later one had read them under the lock. What is numbered of a tree is thus
// always its beginning, and the later window finds nothing left of what was taken early.
//
// Which those are need not be asked of the log for each tree. log_head keeps the highest transaction of what was numbered (early).
// A window that begins beyond it holds nothing that has a number, and all before it is numbered: what is missing of its trees was
// written by transactions from its end on, which had begun when the window was looked at. That is a handful. The log is asked only
// while the window lies within what was taken early, when it is a part of a long backlog, and when events were deleted behind our
// back and others took their places: then the quick way meets a number that is taken.
//
// On SQLite there is one writer, so that the rows of events stand in the order of commits: the window is one of rowids. A rowid comes
// again when the newest row was deleted behind our back; then the row before the watermark has no number, or there is none, and
// whatever lacks a number gets one, as after a move.

// sequenceLock is the advisory lock that one sequencer holds at a time.
const sequenceLock = 0x5355415f4c4f47 // "SUA_LOG"

// window is how far the numbering has come, and what lies before it: transactions on PostgreSQL, rows on SQLite.
type window struct {
	n        int64 // last number given
	from, to int64 // not looked at yet
	// first is where the first event in it is, beyond where the one a chunk further is; 0: there is none
	first, beyond int64
	moved         bool // the numbers of transactions are not those of this cluster
	cluster       string
	early, high   int64 // on PostgreSQL: the highest transaction of what is numbered; one that had not begun yet
}

// LogSize is the last number given.
func (db *DB) LogSize(ctx context.Context) (int64, error) {
	var n int64
	err := db.read(ctx, Everything, query{sql: "SELECT n FROM log_head", scan: func(r rows) error { return r.Scan(&n) }})
	return n, err
}

// Sequence numbers events that are committed and cannot be overtaken any more, about limit of them (a transaction is never
// parted). It returns how many, and whether there may be more. Another sequencer at work makes it return at once.
func (db *DB) Sequence(ctx context.Context, limit int) (numbered int, more bool, err error) {
	numbered, more, err = db.sequence(ctx, limit, false)
	if errors.Is(err, ErrConflict) {
		numbered, more, err = db.sequence(ctx, limit, true)
	}
	if err != nil {
		return 0, false, fmt.Errorf("sequence: %w", err)
	}
	return numbered, more, nil
}

// sequence numbers one window; careful: asking of each tree how far it is numbered.
func (db *DB) sequence(ctx context.Context, limit int, careful bool) (numbered int, more bool, err error) {
	var w window
	if err := db.read(ctx, Everything, db.before(0, &w)); err != nil || w.empty() { // of how far the chunk goes nothing is asked yet
		return 0, false, err // mostly there is nothing: an answer without a lock, or SQLite's only writer
	}
	free := true
	err = db.run(ctx, Everything, func(tx *Tx) error {
		first := tx.begin()
		if db.pool != nil {
			first = append(first, query{sql: "SELECT pg_try_advisory_xact_lock($1)", args: []any{int64(sequenceLock)}, scan: func(r rows) error { return r.Scan(&free) }})
		}
		// a statement of its own after the lock: it must see what the sequencer before has committed
		if err := tx.send(append(first, db.before(limit, &w))); err != nil {
			return err
		}
		return tx.finish(func(tx *Tx) (err error) {
			if free && !w.empty() {
				numbered, err = tx.number(w, limit, careful)
			}
			return err
		})
	})
	return numbered, free && (w.beyond > 0 || w.moved), err
}

func (w window) empty() bool { return w.first == 0 && !w.moved }

// bound is where the part of the window that is taken at once ends.
func (w window) bound() int64 {
	switch {
	case w.beyond == 0:
		return w.to
	case w.beyond > w.first:
		return w.beyond
	}
	return w.first + 1 // one transaction is larger than a chunk
}

// before reads where the sequencer stands and what lies before it.
func (db *DB) before(limit int, w *window) query {
	q := query{
		sql: `SELECT n, watermark, top, coalesce((SELECT rowid FROM events WHERE rowid >= watermark ORDER BY rowid LIMIT 1), 0),
			coalesce((SELECT rowid FROM events WHERE rowid >= watermark ORDER BY rowid LIMIT 1 OFFSET $1), 0),
			watermark > top OR EXISTS (SELECT 1 FROM events e WHERE rowid = watermark - 1 AND ` + unnumbered + `), '', early, 0
			FROM log_head, (SELECT coalesce(max(rowid), 0) + 1 AS top FROM events)`,
		args: []any{limit},
		scan: func(r rows) error {
			return r.Scan(&w.n, &w.from, &w.to, &w.first, &w.beyond, &w.moved, &w.cluster, &w.early, &w.high)
		},
	}
	if db.pool != nil {
		// Another cluster, or transactions counted anew: a dump brought the database here, and the watermark means nothing.
		q.sql = `SELECT n, watermark, low, coalesce((SELECT xid FROM events WHERE xid >= watermark AND xid < low ORDER BY xid LIMIT 1), 0),
			coalesce((SELECT xid FROM events WHERE xid >= watermark AND xid < low ORDER BY xid LIMIT 1 OFFSET $1), 0),
			watermark > high OR cluster <> here, here, early, high
			FROM log_head, (SELECT pg_snapshot_xmin(s)::text::bigint AS low, pg_snapshot_xmax(s)::text::bigint AS high, c.system_identifier::text AS here
				FROM pg_current_snapshot() s, pg_control_system() c) x`
	}
	return q
}

const (
	// The events of a window, and those of its trees that come before them though their transactions come after.
	windowOfTransactions = `WITH w AS MATERIALIZED (SELECT at, root, seq, xid FROM events WHERE xid >= $1 AND xid < $2),
		late AS MATERIALIZED (SELECT at, root, seq, xid FROM events WHERE xid >= $2 AND xid < $3)
		SELECT * FROM w UNION ALL
		SELECT late.* FROM late JOIN (SELECT root, max(seq) AS last FROM w GROUP BY root) t ON t.root = late.root AND late.seq < t.last`
	// The same, asking how far each tree is numbered. Nearly every tree is whole: what the window holds of it follows what is numbered,
	// and nothing is missing between. Only of the others the events are looked for by tree. What is asked for each tree is a subquery,
	// not a join, which for some hundred trees would read the whole of log or of events.
	windowWithCare = `WITH w AS MATERIALIZED (SELECT at, root, seq, xid FROM events WHERE xid >= $1 AND xid < $2 AND xid < $3),
		t AS MATERIALIZED (SELECT root, done, last, first = done + 1 AND many = last - done AS whole
			FROM (SELECT root, min(seq) AS first, max(seq) AS last, count(*) AS many,
				coalesce((SELECT max(l.seq) FROM log l WHERE l.root = w.root), 0) AS done FROM w GROUP BY root) x)
		SELECT w.at, w.root, w.seq, w.xid FROM w JOIN t ON t.root = w.root WHERE t.whole
		UNION ALL SELECT e.at, t.root, e.seq, e.xid FROM t
			CROSS JOIN LATERAL (SELECT at, seq, xid FROM events WHERE root = t.root AND seq > t.done AND seq <= t.last OFFSET 0) e WHERE NOT t.whole`
	windowOfRows = "SELECT rowid AS at, root, seq FROM events e WHERE rowid >= $1 AND rowid < $2 AND " + unnumbered
	unnumbered   = "NOT EXISTS (SELECT 1 FROM log l WHERE l.root = e.root AND l.seq = e.seq)"
	// After a move: whatever has no number, oldest first, so that also here the beginning of a tree comes first.
	missing       = "SELECT at, root, seq FROM events e WHERE " + unnumbered + " ORDER BY at, root, seq LIMIT $1"
	missingOfRows = "SELECT rowid AS at, root, seq FROM events e WHERE " + unnumbered + " ORDER BY rowid LIMIT $1"
)

// number gives numbers to one window, or after a move to what has none, and moves the watermark.
func (tx *Tx) number(w window, limit int, careful bool) (given int, err error) {
	early := w.early
	if tx.db.pool == nil {
		given, err = tx.numberRows(w, limit)
	} else {
		given, early, err = tx.numberTransactions(w, limit, careful)
	}
	if err != nil {
		return 0, err
	}
	mark, cluster := w.bound(), w.cluster
	switch {
	case w.moved && given == limit: // more may be missing: the next call goes on
		mark, cluster = w.from, "moved"
	case w.moved: // read before the missing ones: what was still running then comes in the windows that follow
		mark = w.to
	}
	tx.queueText("UPDATE log_head SET n = $1, watermark = $2, cluster = $3, early = $4", w.n+int64(given), mark, cluster, early)
	return given, nil
}

// numberTransactions is number on PostgreSQL. It also returns the highest transaction of what has a number now.
func (tx *Tx) numberTransactions(w window, limit int, careful bool) (given int, early int64, err error) {
	from, args, highest := windowOfTransactions, []any{w.from, w.bound(), w.high}, "coalesce(max(xid), 0)"
	switch {
	case w.moved: // also what was numbered elsewhere has a transaction, of another count
		from, args, highest = missing, []any{limit}, "(SELECT coalesce(max(xid), 0) FROM events)"
	case careful || w.early >= w.from || w.bound() < w.to:
		from = windowWithCare
	}
	args = append(args, w.n)
	err = tx.send([]query{{
		sql: fmt.Sprintf(`WITH taken AS MATERIALIZED (%s),
			given AS (INSERT INTO log (n, root, seq) SELECT $%d + row_number() OVER (ORDER BY at, root, seq), root, seq FROM taken)
			SELECT count(*), %s FROM taken`, from, len(args), highest),
		args: args, scan: func(r rows) error { return r.Scan(&given, &early) },
	}})
	return given, max(early, w.early), err
}

// numberRows is number on SQLite.
func (tx *Tx) numberRows(w window, limit int) (given int, err error) {
	from, args := windowOfRows, []any{w.from, w.bound()}
	if w.moved {
		from, args = missingOfRows, []any{limit}
	}
	args = append(args, w.n)
	err = tx.send([]query{{
		sql:  fmt.Sprintf("INSERT INTO log (n, root, seq) SELECT $%d + row_number() OVER (ORDER BY at, root, seq), root, seq FROM (%s) x RETURNING 1", len(args), from),
		args: args, scan: func(rows) error { given++; return nil },
	}})
	return given, err
}
