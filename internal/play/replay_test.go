package play_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
)

// proved verifies everything on a stage: chains, and that each story rebuilds its cases to the last field, row, document and term.
func proved(t testing.TB, stage play.Config) {
	t.Helper()
	ctx, who := t.Context(), auth.System("test")
	v, err := stage.Engine.Verify(ctx, engine.Verify{Documents: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Findings {
		t.Errorf("%s/%s event %d %s: %s", f.Root, f.Case, f.Seq, f.Event, f.Text)
	}
	if v.Surveyed > 0 {
		t.Logf("%d of %d trees that are well were not found so by the quick look", v.Surveyed, v.Trees+v.Surveyed)
	}
	if v.Events == 0 || v.Trees == 0 {
		t.Errorf("nothing was verified: %+v", v)
	}
	now, err := stage.Engine.Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	page, err := stage.Engine.Cases(ctx, who, engine.Filter{Children: true, Limit: engine.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range page.Items {
		if i%7 != 0 && os.Getenv("SUA_TEST_LONG") == "" {
			continue // Verify has compared them all
		}
		view, err := stage.Engine.Case(ctx, who, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		asIt(t, stage, &view, now)
		midway(t, stage, &view, now)
	}
}

// asIt compares a case with what its story rebuilds of it up to now.
func asIt(t testing.TB, stage play.Config, view *engine.CaseView, now time.Time) {
	t.Helper()
	past, err := stage.Engine.AsOf(t.Context(), auth.System("test"), view.ID, now)
	if err != nil {
		t.Fatalf("%s as of now: %v", view.ID, err)
	}
	if !past.Verified {
		t.Errorf("%s: %s", view.ID, past.Broken)
	}
	if diff := cmp.Diff(shown(*view), shown(past.CaseView), cmpopts.IgnoreUnexported(engine.DeadlineView{})); diff != "" {
		t.Errorf("%s as of now (-case +story):\n%s", view.ID, diff)
	}
}

// shown leaves out of a view what the story does not tell: what happens to be next, whose turn it is, that a term waits for
// something, and when it was last looked at.
func shown(v engine.CaseView) engine.CaseView {
	v.Turn, v.NextDue, v.UpdatedAt, v.EndedAt, v.Children, v.Parents = nil, nil, time.Time{}, nil, nil, nil
	v.Deadlines = slices.Clone(v.Deadlines)
	for i := range v.Deadlines {
		d := &v.Deadlines[i]
		d.EndedAt, d.BlockedBy, d.Forecast, d.ByHand = nil, nil, nil, nil
		if d.Status == store.Blocked {
			d.Status = store.Running
		}
	}
	slices.SortStableFunc(v.Deadlines, func(a, b engine.DeadlineView) int {
		if c := a.DueAt.Compare(b.DueAt); c != 0 {
			return c
		}
		return compareText(a.ID, b.ID)
	})
	return v
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// midway looks at a case just after each of its events, and just before it began.
func midway(t testing.TB, stage play.Config, view *engine.CaseView, now time.Time) {
	t.Helper()
	ctx, who := t.Context(), auth.System("test")
	h, err := stage.Engine.History(ctx, who, view.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	last := map[time.Time]engine.HistoryItem{} // of several at one instant the last one counts
	for _, item := range h.Items {
		if item.Case == view.ID {
			last[item.At] = item
		}
	}
	for at, item := range last {
		past, err := stage.Engine.AsOf(ctx, who, view.ID, at)
		if err != nil || past.State.ID != item.To.ID || past.Hash != item.Definition {
			t.Errorf("%s as of event %d: %q, want %q (%v)", view.ID, item.Seq, past.State.ID, item.To.ID, err)
		}
	}
	if _, err := stage.Engine.AsOf(ctx, who, view.ID, view.OpenedAt.Add(-time.Microsecond)); engine.Kind(err) != engine.KindInvalid {
		t.Errorf("%s before it began: %v", view.ID, err)
	}
	if _, err := stage.Engine.AsOf(ctx, who, view.ID, now.Add(time.Hour)); engine.Kind(err) != engine.KindInvalid {
		t.Errorf("%s tomorrow: %v", view.ID, err)
	}
}
