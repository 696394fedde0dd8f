package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
)

// InsertCase queues a new case.
func (tx *Tx) InsertCase(c *Case) error {
	data, err := encodeJSON(c.Data)
	if err != nil {
		return err
	}
	var parent any
	if c.Parent != "" {
		parent = c.Parent
	}
	tx.queue(`INSERT INTO cases (id, workflow, version, hash, state, stage, previous, visited, outcome, revision, parent, root, child, ordinal,
		member_body, sua, officer, rup, title, search, cig, cup, amount, data, rules_date, next_due, opened_at, updated_at, updated_on, ended_at,
		source, source_key, chain_seq, chain_hash, chain_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35)`,
		c.ID, c.Workflow, c.Version, c.Hash, c.State, c.Stage, c.Previous, c.Visited, c.Outcome, c.Revision, parent, c.Root, c.Child, c.Ordinal,
		c.MemberBody, c.SUA, c.Officer, c.RUP, c.Title, c.Search, c.CIG, c.CUP, c.Amount, data, c.RulesDate, c.NextDue, c.OpenedAt, c.UpdatedAt, romeDay(c.UpdatedAt), c.EndedAt,
		c.Source, c.SourceKey, c.ChainSeq, c.ChainHash, c.ChainAt)
	return nil
}

// UpdateCase queues the new values of a case whose root this transaction has locked. The lock makes the row's revision
// certain; the caller has compared it with what the person saw.
func (tx *Tx) UpdateCase(c *Case) error {
	data, err := encodeJSON(c.Data)
	if err != nil {
		return err
	}
	tx.more = true
	tx.queueAlone(`UPDATE cases SET workflow = $2, version = $3, hash = $4, state = $5, stage = $6, previous = $7, outcome = $8, revision = $9, officer = $10, rup = $11,
		title = $12, search = $13, cig = $14, cup = $15, amount = $16, data = $17, rules_date = $18, updated_at = $19, ended_at = $20,
		chain_seq = $21, chain_hash = $22, chain_at = $23, visited = $24, updated_on = $25 WHERE id = $1`,
		c.ID, c.Workflow, c.Version, c.Hash, c.State, c.Stage, c.Previous, c.Outcome, c.Revision, c.Officer, c.RUP,
		c.Title, c.Search, c.CIG, c.CUP, c.Amount, data, c.RulesDate, c.UpdatedAt, c.EndedAt, c.ChainSeq, c.ChainHash, c.ChainAt, c.Visited, romeDay(c.UpdatedAt))
	return nil
}

// UpdateState queues only what moving changes: state, revision, times and the head of the chain. For a case whose fields,
// people and rules date stayed as they were.
func (tx *Tx) UpdateState(c *Case) {
	tx.moved = c
	tx.queueAlone(`UPDATE cases SET state = $2, stage = $3, previous = $4, visited = $5, outcome = $6, revision = $7, updated_at = $8, updated_on = $9, ended_at = $10,
		chain_seq = $11, chain_hash = $12, chain_at = $13 WHERE id = $1`,
		c.ID, c.State, c.Stage, c.Previous, c.Visited, c.Outcome, c.Revision, c.UpdatedAt, romeDay(c.UpdatedAt), c.EndedAt, c.ChainSeq, c.ChainHash, c.ChainAt)
}

// UpdateHead queues only the head of the chain of a root whose own state did not change.
func (tx *Tx) UpdateHead(root *Case) {
	tx.queueAlone("UPDATE cases SET updated_at = $2, chain_seq = $3, chain_hash = $4, chain_at = $5, updated_on = $6 WHERE id = $1",
		root.ID, root.UpdatedAt, root.ChainSeq, root.ChainHash, root.ChainAt, romeDay(root.UpdatedAt))
}

// RefreshDue queues the recomputation of next_due for the cases named and for the root (over its whole tree).
func (tx *Tx) RefreshDue(root string, cases []string) {
	const due = "(SELECT min(due_at) FROM deadlines d WHERE status IN ('running', 'blocked') AND "
	for _, id := range cases {
		if id != root {
			tx.queue("UPDATE cases SET next_due = "+due+"d.case_id = $1) WHERE id = $1", id)
		}
	}
	tx.queue("UPDATE cases SET next_due = "+due+"d.root = $1) WHERE id = $1", root)
}

