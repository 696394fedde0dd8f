package store

import (
	"context"
	"fmt"
	"time"
)

// DueNotice is a notice to be sent now.
type DueNotice struct {
	ID, Target string
	Attempts   int           // made before
	Late       time.Duration // since it was due
}

// DueNotices lists, without locks, the notices of these channels (none: of all) to be sent now, those that waited longest first.
func (db *DB) DueNotices(ctx context.Context, now time.Time, limit int, channels ...string) ([]DueNotice, error) {
	w := &conditions{}
	w.add("state IN ('queued', 'failed') AND next_try <= ?", now)
	if len(channels) > 0 {
		w.add(w.in("channel", channels), anys(channels)...)
	}
	return db.dueNotices(ctx, now, limit, w)
}

func (db *DB) dueNotices(ctx context.Context, now time.Time, limit int, w *conditions) ([]DueNotice, error) {
	var out []DueNotice
	err := db.read(ctx, Everything, query{
		sql: fmt.Sprintf("SELECT id, target, attempts, next_try FROM notices WHERE %s ORDER BY next_try, id LIMIT $%d", w.sql(), len(w.args)+1), args: append(w.args, limit),
		scan: func(r rows) error {
			var n DueNotice
			var due time.Time
			err := r.Scan(&n.ID, &n.Target, &n.Attempts, &due)
			n.Late = now.Sub(due)
			out = append(out, n)
			return err
		},
	})
	return out, err
}

// DueHooks lists, without locks, the messages to be sent now to webhooks, by webhook, leaving some webhooks out: those that waited
// longest, in that order.
func (db *DB) DueHooks(ctx context.Context, now time.Time, limit int, but []string) (map[string][]DueNotice, error) {
	w := &conditions{}
	w.add("state IN ('queued', 'failed') AND next_try <= ? AND channel = 'webhook'", now)
	if len(but) > 0 {
		w.add("NOT ("+w.in("target", but)+")", anys(but)...)
	}
	all, err := db.dueNotices(ctx, now, limit, w)
	out := map[string][]DueNotice{}
	for _, n := range all {
		out[n.Target] = append(out[n.Target], n)
	}
	return out, err
}

// DueHook lists, without locks, the messages to be sent now to one webhook, those that waited longest first.
func (db *DB) DueHook(ctx context.Context, now time.Time, limit int, target string) ([]DueNotice, error) {
	w := &conditions{}
	w.add("state IN ('queued', 'failed') AND next_try <= ? AND channel = 'webhook'", now)
	w.add("target = ?", target)
	return db.dueNotices(ctx, now, limit, w)
}

// Revive makes a notice that failed or was given up be sent again now; one that left stays as it is.
func (db *DB) Revive(ctx context.Context, id string, now time.Time) error {
	return db.exec(ctx, Everything, query{
		sql: "UPDATE notices SET state = 'queued', attempts = 0, next_try = $2, error = '' WHERE id = $1 AND state IN ('failed', 'dead')", args: []any{id, now},
	})
}

// Postpone makes everything that waits for a target wait at least until an instant: it does not answer.
func (db *DB) Postpone(ctx context.Context, target string, until time.Time) error {
	return db.exec(ctx, Everything, query{
		sql: "UPDATE notices SET next_try = $2 WHERE target = $1 AND target <> '' AND state IN ('queued', 'failed') AND next_try < $2", args: []any{target, until},
	})
}

// ClaimNotice takes a notice that is due for as long as lease, so that nobody else sends it meanwhile; ErrNotFound when it is not
// due any more, or somebody else has it.
func (db *DB) ClaimNotice(ctx context.Context, id string, now, lease time.Time) (Notice, error) {
	var n Notice
	found := false
	err := db.exec(ctx, Everything, query{
		sql:  "UPDATE notices SET next_try = $3, attempts = attempts + 1 WHERE id = $1 AND state IN ('queued', 'failed') AND next_try <= $2 RETURNING " + noticeColumns,
		args: []any{id, now, lease},
		scan: func(r rows) (err error) {
			found = true
			n, err = scanNotice(r)
			return err
		},
	})
	if err == nil && !found {
		return n, ErrNotFound
	}
	return n, err
}

// SettleNotice writes what became of an attempt: State, Attempts, NextTry, MessageID, Error, SentAt and DeliveredAt.
func (db *DB) SettleNotice(ctx context.Context, n Notice) error {
	return db.exec(ctx, Everything, query{
		sql:  "UPDATE notices SET state = $2, attempts = $3, next_try = $4, message_id = $5, error = $6, sent_at = $7, delivered_at = $8 WHERE id = $1",
		args: []any{n.ID, n.State, n.Attempts, n.NextTry, n.MessageID, n.Error, n.SentAt, n.DeliveredAt},
	})
}

