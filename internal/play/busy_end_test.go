package play

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
)

// sentRow is a notice as the database has it.
type sentRow struct {
	told
	id, source, channel, state string
	at                         time.Time
	message                    string
	read                       bool
}

// finish compares what was told with what the workflows ask for.
func (b *busy) finish(end time.Time) {
	b.t.Helper()
	b.post.keep()
	c := b.check
	var all []sentRow
	c.rows("SELECT id, source, person, channel, case_id, template, event, seq, state, at, message_id, read_at IS NOT NULL FROM notices", func(scan func(...any)) {
		var r sentRow
		scan(&r.id, &r.source, &r.person, &r.channel, &r.caseID, &r.template, &r.event, &r.seq, &r.state, &r.at, &r.message, &r.read)
		all = append(all, r)
	})
	c.expectEscalations(end)
	c.whoWhatOnce(all)
	c.channels(all, end)
	c.mailbox(all)
	c.hooks(all)
	c.unread(all)
	c.moved()
	c.calendars(end)
	c.secrets()
}

// expectEscalations finds the notices to which nobody has reacted for too long.
func (c *busyCheck) expectEscalations(end time.Time) {
	c.b.t.Helper()
	type moment struct {
		caseID string
		at     time.Time
	}
	var events []moment
	c.rows("SELECT case_id, at FROM events", func(scan func(...any)) {
		var m moment
		scan(&m.caseID, &m.at)
		events = append(events, m)
	})
	cases := c.cases()
	n := 0
	for _, a := range c.asked {
		when := a.at.Add(escalate)
		if when.After(end.Add(-time.Minute)) {
			continue
		}
		happened := slices.ContainsFunc(events, func(m moment) bool { return m.caseID == a.caseID && m.at.After(a.at) && !m.at.After(when) })
		looked := slices.ContainsFunc(a.people, func(p string) bool {
			return slices.ContainsFunc(c.readAt[p], func(r time.Time) bool { return r.After(a.at) && !r.After(when) })
		})
		if happened || looked {
			continue
		}
		n++
		own := cases[a.caseID]
		var to []string
		for _, p := range a.people {
			bodies := c.b.people[p].Bodies()
			if slices.Contains(bodies, own.body) {
				to = append(to, "member_director")
			}
			if slices.Contains(bodies, own.sua) {
				to = append(to, "sua_director")
			}
		}
		c.expect(c.want, own, notice.Escalation, a.event, a.seq, to, when)
	}
	c.b.t.Logf("%d notices asked for something, %d were escalated", len(c.asked), n)
}

func (c *busyCheck) whoWhatOnce(all []sentRow) {
	c.b.t.Helper()
	got, at := map[told]int{}, map[told][]time.Time{}
	for _, r := range all {
		if r.channel == "app" {
			got[r.told]++
			at[r.told] = append(at[r.told], r.at)
		}
	}
	for k, want := range c.when {
		slices.SortFunc(want, time.Time.Compare)
		slices.SortFunc(at[k], time.Time.Compare)
		for i, when := range want {
			if i >= len(at[k]) || c.may[k] > 0 {
				continue
			}
			if late := at[k][i].Sub(when); late < -behind || late > 4*time.Minute+behind { // four: see pace
				c.b.t.Errorf("%+v: told at %s, not at %s", k, at[k][i].In(calendar.Rome), when.In(calendar.Rome))
			}
		}
	}
	kinds := map[string]int{}
	for k, n := range c.want {
		kinds[k.template] += n
		if got[k] < n || got[k] > n+c.may[k] {
			c.b.t.Errorf("%+v: told %d times, not %d (or up to %d more)", k, got[k], n, c.may[k])
		}
	}
	for k, n := range got {
		if c.want[k] == 0 && n > c.may[k] {
			c.b.t.Errorf("%+v: told %d times, nobody asked for it", k, n)
		}
	}
	c.b.t.Logf("%d things told as asked: %d reminders, %d terms over, %d moved, %d escalations", len(c.want), kinds[notice.Reminder], c.over, kinds[notice.Moved], kinds[notice.Escalation])
	if c.over == 0 && calendar.DateOf(c.morning).String() == busyDays[0] { // on a holiday none need end
		c.b.t.Error("a day on which no term ended")
	}
	for _, k := range []string{notice.Reminder, notice.Moved, notice.Escalation} {
		if kinds[k] == 0 {
			c.b.t.Errorf("a day without any %s", k)
		}
	}
}

