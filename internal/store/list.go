package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrBadCursor: the page cursor was not made by this program, or for another order.
var ErrBadCursor = errors.New("bad page cursor")

// CaseFilter selects cases. Zero values do not filter.
type CaseFilter struct {
	Workflow, State, Stage string
	Body                   string // member body or SUA
	Officer                string
	Words                  []string // folded; all must occur
	DueBefore              time.Time
	Open                   *bool  // still going on, or ended
	Children               bool   // also cases below a parent
	Sort                   string // updated (default), opened, due, title, amount
	Desc                   bool
	After                  string // cursor of the page before
	Limit                  int
}

// sorts maps an order to its expression; nulls get a value so that pages stay dense.
var sorts = map[string]struct{ pg, sqlite string }{
	"updated": {"updated_on", "updated_on"}, // by day, then the newest case first
	"opened":  {"id", "id"},                 // ids grow with time
	"due":     {"coalesce(next_due, 'infinity')", "coalesce(next_due, '9999')"},
	"title":   {`title COLLATE "C"`, "title"},
	"amount":  {"coalesce(amount, -1)", "coalesce(amount, -1)"},
}

// SortKnown reports whether an order exists.
func SortKnown(sort string) bool { _, ok := sorts[sort]; return ok }

type cursor struct {
	Sort  string `json:"s"`
	Value string `json:"v"`
	ID    string `json:"i"`
}

// Cases returns a page and the cursor of the next one ("" at the end). Pages are keyset pages: they cost the same at any depth.
func (db *DB) Cases(ctx context.Context, scope Scope, f CaseFilter) ([]Case, string, error) {
	if f.Sort == "" {
		f.Sort = "updated"
	}
	order, ok := sorts[f.Sort]
	if !ok {
		return nil, "", fmt.Errorf("list cases: unknown order %q", f.Sort)
	}
	for _, text := range append([]string{f.Workflow, f.State, f.Stage, f.Body, f.Officer}, f.Words...) {
		if !storable(text) {
			return nil, "", nil // no case can match
		}
	}
	expr := order.sqlite
	if db.pool != nil {
		expr = order.pg
	}
	where, args, err := f.where(expr, scope)
	if err != nil {
		return nil, "", err
	}
	dir := "ASC"
	if f.Desc {
		dir = "DESC"
	}
	sql := "SELECT " + caseColumns + ", CAST(" + expr + " AS text) AS sort_value FROM cases WHERE " + where +
		fmt.Sprintf(" ORDER BY %s %s, id %s LIMIT %d", expr, dir, dir, f.Limit+1)
	var out []Case
	var values []string
	err = db.read(ctx, scope, query{sql: sql, args: args, scan: func(r rows) error {
		var v string
		c, err := scanCase(r, &v)
		if err != nil {
			return err
		}
		out, values = append(out, *c), append(values, v)
		return nil
	}})
	if err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}
	if len(out) <= f.Limit {
		return out, "", nil
	}
	out = out[:f.Limit]
	next, err := json.Marshal(cursor{f.Sort, values[f.Limit-1], out[f.Limit-1].ID})
	return out, base64.RawURLEncoding.EncodeToString(next), err
}

// where builds the condition with numbered parameters.
func (f CaseFilter) where(expr string, scope Scope) (string, []any, error) {
	w := &conditions{}
	if !f.Children {
		w.add("parent IS NULL")
	}
	for column, v := range map[string]string{"workflow": f.Workflow, "state": f.State, "stage": f.Stage, "officer": f.Officer} {
		if v != "" {
			w.add(column+" = ?", v)
		}
	}
	if f.Body != "" {
		w.add("(member_body = ? OR sua = ?)", f.Body, f.Body)
	}
	if !scope.All {
		w.add("("+w.in("member_body", scope.Bodies)+" OR "+w.in("sua", scope.Bodies)+")", append(anys(scope.Bodies), anys(scope.Bodies)...)...)
	}
	for _, word := range f.Words {
		w.add(`search LIKE ? ESCAPE '\'`, "%"+likeEscape.Replace(word)+"%")
	}
	if !f.DueBefore.IsZero() {
		w.add("next_due < ?", f.DueBefore)
	}
	if f.Open != nil && *f.Open {
		w.add("outcome = ''")
	} else if f.Open != nil {
		w.add("outcome <> ''")
	}
	if f.After != "" {
		if err := w.after(f, expr); err != nil {
			return "", nil, err
		}
	}
	return w.sql(), w.args, nil
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// conditions collects AND-ed terms and turns ? into $n.
type conditions struct {
	terms []string
	args  []any
}

func (w *conditions) add(term string, args ...any) {
	var b strings.Builder
	n := len(w.args)
	for _, r := range term {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(r)
	}
	w.terms, w.args = append(w.terms, b.String()), append(w.args, args...)
}

func (w *conditions) in(column string, values []string) string {
	if len(values) == 0 {
		return "1 = 0"
	}
	return column + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ") + ")"
}

