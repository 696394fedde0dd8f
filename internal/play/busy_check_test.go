package play

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
)

// busyCheck says what must be told to whom from what it reads behind the program's back: events, terms and owners of cases. It knows
// the workflows, and nothing of how the program tells.
type busyCheck struct {
	b         *busy
	templates *notice.Templates
	prefs     map[string]engine.Preferences
	morning   time.Time
	counters  string
	terms     map[string]busyTerm
	seen      map[string]bool // events by root:seq
	want, may map[told]int
	when      map[told][]time.Time
	asked     []askedFor
	readAt    map[string][]time.Time
	lastRead  map[string]time.Time
	over      int // terms that ended
	outage    engine.OutageReport
}

// told is one thing that one person is told in the program.
type told struct {
	person, caseID, template, event string
	seq                             int64
}

// askedFor is a notice to which somebody should react.
type askedFor struct {
	caseID, event string
	seq           int64
	at            time.Time
	people        []string
}

type busyTerm struct {
	id, caseID, name, status, hash, state string
	started, due                          time.Time
	seq, revision                         int64
	since                                 time.Time // when it last changed
	given                                 time.Time // until when its reminders were looked at
}

type busyCase struct {
	id, rup, officer, body, sua, hash, state string
}

func (c *busyCheck) prefers(person string, p engine.Preferences) {
	if c.prefs == nil {
		c.prefs = map[string]engine.Preferences{}
	}
	c.prefs[person] = p
}

// pref is how a person is told: as chosen, or as the habit of directors is.
func (c *busyCheck) pref(person string) engine.Preferences {
	p, chosen := c.prefs[person]
	director := slices.ContainsFunc(c.b.people[person].Memberships, func(m auth.Membership) bool {
		return slices.Contains([]string{"sua_director", "member_director", "auditor", "accountant"}, m.Role)
	})
	others := slices.ContainsFunc(c.b.people[person].Memberships, func(m auth.Membership) bool {
		return !slices.Contains([]string{"sua_director", "member_director", "auditor", "accountant"}, m.Role)
	})
	if p.Mail == "" {
		if p.Mail = "now"; director && !others {
			p.Mail = "digest"
		}
	}
	if !chosen {
		p.DigestHour, p.Language = 8, "it"
	}
	return p
}

// begin takes what stands in the morning as known.
func (c *busyCheck) begin(morning time.Time) {
	c.morning = morning
	c.terms = c.read1()
	for id, x := range c.terms {
		x.since = morning
		c.terms[id] = x
	}
	for _, e := range c.events() {
		c.seen[e.key] = true
	}
	c.counters = c.count()
}

func (c *busyCheck) count() string {
	c.b.t.Helper()
	var terms, revisions, events int64
	row := c.b.raw.QueryRowContext(c.b.t.Context(), "SELECT count(*), coalesce(sum(revision), 0), (SELECT count(*) FROM events) FROM deadlines")
	if err := row.Scan(&terms, &revisions, &events); err != nil {
		c.b.t.Fatal(err)
	}
	return strconv.FormatInt(terms, 10) + " " + strconv.FormatInt(revisions, 10) + " " + strconv.FormatInt(events, 10)
}

func (c *busyCheck) read1() map[string]busyTerm {
	c.b.t.Helper()
	out := map[string]busyTerm{}
	c.rows(`SELECT d.id, d.case_id, d.name, d.status, d.started_at, d.due_at, d.started_seq, d.revision, c.hash, c.state
		FROM deadlines d JOIN cases c ON c.id = d.case_id`, func(scan func(...any)) {
		var x busyTerm
		scan(&x.id, &x.caseID, &x.name, &x.status, &x.started, &x.due, &x.seq, &x.revision, &x.hash, &x.state)
		out[x.id] = x
	})
	return out
}

func (c *busyCheck) rows(sql string, row func(scan func(...any))) {
	c.b.t.Helper()
	rows, err := c.b.raw.QueryContext(c.b.t.Context(), sql)
	if err != nil {
		c.b.t.Fatal(err)
	}
	for rows.Next() {
		row(func(to ...any) {
			if err := rows.Scan(to...); err != nil {
				c.b.t.Fatal(err)
			}
		})
	}
	if err := rows.Close(); err != nil {
		c.b.t.Fatal(err)
	}
	if err := rows.Err(); err != nil {
		c.b.t.Fatal(err)
	}
}

type busyEvent struct {
	key, caseID, event string
	seq                int64
	term               string // of events by hand
}

