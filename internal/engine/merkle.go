package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/store"
)

// grownAtOnce is how many entries one transaction adds to the tiles of the Merkle log.
const grownAtOnce = 64 * audit.TileWidth

// ErrLogChanged: what the Merkle log has or has signed is no more what the database says. Somebody changed the history, or put back an
// old copy of the database.
var ErrLogChanged = store.ErrLogChanged

// ExtendLog takes what was numbered into the Merkle log and signs a checkpoint of it with the log's secret key; nothing happens
// when there is nothing new. ErrLogChanged: it would not fit what was signed before; then nothing is signed, and the log of the
// program says so as an error each time. formerly are the public keys that signed before this one, see audit.ParseCheckpoint.
func (e *Engine) ExtendLog(ctx context.Context, secret string, formerly ...string) error {
	err := e.extendLog(ctx, secret, formerly)
	if errors.Is(err, ErrLogChanged) {
		e.cfg.Log.Error("THE HISTORY DOES NOT FIT WHAT WAS SIGNED: nothing is signed any more; run sua log verify", "error", err)
	}
	return err
}

func (e *Engine) extendLog(ctx context.Context, secret string, formerly []string) error {
	if _, err := e.Sequence(ctx); err != nil {
		return err
	}
	var size int64
	for more := true; more; {
		var err error
		if size, more, err = e.db.GrowTiles(ctx, grownAtOnce); err != nil {
			return err
		}
	}
	last, err := e.db.LastCheckpoint(ctx)
	switch {
	case errors.Is(err, ErrNotFound) && size == 0:
		return nil
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case last.Size == size:
		return nil
	default:
		if err := e.fitsLast(ctx, last, size, secret, formerly); err != nil {
			return err
		}
	}
	root, err := audit.RootHash(e.db.TileReader(ctx), size)
	if err != nil {
		return err
	}
	signed, err := audit.SignCheckpoint(secret, size, root)
	if err != nil {
		return err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	err = e.db.SaveCheckpoint(ctx, store.Checkpoint{Size: size, Root: root, Note: signed, At: now})
	if errors.Is(err, store.ErrConflict) { // another process signed it meanwhile
		return nil
	}
	return err
}

// fitsLast checks that the log of size entries begins with what was signed last, and that it was signed with this key or one before it.
func (e *Engine) fitsLast(ctx context.Context, last store.Checkpoint, size int64, secret string, formerly []string) error {
	_, public, err := audit.PublicKey(secret)
	if err != nil {
		return err
	}
	signed, err := audit.ParseCheckpoint(last.Note, strings.Join(append([]string{public}, formerly...), "\n"))
	if err != nil {
		return fmt.Errorf("the last checkpoint is not signed with the key in use: %w", err)
	}
	if last.Size > size || signed.Size != last.Size {
		return fmt.Errorf("%w: %d entries were signed, there are %d", ErrLogChanged, signed.Size, size)
	}
	root, err := audit.RootHash(e.db.TileReader(ctx), last.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, signed.Root) {
		return fmt.Errorf("%w: the first %d entries have another root than was signed", ErrLogChanged, last.Size)
	}
	return nil
}

// LogCheckpoint is the latest signed note of the Merkle log: public, for anybody. ErrNotFound before the first.
func (e *Engine) LogCheckpoint(ctx context.Context) ([]byte, error) {
	c, err := e.db.LastCheckpoint(ctx)
	return c.Note, err
}

// LogTile is the first width hashes of a tile, or with level -1 a bundle of width entries, as far as they are signed: public, for
// anybody, since a hash tells nothing. ErrNotFound: there is no such tile in the log of the latest checkpoint.
func (e *Engine) LogTile(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	last, err := e.db.LastCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	if width > audit.Width(max(level, 0), n, last.Size) {
		return nil, ErrNotFound
	}
	if level >= 0 {
		return e.db.TileReader(ctx)(level, n, width)
	}
	entries := make([][]byte, 0, width)
	err = e.db.Leaves(ctx, n*audit.TileWidth, n*audit.TileWidth+int64(width), false, func(l store.Leaf) error {
		entries = append(entries, l.Hash)
		return nil
	})
	return audit.Bundle(entries), err
}
