package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// caseColumns in the order scanCase reads.
const caseColumns = `id, workflow, version, hash, state, stage, previous, visited, outcome, revision, coalesce(parent, ''), root, child, ordinal,
	member_body, sua, officer, rup, title, search, cig, cup, amount, data, rules_date, next_due, opened_at, updated_at, ended_at,
	source, source_key, chain_seq, chain_hash, chain_at`

func scanCase(r rows, more ...any) (*Case, error) {
	var c Case
	var data []byte
	dest := []any{&c.ID, &c.Workflow, &c.Version, &c.Hash, &c.State, &c.Stage, &c.Previous, &c.Visited, &c.Outcome, &c.Revision, &c.Parent, &c.Root, &c.Child, &c.Ordinal,
		&c.MemberBody, &c.SUA, &c.Officer, &c.RUP, &c.Title, &c.Search, &c.CIG, &c.CUP, &c.Amount, &data, &c.RulesDate, &c.NextDue, &c.OpenedAt, &c.UpdatedAt, &c.EndedAt,
		&c.Source, &c.SourceKey, &c.ChainSeq, &c.ChainHash, &c.ChainAt}
	if err := r.Scan(append(dest, more...)...); err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	var err error
	c.Data, err = decodeValues(data)
	c.OpenedAt, c.UpdatedAt = c.OpenedAt.UTC(), c.UpdatedAt.UTC()
	for _, t := range []**time.Time{&c.NextDue, &c.EndedAt, &c.ChainAt} {
		if *t != nil {
			u := (*t).UTC()
			*t = &u
		}
	}
	return &c, err
}

// lockRoot locks the root row and reads it: nothing else of a tree is locked, and nothing before it.
func (tx *Tx) lockRoot(where, id string) query {
	q := tx.readRoot(where, id)
	if tx.db.pool != nil {
		q.sql += " FOR UPDATE"
	}
	return q
}

func (tx *Tx) readRoot(where, id string) query {
	return query{
		sql:  "SELECT " + caseColumns + ", " + tx.clockColumn() + " FROM cases WHERE " + where,
		args: []any{id},
		scan: func(r rows) error {
			var clock *time.Time
			c, err := scanCase(r, &clock)
			if err != nil {
				return err
			}
			if clock != nil {
				tx.Now = clock.UTC().Truncate(time.Microsecond)
			}
			if tx.scope.Sees(c.MemberBody, c.SUA) {
				tx.Root = c
			}
			return nil
		},
	}
}

// readCase reads a case that is not its own root. It is a statement of its own, after the lock: one that locks and reads would
// see children as they were before it waited.
func (tx *Tx) readCase(id string) query {
	return query{
		sql:  "SELECT " + caseColumns + " FROM cases WHERE id = $1 AND parent IS NOT NULL",
		args: []any{id},
		scan: func(r rows) error {
			c, err := scanCase(r)
			if err == nil && tx.scope.Sees(c.MemberBody, c.SUA) {
				tx.Case = c
			}
			return err
		},
	}
}

// Want says what Load reads besides the case and the root.
type Want struct {
	// Tree reads all of the below for every case of the tree, and every case itself; else for the one case.
	Tree                                                          bool
	Parent, Children, Rows, Documents, Agreement, Past, Deadlines bool
	// Above reads the other children of the parent and of the root: cases alone.
	Above bool
}

// Snapshot is what Load read. Cases always holds the case and its root.
type Snapshot struct {
	Cases     map[string]*Case
	Rows      []Row
	Documents []Document
	Deadlines []Deadline
	Agreement *Agreement                  // between the member body and the SUA of the case; nil when there is none
	Past      map[string]map[string]Fired // case -> event -> the last time
}

