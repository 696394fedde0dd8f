package play_test

import (
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
)

// proved verifies everything on a stage: chains, and that each story rebuilds its cases to the last field, row, document and term.
func proved(t testing.TB, stage play.Config) {
	t.Helper()
	v, err := stage.Engine.Verify(t.Context(), engine.Verify{Documents: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		t.Errorf("%s/%s event %d %s: %s", f.Root, f.Case, f.Seq, f.Event, f.Text)
	}
	if v.Events == 0 || v.Trees == 0 {
		t.Errorf("nothing was verified: %+v", v)
	}
}
