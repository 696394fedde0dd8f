package store

import (
	"context"
	"fmt"
	"time"
)

// Try is a deadline to look at, picked without locks: where it stands, and since when it waits.
type Try struct {
	ID, CaseID, Root string
	NextTry          time.Time
}

// dueNow and dueNext are asked every few seconds, whatever the number of deadlines: both are served by the index deadlines_try.
const (
	dueNow = `SELECT id, case_id, root, next_try FROM deadlines
		WHERE status IN ('running', 'blocked') AND next_try <= $1 AND (next_try, id) > ($2, $3) ORDER BY next_try, id LIMIT $4`
	dueNext = "SELECT next_try FROM deadlines WHERE status IN ('running', 'blocked') AND next_try >= $1 ORDER BY next_try, id LIMIT 1"
)

// Due lists, without locks, deadlines to look at now: those whose next_try has come, soonest first, after the one given (the
// zero Try: from the first). A caller who goes on past those that fail is kept from none.
func (db *DB) Due(ctx context.Context, now time.Time, after Try, limit int) ([]Try, error) {
	var out []Try
	err := db.read(ctx, Everything, query{
		sql:  dueNow,
		args: []any{now, after.NextTry, after.ID, limit},
		scan: func(r rows) error {
			var t Try
			err := r.Scan(&t.ID, &t.CaseID, &t.Root, &t.NextTry)
			t.NextTry = t.NextTry.UTC()
			out = append(out, t)
			return err
		},
	})
	return out, err
}

// DueOf lists, without locks, the deadlines of one tree to look at now, soonest first.
func (db *DB) DueOf(ctx context.Context, root string, now time.Time) ([]Try, error) {
	var out []Try
	err := db.read(ctx, Everything, query{
		sql:  "SELECT id, case_id, root, next_try FROM deadlines WHERE root = $1 AND status IN ('running', 'blocked') AND next_try <= $2 ORDER BY next_try, id",
		args: []any{root, now},
		scan: func(r rows) error {
			var t Try
			err := r.Scan(&t.ID, &t.CaseID, &t.Root, &t.NextTry)
			t.NextTry = t.NextTry.UTC()
			out = append(out, t)
			return err
		},
	})
	return out, err
}

// NextTry is the soonest instant, not before from, at which a deadline is to be looked at; false when there is none.
func (db *DB) NextTry(ctx context.Context, from time.Time) (time.Time, bool, error) {
	var at time.Time
	found := false
	err := db.read(ctx, Everything, query{
		sql:  dueNext,
		args: []any{from},
		scan: func(r rows) error {
			found = true
			err := r.Scan(&at)
			at = at.UTC()
			return err
		},
	})
	return at, found, err
}

// NextDue is when the soonest running deadline is over, whatever its case; zero when none runs.
func (db *DB) NextDue(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := db.read(ctx, Everything, query{ // the first condition is that of the index
		sql:  "SELECT next_try FROM deadlines WHERE status IN ('running', 'blocked') AND status = 'running' ORDER BY next_try LIMIT 1",
		scan: func(r rows) error { return r.Scan(&at) },
	})
	return at.UTC(), err
}

// Overdue counts the deadlines whose next_try has come, up to most, and says which came first.
func (db *DB) Overdue(ctx context.Context, now time.Time, most int) (n int, oldest time.Time, err error) {
	err = db.read(ctx, Everything, query{
		sql:  "SELECT next_try FROM deadlines WHERE status IN ('running', 'blocked') AND next_try <= $1 ORDER BY next_try, id LIMIT $2",
		args: []any{now, most},
		scan: func(r rows) error {
			var at time.Time
			err := r.Scan(&at)
			if n++; n == 1 {
				oldest = at.UTC()
			}
			return err
		},
	})
	return n, oldest, err
}

// PutOff queues a later try for a deadline whose tree this transaction has locked. It is no change of the deadline: its
// revision stays.
func (tx *Tx) PutOff(id string, until time.Time) { tx.queue(putOff, until, id) }

// Queued says how many writes wait; Unqueue drops those after so many, when what they belong to shall not be written after all.
func (tx *Tx) Queued() int { return len(tx.pending) }

// Unqueue drops the writes queued since Queued said n.
func (tx *Tx) Unqueue(n int) { tx.pending = tx.pending[:n] }

