package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// Notices says how people are told.
type Notices struct {
	Templates *notice.Templates // nil: those that ship
	// Senders carry messages away, by channel (store.ChannelMail …); a channel without one is not used. Each returns the id under
	// which the message went; a *notice.Permanent error is not tried again.
	Senders map[string]func(context.Context, notice.Message) (string, error)
	// PublicURL is the address of the program in links, without a trailing slash.
	PublicURL string
	// EscalateAfter is how long a notice that asks for something waits before the director is told; 0 is never.
	EscalateAfter time.Duration
	// PrivateWebhooks lets webhooks name addresses that are not public, and http.
	PrivateWebhooks bool
}

// ExpandOutbox turns the oldest messages of the outbox, at most limit, into notices: one for each person concerned and channel by which
// that person is told, and one for each webhook that asked. It returns how many messages there were. Messages become notices in the
// transaction that takes them out of the outbox: called twice, or by several processes, each is told once.
func (e *Engine) ExpandOutbox(ctx context.Context, limit int) (int, error) {
	return e.ExpandAll(ctx, limit, func() bool { return false })
}

// ExpandAll does what ExpandOutbox does for all that waits, in parts of so many messages. After a full part it asks whether to go on:
// there whoever calls may pause. What is ordered meanwhile is left for the next call, because whom a message may concern was read
// when this one began.
func (e *Engine) ExpandAll(ctx context.Context, part int, more func() bool) (int, error) {
	last, err := e.db.LastMessage(ctx)
	if err != nil || last == 0 {
		return 0, err
	}
	h, err := e.hearers(ctx)
	if err != nil {
		return 0, err
	}
	for all := 0; ; {
		n, err := e.db.Relay(ctx, part, last, func(tx *store.Tx, messages []store.Message) error {
			return (&expansion{hearers: h, e: e, tx: tx}).run(messages)
		})
		all += n
		if err != nil {
			return all, fmt.Errorf("expand outbox: %w", err)
		}
		if n < part || !more() {
			return all, nil
		}
	}
}

// hearers are those who may be told of something, beside the holders of roles, whom the engine remembers.
type hearers struct {
	contacts map[string]store.Contact
	hooks    []store.Webhook
}

func (e *Engine) hearers(ctx context.Context) (h hearers, err error) {
	if err = e.parties.refresh(ctx); err != nil { // people whom another process added are told too
		return h, err
	}
	if h.contacts, err = e.db.Contacts(ctx); err != nil {
		return h, err
	}
	h.hooks, err = e.db.Webhooks(ctx, store.Everything, "")
	return h, err
}

// expansion is one batch of messages with what it takes to tell them.
type expansion struct {
	hearers
	e         *Engine
	tx        *store.Tx
	cases     map[string]*store.Case
	events    map[store.EventKey]store.Event
	deadlines []store.Deadline
	out       []store.Notice
}

// run makes the notices of a batch.
func (x *expansion) run(messages []store.Message) error {
	orders := x.heard(messages)
	if len(orders) == 0 {
		return nil
	}
	if err := x.load(orders); err != nil {
		return err
	}
	for _, m := range orders {
		if err := x.expand(m); err != nil { // one that cannot be read must not hold up the others
			x.e.cfg.Log.Error("notice not made", "outbox", m.ID, "case", m.CaseID, "error", err)
		}
	}
	x.tx.InsertNotices(x.out)
	return nil
}

// heard leaves out the messages that nobody is to hear, before anything is read for them: no holder of their roles, no follower,
// no webhook. One that cannot be read is left out too, and logged: it must not hold up the others.
func (x *expansion) heard(messages []store.Message) []ordered {
	var out []ordered
	for _, m := range messages {
		orders, err := ordersOf(m)
		if err != nil {
			x.e.cfg.Log.Error("notice not made", "outbox", m.ID, "case", m.CaseID, "error", err)
			continue
		}
		hears := func(role string) bool {
			return role == "followers" || slices.ContainsFunc(bodiesOf(roles[role].Side, m.MemberBody, m.SUA), func(body string) bool { return len(x.e.parties.holding(role, body)) > 0 })
		}
		hooked := slices.ContainsFunc(x.hooks, func(h store.Webhook) bool { return h.Body == m.MemberBody || h.Body == m.SUA })
		for _, o := range orders {
			if hooked || slices.ContainsFunc(o.To, hears) {
				out = append(out, o)
			}
		}
	}
	return out
}

