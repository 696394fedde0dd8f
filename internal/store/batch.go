package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Batch runs f in one transaction over many trees, for imports. The roots that f will change are locked in ascending id by
// BySource; new trees need no lock. f sees its own writes only after Flush.
func (db *DB) Batch(ctx context.Context, f func(*Tx) error) error {
	return db.Create(ctx, Everything, nil, f)
}

// wordsAtOnce is of how many cases the words are added by one statement: the index of words goes to the file at the end of each.
const wordsAtOnce = 400

// FlushBehind sends the pending writes while f goes on deciding; an error of theirs comes with the next reading or with the commit.
// f changes nothing any more of what it has queued.
func (tx *Tx) FlushBehind() {
	if len(tx.pending) == 0 {
		return
	}
	if len(tx.wordless) >= wordsAtOnce {
		tx.addWords()
	}
	chunk := tx.pending
	if tx.db.pool != nil {
		chunk = gathered(chunk)
	}
	tx.pending = nil
	tx.trips++
	tx.note(chunk)
	if tx.behind == nil {
		tx.behind = newLane(tx.ctx, tx.conn)
	}
	tx.behind.work <- chunk
}

// landed waits for what FlushBehind has sent.
func (tx *Tx) landed() error {
	if tx.behind == nil {
		return nil
	}
	close(tx.behind.work)
	err := <-tx.behind.done
	tx.behind = nil
	return err
}

// lane sends writes of a transaction one after the other, while more of them are decided. After an error it only takes them in.
type lane struct {
	work chan []query
	done chan error // one: the first, once work is closed and all has been sent
}

// waitingMost is how many lots of writes may wait, so that neither the database nor who decides waits for the other's slow ones.
const waitingMost = 16

func newLane(ctx context.Context, conn transport) *lane {
	l := &lane{make(chan []query, waitingMost), make(chan error, 1)}
	go func() {
		var err error
		for chunk := range l.work {
			if err == nil {
				err = conn.send(ctx, chunk)
			}
		}
		l.done <- err
	}()
	return l
}

// BySource returns, by source key, the cases that an import made before, with the roots of their trees locked: first the
// roots in ascending id, then, in a statement of its own, the cases.
func (tx *Tx) BySource(source string, keys []string) (map[string]*Case, error) {
	out := map[string]*Case{}
	if len(keys) == 0 {
		return out, nil
	}
	list, err := tx.list(keys)
	if err != nil {
		return nil, err
	}
	// source <> '' says nothing new, but without it neither planner may use the partial index
	where := "source = $1 AND source <> '' AND " + tx.among("source_key", 2)
	var qs []query
	if tx.db.pool != nil {
		qs = append(qs, query{
			sql:  "SELECT id FROM cases WHERE id IN (SELECT root FROM cases WHERE " + where + ") ORDER BY id FOR UPDATE",
			args: []any{source, list},
			scan: func(r rows) error { var id string; return r.Scan(&id) },
		})
	}
	qs = append(qs, query{sql: "SELECT " + caseColumns + " FROM cases WHERE " + where, args: []any{source, list}, scan: func(r rows) error {
		c, err := scanCase(r)
		if err == nil {
			out[c.SourceKey] = c
		}
		return err
	}})
	if err := tx.send(qs); err != nil {
		return nil, fmt.Errorf("read imported cases: %w", err)
	}
	return out, nil
}

// ChildrenOf returns the direct children of the cases named, by parent, in their order. Meant for roots that BySource has
// locked.
func (tx *Tx) ChildrenOf(parents []string) (map[string][]*Case, error) {
	out := map[string][]*Case{}
	if len(parents) == 0 {
		return out, nil
	}
	list, err := tx.list(parents)
	if err != nil {
		return nil, err
	}
	err = tx.send([]query{{
		sql:  "SELECT " + caseColumns + " FROM cases WHERE " + tx.among("parent", 1) + " ORDER BY parent, child, ordinal",
		args: []any{list},
		scan: func(r rows) error {
			c, err := scanCase(r)
			if err == nil {
				out[c.Parent] = append(out[c.Parent], c)
			}
			return err
		},
	}})
	if err != nil {
		return nil, fmt.Errorf("read children: %w", err)
	}
	return out, nil
}

// among is the condition that a column is one of a list given as parameter n: one text of statement for lists of any length,
// so that the prepared ones stay few.
func (tx *Tx) among(column string, n int) string {
	if tx.db.pool != nil {
		return fmt.Sprintf("%s = ANY($%d)", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// list is the parameter that among reads.
func (tx *Tx) list(values []string) (any, error) {
	if tx.db.pool != nil {
		return values, nil
	}
	b, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode list: %w", err)
	}
	return string(b), nil
}

// ForgetAnswers drops idempotency answers older than an instant.
func (db *DB) ForgetAnswers(ctx context.Context, before time.Time) error {
	return db.Create(ctx, Everything, nil, func(tx *Tx) error { tx.Forget(before); return nil })
}
