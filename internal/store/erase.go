package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"
)

// PersonalMentions lists, by tree, the events whose personal part names a person. It reads every personal part: it is for an
// erasure, not for requests.
func (db *DB) PersonalMentions(ctx context.Context, person string) (map[string][]int64, error) {
	quoted, err := json.Marshal(person)
	if err != nil {
		return nil, err
	}
	out := map[string][]int64{}
	err = db.read(ctx, Everything, query{sql: "SELECT root, seq, personal_body FROM events WHERE personal_body IS NOT NULL ORDER BY root, seq", scan: func(r rows) error {
		var root string
		var seq int64
		var body []byte
		if err := r.Scan(&root, &seq, &body); err != nil {
			return err
		}
		if bytes.Contains(body, quoted) {
			out[root] = append(out[root], seq)
		}
		return nil
	}})
	if err != nil {
		return nil, fmt.Errorf("find personal data: %w", err)
	}
	return out, nil
}

// ErasePersonal queues the emptying of personal parts that the erasure with this number, written by this transaction, names. On
// PostgreSQL the database's function does it, on SQLite its trigger lets nothing else through.
func (tx *Tx) ErasePersonal(root string, erasure int64, seqs []int64) error {
	if tx.db.pool != nil {
		tx.queueText("SELECT erase_personal($1, $2, $3)", root, erasure, seqs)
		return nil
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return err
	}
	tx.queueText(`UPDATE events SET personal_salt = NULL, personal_body = NULL
		WHERE root = $1 AND personal_salt IS NOT NULL AND seq IN (SELECT value FROM json_each($2))`, root, string(list))
	return nil
}

// InCharge counts the open cases whose officer or RUP a person is.
func (db *DB) InCharge(ctx context.Context, person string) (int64, error) {
	var n int64
	err := db.read(ctx, Everything, query{
		sql: `SELECT count(*) FROM (SELECT id FROM cases WHERE officer = $1 AND officer <> '' AND outcome = ''
			UNION SELECT id FROM cases WHERE rup = $2 AND rup <> '' AND outcome = '') x`, args: []any{person, person},
		scan: func(r rows) error { return r.Scan(&n) },
	})
	return n, err
}

// ErasePerson takes name, addresses, roles, sign-ins and webhooks from a person, and what the person's notices said. The id stays: it
// stands in headers and names nobody any more.
func (db *DB) ErasePerson(ctx context.Context, person, name string) error {
	err := db.admin(ctx, func(g *gorm.DB) error {
		for _, q := range []string{
			"UPDATE contacts SET email = '', pec = '', mail = 'off' WHERE person = ?", "DELETE FROM memberships WHERE person = ?",
			"DELETE FROM tokens WHERE person = ?", "DELETE FROM calendar_links WHERE person = ?", "DELETE FROM webhooks WHERE owner = ?",
			"UPDATE notices SET params = '{}' WHERE person = ?",
			"UPDATE notices SET state = 'dead' WHERE person = ? AND state IN ('queued', 'held', 'failed')",
		} {
			if err := g.Exec(q, person).Error; err != nil {
				return err
			}
		}
		return g.Exec("UPDATE people SET name = ?, email = '' WHERE id = ?", name, person).Error
	})
	if err != nil {
		return fmt.Errorf("erase person: %w", err)
	}
	return nil
}
