package exchange

import (
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// subject is an engine with an empty office, and its clock.
type subject struct {
	*engine.Engine
	db *store.DB
}

var today = time.Date(2023, 9, 10, 8, 0, 0, 0, time.UTC)

func newSubject(tb testing.TB) *subject {
	return on(tb, storetest.SQLite(tb, store.Options{Now: func() time.Time { return today }}))
}

func on(tb testing.TB, db *store.DB) *subject {
	tb.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		tb.Fatal(err)
	}
	cfg.DB = db
	e, err := engine.New(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return &subject{e, db}
}
