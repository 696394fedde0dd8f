package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

func TestOneOfManyWins(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		before, err := o.Case(t.Context(), o.rup, id)
		if err != nil {
			t.Fatal(err)
		}
		const racers = 12
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "fill", Revision: before.Revision, Inputs: map[string]any{"amount": i + 1}})
				if err == nil {
					won.Add(1)
					return
				}
				var stale *engine.Stale
				if !errors.As(err, &stale) || stale.Expected != before.Revision || stale.Current != before.Revision+1 {
					t.Errorf("loser: %v", err)
					return
				}
				if len(stale.Changes) != 1 || stale.Changes[0].Event != "fill" || stale.Changes[0].Actor.Name != "Rup" || len(stale.Changes[0].Changes) != 1 {
					t.Errorf("the loser learns %+v", stale.Changes)
				}
			})
		}
		wg.Wait()
		after, _ := o.Case(t.Context(), o.rup, id)
		if won.Load() != 1 || after.Revision != before.Revision+1 {
			t.Errorf("%d won, revision %d to %d", won.Load(), before.Revision, after.Revision)
		}
	})
}

// An upload is told to who comes late, but it moves no revision: what they missed is counted by events.
func TestStaleTellsUploadsToo(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		before, _ := o.Case(t.Context(), o.rup, id)
		fire(t, o, o.rup, id, "fill", map[string]any{"title": "uno"})
		if _, err := o.Attach(t.Context(), o.rup, engine.Attach{Case: id, Type: "request_form", Name: "b.pdf", Bytes: strings.NewReader("b")}); err != nil {
			t.Fatal(err)
		}
		_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "fill", Revision: before.Revision})
		var stale *engine.Stale
		if !errors.As(err, &stale) || len(stale.Changes) != 2 || stale.Changes[0].Event != "fill" || stale.Changes[1].Event != "attach" {
			t.Errorf("stale %+v", err)
		}
	})
}

func TestRetriesGiveTheFirstAnswer(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		ctx := t.Context()
		open := engine.Open{Workflow: "parcel", Inputs: map[string]any{"title": "Uno"}, Key: "k"}
		first, err := o.Open(ctx, o.rup, open)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := o.Open(ctx, o.rup, open); err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("open again: %+v, first %+v, %v", again, first, err)
		}
		cmd := engine.Fire{Case: first.Case, Event: "fill", Revision: 1, Inputs: map[string]any{"amount": 5}, Key: "k"} // same key: another path
		moved, err := o.Fire(ctx, o.rup, cmd)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := o.Fire(ctx, o.rup, cmd); err != nil || fmt.Sprint(again) != fmt.Sprint(moved) { // stale by now: the key comes first
			t.Errorf("fire again: %+v %v", again, err)
		}
		file := func(name string) (engine.DocumentView, error) {
			return o.Attach(ctx, o.rup, engine.Attach{Case: first.Case, Type: "request_form", Name: name, Bytes: strings.NewReader("x"), Key: "k"})
		}
		doc, err := file("a.pdf")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := file("a.pdf"); err != nil || again.ID != doc.ID {
			t.Errorf("upload again: %+v %v", again, err)
		}
		open.Inputs, cmd.Inputs = map[string]any{"title": "Due"}, map[string]any{"amount": 6}
		_, openErr := o.Open(ctx, o.rup, open)
		_, fireErr := o.Fire(ctx, o.rup, cmd)
		_, fileErr := file("b.pdf")
		for name, err := range map[string]error{"open": openErr, "fire": fireErr, "attach": fileErr} {
			if engine.Kind(err) != engine.KindKeyReused {
				t.Errorf("%s with another content = %v", name, err)
			}
		}
		bad := engine.Fire{Case: first.Case, Event: "fill", Inputs: map[string]any{"amount": "x"}, Key: "\xff\x00"}
		if _, err := o.Fire(ctx, o.rup, bad); engine.Kind(err) != engine.KindInvalid {
			t.Errorf("a bad request = %v", err)
		}
		bad.Inputs = map[string]any{"amount": 7} // only successes are remembered
		if _, err := o.Fire(ctx, o.rup, bad); err != nil {
			t.Errorf("the same key after a failure: %v", err)
		}
	})
}

func TestSixteenTimesAtOnce(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		seed, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "parcel"})
		if err != nil {
			t.Fatal(err)
		}
		for name, ask := range map[string]func() (engine.Moved, error){
			"open": func() (engine.Moved, error) {
				return o.Open(t.Context(), o.rup, engine.Open{Workflow: "parcel", Inputs: map[string]any{"title": "x"}, Key: "k"})
			},
			"fire": func() (engine.Moved, error) {
				return o.Fire(t.Context(), o.rup, engine.Fire{Case: seed.Case, Event: "fill", Revision: 1, Inputs: map[string]any{"title": "x"}, Key: "k"})
			},
		} {
			var wg sync.WaitGroup
			answers := make([]string, 16)
			for i := range answers {
				wg.Go(func() {
					m, err := ask()
					answers[i] = fmt.Sprint(m.Case, m.Seq, m.At, err)
				})
			}
			wg.Wait()
			for _, a := range answers {
				if a != answers[0] || !strings.HasSuffix(a, "<nil>") {
					t.Errorf("%s: %s, another %s", name, a, answers[0])
				}
			}
		}
		if n := len(listed(t, o, o.rup)); n != 2 {
			t.Errorf("%d cases, want 2", n)
		}
	})
}

// Four round trips from lock to commit at most, whatever the event reads (issue 2, Speed).
func TestRoundTripsOfAnEvent(t *testing.T) {
	var trips atomic.Int64
	c := newClock("2026-03-02T08:00:00Z")
	storetest.Each(t, store.Options{Now: c.now, Committed: func(n int, _ string) { trips.Store(int64(n)) }}, func(t *testing.T, db *store.DB) {
		o := newOffice(t, db, c, parcel)
		id, itemID := opened(t, o)
		fire(t, o, o.rup, id, "fill", map[string]any{"title": "x"})
		if n := trips.Load(); n != 2 {
			t.Errorf("a plain event took %d round trips, want 2", n)
		}
		fire(t, o, o.rup, id, "send", nil, dueAck) // documents, agreement, children, terms
		if n := trips.Load(); n > 4 {
			t.Errorf("an event with every need took %d round trips", n)
		}
		fire(t, o, o.rup, itemID, "close", nil) // moves its parent
		if n := trips.Load(); n > 4 {
			t.Errorf("an event that joins took %d round trips", n)
		}
	})
}
