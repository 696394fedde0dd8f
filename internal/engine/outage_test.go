package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

func instantOf(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func outageOf(t *testing.T, id string) engine.Outage {
	t.Helper()
	return engine.Outage{
		ID: id, Platform: "Piattaforma Uno", From: instantOf(t, "2026-03-10T09:00:00+01:00"), To: instantOf(t, "2026-03-11T15:00:00+01:00"),
		Evidence: "relazione del gestore, prot. 123/2026", Law: "art. 25 c. 2",
	}
}

// reported tells what became of each term: its name, then the new last day or the code of why not.
func reported(r engine.OutageReport) []string {
	var out []string
	for _, x := range r.Terms {
		if x.WhyNot != nil {
			out = append(out, x.Case.ID+" "+x.WhyNot.Code)
		} else {
			out = append(out, x.Case.ID+" "+x.LastDay)
		}
	}
	slices.Sort(out)
	return out
}

func TestOutageExtendsEveryTermItStruckOnce(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		first := published(t, o, "2026-03-24T12:00:00+01:00")  // two days on: Thursday 26
		second := published(t, o, "2026-03-26T18:00:00+01:00") // two days on: Saturday, so Monday 30
		asked := fire(t, o, o.clerk, second, "ask", nil).Opened[0]
		fire(t, o, o.clerk, second, "dated", nil) // until the end of Friday 20: two days on is Sunday, so Monday 23
		held := published(t, o, "2026-03-24T12:00:00+01:00")
		fire(t, o, o.clerk, held, "stay", nil)
		early := published(t, o, "2026-03-09T12:00:00+01:00") // over before
		meanwhile := published(t, o, "2026-03-10T12:00:00+01:00")
		o.clock.add(9*day + 8*time.Hour)
		expire(t, o)
		late := published(t, o, "2026-03-27T12:00:00+01:00") // published after it
		cmd := outageOf(t, "g-1")
		cmd.SUA = "padova"
		want := []string{first + " 2026-03-26", held + " outage_suspended", meanwhile + " outage_expired", second + " 2026-03-23", second + " 2026-03-30"}
		slices.Sort(want)
		seen, err := o.PreviewOutage(t.Context(), o.director, cmd)
		if err != nil || !slices.Equal(reported(seen), want) || !seen.RecordedAt.IsZero() {
			t.Fatalf("preview %v, want %v, %v", reported(seen), want, err)
		}
		if d := termOf(t, o, first, "bids_close"); d.LastDay != "2026-03-24" {
			t.Fatalf("the preview moved it to %s", d.LastDay)
		}
		done, err := o.RecordOutage(t.Context(), o.director, cmd)
		if err != nil || !slices.Equal(reported(done), want) || done.Extended() != 3 || done.RecordedBy.ID != "direttore" {
			t.Fatalf("recorded %v, want %v, %v", reported(done), want, err)
		}
		if d := termOf(t, o, first, "bids_close"); d.LastDay != "2026-03-26" || d.DueAt.Format(time.TimeOnly) != "11:00:00" {
			t.Errorf("first: %s %s", d.LastDay, d.DueAt)
		}
		if d := termOf(t, o, asked, "answer"); d.LastDay != "2026-03-24" { // six days before Monday 30
			t.Errorf("what is counted from it: %s", d.LastDay)
		}
		for id, last := range map[string]string{early: "2026-03-09", late: "2026-03-27"} {
			if d := termOf(t, o, id, "bids_close"); d.LastDay != last {
				t.Errorf("untouched: %s, want %s", d.LastDay, last)
			}
		}
		before, _ := o.History(t.Context(), o.auditor, second, 0, 0)
		again, err := o.RecordOutage(t.Context(), o.director, cmd)
		after, _ := o.History(t.Context(), o.auditor, second, 0, 0)
		if err != nil || !slices.Equal(reported(again), want) || len(after.Items) != len(before.Items) || !after.Verified {
			t.Errorf("again: %v %v, %d events then %d", reported(again), err, len(before.Items), len(after.Items))
		}
		cmd.Evidence = "altro"
		if _, err := o.RecordOutage(t.Context(), o.director, cmd); !errors.Is(err, store.ErrKeyReused) {
			t.Errorf("same id, other content: %v", err)
		}
		cmd.ID = "g-2"
		if _, err := o.RecordOutage(t.Context(), o.director, cmd); !refusedBy(err, "outage_overlaps") {
			t.Errorf("the same time twice: %v", err)
		}
		list, err := o.Outages(t.Context(), o.auditor, "")
		if err != nil || len(list) != 1 || !slices.Equal(reported(list[0]), want) {
			t.Errorf("list: %+v %v", list, err)
		}
		if _, err := o.ExpandOutbox(t.Context(), 100); err != nil || len(inbox(t, o, o.rup)) == 0 {
			t.Errorf("nobody was told: %v", err)
		}
	})
}

