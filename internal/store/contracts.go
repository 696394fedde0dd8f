package store

import (
	"context"
	"fmt"
)

// DatedFilter selects cases by a day that stands in one of their fields.
type DatedFilter struct {
	SUA      string
	Hashes   []string // definitions whose cases have the field
	Field    string   // date field, YYYY-MM-DD
	From, To string   // days, both included; empty: no bound
}

// Dated is a case with the fields of its parent; nil for a root.
type Dated struct {
	Case
	ParentData Values
}

// CasesDated returns the cases of a SUA in which a date field holds a day between the bounds, in the order of that day. It reads them
// all: they are some hundreds a year.
func (db *DB) CasesDated(ctx context.Context, scope Scope, f DatedFilter) ([]Dated, error) {
	w := &conditions{}
	w.add("sua = ?", f.SUA)
	w.add(w.in("hash", f.Hashes), anys(f.Hashes)...)
	if !scope.All {
		w.add("("+w.in("member_body", scope.Bodies)+" OR "+w.in("sua", scope.Bodies)+")", append(anys(scope.Bodies), anys(scope.Bodies)...)...)
	}
	const day = "(data ->> CAST(? AS text))"
	w.add(day+" >= ?", f.Field, max(f.From, "0000-00-00")) // an empty field is before every day, or no text at all
	if f.To != "" {
		w.add(day+" <= ?", f.Field, f.To)
	}
	for _, v := range w.args {
		if text, ok := v.(string); ok && !storable(text) {
			return nil, nil // no case can match
		}
	}
	order := fmt.Sprintf(" ORDER BY data ->> CAST($%d AS text), id", len(w.args)+1)
	var out []Dated
	err := db.read(ctx, scope, query{
		sql:  "SELECT " + caseColumns + ", (SELECT p.data FROM cases p WHERE p.id = cases.parent) FROM cases WHERE " + w.sql() + order,
		args: append(w.args, f.Field),
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
