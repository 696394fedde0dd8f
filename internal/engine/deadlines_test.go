package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// termList names the terms of a list: name and status, in its order.
func termList(t *testing.T, o *office, who auth.Actor, q engine.DeadlineQuery) string {
	t.Helper()
	var out []string
	for {
		p, err := o.FindDeadlines(t.Context(), who, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			text := r.Name + " " + r.Status
			if r.Overdue {
				text += "!"
			}
			out = append(out, text)
		}
		if q.Cursor = p.Next; p.Next == "" {
			return strings.Join(out, ", ")
		}
	}
}

func TestDeadlinesAcrossCases(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-24T12:00:00+01:00")
		fire(t, o, o.clerk, id, "dated", nil)
		other := published(t, o, "2026-04-24T12:00:00+02:00")
		fire(t, o, o.clerk, other, "stay", nil)
		for q, want := range map[engine.DeadlineQuery]string{
			{}:                                   "asking running, bids_close running, whole running, whole running",
			{State: "running"}:                   "asking running, bids_close running, whole running, whole running",
			{State: "suspended"}:                 "bids_close suspended",
			{State: "overdue"}:                   "",
			{Days: 17}:                           "",
			{Days: 18}:                           "asking running", // to the end of the 20th
			{Days: 22}:                           "asking running, bids_close running",
			{Workflow: "question"}:               "",
			{Body: "este"}:                       "",
			{Body: "conselve", State: "blocked"}: "",
			{After: instantOf(t, "2026-03-22T00:00:00Z"), Before: instantOf(t, "2026-05-01T00:00:00Z")}: "bids_close running",
		} {
			if got := termList(t, o, o.clerk, q); got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
			for _, limit := range []int{1, 2, 3} {
				q.Limit = limit
				if got := termList(t, o, o.clerk, q); got != want {
					t.Errorf("%+v: %s, want %s", q, got, want)
				}
			}
		}
		p, err := o.FindDeadlines(t.Context(), o.clerk, engine.DeadlineQuery{Limit: 1})
		if err != nil || p.Items[0].Title != "Scuola" || p.Items[0].Case.ID != id || p.Items[0].Percent != 0 || len(p.Items[0].ByHand) != 2 {
			t.Errorf("%+v %v", p.Items, err)
		}
		if got := termList(t, o, o.otherRUP, engine.DeadlineQuery{}); got != "" {
			t.Errorf("another Comune sees %s", got)
		}
		if got := termList(t, o, o.auditor, engine.DeadlineQuery{}); strings.Count(got, ",") != 3 {
			t.Errorf("control sees %s", got)
		}
		o.clock.add(19 * day)
		expire(t, o)
		if got := termList(t, o, o.clerk, engine.DeadlineQuery{State: "overdue"}); got != "asking expired!" { // people were told, and nothing has happened
			t.Errorf("overdue: %s", got)
		}
		o.clock.add(10 * day)
		expire(t, o)
		if got := termList(t, o, o.clerk, engine.DeadlineQuery{}); got != "whole running, whole running" {
			t.Errorf("once bids have closed: %s", got)
		}
	})
}

// What was to stop a term and came late takes it off the list.
func TestLapsedTermIsListedUntilWhatItWaitsForHappens(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-24T12:00:00+01:00")
		o.clock.add(200 * day)
		expire(t, o)
		if got := termList(t, o, o.clerk, engine.DeadlineQuery{State: "overdue"}); got != "whole expired!" {
			t.Fatalf("lapsed: %s", got)
		}
		p, err := o.FindDeadlines(t.Context(), o.clerk, engine.DeadlineQuery{})
		if err != nil || len(p.Items) != 1 || p.Items[0].Acts[0].ID != "sua_director" || p.Items[0].Percent != 100 {
			t.Errorf("%+v %v", p.Items, err)
		}
		fire(t, o, o.director, id, "award", nil)
		if got := termList(t, o, o.clerk, engine.DeadlineQuery{}); got != "" {
			t.Errorf("done late: %s", got)
		}
	})
}

func TestDeadlinesOfMine(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		wait(t, o, "go")
		if got := termList(t, o, o.rup, engine.DeadlineQuery{Scope: engine.ScopeMine}); got != "" { // nobody was made its RUP
			t.Errorf("mine: %s", got)
		}
		if got := termList(t, o, o.rup, engine.DeadlineQuery{Scope: engine.ScopeBody}); got != "answer running" {
			t.Errorf("my body's: %s", got)
		}
		for _, q := range []engine.DeadlineQuery{{Scope: "all"}, {State: "late"}, {Limit: 1000}, {Limit: -1}, {Days: -1}, {Cursor: "x"}} {
			if _, err := o.FindDeadlines(t.Context(), o.rup, q); engine.Kind(err) != engine.KindInvalid {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}

// The maximum duration is foretold: from the plan at first, from the SUA's own pace once five tenders have ended.
func TestForecastOfAMaximumDuration(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		for i := range 5 { // from publication to award: 102, 104, … days
			id := published(t, o, o.clock.now().Add(10*day).Format(time.RFC3339))
			o.clock.add(time.Duration(102+2*i) * day)
			expire(t, o)
			fire(t, o, o.director, id, "award", nil)
			if i == 3 {
				early := published(t, o, o.clock.now().Add(10*day).Format(time.RFC3339))
				o.clock.add(10 * day)
				f := termOf(t, o, early, "whole").Forecast
				if f == nil || f.Basis != engine.BasisPlan || f.Cases != 0 || f.Breach {
					t.Fatalf("plan: %+v", f)
				}
			}
			fire(t, o, o.director, id, "end", nil)
		}
		o.clock.add(2 * time.Hour) // what ended cases tell is remembered for an hour
		id := published(t, o, o.clock.now().Add(10*day).Format(time.RFC3339))
		began := o.clock.now()
		o.clock.add(5 * day)
		f := termOf(t, o, id, "whole").Forecast
		if f == nil || f.Basis != engine.BasisHistory || f.Cases != 5 || !f.At.Equal(began.Add(106*day)) || f.Breach || !strings.Contains(f.Text.IT, "in tempo") {
			t.Errorf("history: %+v", f)
		}
		rows, err := o.FindDeadlines(t.Context(), o.director, engine.DeadlineQuery{})
		i := slices.IndexFunc(rows.Items, func(r engine.DeadlineRow) bool { return r.Case.ID == id && r.Name == "whole" })
		if err != nil || rows.Items[i].Forecast == nil || *rows.Items[i].Forecast != *f {
			t.Errorf("in the list: %v", err)
		}
		o.clock.add(120 * day) // in the next stage, from its own pace
		expire(t, o)
		if f = termOf(t, o, id, "whole").Forecast; f == nil || f.Basis != engine.BasisHistory {
			t.Errorf("later: %+v", f)
		}
	})
}
