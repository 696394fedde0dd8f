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
	if tx.db.pool == nil && c.Search != "" {
		tx.wordless = append(tx.wordless, c.ID)
	}
	tx.queue(insertCase,
		c.ID, c.Workflow, c.Version, c.Hash, c.State, c.Stage, c.Previous, c.Visited, c.Outcome, c.Revision, parent, c.Root, c.Child, c.Ordinal,
		c.MemberBody, c.SUA, c.Officer, c.RUP, c.Title, c.Search, c.CIG, c.CUP, c.Amount, data, c.RulesDate, c.NextDue, c.OpenedAt, c.UpdatedAt, romeDay(c.UpdatedAt), c.EndedAt,
		c.Source, c.SourceKey, c.ChainSeq, c.ChainHash, c.ChainAt)
	return nil
}

// addWords queues the words of the new cases, of all in one statement. On PostgreSQL a trigger does it.
func (tx *Tx) addWords() {
	if len(tx.wordless) == 0 {
		return
	}
	ids, _ := tx.list(tx.wordless) // ids of ours are never refused
	tx.wordless = nil
	tx.queueText("INSERT INTO case_search (case_id, words) SELECT id, search FROM cases WHERE "+tx.among("id", 1), ids)
}

// UpdateCase queues the new values of a case whose root this transaction has locked. The lock makes the row's revision
// certain; the caller has compared it with what the person saw.
func (tx *Tx) UpdateCase(c *Case) error {
	data, err := encodeJSON(c.Data)
	if err != nil {
		return err
	}
	tx.more = true
	tx.queueAlone(updateCase,
		c.Workflow, c.Version, c.Hash, c.State, c.Stage, c.Previous, c.Outcome, c.Revision, c.Officer, c.RUP,
		c.Title, c.Search, c.CIG, c.CUP, c.Amount, data, c.RulesDate, c.UpdatedAt, c.EndedAt, c.ChainSeq, c.ChainHash, c.ChainAt, c.Visited, romeDay(c.UpdatedAt), c.ID)
	return nil
}

// UpdateState queues only what moving changes: state, revision, times and the head of the chain. For a case whose fields,
// people and rules date stayed as they were.
func (tx *Tx) UpdateState(c *Case) {
	tx.moved = c
	tx.queueAlone(updateState,
		c.State, c.Stage, c.Previous, c.Visited, c.Outcome, c.Revision, c.UpdatedAt, romeDay(c.UpdatedAt), c.EndedAt, c.ChainSeq, c.ChainHash, c.ChainAt, c.ID)
}

// UpdateHead queues only the head of the chain of a root whose own state did not change.
func (tx *Tx) UpdateHead(root *Case) {
	tx.queueAlone(updateHead, root.UpdatedAt, root.ChainSeq, root.ChainHash, root.ChainAt, romeDay(root.UpdatedAt), root.ID)
}

// RefreshDue queues the recomputation of next_due for the cases named and for the root (over its whole tree).
func (tx *Tx) RefreshDue(root string, cases []string) {
	for _, id := range cases {
		if id != root {
			tx.queue(refreshCase, id)
		}
	}
	tx.queue(refreshTree, root)
}

// InsertEvent queues a link of the chain.
func (tx *Tx) InsertEvent(e *Event) {
	tx.queueAlone(insertEvent,
		e.Root, e.Seq, e.CaseID, e.MemberBody, e.SUA, e.Event, e.At, e.Effective, e.Actor, e.Header, e.Hash,
		e.OpenSalt, e.OpenBody, e.SecretSalt, e.SecretBody, e.PersonalSalt, e.PersonalBody)
}

// InsertRow queues a new row of a register; UpdateRow its new values.
func (tx *Tx) InsertRow(c *Case, r Row) error {
	data, err := encodeJSON(r.Data)
	if err != nil {
		return err
	}
	tx.queue(insertRow, r.CaseID, r.Register, r.Row, c.Root, c.MemberBody, c.SUA, data, r.ChangedSeq)
	return nil
}

