// Package storetest gives tests a migrated, empty database of each kind: SQLite in a folder of the test, and PostgreSQL in a
// database of its own made from a template on the private server that `make test` starts.
//
// It is for tests only. Tests connect as sua_app, the role of production: as superuser row-level security shows everything.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/province-comuni/sua/internal/store"
)

// PostgresEnv names the variable with the superuser's address of the private server; RequireEnv makes its absence a failure.
const (
	PostgresEnv = "SUA_TEST_POSTGRES"
	RequireEnv  = "SUA_TEST_REQUIRE"
)

// Each runs f as subtests "sqlite" and "postgres". Without a private PostgreSQL the second is left out, unless RequireEnv asks for it.
func Each(t *testing.T, o store.Options, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t, o)) })
	if os.Getenv(PostgresEnv) == "" {
		if os.Getenv(RequireEnv) != "" {
			t.Fatalf("%s is not set: run the tests with `make test`", PostgresEnv)
		}
		return
	}
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t, o)) })
}

// SQLite returns an empty database in a file of the test's folder. A missing clock becomes the machine's.
func SQLite(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	o.URL, o.Volatile = "sqlite:"+filepath.Join(t.TempDir(), "sua.db"), true
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := store.Migrate(t.Context(), o.URL); err != nil {
		t.Fatal(err)
	}
	return open(t, o)
}

// Postgres returns an empty database of its own, dropped after the test.
func Postgres(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	o.URL = PostgresURL(t)
	if o.MaxConns == 0 {
		o.MaxConns = 12
	}
	return open(t, o)
}

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// PostgresURL makes a fresh migrated database and returns sua_app's address of it.
func PostgresURL(t testing.TB) string {
	t.Helper()
	app, _ := PostgresURLs(t)
	return app
}

// PostgresURLs returns the addresses of a fresh migrated database: sua_app's and the superuser's, for tests that tamper.
func PostgresURLs(t testing.TB) (app, super string) {
	t.Helper()
	admin := os.Getenv(PostgresEnv)
	if admin == "" {
		t.Fatalf("%s is not set: run the tests with `make test`", PostgresEnv)
	}
	if err := template(admin); err != nil {
		t.Fatal(err)
	}
	var b [6]byte
	_, _ = rand.Read(b[:])
	name := "t_" + hex.EncodeToString(b[:])
	if err := exec(admin, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", name, templateName())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := exec(admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	super = at(admin, name, "", "")
	return at(admin, name, "sua_app", "sua_app"), super
}

var (
	templateOnce sync.Once
	errTemplate  error
)

// templateName is per process: packages are tested in parallel, each migrates its own template once.
func templateName() string { return fmt.Sprintf("sua_template_%d", os.Getpid()) }

func template(admin string) error {
	templateOnce.Do(func() { errTemplate = makeTemplate(admin) })
	return errTemplate
}

func makeTemplate(admin string) error {
	const role = `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sua_app') THEN CREATE ROLE sua_app LOGIN PASSWORD 'sua_app'; END IF;
		EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`
	if err := exec(admin, role); err != nil {
		return err
	}
	if err := exec(admin, "CREATE DATABASE "+templateName()); err != nil {
		return err
	}
	return store.Migrate(context.Background(), at(admin, templateName(), "", ""))
}

func exec(dsn, sql string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return fmt.Errorf("connect to the private postgres: %w", err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql[:min(len(sql), 40)], err)
	}
	return nil
}

// at is the address with another database and, unless empty, another user.
func at(dsn, database, user, password string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic("the address of the private postgres is not a URL: " + dsn)
	}
	u.Path = "/" + database
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	return u.String()
}
