package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Contact is how a person wants to be reached. Hours are of the clock in Italy.
type Contact struct {
	Person     string
	Email, PEC string
	Mail       string // now, digest, off; empty = as the role
	DigestHour int
	QuietFrom  int // equal to QuietTo: never quiet
	QuietTo    int
	Language   string
	UpdatedAt  time.Time
}

const contactColumns = "person, email, pec, mail, digest_hour, quiet_from, quiet_to, language, updated_at"

func scanContact(r rows) (Contact, error) {
	var c Contact
	err := r.Scan(&c.Person, &c.Email, &c.PEC, &c.Mail, &c.DigestHour, &c.QuietFrom, &c.QuietTo, &c.Language, &c.UpdatedAt)
	c.UpdatedAt = c.UpdatedAt.UTC()
	return c, err
}

// Contacts returns what is known of everybody who said how, by person.
func (db *DB) Contacts(ctx context.Context) (map[string]Contact, error) {
	out := map[string]Contact{}
	err := db.read(ctx, Everything, query{sql: "SELECT " + contactColumns + " FROM contacts", scan: func(r rows) error {
		c, err := scanContact(r)
		out[c.Person] = c
		return err
	}})
	return out, err
}

// Contact returns one person's, or ErrNotFound.
func (db *DB) Contact(ctx context.Context, person string) (Contact, error) {
	c, found := Contact{}, false
	err := db.read(ctx, Everything, query{sql: "SELECT " + contactColumns + " FROM contacts WHERE person = $1", args: []any{person}, scan: func(r rows) (err error) {
		found = true
		c, err = scanContact(r)
		return err
	}})
	if err == nil && !found {
		return c, ErrNotFound
	}
	return c, err
}

