package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// noticed is a workflow whose deadline fires an event with one notice.
const noticed = `
workflow: waiting
version: 1
case: waiting
label: {it: Attesa, en: Waiting}
start: asked
stages: {all: {label: {it: Tutto, en: All}}}
fields: {title: {type: text, label: {it: Oggetto, en: Subject}}}
states:
  asked:   {stage: all, label: {it: Chiesto, en: Asked}}
  granted: {stage: all, final: granted, label: {it: Concesso, en: Granted}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar_roll, while: [asked], at_expiry: {fire: grant}}
events:
  ask:   {opens: true, label: {it: Chiedi, en: Ask}, by: [rup], to: asked, input: {title: {field: title}}, then: [{start: answer}]}
  grant: {label: {it: Concedi, en: Grant}, by: [system], from: [asked], to: granted, then: [{notify: tacit_consent, to: [rup]}]}
`

// BenchmarkDeadlines lets 10,000 deadlines of as many trees fall due at once and measures until the last effect is committed.
func BenchmarkDeadlines(b *testing.B) {
	const n = 10_000
	b.Run("sqlite", func(b *testing.B) { benchDeadlines(b, n, "sqlite:"+filepath.Join(b.TempDir(), "sua.db")) })
	if os.Getenv(storetest.PostgresEnv) != "" {
		b.Run("postgres", func(b *testing.B) { benchDeadlines(b, n, storetest.PostgresURL(b)) })
	}
}

func benchDeadlines(b *testing.B, n int, url string) {
	var clock, commits, trips, statements atomic.Int64
	db := opened(b, store.Options{
		URL:       url,
		Now:       func() time.Time { return time.UnixMicro(clock.Load()).UTC() },
		Committed: func(t int, _ string) { commits.Add(1); trips.Add(int64(t)) },
		Sent:      func(s int) { statements.Add(int64(s)) },
	})
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock.Store(start.UnixMicro())
	e, rup := office(b, db, noticed)
	var seconds, each, sent, cpu, server float64
	for round := range b.N {
		clock.Store(start.Add(time.Duration(round) * 30 * 24 * time.Hour).UnixMicro())
		for i := range n {
			if _, err := e.Open(b.Context(), rup, engine.Open{Workflow: "waiting", Inputs: map[string]any{"title": fmt.Sprintf("Richiesta %d", i)}}); err != nil {
				b.Fatal(err)
			}
		}
		clock.Add((20 * 24 * time.Hour).Microseconds())
		commits.Store(0)
		trips.Store(0)
		statements.Store(0)
		began, used, served := time.Now(), cpuTime(), serverTime(b, url)
		applied, err := e.ExpireDue(context.Background())
		seconds += time.Since(began).Seconds()
		cpu += (cpuTime() - used).Seconds()
		server += (serverTime(b, url) - served).Seconds()
		if err != nil || applied != n {
			b.Fatalf("%d applied, %v", applied, err)
		}
		each += float64(n) / float64(commits.Load())
		sent += float64(statements.Load())
	}
	rounds := float64(b.N)
	b.ReportMetric(seconds/rounds, "s/10000")
	b.ReportMetric(cpu/rounds, "cpu-s")
	b.ReportMetric(server/rounds, "server-cpu-s")
	b.ReportMetric(each/rounds, "trees/tx")
	b.ReportMetric(sent/rounds, "statements")
	b.ReportMetric(0, "ns/op")
}

// onInfo tells when a message of level info was written: the worker writes one when it has applied deadlines.
type onInfo struct {
	slog.Handler
	at chan time.Time
}

func (h onInfo) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelInfo {
		h.at <- time.Now()
	}
	return nil
}

func (h onInfo) Enabled(context.Context, slog.Level) bool { return true }

// BenchmarkLateness lets single deadlines fall due on a system that does nothing else and measures until the effect of each is
// committed.
func BenchmarkLateness(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchLateness(b, "sqlite:"+filepath.Join(b.TempDir(), "sua.db")) })
	if os.Getenv(storetest.PostgresEnv) != "" {
		b.Run("postgres", func(b *testing.B) { benchLateness(b, storetest.PostgresURL(b)) })
	}
}

func benchLateness(b *testing.B, url string) {
	const n = 200
	o := store.Options{URL: url}
	if strings.HasPrefix(url, "sqlite:") {
		o.Now = time.Now
	}
	e, rup := office(b, opened(b, o), timed)
	h := onInfo{slog.DiscardHandler, make(chan time.Time, n)}
	w, err := Start(Config{Engine: e, Log: slog.New(h)})
	if err != nil {
		b.Fatal(err)
	}
	var late []time.Duration
	for range n {
		until := time.Now().Add(50 * time.Millisecond)
		ask(b, e, rup, until)
		late = append(late, (<-h.at).Sub(until))
	}
	if err := w.Stop(); err != nil {
		b.Fatal(err)
	}
	slices.Sort(late)
	if late[0] < 0 {
		b.Errorf("%s early", -late[0])
	}
	b.ReportMetric(float64(late[n/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(late[n*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(0, "ns/op")
}