// InsertEvent queues a link of the chain.
func (tx *Tx) InsertEvent(e *Event) {
	tx.queueAlone(`INSERT INTO events (root, seq, case_id, member_body, sua, event, at, effective, actor, header, hash,
		open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		e.Root, e.Seq, e.CaseID, e.MemberBody, e.SUA, e.Event, e.At, e.Effective, e.Actor, e.Header, e.Hash,
		e.OpenSalt, e.OpenBody, e.SecretSalt, e.SecretBody, e.PersonalSalt, e.PersonalBody)
}

// InsertRow queues a new row of a register; UpdateRow its new values.
func (tx *Tx) InsertRow(c *Case, r Row) error {
	data, err := encodeJSON(r.Data)
	if err != nil {
		return err
	}
	tx.queue("INSERT INTO case_rows (case_id, register, row, root, member_body, sua, data, changed_seq) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		r.CaseID, r.Register, r.Row, c.Root, c.MemberBody, c.SUA, data, r.ChangedSeq)
	return nil
}

// UpdateRow queues the new values of a row.
func (tx *Tx) UpdateRow(r Row) error {
	data, err := encodeJSON(r.Data)
	if err != nil {
		return err
	}
	tx.queue("UPDATE case_rows SET data = $4, changed_seq = $5 WHERE case_id = $1 AND register = $2 AND row = $3", r.CaseID, r.Register, r.Row, data, r.ChangedSeq)
	return nil
}

// InsertDeadline queues a deadline that begins.
func (tx *Tx) InsertDeadline(d Deadline) error {
	explanation, err := encodeJSON(struct{ IT, EN string }{d.ExplainIT, d.ExplainEN})
	if err != nil {
		return err
	}
	tx.queue(`INSERT INTO deadlines (id, case_id, root, member_body, sua, name, status, started_at, started_seq, due_at, last_day, limit_key,
		explanation, revision, next_try, blocked_by, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		d.ID, d.CaseID, d.Root, d.MemberBody, d.SUA, d.Name, d.Status, d.StartedAt, d.StartedSeq, d.DueAt, d.LastDay, d.LimitKey,
		explanation, d.Revision, d.NextTry, jsonOrNil(d.BlockedBy), d.EndedAt)
	return nil
}

// UpdateDeadline queues the new status or term of a deadline, and how it was counted.
func (tx *Tx) UpdateDeadline(d Deadline) error {
	explanation, err := encodeJSON(struct{ IT, EN string }{d.ExplainIT, d.ExplainEN})
	if err != nil {
		return err
	}
	tx.queue("UPDATE deadlines SET status = $2, due_at = $3, last_day = $4, revision = $5, next_try = $6, blocked_by = $7, ended_at = $8, explanation = $9 WHERE id = $1",
		d.ID, d.Status, d.DueAt, d.LastDay, d.Revision, d.NextTry, jsonOrNil(d.BlockedBy), d.EndedAt, explanation)
	return nil
}

// WakeBlocked makes the blocked deadlines of a tree be tried again: something of the tree has changed.
func (tx *Tx) WakeBlocked(root string) {
	tx.queue("UPDATE deadlines SET next_try = $2 WHERE root = $1 AND status = 'blocked'", root, tx.Now)
}

// romeDay is the day in Italy of an instant, as text that sorts.
func romeDay(t time.Time) string { return calendar.DateOf(t).String() }

func jsonOrNil(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// InsertDocument queues the record of a file.
func (tx *Tx) InsertDocument(d Document) {
	tx.queue(`INSERT INTO documents (id, case_id, root, member_body, sua, type, name, media, size, sha256, uploaded_by, at, seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		d.ID, d.CaseID, d.Root, d.MemberBody, d.SUA, d.Type, d.Name, d.Media, d.Size, d.SHA256, d.UploadedBy, d.At, d.Seq)
}

// InsertLink queues a link between two trees.
func (tx *Tx) InsertLink(l Link) {
	tx.queue("INSERT INTO links (from_case, to_case, kind, member_body, sua, at) VALUES ($1, $2, $3, $4, $5, $6)", l.From, l.To, l.Kind, l.MemberBody, l.SUA, l.At)
}

// InsertMessages queues what must leave the building after the commit, in one statement.
func (tx *Tx) InsertMessages(messages []Message) {
	if len(messages) == 0 {
		return
	}
	args := make([]any, 0, 7*len(messages))
	for _, m := range messages {
		args = append(args, m.Topic, m.CaseID, m.Root, m.MemberBody, m.SUA, string(m.Payload), m.At)
	}
	tx.queueAlone(messagesSQL(len(messages)), args...)
}

const insertMessages = "INSERT INTO outbox (topic, case_id, root, member_body, sua, payload, at) VALUES "

// firstMessages is the text for one to four messages, which is what events send.
var firstMessages = [...]string{1: writeMessagesSQL(1), 2: writeMessagesSQL(2), 3: writeMessagesSQL(3), 4: writeMessagesSQL(4)}

func messagesSQL(n int) string {
	if n < len(firstMessages) {
		return firstMessages[n]
	}
	return writeMessagesSQL(n)
}

func writeMessagesSQL(n int) string {
	var b strings.Builder
	b.WriteString(insertMessages)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		k := 7 * i
		fmt.Fprintf(&b, "($%d, $%d, $%d, $%d, $%d, $%d, $%d)", k+1, k+2, k+3, k+4, k+5, k+6, k+7)
	}
	return b.String()
}

// Remember queues the answer to a request with an idempotency key.
func (tx *Tx) Remember(k IdemKey, answer []byte) {
	tx.queueAlone("INSERT INTO idempotency (actor, path, key, body_hash, answer, at) VALUES ($1, $2, $3, $4, $5, $6)", k.Actor, k.Path, k.Key, k.BodyHash, answer, tx.Now)
}

// Forget deletes the answers older than an instant and returns nothing: losing one only makes a very late repeat a new request.
func (tx *Tx) Forget(before time.Time) {
	tx.queue("DELETE FROM idempotency WHERE at < $1", before)
}

// queueAlone queues a write that may share a statement with others of its kind.
func (tx *Tx) queueAlone(sql string, args ...any) {
	tx.pending = append(tx.pending, query{sql: sql, args: args, alone: true})
}

func (tx *Tx) queue(sql string, args ...any) {
	tx.more = true
	tx.pending = append(tx.pending, query{sql: sql, args: args})
}
