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
	Words                  []string // folded; of each, some word of the case must begin with it
	DueBefore              time.Time
	Open                   *bool  // still going on, or ended
	Children               bool   // also cases below a parent
	Sort                   string // updated (default), opened, due, title, amount
	Desc                   bool
	After                  string // cursor of the page before
	Limit                  int
}

// sorts maps an order to its expression, which an index has (migration 4 says why it is written so); nulls get a value so that pages
// stay dense.
var sorts = map[string]struct{ pg, sqlite string }{
	"updated": {"updated_on", "updated_on"},                                                                   // by day, then the newest case first
	"opened":  {"id", "id"},                                                                                   // ids grow with time
	"due":     {"CASE WHEN next_due IS NULL THEN 'infinity' ELSE next_due END", "coalesce(next_due, '9999')"}, // as in the indexes
	"title":   {`title COLLATE "C"`, "title"},
	"amount":  {"CASE WHEN amount IS NULL THEN -1 ELSE amount END", "coalesce(amount, -1)"},
}

// SortKnown reports whether an order exists.
func SortKnown(sort string) bool { _, ok := sorts[sort]; return ok }

type cursor struct {
	Sort  string `json:"s"`
	Value string `json:"v"`
	ID    string `json:"i"`
}

// conditions collects AND-ed terms and turns ? into $n.
type conditions struct {
	terms []string
	args  []any
}

func (w *conditions) add(term string, args ...any) {
	w.terms = append(w.terms, w.term(term, args...))
}

// term numbers the parameters of a condition and keeps their values, without adding it.
func (w *conditions) term(term string, args ...any) string {
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
	w.args = append(w.args, args...)
	return b.String()
}

func (w *conditions) in(column string, values []string) string {
	if len(values) == 0 {
		return "1 = 0"
	}
	return column + " IN (" + strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ") + ")"
}

// within is the condition that a row is of a body of the scope, as member body or as SUA. For a scope of all it is not to be asked.
func (w *conditions) within(scope Scope) string {
	bodies := anys(scope.Bodies)
	return w.term("("+w.in("member_body", scope.Bodies)+" OR "+w.in("sua", scope.Bodies)+")", append(bodies, bodies...)...)
}

// after is the condition that a case comes after the page before.
func (w *conditions) after(f CaseFilter, expr string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(f.After)
	var c cursor
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Sort != f.Sort || !storable(c.Value+c.ID) {
		return "", ErrBadCursor
	}
	var v any = c.Value
	switch f.Sort {
	case "amount":
		var n int64
		if _, err := fmt.Sscan(c.Value, &n); err != nil {
			return "", ErrBadCursor
		}
		v = n
	case "updated":
		if _, err := time.Parse(time.DateOnly, c.Value); err != nil {
			return "", ErrBadCursor
		}
	case "due":
		if t, err := parseStamp(c.Value); err == nil {
			v = t
		} else if c.Value != "9999" && c.Value != "infinity" {
			return "", ErrBadCursor
		}
	}
	op := ">"
	if f.Desc {
		op = "<"
	}
	return w.term("("+expr+", id) "+op+" (?, ?)", v, c.ID), nil
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

// LatestDocuments lists the files uploaded last, at most limit, newest first.
func (db *DB) LatestDocuments(ctx context.Context, limit int) ([]Document, error) {
	var s Snapshot
	q := documentsBy("ORDER BY id DESC LIMIT $1", limit, s.addDocument)
	if err := db.read(ctx, Everything, q); err != nil {
		return nil, fmt.Errorf("latest documents: %w", err)
	}
	return s.Documents, nil
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
