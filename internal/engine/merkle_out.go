package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// outsideEvery is how long after a copy no other goes to the same place, somewhat less than the day between two: whoever sends it may be
// started again meanwhile.
const outsideEvery = 20 * time.Hour

// copyStamp is the kind of a copy that is a time stamp; the others are channels of notices.
const copyStamp = "tsa"

// SendCheckpoint sends the latest checkpoint to addresses outside: a mail address, or "pec:" and a certified one. It goes to each once
// a day at most. An error for one keeps it from no other, and all are returned.
func (e *Engine) SendCheckpoint(ctx context.Context, to []string) error {
	var failed []error
	for _, address := range to {
		channel := store.ChannelMail
		plain, certified := strings.CutPrefix(address, "pec:")
		if certified {
			channel = store.ChannelPEC
		}
		failed = append(failed, e.outside(ctx, channel, plain, func(c store.Checkpoint) ([]byte, error) {
			if !e.sends(channel) {
				return nil, errNoSender
			}
			sending, cancel := context.WithTimeout(ctx, sendLimit)
			defer cancel()
			_, err := e.cfg.Notices.Senders[channel](sending, e.checkpointMessage(c, plain))
			return nil, err
		}))
	}
	return errors.Join(failed...)
}

// StampCheckpoint has an authority at an address stamp the latest checkpoint, once a day at most, and keeps its answer.
func (e *Engine) StampCheckpoint(ctx context.Context, address string, stamp func(context.Context, []byte) ([]byte, error)) error {
	return e.outside(ctx, copyStamp, address, func(c store.Checkpoint) ([]byte, error) { return stamp(ctx, c.Note) })
}

// outside brings the latest checkpoint to a place, unless it has one of today.
func (e *Engine) outside(ctx context.Context, kind, target string, bring func(store.Checkpoint) ([]byte, error)) error {
	last, err := e.db.LastCheckpoint(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	before, err := e.db.LastCopy(ctx, kind, target)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case before.Size == last.Size || now.Sub(before.At) < outsideEvery:
		return nil
	}
	answer, err := bring(last)
	if err != nil {
		return fmt.Errorf("checkpoint to %s: %w", kind, err)
	}
	err = e.db.SaveCopy(ctx, store.Copy{Size: last.Size, Kind: kind, Target: target, At: now, Body: answer})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// checkpointMessage is the mail that holds a checkpoint: the note stands alone between two lines, to be cut out and checked.
func (e *Engine) checkpointMessage(c store.Checkpoint, to string) notice.Message {
	text := fmt.Sprintf(`Questo è il checkpoint del registro Merkle delle procedure: attesta i primi %d eventi, con firma del %s.

Conservi questo messaggio. Chi verifica il registro (sua log verify --checkpoint FILE, oppure uno strumento di altri) lo confronta con
ciò che il registro contiene allora: se un evento di prima è stato cambiato o tolto, non corrisponde. Il file è ciò che sta fra le due
righe di trattini, righe escluse.

-----
%s-----

Il registro: %s/log/checkpoint
`, c.Size, c.At.Format("2006-01-02 15:04:05 UTC"), c.Note, e.cfg.Notices.PublicURL)
	return notice.Message{
		ID: fmt.Sprintf("checkpoint-%d-%d", c.Size, c.At.Unix()), Thread: "checkpoint", To: to, Lang: "it", At: c.At,
		Subject: fmt.Sprintf("Checkpoint del registro: %d eventi", c.Size), Text: text,
	}
}

// CheckpointStamps lists the time stamps of checkpoints with the note that each is of, by size.
func (e *Engine) CheckpointStamps(ctx context.Context) ([]CheckpointStamp, error) {
	copies, err := e.db.Copies(ctx, 0)
	if err != nil {
		return nil, err
	}
	all, err := e.db.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	notes := make(map[int64][]byte, len(all))
	for _, c := range all {
		notes[c.Size] = c.Note
	}
	var out []CheckpointStamp
	for _, c := range copies {
		if c.Kind == copyStamp {
			out = append(out, CheckpointStamp{Size: c.Size, Authority: c.Target, Note: notes[c.Size], Answer: c.Body})
		}
	}
	return out, nil
}

// CheckpointStamp is the RFC 3161 answer of an authority to the SHA-256 of a signed note.
type CheckpointStamp struct {
	Size         int64
	Authority    string
	Note, Answer []byte
}
