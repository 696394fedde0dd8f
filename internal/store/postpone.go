package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// A long import into SQLite spends more than half of its time on indexes that only lists need: each row goes to another page of each,
// and all these pages are written again at each commit. So it drops them first and makes them again at its end, each from sorted rows.
// What makes them is noted in the database, in the transaction that drops them: if the import does not come to its end, whoever
// migrates next, which every command does, makes them. Meanwhile lists are right, but slow.

// ofLists are the indexes of cases in which an imported case stands and that neither a transition nor an import reads. The others stay:
// an import writes nothing into them, or always at their end.
const ofLists = "('cases_updated', 'cases_below', 'cases_member', 'cases_member_below', 'cases_sua', 'cases_sua_below', 'cases_open', " +
	"'cases_going', 'cases_title', 'cases_amount', 'cases_cig')"

// Pages that the writing connection keeps in memory, in KiB: always, and while indexes are postponed.
const (
	cacheUsual = 16_000
	cacheLong  = 64_000
)

// PostponeIndexes drops indexes that only lists need, if fewer than most cases are there: making them again costs as much as there are
// cases. It is for SQLite; on PostgreSQL it does nothing. MakeIndexes must follow.
func (db *DB) PostponeIndexes(ctx context.Context, most int) error {
	if db.pool != nil {
		return nil
	}
	err := db.Create(ctx, Everything, nil, func(tx *Tx) error {
		var names []string
		err := tx.send([]query{{
			sql:  "SELECT name FROM sqlite_master WHERE type = 'index' AND name IN " + ofLists + " AND (SELECT count(*) FROM (SELECT 1 FROM cases LIMIT $1)) < $1",
			args: []any{most},
			scan: func(r rows) error {
				var name string
				err := r.Scan(&name)
				names = append(names, name)
				return err
			},
		}})
		if err != nil || len(names) == 0 {
			return err
		}
		tx.queueText("INSERT INTO postponed_indexes (name, sql) SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name IN " + ofLists)
		for _, name := range names {
			tx.queueText("DROP INDEX " + name)
		}
		tx.queueText(fmt.Sprintf("PRAGMA cache_size = -%d", cacheLong))
		return nil
	})
	if err != nil {
		return fmt.Errorf("postpone indexes: %w", err)
	}
	return nil
}

// MakeIndexes makes what PostponeIndexes has dropped, each in a transaction of its own, so that others can write in between.
func (db *DB) MakeIndexes(ctx context.Context) error {
	if db.pool != nil {
		return nil
	}
	db.writeMu.Lock()
	defer db.writeMu.Unlock()
	err := makeIndexes(ctx, db.write.conn)
	_, cache := db.write.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", cacheUsual))
	return errors.Join(err, cache)
}

// beginner is a connection to SQLite, or a pool of one.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

func makeIndexes(ctx context.Context, db beginner) error {
	for more := true; more; {
		var err error
		if more, err = makeIndex(ctx, db); err != nil {
			return fmt.Errorf("make indexes: %w", err)
		}
	}
	return nil
}

// makeIndex makes one, if there is one to make. Another process may do the same: the row says whose turn it is.
func makeIndex(ctx context.Context, db beginner) (made bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // harmless after a commit
	var name, text string
	err = tx.QueryRowContext(ctx, "SELECT name, sql FROM postponed_indexes ORDER BY name LIMIT 1").Scan(&name, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM postponed_indexes WHERE name = $1", name); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// makeForgotten makes the indexes that an import left behind which did not come to its end. A database from before has no such table.
func makeForgotten(ctx context.Context, db *sql.DB) error {
	var there bool
	err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'postponed_indexes')").Scan(&there)
	if err != nil || !there {
		return err
	}
	return makeIndexes(ctx, db)
}
