package play

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
	"github.com/province-comuni/sua/workflows"
)

const (
	busyBodies = 46
	behind     = 5 * time.Second // how far the clock of the second worker is behind the first
	escalate   = 4 * time.Hour
)

// busyDays are played; make test plays the first. Clocks change in the night between the days of each pair in March and October.
var busyDays = []string{"2027-05-13", "2027-03-27", "2027-03-28", "2027-10-30", "2027-10-31", "2027-12-31"}

// tenders are as many as an office of this size has; fewer where the test must be short.
func tenders() int {
	if os.Getenv("SUA_TEST_LONG") != "" {
		return 150
	}
	return 72
}

// A day of a SUA that serves 46 bodies with 150 tenders, minute by minute: people act, terms end, two workers whose clocks differ tell who
// is to be told, by mail, PEC and webhook. Afterwards everything that was told is compared with what the workflows declare.
func TestABusyDay(t *testing.T) {
	days := busyDays[:1]
	if os.Getenv("SUA_TEST_LONG") != "" {
		days = busyDays
	}
	if asked := os.Getenv("SUA_BUSY_DAY"); asked != "" {
		days = []string{asked}
	}
	for _, day := range days {
		t.Run(day, func(t *testing.T) {
			t.Run("sqlite", func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "sua.db")
				if err := store.Migrate(t.Context(), "sqlite:"+path); err != nil {
					t.Fatal(err)
				}
				busyDay(t, day, "sqlite:"+path, "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
			})
			if os.Getenv(storetest.PostgresEnv) == "" {
				if os.Getenv(storetest.RequireEnv) != "" {
					t.Fatalf("%s is not set: run the tests with `make test`", storetest.PostgresEnv)
				}
				return
			}
			if os.Getenv("SUA_TEST_LONG") == "" {
				return // the rules do not depend on the database, the time of the test does
			}
			t.Run("postgres", func(t *testing.T) {
				app, super := storetest.PostgresURLs(t)
				busyDay(t, day, app, "pgx", super)
			})
		})
	}
}

// busy is the office on its day.
type busy struct {
	t       *testing.T
	player  *player
	clock   *Clock
	a, b    *engine.Engine // two workers: the clock of b is behind
	db      *store.DB
	raw     *sql.DB
	people  map[string]auth.Actor
	sua     string
	idle    []string // roots in which nobody acts on this day
	cues    []cue
	refused int
	acted   int
	post    *busyPost
	check   *busyCheck
	by      []byHandTerm
}

func busyDay(t *testing.T, day, url, driver, dsn string) {
	d, err := calendar.ParseDate(day)
	if err != nil {
		t.Fatal(err)
	}
	morning, end := d.Start().Add(5*time.Hour+30*time.Minute), d.AddDays(1).Start().Add(9*time.Hour)
	b := openBusy(t, url, driver, dsn)
	began := time.Now()
	b.prepare(d, morning)
	t.Logf("prepared in %s", time.Since(began))
	began = time.Now()
	for m := morning; !m.After(end); m = m.Add(pace(m)) {
		b.minute(m, calendar.DateOf(m) == d)
		if t.Failed() {
			break
		}
	}
	t.Logf("played in %s: %d acts, %d refused", time.Since(began), b.acted, b.refused)
	b.finish(end)
}

// pace is a minute, and four in the evening and at night, but for the minutes around midnight, where the test must be short.
func pace(m time.Time) time.Duration {
	local := m.In(calendar.Rome)
	if h := local.Hour(); os.Getenv("SUA_TEST_LONG") != "" || h >= 7 && h < 20 || local.Minute()%4 != 0 {
		return time.Minute
	}
	return 4 * time.Minute
}

