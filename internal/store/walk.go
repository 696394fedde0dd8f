package store

import (
	"context"
	"fmt"
)

// Range names trees that an audit reads together: those whose root comes after After, up to Upto (empty: to the end). With Only it is one tree.
type Range struct{ After, Upto, Only string }

// NextRange cuts from what follows After a run of whole trees that hold about so many events; last is true when nothing comes
// after it. Ranges leave no gap: what stands under the id of no root falls into one of them too.
func (db *DB) NextRange(ctx context.Context, after string, events int64) (r Range, last bool, err error) {
	const page = 500
	var sum int64
	read := 0
	r = Range{After: after}
	full := false
	err = db.read(ctx, Everything, query{
		sql:  "SELECT id, chain_seq FROM cases WHERE parent IS NULL AND id > $1 ORDER BY id LIMIT $2",
		args: []any{after, page},
		scan: func(rs rows) error {
			var id string
			var n int64
			if err := rs.Scan(&id, &n); err != nil || full {
				return err
			}
			r.Upto = id
			read++
			sum += max(n, 1)
			full = sum >= events
			return nil
		},
	})
	if err != nil {
		return r, false, fmt.Errorf("audit: next trees: %w", err)
	}
	if last = !full && read < page; last {
		r.Upto = ""
	}
	return r, last, nil
}

// where is the condition on a column that holds the id of a root.
func (r Range) where(column string) (string, []any) {
	switch {
	case r.Only != "":
		return column + " = $1", []any{r.Only}
	case r.Upto == "":
		return column + " > $1", []any{r.After}
	}
	return column + " > $1 AND " + column + " <= $2", []any{r.After, r.Upto}
}

// Walk is told what stands under the roots of a range, each kind in the order of its root: first all cases, then rows, documents
// and deadlines, at last the events by number. A nil function skips its kind.
type Walk struct {
	Case     func(*Case)
	Row      func(Row)
	Document func(Document)
	Deadline func(Deadline)
	Event    func(*Event) error
}

// WalkTrees reads a range in one snapshot of the database, so that the heads of the chains fit the events, and holds nothing back:
// the memory it takes does not grow with the events.
func (db *DB) WalkTrees(ctx context.Context, r Range, w Walk) error {
	where, args := r.where("root")
	var qs []query
	if w.Case != nil {
		qs = append(qs, query{sql: "SELECT " + caseColumns + " FROM cases WHERE " + where + " ORDER BY root, id", args: args, scan: func(r rows) error {
			c, err := scanCase(r)
			if err == nil {
				w.Case(c)
			}
			return err
		}})
	}
	of := func(q query, add bool) {
		if q.args = args; add {
			qs = append(qs, q)
		}
	}
	of(walkRows(where, w.Row), w.Row != nil)
	of(readDocuments(where, nil, w.Document), w.Document != nil)
	of(readDeadlines(where, nil, w.Deadline), w.Deadline != nil)
	if w.Event != nil {
		qs = append(qs, query{sql: "SELECT " + eventColumns + " FROM events WHERE " + where + " ORDER BY root, seq", args: args, scan: func(r rows) error {
			e, err := scanEvent(r)
			if err != nil {
				return err
			}
			return w.Event(&e)
		}})
	}
	if err := db.read(ctx, Everything, qs...); err != nil {
		return fmt.Errorf("audit: read trees: %w", err)
	}
	return nil
}

// walkRows reads rows with the bodies that stand beside them.
func walkRows(where string, put func(Row)) query {
	return query{sql: "SELECT case_id, register, row, data, changed_seq, member_body, sua FROM case_rows WHERE " + where + " ORDER BY case_id, register, row", scan: func(r rows) error {
		var x Row
		var data []byte
		err := r.Scan(&x.CaseID, &x.Register, &x.Row, &data, &x.ChangedSeq, &x.MemberBody, &x.SUA)
		if err != nil {
			return err
		}
		if x.Data, err = decodeValues(data); err == nil {
			put(x)
		}
		return err
	}}
}

// Roots lists every id that stands as a root in a range: of cases and of events.
func (db *DB) Roots(ctx context.Context, r Range) ([]string, error) {
	where, args := r.where("root")
	var out []string
	err := db.read(ctx, Everything, query{
		sql: "SELECT root FROM cases WHERE " + where + " UNION SELECT root FROM events WHERE " + where + " ORDER BY root", args: args,
		scan: func(r rows) error {
			var id string
			err := r.Scan(&id)
			out = append(out, id)
			return err
		},
	})
	return out, err
}

// Readable reports whether the database answers at all: whether an error was of what was read, and not of the connection.
func (db *DB) Readable(ctx context.Context) bool { return db.Ping(ctx) == nil }