// Tell writes notices; one that is there already, from the same source for the same person and channel, stays as it is.
func (db *DB) Tell(ctx context.Context, all []Notice) error {
	return db.run(ctx, Everything, func(tx *Tx) error {
		if err := tx.send(tx.begin()); err != nil {
			return err
		}
		return tx.finish(func(tx *Tx) error {
			tx.InsertNotices(all)
			return nil
		})
	})
}

// Held lists the people with notices that wait for their digest.
func (db *DB) Held(ctx context.Context) ([]string, error) {
	var out []string
	err := db.read(ctx, Everything, query{sql: "SELECT DISTINCT person FROM notices WHERE state = 'held' ORDER BY person LIMIT 1000", scan: func(r rows) error {
		var id string
		err := r.Scan(&id)
		out = append(out, id)
		return err
	}})
	return out, err
}

// HeldNotices are those of one person that were held before an instant, oldest first, at most limit.
func (db *DB) HeldNotices(ctx context.Context, person string, before time.Time, limit int) ([]Notice, error) {
	return db.noticesBy(ctx, Everything, "SELECT "+noticeColumns+" FROM notices WHERE person = $1 AND state = 'held' AND at <= $2 ORDER BY id LIMIT $3", person, before, limit)
}

// Digest replaces held notices by the one that sums them up. Somebody else's digest of the same source leaves them alone.
func (db *DB) Digest(ctx context.Context, sum Notice, held []Notice) error {
	return db.run(ctx, Everything, func(tx *Tx) error {
		if err := tx.send(tx.begin()); err != nil {
			return err
		}
		return tx.finish(func(tx *Tx) error {
			ids := make([]string, len(held))
			for i := range held {
				ids[i] = held[i].ID
			}
			in, arg, err := db.among("id", ids, 3)
			if err != nil {
				return err
			}
			tx.InsertNotices([]Notice{sum})
			tx.queueText("UPDATE notices SET state = 'sent', sent_at = $1, message_id = $2 WHERE "+in+" AND state = 'held' AND EXISTS (SELECT 1 FROM notices d WHERE d.id = $2)", sum.At, sum.ID, arg)
			return nil
		})
	})
}

// Unanswered lists in-app notices that asked for something before an instant and have not been looked at since, oldest first.
func (db *DB) Unanswered(ctx context.Context, before time.Time, limit int) ([]Notice, error) {
	return db.noticesBy(ctx, Everything, "SELECT "+noticeColumns+` FROM notices WHERE channel = 'app' AND act = 1 AND escalated_at IS NULL AND at <= $1
		ORDER BY at, id LIMIT $2`, before, limit)
}

// Escalate closes the question whether anybody reacted to the notices of a source. When nobody has read one and nothing happened in
// the case since, it puts the message into the outbox. It reports whether it did; a second call never does.
func (db *DB) Escalate(ctx context.Context, n Notice, m Message, now time.Time) (bool, error) {
	done := false
	err := db.run(ctx, Everything, func(tx *Tx) error {
		mine, reacted := 0, 0
		if err := tx.send(append(tx.begin(),
			query{sql: "UPDATE notices SET escalated_at = $2 WHERE source = $1 AND channel = 'app' AND escalated_at IS NULL RETURNING 1", args: []any{n.Source, now}, scan: func(rows) error { mine++; return nil }},
			query{sql: `SELECT (SELECT count(*) FROM notices WHERE source = $1 AND channel = 'app' AND read_at IS NOT NULL) +
				(SELECT count(*) FROM events WHERE root = $2 AND at > $3 AND case_id = $4)`, args: []any{n.Source, n.Root, n.At, n.CaseID}, scan: func(r rows) error { return r.Scan(&reacted) }},
		)); err != nil {
			return err
		}
		return tx.finish(func(tx *Tx) error {
			if done = mine > 0 && reacted == 0; done {
				tx.InsertMessages([]Message{m})
			}
			return nil
		})
	})
	return done, err
}

