package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
	"github.com/province-comuni/sua/migrations"
)

// sequence numbers all there is, a few at a time, and returns how many.
func sequence(t testing.TB, db *store.DB) int {
	t.Helper()
	storetest.Settle(t, db)
	return sequenceNow(t, db)
}

// sequenceNow leaves out what is newer than the oldest transaction that runs.
func sequenceNow(t testing.TB, db *store.DB) int {
	t.Helper()
	all := 0
	for limit := 3; ; limit *= 8 { // a part of what waits, and all of it
		n, more, err := db.Sequence(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		if all += n; !more {
			return all
		}
	}
}

// link inserts an event of a tree.
func link(tx *store.Tx, root string, seq int64, at time.Time) {
	tx.InsertEvent(&store.Event{Root: root, Seq: seq, CaseID: root, MemberBody: "conselve", SUA: "padova", Event: "open", At: at, Effective: at, Actor: "rup", Header: []byte("{}"), Hash: []byte{1}})
}

// numbers reads the log: what has each number, as "root seq".
func numbers(t testing.TB, db *store.DB) []string {
	t.Helper()
	all, err := db.Changes(t.Context(), store.Everything, store.ChangeFilter{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, c := range all.Items {
		if c.N != int64(i+1) {
			t.Fatalf("place %d has the number %d", i+1, c.N)
		}
		out = append(out, fmt.Sprintf("%s %d", c.Root, c.Seq))
	}
	return out
}

func TestEveryEventGetsOneNumber(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"), plain("b"))
		if n := sequence(t, db); n != 0 {
			t.Errorf("%d events numbered where there is none", n)
		}
		for i := range 5 { // more than a chunk in one transaction, then again
			create(t, db, func(tx *store.Tx) error {
				for k := range 5 {
					link(tx, "a", int64(5*i+k+1), noon)
				}
				link(tx, "b", int64(i+1), noon.Add(-time.Second))
				return nil
			})
			if i%2 == 0 {
				continue
			}
			if n := sequence(t, db); n != 12 {
				t.Errorf("%d events numbered, 12 were new", n)
			}
		}
		if n := sequence(t, db); n != 6 {
			t.Errorf("%d events numbered, 6 were new", n)
		}
		if n, err := db.LogSize(t.Context()); err != nil || n != 30 {
			t.Errorf("size %d, %v", n, err)
		}
		inTreeOrder(t, numbers(t, db), 30)
	})
}

// inTreeOrder checks that the events of each tree come once and in order, and that there are so many.
func inTreeOrder(t testing.TB, log []string, want int) {
	t.Helper()
	last := map[string]int64{}
	for i, x := range log {
		var root string
		var seq int64
		if _, err := fmt.Sscanf(x, "%s %d", &root, &seq); err != nil {
			t.Fatal(err)
		}
		if seq != last[root]+1 {
			t.Errorf("number %d is event %d of %s, after %d", i+1, seq, root, last[root])
		}
		last[root] = seq
	}
	if len(log) != want {
		t.Errorf("%d numbers, want %d", len(log), want)
	}
}

// A dump of another cluster: transactions count from elsewhere, and some events have no number.
func TestNumberingGoesOnAfterAMove(t *testing.T) {
	eachRaw(t, func(t *testing.T, db *store.DB, app raw, _ string) {
		insert(t, db, plain("a"))
		write := func(from, to int64) {
			create(t, db, func(tx *store.Tx) error {
				for seq := from; seq <= to; seq++ {
					link(tx, "a", seq, noon)
				}
				return nil
			})
		}
		write(1, 2)
		sequence(t, db)
		write(3, 9)
		if _, err := app("*", "UPDATE log_head SET watermark = 1000000000"); err != nil {
			t.Fatal(err)
		}
		if n := sequence(t, db); n != 7 {
			t.Errorf("%d numbered after the move, want 7", n)
		}
		write(10, 11)
		if n := sequence(t, db); n != 2 {
			t.Errorf("%d numbered later, want 2", n)
		}
		if db.Dialect() == "postgres" { // and without a trace in the count: only the cluster is another
			write(12, 13)
			if _, err := app("*", "UPDATE log_head SET cluster = 'elsewhere', watermark = (pg_current_xact_id()::text)::bigint"); err != nil {
				t.Fatal(err)
			}
			if n := sequence(t, db); n != 2 {
				t.Errorf("%d numbered after the second move, want 2", n)
			}
			inTreeOrder(t, numbers(t, db), 13)
		}
	})
}

const rawEvent = `INSERT INTO events (root, seq, case_id, member_body, sua, event, at, effective, actor, header, hash)
	SELECT $1, coalesce(max(seq), 0) + 1, $1, 'conselve', 'padova', 'e', clock_timestamp(), clock_timestamp(), 'rup', '', '' FROM events WHERE root = $1`

// connect is a connection as sua_app that sees everything.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	do(t, conn, "SELECT set_config('sua.scope', '*', false)")
	return conn
}

