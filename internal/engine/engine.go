// Package engine is the service layer: what may be done to cases, by whom, and what follows.
//
// API, pages, command line and workers all call the same use cases here. A change runs as load → decide → apply: package
// store locks the tree and reads facts, decide (pure: no clock, no I/O) says what happens, and everything it says is
// written in that same transaction. Which kinds of case exist and how they move is data, compiled by package flow; Go kind by
// kind is only the guards and effects of guards*.go and effects.go. Read fire.go first.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// Config is what an Engine is made of. DB, Sources and Limits are required.
type Config struct {
	DB        *store.DB // its clock is the engine's clock
	Sources   []flow.Source
	Catalogue flow.Catalogue
	Limits    *law.Table
	Blobs     *blob.Store // where documents' bytes go; nil refuses uploads
	// Enforce names limits marked M or P that this SUA wants to block instead of warn; "*" for all.
	Enforce []string
	// TwoPeople wants a rectification made by someone other than who did what is mended.
	TwoPeople bool
	// MaxUpload is the largest document, in bytes; 0 is 50 MB.
	MaxUpload int64
	// Session is how long a sign-in lasts; 0 is twelve hours.
	Session time.Duration
	// Notices says how people are told; its zero value tells them in the program alone.
	Notices Notices
	// NewID makes ids of cases and documents; nil is UUIDv7.
	NewID func() string
	Log   *slog.Logger // nil discards
}

// Engine carries out use cases. Safe for concurrent use.
type Engine struct {
	cfg     Config
	db      *store.DB
	lib     *flow.Library
	limits  *law.Table
	parties parties
	tokens  tokenCache
	paces   paces
	// blocking are the workflows with deadlines, of their own or of cases below, that something may hold back: each change of
	// such a tree tries them again
	blocking map[string]bool
}

// New compiles the workflows together with those that the database has pinned, pins the new ones, and returns an engine.
//
// It refuses a released definition that changed (same workflow and version, other bytes) and a pinned definition with open
// cases that no longer compiles. The warnings of Compile go to the log.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.NewID == nil {
		cfg.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if cfg.MaxUpload == 0 {
		cfg.MaxUpload = 50 << 20
	}
	if cfg.Session == 0 {
		cfg.Session = 12 * time.Hour
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	for _, key := range cfg.Enforce {
		if key != "*" && !cfg.Limits.Has(key) {
			return nil, fmt.Errorf("enforce: la chiave %q non è in limits.yaml", key)
		}
	}
	if cfg.Notices.Templates == nil {
		var err error
		if cfg.Notices.Templates, err = shippedNotices(nil); err != nil {
			return nil, err
		}
	}
	e := &Engine{cfg: cfg, db: cfg.DB, limits: cfg.Limits, parties: parties{db: cfg.DB}}
	if err := e.pin(ctx); err != nil {
		return nil, err
	}
	e.blocking = blocking(e.lib.All())
	return e, e.parties.refresh(ctx)
}

// blocking finds the workflows whose trees may hold blocked deadlines, whatever the version.
func blocking(all []*flow.Definition) map[string]bool {
	found := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for _, d := range all {
			own := slices.ContainsFunc(d.Deadlines, func(d flow.Deadline) bool { return len(d.BlockedBy) > 0 })
			below := slices.ContainsFunc(d.Children, func(c flow.Child) bool { return found[c.Workflow] })
			if (own || below) && !found[d.Workflow] {
				found[d.Workflow], grown = true, true
			}
		}
	}
	return found
}

