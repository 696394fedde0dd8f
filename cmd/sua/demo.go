package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
)

func demoCommand() *cobra.Command {
	var reset bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Carica i dati dimostrativi in un database vuoto",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, func(cfg *config.Config) { cfg.Demo = true })
			if err != nil {
				return err
			}
			unlock, err := lockDatabase(cfg.Database.URL)
			if err != nil {
				return err
			}
			defer unlock()
			if reset {
				if err := wipeDemo(c.Context(), cfg); err != nil {
					return err
				}
			}
			if err := loadDemo(c.Context(), cfg); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "dati dimostrativi pronti: sua serve --demo")
			return nil
		},
	}
	c.Flags().BoolVar(&reset, "reset", false, "cancella prima il database, se contiene solo la dimostrazione")
	return c
}

// loadDemo plays the demonstration on a connection of its own, whose clock goes through the days before today. It does nothing
// when the demonstration is there, and refuses a database that holds other cases.
func loadDemo(ctx context.Context, cfg config.Config) (err error) {
	if err := store.Migrate(ctx, cfg.Database.OwnerURL); err != nil {
		return databaseError(err)
	}
	clock := &play.Clock{}
	// On SQLite a thousand commits do not wait for the disk one by one, but together at the end, before anybody works on them. What a
	// power cut spoils until then is loaded again (make demo-reset).
	db, err := store.Open(ctx, store.Options{URL: cfg.Database.URL, Now: clock.Now, Volatile: true})
	if err != nil {
		return databaseError(err)
	}
	defer func() { err = errors.Join(err, db.Close(), toDisk(cfg.Database.URL)) }()
	ec, err := engineConfig(cfg)
	if err != nil {
		return err
	}
	if ec, err = play.ForDemo(ec); err != nil {
		return err
	}
	stage, err := play.On(ctx, db, clock, cfg.Documents.Folder, ec)
	if err != nil {
		return err
	}
	if _, err = play.Demo(ctx, stage, db, time.Now()); err != nil {
		return fmt.Errorf("dimostrazione: %w", err)
	}
	return nil
}

// toDisk waits until a closed SQLite database is on disk. On PostgreSQL each commit has waited.
func toDisk(url string) error {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// wipeDemo empties a database in which everybody is a demonstration account.
func wipeDemo(ctx context.Context, cfg config.Config) error {
	if err := store.Migrate(ctx, cfg.Database.OwnerURL); err != nil {
		return databaseError(err)
	}
	db, err := store.Open(ctx, store.Options{URL: cfg.Database.URL, Now: time.Now})
	if err != nil {
		return databaseError(err)
	}
	people, _, err := db.People(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return databaseError(err)
	}
	for _, p := range people {
		if p.Demo == 0 {
			return errors.New("il database non contiene solo la dimostrazione: non lo cancello")
		}
	}
	return store.Wipe(ctx, cfg.Database.OwnerURL)
}

// onePerRole chooses accounts to print: for each role somebody who has it, from the bodies with most people.
func onePerRole(accounts []engine.Account) []engine.Account {
	people := map[string]int{}
	body := func(a engine.Account) string {
		if len(a.Roles) == 0 {
			return ""
		}
		return a.Roles[0].Body.ID
	}
	for _, a := range accounts {
		people[body(a)]++
	}
	sorted := slices.Clone(accounts)
	slices.SortStableFunc(sorted, func(a, b engine.Account) int {
		return cmp.Or(cmp.Compare(people[body(b)], people[body(a)]), cmp.Compare(body(a), body(b)))
	})
	held := map[string]bool{}
	return slices.DeleteFunc(sorted, func(a engine.Account) bool {
		seen := true
		for _, r := range a.Roles {
			seen, held[r.Role.ID] = seen && held[r.Role.ID], true
		}
		return seen
	})
}