func (c *busyCheck) events() []busyEvent {
	var out []busyEvent
	c.rows("SELECT root, seq, case_id, event, open_body FROM events ORDER BY root, seq", func(scan func(...any)) {
		var e busyEvent
		var root string
		var open []byte
		scan(&root, &e.seq, &e.caseID, &e.event, &open)
		e.key = root + ":" + strconv.FormatInt(e.seq, 10)
		if strings.HasPrefix(e.event, "deadline_") && !c.seen[e.key] {
			var story struct{ Deadline string }
			if err := json.Unmarshal(open, &story); err != nil {
				c.b.t.Fatal(err)
			}
			e.term = story.Deadline
		}
		out = append(out, e)
	})
	return out
}

func (c *busyCheck) cases() map[string]busyCase {
	out := map[string]busyCase{}
	c.rows("SELECT id, rup, officer, member_body, sua, hash, state FROM cases", func(scan func(...any)) {
		var x busyCase
		scan(&x.id, &x.rup, &x.officer, &x.body, &x.sua, &x.hash, &x.state)
		out[x.id] = x
	})
	return out
}

func (c *busyCheck) def(hash string) *flow.Definition {
	c.b.t.Helper()
	def, err := c.b.a.Definition(hash)
	if err != nil {
		c.b.t.Fatal(err)
	}
	return def
}

// changed looks what has happened since it last looked, and notes who is to hear of it.
func (c *busyCheck) changed(m time.Time) {
	c.b.t.Helper()
	now := c.count()
	if now == c.counters {
		return
	}
	c.counters = now
	cases := c.cases()
	for _, e := range c.events() {
		if c.seen[e.key] {
			continue
		}
		c.seen[e.key] = true
		own := cases[e.caseID]
		def := c.def(own.hash)
		if e.term != "" {
			decl, _ := def.Deadline(e.term)
			c.expect(c.want, own, notice.Moved, e.event, e.seq, c.concerned(def, decl, own), m)
		}
		ev, ok := def.Event(e.event)
		if !ok {
			continue
		}
		for _, do := range ev.Then {
			if do.Verb != flow.VerbNotify {
				continue
			}
			to := c.want
			if len(do.If) > 0 {
				to = c.may
			}
			c.expect(to, own, do.Template, e.event, e.seq, do.To, m)
		}
	}
	fresh := c.read1()
	for id, x := range fresh {
		was, known := c.terms[id]
		x.given = was.given
		if x.since = was.since; !known || was.revision != x.revision {
			x.since = m
			c.ended(was, x, cases, m)
		}
		fresh[id] = x
	}
	c.terms = fresh
}

// ended notes who is to hear that a term is over, or held back.
func (c *busyCheck) ended(was, x busyTerm, cases map[string]busyCase, m time.Time) {
	c.b.t.Helper()
	own := cases[x.caseID]
	def := c.def(own.hash)
	decl, ok := def.Deadline(x.name)
	if !ok {
		return
	}
	switch {
	case x.status == "blocked" && was.status != "blocked":
		c.expect(c.want, own, notice.Blocked, x.name, x.seq, []string{"sua_clerk", "sua_director"}, m)
	case x.status == "expired" && was.status != "expired":
		c.over++
		if x.due.After(m) {
			c.b.t.Errorf("%s of %s ended at %s, %s early", x.name, x.caseID, m, x.due.Sub(m))
		}
		if (was.status == "suspended") && was.revision+1 == x.revision {
			c.b.t.Errorf("%s of %s ended while it stood still", x.name, x.caseID)
		}
		if decl.Fire == "" {
			c.expect(c.want, own, notice.Expired, x.name, x.seq, decl.Alert, m)
			return
		}
		if len(decl.Alert) == 0 {
			return
		}
		c.rows("SELECT max(seq) FROM events WHERE event = '"+decl.Fire+"' AND case_id = '"+x.caseID+"'", func(scan func(...any)) {
			var seq int64
			scan(&seq)
			c.expect(c.want, own, notice.Expired, decl.Fire, seq, decl.Alert, m)
		})
	}
}

func (c *busyCheck) expect(in map[told]int, own busyCase, template, event string, seq int64, roles []string, m time.Time) {
	people := c.holders(own, roles)
	for _, p := range people {
		k := told{p, own.id, template, event, seq}
		in[k]++
		c.when[k] = append(c.when[k], m)
	}
	if c.templates.For(template).Act && len(people) > 0 {
		c.asked = append(c.asked, askedFor{own.id, event, seq, m, people})
	}
}

// holders are the people whom roles mean in a case.
func (c *busyCheck) holders(own busyCase, roles []string) []string {
	out := map[string]bool{}
	known := engine.Vocabulary().Roles
	for _, role := range roles {
		if role == "followers" {
			out[own.rup], out[own.officer] = true, true
			continue
		}
		var all []string
		for id, p := range c.b.people {
			for _, m := range p.Memberships {
				at := map[flow.Side]string{flow.SideMember: own.body, flow.SideSUA: own.sua, flow.SideCommittee: own.sua}[known[role].Side]
				if m.Role == role && m.Body == at {
					all = append(all, id)
				}
			}
		}
		if one := map[string]string{"rup": own.rup, "sua_clerk": own.officer}[role]; slices.Contains(all, one) {
			all = []string{one}
		}
		for _, id := range all {
			out[id] = true
		}
	}
	delete(out, "")
	var people []string
	for id := range out {
		people = append(people, id)
	}
	slices.Sort(people)
	return people
}

