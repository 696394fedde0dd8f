package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// sqliteConn is a connection with its prepared statements: the writing one, whose transactions are BEGIN IMMEDIATE … COMMIT, or one
// that only reads.
type sqliteConn struct {
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt   // that read
	writes map[string]driver.Stmt // that write: database/sql would check and lock for each, and for each parameter
	args   []driver.NamedValue    // of the write that runs
	time   time.Time              // the last that was written, and its text: most times of a transaction are its own
	asText string
}

func newSQLiteConn(conn *sql.Conn) *sqliteConn {
	return &sqliteConn{conn: conn, stmts: map[string]*sql.Stmt{}, writes: map[string]driver.Stmt{}}
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	for _, s := range c.writes {
		_ = s.Close()
	}
	return c.conn.Close()
}

func (c *sqliteConn) prepared(ctx context.Context, q string) (*sql.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	s, err := c.conn.PrepareContext(ctx, positional(q))
	if err == nil {
		c.stmts[q] = s
	}
	return s, err
}

var numbered = regexp.MustCompile(`\$[0-9]+`)

// positional writes ? for $1, $2 … where they stand in order and once each: the driver looks every named parameter up by its
// name at each execution.
func positional(q string) string {
	n := 0
	for _, mark := range numbered.FindAllString(q, -1) {
		if n++; mark != "$"+strconv.Itoa(n) {
			return q
		}
	}
	return numbered.ReplaceAllLiteralString(q, "?")
}

func (c *sqliteConn) send(ctx context.Context, qs []query) error {
	// The driver starts a goroutine per statement to watch a context that can end. Statements here take microseconds: it is
	// enough to look between them.
	quiet := context.WithoutCancel(ctx)
	for len(qs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := writesFirst(qs)
		var err error
		if n > 0 {
			err = c.conn.Raw(func(conn any) error { return c.write(ctx, conn.(driver.ConnPrepareContext), qs[:n]) })
		} else {
			n, err = 1, c.read(quiet, qs[0])
		}
		if err != nil {
			return translate(err)
		}
		qs = qs[n:]
	}
	return nil
}

// writesFirst counts the statements before the first that reads.
func writesFirst(qs []query) int {
	for i, q := range qs {
		if q.scan != nil {
			return i
		}
	}
	return len(qs)
}

func (c *sqliteConn) write(ctx context.Context, conn driver.ConnPrepareContext, qs []query) error {
	quiet := context.WithoutCancel(ctx)
	for _, q := range qs {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, ok := c.writes[q.sql]
		if !ok {
			var err error
			if s, err = conn.PrepareContext(quiet, positional(q.sql)); err != nil {
				return err
			}
			c.writes[q.sql] = s
		}
		if err := c.bind(q.args); err != nil {
			return err
		}
		if _, err := s.(driver.StmtExecContext).ExecContext(quiet, c.args); err != nil {
			return err
		}
	}
	return nil
}

// liteLayout is how the driver writes a time with _time_format=sqlite.
const liteLayout = "2006-01-02 15:04:05.999999999-07:00"

// bind makes values of the driver's kinds.
func (c *sqliteConn) bind(args []any) error {
	c.args = c.args[:0]
	for i, a := range args {
		switch a.(type) {
		case nil, string, []byte, int64, time.Time:
		default:
			var err error
			if a, err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
				return fmt.Errorf("parameter %d: %w", i+1, err)
			}
		}
		if t, ok := a.(time.Time); ok {
			if !t.Equal(c.time) || c.asText == "" {
				c.time, c.asText = t, t.UTC().Format(liteLayout)
			}
			a = c.asText
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return nil
}

func (c *sqliteConn) read(ctx context.Context, q query) error {
	s, err := c.prepared(ctx, q.sql)
	if err != nil {
		return err
	}
	rs, err := s.QueryContext(ctx, q.args...)
	if err != nil {
		return err
	}
	defer rs.Close()
	return scanAll(rs, q.scan)
}

func (c *sqliteConn) rollback(ctx context.Context) {
	_, _ = c.conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // "no transaction is active" after a commit
}

func (c *sqliteConn) release() {}
