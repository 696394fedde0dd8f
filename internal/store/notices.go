package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Notice is one message for one person by one channel; see migrations for the meaning of each column.
type Notice struct {
	ID, Source      string
	Person          string
	Channel, Target string
	CaseID, Root    string
	MemberBody, SUA string
	Event           string
	Seq             int64
	Template        string
	Params          []byte // JSON, only what the person may see
	Act             bool   // the person is expected to do something
	State           string
	Attempts        int
	NextTry         time.Time
	MessageID       string
	Error           string
	At              time.Time
	SentAt          *time.Time
	DeliveredAt     *time.Time
	ReadAt          *time.Time
}

// Channels of a notice.
const (
	ChannelApp     = "app"
	ChannelMail    = "mail"
	ChannelPEC     = "pec"
	ChannelDigest  = "digest" // a mail that waits to be summed up with others
	ChannelWebhook = "webhook"
)

// States of a notice.
const (
	NoticeQueued    = "queued"
	NoticeHeld      = "held"
	NoticeSent      = "sent"
	NoticeDelivered = "delivered"
	NoticeRead      = "read"
	NoticeFailed    = "failed" // will be tried again
	NoticeDead      = "dead"   // given up
)

// NoticeTopic is the topic of outbox rows that become notices.
const NoticeTopic = "notice"

// Relay gives f the oldest messages of the outbox, at most limit and none after the one of the number last, in their order, and takes
// them out when f's writes commit. Another worker at the same time gets none (PostgreSQL) or waits (SQLite). It returns how many there
// were.
func (db *DB) Relay(ctx context.Context, limit int, last int64, f func(*Tx, []Message) error) (int, error) {
	var found []Message
	err := db.run(ctx, Everything, func(tx *Tx) error {
		first := tx.begin()
		if db.pool != nil && db.opts.Now == nil {
			first = append(first, query{sql: "SELECT clock_timestamp()", scan: tx.scanClock})
		}
		taken := query{sql: takeMessages, args: []any{NoticeTopic, limit, last}, scan: func(r rows) error {
			var m Message
			err := r.Scan(&m.ID, &m.Topic, &m.CaseID, &m.Root, &m.MemberBody, &m.SUA, &m.Payload, &m.At)
			m.At = m.At.UTC()
			found = append(found, m)
			return err
		}}
		if db.pool != nil {
			first = append(first, query{sql: inOrder, scan: func(rows) error { return nil }})
			taken.sql = fmt.Sprintf(takeMessagesAlone, relayLock)
		}
		if err := tx.send(append(first, taken)); err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b Message) int { return cmp.Compare(a.ID, b.ID) })
		return tx.finish(func(tx *Tx) error {
			if len(found) == 0 {
				return nil
			}
			return f(tx, found)
		})
	})
	return len(found), err
}

const (
	// relayLock is the number of the advisory lock of the relay.
	relayLock    = 7_115_001
	takeMessages = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE topic = $1 AND id <= $3 ORDER BY id LIMIT $2)" + messageBack
	// takeMessagesAlone asks for the lock first: who does not get it finds nothing. One relay at a time: row locks, dearer, would let
	// several work side by side on a queue that one empties. A message never changes, so that its place names it.
	takeMessagesAlone = "WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(%d) AS got) " +
		"DELETE FROM outbox WHERE ctid = ANY(ARRAY(SELECT ctid FROM outbox WHERE topic = $1 AND id <= $3 AND (SELECT got FROM mine) ORDER BY id LIMIT $2))" + messageBack
	// inOrder makes the relay read the queue from its beginning. By what PostgreSQL knows of a table that is now empty and now full it
	// would read all that waits, and the room of all that waited, for each part that is taken.
	inOrder     = "SELECT set_config('enable_seqscan', 'off', true)"
	messageBack = " RETURNING id, topic, case_id, root, member_body, sua, payload, at"
)

// LetGo queues that messages older than an instant leave the outbox untold: nobody is to hear of them any more.
func (tx *Tx) LetGo(before time.Time) {
	tx.queueText("DELETE FROM outbox WHERE at < $1", before)
}

// LastMessage is the number of the newest message that waits, 0 when none does: a look that takes no lock. Numbers only grow.
func (db *DB) LastMessage(ctx context.Context) (int64, error) {
	var last int64
	err := db.read(ctx, Everything, query{
		sql: "SELECT coalesce((SELECT id FROM outbox WHERE topic = $1 ORDER BY id DESC LIMIT 1), 0)", args: []any{NoticeTopic},
		scan: func(r rows) error { return r.Scan(&last) },
	})
	return last, err
}

// among says in SQL that a column is one of many values, the parameter number n.
func (db *DB) among(column string, values any, n int) (sql string, arg any, err error) {
	if db.pool != nil {
		return fmt.Sprintf("%s = ANY($%d)", column, n), values, nil
	}
	b, err := json.Marshal(values)
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n), string(b), err
}