func openBusy(t *testing.T, url, driver, dsn string) *busy {
	t.Helper()
	b := &busy{t: t, clock: &Clock{}, people: map[string]auth.Actor{}}
	b.post = newBusyPost(t, b.clock)
	cfg, err := Prepare(workflows.FS)
	if err == nil {
		cfg, err = ForDemo(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Notices = shipped.Notices
	cfg.Notices.PublicURL, cfg.Notices.EscalateAfter, cfg.Notices.PrivateWebhooks = "https://sua.example", escalate, true
	cfg.Notices.Senders = b.post.senders()
	documents := t.TempDir()
	open := func(now func() time.Time) (*store.DB, *engine.Engine) {
		db, err := store.Open(t.Context(), store.Options{URL: url, Now: now, Volatile: true, MaxConns: 8})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		stage, err := On(t.Context(), db, b.clock, documents, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return db, stage.Engine
	}
	b.db, b.a = open(b.clock.Now)
	_, b.b = open(func() time.Time { return b.clock.Now().Add(-behind) })
	if b.raw, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.raw.Close(); err != nil {
			t.Error(err)
		}
	})
	b.check = &busyCheck{b: b, templates: cfg.Notices.Templates, terms: map[string]busyTerm{}, seen: map[string]bool{}, want: map[told]int{}, may: map[told]int{}, when: map[told][]time.Time{}, lastRead: map[string]time.Time{}, readAt: map[string][]time.Time{}}
	return b
}

// prepare makes the office and plays everything up to the morning.
func (b *busy) prepare(day calendar.Date, morning time.Time) {
	b.t.Helper()
	ctx := b.t.Context()
	b.clock.set(demoBegins.Start())
	d, err := b.cast(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	tales, live := b.tales(d, day)
	b.player = &player{Config: Config{Engine: b.a, Clock: b.clock}, tales: tales, out: bufio.NewWriter(io.Discard), silent: true, walked: Walked{}}
	var before []cue
	for _, tale := range tales {
		for _, s := range tale.steps[:tale.deeds()] {
			switch {
			case s.at.Before(morning):
				before = append(before, cue{tale, s})
			case calendar.DateOf(s.at) == day:
				b.cues = append(b.cues, cue{tale, s})
			}
		}
	}
	inOrder := func(x, y cue) int { return x.s.at.Compare(y.s.at) }
	slices.SortStableFunc(before, inOrder)
	slices.SortStableFunc(b.cues, inOrder)
	b.clock.set(before[0].s.at)
	for _, c := range before {
		err := b.player.reach(ctx, c.s)
		if err == nil && c.s.verb != "late" {
			err = b.player.act(ctx, c.t, c.s)
		}
		if err != nil {
			b.t.Fatal(c.t.blame(err))
		}
	}
	if err := b.player.advance(ctx, morning.Add(-time.Minute)); err != nil {
		b.t.Fatal(err)
	}
	for _, tale := range tales {
		tale.strict = false
		if !live[tale] && len(tale.trees) > 0 {
			b.idle = append(b.idle, tale.trees[len(tale.trees)-1].root)
		}
	}
	if _, err := b.a.RemindDue(ctx); err != nil {
		b.t.Fatal(err)
	}
	err = b.db.Create(ctx, store.Everything, nil, func(tx *store.Tx) error {
		tx.LetGo(morning)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.preferences()
	b.check.begin(morning)
	b.t.Logf("%d acts before, %d on the day, %d trees left alone", len(before), len(b.cues), len(b.idle))
}

// cast makes the bodies, their people and those of the SUA.
func (b *busy) cast(ctx context.Context) (*stagecraft, error) {
	d, err := cast(ctx, Config{Engine: b.a, Clock: b.clock})
	if err != nil {
		return nil, err
	}
	b.sua = d.SUA.ID
	bodies := make([]bodyEntry, 0, busyBodies)
	for i := range busyBodies {
		bodies = append(bodies, bodyEntry{ID: fmt.Sprintf("comune-%02d", i), Kind: "comune", Name: fmt.Sprintf("Comune di Località n. %d", i), TaxCode: companyCode(7000000 + i)})
	}
	d.Bodies = nil
	officers := d.People[:0:0]
	for _, p := range d.People {
		if p.Body == d.SUA.ID {
			officers = append(officers, p)
		}
	}
	d.People = officers
	person := func(id, name, body string, roles ...string) {
		p := d.People[0]
		p.ID, p.Name, p.Body, p.Roles = id, name, body, roles
		d.People = append(d.People, p)
	}
	for i, body := range bodies {
		if _, err := b.a.SaveBody(ctx, store.Body{ID: body.ID, Kind: body.Kind, Name: body.Name, TaxCode: body.TaxCode}); err != nil {
			return nil, err
		}
		d.Bodies = append(d.Bodies, body)
		a := store.Agreement{ID: "a-" + body.ID, MemberBody: body.ID, SUA: d.SUA.ID, ValidFrom: demoBegins.String(), Acts: map[string]string{}}
		if err := b.a.SaveAgreement(ctx, a); err != nil {
			return nil, err
		}
		person(fmt.Sprintf("rup-%02d", i), fmt.Sprintf("Nicolò Però %d", i), body.ID, "rup")
		person(fmt.Sprintf("dirigente-%02d", i), fmt.Sprintf("Maria D'Aloè, dirigente %d", i), body.ID, "member_director")
		person(fmt.Sprintf("ufficio-%02d", i), fmt.Sprintf("Ufficio %d", i), body.ID, "phase_manager_member", "works_director", "tester", "contract_officer", "accountant")
	}
	for i, p := range d.People {
		if err := b.a.SavePerson(ctx, store.Person{ID: p.ID, Name: p.Name, Email: p.ID + "@ente.example", Demo: 1}, d.memberships(i)); err != nil {
			return nil, err
		}
		b.people[p.ID] = auth.Actor{ID: p.ID, Name: p.Name, Memberships: d.memberships(i)}
	}
	return d, nil
}

// companyCode is a tax number with its check digit.
func companyCode(n int) string {
	s := fmt.Sprintf("%010d", n)
	sum := 0
	for i, c := range s {
		v := int(c - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return s + string(rune('0'+(10-sum%10)%10))
}

// tales spreads the scripts of the demonstration over the bodies, each loaded on such a day that, for two of three, some of its
// steps fall on the day that is played.
func (b *busy) tales(d *stagecraft, day calendar.Date) (tales []*tale, live map[*tale]bool) {
	scripts := []string{"palestra.scn", "bovolenta.scn", "cartura.scn", "tribano.scn", "anguillara.scn", "agna.scn", "arredi.scn", "trasporto.scn", "pulizie.scn", "media.scn", "verde.scn", "scuolabus.scn"}
	live = map[*tale]bool{}
	shifts, closings := map[string][]int{}, map[string]int{}
	for _, s := range scripts {
		for k := 1; k < 330; k++ {
			if k > 60 && k%4 != 0 {
				continue
			}
			one, err := d.tale("comune-00", s, day.AddDays(k))
			if err != nil {
				b.t.Fatal(err)
			}
			on := func(st step) bool { return calendar.DateOf(st.at) == day && st.verb != "late" }
			begun := calendar.DateOf(one.steps[0].at).Before(day)
			if slices.ContainsFunc(one.steps[:one.deeds()], on) && (begun || k%5 == 0) {
				shifts[s] = append(shifts[s], k)
			}
			if calendar.DateOf(one.steps[0].at).After(day) {
				break
			}
		}
	}
	for _, s := range scripts {
		if k, found := b.closing(d, s, day); found {
			closings[s] = k
		}
	}
	for i := range tenders() {
		s := scripts[i%len(scripts)]
		round, k := i/len(scripts), 0
		switch n := len(shifts[s]); {
		case n > 0 && round%3 != 0:
			k = shifts[s][round*7%n]
		default:
			k = round*5 - 8
			if at, closes := closings[s]; closes {
				k = at
			}
		}
		one, err := d.tale(fmt.Sprintf("comune-%02d", i%busyBodies), s, day.AddDays(k))
		if err != nil {
			b.t.Fatal(err)
		}
		if !calendar.DateOf(one.steps[0].at).Before(day) && k > 0 && round%3 == 0 {
			continue
		}
		one.name = fmt.Sprintf("%s%+d", s, k)
		tales = append(tales, one)
		live[one] = slices.ContainsFunc(one.steps, func(st step) bool { return calendar.DateOf(st.at) == day })
	}
	return tales, live
}

// closing is so many days after the day as a script must be loaded for its bids to close on it.
func (b *busy) closing(d *stagecraft, script string, day calendar.Date) (k int, found bool) {
	for range 8 {
		one, err := d.tale("comune-00", script, day.AddDays(k))
		if err != nil {
			b.t.Fatal(err)
		}
		i := slices.IndexFunc(one.steps, func(st step) bool { return st.event == "publish" })
		if i < 0 {
			return 0, false
		}
		due, err := calendar.ParseDate(fmt.Sprint(one.steps[i].inputs["bids_due"])[:10])
		if err != nil {
			b.t.Fatal(err)
		}
		if due == day {
			return k, true
		}
		k += day.Sub(due)
	}
	return 0, false // a day on which none of its bids may close
}

// preferences are as people choose them: some sleep early, some rest at noon, some want one mail a day or English, some have PEC.
func (b *busy) preferences() {
	b.t.Helper()
	for i := range busyBodies {
		p := engine.Preferences{Language: "it", DigestHour: 8}
		switch i % 6 {
		case 1:
			p.QuietFrom, p.QuietTo = 13, 15
		case 2:
			p.QuietFrom, p.QuietTo = 19, 7
		case 3:
			p.Mail, p.DigestHour = "digest", 17
		case 4:
			p.Language = "en"
		case 5:
			p.PEC, p.QuietFrom, p.QuietTo = fmt.Sprintf("rup%d@pec.example", i), 18, 8
		}
		b.prefer(fmt.Sprintf("rup-%02d", i), p)
	}
	b.prefer("demo-istruttrice-sua", engine.Preferences{Language: "it", QuietFrom: 20, QuietTo: 8})
	b.prefer("demo-responsabile-fase", engine.Preferences{Language: "it", Mail: "off"})
	b.prefer("dirigente-07", engine.Preferences{Language: "en", Mail: "digest", DigestHour: 23})
	b.prefer("dirigente-08", engine.Preferences{Language: "it", Mail: "digest", DigestHour: 2, QuietFrom: 22, QuietTo: 2}) // 2 o'clock is missing on one day and twice on another
	director := b.people["demo-direttore-sua"]
	for _, path := range []string{"/good", "/hangs"} {
		if _, err := b.a.SaveWebhook(b.t.Context(), director, engine.Webhook{Body: b.sua, URL: b.post.hooks.URL + path}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *busy) prefer(person string, p engine.Preferences) {
	b.t.Helper()
	if err := b.a.SavePreferences(b.t.Context(), b.people[person], p); err != nil {
		b.t.Fatal(err)
	}
	p.Account = person + "@ente.example"
	b.check.prefers(person, p)
}

// minute is one minute of the day: what people do, then what the workers do.
func (b *busy) minute(m time.Time, today bool) {
	b.t.Helper()
	b.clock.set(m)
	before := b.acted
	for len(b.cues) > 0 && !b.cues[0].s.at.After(m) {
		b.live(b.cues[0])
		b.cues = b.cues[1:]
	}
	if local := m.In(calendar.Rome); today {
		b.byHand(local.Hour()*60+local.Minute(), m)
	}
	if b.acted > before {
		b.check.changed(m)
	}
	workers := []*engine.Engine{b.a, b.b}
	if h := m.In(calendar.Rome).Hour(); h == 11 || h == 3 { // one of them is down for an hour
		workers = workers[1:]
	}
	var ended atomic.Int64
	b.together(workers, func(ctx context.Context, e *engine.Engine) error {
		n, err := e.ExpireDue(ctx)
		ended.Add(int64(n))
		return err
	})
	if ended.Load() > 0 {
		b.check.changed(m)
	}
	b.check.reminders(workers)
	b.together(workers, func(ctx context.Context, e *engine.Engine) error {
		_, one := e.RemindDue(ctx)
		_, two := e.EscalateDue(ctx)
		_, three := e.ExpandOutbox(ctx, 1000)
		_, four := e.DigestDue(ctx)
		return errors.Join(one, two, three, four)
	})
	b.together(workers, b.deliver)
}

// together lets the workers do the same at the same time.
func (b *busy) together(workers []*engine.Engine, f func(context.Context, *engine.Engine) error) {
	b.t.Helper()
	errs := make([]error, len(workers))
	var wait sync.WaitGroup
	for i, e := range workers {
		wait.Go(func() { errs[i] = f(b.t.Context(), e) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatalf("%s: %v", b.clock.Now().In(calendar.Rome), err)
	}
}

func (b *busy) deliver(ctx context.Context, e *engine.Engine) error {
	due, err := e.DueNotices(ctx, 500, store.ChannelMail, store.ChannelPEC)
	if err != nil {
		return err
	}
	hooks, err := e.DueHooks(ctx, 500, nil)
	if err != nil {
		return err
	}
	for _, of := range hooks {
		due = append(due, of...)
	}
	for _, n := range due {
		if _, err := e.DeliverNotice(ctx, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// live plays a step of the day. One that the changes by hand have made impossible is counted.
func (b *busy) live(c cue) {
	b.t.Helper()
	if c.s.verb == "late" {
		return
	}
	err := b.player.deed(b.t.Context(), c.t, &c.s)
	if _, known := outcomeOf(err); !known {
		b.t.Fatalf("%s: %v", c.t.name, err)
	}
	b.acted++
	if err != nil {
		b.refused++
		b.t.Logf("%s %s %s: %v", b.clock.Now().In(calendar.Rome).Format("15:04"), c.t.name, title(c.s), err)
	}
}

// byHandTerm is a term that somebody changed by hand, as it was.
type byHandTerm struct {
	busyTerm
	suspended bool
}

// byHand are the day's events that no workflow has: terms suspended, resumed and moved, a platform that was down, people who read.
func (b *busy) byHand(minute int, now time.Time) {
	b.t.Helper()
	ctx, director := b.t.Context(), b.people["demo-direttore-sua"]
	change := func(f func(context.Context, auth.Actor, engine.ChangeDeadline) (engine.ChangedDeadline, error), who auth.Actor, cmd engine.ChangeDeadline) error {
		cmd.Reason, cmd.Law = "Motivo della giornata", "art. 121"
		_, err := f(ctx, who, cmd)
		var warned *engine.NeedsAcknowledgement
		if errors.As(err, &warned) {
			for _, w := range warned.Warnings {
				cmd.Acknowledge = append(cmd.Acknowledge, engine.Acknowledgement{Code: w.Code, Reason: "Verificato"})
			}
			_, err = f(ctx, who, cmd)
		}
		return err
	}
	b.acted++
	switch minute {
	case 9 * 60, 11*60 + 7: // six terms stand still, six move
		for _, x := range b.check.soon(now, b.idle, 6) {
			cmd := engine.ChangeDeadline{Case: x.caseID, Deadline: x.id, Days: 3}
			f := b.a.MoveDeadline
			if minute == 9*60 {
				f, cmd.Days = b.a.SuspendDeadline, 0
			}
			if err := change(f, director, cmd); err != nil {
				b.t.Logf("by hand: %s: %v", x.name, err)
				continue
			}
			b.by = append(b.by, byHandTerm{x, minute == 9*60})
		}
	case 12 * 60: // for half of the bodies
		var struck []string
		for i := range busyBodies / 2 {
			struck = append(struck, fmt.Sprintf("comune-%02d", 2*i))
		}
		report, err := b.a.RecordOutage(ctx, director, engine.Outage{
			SUA: b.sua, Bodies: struck, Platform: "Piattaforma", From: now.Add(-100 * time.Minute), To: now.Add(-10 * time.Minute), Evidence: "prot. 1/2027", Law: "art. 25 c. 2",
		})
		if err != nil {
			b.t.Fatal(err)
		}
		b.check.outage = report
	case 15 * 60:
		for _, x := range b.by {
			if x.suspended {
				if err := change(b.a.ResumeDeadline, director, engine.ChangeDeadline{Case: x.caseID, Deadline: x.id}); err != nil {
					b.t.Errorf("resume %s: %v", x.name, err)
				}
			}
		}
	case 9*60 + 30, 14*60 + 30:
		b.check.read(now)
	case 16 * 60:
		b.post.answers.Store(true)
	default:
		b.acted--
	}
}
