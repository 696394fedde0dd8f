package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// query is one statement and what to do with its rows (nil: none expected). Parameters are $1, $2 … in both dialects.
type query struct {
	sql  string
	args []any
	scan func(rows) error // called once per row
	// alone: a write to rows that no other write of the transaction touches, so that it may share a statement (merge.go)
	alone bool
	kind  *write // which write this is, so that many of a kind may become one statement (gather.go); nil for a reading
}

// rows is what pgx.Rows and *sql.Rows share.
type rows interface {
	Scan(dest ...any) error
}

// scanAll calls scan once per row; whoever has the rows closes them.
func scanAll(rs interface {
	rows
	Next() bool
	Err() error
}, scan func(rows) error) error {
	for rs.Next() {
		if err := scan(rs); err != nil {
			return err
		}
	}
	return rs.Err()
}

// transport runs statements inside one transaction, in order, stopping at the first error.
type transport interface {
	// send runs the queries; on PostgreSQL in a single round trip.
	send(ctx context.Context, qs []query) error
	// rollback gives up; it is harmless after a commit.
	rollback(ctx context.Context)
	release()
}

// pgConn pipelines: BEGIN and COMMIT are queries like the others.
type pgConn struct{ conn *pgxpool.Conn }

func (c pgConn) send(ctx context.Context, qs []query) error {
	var b pgx.Batch
	for _, q := range qs {
		b.Queue(q.sql, q.args...)
	}
	res := c.conn.SendBatch(ctx, &b)
	for _, q := range qs {
		if err := pgResult(res, q); err != nil {
			return errors.Join(translate(err), closed(res))
		}
	}
	if err := res.Close(); err != nil {
		return translate(err)
	}
	return nil
}

// closed drains a failed batch; its error repeats the one already seen.
func closed(res pgx.BatchResults) error {
	_ = res.Close()
	return nil
}

func pgResult(res pgx.BatchResults, q query) error {
	if q.scan == nil {
		_, err := res.Exec()
		return err
	}
	rs, err := res.Query()
	if err != nil {
		return err
	}
	defer rs.Close()
	return scanAll(rs, q.scan)
}

func (c pgConn) rollback(ctx context.Context) {
	if c.conn.Conn().PgConn().TxStatus() != 'I' {
		_, _ = c.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK") // a broken connection is thrown away by the pool
	}
}

func (c pgConn) release() { c.conn.Release() }

// translate turns both drivers' unique violations into ErrConflict.
func translate(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return fmt.Errorf("%w: %s", ErrConflict, pg.ConstraintName)
	}
	var lite interface{ Code() int }
	if errors.As(err, &lite) && (lite.Code() == 2067 || lite.Code() == 1555) { // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY
		return fmt.Errorf("%w: %s", ErrConflict, strings.TrimPrefix(err.Error(), "constraint failed: "))
	}
	return err
}
