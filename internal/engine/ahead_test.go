package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// ring needs no facts: its moves may be decided on what the program remembers.
var ring = map[string]string{"ring.v1.yaml": `
workflow: ring
version: 1
case: ring
label: {it: Giro, en: Ring}
start: one
stages: {all: {label: {it: Tutto, en: All}}}
fields: {title: {type: text, label: {it: Oggetto, en: Subject}}}
states:
  one: {stage: all, label: {it: Uno, en: One}}
  two: {stage: all, label: {it: Due, en: Two}}
  end: {stage: all, final: ended, label: {it: Fine, en: End}}
events:
  begin: {label: {it: Comincia, en: Begin}, by: [rup], opens: true, to: one, input: {title: {field: title}}}
  turn:  {label: {it: Gira, en: Turn}, by: [rup], moves: [{from: [one], to: two}, {from: [two], to: one}], then: [{notify: turned, to: [rup]}]}
  name:  {label: {it: Rinomina, en: Rename}, by: [rup], from: [one, two], to: same, input: {title: {field: title}}}
  stop:  {label: {it: Ferma, en: Stop}, by: [rup], from: [two], to: end}
`}

// Two programs on one database, each remembering what it moved last: neither overwrites the other, and refusals rest on what
// is true, not on what is remembered.
func TestTwoProgramsOneTree(t *testing.T) {
	url := storetest.PostgresURL(t)
	var trips atomic.Int64
	program := func() *office {
		db, err := store.Open(t.Context(), store.Options{URL: url, Committed: func(n int, _ string) { trips.Store(int64(n)) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return newOffice(t, db, nil, ring)
	}
	a, b := program(), program()
	m, err := a.Open(t.Context(), a.rup, engine.Open{Workflow: "ring", Inputs: map[string]any{"title": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	turn := func(o *office, revision int64) (engine.Moved, error) {
		return o.Fire(t.Context(), o.rup, engine.Fire{Case: m.Case, Event: "turn", Revision: revision})
	}
	must := func(o *office, revision int64, to string, wantTrips int64) {
		t.Helper()
		got, err := turn(o, revision)
		if err != nil || got.To != to || got.Revision != revision+1 {
			t.Fatalf("turn at %d: %+v %v, want %s", revision, got, err, to)
		}
		if n := trips.Load(); n != wantTrips {
			t.Errorf("turn at %d took %d round trips, want %d", revision, n, wantTrips)
		}
	}
	must(a, 1, "two", 2)
	must(a, 2, "one", 1) // remembered
	must(b, 3, "two", 2) // read
	must(b, 4, "one", 1)
	must(a, 5, "two", 2) // a's memory is two moves old
	keyed := engine.Fire{Case: m.Case, Event: "turn", Revision: 6, Key: "k"}
	first, err := a.Fire(t.Context(), a.rup, keyed) // also with a key, and its repeat gets the same answer
	if err != nil || trips.Load() != 1 {
		t.Errorf("with a key: %v, %d round trips", err, trips.Load())
	}
	if again, err := a.Fire(t.Context(), a.rup, keyed); err != nil || again.Seq != first.Seq {
		t.Errorf("repeated: %+v %v, want seq %d", again, err, first.Seq)
	}
	must(b, 7, "two", 2)
	if _, err := a.Fire(t.Context(), a.rup, engine.Fire{Case: m.Case, Event: "stop"}); err != nil {
		t.Errorf("stop, which a's memory would refuse: %v", err)
	}
	if _, err := turn(b, 8); !errors.As(err, new(*engine.Stale)) {
		t.Errorf("a turn after the end, on b's memory: %v", err)
	}
}

func TestManyTurnsAtOnce(t *testing.T) {
	url := storetest.PostgresURL(t)
	var offices []*office
	for range 2 {
		db, err := store.Open(t.Context(), store.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		offices = append(offices, newOffice(t, db, nil, ring))
	}
	o := offices[0]
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "ring", Inputs: map[string]any{"title": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	const racers, turns = 8, 25
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			o := offices[i%2]
			for range turns {
				switch _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: m.Case, Event: "turn"}); {
				case err != nil:
					t.Errorf("turn: %v", err)
				default:
					won.Add(1)
				}
			}
		})
	}
	wg.Wait()
	after, err := o.Case(t.Context(), o.rup, m.Case)
	if err != nil {
		t.Fatal(err)
	}
	if won.Load() != racers*turns || after.Revision != 1+racers*turns {
		t.Errorf("%d turns told, revision %d", won.Load(), after.Revision)
	}
	h, err := o.History(t.Context(), o.rup, m.Case, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Verified {
		t.Errorf("history: %s", h.Broken)
	}
}

// Moves of many cases by two programs leave in groups. One whose memory is old spoils its group, whose members are then moved one
// by one: each turn counts once, also one that is repeated with its key.
func TestTurnsInGroups(t *testing.T) {
	url := storetest.PostgresURL(t)
	var sent, alone atomic.Int64
	var offices []*office
	for range 2 {
		db, err := store.Open(t.Context(), store.Options{URL: url, Committed: func(trips int, _ string) {
			if sent.Add(1); trips > 1 {
				alone.Add(1)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		offices = append(offices, newOffice(t, db, nil, ring))
	}
	o := offices[0]
	const cases, racers, turns = 12, 10, 60
	var ids [cases]string
	for i := range ids {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "ring", Inputs: map[string]any{"title": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = m.Case
	}
	var turned [cases]atomic.Int64
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for k := range turns {
				o, c := offices[i%2], random.IntN(cases)
				cmd := engine.Fire{Case: ids[c], Event: "turn"}
				if k%3 == 0 {
					cmd.Key = fmt.Sprint(i, k)
				}
				m, err := o.Fire(t.Context(), o.rup, cmd)
				if err != nil {
					t.Errorf("turn: %v", err)
					return
				}
				turned[c].Add(1)
				if cmd.Key != "" {
					if again, err := offices[(i+1)%2].Fire(t.Context(), o.rup, cmd); err != nil || again.Seq != m.Seq {
						t.Errorf("repeated: %+v %v, want seq %d", again, err, m.Seq)
					}
				}
			}
		})
	}
	wg.Wait()
	for i, id := range ids {
		after, err := o.Case(t.Context(), o.rup, id)
		if err != nil || after.Revision != 1+turned[i].Load() {
			t.Errorf("case %d: revision %d after %d turns, %v", i, after.Revision, turned[i].Load(), err)
		}
		if h, err := o.History(t.Context(), o.rup, id, 0, 0); err != nil || !h.Verified || int64(len(h.Items)) != after.Revision {
			t.Errorf("case %d: %d events, %v %s", i, len(h.Items), err, h.Broken)
		}
	}
	if grouped := sent.Load() - alone.Load(); grouped == 0 {
		t.Error("no turn was decided on the memory: the test proves nothing")
	}
}