// concerned are the roles whom a term concerns: who follows the case, whom its end alerts, who can still do what it asks for.
func (c *busyCheck) concerned(def *flow.Definition, decl *flow.Deadline, own busyCase) []string {
	out := append([]string{"followers"}, decl.Alert...)
	for i := range def.Events {
		ev := &def.Events[i]
		ends := slices.ContainsFunc(ev.Then, func(a flow.Action) bool { return a.Verb == flow.VerbStop && a.Deadline == decl.ID })
		if !ends || len(def.MovesFrom(ev.ID, own.state)) == 0 {
			continue
		}
		for _, by := range ev.By {
			role := by.Role
			if by.OwnerOf != "" {
				role = map[string]string{"decision": "member_director", "indiction": "sua_director", "award_proposal": "seat", "award": "sua_director"}[by.OwnerOf]
			}
			if role != "system" && role != "parent" {
				out = append(out, role)
			}
		}
	}
	if len(out) == 1 && own.rup == "" && own.officer == "" {
		out = append(out, "rup", "sua_clerk", "sua_director")
	}
	return out
}

// reminders notes which are to be given in this minute.
func (c *busyCheck) reminders(workers []*engine.Engine) {
	c.b.t.Helper()
	now := c.b.clock.Now()
	until := now
	if !slices.Contains(workers, c.b.a) {
		until = now.Add(-behind)
	}
	var cases map[string]busyCase
	for id, x := range c.terms {
		if x.status != "running" {
			continue
		}
		def := c.def(x.hash)
		decl, ok := def.Deadline(x.name)
		if !ok {
			continue
		}
		due, unsure := false, false
		for _, spec := range decl.Remind {
			at := remindAt(spec, x)
			switch {
			case !at.Before(x.due) || !x.due.After(until) || at.After(until):
			case !at.After(x.given): // before
			case at.After(x.since):
				due = true
			case at.After(x.since.Add(-behind)):
				unsure = true
			}
		}
		if !due && !unsure {
			continue
		}
		if cases == nil {
			cases = c.cases()
		}
		own := cases[x.caseID]
		to := c.want
		if !due {
			to = c.may
		}
		c.expect(to, own, notice.Reminder, x.name, x.seq, c.concerned(def, decl, own), now)
		x.given = until
		c.terms[id] = x
	}
}

// remindAt reads a declaration: days and hours before the end, or a share of the term.
func remindAt(spec string, x busyTerm) time.Time {
	n, err := strconv.Atoi(spec[:len(spec)-1])
	if err != nil {
		return time.Time{}
	}
	switch spec[len(spec)-1] {
	case 'd':
		local := x.due.In(calendar.Rome)
		return time.Date(local.Year(), local.Month(), local.Day()-n, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), calendar.Rome)
	case 'h':
		return x.due.Add(-time.Duration(n) * time.Hour)
	}
	return x.started.Add(time.Duration(float64(x.due.Sub(x.started)) * float64(n) / 100))
}

// soon are the running terms of some trees that end soonest after this day, in trees where none has been changed by hand.
func (c *busyCheck) soon(now time.Time, roots []string, n int) []busyTerm {
	root := map[string]string{}
	c.rows("SELECT id, root FROM cases", func(scan func(...any)) {
		var id, r string
		scan(&id, &r)
		root[id] = r
	})
	var out []busyTerm
	for _, x := range c.terms {
		used := slices.ContainsFunc(c.b.by, func(b byHandTerm) bool { return root[b.caseID] == root[x.caseID] })
		if x.status == "running" && x.due.After(now.Add(20*time.Hour)) && slices.Contains(roots, root[x.caseID]) && !used {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b busyTerm) int { return a.due.Compare(b.due) })
	return out[:min(n, len(out))]
}

// read lets every third person read everything.
func (c *busyCheck) read(now time.Time) {
	c.b.t.Helper()
	for i, id := range sortedPeople(c.b.people) {
		if i%3 != 0 {
			continue
		}
		if _, err := c.b.a.ReadNotices(context.WithoutCancel(c.b.t.Context()), c.b.people[id], ""); err != nil {
			c.b.t.Fatal(err)
		}
		c.lastRead[id] = now
		c.readAt[id] = append(c.readAt[id], now)
	}
}

func sortedPeople(people map[string]auth.Actor) []string {
	var out []string
	for id := range people {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