// UpdateRow queues the new values of a row.
func (tx *Tx) UpdateRow(r Row) error {
	data, err := encodeJSON(r.Data)
	if err != nil {
		return err
	}
	tx.queue(updateRow, data, r.ChangedSeq, r.CaseID, r.Register, r.Row)
	return nil
}

// InsertDeadline queues a deadline that begins.
func (tx *Tx) InsertDeadline(d Deadline) error {
	explanation, err := encodeJSON(struct{ IT, EN string }{d.ExplainIT, d.ExplainEN})
	if err != nil {
		return err
	}
	tx.queue(insertDeadline,
		d.ID, d.CaseID, d.Root, d.MemberBody, d.SUA, d.Name, d.Status, d.StartedAt, d.StartedSeq, d.DueAt, d.LastDay, d.LimitKey,
		explanation, d.Revision, d.NextTry, jsonOrNil(d.BlockedBy), d.EndedAt)
	tx.watch(d)
	return nil
}

// UpdateDeadline queues the new status or term of a deadline, and how it was counted.
func (tx *Tx) UpdateDeadline(d Deadline) error {
	explanation, err := encodeJSON(struct{ IT, EN string }{d.ExplainIT, d.ExplainEN})
	if err != nil {
		return err
	}
	tx.queue(updateDeadline, d.Status, d.DueAt, d.LastDay, d.Revision, d.NextTry, jsonOrNil(d.BlockedBy), d.EndedAt, explanation, d.ID)
	tx.watch(d)
	return nil
}

// watch notes the soonest instant at which something written here is to be looked at.
func (tx *Tx) watch(d Deadline) {
	if (d.Status == Running || d.Status == Blocked) && (tx.soonest.IsZero() || d.NextTry.Before(tx.soonest)) {
		tx.soonest = d.NextTry
	}
}

// WakeBlocked makes the blocked deadlines of a tree be tried again: something of the tree has changed.
func (tx *Tx) WakeBlocked(root string) {
	tx.queue(wakeBlocked, tx.Now, root)
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
	tx.queue(insertDocument,
		d.ID, d.CaseID, d.Root, d.MemberBody, d.SUA, d.Type, d.Name, d.Media, d.Size, d.SHA256, d.UploadedBy, d.At, d.Seq)
}

// InsertLink queues a link between two trees.
func (tx *Tx) InsertLink(l Link) {
	tx.queue(insertLink, l.From, l.To, l.Kind, l.MemberBody, l.SUA, l.At)
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
	tx.pending = append(tx.pending, query{sql: messagesSQL(len(messages)), args: args, alone: true, kind: insertMessage})
}

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
	b.WriteString(insertMessage.one)
	for i := 1; i < n; i++ {
		k := 7 * i
		fmt.Fprintf(&b, ", ($%d, $%d, $%d, $%d, $%d, $%d, $%d)", k+1, k+2, k+3, k+4, k+5, k+6, k+7)
	}
	return b.String()
}

// Remember queues the answer to a request with an idempotency key.
func (tx *Tx) Remember(k IdemKey, answer []byte) {
	tx.queueAlone(insertAnswer, k.Actor, k.Path, k.Key, k.BodyHash, answer, tx.Now)
}

// Forget deletes the answers older than an instant and returns nothing: losing one only makes a very late repeat a new request.
func (tx *Tx) Forget(before time.Time) {
	tx.queueText("DELETE FROM idempotency WHERE at < $1", before)
}

// queueAlone queues a write that may share a statement with others of its kind.
func (tx *Tx) queueAlone(kind *write, args ...any) {
	tx.pending = append(tx.pending, query{sql: kind.one, args: args, alone: true, kind: kind})
}

func (tx *Tx) queue(kind *write, args ...any) {
	tx.more = true
	tx.pending = append(tx.pending, query{sql: kind.one, args: args, kind: kind})
}

// queueText queues a write that is never one of many of its kind.
func (tx *Tx) queueText(sql string, args ...any) {
	tx.more = true
	tx.pending = append(tx.pending, query{sql: sql, args: args})
}
