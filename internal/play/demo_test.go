package play_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

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
	return onDemo(t, db, clock), db
}

// demoLaw is the law with what the demonstration assumes.
func demoLaw(t testing.TB) engine.Config {
	t.Helper()
	cfg, err := play.ForDemo(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func onDemo(t testing.TB, db *store.DB, clock *play.Clock) play.Config {
	t.Helper()
	stage, err := play.On(t.Context(), db, clock, t.TempDir(), demoLaw(t))
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// demoDays are those asked for, or a sample of 2026-2028 in which relative days fall badly: every holiday and the patron's day, every
// end of a month (the leap day too), the changes of hour, a Sunday of three, and a day of each month in turn through the week.
func demoDays(t testing.TB) []string {
	t.Helper()
	asked := os.Getenv(DaysEnv)
	if asked != "" && asked != "all" {
		return strings.Split(asked, ",")
	}
	var days []string
	seat := calendar.Italy(calendar.MonthDay{Month: time.June, Day: 13})
	first, sundays := calendar.Date{Year: 2026, Month: time.January, Day: 1}, 0
	for d := first; d.Year <= 2028; d = d.AddDays(1) {
		sunday := d.Weekday() == time.Sunday
		if sunday {
			sundays++
		}
		feast, _ := seat.Holiday(d)
		switch {
		case asked == "all", feast.IT != "" && feast.IT != "domenica" && d.Year < 2028, sunday && sundays%13 == 0,
			d.AddDays(1).Day == 1 && (d.Year == 2028 || d.Month%3 == 0),
			sunday && d.AddDays(7).Month != d.Month && (d.Month == time.March || d.Month == time.October), // change of hour
			d.Month%3 == 2 && d.Day == 7+(int(d.Month)+d.Year)%7:
			days = append(days, d.String())
		}
	}
	return days
}

func load(t testing.TB, stage play.Config, db *store.DB, now time.Time) bool {
	t.Helper()
	loaded, err := play.Demo(t.Context(), stage, db, now)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// DaysEnv asks TestDemoOnEachDay for other days than its sample: all of them ("all"), or some ("2026-04-05,2028-02-29").
const DaysEnv = "SUA_DEMO_DAYS"

// Whatever day it is loaded, every step of every script succeeds and every case ends where its script expects it.
func TestDemoOnEachDay(t *testing.T) {
	cfg, documents := demoLaw(t), t.TempDir()
	var days []string
	for i, day := range demoDays(t) {
		if i%daysPerPlay == 0 {
			days = append(days, day)
		}
	}
	for chunk := range slices.Chunk(days, 24) {
		t.Run(chunk[0], func(t *testing.T) {
			t.Parallel()
			clock := &play.Clock{}
			stage, err := play.On(t.Context(), storetest.SQLite(t, store.Options{Now: clock.Now}), clock, documents, cfg)
			if err != nil {
				t.Fatal(err)
			}
			moments := make([]time.Time, len(chunk))
			for i, day := range chunk {
				moments[i] = noon(t, day)
			}
			if err := play.DemoOnDays(t.Context(), stage, moments); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDemoSampleIsLarge(t *testing.T) {
	days := demoDays(t)
	for _, day := range []string{"2028-02-29", "2026-03-29", "2028-10-29", "2027-06-13", "2026-04-06", "2028-12-31", "2026-08-15"} {
		if !slices.Contains(days, day) && os.Getenv(DaysEnv) == "" {
			t.Errorf("%s is not in the sample", day)
		}
	}
	t.Logf("%d days", len(days))
	if len(days) < 60 && os.Getenv(DaysEnv) == "" {
		t.Errorf("%d days", len(days))
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
	view, err := stage.Engine.Case(t.Context(), auth.System("test"), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for _, f := range view.Fields {
		fields[f.Field.ID] = fmt.Sprint(f.Value)
	}
	for field, want := range map[string]string{"published_on": "2023-08-30", "bids_due": "2023-09-14T10:00:00", "bid_term": "urgent", "description": "dati dimostrativi"} {
		if !strings.Contains(fields[field], want) {
			t.Errorf("%s is %q, without %q", field, fields[field], want)
		}
	}
	if view.RulesDate != "2023-08-30" {
		t.Errorf("the law is that of %s", view.RulesDate)
	}
	// below, every bidder and the contractor say that they are invented
	lot, err := stage.Engine.Case(t.Context(), auth.System("test"), view.Children[slices.IndexFunc(view.Children, func(g engine.ChildrenView) bool { return g.ID == "lots" })].Cases[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if lot.CIG != "A0080CB958" {
		t.Errorf("CIG %s", lot.CIG)
	}
	bidders := 0
	for _, r := range lot.Registers {
		for _, row := range r.Rows {
			if bidders++; !strings.Contains(fmt.Sprint(row.Values["operator"]), "dati dimostrativi") {
				t.Errorf("%v looks real", row.Values["operator"])
			}
		}
	}
	if bidders < 3 {
		t.Errorf("%d bidders", bidders)
	}
	h, err := stage.Engine.History(t.Context(), auth.System("test"), c.ID, 0, 0)
	if err != nil || !h.Verified {
		t.Errorf("history verified: %v %q (%v)", h.Verified, h.Broken, err)
	}
	// the office of the demonstration lets no term go by
	if late, err := stage.Engine.FindDeadlines(t.Context(), auth.System("test"), engine.DeadlineQuery{State: "overdue", Limit: engine.MaxPage}); err != nil || len(late.Items) > 0 {
		for _, d := range late.Items {
			t.Errorf("%s of %s, %s, is over since %s", d.Name, d.Place.IT, d.Title, d.LastDay)
		}
		if err != nil {
			t.Error(err)
		}
	}
	all, err := stage.Engine.FindDeadlines(t.Context(), auth.System("test"), engine.DeadlineQuery{Limit: engine.MaxPage})
	if err != nil || !slices.ContainsFunc(all.Items, func(d engine.DeadlineRow) bool {
		return d.Place.IT == "Lotto 3" && strings.HasPrefix(d.Title, "Lotto 3: ") && strings.HasPrefix(d.Procedure, "Manutenzione del verde")
	}) {
		t.Errorf("beside a lot's term the procedure is not named (%v)", err)
	}
	accounts, err := stage.Engine.DemoAccounts(t.Context())
	if err != nil || len(accounts) < 20 {
		t.Errorf("%d demo accounts (%v)", len(accounts), err)
	}
}

func TestDemoTwiceIsOnce(t *testing.T) {
	clock := &play.Clock{}
	storetest.Each(t, store.Options{Now: clock.Now}, func(t *testing.T, db *store.DB) {
		stage := onDemo(t, db, clock)
		load(t, stage, db, noon(t, "2026-11-22"))
		before, err := db.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if before < 60 || load(t, stage, db, noon(t, "2026-11-23")) {
			t.Errorf("%d cases, or loaded again", before)
		}
		if after, err := db.Count(t.Context()); err != nil || after != before {
			t.Errorf("%d cases, then %d (%v)", before, after, err)
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

// A load that was killed is told from somebody's work: it may be wiped.
func TestDemoTellsThatItWasInterrupted(t *testing.T) {
	stage, db := staged(t)
	acted(t, stage, "workflow open_procedure\nclock 2026-03-02T09:00\nopen create_request title=Altro kind=works\n")
	people, of, err := db.People(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		p.Demo = 1
		var roles []auth.Membership
		for _, m := range of[p.ID] {
			roles = append(roles, auth.Membership{Body: m.Body, Role: m.Role})
		}
		if err := stage.Engine.SavePerson(t.Context(), p, roles); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := play.Demo(t.Context(), stage, db, noon(t, "2026-11-22")); !errors.Is(err, play.ErrInterrupted) {
		t.Errorf("Demo = %v, want ErrInterrupted", err)
	}
}

// Every role that workflows name has somebody who can be tried.
func TestDemoHasEveryRole(t *testing.T) {
	stage, db := staged(t)
	load(t, stage, db, noon(t, "2026-11-22"))
	// the office of the demonstration lets no term go by
	if late, err := stage.Engine.FindDeadlines(t.Context(), auth.System("test"), engine.DeadlineQuery{State: "overdue", Limit: engine.MaxPage}); err != nil || len(late.Items) > 0 {
		for _, d := range late.Items {
			t.Errorf("%s of %s, %s, is over since %s", d.Name, d.Place.IT, d.Title, d.LastDay)
		}
		if err != nil {
			t.Error(err)
		}
	}
	all, err := stage.Engine.FindDeadlines(t.Context(), auth.System("test"), engine.DeadlineQuery{Limit: engine.MaxPage})
	if err != nil || !slices.ContainsFunc(all.Items, func(d engine.DeadlineRow) bool {
		return d.Place.IT == "Lotto 3" && strings.HasPrefix(d.Title, "Lotto 3: ") && strings.HasPrefix(d.Procedure, "Manutenzione del verde")
	}) {
		t.Errorf("beside a lot's term the procedure is not named (%v)", err)
	}
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
