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
	found, err := f.found(w, scope)
	if err != nil {
		return nil, "", err
	}
	var out []Deadline
	err = db.read(ctx, scope, query{
		sql:  fmt.Sprintf("SELECT %s FROM deadlines WHERE id IN (SELECT id FROM (%s) x ORDER BY due_at, id LIMIT %d) ORDER BY due_at, id", deadlineColumns, found, f.Limit+1),
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

// isLive is the condition of the indexes of live terms: SQLite knows it by this very text only.
const isLive = "status IN ('running', 'blocked', 'suspended')"

// outcomeOf is the outcome of a term's case. A joined table would be the planner's to begin with; what stands so is read by its key.
const outcomeOf = "(SELECT c.outcome FROM cases c WHERE c.id = deadlines.case_id)"

// found finds the ids and ends of the terms: live ones along the terms of each owner or the cases of a person, in the order of the
// day; lapsed ones along the cases that go on, for those of ended cases grow with the years.
func (f TermFilter) found(w *conditions, scope Scope) (string, error) {
	var live, lapsed []string
	for _, among := range f.branches(w, scope) {
		terms, err := f.terms(w)
		if err != nil {
			return "", err
		}
		live = append(live, fmt.Sprintf("SELECT * FROM (SELECT id, due_at FROM deadlines WHERE %s ORDER BY due_at, id LIMIT %d) b", and([]string{isLive, among}, terms), f.Limit+1))
	}
	if len(f.Lapsed) == 0 {
		return strings.Join(live, " UNION "), nil
	}
	for _, among := range f.branches(w, scope) {
		over := []string{"status = 'expired'", "case_id IN (SELECT id FROM cases WHERE outcome = '')", w.term(w.in("name", f.Lapsed), anys(f.Lapsed)...),
			"NOT EXISTS (SELECT 1 FROM deadlines later WHERE later.case_id = deadlines.case_id AND later.name = deadlines.name AND later.started_seq > deadlines.started_seq)"}
		terms, err := f.terms(w)
		if err != nil {
			return "", err
		}
		lapsed = append(lapsed, "SELECT id, due_at FROM deadlines WHERE "+and(over, []string{among}, terms))
	}
	return strings.Join(append(live, lapsed...), " UNION "), nil
}

// branches are conditions that together are what every term asked for fulfils, each of which an index serves.
func (f TermFilter) branches(w *conditions, scope Scope) []string {
	if f.Person != "" {
		var out []string
		for _, column := range []string{"case_id", "root"} {
			out = append(out, w.term(column+" IN (SELECT id FROM cases WHERE officer = ? AND officer <> '' UNION SELECT id FROM cases WHERE rup = ? AND rup <> '')", f.Person, f.Person)+f.ofBody(w))
			if !scope.All {
				out[len(out)-1] += " AND " + w.within(scope)
			}
		}
		return out
	}
	switch {
	case f.Body != "":
		owners := ownersOf(w, []string{f.Body})
		for i := range owners {
			if !scope.All {
				owners[i] += " AND " + w.within(scope)
			}
		}
		return owners
	case scope.All:
		return []string{"1 = 1"}
	case len(scope.Bodies) > branchesMost || len(scope.Bodies) == 0:
		return []string{w.within(scope)}
	}
	return ownersOf(w, scope.Bodies)
}

func (f TermFilter) ofBody(w *conditions) string {
	if f.Body == "" {
		return ""
	}
	return w.term(" AND (member_body = ? OR sua = ?)", f.Body, f.Body)
}

// terms are the other conditions, and what comes after the page before.
func (f TermFilter) terms(w *conditions) ([]string, error) {
	var out []string
	if len(f.Statuses) > 0 {
		out = append(out, w.term(w.in("status", f.Statuses), anys(f.Statuses)...))
	}
	if len(f.Workflows) > 0 {
		out = append(out, w.term(w.in("(SELECT c.workflow FROM cases c WHERE c.id = deadlines.case_id)", f.Workflows), anys(f.Workflows)...))
	}
	for _, end := range []struct {
		term string
		at   time.Time
	}{{"due_at <= ?", f.Due}, {"due_at >= ?", f.After}, {"due_at < ?", f.Before}} {
		if !end.at.IsZero() {
			out = append(out, w.term(end.term, end.at))
		}
	}
	if f.Cursor == "" {
		return out, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(f.Cursor)
	var c cursor
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Sort != "term" || !storable(c.ID) {
		return nil, ErrBadCursor
	}
	at, err := time.Parse(time.RFC3339Nano, c.Value)
	if err != nil {
		return nil, ErrBadCursor
	}
	return append(out, w.term("(due_at, id) > (?, ?)", at.UTC(), c.ID)), nil
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
