package engine

import (
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// A term that is not over waits for its day, one that a worker put off waits a little: neither is asleep.
func TestTermThatNobodyWouldLookAtIsFound(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for name, x := range map[string]struct {
		status string
		due    time.Time
		next   time.Time
		asleep bool
	}{
		"to come":          {store.Running, now.AddDate(1, 0, 0), now.AddDate(1, 0, 0), false},
		"put off":          {store.Running, now.Add(-time.Hour), now.Add(retryFailed), false},
		"blocked":          {store.Blocked, now.Add(-time.Hour), now.Add(retryBlocked), false},
		"put to sleep":     {store.Running, now.AddDate(0, 0, 3), now.AddDate(70, 0, 0), true},
		"blocked for ever": {store.Blocked, now.Add(-time.Hour), now.AddDate(70, 0, 0), true},
		"over":             {store.Met, now.Add(-time.Hour), now.AddDate(70, 0, 0), false},
	} {
		s := &surveyedCase{c: &store.Case{}, deadlines: []store.Deadline{{Name: "t", Status: x.status, DueAt: x.due, NextTry: x.next}}}
		if got := sleepingTerms(s, now); (len(got) > 0) != x.asleep {
			t.Errorf("%s: %q", name, got)
		}
	}
}
