package store

import (
	"context"
	"fmt"
)

// Change is an event with its number in the one sequence of all.
type Change struct {
	N int64
	Event
}

// ChangeFilter selects changes: those after a number, of one workflow, of one case (of a root: its whole tree).
type ChangeFilter struct {
	After    int64
	Workflow string
	Case     string
	Limit    int // at least 1
}

// ChangePage is part of the sequence. Next is the highest number looked at, also where nothing of it was to be seen: whoever goes
// on from there misses nothing. Last is the highest number there is.
type ChangePage struct {
	Items []Change
	Next  int64
	Last  int64
}

// lookedAt bounds how many numbers one call looks at when most are out of sight.
const lookedAt = 5_000

const changeColumns = `l.n, e.root, e.seq, e.case_id, e.event, e.at, e.effective, e.actor, e.header, e.hash, e.open_salt, e.open_body, e.secret_salt, e.secret_body,
	e.personal_salt, e.personal_body, e.member_body, e.sua FROM log l JOIN events e ON e.root = l.root AND e.seq = l.seq`

// Changes returns the numbered events of a scope, in order.
func (db *DB) Changes(ctx context.Context, scope Scope, f ChangeFilter) (ChangePage, error) {
	page := ChangePage{Next: f.After}
	if !storable(f.Workflow) || !storable(f.Case) {
		return page, nil
	}
	q := query{args: []any{f.After, f.Limit}, scan: func(r rows) error {
		var c Change
		e := &c.Event
		err := r.Scan(&c.N, &e.Root, &e.Seq, &e.CaseID, &e.Event, &e.At, &e.Effective, &e.Actor, &e.Header, &e.Hash, &e.OpenSalt, &e.OpenBody,
			&e.SecretSalt, &e.SecretBody, &e.PersonalSalt, &e.PersonalBody, &e.MemberBody, &e.SUA)
		e.At, e.Effective = e.At.UTC(), e.Effective.UTC()
		page.Items = append(page.Items, c)
		return err
	}}
	where := "l.n > $1"
	if f.Case != "" { // found through its tree: the whole sequence need not be walked
		q.args = append(q.args, f.Case)
		where += " AND e.root = (SELECT root FROM cases WHERE id = $3) AND (e.root = $3 OR e.case_id = $3)"
	} else {
		q.args = append(q.args, f.After+lookedAt)
		where += " AND l.n <= $3"
	}
	if f.Workflow != "" {
		q.args = append(q.args, f.Workflow)
		where += fmt.Sprintf(" AND EXISTS (SELECT 1 FROM cases c WHERE c.id = e.case_id AND c.workflow = $%d)", len(q.args))
	}
	if !scope.All { // on PostgreSQL row-level security says the same once more
		n := len(q.args) + 1
		member, bodies, err := db.among("e.member_body", scope.Bodies, n)
		if err != nil {
			return page, err
		}
		sua, _, err := db.among("e.sua", scope.Bodies, n)
		if err != nil {
			return page, err
		}
		q.args = append(q.args, bodies)
		where += " AND (" + member + " OR " + sua + ")"
	}
	q.sql = "SELECT " + changeColumns + " WHERE " + where + " ORDER BY l.n LIMIT $2"
	head := query{sql: "SELECT n FROM log_head", scan: func(r rows) error { return r.Scan(&page.Last) }}
	if err := db.read(ctx, scope, head, q); err != nil {
		return page, fmt.Errorf("read changes: %w", err)
	}
	end := page.Last
	if f.Case == "" {
		end = min(end, f.After+lookedAt)
	}
	page.Next = max(f.After, end)
	if n := len(page.Items); n == f.Limit {
		page.Next = page.Items[n-1].N
	}
	return page, nil
}

// CasesByID reads cases of a scope by their ids; those that are not there, or not in scope, are left out.
func (db *DB) CasesByID(ctx context.Context, scope Scope, ids []string) (map[string]*Case, error) {
	out := make(map[string]*Case, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	in, arg, err := db.among("id", ids, 1)
	if err != nil {
		return nil, err
	}
	err = db.read(ctx, scope, readCases(in, arg, func(c *Case) {
		if scope.Sees(c.MemberBody, c.SUA) {
			out[c.ID] = c
		}
	}))
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return out, nil
}
