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
	Open           int64  // cases that have not ended, or that have terms after their end
}

// Definitions returns every pinned definition with the number of its open cases. It reads every case, once: it is for the start.
func (db *DB) Definitions(ctx context.Context) ([]Pinned, error) {
	var out []Pinned
	err := db.read(ctx, Everything, query{
		sql: `SELECT d.hash, d.workflow, d.version, d.source, coalesce(c.n, 0)
			FROM definitions d LEFT JOIN (SELECT hash, count(*) AS n FROM cases WHERE outcome = '' OR next_due IS NOT NULL GROUP BY hash) c ON c.hash = d.hash
			ORDER BY d.workflow, d.version`,
		scan: func(r rows) error {
			var p Pinned
			err := r.Scan(&p.Hash, &p.Workflow, &p.Version, &p.Source, &p.Open)
			out = append(out, p)
			return err
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read definitions: %w", err)
	}
	return out, nil
}

// Pin adds a definition. ErrConflict means that this workflow and version is already there.
func (db *DB) Pin(ctx context.Context, p Pinned, now time.Time) error {
	return db.admin(ctx, func(g *gorm.DB) error {
		return g.Exec("INSERT INTO definitions (hash, workflow, version, source, pinned_at) VALUES (?, ?, ?, ?, ?)", p.Hash, p.Workflow, p.Version, p.Source, now).Error
	})
}
