package store

import (
	"context"
	"fmt"
	"time"
)

// Try is a deadline to look at, picked without locks: enough to lock its tree and to know what to read under the lock.
type Try struct {
	ID, CaseID, Root string
	Parent           string // of the case; empty on a root
	Hash             string // the case's definition when it was picked
	MemberBody, SUA  string
	NextTry          time.Time
}

// Due lists, without locks, deadlines to look at now: those whose next_try has come, soonest first, after the one given (the
// zero Try: from the first). A caller who goes on past those that fail is kept from none.
func (db *DB) Due(ctx context.Context, now time.Time, after Try, limit int) ([]Try, error) {
	var out []Try
	err := db.read(ctx, Everything, query{
		sql: `SELECT d.id, d.case_id, d.root, d.next_try, d.member_body, d.sua, coalesce(c.parent, ''), c.hash
			FROM deadlines d JOIN cases c ON c.id = d.case_id
			WHERE d.status IN ('running', 'blocked') AND d.next_try <= $1 AND (d.next_try, d.id) > ($2, $3) ORDER BY d.next_try, d.id LIMIT $4`,
		args: []any{now, after.NextTry, after.ID, limit},
		scan: func(r rows) error {
			var t Try
			err := r.Scan(&t.ID, &t.CaseID, &t.Root, &t.NextTry, &t.MemberBody, &t.SUA, &t.Parent, &t.Hash)
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
		sql:  "SELECT next_try FROM deadlines WHERE status IN ('running', 'blocked') AND next_try >= $1 ORDER BY next_try, id LIMIT 1",
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

// UpdateTrees runs f under the locks of the roots of many trees, taken in ascending id in one statement. Without wait the roots
// that somebody else has locked are left out. f gets the roots that it has; it is not called when there are none.
//
// Round trips on PostgreSQL: one to begin and lock, one for LoadTrees, one to write and commit.
func (db *DB) UpdateTrees(ctx context.Context, roots []string, wait bool, f func(tx *Tx, locked map[string]*Case) error) error {
	return db.run(ctx, Everything, func(tx *Tx) error {
		list, err := tx.list(roots)
		if err != nil {
			return err
		}
		locked := make(map[string]*Case, len(roots))
		if err := tx.send(append(tx.begin(), tx.lockRoots(list, wait, locked))); err != nil {
			return fmt.Errorf("lock trees: %w", err)
		}
		if len(locked) == 0 {
			return tx.send([]query{{sql: "COMMIT"}})
		}
		if err := tx.finish(func(tx *Tx) error { return f(tx, locked) }); err != nil {
			return err
		}
		for id := range locked {
			db.left.drop(id)
		}
		return nil
	})
}

func (tx *Tx) lockRoots(list any, wait bool, into map[string]*Case) query {
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
			into[c.ID] = c
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
	CaseID, Parent, Root string
	MemberBody, SUA      string
	Want                 Want
}

// LoadTrees is Load for many trees at once, in one round trip: a snapshot per root.
func (tx *Tx) LoadTrees(locked map[string]*Case, targets []Target) (map[string]*Snapshot, error) {
	l := &treeLoad{tx: tx, out: make(map[string]*Snapshot, len(targets)), of: make(map[string]*Snapshot, 2*len(targets)), bodies: map[[2]string][]*Snapshot{}}
	for _, t := range targets {
		s := &Snapshot{Cases: map[string]*Case{}, Past: map[string]map[string]Fired{}}
		l.out[t.Root], l.of[t.CaseID] = s, s
		l.addCase(locked[t.Root])
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
	w := t.Want
	add := func(wanted bool, byCase, byRoot *[]string) {
		switch {
		case !wanted:
		case w.Tree:
			*byRoot = append(*byRoot, t.Root)
		default:
			*byCase = append(*byCase, t.CaseID)
		}
	}
	add(w.Rows, &l.rows, &l.treeRows)
	add(w.Documents, &l.documents, &l.treeDocuments)
	add(w.Deadlines, &l.deadlines, &l.treeDues)
	add(w.Past, &l.past, &l.treePast)
	if w.Past && !w.Tree {
		l.pastRoots = append(l.pastRoots, t.Root)
	}
	if w.Agreement {
		pair := [2]string{t.MemberBody, t.SUA}
		l.bodies[pair] = append(l.bodies[pair], l.out[t.Root])
	}
	if w.Tree {
		l.trees = append(l.trees, t.Root)
		return
	}
	if t.CaseID != t.Root {
		l.ids = append(l.ids, t.CaseID)
	}
	if w.Parent && t.Parent != "" && t.Parent != t.Root {
		l.ids = append(l.ids, t.Parent)
	}
	if w.Children {
		l.parents = append(l.parents, t.CaseID)
	}
	if w.Above && t.Parent != "" {
		l.parents = append(l.parents, t.Parent)
		if t.Parent != t.Root {
			l.parents = append(l.parents, t.Root)
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
