package engine_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// BenchmarkVerify holds the full verification against a bare loop that reads and hashes the same rows, one after the other in turns.
// It reports the ratio: at least 0.6 is wanted. SUA_BENCH_TREES says how many trees there are (2,000).
func BenchmarkVerify(b *testing.B) {
	trees := 2_000
	if n, err := strconv.Atoi(os.Getenv("SUA_BENCH_TREES")); err == nil {
		trees = n
	}
	b.Run("sqlite", func(b *testing.B) {
		path := b.TempDir() + "/sua.db"
		if err := store.Migrate(b.Context(), "sqlite:"+path); err != nil {
			b.Fatal(err)
		}
		benchVerify(b, trees, store.Options{URL: "sqlite:" + path, Now: time.Now, Volatile: true}, "sqlite", "file:"+path)
	})
	if os.Getenv(storetest.PostgresEnv) == "" {
		return
	}
	b.Run("postgres", func(b *testing.B) {
		app, super := storetest.PostgresURLs(b)
		benchVerify(b, trees, store.Options{URL: app}, "pgx", super)
	})
}

func benchVerify(b *testing.B, trees int, o store.Options, driver, dsn string) {
	db, err := store.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	office := newOffice(b, db, newClock("2026-03-02T08:00:00Z"), nil)
	rows := make([]engine.ImportedLot, 0, 500)
	for i := range trees {
		rows = append(rows, lotOf(i, "published"))
		if len(rows) < 500 && i < trees-1 {
			continue
		}
		for _, state := range []string{"published", "bids_closed", "award_proposed", "awarded"} {
			for k := range rows {
				rows[k].State = state
				rows[k].Lot["title"] = fmt.Sprintf("Lavori di manutenzione straordinaria, %s", state)
			}
			if res, err := office.Import(b.Context(), rows); err != nil || res.Rejected > 0 {
				b.Fatal(res, err)
			}
		}
		rows = rows[:0]
	}
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	if driver == "pgx" {
		if _, err := raw.Exec("VACUUM ANALYZE events"); err != nil {
			b.Fatal(err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // as the command does
	var bare, full time.Duration
	var n, events int64
	for b.Loop() {
		start := time.Now()
		n = hashAll(b, raw)
		bare += time.Since(start)
		start = time.Now()
		v, err := office.Verify(b.Context(), engine.Verify{Workers: benchWorkers()})
		full += time.Since(start)
		if err != nil || len(v.Findings) > 0 || v.Events != n {
			b.Fatalf("%+v, %v; %d rows", v, err, n)
		}
		events += n
	}
	b.ReportMetric(float64(events)/full.Seconds(), "events/s")
	b.ReportMetric(float64(events)/bare.Seconds(), "bare/s")
	b.ReportMetric(bare.Seconds()/full.Seconds(), "ratio")
}

// hashAll reads and hashes headers and parts in the order of the chains.
func hashAll(b *testing.B, db *sql.DB) int64 {
	rows, err := db.Query("SELECT header, open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body FROM events ORDER BY root, seq")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var n int64
	for rows.Next() {
		var c [7]sql.RawBytes
		if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6]); err != nil {
			b.Fatal(err)
		}
		_ = sha256.Sum256(c[0])
		for i := 1; i < 7; i += 2 {
			if len(c[i]) > 0 {
				h := sha256.New()
				h.Write(c[i])
				h.Write(c[i+1])
				h.Sum(nil)
			}
		}
		n++
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

// lotOf is a row of one tender with one lot.
func lotOf(i int, state string) engine.ImportedLot {
	n := fmt.Sprintf("%08d", i)
	return engine.ImportedLot{
		Line: int64(i + 1), Tender: n, CIG: "Z" + n, State: state,
		Member: engine.ImportedBody{TaxCode: "80009330285", Name: "Comune di Conselve", Kind: "comune"},
		SUA:    engine.ImportedBody{TaxCode: "80006510285", Name: "Provincia di Padova", Kind: "provincia"},
		Lot:    map[string]any{"title": "Lavori di manutenzione straordinaria", "amount": int64(100_000_00 + i), "kind": "works", "published": "2026-01-15"},
		Gara:   map[string]any{"title": "Lavori di manutenzione straordinaria"}, Source: []byte(`{"cig":"Z` + n + `","oggetto_lotto":"Lavori di manutenzione straordinaria"}`),
	}
}

// benchWorkers is SUA_BENCH_WORKERS, or as many as the command takes.
func benchWorkers() int {
	n, err := strconv.Atoi(os.Getenv("SUA_BENCH_WORKERS"))
	if err != nil {
		return 0
	}
	return n
}