func do(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

// A transaction with a low id writes a tree after one with a higher id has, while one between them is still open: by the ids alone
// the later event would be numbered first.
func TestATreeKeepsItsOrderWhateverTheTransactions(t *testing.T) {
	if !hasPostgres() {
		return
	}
	url, _ := storetest.PostgresURLs(t)
	db := opened(t, store.Options{URL: url, MaxConns: 4})
	insert(t, db, plain("a"), plain("b"), plain("c"))
	low, between, high := connect(t, url), connect(t, url), connect(t, url)
	for _, conn := range []*pgx.Conn{low, between, high} {
		do(t, conn, "BEGIN")
	}
	storetest.Settle(t, db)
	do(t, low, rawEvent, "b")
	do(t, between, rawEvent, "c")
	do(t, high, rawEvent, "a")
	do(t, high, "COMMIT")
	if n := sequenceNow(t, db); n != 0 {
		t.Errorf("%d numbered while older ones were open", n)
	}
	do(t, low, rawEvent, "a")
	do(t, low, "COMMIT")
	if n := sequenceNow(t, db); n != 3 {
		t.Errorf("%d numbered, want the two of the oldest and the one that it stands on", n)
	}
	do(t, between, "COMMIT")
	if n := sequence(t, db); n != 1 {
		t.Errorf("%d numbered at the end, want 1", n)
	}
	inTreeOrder(t, numbers(t, db), 4)
}

// scribble writes so many transactions of one or two events, in one or two trees that it locks in ascending order as the engine
// does, with pauses before and after. Some are given up.
func scribble(t *testing.T, conn *pgx.Conn, dice *rand.Rand, roots []string, transactions int) {
	for range transactions {
		do(t, conn, "BEGIN")
		do(t, conn, "SELECT pg_current_xact_id()")
		for k := range 1 + dice.IntN(2) {
			do(t, conn, "SELECT pg_sleep($1)", dice.Float64()/300)
			root := roots[k*len(roots)/2+dice.IntN(len(roots)/2)]
			do(t, conn, "SELECT FROM cases WHERE id = $1 FOR UPDATE", root)
			do(t, conn, rawEvent, root)
		}
		do(t, conn, "SELECT pg_sleep($1)", dice.Float64()/300)
		do(t, conn, []string{"COMMIT", "COMMIT", "COMMIT", "ROLLBACK"}[dice.IntN(4)])
	}
}

// Many writers who wait before they commit, several sequencers, a long transaction, and a reader who follows: nothing is missed,
// nothing comes twice, and each tree comes in order.
func TestTheFeedLosesNothing(t *testing.T) {
	if !hasPostgres() {
		return
	}
	url, _ := storetest.PostgresURLs(t)
	db := opened(t, store.Options{URL: url, MaxConns: 12})
	roots := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var cases []*store.Case
	for _, r := range roots {
		cases = append(cases, plain(r))
	}
	insert(t, db, cases...)
	writers, each := 8, 40
	if os.Getenv("SUA_TEST_LONG") != "" {
		writers, each = 24, 1000
	}
	var writing, sequencing sync.WaitGroup
	var over atomic.Bool
	for w := range writers {
		conn, dice := connect(t, url), rand.New(rand.NewPCG(uint64(w), 7))
		writing.Go(func() { scribble(t, conn, dice, roots, each) })
	}
	slow := connect(t, url)
	writing.Go(func() {
		for range 3 {
			do(t, slow, "BEGIN")
			do(t, slow, rawEvent, "slow")
			do(t, slow, "SELECT pg_sleep(0.2)")
			do(t, slow, "COMMIT")
		}
	})
	for _, limit := range []int{7, 1000, 1000} { // a part of what waits, and all of it
		sequencing.Go(func() {
			for !over.Load() {
				if _, _, err := db.Sequence(t.Context(), limit); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	var read []string
	follow := func() {
		page, err := db.Changes(t.Context(), store.Everything, store.ChangeFilter{After: int64(len(read)), Limit: 50})
		if err != nil {
			t.Error(err)
		}
		for _, c := range page.Items {
			if read = append(read, fmt.Sprintf("%s %d", c.Root, c.Seq)); c.N != int64(len(read)) {
				t.Fatalf("after %d comes %d", len(read)-1, c.N)
			}
		}
	}
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		follow()
	}
	over.Store(true)
	sequencing.Wait()
	sequence(t, db)
	var want int
	if err := slow.QueryRow(t.Context(), "SELECT count(*) FROM events").Scan(&want); err != nil {
		t.Fatal(err)
	}
	for len(read) < want {
		before := len(read)
		if follow(); len(read) == before {
			break
		}
	}
	inTreeOrder(t, read, want)
}

// A database with a history from before the log: the migration numbers it, and what follows goes on from there.
func TestTheMigrationNumbersWhatIsThere(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		file := t.TempDir() + "/sua.db"
		grownUp(t, goose.DialectSQLite3, "sqlite", file, store.Options{URL: "sqlite:" + file, Now: atNoon})
	})
	if !hasPostgres() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		app, super := storetest.PostgresURLs(t)
		for _, q := range []string{"DROP SCHEMA public CASCADE", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO sua_app"} {
			if _, err := byHand(t.Context(), super, "*", q); err != nil {
				t.Fatal(err)
			}
		}
		grownUp(t, goose.DialectPostgres, "pgx", super, store.Options{URL: app, Now: atNoon})
	})
}

// grownUp makes an empty database as it was before the log, with eight events, and migrates it.
func grownUp(t *testing.T, dialect goose.Dialect, driver, address string, o store.Options) {
	folder, owner := "postgres", address
	if driver == "sqlite" {
		folder, owner = "sqlite", "sqlite:"+address
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	files, err := fs.Sub(migrations.FS, folder)
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(dialect, raw, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for seq := 1; seq <= 4; seq++ {
		for _, root := range []string{"a", "b"} {
			if _, err := raw.Exec(fmt.Sprintf(`INSERT INTO events (root, seq, case_id, member_body, sua, event, at, effective, actor, header, hash)
				VALUES ('%s', %d, 'c', 'conselve', 'padova', 'e', '2026-03-02 11:00:00', '2026-03-02 11:00:00', 'rup', '', '')`, root, seq)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := store.Migrate(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	db := opened(t, o)
	create(t, db, func(tx *store.Tx) error { link(tx, "a", 5, noon); return nil })
	if n := sequence(t, db); n != 1 {
		t.Errorf("%d numbered, 1 was new", n)
	}
	inTreeOrder(t, numbers(t, db), 9)
}
