package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// TermFilter selects deadlines across cases. Zero values do not filter.
type TermFilter struct {
	Statuses []string
	// Lapsed adds the terms of these names that are over in cases that go on, and that no later one of the name replaces.
	Lapsed    []string
	Due       time.Time // only those over by then
	After     time.Time // only those over from then on
	Before    time.Time // only those over before
	Workflows []string  // of their case
	Body      string    // member body or SUA
	Person    string    // RUP or officer of the case or of its root
	Cursor    string    // of the page before
	Limit     int
}

// Terms returns a page of deadlines, soonest first, and the cursor of the next one ("" at the end). Pages are keyset pages.
func (db *DB) Terms(ctx context.Context, scope Scope, f TermFilter) ([]Deadline, string, error) {
	for _, text := range append([]string{f.Body, f.Person}, f.Workflows...) {
		if !storable(text) {
			return nil, "", nil
		}
	}
	w := &conditions{}
	if err := f.where(w, scope); err != nil {
		return nil, "", err
	}
	var out []Deadline
	err := db.read(ctx, scope, query{
		sql:  fmt.Sprintf("SELECT %s FROM deadlines JOIN cases c ON c.id = deadlines.case_id JOIN cases t ON t.id = deadlines.root WHERE %s ORDER BY deadlines.due_at, deadlines.id LIMIT %d", ofDeadlines, w.sql(), f.Limit+1),
		args: w.args,
		scan: func(r rows) error {
			d, err := scanDeadline(r)
			out = append(out, d)
			return err
		},
	})
	if err != nil {
		return nil, "", fmt.Errorf("list deadlines: %w", err)
	}
	if len(out) <= f.Limit {
		return out, "", nil
	}
	out = out[:f.Limit]
	return out, TermCursor(out[f.Limit-1]), nil
}

// TermCursor is the cursor of the page that begins after a deadline.
func TermCursor(d Deadline) string {
	next, err := json.Marshal(cursor{"term", d.DueAt.UTC().Format(time.RFC3339Nano), d.ID})
	if err != nil {
		return "" // three strings always marshal
	}
	return base64.RawURLEncoding.EncodeToString(next)
}

// ofDeadlines are deadlineColumns where another table has some of the names too.
var ofDeadlines = "deadlines." + strings.Join(strings.FieldsFunc(deadlineColumns, func(r rune) bool { return strings.ContainsRune(", \n\t", r) }), ", deadlines.")

func (f TermFilter) where(w *conditions, scope Scope) error {
	live := "deadlines.status IN ('running', 'suspended', 'blocked')" // the condition of the index
	if len(f.Lapsed) > 0 {
		live = "(" + live + " OR deadlines.status = 'expired' AND c.outcome = '' AND " + w.in("deadlines.name", f.Lapsed) +
			" AND NOT EXISTS (SELECT 1 FROM deadlines later WHERE later.case_id = deadlines.case_id AND later.name = deadlines.name AND later.started_seq > deadlines.started_seq))"
		w.add(live, anys(f.Lapsed)...)
	} else {
		w.add(live)
	}
	if len(f.Statuses) > 0 {
		w.add(w.in("deadlines.status", f.Statuses), anys(f.Statuses)...)
	}
	if !scope.All {
		w.add("("+w.in("deadlines.member_body", scope.Bodies)+" OR "+w.in("deadlines.sua", scope.Bodies)+")", append(anys(scope.Bodies), anys(scope.Bodies)...)...)
	}
	if f.Body != "" {
		w.add("(deadlines.member_body = ? OR deadlines.sua = ?)", f.Body, f.Body)
	}
	if len(f.Workflows) > 0 {
		w.add(w.in("c.workflow", f.Workflows), anys(f.Workflows)...)
	}
	if f.Person != "" {
		w.add("(c.officer = ? OR c.rup = ? OR t.officer = ? OR t.rup = ?)", f.Person, f.Person, f.Person, f.Person)
	}
	for term, at := range map[string]time.Time{"deadlines.due_at <= ?": f.Due, "deadlines.due_at >= ?": f.After, "deadlines.due_at < ?": f.Before} {
		if !at.IsZero() {
			w.add(term, at)
		}
	}
	if f.Cursor == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	var c cursor
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Sort != "term" || !storable(c.ID) {
		return ErrBadCursor
	}
	at, err := time.Parse(time.RFC3339Nano, c.Value)
	if err != nil {
		return ErrBadCursor
	}
	w.add("(deadlines.due_at, deadlines.id) > (?, ?)", at.UTC(), c.ID)
	return nil
}

// CasesOf reads cases by id, those of them that are in scope.
func (db *DB) CasesOf(ctx context.Context, scope Scope, ids []string) (map[string]*Case, error) {
	out := map[string]*Case{}
	if len(ids) == 0 {
		return out, nil
	}
	in, arg, err := db.among("id", ids, 1)
	if err != nil {
		return nil, err
	}
	q := readCases(in, arg, func(c *Case) {
		if scope.Sees(c.MemberBody, c.SUA) {
			out[c.ID] = c
		}
	})
	if err := db.read(ctx, scope, q); err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return out, nil
}

// Passed is an event of a case as its header tells it.
type Passed struct {
	CaseID, Event string
	Seq           int64
	At, Effective time.Time
	Header        []byte
}

// PassedBy lists the events of cases, each case's in order. roots are those of their trees: events are found by tree.
func (db *DB) PassedBy(ctx context.Context, roots, ids []string) ([]Passed, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	inRoots, rootArg, err := db.among("root", roots, 1)
	if err != nil {
		return nil, err
	}
	inCases, caseArg, err := db.among("case_id", ids, 2)
	if err != nil {
		return nil, err
	}
	var out []Passed
	err = db.read(ctx, Everything, query{
		sql:  "SELECT case_id, event, seq, at, effective, header FROM events WHERE " + inRoots + " AND " + inCases + " ORDER BY root, seq",
		args: []any{rootArg, caseArg},
		scan: func(r rows) error {
			var p Passed
			err := r.Scan(&p.CaseID, &p.Event, &p.Seq, &p.At, &p.Effective, &p.Header)
			p.At, p.Effective = p.At.UTC(), p.Effective.UTC()
			out = append(out, p)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

// Ended returns the cases of a workflow of a SUA that ended last after having been in a state, at most limit; imported ones are left out.
func (db *DB) Ended(ctx context.Context, sua, workflow, visited string, limit int) ([]Case, error) {
	var out []Case
	err := db.read(ctx, Everything, query{
		sql: "SELECT " + caseColumns + ` FROM cases WHERE sua = $1 AND workflow = $2 AND outcome <> '' AND source = '' AND visited LIKE $3 ESCAPE '\'
			ORDER BY sua, workflow, id DESC LIMIT $4`,
		args: []any{sua, workflow, "% " + strings.ReplaceAll(visited, "_", `\_`) + " %", limit},
		scan: func(r rows) error {
			c, err := scanCase(r)
			if err == nil {
				out = append(out, *c)
			}
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read ended cases: %w", err)
	}
	return out, nil
}
