package storetest

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// Raw is a way into the database behind the program's back: as superuser on PostgreSQL, without the triggers on SQLite.
type Raw struct {
	t   testing.TB
	DB  *sql.DB
	lit bool
}

// Exec runs a statement with parameters $1, $2 … and demands that it changes something.
func (r Raw) Exec(statement string, args ...any) {
	r.t.Helper()
	res, err := r.DB.ExecContext(r.t.Context(), r.Text(statement), args...)
	if err != nil {
		r.t.Fatalf("%s: %v", statement, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		r.t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// Text is a statement with the parameters of its dialect.
func (r Raw) Text(statement string) string {
	if r.lit {
		return strings.ReplaceAll(statement, "$", "?")
	}
	return statement
}

// EachRaw is Each with a way behind the program's back, for tests that tamper.
func EachRaw(t *testing.T, o store.Options, f func(t *testing.T, db *store.DB, raw Raw)) {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	behind := func(t *testing.T, driver, dsn string) Raw {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		return Raw{t, db, driver == "sqlite"}
	}
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "sua.db")
		o.URL, o.Volatile = "sqlite:"+path, true
		if err := store.Migrate(t.Context(), o.URL); err != nil {
			t.Fatal(err)
		}
		db := open(t, o)
		raw := behind(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
		for _, table := range []string{"events", "definitions", "documents", "links"} {
			for _, what := range []string{"update", "delete"} {
				if _, err := raw.DB.ExecContext(t.Context(), "DROP TRIGGER "+table+"_no_"+what); err != nil {
					t.Fatal(err)
				}
			}
		}
		f(t, db, raw)
	})
	if os.Getenv(PostgresEnv) == "" {
		if os.Getenv(RequireEnv) != "" {
			t.Fatalf("%s is not set: run the tests with `make test`", PostgresEnv)
		}
		return
	}
	t.Run("postgres", func(t *testing.T) {
		app, super := PostgresURLs(t)
		o.URL, o.MaxConns = app, 12
		f(t, open(t, o), behind(t, "pgx", super))
	})
}
