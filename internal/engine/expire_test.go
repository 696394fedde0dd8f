package engine_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// Deadlines that fail, more of them than are picked at once, keep no other from being applied; each is logged and tried again a
// minute later.
func TestFailingDeadlinesStarveNobody(t *testing.T) {
	failing := 120
	if os.Getenv("SUA_TEST_LONG") != "" {
		failing = 2500
	}
	each(t, waitingFiles, func(t *testing.T, o *office) {
		bad := wait(t, o, "go", "leave") // a tree of its own whose deadlines are of no declaration
		due := o.clock.now().Add(day)
		err := o.db.Update(t.Context(), store.Everything, bad, nil, func(tx *store.Tx) error {
			for i := range failing {
				d := store.Deadline{ID: fmt.Sprintf("bad%05d", i), CaseID: bad, Root: bad, MemberBody: "conselve", SUA: "padova", Name: "unknown", Status: store.Running,
					StartedAt: o.clock.now(), DueAt: due, LastDay: "2026-03-02", Revision: 1, NextTry: due}
				if err := tx.InsertDeadline(d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		good := wait(t, o, "go")
		o.clock.add(12 * day)
		if n := expire(t, o); n != 1 || state(t, o, good) != "over" {
			t.Errorf("%d applied beside the failing ones", n)
		}
		next, found, err := o.db.NextTry(t.Context(), time.Time{})
		if want := o.clock.now().Add(time.Minute); err != nil || !found || !next.Equal(want) {
			t.Errorf("tried again at %s, want %s: %v", next, want, err)
		}
		v, err := o.Case(t.Context(), o.rup, bad)
		if err != nil || v.Deadlines[0].Status != store.Running && v.Deadlines[len(v.Deadlines)-1].Status != store.Running {
			t.Errorf("a failing deadline changed: %+v %v", v.Deadlines, err)
		}
	})
}

// The database refuses what one tree of a batch writes: that one is put off, the others are applied.
func TestOneTreeThatCannotBeWritten(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		var ids []string
		for range 40 {
			ids = append(ids, wait(t, o, "go"))
		}
		bad := ids[17]
		err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error { // the number of its next event is taken
			tx.InsertEvent(&store.Event{Root: bad, Seq: 3, CaseID: bad, MemberBody: "conselve", SUA: "padova", Event: "x", At: o.clock.now(), Effective: o.clock.now(), Actor: "x", Header: []byte("{}"), Hash: []byte{1}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		o.clock.add(12 * day)
		if n := expire(t, o); n != len(ids)-1 {
			t.Errorf("%d applied", n)
		}
		for _, id := range ids {
			if want := map[bool]string{true: "open", false: "over"}[id == bad]; state(t, o, id) != want {
				t.Errorf("%s is %s", id, state(t, o, id))
			}
		}
		if n := expire(t, o); n != 0 {
			t.Errorf("%d applied afterwards", n)
		}
	})
}

// A large batch writes what the same deadlines write one by one: states, chains, terms and the nearest term of each case.
func TestABatchWritesWhatOneByOneDoes(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		var ids []string
		kinds := [][]string{{"go"}, {"tell_me"}, {"hold"}, {"go", "pause", "resume"}}
		for i := range 60 {
			ids = append(ids, wait(t, o, kinds[i%len(kinds)]...))
		}
		alone := o.clock.now()
		o.clock.add(time.Second)
		one := [4]string{}
		for i := range one {
			id := wait(t, o, kinds[i]...)
			o.clock.add(12 * day)
			if n := expire(t, o); i == 0 && n != 61 {
				t.Fatalf("%d applied in the batch", n)
			}
			one[i] = picture(t, o, id)
			o.clock.at.Store(alone.Add(time.Second).UnixMicro())
		}
		for i, id := range ids {
			if got := picture(t, o, id); got != one[i%len(kinds)] {
				t.Errorf("in a batch: %s\nalone: %s", got, one[i%len(kinds)])
			}
		}
	})
}

// picture is what can be seen of a case, without ids and times.
func picture(t *testing.T, o *office, id string) string {
	t.Helper()
	h, err := o.History(t.Context(), o.auditor, id, 0, 0)
	if err != nil || !h.Verified {
		t.Fatalf("history: %v, verified %v", err, h.Verified)
	}
	var events []string
	for _, i := range h.Items {
		events = append(events, fmt.Sprint(i.Seq, i.Event))
	}
	v, err := o.Case(t.Context(), o.auditor, id)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(events, state(t, o, id), terms(t, o, id), v.NextDue == nil, v.Revision)
}

// A term is over when it is over, also when no sweep has looked since: who acts too late meets what the law has made of the silence.
func TestTermsComeBeforePeople(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		late, intime := wait(t, o, "go"), wait(t, o, "go")
		o.clock.at.Store(newClock("2026-03-12T22:59:59Z").at.Load())
		fire(t, o, o.rup, intime, "leave", nil)
		if got := terms(t, o, intime); got != "answer cancelled 2026-03-12" {
			t.Errorf("a second before its end: %s", got)
		}
		before, err := o.Case(t.Context(), o.rup, late)
		if err != nil {
			t.Fatal(err)
		}
		o.clock.at.Store(newClock("2026-03-12T23:00:00Z").at.Load())
		var stale *engine.Stale
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: late, Event: "leave", Revision: before.Revision}); !errors.As(err, &stale) || len(stale.Changes) != 1 {
			t.Errorf("who saw the state before: %v, want what changed since", err)
		}
		if got := state(t, o, late) + ", " + terms(t, o, late); got != "over, answer expired 2026-03-12" {
			t.Error(got)
		}
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: late, Event: "leave"}); err == nil {
			t.Error("an event of the state before was allowed")
		}
		if n := expire(t, o); n != 0 {
			t.Errorf("the sweep applied %d more", n)
		}
	})
}
