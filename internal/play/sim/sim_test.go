package sim_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

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
	if text := os.Getenv("SUA_SIM_SEEDS"); text != "" {
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

// stages opens stages on databases made by database.
func stages(t testing.TB, ec engine.Config, database func(testing.TB, store.Options) *store.DB) func(context.Context, func() bool) (sim.Stage, error) {
	return func(ctx context.Context, broken func() bool) (sim.Stage, error) {
		clock := &play.Clock{}
		db := database(t, store.Options{Now: clock.Now, Broken: broken})
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
}

func (s *tally) add(r sim.Result) {
	for k, n := range r.Walked {
		s.walked[k] += n
	}
	for k, n := range r.Outcomes {
		s.outcomes[k] += n
	}
	s.deeds += len(r.Deeds)
}

// Whatever people do, in whatever order, with whatever falling out: the invariants of check.go hold for every seed.
func TestSeeds(t *testing.T) {
	ec := shipped(t)
	library, _, err := flow.Compile(ec.Sources, engine.Vocabulary(), ec.Limits, ec.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	texts := scenarios(t)
	databases := map[string]func(testing.TB, store.Options) *store.DB{"sqlite": storetest.SQLite}
	if os.Getenv(storetest.PostgresEnv) != "" {
		databases["postgres"] = storetest.Postgres
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			sum := tally{walked: play.Walked{}, outcomes: map[string]int{}}
			for seed := range uint64(long(t, 2, 300)) {
				t.Run(strconv.FormatUint(seed+1, 10), func(t *testing.T) {
					r, err := sim.Walk(t.Context(), sim.Config{Open: stages(t, ec, database), Together: name == "postgres", Preludes: texts}, seed+1)
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
			for _, d := range library.All() {
				for _, m := range sim.Transitions(d) {
					all++
					if sum.walked[m] > 0 {
						walked++
					}
				}
			}
			t.Logf("%d deeds, %d of %d transitions walked, outcomes %v", sum.deeds, walked, all, sum.outcomes)
		})
	}
}
