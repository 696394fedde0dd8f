package engine_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// BenchmarkScale measures what people and jobs do in a database of ten thousand cases and in a big one, in turns, and prints how much
// dearer the big one is. docs/scale.md has the figures. SUA_BENCH_CASES sets the size of the big one.
func BenchmarkScale(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchScale(b, storetest.BigCases(100_000), 3, func() (*store.DB, string, *clock) {
			c := newClock("2026-03-02T08:00:00Z")
			url := "sqlite:" + filepath.Join(b.TempDir(), "sua.db")
			if err := store.Migrate(b.Context(), url); err != nil {
				b.Fatal(err)
			}
			return opening(b, store.Options{URL: url, Now: c.now}), url, c
		})
	})
	if os.Getenv(storetest.PostgresEnv) == "" {
		return
	}
	b.Run("postgres", func(b *testing.B) {
		benchScale(b, storetest.BigCases(1_000_000), 0, func() (*store.DB, string, *clock) {
			c := newClock("2026-03-02T08:00:00Z")
			app, super := storetest.PostgresURLs(b)
			return opening(b, store.Options{URL: app, Now: c.now, MaxConns: 4}), super, c
		})
	})
}

func opening(b *testing.B, o store.Options) *store.DB {
	b.Helper()
	db, err := store.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// archive is an office with a filled database and some trees of twenty events made by the engine.
type archive struct {
	*office
	big   storetest.Big
	rings []engine.Moved
	turn  int
}

const rings, ringEvents = 50, 20

func newArchive(b *testing.B, cases int, open func() (*store.DB, string, *clock)) *archive {
	b.Helper()
	db, address, c := open()
	ringed, err := flow.Sources(fstest.MapFS{"ring.v1.yaml": {Data: []byte(ring["ring.v1.yaml"])}})
	if err != nil {
		b.Fatal(err)
	}
	a := &archive{office: newOffice(b, db, c, nil, func(cfg *engine.Config) { cfg.Sources = append(cfg.Sources, ringed...) })}
	a.populate(b)
	for range rings {
		m, err := a.Open(b.Context(), a.rup, engine.Open{Workflow: "ring", Inputs: map[string]any{"title": "Scuola"}})
		if err != nil {
			b.Fatal(err)
		}
		a.rings = append(a.rings, m)
	}
	for range rings * (ringEvents - 1) {
		a.move(b)
	}
	a.big = storetest.Big{Cases: cases, Now: c.now(), Root: a.kind(b, "open_procedure"), Lot: a.kind(b, "lot"), Contract: a.kind(b, "contract"), Question: a.kind(b, "clarification")}
	began := time.Now()
	if err := storetest.Fill(b.Context(), address, a.big); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%s: %d cases, %d events made in %s\n", b.Name(), a.big.Cases, 20*a.big.Cases, time.Since(began).Round(time.Second))
	return a
}

// populate makes the bodies and people of the filled database.
func (a *archive) populate(b *testing.B) {
	b.Helper()
	var bodies []store.Body
	for i := range storetest.BigSUAs {
		bodies = append(bodies, store.Body{ID: fmt.Sprintf("sua-%d", i), Kind: "provincia", Name: fmt.Sprintf("Provincia %d", i), TaxCode: fmt.Sprintf("S%010d", i)})
	}
	people := []store.Person{}
	for i := range storetest.BigBodies {
		bodies = append(bodies, store.Body{ID: fmt.Sprintf("comune-%d", i), Kind: "comune", Name: fmt.Sprintf("Comune %d", i), TaxCode: fmt.Sprintf("C%010d", i)})
		people = append(people, store.Person{ID: fmt.Sprintf("rup-%d", i), Name: fmt.Sprintf("Rup %d", i)})
	}
	for i := range storetest.BigOfficers {
		people = append(people, store.Person{ID: fmt.Sprintf("officer-%d", i), Name: fmt.Sprintf("Officer %d", i)})
	}
	if _, err := a.db.SaveBodies(b.Context(), bodies); err != nil {
		b.Fatal(err)
	}
	for _, p := range people {
		if err := a.db.SavePerson(b.Context(), p, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// kind tells the generator the states of a shipped workflow.
func (a *archive) kind(b *testing.B, workflow string) storetest.Kind {
	b.Helper()
	d, ok := a.Library().Latest(workflow)
	if !ok {
		b.Fatalf("no workflow %s", workflow)
	}
	k := storetest.Kind{Workflow: d.Workflow, Version: d.Version, Hash: d.Hash}
	for _, s := range d.States {
		if s.Final != "" {
			k.Final = [3]string{s.ID, s.Stage, s.Final}
		} else {
			k.Open = append(k.Open, [2]string{s.ID, s.Stage})
		}
	}
	return k
}

// move makes the next of the small trees go on.
func (a *archive) move(b *testing.B) {
	b.Helper()
	m := &a.rings[a.turn%len(a.rings)]
	a.turn++
	next, err := a.Fire(b.Context(), a.rup, engine.Fire{Case: m.Case, Event: "turn", Revision: m.Revision})
	if err != nil {
		b.Fatal(err)
	}
	*m = next
}

// deed is one thing that is measured; i differs at each call.
type deed struct {
	name string
	most float64 // how many times dearer it may be in the big database, on SQLite three times at least; 0: only shown, as it grows with what goes on, or with how many cases have the words
	do   func(ctx context.Context, a *archive, i int) error
}

func lists(who auth.Actor, filter func(a *archive, i int) engine.Filter) func(context.Context, *archive, int) error {
	return func(ctx context.Context, a *archive, i int) error {
		f := filter(a, i)
		if f.Sort == "" {
			f.Sort, f.Desc = "updated", true
		}
		f.Limit = 30
		_, err := a.Cases(ctx, who, f)
		return err
	}
}

func fixed(f engine.Filter) func(*archive, int) engine.Filter {
	return func(*archive, int) engine.Filter { return f }
}

func deeds() []deed {
	open := true
	all := auth.Actor{ID: "auditor", Memberships: []auth.Membership{{Body: "*", Role: "auditor"}}}
	clerk := auth.Actor{ID: "officer-7", Memberships: []auth.Membership{{Body: "sua-1", Role: "sua_clerk"}}}
	rup := auth.Actor{ID: "rup-150", Memberships: []auth.Membership{{Body: "comune-150", Role: "rup"}}}
	deep := func(sort, value string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"s":"` + sort + `","v":"` + value + `","i":"c"}`))
	}
	return []deed{
		{"read a case", 2, func(ctx context.Context, a *archive, i int) error {
			_, err := a.Case(ctx, all, a.big.Tree(i*7919%a.big.Trees()))
			return err
		}},
		{"list, first page", 2, lists(all, fixed(engine.Filter{}))},
		{"list, first page of a SUA, open", 2, lists(clerk, fixed(engine.Filter{Open: &open}))},
		{"list, first page of a Comune", 2, lists(rup, fixed(engine.Filter{}))},
		{"list, deep page", 2, lists(all, fixed(engine.Filter{After: deep("updated", "2014-05-01")}))},
		{"list, deep page of a SUA", 2, lists(clerk, fixed(engine.Filter{After: deep("updated", "2014-05-01")}))},
		{"list with children", 2, lists(clerk, fixed(engine.Filter{Children: true}))},
		{"list of a body", 2, lists(all, func(_ *archive, i int) engine.Filter { return engine.Filter{Body: fmt.Sprintf("comune-%d", i%200)} })},
		{"list of an officer", 2, lists(all, func(_ *archive, i int) engine.Filter { return engine.Filter{Officer: fmt.Sprintf("officer-%d", i%40)} })},
		{"list of a state, open", 2, lists(all, func(a *archive, i int) engine.Filter {
			return engine.Filter{State: a.big.Root.Open[i%len(a.big.Root.Open)][0], Open: &open}
		})},
		{"list of a state with no case, open", 0, lists(all, fixed(engine.Filter{State: "nowhere", Open: &open}))},
		{"list, due within a week", 2, lists(all, func(a *archive, _ int) engine.Filter {
			return engine.Filter{DueBefore: a.big.Now.AddDate(0, 0, 7), Sort: "due", Open: &open}
		})},
		{"list by title", 2, lists(all, fixed(engine.Filter{Sort: "title"}))},
		{"list by title, deep page", 2, lists(all, fixed(engine.Filter{Sort: "title", After: deep("title", "Servizio museo lotto 1")}))},
		{"list by amount, deep page", 2, lists(all, fixed(engine.Filter{Sort: "amount", After: deep("amount", "250000000")}))},
		{"list by term, deep page", 2, lists(all, fixed(engine.Filter{Sort: "due", After: deep("due", "2027-06-01 08:00:00+00")}))},
		{"list by amount of a SUA", 2, lists(clerk, fixed(engine.Filter{Sort: "amount", Desc: true}))},
		{"words: a CIG", 2, lists(all, func(a *archive, i int) engine.Filter { return engine.Filter{Text: a.big.CIG(i * 7919 % a.big.Trees())} })},
		{"words: in each fifth title", 2, lists(clerk, fixed(engine.Filter{Text: "lavori scuola"}))},
		{"words: two, seldom together", 0, lists(clerk, fixed(engine.Filter{Text: "museo 12"}))},
		{"words: nowhere", 2, lists(clerk, fixed(engine.Filter{Text: "inesistente"}))},
		{"worklist of an officer", 4, lists(clerk, func(_ *archive, i int) engine.Filter {
			return engine.Filter{Officer: fmt.Sprintf("officer-%d", i%40), Open: &open, Sort: "due"}
		})},
		{"calendar of a person", 4, func(ctx context.Context, a *archive, i int) error {
			_, err := a.db.LiveTerms(ctx, store.Scope{Bodies: []string{"sua-1"}}, fmt.Sprintf("officer-%d", i%40), a.big.Now, 100)
			return err
		}},
		{"calendar of a SUA", 2, func(ctx context.Context, a *archive, _ int) error {
			_, err := a.db.LiveTerms(ctx, store.Scope{Bodies: []string{"sua-1"}}, "", a.big.Now, 100)
			return err
		}},
		{"history of 20 events, checked", 2, func(ctx context.Context, a *archive, i int) error {
			h, err := a.History(ctx, a.rup, a.rings[i%len(a.rings)].Case, 0, ringEvents)
			if err == nil && (!h.Verified || len(h.Items) != ringEvents) {
				err = fmt.Errorf("history of %d events: verified %v %s", len(h.Items), h.Verified, h.Broken)
			}
			return err
		}},
		{"due query, nothing due", 2, func(ctx context.Context, a *archive, _ int) error {
			due, err := a.db.Due(ctx, a.big.Now, store.Try{}, 100)
			if err == nil && len(due) > 0 {
				err = fmt.Errorf("%d deadlines are due", len(due))
			}
			return err
		}},
	}
}

func benchScale(b *testing.B, cases int, least float64, open func() (*store.DB, string, *clock)) {
	small, big := newArchive(b, min(10_000, cases), open), newArchive(b, cases, open)
	all := append(deeds(), deed{"transition", 2, func(_ context.Context, a *archive, _ int) error { a.move(b); return nil }})
	fmt.Printf("%s\n%-36s %11s %11s\n", b.Name(), "", "10,000", fmt.Sprint(cases))
	worst := 0.0
	for _, d := range all {
		s, l := compare(b, d, small, big)
		mark := ""
		if d.most > 0 {
			d.most = max(d.most, least)
			worst = max(worst, l/s*2/d.most)
			if l/s > d.most {
				mark = fmt.Sprintf("  more than %.0f", d.most)
			}
		}
		fmt.Printf("%-36s %8.3f ms %8.3f ms  ratio %.2f%s\n", d.name, s, l, l/s, mark)
	}
	b.ReportMetric(worst, "worst-ratio")
	b.ReportMetric(0, "ns/op")
}

// compare does a thing in turns in both databases, each of some variants again and again, and gives the milliseconds that a call takes:
// the mean over the variants of the quickest call of each, which other programs on the machine disturb least.
func compare(b *testing.B, d deed, small, big *archive) (float64, float64) {
	b.Helper()
	const variants, rounds = 12, 9
	var took [2][variants]time.Duration
	for round := range rounds {
		for v := range variants {
			for k, a := range []*archive{small, big} {
				began := time.Now()
				if err := d.do(b.Context(), a, 17*v); err != nil {
					b.Fatalf("%s: %v", d.name, err)
				}
				if each := time.Since(began); round == 0 || each < took[k][v] {
					took[k][v] = each
				}
			}
		}
	}
	mean := func(all [variants]time.Duration) float64 {
		sum := time.Duration(0)
		for _, each := range all {
			sum += each
		}
		return float64(sum.Nanoseconds()) / variants / 1e6
	}
	return mean(took[0]), mean(took[1])
}
