package storetest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	_ "modernc.org/sqlite"             // registers "sqlite"
)

const (
	chunkTrees = 5_000 // filled at once
	freshTrees = 10    // the last ones, whose events have no number yet, as those of a running office
)

// Fill fills a migrated database with cases, events, rows, documents, deadlines, links, messages, notices and numbers in the one
// sequence: by SQL in the database itself, for through the program a million cases would take hours. Indexes are taken away before and
// made again after, from what the catalogue says of them: to keep thirty of them at each row takes longer the more rows there are. Its
// events are no chains: a measure of chains adds trees of its own through the engine. super is the superuser's address on PostgreSQL,
// or sqlite:FILE. The definitions must be there. SUA_BENCH_VERBOSE=1 says how long each step takes.
func Fill(ctx context.Context, super string, b Big) (err error) {
	f := filler{ctx: ctx, dialect: ofPostgres}
	driver, dsn := "pgx", super
	if file, lite := strings.CutPrefix(super, "sqlite:"); lite {
		f.dialect, f.lite = ofSQLite, true
		driver, dsn = "sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-200000)&_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if f.db, err = db.Conn(ctx); err != nil {
		return err
	}
	schema, err := f.texts(f.schema)
	if err != nil {
		return err
	}
	defer func() { // also where it failed: the server is shared
		f.ctx = context.WithoutCancel(ctx)
		err = errors.Join(err, f.run(f.end...), f.db.Close())
	}()
	if err := f.run(f.begin...); err != nil {
		return err
	}
	again, err := f.texts(f.made)
	if err != nil {
		return err
	}
	drop, err := f.texts(f.drop)
	if err != nil {
		return err
	}
	if err := f.run(drop...); err != nil {
		return err
	}
	if err := f.rows(b); err != nil {
		return err
	}
	if err := f.run(append(again, f.after...)...); err != nil {
		return err
	}
	now, err := f.texts(f.schema)
	if err == nil && !slices.Equal(now, schema) {
		err = fmt.Errorf("fill: the schema is another one than before:\n%s\nnow:\n%s", strings.Join(schema, "\n"), strings.Join(now, "\n"))
	}
	return err
}

// dialect is what filling needs to know of a database.
type dialect struct {
	begin, after, end []string // settings; what is done when all is there; settings as before
	schema            string   // asks for all that makes the schema, in an order
	made, drop        string   // ask for the statements that make, and drop, what is in the way of many rows
	head              string   // moves the head of the sequence to the last number given
}

var ofPostgres = dialect{
	begin: []string{"SET synchronous_commit = off", "SET session_replication_role = replica", "SET jit = off", // no triggers, no foreign keys
		"SET maintenance_work_mem = '1GB'", "SET work_mem = '128MB'", "SET plan_cache_mode = force_custom_plan",
		"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET autovacuum = off", "ALTER SYSTEM SET max_wal_size = '2GB'", "SELECT pg_reload_conf()"},
	after: []string{"VACUUM ANALYZE"},
	end: []string{"ALTER SYSTEM RESET fsync", "ALTER SYSTEM RESET full_page_writes", "ALTER SYSTEM RESET autovacuum", "ALTER SYSTEM RESET max_wal_size",
		"SELECT pg_reload_conf()", "CHECKPOINT"},
	schema: `SELECT def FROM (SELECT indexdef AS def FROM pg_indexes WHERE schemaname = current_schema()
		UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
		UNION ALL SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT tablename || ' ' || policyname || ' ' || qual FROM pg_policies) x ORDER BY def`,
	made: "SELECT pg_get_indexdef(i.indexrelid)" + secondary,
	drop: "SELECT 'DROP INDEX ' || i.indexrelid::regclass" + secondary,
	head: `UPDATE log_head SET n = (SELECT coalesce(max(n), 0) FROM log), watermark = pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
		early = (SELECT coalesce(max(xid), 0) FROM events), cluster = (SELECT system_identifier::text FROM pg_control_system())`,
}

// secondary are the indexes that no constraint needs. The keys stay: rows come in their order.
const secondary = ` FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
	WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY i.indexrelid`

var ofSQLite = dialect{
	after:  []string{"INSERT INTO case_words (case_words) VALUES ('rebuild')", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"}, // the trigger on case_search was away
	schema: "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1",
	made:   "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
	drop:   "SELECT 'DROP ' || type || ' ' || name FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
	head:   "UPDATE log_head SET n = (SELECT coalesce(max(n), 0) FROM log), watermark = (SELECT coalesce(max(rowid), 0) + 1 FROM events)",
}

// filler is the one connection by which a database is filled.
type filler struct {
	dialect
	ctx  context.Context
	db   *sql.Conn
	lite bool
}

func (f *filler) run(statements ...string) error {
	for _, q := range statements {
		if err := f.exec(q); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) exec(q string, args ...any) error {
	began := time.Now()
	if _, err := f.db.ExecContext(f.ctx, q, args...); err != nil {
		return fmt.Errorf("fill: %w in %s", err, q[:min(len(q), 120)])
	}
	if took := time.Since(began); os.Getenv("SUA_BENCH_VERBOSE") != "" && took > 100*time.Millisecond {
		fmt.Printf("fill: %8.3f s %s\n", took.Seconds(), q[:min(len(q), 60)])
	}
	return nil
}

// texts gives the answers to a question whose answers are texts.
func (f *filler) texts(q string) ([]string, error) {
	rows, err := f.db.QueryContext(f.ctx, q)
	if err != nil {
		return nil, fmt.Errorf("fill: %w in %s", err, q)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// rows makes all rows, some trees at a time.
func (f *filler) rows(b Big) error {
	events := cmp.Or(b.Events, 100)
	if err := f.run("INSERT INTO log (n, root, seq) SELECT (SELECT coalesce(max(n), 0) FROM log) + row_number() OVER (ORDER BY at, root, seq), root, seq FROM events e" +
		" WHERE NOT EXISTS (SELECT 1 FROM log l WHERE l.root = e.root AND l.seq = e.seq)"); err != nil {
		return err
	}
	for lo, hi := 0, 0; lo < b.Trees(); lo = hi {
		last := max(b.Trees()-freshTrees, 0)
		if hi = min(lo+chunkTrees, last); lo >= last {
			hi = b.Trees()
			if err := f.run(f.head); err != nil {
				return err
			}
		}
		if err := f.chunk(b, lo, hi, events, hi < b.Trees()); err != nil {
			return err
		}
	}
	return nil
}

// chunk makes all rows of some trees in one transaction.
func (f *filler) chunk(b Big, lo, hi, events int, numbered bool) error {
	cases, err := json.Marshal(b.cases(lo, hi))
	if err != nil {
		return err
	}
	if err := f.run("BEGIN"); err != nil {
		return err
	}
	if err := f.exec(casesSQL(f.lite), string(cases)); err != nil {
		return err
	}
	rest := restSQL(f.lite, events)
	if numbered {
		rest = append(rest, numbersSQL(f.lite, events))
	}
	for _, q := range rest {
		if err := f.exec(q, b.Tree(lo), b.Tree(hi)); err != nil { // ids sort as numbers
			return err
		}
	}
	return f.run("COMMIT")
}
