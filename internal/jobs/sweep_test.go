package jobs

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

const waiting = `
workflow: waiting
version: 1
case: waiting
label: {it: Attesa, en: Waiting}
start: asked
stages: {all: {label: {it: Tutto, en: All}}}
states:
  asked:   {stage: all, label: {it: Chiesto, en: Asked}}
  granted: {stage: all, final: granted, label: {it: Concesso, en: Granted}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar_roll, while: [asked], at_expiry: {fire: grant}}
events:
  ask:   {opens: true, label: {it: Chiedi, en: Ask}, by: [rup], to: asked, then: [{start: answer}]}
  grant: {label: {it: Concedi, en: Grant}, by: [system], from: [asked], to: granted}
`

// onInfo calls f at each message of level info: Sweep writes one when it has applied deadlines.
type onInfo struct {
	slog.Handler
	f func()
}

func (h onInfo) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelInfo {
		h.f()
	}
	return nil
}

func (h onInfo) Enabled(context.Context, slog.Level) bool { return true }

// TestSweepAppliesWhatIsDue leaves a request alone until silence means yes, with two sweeps at work.
func TestSweepAppliesWhatIsDue(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMicro())
	now := func() time.Time { return time.UnixMicro(clock.Load()).UTC() }
	storetest.Each(t, store.Options{Now: now}, func(t *testing.T, db *store.DB) {
		clock.Store(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).UnixMicro())
		e, id := asked(t, db)
		clock.Add((11 * 24 * time.Hour).Microseconds())
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		var applied atomic.Int32
		log := slog.New(onInfo{slog.DiscardHandler, func() { applied.Add(1); stop() }})
		done := make(chan struct{})
		for range 2 {
			go func() { Sweep(ctx, e, 100*time.Millisecond, log); done <- struct{}{} }()
		}
		<-done
		<-done
		h, err := e.History(t.Context(), auth.System("test"), id, 0, 0)
		if err != nil || !h.Verified || len(h.Items) != 2 || h.Items[1].To.ID != "granted" {
			t.Fatalf("history: %v, %d events, verified %v", err, len(h.Items), h.Verified)
		}
		if applied.Load() != 1 {
			t.Errorf("%d sweeps applied it", applied.Load())
		}
	})
}

// asked opens a case whose ten days begin to run.
func asked(t *testing.T, db *store.DB) (*engine.Engine, string) {
	t.Helper()
	e, rup := office(t, db, waiting)
	m, err := e.Open(t.Context(), rup, engine.Open{Workflow: "waiting"})
	if err != nil {
		t.Fatal(err)
	}
	return e, m.Case
}
