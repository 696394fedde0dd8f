package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Pinned is a workflow definition as the database keeps it for the cases that follow it.
type Pinned struct {
	Hash, Workflow string
	Version        int
	Source         []byte // exact bytes
}

// Definitions returns every pinned definition.
func (db *DB) Definitions(ctx context.Context) ([]Pinned, error) {
	var out []Pinned
	err := db.read(ctx, Everything, query{
		sql: "SELECT hash, workflow, version, source FROM definitions ORDER BY workflow, version",
		scan: func(r rows) error {
			var p Pinned
			err := r.Scan(&p.Hash, &p.Workflow, &p.Version, &p.Source)
			out = append(out, p)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	return out, nil
}

// Followed returns the hashes of the definitions that cases follow which have not ended, or which have terms after their end. It reads
// every case: it is for a start that finds a definition it does not understand any more.
func (db *DB) Followed(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	err := db.read(ctx, Everything, query{
		sql: "SELECT DISTINCT hash FROM cases WHERE outcome = '' OR next_due IS NOT NULL",
		scan: func(r rows) error {
			var hash string
			err := r.Scan(&hash)
			out[hash] = true
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read definitions of open cases: %w", err)
	}
	return out, nil
}

// Pin adds a definition. ErrConflict means that this workflow and version is already there.
func (db *DB) Pin(ctx context.Context, p Pinned, now time.Time) error {
	return db.admin(ctx, func(g *gorm.DB) error {
		return g.Exec("INSERT INTO definitions (hash, workflow, version, source, pinned_at) VALUES (?, ?, ?, ?, ?)", p.Hash, p.Workflow, p.Version, p.Source, now).Error
	})
}
