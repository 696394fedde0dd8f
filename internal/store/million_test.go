package store_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// BenchmarkMillionDeadlines measures on PostgreSQL what the due query costs while a million deadlines wait for their day: the time of
// the statements as EXPLAIN ANALYZE tells it (under 1 ms is asked), and of the whole call.
func BenchmarkMillionDeadlines(b *testing.B) {
	if os.Getenv(storetest.PostgresEnv) == "" {
		b.Fatal("run it with: make bench BENCH=Million")
	}
	app, super := storetest.PostgresURLs(b)
	db, err := store.Open(b.Context(), store.Options{URL: app})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	insert(b, db, plain("a"))
	for _, sql := range []string{
		`INSERT INTO deadlines (id, case_id, root, member_body, sua, name, status, started_at, started_seq, due_at, last_day, explanation, revision, next_try)
			SELECT 'd' || i, 'a', 'a', 'conselve', 'padova', 'answer', 'running', now(), 1, now() + interval '1 day' + i * interval '1 minute', '', '{}', 1,
			now() + interval '1 day' + i * interval '1 minute' FROM generate_series(1, 1000000) i`,
		"VACUUM ANALYZE deadlines",
	} {
		asSuper(b, super, sql)
	}
	c, err := pgx.Connect(b.Context(), app)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context())
	if _, err := c.Exec(b.Context(), "SELECT set_config('sua.scope', '*', false)"); err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	statements := map[string][]any{store.DueNow: {now, time.Time{}, "", 1000}, store.DueNext: {now}}
	names := map[string]string{store.DueNow: "due", store.DueNext: "next"}
	took := map[string][]float64{}
	var calls []float64
	for range max(b.N, 200) {
		for sql, args := range statements {
			took[sql] = append(took[sql], explained(b, c, sql, args))
		}
		began := time.Now()
		if due, err := db.Due(b.Context(), now, store.Try{}, 1000); err != nil || len(due) > 0 {
			b.Fatal(len(due), err)
		}
		calls = append(calls, float64(time.Since(began).Microseconds())/1000)
	}
	for sql, all := range took {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], names[sql]+"-ms-median")
		b.ReportMetric(all[len(all)*99/100], names[sql]+"-ms-p99")
	}
	slices.Sort(calls)
	b.ReportMetric(calls[len(calls)/2], "call-ms-median")
	b.ReportMetric(0, "ns/op")
}

// explained runs a statement and returns how long PostgreSQL took to plan and execute it, in milliseconds.
func explained(b *testing.B, c *pgx.Conn, sql string, args []any) float64 {
	b.Helper()
	var text []byte
	if err := c.QueryRow(b.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) "+sql, args...).Scan(&text); err != nil {
		b.Fatal(err)
	}
	var plans []map[string]any
	if err := json.Unmarshal(text, &plans); err != nil {
		b.Fatal(err)
	}
	planned, _ := plans[0]["Planning Time"].(float64)
	executed, ok := plans[0]["Execution Time"].(float64)
	if !ok {
		b.Fatalf("no time in %s", text)
	}
	return planned + executed
}

func asSuper(b *testing.B, dsn, sql string) {
	b.Helper()
	c, err := pgx.Connect(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(b.Context())
	if _, err := c.Exec(b.Context(), sql); err != nil {
		b.Fatal(err)
	}
}