// Trees are the locked trees of UpdateTrees.
type Trees struct {
	Roots map[string]*Case // by id
	Cases map[string]*Case // of those asked for, by id: the pointer of the root where the case is one
}

// UpdateTrees runs f under the locks of the roots of many trees, taken in ascending id in one statement, with the cases that the
// tries stand in. Without wait the trees that somebody else has locked are left out. f is not called when there are none.
//
// Round trips on PostgreSQL: one to begin, lock and read the cases, one for LoadTrees, one to write and commit.
func (db *DB) UpdateTrees(ctx context.Context, tries []Try, wait bool, f func(*Tx, Trees) error) error {
	ids, roots := make([]string, 0, len(tries)), make([]string, len(tries))
	for i, t := range tries {
		roots[i] = t.Root
		if t.CaseID != t.Root {
			ids = append(ids, t.CaseID)
		}
	}
	return db.run(ctx, Everything, func(tx *Tx) error {
		trees := Trees{Roots: make(map[string]*Case, len(tries)), Cases: make(map[string]*Case, len(tries))}
		first, err := tx.lockTrees(roots, ids, wait, trees)
		if err != nil {
			return err
		}
		if err := tx.send(first); err != nil {
			return fmt.Errorf("lock trees: %w", err)
		}
		if len(trees.Roots) == 0 {
			return tx.send([]query{{sql: "COMMIT"}})
		}
		if err := tx.finish(func(tx *Tx) error { return f(tx, trees) }); err != nil {
			return err
		}
		for id := range trees.Roots {
			db.left.drop(id)
		}
		return nil
	})
}

// lockTrees locks roots, and in a statement of its own reads cases of theirs.
func (tx *Tx) lockTrees(roots, ids []string, wait bool, trees Trees) ([]query, error) {
	list, err := tx.list(roots)
	if err != nil {
		return nil, err
	}
	qs := append(tx.begin(), tx.lockRoots(list, wait, trees))
	if len(ids) == 0 {
		return qs, nil
	}
	if list, err = tx.list(ids); err != nil {
		return nil, err
	}
	return append(qs, readCases(tx.among("id", 1), list, func(c *Case) {
		if trees.Roots[c.Root] != nil {
			trees.Cases[c.ID] = c
		}
	})), nil
}

func (tx *Tx) lockRoots(list any, wait bool, trees Trees) query {
	q := query{
		sql:  "SELECT " + caseColumns + ", " + tx.clockColumn() + " FROM cases WHERE " + tx.among("id", 1) + " ORDER BY id",
		args: []any{list},
		scan: func(r rows) error {
			var clock *time.Time
			c, err := scanCase(r, &clock)
			if err != nil {
				return err
			}
			if clock != nil && clock.After(tx.Now) {
				tx.Now = clock.UTC().Truncate(time.Microsecond)
			}
			trees.Roots[c.ID], trees.Cases[c.ID] = c, c
			return nil
		},
	}
	if tx.db.pool != nil {
		q.sql += " FOR UPDATE"
		if !wait {
			q.sql += " SKIP LOCKED"
		}
	}
	return q
}

// Target is a case of a locked tree and what is to be read around it. A tree has one target.
type Target struct {
	Case *Case
	Want Want
}

// LoadTrees is Load for many trees at once, in one round trip: a snapshot per root.
func (tx *Tx) LoadTrees(trees Trees, targets []Target) (map[string]*Snapshot, error) {
	l := &treeLoad{tx: tx, out: make(map[string]*Snapshot, len(targets)), of: make(map[string]*Snapshot, 2*len(targets)), bodies: map[[2]string][]*Snapshot{}}
	for _, t := range targets {
		l.out[t.Case.Root] = &Snapshot{Cases: map[string]*Case{}, Past: map[string]map[string]Fired{}}
		l.addCase(trees.Roots[t.Case.Root])
		l.addCase(t.Case)
		l.want(t)
	}
	l.ask()
	if l.err != nil || len(l.queries) == 0 {
		return l.out, l.err
	}
	if err := tx.send(l.queries); err != nil {
		return nil, fmt.Errorf("load trees: %w", err)
	}
	return l.out, nil
}

