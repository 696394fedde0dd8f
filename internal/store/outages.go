package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Outage is a time in which the platform did not work, with what proves it. To is the first instant at which it worked again.
type Outage struct {
	ID, SUA       string
	Bodies        []string // member bodies concerned; none: all of the SUA's
	Platform      string
	From, To      time.Time
	Evidence, Law string
	RecordedBy    string
	RecordedAt    time.Time
}

// OutageTerm is what an outage did to one deadline.
type OutageTerm struct {
	Outage, Deadline, CaseID, Root, MemberBody, SUA string
	Name                                            string
	Before                                          time.Time
	After                                           *time.Time // nil: not extended
	WhyNot                                          []byte     // then the refusal, as JSON
	Seq                                             int64      // event that extended it
}

const outageColumns = "id, sua, bodies, platform, from_at, to_at, evidence, law, recorded_by, recorded_at"

// SaveOutage writes an outage, unless its id is there: then it changes nothing. ErrConflict never comes of it.
func (db *DB) SaveOutage(ctx context.Context, o Outage) error {
	bodies, err := encodeJSON(append([]string{}, o.Bodies...))
	if err != nil {
		return err
	}
	return db.exec(ctx, Everything, query{
		sql:  "INSERT INTO outages (" + outageColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
		args: []any{o.ID, o.SUA, bodies, o.Platform, o.From, o.To, o.Evidence, o.Law, o.RecordedBy, o.RecordedAt},
	})
}

// Outages lists those of SUAs in scope, the latest first, at most limit; of one SUA when it is named, and the one with an id when that is.
func (db *DB) Outages(ctx context.Context, scope Scope, sua, id string, limit int) ([]Outage, error) {
	if !storable(sua + id) {
		return nil, nil
	}
	w := &conditions{}
	if sua != "" {
		w.add("sua = ?", sua)
	}
	if id != "" {
		w.add("id = ?", id)
	}
	if !scope.All {
		w.add(w.in("sua", scope.Bodies), anys(scope.Bodies)...)
	}
	var out []Outage
	err := db.read(ctx, scope, query{
		sql: fmt.Sprintf("SELECT %s FROM outages WHERE %s ORDER BY from_at DESC, id LIMIT %d", outageColumns, w.sql(), limit), args: w.args,
		scan: func(r rows) error {
			var o Outage
			var bodies []byte
			if err := r.Scan(&o.ID, &o.SUA, &bodies, &o.Platform, &o.From, &o.To, &o.Evidence, &o.Law, &o.RecordedBy, &o.RecordedAt); err != nil {
				return err
			}
			o.From, o.To, o.RecordedAt = o.From.UTC(), o.To.UTC(), o.RecordedAt.UTC()
			out = append(out, o)
			return json.Unmarshal(bodies, &out[len(out)-1].Bodies)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("list outages: %w", err)
	}
	return out, nil
}

const outageTermColumns = "outage, deadline, case_id, root, member_body, sua, name, due_before, due_after, why_not, seq"

// InsertOutageTerm queues what an outage did to a deadline of the locked tree. A second row for the two is ErrConflict.
func (tx *Tx) InsertOutageTerm(t OutageTerm) {
	tx.queueText("INSERT INTO outage_terms ("+outageTermColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		t.Outage, t.Deadline, t.CaseID, t.Root, t.MemberBody, t.SUA, t.Name, t.Before, t.After, jsonOrNil(t.WhyNot), t.Seq)
}

// OutageTerms lists what outages did, by outage and then by the end that terms had.
func (db *DB) OutageTerms(ctx context.Context, scope Scope, outages []string) ([]OutageTerm, error) {
	in, arg, err := db.among("outage", outages, 1)
	if err != nil || len(outages) == 0 {
		return nil, err
	}
	return db.outageTerms(ctx, scope, in, arg)
}

func (db *DB) outageTerms(ctx context.Context, scope Scope, where string, args ...any) ([]OutageTerm, error) {
	var out []OutageTerm
	err := db.read(ctx, scope, readOutageTerms(where, args, func(t OutageTerm) {
		if scope.Sees(t.MemberBody, t.SUA) {
			out = append(out, t)
		}
	}))
	if err != nil {
		return nil, fmt.Errorf("list terms of outages: %w", err)
	}
	return out, nil
}

// OutageDone tells which deadlines of the locked tree an outage was already applied to.
func (tx *Tx) OutageDone(outage string) (map[string]bool, error) {
	done := map[string]bool{}
	err := tx.send([]query{readOutageTerms("outage = $1 AND root = $2", []any{outage, tx.Root.ID}, func(t OutageTerm) { done[t.Deadline] = true })})
	return done, err
}

func readOutageTerms(where string, args []any, put func(OutageTerm)) query {
	return query{sql: "SELECT " + outageTermColumns + " FROM outage_terms WHERE " + where + " ORDER BY outage, due_before, deadline", args: args, scan: func(r rows) error {
		var t OutageTerm
		if err := r.Scan(&t.Outage, &t.Deadline, &t.CaseID, &t.Root, &t.MemberBody, &t.SUA, &t.Name, &t.Before, &t.After, &t.WhyNot, &t.Seq); err != nil {
			return err
		}
		t.Before = t.Before.UTC()
		if t.After != nil {
			at := t.After.UTC()
			t.After = &at
		}
		put(t)
		return nil
	}}
}

// Struck lists the deadlines of these names, in open cases of a SUA, that ran at some time of an outage: live or expired ones that began
// before its end and were not over at its beginning. bodies narrows them to member bodies; none: all.
func (db *DB) Struck(ctx context.Context, o Outage, names []string) ([]Deadline, error) {
	w := &conditions{}
	w.add("(" + isLive + " OR status = 'expired')") // each with its index
	w.add("sua = ?", o.SUA)
	w.add(w.in("name", names), anys(names)...)
	w.add("started_at < ? AND due_at > ? AND "+outcomeOf+" = ''", o.To, o.From)
	if len(o.Bodies) > 0 {
		w.add(w.in("member_body", o.Bodies), anys(o.Bodies)...)
	}
	var out []Deadline
	err := db.read(ctx, Everything, query{
		sql:  "SELECT " + deadlineColumns + " FROM deadlines WHERE " + w.sql() + " ORDER BY root, due_at, id",
		args: w.args,
		scan: func(r rows) error {
			d, err := scanDeadline(r)
			out = append(out, d)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read terms that an outage struck: %w", err)
	}
	return out, nil
}
