package engine

import (
	"context"
	"errors"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/store"
)

// proofs adds the checkpoint and the way of each event to its root: of the latest checkpoint, or of the one with the size asked for.
// Events that came after it have none.
func (x *exporter) proofs(ctx context.Context, root string) error {
	point, err := x.checkpoint(ctx)
	if errors.Is(err, ErrNotFound) {
		if x.q.Size != 0 {
			return &Invalid{[]Problem{problem("/checkpoint", "checkpoint_unknown")}}
		}
		return nil // nothing was signed yet
	}
	if err != nil {
		return err
	}
	numbers, err := x.e.db.LogNumbers(ctx, root)
	if err != nil {
		return err
	}
	l := &dossier.LogProofs{Checkpoint: point.Note, Proofs: []dossier.Inclusion{}}
	tiles := x.e.db.TileReader(ctx)
	for i := range x.out.Events {
		seq := x.out.Events[i].Seq
		n := numbers[seq]
		if n == 0 || n > point.Size {
			continue
		}
		path, err := audit.InclusionProof(tiles, n-1, point.Size)
		if err != nil {
			return err
		}
		l.Proofs = append(l.Proofs, dossier.Inclusion{Seq: seq, N: n, Path: path})
	}
	x.out.Log = l
	return nil
}

func (x *exporter) checkpoint(ctx context.Context) (store.Checkpoint, error) {
	if x.q.Size == 0 {
		return x.e.db.LastCheckpoint(ctx)
	}
	all, err := x.e.db.Checkpoints(ctx)
	if err != nil {
		return store.Checkpoint{}, err
	}
	for _, c := range all {
		if c.Size == x.q.Size {
			return c, nil
		}
	}
	return store.Checkpoint{}, ErrNotFound
}