// treeLoad collects, for each kind of fact, whose facts are wanted.
type treeLoad struct {
	tx      *Tx
	out     map[string]*Snapshot // by root
	of      map[string]*Snapshot // by case
	queries []query
	err     error

	ids, parents, trees                                           []string // cases by id, by parent, by root
	rows, treeRows, documents, treeDocuments, deadlines, treeDues []string
	past, pastRoots, treePast                                     []string
	bodies                                                        map[[2]string][]*Snapshot // whose agreement
}

func (l *treeLoad) addCase(c *Case) {
	s := l.out[c.Root]
	s.addCase(c)
	l.of[c.ID] = s
}

func (l *treeLoad) want(t Target) {
	w, c := t.Want, t.Case
	add := func(wanted bool, byCase, byRoot *[]string) {
		switch {
		case !wanted:
		case w.Tree:
			*byRoot = append(*byRoot, c.Root)
		default:
			*byCase = append(*byCase, c.ID)
		}
	}
	add(w.Rows, &l.rows, &l.treeRows)
	add(w.Documents, &l.documents, &l.treeDocuments)
	add(w.Deadlines, &l.deadlines, &l.treeDues)
	add(w.Past, &l.past, &l.treePast)
	if w.Past && !w.Tree {
		l.pastRoots = append(l.pastRoots, c.Root)
	}
	if w.Agreement {
		pair := [2]string{c.MemberBody, c.SUA}
		l.bodies[pair] = append(l.bodies[pair], l.out[c.Root])
	}
	if w.Tree {
		l.trees = append(l.trees, c.Root)
		return
	}
	if w.Parent && c.Parent != "" && c.Parent != c.Root {
		l.ids = append(l.ids, c.Parent)
	}
	if w.Children {
		l.parents = append(l.parents, c.ID)
	}
	if w.Above && c.Parent != "" {
		l.parents = append(l.parents, c.Parent)
		if c.Parent != c.Root {
			l.parents = append(l.parents, c.Root)
		}
	}
}

// ask puts the questions: cases first, for they say to which tree the rest belongs.
func (l *treeLoad) ask() {
	tx := l.tx
	each := func(column string, ids []string, q func(where string, list any) query) {
		if len(ids) == 0 || l.err != nil {
			return
		}
		var list any
		if list, l.err = tx.list(ids); l.err == nil {
			l.queries = append(l.queries, q(tx.among(column, 1), list))
		}
	}
	cases := func(where string, list any) query { return readCases(where, list, l.addCase) }
	each("root", l.trees, cases)
	each("id", l.ids, cases)
	each("parent", l.parents, cases)
	rows := func(where string, list any) query {
		return readRows(where, list, func(r Row) { l.of[r.CaseID].addRow(r) })
	}
	each("case_id", l.rows, rows)
	each("root", l.treeRows, rows)
	documents := func(where string, list any) query {
		return readDocuments(where, list, func(d Document) { l.out[d.Root].addDocument(d) })
	}
	each("case_id", l.documents, documents)
	each("root", l.treeDocuments, documents)
	deadlines := func(where string, list any) query {
		return readDeadlines(where, list, func(d Deadline) { l.out[d.Root].addDeadline(d) })
	}
	each("case_id", l.deadlines, deadlines)
	each("root", l.treeDues, deadlines)
	put := func(caseID, event string, f Fired) { l.of[caseID].addPast(caseID, event, f) }
	each("root", l.treePast, func(where string, list any) query { return readPast(where, put, list) })
	each("root", l.pastRoots, func(where string, list any) query {
		cases, err := tx.list(l.past)
		if err != nil {
			l.err = err
		}
		return readPast(where+" AND "+tx.among("case_id", 2), put, list, cases)
	})
	for pair, of := range l.bodies {
		l.queries = append(l.queries, readAgreement(pair[0], pair[1], func(a Agreement) {
			for _, s := range of {
				s.addAgreement(a)
			}
		}))
	}
}

// Copy is a snapshot whose cases may be changed without changing this one's. Values are never changed in place.
func (s *Snapshot) Copy() *Snapshot {
	out := *s
	out.Cases = make(map[string]*Case, len(s.Cases))
	for id, c := range s.Cases {
		own := *c
		out.Cases[id] = &own
	}
	return &out
}
