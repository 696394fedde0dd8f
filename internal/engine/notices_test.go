package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// post keeps what would have left the building.
type postbox struct {
	mu   sync.Mutex
	sent []notice.Message
	fail error
}

func (p *postbox) send(_ context.Context, m notice.Message) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return "", p.fail
	}
	p.sent = append(p.sent, m)
	return "<" + m.ID + "@sua>", nil
}

func (p *postbox) take() []notice.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.sent
	p.sent = nil
	return out
}

// withPost lets mail, PEC and webhooks end in a box, and tells the director after three days.
func withPost(p *postbox) func(*engine.Config) {
	return func(c *engine.Config) {
		c.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){store.ChannelMail: p.send, store.ChannelPEC: p.send, store.ChannelWebhook: p.send}
		c.Notices.PublicURL, c.Notices.EscalateAfter = "https://sua.example", 3*24*time.Hour
	}
}

// telling is a workflow whose notices name everything, with a secret field and a secret event.
const telling = `
workflow: telling
version: 1
case: telling
label: {it: Racconto, en: Tale}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}, secret: {until: [done], see: [sua_director]}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  sent:  {stage: work, label: {it: Inviato, en: Sent}}
  done:  {stage: work, final: done, label: {it: Fatto, en: Done}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar, while: [sent], remind: [3d, 12h, "50%"], at_expiry: {alert: [sua_director]}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: draft, input: {title: {type: text, label: {it: Oggetto, en: Subject}}, rup: {type: person, optional: true, label: {it: RUP, en: RUP}}}, then: [{set: title, from: title}, {assign: rup, from: rup}]}
  send:  {label: {it: Invia, en: Send}, law: art. 1, by: [rup], from: [draft], to: sent, input: {reason: {type: text, optional: true, label: {it: Motivo, en: Reason}}}, then: [{start: answer}, {notify: request_rejected, to: [sua_director, sua_clerk]}]}
  think: {label: {it: Pensa, en: Think}, by: [sua_clerk], from: [sent], to: same, secret: {until: [done], see: [sua_director]}, input: {reason: {type: text, label: {it: Motivo, en: Reason}}}, then: [{notify: no_template, to: [sua_director, followers]}]}
  pause: {label: {it: Sospendi, en: Suspend}, by: [sua_clerk], from: [sent], to: same, then: [{suspend: answer}]}
  go_on: {label: {it: Riprendi, en: Resume}, by: [sua_clerk], from: [sent], to: same, then: [{resume: answer}]}
  later: {label: {it: Proroga, en: Extend}, by: [sua_clerk], from: [sent], to: same, input: {days: {type: int, label: {it: Giorni, en: Days}}}, then: [{extend: answer, days: days}]}
  urge:  {label: {it: Sollecita, en: Urge}, by: [sua_clerk], from: [sent], to: same, then: [{notify: request_rejected, to: [sua_director, sua_clerk]}, {notify: no_template, to: [sua_director]}]}
  end:   {label: {it: Concludi, en: End}, by: [sua_director], from: [sent], to: done, then: [{stop: answer}]}
`

var tellingYAML = map[string]string{"telling.v1.yaml": telling}

// addresses gives everybody one.
func addresses(t *testing.T, o *office) {
	t.Helper()
	for _, who := range []auth.Actor{o.rup, o.director, o.clerk} {
		if err := o.SavePerson(t.Context(), store.Person{ID: who.ID, Name: who.Name, Email: who.ID + "@ente.example"}, who.Memberships); err != nil {
			t.Fatal(err)
		}
	}
}

func began(t *testing.T, o *office, title string) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "telling", Inputs: map[string]any{"title": title}})
	if err != nil {
		t.Fatal(describe(err))
	}
	return m.Case
}

func expand(t *testing.T, o *office, want int) {
	t.Helper()
	if n, err := o.ExpandOutbox(t.Context(), 100); err != nil || n != want {
		t.Fatalf("expanded %d, %v; want %d", n, err, want)
	}
}

