package play_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

func noon(t testing.TB, day string) time.Time {
	t.Helper()
	d, err := calendar.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	return d.Start().Add(12 * time.Hour)
}

// staged is an empty stage with its database.
func staged(t testing.TB) (play.Config, *store.DB) {
	t.Helper()
	clock := &play.Clock{}
	db := storetest.SQLite(t, store.Options{Now: clock.Now})
	return on(t, db, clock), db
}

func load(t testing.TB, stage play.Config, db *store.DB, now time.Time) bool {
	t.Helper()
	loaded, err := play.Demo(t.Context(), stage, db, now)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// cases are the requests by body, with what hangs below them.
func cases(t testing.TB, stage play.Config) map[string]string {
	t.Helper()
	page, err := stage.Engine.Cases(t.Context(), auth.System("test"), engine.Filter{Limit: engine.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range page.Items {
		view, err := stage.Engine.Case(t.Context(), auth.System("test"), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		state := c.State.ID
		for _, group := range view.Children {
			for _, child := range group.Cases {
				state += " " + child.Workflow.ID + "=" + child.State.ID
			}
		}
		for _, d := range view.Deadlines {
			if d.Status == "running" && d.Law != "prassi" { // the office's own terms count working days: whether they still run depends on the day
				state += " +" + d.Name
			}
		}
		out[strings.TrimPrefix(c.MemberBody.Name, "Comune di ")] = state
	}
	return out
}

// Whatever day it is loaded, every script is accepted and every request stands where the demonstration wants it.
func TestDemoOnAnyDay(t *testing.T) {
	days := []string{
		"2026-04-05", "2026-04-06", "2026-04-07", "2026-04-16", // Easter, and terms that end there
		"2026-01-01", "2026-01-06", "2026-12-25", "2026-12-26", "2027-01-04", // Christmas
		"2026-08-15", "2026-08-16", "2026-10-04", "2026-10-05", // August, San Francesco
		"2027-03-28", "2027-03-29", "2026-03-29", "2026-10-25", // change of hour
		"2028-02-29", "2028-03-01", "2026-11-22",
	}
	want := map[string]string{
		"Conselve":          "request_under_review lot=planned +request_answer",
		"Bovolenta":         "integration_requested integration_request=overdue integration_request=answered lot=planned",
		"Cartura":           "request_draft lot=planned",
		"Tribano":           "tender_docs_drafting lot=planned",
		"Anguillara Veneta": "cig_obtained lot=planned lot=planned",
		"Agna":              "request_withdrawn lot=revoked",
	}
	for _, day := range days {
		t.Run(day, func(t *testing.T) {
			t.Parallel()
			stage, db := staged(t)
			if !load(t, stage, db, noon(t, day)) {
				t.Fatal("not loaded")
			}
			if diff := cmp.Diff(want, cases(t, stage)); diff != "" {
				t.Error(diff)
			}
			if now, err := stage.Engine.Now(t.Context()); err != nil || !now.Equal(noon(t, day)) {
				t.Errorf("the clock ends at %v (%v)", now, err)
			}
		})
	}
}

func TestDemoHasTheRealFacts(t *testing.T) {
	stage, db := staged(t)
	load(t, stage, db, noon(t, "2026-11-22"))
	page, err := stage.Engine.Cases(t.Context(), auth.System("test"), engine.Filter{Text: "conselve traverso"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("found %d cases (%v)", len(page.Items), err)
	}
	c := page.Items[0]
	if c.Title != "Nuova costruzione di edificio scolastico in via Traverso" || c.CUP != "B18E18000340009" || c.Amount == nil || *c.Amount != 330783624 ||
		c.SUA.Name != "Provincia di Padova" || c.RUP.Name != "Marco Rizzato" || c.Officer.Name != "Davide Schiavon" {
		t.Errorf("%+v", c)
	}
	h, err := stage.Engine.History(t.Context(), auth.System("test"), c.ID, 0, 0)
	if err != nil || !h.Verified {
		t.Errorf("history verified: %v %q (%v)", h.Verified, h.Broken, err)
	}
	accounts, err := stage.Engine.DemoAccounts(t.Context())
	if err != nil || len(accounts) < 20 {
		t.Errorf("%d demo accounts (%v)", len(accounts), err)
	}
}

func TestDemoTwiceIsOnce(t *testing.T) {
	clock := &play.Clock{}
	storetest.Each(t, store.Options{Now: clock.Now}, func(t *testing.T, db *store.DB) {
		stage := on(t, db, clock)
		load(t, stage, db, noon(t, "2026-11-22"))
		before := cases(t, stage)
		if len(before) != 6 || load(t, stage, db, noon(t, "2026-11-23")) {
			t.Errorf("%d cases, or loaded again", len(before))
		}
		if diff := cmp.Diff(before, cases(t, stage)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDemoRefusesOtherCases(t *testing.T) {
	stage, db := staged(t)
	acted(t, stage, "workflow open_procedure\nclock 2026-03-02T09:00\nopen create_request title=Altro kind=works\n")
	if _, err := play.Demo(t.Context(), stage, db, noon(t, "2026-11-22")); !errors.Is(err, play.ErrOtherCases) {
		t.Errorf("Demo = %v, want ErrOtherCases", err)
	}
	if n, err := db.Count(t.Context()); err != nil || n != 2 {
		t.Errorf("%d cases after the refusal (%v), want the 2 there were", n, err)
	}
}

// Every role that workflows name has somebody who can be tried.
func TestDemoHasEveryRole(t *testing.T) {
	stage, db := staged(t)
	load(t, stage, db, noon(t, "2026-11-22"))
	accounts, err := stage.Engine.DemoAccounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]int{}
	for _, a := range accounts {
		for _, r := range a.Roles {
			held[r.Role.ID]++
		}
	}
	for role := range engine.Vocabulary().Roles {
		if held[role] == 0 && role != "system" && role != "parent" {
			t.Errorf("nobody is %s", role)
		}
	}
	if held["rup"] < 3 || held["sua_clerk"] != 2 {
		t.Errorf("roles held: %v", held)
	}
}
