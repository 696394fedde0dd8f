package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Wipe empties the database, for the demonstration only. url is the owner's on PostgreSQL: sua_app may not. On SQLite the
// file is removed, so no program may have it open; Migrate makes it anew.
func Wipe(ctx context.Context, url string) error {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("wipe: %w", err)
			}
		}
		return nil
	}
	db, _, _, err := openForGoose(url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `TRUNCATE checkpoint_copies, checkpoints, tiles, log, receipts, calendar_links, webhooks, notices, contacts, outbox, links, documents, deadlines, events, case_rows, case_search, cases, idempotency,
		definitions, agreements, tokens, memberships, people, bodies; UPDATE log_head SET n = 0, watermark = 0, cluster = ''`)
	if err != nil {
		return fmt.Errorf("wipe: %w", err)
	}
	return nil
}
