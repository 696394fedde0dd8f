package engine

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// webhookRoles may send what concerns their body to a program.
var webhookRoles = []string{"sua_director", "member_director"}

// WebhookView is a subscription. Secret is told once, when it is made.
type WebhookView struct {
	ID        string
	Body      Ref
	Owner     Ref
	URL       string
	Secret    string
	Events    []string // ids of events; none: all that workflows tell
	Active    bool
	CreatedAt time.Time
}

// Webhook is a wish: a new subscription, or with an ID the change of one (its body and secret stay).
type Webhook struct {
	ID     string
	Body   string
	URL    string
	Events []string
	Paused bool
}

// Webhooks lists the subscriptions of the bodies for which the actor may have some.
func (e *Engine) Webhooks(ctx context.Context, who auth.Actor) ([]WebhookView, error) {
	all, err := e.db.Webhooks(ctx, scope(who), "")
	if err != nil {
		return nil, err
	}
	var out []WebhookView
	for _, h := range all {
		if mayHook(who, h.Body) {
			out = append(out, e.webhookView(h))
		}
	}
	return out, nil
}

func (e *Engine) webhookView(h store.Webhook) WebhookView {
	return WebhookView{ID: h.ID, Body: e.parties.bodyRef(h.Body), Owner: e.parties.personRef(h.Owner), URL: h.URL, Events: h.Events, Active: h.State == "active", CreatedAt: h.CreatedAt}
}

func mayHook(who auth.Actor, body string) bool {
	return slices.ContainsFunc(webhookRoles, func(role string) bool { return who.Holds(role, body) })
}

// WebhookBodies lists the bodies for which the actor may have subscriptions.
func (e *Engine) WebhookBodies(who auth.Actor) []Ref {
	var out []Ref
	for _, body := range who.Bodies() {
		if mayHook(who, body) {
			out = append(out, e.parties.bodyRef(body))
		}
	}
	return out
}

// webhook returns a subscription that the actor may manage, or ErrNotFound.
func (e *Engine) webhook(ctx context.Context, who auth.Actor, id string) (store.Webhook, error) {
	all, err := e.db.Webhooks(ctx, scope(who), "")
	if err != nil {
		return store.Webhook{}, err
	}
	for _, h := range all {
		if h.ID == id && mayHook(who, h.Body) {
			return h, nil
		}
	}
	return store.Webhook{}, ErrNotFound
}

// SaveWebhook makes a subscription, or changes one. *Forbidden without a role that may, *Invalid for an address that is no public https
// one. The answer to a new one holds its secret.
func (e *Engine) SaveWebhook(ctx context.Context, who auth.Actor, in Webhook) (WebhookView, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return WebhookView{}, err
	}
	h := store.Webhook{ID: e.cfg.NewID(), Owner: who.ID, Body: in.Body, CreatedAt: now}
	if in.ID != "" {
		if h, err = e.webhook(ctx, who, in.ID); err != nil {
			return WebhookView{}, err
		}
	} else {
		if !slices.Contains(who.Bodies(), in.Body) {
			return WebhookView{}, &Invalid{[]Problem{problem("/body", "body_unknown")}}
		}
		if !mayHook(who, in.Body) {
			return WebhookView{}, &Forbidden{Action: "webhook", Roles: webhookRoles, Text: roleMissing(webhookRoles).Text}
		}
	}
	if p := e.addressFault(in.URL); p != nil {
		return WebhookView{}, &Invalid{[]Problem{*p}}
	}
	secret := ""
	if in.ID == "" {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails since Go 1.24
		secret = "whsec_" + base64.StdEncoding.EncodeToString(b)
		h.Secret = secret
	}
	h.URL, h.Events, h.State = in.URL, in.Events, "active"
	if in.Paused {
		h.State = "paused"
	}
	if err := e.db.SaveWebhook(ctx, h); err != nil {
		return WebhookView{}, err
	}
	v := e.webhookView(h)
	v.Secret = secret
	return v, nil
}

// addressFault refuses what is not a public https address. Names are looked at again when they are dialled.
func (e *Engine) addressFault(address string) *Problem {
	u, err := url.Parse(address)
	wrong := problem("/url", "webhook_address")
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > 500:
		return &wrong
	case e.cfg.Notices.PrivateWebhooks && (u.Scheme == "https" || u.Scheme == "http"):
		return nil
	case u.Scheme != "https":
		return &wrong
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil && !notice.PublicAddress(ip) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		p := problem("/url", "webhook_private")
		return &p
	}
	return nil
}

// DropWebhook ends a subscription.
func (e *Engine) DropWebhook(ctx context.Context, who auth.Actor, id string) error {
	h, err := e.webhook(ctx, who, id)
	if err != nil {
		return err
	}
	return e.db.DropWebhook(ctx, h.ID)
}