// load reads what a batch is about in three round trips, whatever its size.
func (x *expansion) load(orders []ordered) error {
	var ids, timed []string
	var keys []store.EventKey
	for _, m := range orders {
		ids = append(ids, m.CaseID, m.Root)
		keys = append(keys, store.EventKey{Root: m.Root, Seq: m.Seq})
		if isTermNotice(m.Template) {
			timed = append(timed, m.CaseID)
		}
	}
	slices.Sort(ids)
	var err error
	if x.cases, err = x.tx.CasesByID(slices.Compact(ids)); err != nil {
		return err
	}
	if x.events, err = x.tx.EventParts(keys); err != nil {
		return err
	}
	if len(timed) > 0 {
		slices.Sort(timed)
		x.deadlines, err = x.tx.DeadlinesOf(slices.Compact(timed))
	}
	return err
}

func isTermNotice(template string) bool {
	return template == notice.Reminder || template == notice.Expired || template == notice.Blocked || template == notice.Moved
}

// expand makes the notices of one message.
func (x *expansion) expand(m ordered) error {
	order, t := m.noticeOrder, x.e.cfg.Notices.Templates.For(m.Template)
	tale, err := x.tale(m, t)
	if err != nil {
		return err
	}
	c := tale.c
	first := store.Notice{
		Source: m.source, CaseID: c.ID, Root: c.Root, MemberBody: c.MemberBody, SUA: c.SUA,
		Event: order.Event, Seq: order.Seq, Template: order.Template, Act: t.Act, At: m.At, NextTry: x.tx.Now,
	}
	for _, person := range x.e.recipients(c, order.To) {
		who := x.e.parties.actor(person)
		if !scope(who).Sees(c.MemberBody, c.SUA) {
			continue // who follows a case may have left its bodies
		}
		values, err := json.Marshal(tale.values(who))
		if err != nil {
			return err
		}
		n := first
		n.Person, n.Params = person, values
		x.channels(n, who, t)
	}
	return x.tellWebhooks(first, tale)
}

// tale gathers what a message is about.
func (x *expansion) tale(m ordered, t *notice.Template) (*tale, error) {
	c, root := x.cases[m.CaseID], x.cases[m.Root]
	if c == nil || root == nil {
		return nil, fmt.Errorf("case %s: %w", m.CaseID, ErrNotFound)
	}
	out := &tale{e: x.e, c: c, root: root, order: m.noticeOrder, now: x.tx.Now, fields: t.Fields()}
	out.def, _ = x.e.Definition(c.Hash) // the definition of an old ended case may be gone: then ids are told
	if ev, ok := x.events[store.EventKey{Root: m.Root, Seq: m.Seq}]; ok {
		out.happened = &ev
	}
	out.findTerm(x.deadlines)
	return out, nil
}

// channels adds the notice once for each way in which the person is told.
func (x *expansion) channels(n store.Notice, who auth.Actor, t *notice.Template) {
	add := func(channel, state string, next time.Time) {
		n.ID, n.Channel, n.State, n.NextTry = x.e.cfg.NewID(), channel, state, next
		n.SentAt = nil
		if state == store.NoticeSent {
			n.SentAt = &x.tx.Now
		}
		x.out = append(x.out, n)
	}
	add(store.ChannelApp, store.NoticeSent, x.tx.Now)
	to := x.e.reach(who, x.contacts[n.Person])
	if x.e.sends(store.ChannelMail) && to.Email != "" {
		switch to.Mail {
		case "now":
			add(store.ChannelMail, store.NoticeQueued, to.awake(x.tx.Now))
		case "digest":
			add(store.ChannelDigest, store.NoticeHeld, x.tx.Now)
		}
	}
	if t.Formal && x.e.sends(store.ChannelPEC) && to.PEC != "" {
		add(store.ChannelPEC, store.NoticeQueued, to.awake(x.tx.Now))
	}
}

func (e *Engine) sends(channel string) bool { return e.cfg.Notices.Senders[channel] != nil }

// recipients are the people whom a notice of a case concerns: the holders of roles in its bodies, and with "followers" its RUP and its
// officer. Where the case has a RUP of its own, or an officer, the role means that person and not all colleagues.
func (e *Engine) recipients(c *store.Case, to []string) []string {
	var out []string
	for _, role := range to {
		if role == "followers" {
			out = append(out, c.RUP, c.Officer)
			continue
		}
		var all []string
		for _, body := range bodiesOf(roles[role].Side, c.MemberBody, c.SUA) {
			all = append(all, e.parties.holding(role, body)...)
		}
		own := map[string]string{"rup": c.RUP, "sua_clerk": c.Officer}[role]
		if slices.Contains(all, own) {
			all = []string{own}
		}
		out = append(out, all...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(id string) bool { return id == "" || strings.HasPrefix(id, "system:") })
}