// channels checks that each thing told left by the ways that its person has, and no other.
func (c *busyCheck) channels(all []sentRow, end time.Time) {
	c.b.t.Helper()
	by := map[string]map[string]sentRow{} // source and person, channel
	for _, r := range all {
		key := r.source + " " + r.person
		if by[key] == nil {
			by[key] = map[string]sentRow{}
		}
		if _, twice := by[key][r.channel]; twice && r.channel != "webhook" {
			c.b.t.Errorf("twice: %+v", r)
		}
		by[key][r.channel] = r
	}
	for key, ways := range by {
		app, ok := ways["app"]
		if !ok {
			continue // digests and webhooks
		}
		p := c.pref(app.person)
		for way, want := range map[string]bool{"mail": p.Mail == "now", "digest": p.Mail == "digest", "pec": p.PEC != "" && c.templates.For(app.template).Formal} {
			if _, got := ways[way]; got != want {
				c.b.t.Errorf("%s (%s): by %s %v, not %v", key, app.template, way, got, want)
			}
		}
	}
	for _, r := range all {
		if r.channel != "mail" && r.channel != "pec" {
			continue
		}
		want := "sent"
		switch {
		case r.channel == "mail" && r.person+"@ente.example" == refusedBox:
			want = "dead"
		case quietAt(c.pref(r.person), end):
			continue
		}
		if r.state != want {
			c.b.t.Errorf("%s of %s is %s, not %s: %+v", r.channel, r.person, r.state, want, r)
		}
	}
}

func quietAt(p engine.Preferences, at time.Time) bool {
	h := at.In(calendar.Rome).Hour()
	if p.QuietFrom <= p.QuietTo {
		return h >= p.QuietFrom && h < p.QuietTo
	}
	return h >= p.QuietFrom || h < p.QuietTo
}

var (
	caseLink = regexp.MustCompile(`/procedure/([0-9A-Za-z-]+)`)
	boundary = regexp.MustCompile(`boundary="?([^";\s]+)`)
)

// plain is the text of a mail.
func plain(raw []byte) (h mail.Header, text string, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return nil, "", err
	}
	found := boundary.FindStringSubmatch(m.Header.Get("Content-Type"))
	if found == nil {
		return nil, "", fmt.Errorf("no alternative in %s", m.Header.Get("Content-Type"))
	}
	part := strings.Split(string(body), "--"+found[1])[1]
	_, encoded, _ := strings.Cut(part, "\r\n\r\n")
	decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(encoded)))
	return m.Header, string(decoded), err
}

// mailbox reads what the mail server got.
func (c *busyCheck) mailbox(all []sentRow) {
	c.b.t.Helper()
	rows := map[string]sentRow{}
	held := map[string][]sentRow{} // by the digest that tells them
	for _, r := range all {
		rows[r.id] = r
		if r.channel == "digest" && r.state == "sent" {
			held[r.message] = append(held[r.message], r)
		}
	}
	cases := c.cases()
	seen := map[string]bool{}
	digests := map[string]int{}
	latest, quiet := time.Duration(0), 0
	for _, m := range c.b.post.mails {
		id := messageID(m.raw)
		r, known := rows[id]
		if !known || seen[id] {
			c.b.t.Errorf("mail %s to %s: known %v, twice %v", id, m.to, known, seen[id])
			continue
		}
		seen[id] = true
		p := c.pref(r.person)
		to := p.Account
		if to == "" {
			to = r.person + "@ente.example"
		}
		if r.channel == "pec" {
			to = p.PEC
		}
		h, text, err := plain(m.raw)
		subject, bad := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
		if err != nil || bad != nil || m.to != to || subject == "" {
			c.b.t.Errorf("mail to %s, of %s: %q %v %v", m.to, to, subject, err, bad)
			continue
		}
		if wait := c.onTime(m, r, p); quietAt(p, r.at) {
			quiet++
		} else {
			latest = max(latest, wait)
		}
		for _, link := range caseLink.FindAllStringSubmatch(text, -1) {
			own := cases[link[1]]
			if bodies := c.b.people[r.person].Bodies(); !slices.Contains(bodies, own.body) && !slices.Contains(bodies, own.sua) {
				c.b.t.Errorf("mail to %s tells of %s", m.to, link[1])
			}
		}
		if r.template != notice.Digest {
			if !strings.Contains(text, "/procedure/"+r.caseID) {
				c.b.t.Errorf("mail to %s without a link to %s: %s", m.to, r.caseID, text)
			}
			continue
		}
		digests[r.person+" "+calendar.DateOf(m.at).String()]++
		c.summary(m, p, text, held[r.id])
	}
	for day, n := range digests {
		if n > 1 {
			c.b.t.Errorf("%d digests: %s", n, day)
		}
	}
	for _, r := range all {
		if (r.channel == "mail" || r.channel == "pec") && r.state == "sent" && !seen[r.id] {
			c.b.t.Errorf("said to be sent, never came: %+v", r)
		}
		if r.channel == "digest" && r.state == "held" && digests[r.person+" "+calendar.DateOf(c.b.clock.Now()).String()] == 0 && c.b.clock.Now().In(calendar.Rome).Hour() >= c.pref(r.person).DigestHour && !quietAt(c.pref(r.person), c.b.clock.Now()) {
			c.b.t.Errorf("held, and in no digest: %+v", r)
		}
	}
	c.b.t.Logf("%d mails, %d digests, %d waited for the end of quiet hours, the slowest of the others took %s", len(seen), len(digests), quiet, latest)
}