func deliver(t *testing.T, o *office) int {
	t.Helper()
	ids, err := o.DueNotices(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, due := range ids {
		if _, err := o.DeliverNotice(t.Context(), due.ID); err != nil {
			t.Fatal(err)
		}
	}
	return len(ids)
}

func inbox(t *testing.T, o *office, who auth.Actor) []engine.NoticeView {
	t.Helper()
	p, err := o.Notices(t.Context(), who, engine.NoticeQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Items
}

// What one event orders for its case waits as one message; each order in it is told for itself, by whatever way.
func TestOneMessageOrdersSeveralNotices(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		addresses(t, o)
		id := began(t, o, "Scuola")
		fire(t, o, o.rup, id, "send", nil)
		expand(t, o, 1)
		if _, err := o.SaveWebhook(t.Context(), o.director, engine.Webhook{Body: "padova", URL: "https://receiver.example/hook"}); err != nil {
			t.Fatal(describe(err))
		}
		fire(t, o, o.clerk, id, "urge", nil)
		expand(t, o, 1)
		told := func(who auth.Actor) (out []string) {
			for _, n := range inbox(t, o, who) {
				if n.Event == "urge" {
					out = append(out, n.Template)
				}
			}
			slices.Sort(out)
			return out
		}
		if got := told(o.director); !slices.Equal(got, []string{"no_template", "request_rejected"}) {
			t.Errorf("the director reads %v", got)
		}
		if got := told(o.clerk); !slices.Equal(got, []string{"request_rejected"}) {
			t.Errorf("the clerk reads %v", got)
		}
		all, err := o.db.Notices(t.Context(), store.Everything, store.NoticeFilter{CaseID: id, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		sources, hooks := map[string]bool{}, 0
		for _, n := range all {
			if n.Event == "urge" {
				sources[n.Source] = true
			}
			if n.Channel == store.ChannelWebhook {
				hooks++
			}
		}
		if len(sources) != 2 || hooks != 2 {
			t.Errorf("sources %v, %d messages to the webhook; want two of each", sources, hooks)
		}
	}, withPost(box))
}

// What is ordered while the outbox is worked off waits for the next time: whoever was added by then is told of it too.
func TestWhatIsOrderedMeanwhileWaits(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		send := func() string {
			t.Helper()
			id := began(t, o, "Scuola")
			fire(t, o, o.rup, id, "send", nil)
			return id
		}
		send()
		send()
		parts, last := 0, ""
		n, err := o.ExpandAll(t.Context(), 1, func() bool {
			if parts++; parts == 1 {
				o.clock.add(time.Second)
				if err := o.SavePerson(t.Context(), store.Person{ID: "nuova", Name: "Nuova"}, o.clerk.Memberships); err != nil {
					t.Fatal(err)
				}
				last = send()
			}
			return true
		})
		if err != nil || n != 2 || parts != 2 {
			t.Errorf("%d told in %d parts, %v; want the two that waited", n, parts, err)
		}
		expand(t, o, 1)
		who, err := o.ActorByID(t.Context(), "nuova")
		if err != nil {
			t.Fatal(err)
		}
		if got := inbox(t, o, who); !slices.ContainsFunc(got, func(n engine.NoticeView) bool { return n.Case == last }) {
			t.Errorf("who was added meanwhile is not told of what came after: %v", got)
		}
	})
}