func (w *conditions) after(f CaseFilter, expr string) error {
	raw, err := base64.RawURLEncoding.DecodeString(f.After)
	var c cursor
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Sort != f.Sort || !storable(c.Value+c.ID) {
		return ErrBadCursor
	}
	var v any = c.Value
	switch f.Sort {
	case "amount":
		var n int64
		if _, err := fmt.Sscan(c.Value, &n); err != nil {
			return ErrBadCursor
		}
		v = n
	case "updated":
		if _, err := time.Parse(time.DateOnly, c.Value); err != nil {
			return ErrBadCursor
		}
	case "due":
		if t, err := parseStamp(c.Value); err == nil {
			v = t
		} else if c.Value != "9999" && c.Value != "infinity" {
			return ErrBadCursor
		}
	}
	op := ">"
	if f.Desc {
		op = "<"
	}
	w.add("("+expr+", id) "+op+" (?, ?)", v, c.ID)
	return nil
}

// parseStamp reads a time as either database prints it.
func parseStamp(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999-07", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, ErrBadCursor
}

func (w *conditions) sql() string {
	if len(w.terms) == 0 {
		return "1 = 1"
	}
	return strings.Join(w.terms, " AND ")
}

func anys(ss []string) []any {
	out := make([]any, len(ss))
	for i, s := range ss {
		out[i] = s
	}
	return out
}

// History returns the events of a tree with their exact bytes, in order: seq > after, at most limit (0 = all).
func (db *DB) History(ctx context.Context, scope Scope, root string, after int64, limit int) ([]Event, error) {
	var out []Event
	if err := db.read(ctx, scope, readHistory(scope, root, after, limit, &out)); err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return out, nil
}

// History is DB.History of the tree of this transaction, in the same snapshot as its root: the head of the chain fits the events.
func (tx *Tx) History(after int64, limit int) ([]Event, error) {
	var out []Event
	if err := tx.send([]query{readHistory(tx.scope, tx.Root.ID, after, limit, &out)}); err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return out, nil
}

func readHistory(scope Scope, root string, after int64, limit int, out *[]Event) query {
	q := query{sql: "SELECT " + eventColumns + " FROM events WHERE root = $1 AND seq > $2 ORDER BY seq", args: []any{root, after}}
	if limit > 0 {
		q.sql, q.args = q.sql+" LIMIT $3", append(q.args, limit)
	}
	q.scan = func(r rows) error {
		e, err := scanEvent(r)
		if err == nil && scope.Sees(e.MemberBody, e.SUA) {
			*out = append(*out, e)
		}
		return err
	}
	return q
}

// eventColumns in the order scanEvent reads.
const eventColumns = `root, seq, case_id, event, at, effective, actor, header, hash, open_salt, open_body, secret_salt, secret_body,
	personal_salt, personal_body, member_body, sua`

func scanEvent(r rows) (Event, error) {
	var e Event
	err := r.Scan(&e.Root, &e.Seq, &e.CaseID, &e.Event, &e.At, &e.Effective, &e.Actor, &e.Header, &e.Hash, &e.OpenSalt, &e.OpenBody,
		&e.SecretSalt, &e.SecretBody, &e.PersonalSalt, &e.PersonalBody, &e.MemberBody, &e.SUA)
	e.At, e.Effective = e.At.UTC(), e.Effective.UTC()
	return e, err
}

// DocumentByID returns the record of a file, or ErrNotFound.
func (db *DB) DocumentByID(ctx context.Context, scope Scope, id string) (Document, error) {
	var s Snapshot
	if !storable(id) {
		return Document{}, ErrNotFound
	}
	if err := db.read(ctx, scope, readDocuments("id = $1", id, s.addDocument)); err != nil {
		return Document{}, err
	}
	if len(s.Documents) == 0 || !scope.Sees(s.Documents[0].MemberBody, s.Documents[0].SUA) {
		return Document{}, ErrNotFound
	}
	return s.Documents[0], nil
}

// Links returns the links from and to a case.
func (db *DB) Links(ctx context.Context, scope Scope, id string) ([]Link, error) {
	var out []Link
	err := db.read(ctx, scope, query{
		sql:  "SELECT from_case, to_case, kind, member_body, sua, at FROM links WHERE from_case = $1 OR to_case = $1 ORDER BY at, kind",
		args: []any{id},
		scan: func(r rows) error {
			var l Link
			err := r.Scan(&l.From, &l.To, &l.Kind, &l.MemberBody, &l.SUA, &l.At)
			l.At = l.At.UTC()
			if scope.Sees(l.MemberBody, l.SUA) {
				out = append(out, l)
			}
			return err
		},
	})
	return out, err
}

// Count returns how many cases there are.
func (db *DB) Count(ctx context.Context) (int64, error) {
	var n int64
	err := db.read(ctx, Everything, query{sql: "SELECT count(*) FROM cases", scan: func(r rows) error { return r.Scan(&n) }})
	return n, err
}
