package store

import (
	"context"
	"fmt"
)

// DatedFilter selects cases by the day on which their contract was signed: the field contract_signed_on, which the schema keeps as a
// column of its own. Imported cases are not among them: SQLite would read that field out of each when it is written.
type DatedFilter struct {
	SUA      string
	Hashes   []string // definitions whose cases have the field
	From, To string   // days, both included; empty: no bound
}

// Dated is a case with the fields of its parent; nil for a root.
type Dated struct {
	Case
	ParentData Values
}

// CasesDated returns the cases of a SUA whose contract was signed on a day between the bounds, in the order of that day. It reads them
// all: they are some hundreds a year.
func (db *DB) CasesDated(ctx context.Context, scope Scope, f DatedFilter) ([]Dated, error) {
	w := &conditions{}
	w.add("sua = ?", f.SUA)
	w.add(w.in("hash", f.Hashes), anys(f.Hashes)...)
	if !scope.All {
		w.terms = append(w.terms, w.within(scope))
	}
	w.add("source = '' AND signed_on IS NOT NULL AND signed_on >= ?", max(f.From, "0000-00-00")) // an empty field is before every day
	if f.To != "" {
		w.add("signed_on <= ?", f.To)
	}
	for _, v := range w.args {
		if text, ok := v.(string); ok && !storable(text) {
			return nil, nil // no case can match
		}
	}
	var out []Dated
	err := db.read(ctx, scope, query{
		sql:  "SELECT " + caseColumns + ", (SELECT p.data FROM cases p WHERE p.id = cases.parent) FROM cases WHERE " + w.sql() + " ORDER BY signed_on, id",
		args: w.args,
		scan: func(r rows) error {
			var parent []byte
			c, err := scanCase(r, &parent)
			if err != nil || !scope.Sees(c.MemberBody, c.SUA) {
				return err
			}
			d := Dated{Case: *c}
			if parent != nil {
				if d.ParentData, err = decodeValues(parent); err != nil {
					return err
				}
			}
			out = append(out, d)
			return nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("list cases by date: %w", err)
	}
	return out, nil
}