// TestWebhook queues a message of type "test" for a subscription and returns the id of its delivery.
func (e *Engine) TestWebhook(ctx context.Context, who auth.Actor, id string) (string, error) {
	h, err := e.webhook(ctx, who, id)
	if err != nil {
		return "", err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return "", err
	}
	n := store.Notice{
		ID: e.cfg.NewID(), Person: h.Owner, Channel: store.ChannelWebhook, Target: h.ID, MemberBody: h.Body, SUA: h.Body, Event: "test", Template: notice.Test,
		Params: []byte("{}"), State: store.NoticeQueued, NextTry: now, At: now,
	}
	n.Source = "test:" + n.ID
	return n.ID, e.db.Create(ctx, store.Everything, nil, func(tx *store.Tx) error {
		tx.InsertNotices([]store.Notice{n})
		return nil
	})
}

// WebhookDeliveries lists the latest messages of a subscription, newest first.
func (e *Engine) WebhookDeliveries(ctx context.Context, who auth.Actor, id string) ([]Delivery, error) {
	h, err := e.webhook(ctx, who, id)
	if err != nil {
		return nil, err
	}
	all, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{Target: h.ID, Limit: 100})
	out := make([]Delivery, len(all))
	for i := range all {
		out[i] = delivery(&all[i])
	}
	return out, err
}

// ReplayDelivery sends a message of a subscription again, under the same id, whatever became of it.
func (e *Engine) ReplayDelivery(ctx context.Context, who auth.Actor, webhook, id string) error {
	h, err := e.webhook(ctx, who, webhook)
	if err != nil {
		return err
	}
	all, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{Target: h.ID, ID: id, Limit: 1})
	if err != nil {
		return err
	}
	if len(all) == 0 || id == "" {
		return ErrNotFound
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	return e.db.Requeue(ctx, id, now)
}

// hooked is the data of a webhook's message.
type hooked struct {
	Case       string `json:"case"`
	Root       string `json:"root"`
	Workflow   string `json:"workflow"`
	State      string `json:"state"`
	Event      string `json:"event"`
	Notice     string `json:"notice"`
	Seq        int64  `json:"seq"`
	Title      string `json:"title,omitempty"`
	CIG        string `json:"cig,omitempty"`
	MemberBody string `json:"member_body"`
	SUA        string `json:"sua"`
	Deadline   string `json:"deadline,omitempty"`
	LastDay    string `json:"last_day,omitempty"`
	URL        string `json:"url"`
}

// tellWebhooks adds the notice for every subscription that wants it, with what its owner may see.
func (x *expansion) tellWebhooks(n store.Notice, t *tale) error {
	if !x.e.sends(store.ChannelWebhook) {
		return nil
	}
	for _, h := range x.hooks {
		mine := h.Body == t.c.MemberBody || h.Body == t.c.SUA
		wanted := len(h.Events) == 0 || slices.Contains(h.Events, t.order.Event) || slices.Contains(h.Events, t.order.Template)
		who := x.e.parties.actor(h.Owner)
		if h.State != "active" || !mine || !wanted || !mayHook(who, h.Body) {
			continue
		}
		own := x.e.summary(t.c, look(who, t.c))
		data := hooked{
			Case: t.c.ID, Root: t.c.Root, Workflow: t.c.Workflow, State: t.c.State, Event: t.order.Event, Notice: t.order.Template, Seq: t.order.Seq,
			Title: own.Title, CIG: own.CIG, MemberBody: t.c.MemberBody, SUA: t.c.SUA, URL: x.e.cfg.Notices.PublicURL + "/procedure/" + t.c.ID,
		}
		if t.term != nil {
			data.Deadline, data.LastDay = t.term.Name, t.term.LastDay
		}
		params, err := json.Marshal(data)
		if err != nil {
			return err
		}
		n.ID, n.Person, n.Channel, n.Target, n.Params, n.State, n.Act, n.NextTry = x.e.cfg.NewID(), h.Owner, store.ChannelWebhook, h.ID, params, store.NoticeQueued, false, x.tx.Now
		x.out = append(x.out, n)
	}
	return nil
}

// webhookMessage makes the body that is signed: the same bytes at each attempt.
func (e *Engine) webhookMessage(ctx context.Context, n *store.Notice) (notice.Message, error) {
	m := notice.Message{ID: n.ID, Event: n.Template, At: n.At}
	all, err := e.db.Webhooks(ctx, store.Everything, n.Person)
	if err != nil {
		return m, err
	}
	i := slices.IndexFunc(all, func(h store.Webhook) bool { return h.ID == n.Target })
	if i < 0 {
		return m, &notice.Permanent{Err: ErrNotFound}
	}
	m.To, m.Secret = all[i].URL, all[i].Secret
	m.Payload, err = json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp string          `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{"sua." + n.Template, n.At.Format(time.RFC3339), n.Params})
	return m, err
}
