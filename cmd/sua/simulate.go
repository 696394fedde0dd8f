package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/play/sim"
	"github.com/province-comuni/sua/internal/store"
)

// simulation is what `sua workflow simulate` was asked for.
type simulation struct {
	seeds, from uint64
	steps       int
	workflow    string
	files       []string
	scenarios   []string
	out         string
	missing     bool
}

func simulateCommand() *cobra.Command {
	var s simulation
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Percorre i flussi a caso, con errori, interruzioni e tempi di ogni sorta, e controlla che nulla si rompa",
		Long: "Percorre i flussi a caso: persone di ogni ruolo, dati giusti e sbagliati, salti di tempo, richieste ripetute, connessioni che cadono fra\n" +
			"due scritture. Dopo ogni passo ciò che è scritto deve concordare con la storia e con ciò che i flussi promettono. Lavora su un database\n" +
			"temporaneo. Lo stesso seme dà lo stesso percorso; di un percorso che trova un difetto scrive lo scenario più breve che lo mostra.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			lib, ec, err := library(c, s.files)
			if err != nil {
				return err
			}
			return s.run(c.Context(), lib, ec, c.OutOrStdout())
		},
	}
	c.Flags().Uint64Var(&s.seeds, "seeds", 20, "quanti percorsi")
	c.Flags().Uint64Var(&s.from, "from", 1, "il primo seme")
	c.Flags().IntVar(&s.steps, "steps", 0, "passi di ogni percorso; 0: quanti di solito")
	c.Flags().StringVar(&s.workflow, "workflow", "", "solo pratiche di questo flusso")
	c.Flags().StringArrayVar(&s.files, "file", nil, "altri file di flussi")
	c.Flags().StringArrayVar(&s.scenarios, "scenario", nil, "scenari da cui proseguire a caso: file .scn, o cartelle che ne contengono")
	c.Flags().StringVar(&s.out, "out", ".", "cartella in cui scrivere gli scenari dei difetti")
	c.Flags().BoolVar(&s.missing, "missing", false, "elenca i passaggi che nessuno ha percorso")
	return c
}