// A crash after some trees: recorded again, the others follow and the first ones stay.
func TestOutageGoesOnWhereItStopped(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		for range 4 {
			published(t, o, "2026-03-24T12:00:00+01:00")
		}
		o.clock.add(10 * day)
		cmd := outageOf(t, "g-1")
		cmd.SUA = "padova"
		if err := o.db.SaveOutage(t.Context(), store.Outage{
			ID: cmd.ID, SUA: "padova", Platform: cmd.Platform, From: cmd.From.UTC(), To: cmd.To.UTC(), Evidence: cmd.Evidence, Law: cmd.Law, RecordedBy: "direttore", RecordedAt: o.clock.now(),
		}); err != nil { // as a process left it that was killed after the first write
			t.Fatal(err)
		}
		done := make(chan error, 3)
		for range cap(done) {
			go func() { _, err := o.RecordOutage(context.WithoutCancel(t.Context()), o.director, cmd); done <- err }()
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		list, err := o.Outages(t.Context(), o.director, "padova")
		if err != nil || len(list) != 1 || list[0].Extended() != 4 {
			t.Fatalf("%+v %v", list, err)
		}
		for _, x := range list[0].Terms {
			if d := termOf(t, o, x.Case.ID, "bids_close"); d.LastDay != "2026-03-26" {
				t.Errorf("extended to %s: not once", d.LastDay)
			}
		}
	})
}

func TestOutageThatIsWrong(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		o.clock.add(10 * day)
		for at, f := range map[string]func(*engine.Outage){
			"/platform": func(c *engine.Outage) { c.Platform = "" },
			"/evidence": func(c *engine.Outage) { c.Evidence = "  " },
			"/law":      func(c *engine.Outage) { c.Law = "" },
			"/to":       func(c *engine.Outage) { c.To = c.From },
			"/bodies/0": func(c *engine.Outage) { c.Bodies = []string{"treviso"} },
			"/id":       func(c *engine.Outage) { c.ID = "../x" },
		} {
			cmd := outageOf(t, "")
			f(&cmd)
			var bad *engine.Invalid
			if _, err := o.RecordOutage(t.Context(), o.director, cmd); !errors.As(err, &bad) || bad.Problems[0].Pointer != at {
				t.Errorf("%s: %v", at, err)
			}
		}
		cmd := outageOf(t, "")
		cmd.To = o.clock.now().Add(time.Hour)
		if _, err := o.RecordOutage(t.Context(), o.director, cmd); engine.Kind(err) != engine.KindInvalid {
			t.Errorf("not over yet: %v", err)
		}
	})
}

// Who may record an outage: the director of the SUA, for that SUA alone. Who may read it: who serves the SUA or is served by it, and control.
func TestOutageRoleBodyMatrix(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		published(t, o, "2026-03-24T12:00:00+01:00")
		o.clock.add(10 * day)
		cmd := outageOf(t, "g-1")
		cmd.SUA = "padova"
		if _, err := o.RecordOutage(t.Context(), o.director, cmd); err != nil {
			t.Fatal(err)
		}
		for _, p := range posts() {
			want := engine.KindForbidden
			switch {
			case p.role == "sua_director" && p.body == "padova":
				want = engine.ErrorKind("")
			case p.role == "sua_director":
				want = engine.KindNotFound
			}
			for name, f := range map[string]func(context.Context, auth.Actor, engine.Outage) (engine.OutageReport, error){"record": o.RecordOutage, "preview": o.PreviewOutage} {
				if _, err := f(t.Context(), p.actor(), cmd); err == nil && want != "" || err != nil && engine.Kind(err) != want {
					t.Errorf("%s by %s of %s: %v, want %q", name, p.role, p.body, err, want)
				}
			}
			list, err := o.Outages(t.Context(), p.actor(), "")
			if sees := p.body != "treviso"; err != nil || (len(list) == 1) != sees {
				t.Errorf("%s of %s reads %d, %v", p.role, p.body, len(list), err)
			} else if sees && (len(list[0].Terms) == 1) != (p.body != "este") {
				t.Errorf("%s of %s reads %d terms", p.role, p.body, len(list[0].Terms))
			}
		}
	})
}