// SaveContact writes how a person wants to be reached.
func (db *DB) SaveContact(ctx context.Context, c Contact) error {
	return db.exec(ctx, Everything, query{sql: "INSERT INTO contacts (" + contactColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (person) DO UPDATE SET email = excluded.email, pec = excluded.pec, mail = excluded.mail, digest_hour = excluded.digest_hour,
		quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, language = excluded.language, updated_at = excluded.updated_at`,
		args: []any{c.Person, c.Email, c.PEC, c.Mail, c.DigestHour, c.QuietFrom, c.QuietTo, c.Language, c.UpdatedAt}})
}

// SaveCalendarLink gives a person's calendar a new secret address; the old one ends.
func (db *DB) SaveCalendarLink(ctx context.Context, person string, hash []byte, now time.Time) error {
	return db.exec(ctx, Everything, query{sql: `INSERT INTO calendar_links (person, hash, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at`, args: []any{person, hash, now}})
}

// DropCalendarLink ends the address of a person's calendar.
func (db *DB) DropCalendarLink(ctx context.Context, person string) error {
	return db.exec(ctx, Everything, query{sql: "DELETE FROM calendar_links WHERE person = $1", args: []any{person}})
}

// CalendarLink returns since when a person's calendar has an address, or ErrNotFound.
func (db *DB) CalendarLink(ctx context.Context, person string) (time.Time, error) {
	var at time.Time
	err := db.read(ctx, Everything, query{sql: "SELECT created_at FROM calendar_links WHERE person = $1", args: []any{person}, scan: func(r rows) error { return r.Scan(&at) }})
	if err == nil && at.IsZero() {
		return at, ErrNotFound
	}
	return at.UTC(), err
}

// CalendarPerson returns whose calendar has this address, or ErrNotFound.
func (db *DB) CalendarPerson(ctx context.Context, hash []byte) (string, error) {
	person := ""
	err := db.read(ctx, Everything, query{sql: "SELECT person FROM calendar_links WHERE hash = $1", args: []any{hash}, scan: func(r rows) error { return r.Scan(&person) }})
	if err == nil && person == "" {
		return "", ErrNotFound
	}
	return person, err
}

// Term is a live deadline with its case.
type Term struct {
	Deadline
	Case Case
}

// LiveTerms lists the live deadlines in scope that end after from, soonest first; mine limits them to cases whose RUP or officer is
// that person.
func (db *DB) LiveTerms(ctx context.Context, scope Scope, mine string, from time.Time, limit int) ([]Term, error) {
	if mine != "" {
		return db.personTerms(ctx, scope, mine, from, limit)
	}
	w := &conditions{}
	found := liveTerms(w, scope, from, limit)
	return db.termsFound(ctx, scope, found, w.args, limit)
}

// termsFound reads the terms whose ids and ends a statement finds, soonest first, each with its case.
func (db *DB) termsFound(ctx context.Context, scope Scope, found string, args []any, limit int) ([]Term, error) {
	var out []Term
	var ids []string
	err := db.read(ctx, scope, query{
		sql: "SELECT " + deadlineColumns + " FROM deadlines WHERE id IN (SELECT id FROM (" + found + fmt.Sprintf(") x ORDER BY due_at, id LIMIT %d) ORDER BY due_at, id", limit), args: args,
		scan: func(r rows) error {
			d, err := scanDeadline(r)
			if scope.Sees(d.MemberBody, d.SUA) {
				out, ids = append(out, Term{Deadline: d}), append(ids, d.CaseID)
			}
			return err
		},
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	s := Snapshot{Cases: map[string]*Case{}}
	in, arg, err := db.among("id", ids, 1)
	if err != nil {
		return nil, err
	}
	q := readCases("", nil, func(c *Case) { s.Cases[c.ID] = c })
	q.sql, q.args = "SELECT "+caseColumns+" FROM cases WHERE "+in, []any{arg}
	if err := db.read(ctx, scope, q); err != nil {
		return nil, err
	}
	for i := range out {
		if c := s.Cases[out[i].CaseID]; c != nil {
			out[i].Case = *c
		}
	}
	return slices.DeleteFunc(out, func(t Term) bool { return t.Case.ID == "" }), nil
}

// liveTerms finds the ids of live deadlines along the terms of each body, for the union of two columns cannot be walked in the order of
// the day.
func liveTerms(w *conditions, scope Scope, from time.Time, limit int) string {
	found := func(terms ...string) string {
		return fmt.Sprintf("SELECT * FROM (SELECT id, due_at FROM deadlines WHERE %s ORDER BY due_at, id LIMIT %d) b", and([]string{isLive, w.term("due_at > ?", from)}, terms), limit)
	}
	switch {
	case scope.All:
		return found()
	case len(scope.Bodies) > branchesMost || len(scope.Bodies) == 0:
		return found(w.within(scope))
	}
	owners := ownersOf(w, scope.Bodies)
	for i, owner := range owners {
		owners[i] = found(owner)
	}
	return strings.Join(owners, " UNION ALL ")
}

// Webhook is a program that is told of events.
type Webhook struct {
	ID, Owner, Body string
	URL, Secret     string
	Events          []string // ids of events; none = all
	State           string   // active, paused
	CreatedAt       time.Time
}

// Webhooks lists those of the bodies in scope, of one owner if given, oldest first.
func (db *DB) Webhooks(ctx context.Context, scope Scope, owner string) ([]Webhook, error) {
	var out []Webhook
	err := db.read(ctx, scope, query{
		sql:  "SELECT id, owner, body, url, secret, events, state, created_at FROM webhooks WHERE $1 = '' OR owner = $1 ORDER BY created_at, id",
		args: []any{owner},
		scan: func(r rows) error {
			var h Webhook
			var events []byte
			if err := r.Scan(&h.ID, &h.Owner, &h.Body, &h.URL, &h.Secret, &events, &h.State, &h.CreatedAt); err != nil {
				return err
			}
			h.CreatedAt = h.CreatedAt.UTC()
			err := json.Unmarshal(events, &h.Events)
			if scope.Sees(h.Body, h.Body) {
				out = append(out, h)
			}
			return err
		},
	})
	return out, err
}

// SaveWebhook adds a subscription, or renews address, filter and state of one.
func (db *DB) SaveWebhook(ctx context.Context, h Webhook) error {
	events, err := encodeJSON(append([]string{}, h.Events...))
	if err != nil {
		return err
	}
	return db.exec(ctx, Everything, query{sql: `INSERT INTO webhooks (id, owner, body, url, secret, events, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events, state = excluded.state`,
		args: []any{h.ID, h.Owner, h.Body, h.URL, h.Secret, events, h.State, h.CreatedAt}})
}

// DropWebhook ends a subscription; what waits for it is given up.
func (db *DB) DropWebhook(ctx context.Context, id string) error {
	return db.exec(ctx, Everything,
		query{sql: "UPDATE notices SET state = 'dead', error = 'webhook removed' WHERE target = $1 AND target <> '' AND state IN ('queued', 'failed')", args: []any{id}},
		query{sql: "DELETE FROM webhooks WHERE id = $1", args: []any{id}})
}

// Requeue makes a notice be sent again now.
func (db *DB) Requeue(ctx context.Context, id string, now time.Time) error {
	return db.exec(ctx, Everything, query{sql: "UPDATE notices SET state = 'queued', attempts = 0, next_try = $2, error = '' WHERE id = $1", args: []any{id, now}})
}