func TestNoticeReachesWhoItConcernsAndTellsNoSecret(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		id := began(t, o, "Scuola segreta")
		fire(t, o, o.rup, id, "send", map[string]any{"reason": "manca il CUP"})
		expand(t, o, 1)
		expand(t, o, 0)
		for who, want := range map[string]int{"direttore": 1, "istruttore": 1, "rup": 0, "estraneo": 0, "revisore": 0} {
			a, err := o.ActorByID(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			if got := inbox(t, o, a); len(got) != want {
				t.Errorf("%s has %d notices, want %d", who, len(got), want)
			}
		}
		boss, clerk := inbox(t, o, o.director)[0], inbox(t, o, o.clerk)[0]
		if !strings.Contains(boss.Subject.IT, "Scuola segreta") || !strings.Contains(boss.Body.EN, "Reason: manca il CUP") {
			t.Errorf("the director reads %+v", boss)
		}
		if strings.Contains(clerk.Subject.IT+clerk.Body.IT+clerk.Subject.EN+clerk.Body.EN, "segreta") || !strings.HasPrefix(clerk.Subject.IT, "Racconto") {
			t.Errorf("the clerk reads %+v", clerk)
		}
		if n := deliver(t, o); n != 1 { // the director has a digest
			t.Errorf("%d to deliver", n)
		}
		sent := box.take()
		if len(sent) != 1 || sent[0].To != "istruttore@ente.example" || strings.Contains(sent[0].Text+sent[0].HTML+sent[0].Subject, "segreta") || !strings.Contains(sent[0].Text, "https://sua.example/procedure/"+id) {
			t.Errorf("sent %+v", sent)
		}
		if d := inbox(t, o, o.clerk)[0].Deliveries; len(d) != 1 || d[0].Channel != "mail" || d[0].State != "sent" || d[0].SentAt == nil {
			t.Errorf("delivery %+v", d)
		}
		// a secret event: its reason is for who may see it; a notice without a template is told by its event
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "ragione nascosta"})
		expand(t, o, 1)
		boss, rup := inbox(t, o, o.director)[0], inbox(t, o, o.rup)[0]
		if !strings.Contains(boss.Body.IT, "ragione nascosta") || boss.Subject.IT != "Scuola segreta: Pensa" {
			t.Errorf("the director reads %+v", boss)
		}
		if strings.Contains(rup.Body.IT, "nascosta") || !strings.Contains(rup.Subject.IT, "Pensa") {
			t.Errorf("the RUP reads %+v", rup)
		}
	}, withPost(box))
}

func TestReadingNotices(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		id := began(t, o, "x")
		fire(t, o, o.rup, id, "send", nil)
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "y"})
		expand(t, o, 2)
		unread := func(who auth.Actor) int {
			n, err := o.UnreadNotices(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if unread(o.director) != 2 || unread(o.clerk) != 1 || unread(o.strangerClerk) != 0 {
			t.Fatalf("unread: %d %d", unread(o.director), unread(o.clerk))
		}
		first, err := o.Notices(t.Context(), o.director, engine.NoticeQuery{Limit: 1})
		if err != nil || len(first.Items) != 1 || first.Next == "" {
			t.Fatalf("%+v %v", first, err)
		}
		second, err := o.Notices(t.Context(), o.director, engine.NoticeQuery{Limit: 1, After: first.Next})
		if err != nil || len(second.Items) != 1 || second.Items[0].ID == first.Items[0].ID {
			t.Fatalf("%+v %v", second, err)
		}
		if _, err := o.ReadNotices(t.Context(), o.clerk, first.Items[0].ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("somebody else's notice: %v", err)
		}
		if n, err := o.ReadNotices(t.Context(), o.director, first.Items[0].ID); n != 1 || err != nil || unread(o.director) != 1 {
			t.Errorf("read %d %v", n, err)
		}
		if n, err := o.ReadNotices(t.Context(), o.director, first.Items[0].ID); n != 0 || err != nil {
			t.Errorf("read again %d %v", n, err)
		}
		if n, err := o.ReadNotices(t.Context(), o.director, ""); n != 1 || err != nil || unread(o.director) != 0 {
			t.Errorf("read all %d %v", n, err)
		}
		if len(inbox(t, o, o.director)) != 2 {
			t.Error("what was read is gone")
		}
		// who leaves the office sees nothing more
		if err := o.SavePerson(t.Context(), store.Person{ID: "direttore", Name: "Direttore"}, []auth.Membership{{Body: "treviso", Role: "sua_director"}}); err != nil {
			t.Fatal(err)
		}
		gone, err := o.ActorByID(t.Context(), "direttore")
		if err != nil || len(inbox(t, o, gone)) != 0 {
			t.Errorf("still reads: %v", err)
		}
	})
}

// Two workers expand and deliver the same outbox: nothing twice, nothing lost.
func TestWorkersTellEachNoticeOnce(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		for range 20 {
			fire(t, o, o.rup, began(t, o, "x"), "send", nil)
		}
		work := func() error {
			for range 6 {
				if _, err := o.ExpandOutbox(t.Context(), 5); err != nil {
					return err
				}
				ids, err := o.DueNotices(t.Context(), 100)
				if err != nil {
					return err
				}
				for _, due := range ids {
					if _, err := o.DeliverNotice(t.Context(), due.ID); err != nil {
						return err
					}
				}
			}
			return nil
		}
		done := make(chan error)
		for range 3 {
			go func() { done <- work() }()
		}
		for range 3 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if sent := box.take(); len(sent) != 20 || len(inbox(t, o, o.clerk)) != 20 {
			t.Errorf("%d mails, %d notices; want 20", len(sent), len(inbox(t, o, o.clerk)))
		}
	}, withPost(box))
}

