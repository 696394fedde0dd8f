package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the pure-Go driver behind the name "sqlite"
)

// Sentinels that callers branch on.
var (
	// ErrNotFound: the row is not there, or not in the caller's scope.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a row with the same unique key exists.
	ErrConflict = errors.New("already there")
	// ErrKeyReused: the idempotency key was used with another body.
	ErrKeyReused = errors.New("idempotency key reused with another body")
	// ErrNewer: the database was migrated by a newer program.
	ErrNewer = errors.New("the database belongs to a newer version")
	// ErrGaps: migrations older than the newest applied one are missing.
	ErrGaps = errors.New("older migrations are missing")
	// ErrNotOwner: the schema is behind and this role may not migrate it.
	ErrNotOwner = errors.New("this role may not migrate")
)

// Scope is the set of bodies whose cases the caller may see and change, as member or as SUA.
type Scope struct {
	All    bool // the engine itself, and those who control all bodies
	Bodies []string
}

// Everything is the scope of the engine itself.
var Everything = Scope{All: true}

// setting is the value of sua.scope: each body between commas. The schema refuses a body id that holds one.
func (s Scope) setting() string {
	if s.All {
		return "*"
	}
	if len(s.Bodies) == 0 {
		return "," // sees nothing
	}
	return "," + strings.Join(s.Bodies, ",") + ","
}

// Sees reports whether a case of these owners is in the scope.
func (s Scope) Sees(memberBody, sua string) bool {
	if s.All {
		return true
	}
	for _, b := range s.Bodies {
		if b == memberBody || b == sua {
			return true
		}
	}
	return false
}

// Options of Open.
type Options struct {
	// URL is sqlite:PATH (":memory:" is refused: several connections are needed) or postgres://….
	URL string
	// Now gives the time of transactions. On PostgreSQL nil means the database's clock; on SQLite it is required.
	Now func() time.Time
	// Volatile does not wait for the disk on SQLite: for tests and databases that are thrown away.
	Volatile bool
	// MaxConns bounds the PostgreSQL pool; 0 is the driver's default.
	MaxConns int32
	// Committed, when set, is told the round trips that each transaction took, lock to commit, and which tree it locked; "" is none, or
	// several: a new case, a batch of terms, notices.
	Committed func(trips int, root string)
	// Sent, when set, is told how many statements went to the database at each round trip of a transaction.
	Sent func(statements int)
	// Statement, when set, is told each statement written by hand before it goes to the database, with its parameters. Those that gorm
	// writes, for bodies, people, tokens and agreements, are not among them.
	Statement func(sql string, args []any)
	// Broken is for tests of crashes. It is asked before each statement of a transaction and once after each round trip; where it says
	// yes, the connection breaks: see ErrBroken. It may be called from several goroutines.
	Broken func() bool
}

// DB is an open database of either kind. Safe for concurrent use.
type DB struct {
	opts Options
	pool *pgxpool.Pool // PostgreSQL
	gorm *gorm.DB      // reads, and PostgreSQL writes outside Update

	clock   databaseClock
	roots   rootMemory
	left    leftCases
	flights flights
	// written is told, after each commit that wrote live deadlines, when the soonest of them is to be looked at
	written atomic.Pointer[func(time.Time)]

	// SQLite: one writing connection behind a mutex (it beats many writers), and a pool that only reads.
	writeMu   sync.Mutex
	writePool *sql.DB
	write     *sqliteConn
	readPool  *sql.DB
	writeGorm *gorm.DB
}

// Dialect is "postgres" or "sqlite".
func (db *DB) Dialect() string {
	if db.pool != nil {
		return "postgres"
	}
	return "sqlite"
}

// Open connects, without migrating. The schema must be current: see Migrate.
func Open(ctx context.Context, o Options) (*DB, error) {
	switch {
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return openPostgres(ctx, o)
	case strings.HasPrefix(o.URL, "sqlite:"):
		return openSQLite(ctx, o)
	}
	return nil, fmt.Errorf("open database: unknown kind of address (want sqlite:FILE or postgres://…)")
}

func openPostgres(ctx context.Context, o Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, errors.New("open database: the postgres address cannot be read") // the error would show the password
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["application_name"] = "sua"
	// Statements here are few, prepared and made for one plan. Left to choose, the server plans those with arrays at each execution,
	// which costs more than running them.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	// None runs long enough to be worth compiling; the estimate of one that reads a thousand rows says otherwise.
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDBFromPool(pool)}), gormConfig())
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{opts: o, pool: pool, gorm: g}, nil
}

