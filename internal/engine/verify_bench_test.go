package engine_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// BenchmarkVerify holds the full verification against a bare loop that reads the same rows (events and cases, whole) and hashes headers
// and parts, in turns, with as many workers the one as the other: SUA_BENCH_WORKERS (1). It reports the ratio: at least 0.6 is wanted;
// chains-ratio is of the verification without the comparison of the cases, against the loop over events; parts-ratio is of the full
// verification against a loop that reads nothing but the bytes it hashes; cpu-ratio is of the time of processors in this process (the
// database's own is not in it on PostgreSQL). SUA_BENCH_TREES says how many trees there are (2,000).
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
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("SUA_BENCH_EVENTS")); err == nil {
		rounds = n
	}
	rows := make([]engine.ImportedLot, 0, 500)
	for i := range trees {
		rows = append(rows, lotOf(i, "published"))
		if len(rows) < 500 && i < trees-1 {
			continue
		}
		states := []string{"published", "bids_closed", "award_proposed", "awarded"}
		for round := range rounds {
			for k := range rows {
				rows[k].State = states[min(round, len(states)-1)]
				rows[k].Lot["title"] = fmt.Sprintf("Lavori di manutenzione straordinaria, %s %d", rows[k].State, round)
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
	roots := rootsOf(b, raw)
	var parts, whole, bare, chains, full, bareCPU, fullCPU time.Duration
	var events int64
	for b.Loop() {
		start := time.Now()
		n := hashAll(b, raw, roots, onlyParts, benchWorkers())
		parts += time.Since(start)
		start = time.Now()
		hashAll(b, raw, roots, wholeEvents, benchWorkers())
		whole += time.Since(start)
		start, cpu := time.Now(), processorTime(b)
		hashAll(b, raw, roots, wholeEvents+wholeCases, benchWorkers())
		bare += time.Since(start)
		bareCPU += processorTime(b) - cpu
		for _, only := range []bool{true, false} {
			start, cpu = time.Now(), processorTime(b)
			v, err := office.Verify(b.Context(), engine.Verify{ChainsOnly: only, Workers: benchWorkers()})
			if only {
				chains += time.Since(start)
			} else {
				full += time.Since(start)
				fullCPU += processorTime(b) - cpu
			}
			if err != nil || len(v.Findings) > 0 || v.Events != n || v.Surveyed > 0 {
				b.Fatalf("%+v, %v; %d rows", v, err, n)
			}
		}
		events += n
	}
	b.ReportMetric(0, "ns/op") // of all three together
	b.ReportMetric(float64(events)/full.Seconds(), "events/s")
	b.ReportMetric(float64(events)/chains.Seconds(), "chains/s")
	b.ReportMetric(float64(events)/bare.Seconds(), "bare/s")
	b.ReportMetric(whole.Seconds()/chains.Seconds(), "chains-ratio")
	b.ReportMetric(parts.Seconds()/full.Seconds(), "parts-ratio")
	b.ReportMetric(bare.Seconds()/full.Seconds(), "ratio")
	b.ReportMetric(bareCPU.Seconds()/fullCPU.Seconds(), "cpu-ratio")
}

// processorTime is what this process has used: on a machine that has other things to do it says more than the time that passed.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rootsOf(b *testing.B, db *sql.DB) (out []string) {
	rows, err := db.Query("SELECT id FROM cases WHERE parent IS NULL ORDER BY id")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			b.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

// What a bare loop reads besides the bytes that it hashes, which are the last columns of events.
const (
	onlyParts   = 0
	wholeEvents = 1
	wholeCases  = 2

	hashedColumns = "header, open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body"
)

// hashAll reads rows and hashes headers and parts in the order of the chains; each worker has a run of trees. It returns how many events.
func hashAll(b *testing.B, db *sql.DB, roots []string, what, workers int) int64 {
	var wg sync.WaitGroup
	var n atomic.Int64
	for w := range workers {
		from, to := w*len(roots)/workers, (w+1)*len(roots)/workers
		wg.Go(func() {
			columns := hashedColumns
			if what&wholeEvents > 0 {
				columns = "root, seq, case_id, member_body, sua, event, at, effective, actor, hash, " + columns
			}
			n.Add(readRun(b, db, "SELECT "+columns+" FROM events WHERE root >= $1 AND root <= $2 ORDER BY root, seq", roots[from], roots[to-1], hashParts))
			if what&wholeCases > 0 {
				readRun(b, db, "SELECT * FROM cases WHERE root >= $1 AND root <= $2 ORDER BY root, id", roots[from], roots[to-1], func([]sql.RawBytes) {})
			}
		})
	}
	wg.Wait()
	return n.Load()
}

func readRun(b *testing.B, db *sql.DB, query, first, last string, row func([]sql.RawBytes)) (n int64) {
	rows, err := db.Query(query, first, last)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		b.Error(err)
		return 0
	}
	c, to := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range c {
		to[i] = &c[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			b.Error(err)
			return 0
		}
		row(c)
		n++
	}
	if err := rows.Err(); err != nil {
		b.Error(err)
	}
	return n
}

// hashParts hashes the last seven columns: the header, and each part with its salt.
func hashParts(c []sql.RawBytes) {
	c = c[len(c)-7:]
	_ = sha256.Sum256(c[0])
	h := sha256.New()
	for i := 1; i < 7; i += 2 {
		if len(c[i]) > 0 {
			var sum [sha256.Size]byte
			h.Reset()
			h.Write(c[i])
			h.Write(c[i+1])
			h.Sum(sum[:0])
		}
	}
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

// benchWorkers is SUA_BENCH_WORKERS, or one.
func benchWorkers() int {
	n, err := strconv.Atoi(os.Getenv("SUA_BENCH_WORKERS"))
	if err != nil {
		return 1
	}
	return n
}