// pin builds the library out of files and database, and pins what is new.
func (e *Engine) pin(ctx context.Context) error {
	pinned, err := e.db.Definitions(ctx)
	if err != nil {
		return err
	}
	files, warnings, err := flow.Compile(e.cfg.Sources, Vocabulary(), e.limits, e.cfg.Catalogue)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		e.cfg.Log.Warn("workflow", "warning", w.String())
	}
	known := map[string]string{}
	for _, p := range pinned {
		known[fmt.Sprintf("%s v%d", p.Workflow, p.Version)] = p.Hash
	}
	var fresh []*flow.Definition
	for _, d := range files.All() {
		name := fmt.Sprintf("%s v%d", d.Workflow, d.Version)
		switch hash, ok := known[name]; {
		case !ok:
			fresh = append(fresh, d)
		case hash != d.Hash:
			return errChanged(d)
		}
	}
	if e.lib, err = e.compileAll(ctx, files, pinned); err != nil {
		return err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	for _, d := range fresh {
		p := store.Pinned{Hash: d.Hash, Workflow: d.Workflow, Version: d.Version, Source: d.Source}
		err := e.db.Pin(ctx, p, now)
		if errors.Is(err, store.ErrConflict) { // another process was starting too
			err = e.pinnedAs(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pinnedAs refuses when a definition was pinned meanwhile with other bytes.
func (e *Engine) pinnedAs(ctx context.Context, d *flow.Definition) error {
	pinned, err := e.db.Definitions(ctx)
	if err != nil {
		return err
	}
	for _, p := range pinned {
		if p.Workflow == d.Workflow && p.Version == d.Version && p.Hash != d.Hash {
			return errChanged(d)
		}
	}
	return nil
}

func errChanged(d *flow.Definition) error {
	return fmt.Errorf("il flusso %s v%d è già stato rilasciato e ora è diverso: alza la versione (version: %d) invece di cambiarlo", d.Workflow, d.Version, d.Version+1)
}

// compileAll adds to the files the definitions that live only in the database. Those without open cases may fail to
// compile: they are left out, and their ended cases are shown by ids.
func (e *Engine) compileAll(ctx context.Context, files *flow.Library, pinned []store.Pinned) (*flow.Library, error) {
	old := func(keep func(store.Pinned) bool) []flow.Source {
		out := slices.Clone(e.cfg.Sources)
		for _, p := range pinned {
			if _, ok := files.ByHash(p.Hash); !ok && keep(p) {
				out = append(out, flow.Source{Name: fmt.Sprintf("%s v%d (archivio)", p.Workflow, p.Version), Data: p.Source, Pinned: true})
			}
		}
		return out
	}
	all := old(func(store.Pinned) bool { return true })
	if len(all) == len(e.cfg.Sources) {
		return files, nil
	}
	lib, _, err := flow.Compile(all, Vocabulary(), e.limits, e.cfg.Catalogue)
	if err == nil {
		return lib, nil
	}
	followed, errRead := e.db.Followed(ctx)
	if errRead != nil {
		return nil, errRead
	}
	lib, _, errOpen := flow.Compile(old(func(p store.Pinned) bool { return followed[p.Hash] }), Vocabulary(), e.limits, e.cfg.Catalogue)
	if errOpen != nil {
		return nil, fmt.Errorf("una definizione con pratiche in corso non è più valida per questo programma: %w", errOpen)
	}
	e.cfg.Log.Warn("definitions of ended cases no longer compile", "error", err)
	return lib, nil
}

// Now is the time of the engine's clock.
func (e *Engine) Now(ctx context.Context) (time.Time, error) { return e.db.Now(ctx) }

// Ping reports whether the database answers.
func (e *Engine) Ping(ctx context.Context) error { return e.db.Ping(ctx) }

// scope is what the actor may see: the cases of the actor's bodies, as member or as SUA.
func scope(who auth.Actor) store.Scope {
	return store.Scope{All: who.Everywhere(), Bodies: who.Bodies()}
}

// enforced reports whether a limit that evidence alone would only warn about blocks here.
func (e *Engine) enforced(key string) bool {
	return slices.Contains(e.cfg.Enforce, "*") || slices.Contains(e.cfg.Enforce, key)
}

// holidays are the national ones and the patron saint of the SUA's seat.
func (e *Engine) holidays(sua string) calendar.Holidays {
	if b, ok := e.parties.body(sua); ok && b.Patron != "" {
		if md, err := calendar.ParseMonthDay(b.Patron); err == nil {
			return calendar.Italy(md)
		}
	}
	return calendar.Italy()
}
