package store

import (
	"context"
	"errors"
)

// ErrBroken is what a transaction returns whose connection Options.Broken has cut: nobody can tell from it whether it was committed.
var ErrBroken = errors.New("the connection broke")

// breaking is a connection that is cut where Options.Broken says so: what was sent before has arrived, what comes after has not, and
// the answer is lost.
type breaking struct {
	transport
	broken func() bool
}

func (b breaking) send(ctx context.Context, qs []query) error {
	for i := range qs {
		if !b.broken() {
			continue
		}
		if b.inside(qs) {
			_ = b.transport.send(ctx, qs[:i]) // its answer never comes
		}
		b.cut(ctx)
		return ErrBroken
	}
	if err := b.transport.send(ctx, qs); err != nil {
		return err
	}
	if b.broken() {
		b.cut(ctx)
		return ErrBroken
	}
	return nil
}

// inside reports whether a part of the queries may be sent: within a transaction. A batch without BEGIN is one transaction as a
// whole, and a part of it would be another, committed.
func (b breaking) inside(qs []query) bool {
	pg, ok := b.transport.(pgConn)
	return !ok || pg.conn.Conn().PgConn().TxStatus() != 'I' || len(qs) > 0 && qs[0].sql == "BEGIN"
}

// cut ends the connection to PostgreSQL, which then rolls back; SQLite's is the process itself, whose rollback comes with run.
func (b breaking) cut(ctx context.Context) {
	if pg, ok := b.transport.(pgConn); ok {
		_ = pg.conn.Conn().Close(context.WithoutCancel(ctx)) // the pool throws it away
	}
}
