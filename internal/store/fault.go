package store

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// Full reports whether an error says that a disk has no room left: the database's, or that of documents and temporary files.
// Nothing was written.
func Full(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "53100"
	}
	return liteCode(err) == 13 // SQLITE_FULL
}

// Away reports whether an error says that the database does not answer, or stopped answering halfway. Then nobody knows whether
// a change was committed: whoever asks again under the same key finds out.
func Away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "57P05", "58000", "58030": // stopped by somebody, crashed, starting, idle for too long, faults of its system
			return true
		}
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") && pg.Code != "53100" // connection; lack of memory or connections
	}
	var dial *pgconn.ConnectError
	var network *net.OpError
	if errors.As(err, &dial) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errNoAnswer) || errors.Is(err, ErrBroken) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) {
		return true
	}
	switch liteCode(err) {
	case 5, 6, 10, 14: // SQLITE_BUSY, LOCKED, IOERR, CANTOPEN
		return true
	}
	return false
}

// liteCode is the primary code of an error of SQLite, 0 when it is none.
func liteCode(err error) int {
	var lite interface{ Code() int }
	if errors.As(err, &lite) {
		return lite.Code() & 0xff
	}
	return 0
}