// Load reads facts in one round trip.
func (tx *Tx) Load(w Want) (*Snapshot, error) {
	s := &Snapshot{Cases: map[string]*Case{tx.Root.ID: tx.Root, tx.Case.ID: tx.Case}, Past: map[string]map[string]Fired{}}
	var qs []query
	column, id := "case_id", tx.Case.ID
	if w.Tree {
		column, id = "root", tx.Root.ID
		qs = append(qs, readCases("root = $1", tx.Root.ID, s.addCase))
	} else {
		if w.Parent && tx.Case.Parent != "" && tx.Case.Parent != tx.Root.ID {
			qs = append(qs, readCases("id = $1", tx.Case.Parent, s.addCase))
		}
		if w.Children {
			qs = append(qs, readCases("parent = $1", tx.Case.ID, s.addCase))
		}
		if w.Above && tx.Case.Parent != "" {
			qs = append(qs, readCases("parent = $1", tx.Case.Parent, s.addCase))
			if tx.Case.Parent != tx.Root.ID {
				qs = append(qs, readCases("parent = $1", tx.Root.ID, s.addCase))
			}
		}
	}
	if w.Rows {
		qs = append(qs, readRows(column+" = $1", id, s.addRow))
	}
	if w.Documents {
		qs = append(qs, readDocuments(column+" = $1", id, s.addDocument))
	}
	if w.Deadlines {
		qs = append(qs, readDeadlines(column+" = $1", id, s.addDeadline))
	}
	if w.Agreement {
		qs = append(qs, readAgreement(tx.Case.MemberBody, tx.Case.SUA, s.addAgreement))
	}
	if w.Past {
		if w.Tree {
			qs = append(qs, readPast("root = $1", s.addPast, tx.Root.ID))
		} else {
			qs = append(qs, readPast("root = $1 AND case_id = $2", s.addPast, tx.Root.ID, tx.Case.ID))
		}
	}
	if len(qs) == 0 {
		return s, nil
	}
	if err := tx.send(qs); err != nil {
		return nil, fmt.Errorf("load facts: %w", err)
	}
	return s, nil
}

// LoadAgreement reads the agreement in force or not between two bodies; nil when there never was one.
func (tx *Tx) LoadAgreement(memberBody, sua string) (*Agreement, error) {
	var s Snapshot
	err := tx.send([]query{readAgreement(memberBody, sua, s.addAgreement)})
	return s.Agreement, err
}

// addCase adds a case that is not in the snapshot yet: the pointers of the case and the root stay the only ones.
func (s *Snapshot) addCase(c *Case) {
	if _, ok := s.Cases[c.ID]; !ok {
		s.Cases[c.ID] = c
	}
}

func (s *Snapshot) addRow(x Row)             { s.Rows = append(s.Rows, x) }
func (s *Snapshot) addDocument(d Document)   { s.Documents = append(s.Documents, d) }
func (s *Snapshot) addDeadline(d Deadline)   { s.Deadlines = append(s.Deadlines, d) }
func (s *Snapshot) addAgreement(a Agreement) { s.Agreement = &a }

func (s *Snapshot) addPast(caseID, event string, f Fired) {
	if s.Past[caseID] == nil {
		s.Past[caseID] = map[string]Fired{}
	}
	s.Past[caseID][event] = f
}

func readCases(where string, arg any, put func(*Case)) query {
	return query{sql: "SELECT " + caseColumns + " FROM cases WHERE " + where + " ORDER BY parent, child, ordinal", args: []any{arg}, scan: func(r rows) error {
		c, err := scanCase(r)
		if err == nil {
			put(c)
		}
		return err
	}}
}

func readRows(where string, arg any, put func(Row)) query {
	return query{sql: "SELECT case_id, register, row, data, changed_seq FROM case_rows WHERE " + where + " ORDER BY case_id, register, row", args: []any{arg}, scan: func(r rows) error {
		var x Row
		var data []byte
		if err := r.Scan(&x.CaseID, &x.Register, &x.Row, &data, &x.ChangedSeq); err != nil {
			return err
		}
		var err error
		if x.Data, err = decodeValues(data); err != nil {
			return err
		}
		put(x)
		return nil
	}}
}

func readDocuments(where string, arg any, put func(Document)) query {
	return documentsBy("WHERE "+where+" ORDER BY at, id", arg, put)
}