func TestDeliveryIsTriedAgainThenGivenUp(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		fire(t, o, o.rup, began(t, o, "x"), "send", nil)
		expand(t, o, 1)
		box.fail = errors.New("451 not now, istruttore@ente.example")
		deliver(t, o)
		state := func() engine.Delivery { return inbox(t, o, o.clerk)[0].Deliveries[0] }
		if d := state(); d.State != "failed" || d.Attempts != 1 || d.NextTry == nil || strings.Contains(d.Error, "istruttore@") || !strings.Contains(d.Error, "451") {
			t.Fatalf("%+v", d)
		}
		if deliver(t, o) != 0 {
			t.Error("tried again at once")
		}
		for range 20 {
			o.clock.add(25 * time.Hour)
			deliver(t, o)
		}
		if d := state(); d.State != "dead" || d.Attempts != 11 {
			t.Fatalf("%+v", d)
		}
		box.fail = nil
		fire(t, o, o.rup, began(t, o, "y"), "send", nil)
		expand(t, o, 1)
		box.fail = &notice.Permanent{Err: errors.New("550 no such user")}
		deliver(t, o)
		if d := state(); d.State != "dead" || d.Attempts != 1 {
			t.Errorf("%+v", d)
		}
		box.fail = nil
	}, withPost(box))
}

func TestReminders(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		id := began(t, o, "x")
		fire(t, o, o.rup, id, "send", nil) // 2 March 09:00 in Rome: ten days, last day the 12th, over at midnight
		remind := func(want int, when string) {
			t.Helper()
			for i, n := range []int{want, 0} {
				if got, err := o.RemindDue(t.Context()); err != nil || got != n {
					t.Fatalf("%s, call %d: %d reminders, %v; want %d", when, i, got, err, n)
				}
			}
		}
		at := func(s string) {
			t.Helper()
			o.clock.at.Store(newClock(s).at.Load())
		}
		remind(0, "at the start")
		at("2026-03-07T13:00:00Z")
		remind(0, "before half of the term")
		at("2026-03-07T16:00:00Z") // half of ten days and fifteen hours is the 7th at 16:30 in Rome
		remind(1, "half of the term")
		fire(t, o, o.clerk, id, "pause", nil)
		at("2026-03-10T00:00:00Z")
		remind(0, "suspended")
		at("2026-03-12T16:00:00Z")
		fire(t, o, o.clerk, id, "go_on", nil) // five days more: over on the 18th at midnight
		remind(0, "resumed")
		at("2026-03-14T23:01:00Z")
		remind(1, "three days before the new end")
		fire(t, o, o.clerk, id, "later", map[string]any{"days": 10})
		remind(0, "extended")
		at("2026-03-27T12:01:00Z")
		remind(1, "of several that passed, one")
		at("2026-03-29T00:00:00Z")
		remind(0, "over")
		expand(t, o, 4)
		got := inbox(t, o, o.rup)
		if len(got) != 3 || !strings.Contains(got[0].Subject.IT, "Risposta, ultimo giorno") || !strings.Contains(got[2].Body.IT, "art. 62 c. 10") {
			t.Errorf("%d reminders: %+v", len(got), got)
		}
	})
}

func TestTwoRemindersAtOnceAreOne(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		for range 10 {
			fire(t, o, o.rup, began(t, o, "x"), "send", nil)
		}
		o.clock.add(6 * 24 * time.Hour)
		type result struct {
			n   int
			err error
		}
		done := make(chan result)
		for range 3 {
			go func() { n, err := o.RemindDue(t.Context()); done <- result{n, err} }()
		}
		sum := 0
		for range 3 {
			r := <-done
			if r.err != nil {
				t.Fatal(r.err)
			}
			sum += r.n
		}
		if sum != 10 {
			t.Errorf("%d reminders of 10 deadlines", sum)
		}
	})
}

