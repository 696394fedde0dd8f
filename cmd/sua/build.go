package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notify"
	"github.com/province-comuni/sua/internal/store"
)

// program is what most commands need: configuration, database, engine.
type program struct {
	cfg    config.Config
	log    *slog.Logger
	db     *store.DB
	engine *engine.Engine
	// mailbox is where receipts of certified mail are read; nil without one
	mailbox *notify.Mailbox
}

// settings loads and checks the configuration; flags are applied by change before the check.
func settings(c *cobra.Command, change func(*config.Config)) (config.Config, error) {
	path, err := c.Flags().GetString("config")
	if err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Load(path, os.Environ())
	if err != nil {
		return cfg, err
	}
	if change != nil {
		change(&cfg)
	}
	return cfg, cfg.Validate()
}

// build migrates and opens everything. The caller closes the database.
func build(ctx context.Context, cfg config.Config) (*program, error) {
	p := &program{cfg: cfg, log: newLog(cfg.Log)}
	if err := store.Migrate(ctx, cfg.Database.OwnerURL); err != nil {
		return nil, databaseError(err)
	}
	var err error
	if p.db, err = store.Open(ctx, store.Options{URL: cfg.Database.URL, Now: clockFor(cfg.Database.URL)}); err != nil {
		return nil, databaseError(err)
	}
	if err := p.db.CheckRole(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("il ruolo PostgreSQL può aggirare la protezione dello storico: collegati come sua_app (%w)", err), p.db.Close())
	}
	if err := p.buildEngine(ctx); err != nil {
		return nil, errors.Join(err, p.db.Close())
	}
	return p, nil
}

func (p *program) buildEngine(ctx context.Context) error {
	ec, err := engineConfig(p.cfg)
	if err != nil {
		return err
	}
	ec.DB, ec.Log, ec.Enforce, ec.TwoPeople = p.db, p.log, p.cfg.Enforce, p.cfg.TwoPeople
	ec.MaxUpload, ec.Session = int64(p.cfg.Documents.MaxMB)<<20, time.Duration(p.cfg.Session.Hours)*time.Hour
	if ec.Blobs, err = blob.Open(p.cfg.Documents.Folder); err != nil {
		return err
	}
	if err := p.channels(&ec); err != nil {
		return err
	}
	p.engine, err = engine.New(ctx, ec)
	return err
}

// engineConfig reads the workflows that ship with the program and those of the administrator's folder.
func engineConfig(cfg config.Config) (engine.Config, error) {
	var extra fs.FS
	if cfg.Workflows.Folder != "" {
		extra = os.DirFS(cfg.Workflows.Folder)
	}
	ec, err := engine.Shipped(extra)
	if err != nil {
		return ec, fmt.Errorf("flussi: %w", err)
	}
	return ec, nil
}

// clockFor is the machine's clock on SQLite; on PostgreSQL nil, which stands for the database's.
func clockFor(url string) func() time.Time {
	if strings.HasPrefix(url, "sqlite:") {
		return time.Now
	}
	return nil
}

func databaseError(err error) error {
	if errors.Is(err, store.ErrNewer) {
		return fmt.Errorf("il database è di una versione più recente di questo programma: aggiorna sua (%w)", err)
	}
	if errors.Is(err, store.ErrGaps) {
		text, _, _ := strings.Cut(err.Error(), "\n") // below stands what the library says of the same
		_, numbers, _ := strings.Cut(text, store.ErrGaps.Error()+": ")
		return fmt.Errorf("il database è nato con una versione di prova di questo programma: gli mancano le migrazioni %s, e ne ha di più nuove. Non si può aggiornare: ricrealo, o riprendi una copia fatta con una versione pubblicata", numbers)
	}
	if errors.Is(err, store.ErrNotOwner) {
		return fmt.Errorf("lo schema del database non è aggiornato e questo ruolo non può aggiornarlo: esegui «sua migrate» con SUA_DATABASE_OWNER_URL (%w)", err)
	}
	return fmt.Errorf("database: %w", err)
}

func newLog(c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // Validate has refused anything else
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}
