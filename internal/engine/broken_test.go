package engine_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// Wherever the connection breaks, before any statement of a request or after its answer was sent, what was asked is done as a whole or
// not at all, and asked again with the same key it is done once.
func TestBreakBeforeEachStatement(t *testing.T) {
	var left atomic.Int64 // statements until the one at which the connection breaks
	c := newClock("2026-03-02T08:00:00Z")
	storetest.Each(t, store.Options{Now: c.now, Broken: func() bool { return left.Add(-1) == 0 }}, func(t *testing.T, db *store.DB) {
		o := newOffice(t, db, c, nil)
		opened := engine.Moved{}
		n := o.breaking(t, &left, "open", func(key string) (engine.Moved, error) {
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "open_procedure", Event: "create_request", MemberBody: "conselve", SUA: "padova",
				Inputs: map[string]any{"title": "Scuola", "kind": "works"}, Key: key})
			if err == nil {
				opened = m
			}
			return m, err
		})
		if cases, err := db.Count(t.Context()); err != nil || cases != int64(2*n) { // each with its lot
			t.Errorf("%d requests have made %d cases, %v", n, cases, err)
		}
		before, err := o.History(t.Context(), o.rup, opened.Case, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		n = o.breaking(t, &left, "fire", func(key string) (engine.Moved, error) {
			return o.Fire(t.Context(), o.rup, engine.Fire{Case: opened.Case, Event: "edit_request", Inputs: map[string]any{"amount": 100}, Key: key})
		})
		after, err := o.History(t.Context(), o.rup, opened.Case, 0, 0)
		if err != nil || !after.Verified || len(after.Items) != len(before.Items)+n {
			t.Errorf("%d requests have made %d events, %v %s", n, len(after.Items)-len(before.Items), err, after.Broken)
		}
	})
}

// breaking makes a request with another key for each statement that it sends, and again where the connection broke. It returns how many
// requests there were.
func (o *office) breaking(t *testing.T, left *atomic.Int64, name string, request func(key string) (engine.Moved, error)) int {
	t.Helper()
	for n := 1; ; n++ {
		key := fmt.Sprintf("%s-%d", name, n)
		left.Store(int64(n))
		first, err := request(key)
		broke := left.Load() <= 0
		left.Store(0)
		if broke != errors.Is(err, store.ErrBroken) {
			t.Fatalf("%s, statement %d: broken %v, but %v", name, n, broke, err)
		}
		again, err := request(key)
		if err != nil || !broke && again.Seq != first.Seq {
			t.Fatalf("%s, statement %d: asked again %+v, %v", name, n, again, err)
		}
		if !broke {
			return n
		}
		if n > 200 {
			t.Fatalf("%s never ends", name)
		}
	}
}