func TestDigestQuietHoursAndEscalation(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		fire(t, o, o.rup, began(t, o, "uno"), "send", nil)
		fire(t, o, o.rup, began(t, o, "due"), "send", nil)
		if err := o.SavePreferences(t.Context(), o.clerk, engine.Preferences{Email: "altra@ente.example", QuietFrom: 9, QuietTo: 11, Language: "en", DigestHour: 8}); err != nil {
			t.Fatal(err)
		}
		if err := o.SavePreferences(t.Context(), o.director, engine.Preferences{Mail: "digest", DigestHour: 10, Language: "it"}); err != nil {
			t.Fatal(err)
		}
		expand(t, o, 2) // 09:00 in Rome
		digest := func(want int) {
			t.Helper()
			if n, err := o.DigestDue(t.Context()); err != nil || n != want {
				t.Fatalf("%d digests, %v; want %d", n, err, want)
			}
		}
		digest(0)
		if deliver(t, o) != 0 {
			t.Error("disturbed in quiet hours")
		}
		o.clock.add(time.Hour)
		digest(1)
		digest(0)
		deliver(t, o)
		sent := box.take()
		if len(sent) != 1 || sent[0].To != "direttore@ente.example" || !strings.Contains(sent[0].Text, "uno") || !strings.Contains(sent[0].Text, "due") {
			t.Fatalf("digest %+v", sent)
		}
		o.clock.add(time.Hour)
		deliver(t, o)
		if sent = box.take(); len(sent) != 2 || sent[0].To != "altra@ente.example" || sent[0].Lang != "en" || !strings.Contains(sent[0].Subject, "request rejected") {
			t.Fatalf("after quiet hours %+v", sent)
		}
	}, withPost(box))
}

// acting asks the clerk for something.
var acting = map[string]string{"telling.v1.yaml": strings.Replace(telling, "notify: request_rejected, to: [sua_director, sua_clerk]", "notify: request_received, to: [sua_clerk]", 1)}

func TestNobodyReacts(t *testing.T) {
	box := &postbox{}
	each(t, acting, func(t *testing.T, o *office) {
		ignored, read, done := began(t, o, "ignorata"), began(t, o, "letta"), began(t, o, "fatta")
		for _, id := range []string{read, ignored, done} {
			fire(t, o, o.rup, id, "send", nil)
		}
		expand(t, o, 3)
		escalate := func(want int) {
			t.Helper()
			if n, err := o.EscalateDue(t.Context()); err != nil || n != want {
				t.Fatalf("%d told, %v; want %d", n, err, want)
			}
		}
		escalate(0)
		o.clock.add(24 * time.Hour)
		i := slices.IndexFunc(inbox(t, o, o.clerk), func(n engine.NoticeView) bool { return n.Case == read })
		if _, err := o.ReadNotices(t.Context(), o.clerk, inbox(t, o, o.clerk)[i].ID); err != nil {
			t.Fatal(err)
		}
		fire(t, o, o.clerk, done, "pause", nil)
		o.clock.add(49 * time.Hour)
		escalate(1)
		escalate(0)
		expand(t, o, 1)
		if got := inbox(t, o, o.director); len(got) != 1 || got[0].Case != ignored || !strings.Contains(got[0].Subject.IT, "nessuno") {
			t.Errorf("the director reads %+v", got)
		}
	}, withPost(box))
}

func TestPreferencesAreChecked(t *testing.T) {
	each(t, tellingYAML, func(t *testing.T, o *office) {
		err := o.SavePreferences(t.Context(), o.clerk, engine.Preferences{Email: "Tizio <a@b.it>", PEC: "no", Mail: "often", DigestHour: 24, Language: "fr"})
		var bad *engine.Invalid
		if !errors.As(err, &bad) || len(bad.Problems) != 5 {
			t.Fatalf("%v", err)
		}
		p, err := o.Preferences(t.Context(), o.director)
		if err != nil || p.Habit != "digest" || p.DigestHour != 8 || p.Mail != "" {
			t.Errorf("%+v %v", p, err)
		}
	})
}