// run walks every seed and reports in Italian; errSaid when something was found.
func (s simulation) run(ctx context.Context, lib *flow.Library, ec engine.Config, out io.Writer) error {
	preludes, err := scenarioTexts(s.scenarios)
	if err != nil {
		return err
	}
	cfg := sim.Config{Open: temporary(ec), Workflow: s.workflow, Steps: s.steps, Preludes: preludes}
	walked, outcomes, walks, deeds, faults := play.Walked{}, map[string]int{}, 0, 0, 0
	for seed := s.from; seed < s.from+s.seeds; seed++ {
		r, err := sim.Walk(ctx, cfg, seed)
		if ctx.Err() != nil {
			break // interrupted: what was walked so far is told
		}
		if err != nil {
			return err
		}
		walks++
		for t, n := range r.Walked {
			walked[t] += n
		}
		for what, n := range r.Outcomes {
			outcomes[what] += n
		}
		deeds += len(r.Deeds)
		if r.Fault == nil {
			continue
		}
		faults++
		if err := s.tell(r, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d percorsi, %d passi: %d riusciti, %d rifiutati o da confermare, %d non validi, %d senza permesso, %d superati da altri, %d interruzioni\n\n",
		walks, deeds, outcomes["ok"], outcomes["refused"]+outcomes["warns"], outcomes["invalid"], outcomes["forbidden"]+outcomes["not_found"], outcomes["stale"],
		outcomes["broken"]+outcomes["sweep broken"]+outcomes["relay broken"])
	s.coverage(lib, walked, out)
	if faults > 0 {
		fmt.Fprintf(out, "\n%d percorsi hanno trovato un difetto\n", faults)
		return errSaid
	}
	fmt.Fprintln(out, "\nnessun difetto")
	return nil
}

// tell writes the scenario of a fault, and says how to see it again.
func (s simulation) tell(r sim.Result, out io.Writer) error {
	path := filepath.Join(s.out, fmt.Sprintf("seed-%d.scn", r.Seed))
	if err := writeFile(path, []byte(r.Scenario())); err != nil {
		return err
	}
	again := fmt.Sprintf("sua workflow simulate --from %d --seeds 1", r.Seed)
	for _, f := range s.files {
		again += " --file " + f
	}
	if s.workflow != "" {
		again += " --workflow " + s.workflow
	}
	for _, f := range s.scenarios {
		again += " --scenario " + f
	}
	if s.steps != 0 {
		again += fmt.Sprintf(" --steps %d", s.steps)
	}
	length := len(r.Shrunk)
	if length == 0 {
		length = len(r.Deeds)
	}
	fmt.Fprintf(out, "seme %d: %v\n  scenario di %d righe: %s\n  di nuovo: %s\n\n%s\n", r.Seed, r.Fault, length, path, again, r.Trace)
	return nil
}

// coverage says which share of the moves of each workflow was walked.
func (s simulation) coverage(lib *flow.Library, walked play.Walked, out io.Writer) {
	of, all := 0, 0
	for _, d := range within(lib, s.workflow) {
		var missing []string
		moves := sim.Transitions(d)
		for _, m := range moves {
			if walked[m] == 0 {
				missing = append(missing, fmt.Sprintf("%s: %s → %s", m.Event, cmp.Or(m.From, "-"), m.To))
			}
		}
		n := len(moves) - len(missing)
		of, all = of+n, all+len(moves)
		fmt.Fprintf(out, "%-24s %4d di %4d passaggi percorsi\n", d.Workflow, n, len(moves))
		if s.missing {
			slices.Sort(missing)
			for _, m := range missing {
				fmt.Fprintln(out, "    manca", m)
			}
		}
	}
	fmt.Fprintf(out, "%-24s %4d di %4d\n", "in tutto", of, all)
}

// within are the latest workflows that cases of one may have below them, and itself; all of them when none is named.
func within(lib *flow.Library, workflow string) []*flow.Definition {
	if workflow == "" {
		return lib.All()
	}
	var out []*flow.Definition
	for next := []string{workflow}; len(next) > 0; next = next[1:] {
		d, ok := lib.Latest(next[0])
		if !ok || slices.Contains(out, d) {
			continue
		}
		out = append(out, d)
		for _, c := range d.Children {
			next = append(next, c.Workflow)
		}
	}
	return out
}

// temporary opens stages on SQLite in a folder that is removed with them.
func temporary(ec engine.Config) func(context.Context, func() bool) (sim.Stage, error) {
	return func(ctx context.Context, broken func() bool) (stage sim.Stage, err error) {
		folder, err := os.MkdirTemp("", "sua-simulate-")
		if err != nil {
			return stage, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(folder))
			}
		}()
		clock, url := &play.Clock{}, "sqlite:"+filepath.Join(folder, "sim.db")
		if err := store.Migrate(ctx, url); err != nil {
			return stage, err
		}
		if stage.DB, err = store.Open(ctx, store.Options{URL: url, Now: clock.Now, Volatile: true, Broken: broken}); err != nil {
			return stage, err
		}
		stage.Close = func() error { return errors.Join(stage.DB.Close(), os.RemoveAll(folder)) }
		if stage.Config, err = play.On(ctx, stage.DB, clock, filepath.Join(folder, "documents"), ec); err != nil {
			return stage, errors.Join(err, stage.DB.Close())
		}
		return stage, nil
	}
}

// scenarioTexts reads scenarios from files and folders.
func scenarioTexts(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			var below []string
			for _, pattern := range []string{"*.scn", "*/*.scn"} {
				found, err := filepath.Glob(filepath.Join(path, pattern))
				if err != nil {
					return nil, err
				}
				below = append(below, found...)
			}
			files = below
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return nil, fmt.Errorf("non riesco a leggere lo scenario: %w", err)
			}
			out = append(out, string(b))
		}
	}
	return out, nil
}
