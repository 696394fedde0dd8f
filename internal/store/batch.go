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

// FlushBehind sends the pending writes while f goes on deciding; an error of theirs comes with a later call, at the latest with
// the commit. f changes nothing any more of what it has queued.
func (tx *Tx) FlushBehind() error {
	if err := tx.landed(); err != nil || len(tx.pending) == 0 {
		return err
	}
	tx.addWords()
	chunk, done := tx.pending, make(chan error, 1)
	if tx.db.pool != nil {
		chunk = gathered(chunk)
	}
	tx.pending, tx.behind = nil, done
	tx.trips++
	tx.note(chunk)
	go func() { done <- tx.conn.send(tx.ctx, chunk) }()
	return nil
}

// landed waits for what FlushBehind has sent.
func (tx *Tx) landed() error {
	if tx.behind == nil {
		return nil
	}
	err := <-tx.behind
	tx.behind = nil
	return err
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