// Pages of 8 KiB: the event of an imported lot takes more than half of a page of SQLite's usual size, so that each would fill one. The
// driver follows the pragmas in the order of their names, journal_mode after them; after it the size of pages stands.
const sqlitePragmas = "?_txlock=immediate&_pragma=page_size(8192)&_journal_mode=WAL&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)" +
	"&_pragma=synchronous(FULL)&_time_format=sqlite&_timezone=UTC"

func openSQLite(ctx context.Context, o Options) (*DB, error) {
	path := strings.TrimPrefix(o.URL, "sqlite:")
	if path == "" || strings.Contains(path, ":memory:") || strings.ContainsAny(path, "?#") {
		return nil, fmt.Errorf("open database: %q is not a file", path)
	}
	if o.Now == nil {
		return nil, errors.New("open database: sqlite needs a clock")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{opts: o}
	pragmas := sqlitePragmas
	if o.Volatile {
		pragmas = strings.Replace(pragmas, "synchronous(FULL)", "synchronous(OFF)", 1)
	}
	var err error
	if db.writePool, err = sql.Open("sqlite", "file:"+path+pragmas+fmt.Sprintf("&_pragma=cache_size(-%d)&_pragma=wal_autocheckpoint(8000)", cacheUsual)); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.writePool.SetMaxOpenConns(1)
	conn, err := db.writePool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.writePool.Close())
	}
	db.write = newSQLiteConn(conn)
	if db.readPool, err = sql.Open("sqlite", "file:"+path+pragmas+"&_pragma=query_only(1)&_pragma=cache_size(-2000)"); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	db.readPool.SetMaxOpenConns(4)
	if db.gorm, err = gorm.Open(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: db.readPool}), gormConfig()); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	if db.writeGorm, err = gorm.Open(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: conn}), gormConfig()); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	return db, nil
}

// gormConfig is made anew for each connection: shared between dialects, SQLite's clause builder would swallow FOR UPDATE.
func gormConfig() *gorm.Config {
	return &gorm.Config{Logger: logger.Discard, TranslateError: true, SkipDefaultTransaction: true, NowFunc: noClock}
}

// noClock makes gorm's own timestamps obvious if one were ever used: all times come from the caller.
func noClock() time.Time { return time.Time{} }

// Close releases every connection.
func (db *DB) Close() error {
	if db.pool != nil {
		db.pool.Close()
		return nil
	}
	var errs []error
	if db.write != nil {
		errs = append(errs, db.write.close())
	}
	if db.writePool != nil {
		errs = append(errs, db.writePool.Close())
	}
	if db.readPool != nil {
		errs = append(errs, db.readPool.Close())
	}
	return errors.Join(errs...)
}

// Now is the time of the injected clock, or of the database's. UTC, microseconds.
//
// The database's clock is asked every few seconds and carried on by this machine's in between. A transaction that reads first
// takes its own time after the lock (see lockRoot); only a move decided on the memory (ahead.go) is dated by this one.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	if db.opts.Now != nil {
		return db.opts.Now().UTC().Truncate(time.Microsecond), nil
	}
	db.clock.Lock()
	defer db.clock.Unlock()
	if here := time.Now(); !db.clock.asked.IsZero() && here.Sub(db.clock.asked) < clockKept {
		return db.clock.told.Add(here.Sub(db.clock.asked)).Truncate(time.Microsecond), nil
	}
	var t time.Time
	if err := db.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&t); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	db.clock.asked, db.clock.told = time.Now(), t.UTC()
	return db.clock.told.Truncate(time.Microsecond), nil
}

// clockKept is how long the database's clock is believed to agree with this machine's.
const clockKept = 5 * time.Second

// databaseClock remembers what the database's clock said, and when it was asked.
type databaseClock struct {
	sync.Mutex
	asked, told time.Time
}

// OnDeadline has f told, after each commit of this program that wrote live deadlines, when the soonest of them is to be looked
// at. f must not wait. nil ends it.
func (db *DB) OnDeadline(f func(nextTry time.Time)) {
	if f == nil {
		db.written.Store(nil)
		return
	}
	db.written.Store(&f)
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if db.pool != nil {
		return db.pool.Ping(ctx)
	}
	return db.readPool.PingContext(ctx)
}
