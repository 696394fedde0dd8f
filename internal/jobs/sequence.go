package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// Sequence numbers events every so often until ctx ends. Several processes may: one at a time works.
func Sequence(ctx context.Context, e *engine.Engine, every time.Duration, log *slog.Logger) {
	repeat(ctx, every, func() {
		if _, err := e.Sequence(ctx); err != nil && ctx.Err() == nil {
			log.Error("events not numbered", "error", err)
		}
	})
}