// CasesByID reads cases, without locking them.
func (tx *Tx) CasesByID(ids []string) (map[string]*Case, error) {
	s := Snapshot{Cases: map[string]*Case{}}
	in, arg, err := tx.db.among("id", ids, 1)
	if err != nil {
		return nil, err
	}
	q := readCases("", nil, func(c *Case) { s.Cases[c.ID] = c })
	q.sql, q.args = "SELECT "+caseColumns+" FROM cases WHERE "+in, []any{arg}
	return s.Cases, tx.send([]query{q})
}

// EventKey names an event by its tree and its number.
type EventKey struct {
	Root string
	Seq  int64
}

// EventParts reads what was given to events: the readable parts, by key.
func (tx *Tx) EventParts(keys []EventKey) (map[EventKey]Event, error) {
	out := map[EventKey]Event{}
	const columns = "e.root, e.seq, e.case_id, e.event, e.effective, e.open_body, e.secret_body FROM events e JOIN "
	q := query{scan: func(r rows) error {
		var e Event
		err := r.Scan(&e.Root, &e.Seq, &e.CaseID, &e.Event, &e.Effective, &e.OpenBody, &e.SecretBody)
		e.Effective = e.Effective.UTC()
		out[EventKey{e.Root, e.Seq}] = e
		return err
	}}
	if tx.db.pool != nil {
		roots, seqs := make([]string, len(keys)), make([]int64, len(keys))
		for i, k := range keys {
			roots[i], seqs[i] = k.Root, k.Seq
		}
		q.sql, q.args = "SELECT "+columns+"unnest($1::text[], $2::bigint[]) AS k(root, seq) ON e.root = k.root AND e.seq = k.seq", []any{roots, seqs}
	} else {
		b, err := json.Marshal(keys)
		if err != nil {
			return nil, err
		}
		q.sql, q.args = "SELECT "+columns+"json_each($1) k ON e.root = k.value ->> 'Root' AND e.seq = k.value ->> 'Seq'", []any{string(b)}
	}
	return out, tx.send([]query{q})
}

// DeadlinesOf reads the deadlines of cases, without locking them, oldest first.
func (tx *Tx) DeadlinesOf(cases []string) ([]Deadline, error) {
	var s Snapshot
	in, arg, err := tx.db.among("case_id", cases, 1)
	if err != nil {
		return nil, err
	}
	q := readDeadlines("", nil, func(d Deadline) { s.Deadlines = append(s.Deadlines, d) })
	q.sql, q.args = "SELECT "+deadlineColumns+" FROM deadlines WHERE "+in+" ORDER BY started_seq, id", []any{arg}
	err = tx.send([]query{q})
	return s.Deadlines, err
}

const (
	noticeColumns = `id, source, person, channel, target, case_id, root, member_body, sua, event, seq, template, params, act, state,
		attempts, next_try, message_id, error, at, sent_at, delivered_at, read_at`
	noticeKept = " ON CONFLICT (source, person, channel, target) DO NOTHING"
)

// InsertNotices queues notices; one that is there already, from the same source for the same person and channel, stays as it is.
func (tx *Tx) InsertNotices(all []Notice) {
	if len(all) == 0 {
		return
	}
	if tx.db.pool == nil {
		for i := range all {
			tx.queueText("INSERT INTO notices ("+noticeColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)"+noticeKept, all[i].values()...)
		}
		return
	}
	kinds := [...]string{"text", "text", "text", "text", "text", "text", "text", "text", "text", "text", "bigint", "text", "jsonb", "integer", "text",
		"integer", "timestamptz", "text", "text", "timestamptz", "timestamptz", "timestamptz", "timestamptz"}
	columns := make([][]any, len(kinds))
	for i := range all {
		for k, v := range all[i].values() {
			columns[k] = append(columns[k], v)
		}
	}
	sql := "INSERT INTO notices (" + noticeColumns + ") SELECT * FROM unnest("
	args := make([]any, len(kinds))
	for k, kind := range kinds {
		if k > 0 {
			sql += ", "
		}
		sql += fmt.Sprintf("$%d::%s[]", k+1, kind)
		args[k] = columns[k]
	}
	tx.queueText(sql+")"+noticeKept, args...)
}

// values are the columns of a notice, in the order of noticeColumns.
func (n *Notice) values() []any {
	act := 0
	if n.Act {
		act = 1
	}
	return []any{n.ID, n.Source, n.Person, n.Channel, n.Target, n.CaseID, n.Root, n.MemberBody, n.SUA, n.Event, n.Seq, n.Template, string(n.Params), act, n.State,
		n.Attempts, n.NextTry, n.MessageID, n.Error, n.At, n.SentAt, n.DeliveredAt, n.ReadAt}
}

