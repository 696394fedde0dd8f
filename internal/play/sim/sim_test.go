package sim_test

import (
	"context"
	database "database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/play/sim"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
	"github.com/province-comuni/sua/workflows"
)

// long makes the long series of a test instead of the short one: make check-all. SUA_SIM_SEEDS asks for another number.
func long(t testing.TB, short, series int) int {
	t.Helper()
	if text := os.Getenv("SUA_SIM_SEEDS"); text != "" && short > 0 {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if os.Getenv("SUA_TEST_LONG") != "" {
		return series
	}
	return short
}

func shipped(t testing.TB) engine.Config {
	t.Helper()
	cfg, err := play.Prepare(workflows.FS)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// stages opens stages on databases that empty makes.
func stages(t testing.TB, ec engine.Config, empty func(testing.TB, store.Options) *store.DB) func(context.Context, func() bool) (sim.Stage, error) {
	return func(ctx context.Context, broken func() bool) (sim.Stage, error) {
		clock := &play.Clock{}
		db := empty(t, store.Options{Now: clock.Now, Broken: broken})
		cfg, err := play.On(ctx, db, clock, t.TempDir(), ec)
		return sim.Stage{Config: cfg, DB: db, Close: func() error { return nil }}, err
	}
}

// scenarios are the texts of the shipped scenarios.
func scenarios(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("../../../workflows/testdata/*/*.scn")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	var out []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

// tally adds up what walks walked.
type tally struct {
	walked   play.Walked
	outcomes map[string]int
	deeds    int
	seeds    int
}

func (s *tally) add(r sim.Result) {
	for k, n := range r.Walked {
		s.walked[k] += n
	}
	for k, n := range r.Outcomes {
		s.outcomes[k] += n
	}
	s.deeds += len(r.Deeds)
	s.seeds++
}

// leastWalked is how many of a hundred transitions are walked at least on SQLite, where the same seeds walk the same way on every
// machine: a little less than what these numbers of seeds walk of the workflows as they are. 0 where nothing is asked.
func leastWalked(seeds, steps int) int {
	switch {
	case steps < 240 && seeds == 3:
		return 3
	case steps >= 240 && seeds >= 300:
		return 92
	case steps >= 240 && seeds >= 40:
		return 70
	}
	return 0
}

// Whatever people do, in whatever order, with whatever falling out: the invariants of check.go hold for every seed.
func TestSeeds(t *testing.T) {
	ec := shipped(t)
	library, _, err := flow.Compile(ec.Sources, engine.Vocabulary(), ec.Limits, ec.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	texts, steps := scenarios(t), 240
	if long(t, 0, 1) == 0 {
		steps = 50
	}
	databases := map[string]func(testing.TB, store.Options) *store.DB{"sqlite": storetest.SQLite}
	if os.Getenv(storetest.PostgresEnv) != "" {
		databases["postgres"] = storetest.Postgres
	}
	for name, empty := range databases {
		t.Run(name, func(t *testing.T) {
			sum := tally{walked: play.Walked{}, outcomes: map[string]int{}}
			for seed := range uint64(long(t, 3, 300/seedsPerWalk)) {
				t.Run(strconv.FormatUint(seed+1, 10), func(t *testing.T) {
					r, err := sim.Walk(t.Context(), sim.Config{Open: stages(t, ec, empty), Together: name == "postgres", Preludes: texts, Steps: steps}, seed+1)
					if err != nil {
						t.Fatal(err)
					}
					sum.add(r)
					if r.Fault != nil {
						t.Errorf("%v\nagain: go test ./internal/play/sim -run 'TestSeeds/%s/%d$'\n%s\n%s", r.Fault, name, r.Seed, r.Scenario(), r.Trace)
					}
				})
			}
			walked, all := 0, 0
			var never []string
			for _, d := range library.All() {
				for _, m := range sim.Transitions(d) {
					if all++; sum.walked[m] > 0 {
						walked++
					} else {
						never = append(never, fmt.Sprintf("%s: %s: %s -> %s", m.Workflow, m.Event, m.From, m.To))
					}
				}
			}
			if least := leastWalked(sum.seeds, steps); name == "sqlite" && 100*walked < least*all {
				t.Errorf("%d of %d transitions are walked: less than %d %%", walked, all, least)
			}
			t.Logf("%d deeds, %d of %d transitions walked, outcomes %v", sum.deeds, walked, all, sum.outcomes)
			if long(t, 0, 1) > 0 {
				t.Logf("never walked:\n%s", strings.Join(never, "\n"))
			}
		})
	}
}

// The same seed walks the same way; another one another.
func TestSeedRepeats(t *testing.T) {
	cfg := sim.Config{Open: stages(t, shipped(t), storetest.SQLite), Workflow: "contract", Steps: 25}
	walk := func(seed uint64) string {
		r, err := sim.Walk(t.Context(), cfg, seed)
		if err != nil || r.Fault != nil {
			t.Fatal(err, r.Fault)
		}
		return r.Scenario()
	}
	first := walk(7)
	if diff := cmp.Diff(strings.Split(first, "\n"), strings.Split(walk(7), "\n")); diff != "" {
		t.Errorf("the seed walks another way the second time:\n%s", diff)
	}
	if walk(8) == first {
		t.Error("two seeds walk the same way")
	}
}

// What somebody changes behind the engine's back is found, whatever it is, and the walk that finds it is shrunk to a scenario that can
// be played.
func TestTamperingIsFound(t *testing.T) {
	ec := shipped(t)
	for rule, sql := range map[string]string{
		"state":    "UPDATE cases SET revision = revision + 1 WHERE id = root",
		"fields":   "UPDATE cases SET data = json_set(data, '$.title', 'Altro') WHERE id = root",
		"next due": "UPDATE cases SET next_due = '2030-01-01 00:00:00+00:00' WHERE id = root",
		"outbox":   "DELETE FROM outbox",
		"relay":    "DELETE FROM notices",
	} {
		if long(t, 0, 1) == 0 && rule != "fields" { // each walk is walked again a dozen times
			continue
		}
		t.Run(rule, func(t *testing.T) {
			open := func(ctx context.Context, broken func() bool) (sim.Stage, error) {
				clock, url := &play.Clock{}, "sqlite:"+filepath.Join(t.TempDir(), "sim.db")
				var behind *database.DB
				tampering := func() time.Time { // asked before each transaction begins
					if _, err := behind.Exec(sql); err != nil {
						t.Error(err)
					}
					return clock.Now()
				}
				if err := store.Migrate(ctx, url); err != nil {
					return sim.Stage{}, err
				}
				var err error
				if behind, err = database.Open("sqlite", strings.TrimPrefix(url, "sqlite:")); err != nil {
					return sim.Stage{}, err
				}
				db, err := store.Open(ctx, store.Options{URL: url, Now: tampering, Volatile: true, Broken: broken})
				if err != nil {
					return sim.Stage{}, err
				}
				cfg, err := play.On(ctx, db, clock, t.TempDir(), ec)
				return sim.Stage{Config: cfg, DB: db, Close: func() error { return errors.Join(db.Close(), behind.Close()) }}, err
			}
			r, err := sim.Walk(t.Context(), sim.Config{Open: open, Workflow: "open_procedure", Steps: 20}, 3)
			if err != nil {
				t.Fatal(err)
			}
			if r.Fault == nil || r.Fault.Rule != rule {
				t.Fatalf("found: %v", r.Fault)
			}
			if len(r.Shrunk) == 0 || len(r.Shrunk) > 12 {
				t.Errorf("%d deeds are left of %d", len(r.Shrunk), len(r.Deeds))
			}
			stage, done, err := play.Stage(t.Context(), t.TempDir(), ec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := play.Run(t.Context(), stage, strings.NewReader(r.Scenario()), io.Discard); err != nil {
				t.Errorf("the scenario cannot be played: %v\n%s", err, r.Scenario())
			}
			if err := done(); err != nil {
				t.Error(err)
			}
		})
	}
}