// onTime checks when a mail came, and returns how long it took.
func (c *busyCheck) onTime(m busyMail, r sentRow, p engine.Preferences) time.Duration {
	c.b.t.Helper()
	wait, most := m.at.Sub(r.at), 5*time.Minute+behind
	if quietAt(p, r.at) {
		most = 14 * time.Hour
	}
	switch {
	case wait < 0:
		c.b.t.Errorf("mail %s came %s early", r.id, -wait)
	case quietAt(p, m.at):
		c.b.t.Errorf("mail to %s at %s: quiet from %d to %d", m.to, m.at.In(calendar.Rome), p.QuietFrom, p.QuietTo)
	case wait > most:
		c.b.t.Errorf("mail to %s waited %s: %+v", m.to, wait, r)
	}
	return wait
}

// summary checks that a digest came at its hour and tells everything that was held for it.
func (c *busyCheck) summary(m busyMail, p engine.Preferences, text string, held []sentRow) {
	c.b.t.Helper()
	if m.at.In(calendar.Rome).Hour() < p.DigestHour || p.Mail != "digest" {
		c.b.t.Errorf("digest to %s at %s, wanted at %d", m.to, m.at.In(calendar.Rome), p.DigestHour)
	}
	if n := strings.Count(text, "• "); n != len(held) || n == 0 {
		c.b.t.Errorf("digest to %s has %d lines, held were %d", m.to, n, len(held))
	}
	for _, x := range held {
		if x.person+"@ente.example" != m.to || !strings.Contains(text, "/procedure/"+x.caseID) {
			c.b.t.Errorf("digest to %s lacks %+v", m.to, x)
		}
	}
}

// hooks compares what both receivers got with each other, and with what was told.
func (c *busyCheck) hooks(all []sentRow) {
	c.b.t.Helper()
	sources := map[string]bool{}
	for _, r := range all {
		if r.channel == "webhook" {
			sources[r.source] = true
			if r.state != "delivered" {
				c.b.t.Errorf("webhook %s is %s", r.id, r.state)
			}
		}
	}
	for path, calls := range c.b.post.calls {
		ids := map[string]bool{}
		for _, call := range calls {
			if ids[call.id] {
				c.b.t.Errorf("%s got %s twice", path, call.id)
			}
			ids[call.id] = true
		}
		if len(ids) != len(sources) || len(ids) == 0 {
			c.b.t.Errorf("%s got %d messages of %d", path, len(ids), len(sources))
		}
	}
	if len(c.b.post.calls) != 2 || c.b.post.hung.Load() == 0 {
		c.b.t.Errorf("%d receivers, %d calls hung", len(c.b.post.calls), c.b.post.hung.Load())
	}
	c.b.t.Logf("%d messages to each of two receivers; one hung %d times", len(sources), c.b.post.hung.Load())
}

func (c *busyCheck) unread(all []sentRow) {
	c.b.t.Helper()
	want := map[string]int{}
	for _, r := range all {
		if last := c.lastRead[r.person]; r.channel == "app" && !r.at.Before(last) {
			want[r.person]++
		}
	}
	for id, who := range c.b.people {
		n, err := c.b.a.UnreadNotices(c.b.t.Context(), who)
		if err != nil || n != min(100, want[id]) {
			c.b.t.Errorf("%s has %d unread (%v), not %d", id, n, err, min(100, want[id]))
		}
	}
}

