package storetest

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/province-comuni/sua/internal/store"
)

// Settle waits until every transaction that is now writing in the cluster has ended, also those of tests that run beside this one and
// make their databases. What is newer than the oldest of them gets no number yet (store/sequence.go). On SQLite there is nothing to wait for.
func Settle(t testing.TB, db *store.DB) {
	t.Helper()
	if db.Dialect() != "postgres" {
		return
	}
	c, err := pgx.Connect(t.Context(), os.Getenv(PostgresEnv))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	const running = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
	const ended = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1 OR pg_sleep(0.005) IS NULL"
	var last int64
	if err := c.QueryRow(t.Context(), running).Scan(&last); err != nil {
		t.Fatal(err)
	}
	for settled := false; !settled; {
		if err := c.QueryRow(t.Context(), ended, last).Scan(&settled); err != nil {
			t.Fatal(err)
		}
	}
}
