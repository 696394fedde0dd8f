package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/notify"
)

// Receipts reads the mailbox of certified mail every so often until ctx ends, and keeps the receipts of our notices.
func Receipts(ctx context.Context, e *engine.Engine, box *notify.Mailbox, every time.Duration, log *slog.Logger) {
	take := func(ctx context.Context, r notice.Receipt) error {
		err := e.RecordReceipt(ctx, r)
		if errors.Is(err, engine.ErrNotFound) { // of a mail that somebody wrote by hand
			log.Info("receipt of no notice", "kind", r.Kind, "sha256", r.SHA256)
			return nil
		}
		return err
	}
	repeat(ctx, every, func() {
		n, err := box.Poll(ctx, take, func(err error) { log.Warn("receipt not believed", "error", err) })
		if err != nil && ctx.Err() == nil {
			log.Error("receipts not read", "error", err)
		} else if n > 0 {
			log.Info("receipts read", "count", n)
		}
	})
}