func documentsBy(rest string, arg any, put func(Document)) query {
	return query{sql: "SELECT id, case_id, root, member_body, sua, type, name, media, size, sha256, uploaded_by, at, seq FROM documents " + rest, args: []any{arg}, scan: func(r rows) error {
		var d Document
		err := r.Scan(&d.ID, &d.CaseID, &d.Root, &d.MemberBody, &d.SUA, &d.Type, &d.Name, &d.Media, &d.Size, &d.SHA256, &d.UploadedBy, &d.At, &d.Seq)
		if err != nil {
			return err
		}
		d.At = d.At.UTC()
		put(d)
		return nil
	}}
}

const deadlineColumns = `id, case_id, root, member_body, sua, name, status, started_at, started_seq, due_at, last_day, limit_key,
	explanation, revision, next_try, blocked_by, ended_at`

func scanDeadline(r rows) (Deadline, error) {
	var d Deadline
	var explanation []byte
	err := r.Scan(&d.ID, &d.CaseID, &d.Root, &d.MemberBody, &d.SUA, &d.Name, &d.Status, &d.StartedAt, &d.StartedSeq, &d.DueAt, &d.LastDay, &d.LimitKey,
		&explanation, &d.Revision, &d.NextTry, &d.BlockedBy, &d.EndedAt)
	if err != nil {
		return d, fmt.Errorf("read deadline: %w", err)
	}
	d.StartedAt, d.DueAt, d.NextTry = d.StartedAt.UTC(), d.DueAt.UTC(), d.NextTry.UTC()
	if d.EndedAt != nil {
		u := d.EndedAt.UTC()
		d.EndedAt = &u
	}
	var text struct{ IT, EN string }
	if err := json.Unmarshal(explanation, &text); err != nil {
		return d, fmt.Errorf("read deadline: %w", err)
	}
	d.ExplainIT, d.ExplainEN = text.IT, text.EN
	return d, nil
}

func readDeadlines(where string, arg any, put func(Deadline)) query {
	return query{sql: "SELECT " + deadlineColumns + " FROM deadlines WHERE " + where + " ORDER BY started_seq, id", args: []any{arg}, scan: func(r rows) error {
		d, err := scanDeadline(r)
		if err == nil {
			put(d)
		}
		return err
	}}
}

// readAgreement picks, of several, the one that began last.
func readAgreement(memberBody, sua string, put func(Agreement)) query {
	return query{sql: "SELECT id, member_body, sua, valid_from, valid_to, acts FROM agreements WHERE member_body = $1 AND sua = $2 ORDER BY valid_from DESC LIMIT 1", args: []any{memberBody, sua}, scan: func(r rows) error {
		var a Agreement
		var acts []byte
		if err := r.Scan(&a.ID, &a.MemberBody, &a.SUA, &a.ValidFrom, &a.ValidTo, &acts); err != nil {
			return err
		}
		err := json.Unmarshal(acts, &a.Acts)
		put(a)
		return err
	}}
}

// readPast reads through the key of the tree: an index by case would have to be written at each event.
func readPast(where string, put func(caseID, event string, f Fired), args ...any) query {
	return query{sql: "SELECT case_id, event, seq, at, effective, actor FROM events WHERE " + where + " ORDER BY root, seq", args: args, scan: func(r rows) error {
		var caseID, event string
		var f Fired
		if err := r.Scan(&caseID, &event, &f.Seq, &f.At, &f.Effective, &f.Actor); err != nil {
			return err
		}
		f.At, f.Effective = f.At.UTC(), f.Effective.UTC()
		put(caseID, event, f)
		return nil
	}}
}

// OpenPart reads the open part of one event of a tree; empty when it has none.
func (tx *Tx) OpenPart(root string, seq int64) ([]byte, error) {
	var body []byte
	err := tx.send([]query{{sql: "SELECT open_body FROM events WHERE root = $1 AND seq = $2", args: []any{root, seq}, scan: func(r rows) error {
		return r.Scan(&body)
	}}})
	return body, err
}

// read runs queries in a read-only transaction under a scope.
func (db *DB) read(ctx context.Context, scope Scope, qs ...query) error {
	conn, err := db.reader(ctx)
	if err != nil {
		return err
	}
	defer conn.release()
	defer conn.rollback(ctx)
	tx := &Tx{ctx: ctx, db: db, scope: scope, conn: conn, readOnly: true}
	return tx.send(append(tx.begin(), qs...))
}