// moved checks that what the outage and the hands changed has moved in the way asked.
func (c *busyCheck) moved() {
	c.b.t.Helper()
	if c.outage.Extended() == 0 {
		c.b.t.Error("the outage extended nothing")
	}
	now := c.read1()
	for _, x := range c.outage.Terms {
		if d := now[x.Deadline]; x.WhyNot == nil && (d.due.Before(x.After) || !d.due.After(x.Before)) {
			c.b.t.Errorf("term %s: over on %s, after the outage on %s", x.Label.IT, d.due, x.After)
		}
	}
	for _, x := range c.b.by {
		sameDay := x.suspended && x.due.Equal(calendar.DateOf(x.due).Start()) // a term in days stands still from date to date
		if d := now[x.id]; !d.due.After(x.due) && !(sameDay && d.due.Equal(x.due)) {
			c.b.t.Errorf("%s was over on %s, and is on %s", x.name, x.due, d.due)
		}
	}
	c.b.t.Logf("the outage extended %d of %d terms, %d by hand", c.outage.Extended(), len(c.outage.Terms), len(c.b.by))
}

// calendars reads the calendar of one person of each kind.
func (c *busyCheck) calendars(end time.Time) {
	c.b.t.Helper()
	cases := c.cases()
	for _, person := range []string{"demo-direttore-sua", "demo-istruttore-sua", "rup-04", "dirigente-03"} {
		who := c.b.people[person]
		secret, err := c.b.a.NewCalendarLink(c.b.t.Context(), who)
		if err != nil {
			c.b.t.Fatal(err)
		}
		text, err := c.b.a.Calendar(c.b.t.Context(), secret)
		if err != nil {
			c.b.t.Fatal(err)
		}
		c.b.post.keepCalendar(person, text)
		got := map[string]string{}
		for _, ev := range strings.Split(strings.ReplaceAll(string(text), "\r\n ", ""), "BEGIN:VEVENT")[1:] {
			day := between(ev, "DTSTART;VALUE=DATE:", "\r\n")
			if day == "" {
				day = between(ev, "DTSTART:", "\r\n") // it ends at an hour
			}
			got[between(ev, "UID:", "@sua")] = day
		}
		want := map[string]string{}
		c.rows("SELECT id, case_id, last_day, due_at, status FROM deadlines WHERE status IN ('running', 'blocked', 'suspended')", func(scan func(...any)) {
			var id, caseID, last, status string
			var due time.Time
			scan(&id, &caseID, &last, &due, &status)
			own := cases[caseID]
			bodies := who.Bodies()
			mine := own.rup == person || own.officer == person || !worksAlone(who)
			if (slices.Contains(bodies, own.body) || slices.Contains(bodies, own.sua)) && mine && due.After(end.AddDate(0, 0, -30)) {
				want[id] = strings.ReplaceAll(last, "-", "")
				if local := due.In(calendar.Rome); local.Hour() != 0 || local.Minute() != 0 {
					want[id] = due.UTC().Format("20060102T150405Z")
				}
			}
		})
		if !maps.Equal(got, want) {
			c.b.t.Errorf("calendar of %s: %d terms, want %d", person, len(got), len(want))
			for id, day := range want {
				if got[id] != day {
					c.b.t.Logf("%s on %s, not %s", id, got[id], day)
				}
			}
		}
		c.b.t.Logf("calendar of %s: %d terms", person, len(got))
	}
}

func worksAlone(who auth.Actor) bool {
	return !slices.ContainsFunc(who.Memberships, func(m auth.Membership) bool { return m.Role != "rup" && m.Role != "sua_clerk" })
}

func between(s, from, to string) string {
	_, rest, _ := strings.Cut(s, from)
	out, _, _ := strings.Cut(rest, to)
	return out
}

// secrets looks for names of bidders in what left the building, and for strangers who were told.
func (c *busyCheck) secrets() {
	c.b.t.Helper()
	bidder := regexp.MustCompile(`operator:"([^"]+)"`)
	names := map[string]bool{}
	for _, s := range []string{"conselve.scn", "media.scn", "verde.scn", "pulizie.scn", "trasporto.scn", "arredi.scn", "scuolabus.scn"} {
		text, err := demo.ReadFile("demo/" + s)
		if err != nil {
			c.b.t.Fatal(err)
		}
		for _, m := range bidder.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
	}
	look := func(what, text string) {
		for name := range names {
			if strings.Contains(text, name) {
				c.b.t.Errorf("%s names %s", what, name)
			}
		}
	}
	for _, m := range c.b.post.mails {
		if _, text, err := plain(m.raw); err == nil {
			look("mail to "+m.to, text)
		}
	}
	for path, calls := range c.b.post.calls {
		for _, call := range calls {
			look("webhook "+path, call.body)
		}
	}
	if len(names) < 10 {
		c.b.t.Errorf("%d bidders", len(names))
	}
}
