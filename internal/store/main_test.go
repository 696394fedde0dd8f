package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

var noon = time.Date(2026, 3, 2, 11, 0, 0, 123456000, time.UTC)

func atNoon() time.Time { return noon }

// home is the scope of the two bodies that own the cases of these tests; away of one that owns none.
var (
	home = store.Scope{Bodies: []string{"conselve", "padova"}}
	away = store.Scope{Bodies: []string{"treviso"}}
)

// plain is the least case that can be stored.
func plain(id string) *store.Case {
	return &store.Case{
		ID: id, Root: id, Workflow: "parcel", Version: 1, Hash: "h1", State: "draft", Stage: "work", Revision: 1, Data: store.Values{},
		MemberBody: "conselve", SUA: "padova", OpenedAt: noon, UpdatedAt: noon,
	}
}

func pin(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Pin(t.Context(), store.Pinned{Hash: "h1", Workflow: "parcel", Version: 1, Source: []byte(`{"a":1}`)}, noon); err != nil {
		t.Fatal(err)
	}
}

// insert stores cases, pinning their definition first.
func insert(t testing.TB, db *store.DB, cases ...*store.Case) {
	t.Helper()
	pin(t, db)
	create(t, db, func(tx *store.Tx) error {
		for _, c := range cases {
			if err := tx.InsertCase(c); err != nil {
				return err
			}
		}
		return nil
	})
}

func create(t testing.TB, db *store.DB, f func(*store.Tx) error) {
	t.Helper()
	if err := db.Create(t.Context(), store.Everything, nil, f); err != nil {
		t.Fatal(err)
	}
}

// count adds one to a number kept in the data of a case.
func count(ctx context.Context, db *store.DB, id string) error {
	return db.Update(ctx, home, id, nil, func(tx *store.Tx) error {
		n, _ := tx.Case.Data["n"].(int64)
		tx.Case.Data["n"] = n + 1
		tx.Case.Revision++
		return tx.UpdateCase(tx.Case)
	})
}

func get(t testing.TB, db *store.DB, scope store.Scope, id string) *store.Case {
	t.Helper()
	var c *store.Case
	if err := db.Peek(t.Context(), scope, id, func(tx *store.Tx) error { c = tx.Case; return nil }); err != nil {
		t.Fatalf("case %s: %v", id, err)
	}
	return c
}

// raw runs a statement by hand: as sua_app with a scope on PostgreSQL, straight in the file on SQLite. It returns the rows
// touched or read.
type raw func(scope, statement string) (int64, error)

// eachRaw runs f on both databases with a way to send SQL by hand; super is the schema's owner (on SQLite the same).
func eachRaw(t *testing.T, f func(t *testing.T, db *store.DB, app raw, super string)) {
	t.Run("sqlite", func(t *testing.T) {
		url := "sqlite:" + t.TempDir() + "/sua.db"
		if err := store.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		db := opened(t, store.Options{URL: url, Now: atNoon})
		pool, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = pool.Close() })
		f(t, db, func(_, q string) (int64, error) { return touched(pool.Exec(q)) }, url)
	})
	if !hasPostgres() {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		url, super := storetest.PostgresURLs(t)
		db := opened(t, store.Options{URL: url, Now: atNoon, MaxConns: 4})
		f(t, db, func(scope, q string) (int64, error) { return byHand(t.Context(), url, scope, q) }, super)
	})
}

// hasPostgres is false only where storetest.Each, too, leaves PostgreSQL out.
func hasPostgres() bool {
	return os.Getenv(storetest.PostgresEnv) != "" || os.Getenv(storetest.RequireEnv) != ""
}

func touched(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func byHand(ctx context.Context, url, scope, q string) (int64, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, fmt.Errorf("connect by hand: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT set_config('sua.scope', $1, false)", scope); err != nil {
		return 0, err
	}
	tag, err := conn.Exec(ctx, q)
	return tag.RowsAffected(), err
}

func opened(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, store.Options{Now: atNoon}, f)
}

func ptr[T any](v T) *T { return &v }