// Remind lists, without locks, the running deadlines with a reminder that is due.
func (db *DB) Remind(ctx context.Context, now time.Time, limit int) ([]Deadline, error) {
	var out []Deadline
	err := db.read(ctx, Everything, query{
		sql:  "SELECT " + deadlineColumns + " FROM deadlines WHERE status = 'running' AND remind_at <= $1 ORDER BY remind_at, id LIMIT $2",
		args: []any{now, limit},
		scan: func(r rows) error {
			d, err := scanDeadline(r)
			out = append(out, d)
			return err
		},
	})
	return out, err
}

// SetReminder queues when the next reminder of a deadline is due; nil: none to come.
func (tx *Tx) SetReminder(id string, at *time.Time) {
	tx.queueText("UPDATE deadlines SET remind_at = $2 WHERE id = $1", id, at)
}

// TakeReminder moves a deadline on to its next reminder and reports whether the one before was still to be given.
func (tx *Tx) TakeReminder(id string, next *time.Time) (bool, error) {
	taken := false
	err := tx.send([]query{{
		sql:  "UPDATE deadlines SET remind_at = $2 WHERE id = $1 AND status = 'running' AND remind_at <= $3 RETURNING 1",
		args: []any{id, next, tx.Now}, scan: func(rows) error { taken = true; return nil },
	}})
	return taken, err
}

// Receipt is what certified mail answered to a notice. See migrations.
type Receipt struct {
	ID, Notice      string
	CaseID, Root    string
	MemberBody, SUA string
	Seq             int64
	Kind, MessageID string
	Provider        string
	Certified       time.Time
	Signer, SHA256  string
	Raw             []byte
	At              time.Time
}

// SaveReceipt keeps a receipt as evidence and moves its notice on to state. ErrConflict: it was kept before.
func (db *DB) SaveReceipt(ctx context.Context, r Receipt, state, fault string) error {
	return db.exec(ctx, Everything,
		query{sql: `INSERT INTO receipts (id, notice, case_id, root, member_body, sua, seq, kind, message_id, provider, certified, signer, sha256, raw, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			args: []any{r.ID, r.Notice, r.CaseID, r.Root, r.MemberBody, r.SUA, r.Seq, r.Kind, r.MessageID, r.Provider, r.Certified, r.Signer, r.SHA256, r.Raw, r.At}},
		query{sql: `UPDATE notices SET state = CASE WHEN $2 = '' THEN state ELSE $2 END, error = CASE WHEN $3 = '' THEN error ELSE $3 END,
			delivered_at = CASE WHEN $2 = 'delivered' THEN $4 ELSE delivered_at END WHERE id = $1`, args: []any{r.Notice, state, fault, r.Certified}})
}

// Receipts lists the receipts of a case, oldest first; without the bytes.
func (db *DB) Receipts(ctx context.Context, scope Scope, caseID string) ([]Receipt, error) {
	if !storable(caseID) {
		return nil, nil
	}
	var out []Receipt
	err := db.read(ctx, scope, query{
		sql: `SELECT id, notice, case_id, root, member_body, sua, seq, kind, message_id, provider, certified, signer, sha256, at FROM receipts
			WHERE case_id = $1 ORDER BY certified, id`, args: []any{caseID},
		scan: func(x rows) error {
			var r Receipt
			err := x.Scan(&r.ID, &r.Notice, &r.CaseID, &r.Root, &r.MemberBody, &r.SUA, &r.Seq, &r.Kind, &r.MessageID, &r.Provider, &r.Certified, &r.Signer, &r.SHA256, &r.At)
			r.Certified, r.At = r.Certified.UTC(), r.At.UTC()
			if scope.Sees(r.MemberBody, r.SUA) {
				out = append(out, r)
			}
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return out, nil
}

// ReceiptBytes reads a receipt as it came: the record and the bytes. ErrNotFound: it is not there or not in scope.
func (db *DB) ReceiptBytes(ctx context.Context, scope Scope, id string) (Receipt, error) {
	var r Receipt
	if !storable(id) {
		return r, ErrNotFound
	}
	err := db.read(ctx, scope, query{
		sql: "SELECT id, notice, case_id, root, member_body, sua, kind, certified, sha256, raw FROM receipts WHERE id = $1", args: []any{id},
		scan: func(x rows) error {
			return x.Scan(&r.ID, &r.Notice, &r.CaseID, &r.Root, &r.MemberBody, &r.SUA, &r.Kind, &r.Certified, &r.SHA256, &r.Raw)
		},
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("read receipt: %w", err)
	}
	if r.ID == "" || !scope.Sees(r.MemberBody, r.SUA) {
		return Receipt{}, ErrNotFound
	}
	r.Certified = r.Certified.UTC()
	return r, nil
}
