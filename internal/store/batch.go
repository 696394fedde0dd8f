package store

import (
	"context"
	"fmt"
	"time"
)

// Batch runs f in one transaction over many trees, for imports. The roots that f will change are locked in ascending id by
// BySource; new trees need no lock. f sees its own writes only after Flush.
func (db *DB) Batch(ctx context.Context, f func(*Tx) error) error {
	return db.Create(ctx, Everything, nil, f)
}

// BySource returns, by source key, the cases that an import made before, with the roots of their trees locked: first the
// roots in ascending id, then, in a statement of its own, the cases.
func (tx *Tx) BySource(source string, keys []string) (map[string]*Case, error) {
	out := map[string]*Case{}
	if len(keys) == 0 {
		return out, nil
	}
	w := &conditions{}
	w.add("source = ?", source)
	w.add(w.in("source_key", keys), anys(keys)...)
	var qs []query
	if tx.db.pool != nil {
		qs = append(qs, query{
			sql:  "SELECT id FROM cases WHERE id IN (SELECT root FROM cases WHERE " + w.sql() + ") ORDER BY id FOR UPDATE",
			args: w.args,
			scan: func(r rows) error { var id string; return r.Scan(&id) },
		})
	}
	qs = append(qs, query{sql: "SELECT " + caseColumns + " FROM cases WHERE " + w.sql(), args: w.args, scan: func(r rows) error {
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

// Cases returns the cases with these ids, by id. Meant for roots that BySource has locked.
func (tx *Tx) Cases(ids []string) (map[string]*Case, error) {
	out := map[string]*Case{}
	if len(ids) == 0 {
		return out, nil
	}
	w := &conditions{}
	w.add(w.in("id", ids), anys(ids)...)
	err := tx.send([]query{{sql: "SELECT " + caseColumns + " FROM cases WHERE " + w.sql(), args: w.args, scan: func(r rows) error {
		c, err := scanCase(r)
		if err == nil {
			out[c.ID] = c
		}
		return err
	}}})
	return out, err
}

// ChildrenOf returns the direct children of the cases named, by parent, in their order.
func (tx *Tx) ChildrenOf(parents []string) (map[string][]*Case, error) {
	out := map[string][]*Case{}
	if len(parents) == 0 {
		return out, nil
	}
	w := &conditions{}
	w.add(w.in("parent", parents), anys(parents)...)
	err := tx.send([]query{{sql: "SELECT " + caseColumns + " FROM cases WHERE " + w.sql() + " ORDER BY parent, child, ordinal", args: w.args, scan: func(r rows) error {
		c, err := scanCase(r)
		if err == nil {
			out[c.Parent] = append(out[c.Parent], c)
		}
		return err
	}}})
	return out, err
}

// ForgetAnswers drops idempotency answers older than an instant.
func (db *DB) ForgetAnswers(ctx context.Context, before time.Time) error {
	return db.Create(ctx, Everything, nil, func(tx *Tx) error { tx.Forget(before); return nil })
}