func scanNotice(r rows) (Notice, error) {
	var n Notice
	var act int
	err := r.Scan(&n.ID, &n.Source, &n.Person, &n.Channel, &n.Target, &n.CaseID, &n.Root, &n.MemberBody, &n.SUA, &n.Event, &n.Seq, &n.Template, &n.Params, &act, &n.State,
		&n.Attempts, &n.NextTry, &n.MessageID, &n.Error, &n.At, &n.SentAt, &n.DeliveredAt, &n.ReadAt)
	n.Act, n.NextTry, n.At = act == 1, n.NextTry.UTC(), n.At.UTC()
	for _, t := range []*time.Time{n.SentAt, n.DeliveredAt, n.ReadAt} {
		if t != nil {
			*t = t.UTC()
		}
	}
	return n, err
}

// NoticeFilter selects notices. Empty fields select all.
type NoticeFilter struct {
	Person, CaseID, Target, Source, ID, MessageID string
	Channels                                      []string
	Unread                                        bool
	Before                                        string // only ids below this one: the next page, newest first
	Limit                                         int
}

// Notices lists notices in scope, newest first.
func (db *DB) Notices(ctx context.Context, scope Scope, f NoticeFilter) ([]Notice, error) {
	w := &conditions{}
	for _, c := range []struct{ column, value string }{{"person = ?", f.Person}, {"case_id = ?", f.CaseID}, {"target = ?", f.Target}, {"source = ?", f.Source}, {"id = ?", f.ID}, {"message_id = ?", f.MessageID}, {"id < ?", f.Before}} {
		if !storable(c.value) {
			return nil, nil
		}
		if c.value != "" {
			w.add(c.column, c.value)
		}
	}
	switch { // what says nothing new names the index, which holds only some rows
	case f.MessageID != "":
		w.add("message_id <> ''")
	case f.Target != "":
		w.add("target <> ''")
	}
	if len(f.Channels) == 1 && f.Channels[0] == ChannelPEC {
		w.add("channel = 'pec'")
	} else if len(f.Channels) > 0 {
		w.add(w.in("channel", f.Channels), anys(f.Channels)...)
	}
	if f.Unread {
		w.add("read_at IS NULL")
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	sql := fmt.Sprintf("SELECT %s FROM notices WHERE %s ORDER BY id DESC LIMIT $%d", noticeColumns, w.sql(), len(w.args)+1)
	return db.noticesBy(ctx, scope, sql, append(w.args, f.Limit)...)
}

func (db *DB) noticesBy(ctx context.Context, scope Scope, sql string, args ...any) ([]Notice, error) {
	var out []Notice
	err := db.read(ctx, scope, query{sql: sql, args: args, scan: func(r rows) error {
		n, err := scanNotice(r)
		if scope.Sees(n.MemberBody, n.SUA) {
			out = append(out, n)
		}
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return out, nil
}

// Unread counts the notices of a person that nobody has read, at most 100.
func (db *DB) Unread(ctx context.Context, scope Scope, person string) (int, error) {
	w := &conditions{}
	w.add("person = ? AND channel = 'app' AND read_at IS NULL", person)
	if !scope.All {
		w.terms = append(w.terms, w.within(scope))
	}
	var n int
	err := db.read(ctx, scope, query{sql: "SELECT count(*) FROM (SELECT 1 FROM notices WHERE " + w.sql() + " LIMIT 100) x", args: w.args, scan: func(r rows) error { return r.Scan(&n) }})
	return n, err
}

// ReadNotices marks as read a person's notices (id "": all of them) and returns how many were not before.
func (db *DB) ReadNotices(ctx context.Context, scope Scope, person, id string, now time.Time) (int, error) {
	if !storable(id) {
		return 0, nil
	}
	sql, args := "UPDATE notices SET read_at = $1, state = 'read' WHERE person = $2 AND channel = 'app' AND read_at IS NULL", []any{now, person}
	if id != "" {
		sql, args = sql+" AND id = $3", append(args, id)
	}
	n := 0
	err := db.exec(ctx, scope, query{sql: sql + " RETURNING 1", args: args, scan: func(rows) error { n++; return nil }})
	return n, err
}

// exec runs statements in one transaction under a scope.
func (db *DB) exec(ctx context.Context, scope Scope, qs ...query) error {
	return db.run(ctx, scope, func(tx *Tx) error { return tx.send(append(append(tx.begin(), qs...), query{sql: "COMMIT"})) })
}

// NoticesOfSources lists the notices of a person by other channels than the program itself, from these sources, oldest first.
func (db *DB) NoticesOfSources(ctx context.Context, scope Scope, person string, sources []string) ([]Notice, error) {
	in, arg, err := db.among("source", sources, 2)
	if err != nil {
		return nil, err
	}
	return db.noticesBy(ctx, scope, "SELECT "+noticeColumns+" FROM notices WHERE person = $1 AND channel IN ('mail', 'pec', 'digest') AND "+in+" ORDER BY id", person, arg)
}
