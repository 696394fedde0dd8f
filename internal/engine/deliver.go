package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// pauses are how long a notice waits after each attempt that failed; after the last it is given up.
var pauses = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

const (
	claimed   = 5 * time.Minute // how long nobody else touches a notice that is being sent
	sendLimit = 90 * time.Second
)

// DueNotices lists the notices of these channels (none: of all) to be sent now, those that waited longest first.
func (e *Engine) DueNotices(ctx context.Context, limit int, channels ...string) ([]store.DueNotice, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	return e.db.DueNotices(ctx, now, limit, channels...)
}

// DueHooks lists, by webhook, the messages to be sent now to all webhooks but some; at most limit, those that waited longest.
func (e *Engine) DueHooks(ctx context.Context, limit int, but []string) (map[string][]store.DueNotice, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	return e.db.DueHooks(ctx, now, limit, but)
}

// DueHook lists the messages to be sent now to one webhook, those that waited longest first.
func (e *Engine) DueHook(ctx context.Context, limit int, target string) ([]store.DueNotice, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	return e.db.DueHook(ctx, now, limit, target)
}

// Outcome is what became of an attempt to send a notice. The zero Outcome: there was nothing to do.
type Outcome struct {
	State   string        // of its row
	Target  string        // the webhook, if it went to one
	Error   string        // without addresses of people
	Retries time.Duration // until the next attempt, of one that failed
}

// DeliverNotice sends one notice through its channel and records what became of it. It does nothing when the notice is not due any
// more or somebody else is sending it; of one that was given up before it says so. What fails is tried again later, then given up:
// both stand in its row and in the outcome, and the error returned is only of this program. A crash between sending and recording
// sends again under the same id.
func (e *Engine) DeliverNotice(ctx context.Context, id string) (Outcome, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return Outcome{}, err
	}
	n, err := e.db.ClaimNotice(ctx, id, now, now.Add(claimed))
	if errors.Is(err, ErrNotFound) {
		return e.givenUp(ctx, id)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("claim notice %s: %w", id, err)
	}
	if err := e.attempt(ctx, &n, now); err != nil {
		return Outcome{}, err
	}
	out := Outcome{State: n.State, Target: n.Target, Error: n.Error}
	if n.State == store.NoticeFailed {
		if now, err = e.db.Now(ctx); err == nil {
			out.Retries = max(0, n.NextTry.Sub(now))
		}
	}
	return out, err
}

// givenUp tells of a notice that cannot be claimed whether that is because it was given up.
func (e *Engine) givenUp(ctx context.Context, id string) (Outcome, error) {
	if id == "" {
		return Outcome{}, nil
	}
	found, err := e.db.Notices(ctx, store.Everything, store.NoticeFilter{ID: id, Limit: 1})
	if err != nil || len(found) == 0 || found[0].State != store.NoticeDead {
		return Outcome{}, err
	}
	return Outcome{State: store.NoticeDead, Target: found[0].Target, Error: found[0].Error}, nil
}

// attempt sends a notice that was claimed at now and records what became of it.
func (e *Engine) attempt(ctx context.Context, n *store.Notice, now time.Time) error {
	m, wait, err := e.message(ctx, n, now)
	switch {
	case err == nil && wait.After(now): // quiet hours that began after it was queued
		n.State, n.NextTry, n.Attempts = store.NoticeQueued, wait, n.Attempts-1
		return e.db.SettleNotice(ctx, *n)
	case err == nil:
		sending, cancel := context.WithTimeout(ctx, sendLimit)
		n.MessageID, err = e.cfg.Notices.Senders[n.Channel](sending, m)
		cancel()
		if after, lost := e.db.Now(context.WithoutCancel(ctx)); lost == nil {
			now = after // pauses count from the end of an attempt: one that hung has used up more than the first of them
		}
	}
	if ctx.Err() != nil && err != nil { // stopped: the claim runs out and somebody else sends it
		return ctx.Err()
	}
	e.settle(n, now, m.To, err)
	ctx = context.WithoutCancel(ctx)
	if n.Channel == store.ChannelWebhook && n.State == store.NoticeFailed { // the others for it wait too, and hold up nobody else
		if err := e.db.Postpone(ctx, n.Target, n.NextTry); err != nil {
			return err
		}
	}
	return e.db.SettleNotice(ctx, *n)
}

// settle notes the outcome of an attempt. Addresses of people stand in their tables only: they are struck out of errors.
func (e *Engine) settle(n *store.Notice, now time.Time, to string, err error) {
	if err == nil {
		n.State, n.Error, n.SentAt = store.NoticeSent, "", &now
		if n.Channel == store.ChannelWebhook { // it has answered
			n.State, n.DeliveredAt = store.NoticeDelivered, &now
		}
		return
	}
	text := err.Error()
	if to != "" && n.Channel != store.ChannelWebhook {
		text = strings.ReplaceAll(text, to, "…")
	}
	if runes := []rune(strings.ToValidUTF8(text, "?")); len(runes) > 300 {
		text = string(runes[:300])
	}
	n.State, n.Error = store.NoticeFailed, strings.ReplaceAll(text, "\x00", "")
	if notice.IsPermanent(err) || n.Attempts > len(pauses) {
		n.State = store.NoticeDead
		e.cfg.Log.Error("notice given up", "notice", n.ID, "channel", n.Channel, "attempts", n.Attempts, "error", n.Error)
		return
	}
	n.NextTry = now.Add(pauses[n.Attempts-1])
	e.cfg.Log.Warn("notice not sent", "notice", n.ID, "channel", n.Channel, "attempt", n.Attempts, "again", n.NextTry, "error", n.Error)
}

var (
	errNoSender  = errors.New("this channel is not configured")
	errNoAddress = errors.New("the person has no address for this channel any more")
	errNoSight   = errors.New("the person may not see the case any more")
)

// message puts a notice into words, for its person as the person is now. wait is when it may go.
func (e *Engine) message(ctx context.Context, n *store.Notice, now time.Time) (m notice.Message, wait time.Time, err error) {
	if !e.sends(n.Channel) {
		return m, now, errNoSender
	}
	if err := e.parties.renew(ctx, n.Person); err != nil { // another process may have moved the person
		return m, now, err
	}
	who := e.parties.actor(n.Person)
	if n.Template != notice.Digest && !scope(who).Sees(n.MemberBody, n.SUA) { // a digest tells of several bodies: told looks at each
		return m, now, &notice.Permanent{Err: errNoSight}
	}
	if n.Channel == store.ChannelWebhook {
		m, err = e.webhookMessage(ctx, n)
		return m, now, err
	}
	c, err := e.db.Contact(ctx, n.Person)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return m, now, err
	}
	to := e.reach(who, c)
	m = notice.Message{ID: n.ID, Thread: n.Root, To: to.Email, Name: who.Name, Lang: to.Language, At: n.At}
	if n.Channel == store.ChannelPEC {
		m.To = to.PEC
	}
	if m.To == "" {
		return m, now, &notice.Permanent{Err: errNoAddress}
	}
	values, err := e.worded(ctx, n, who)
	if err != nil {
		return m, now, err
	}
	ts := e.cfg.Notices.Templates
	m.Subject, m.Text, m.HTML, err = ts.Mail(ts.For(n.Template), to.Language, values)
	return m, to.awake(now), err
}

// mostUnanswered is how many notices one look at those without an answer takes.
const mostUnanswered = 200

// EscalateDue tells the directors of notices that asked for something, that nobody has read for too long, and after which nothing has
// happened in the case. It returns how many; each is told once.
func (e *Engine) EscalateDue(ctx context.Context) (int, error) {
	after := e.cfg.Notices.EscalateAfter
	if after == 0 {
		return 0, nil
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return 0, err
	}
	told := 0
	for {
		late, err := e.db.Unanswered(ctx, now.Add(-after), mostUnanswered)
		if err != nil || len(late) == 0 {
			return told, err
		}
		if last := late[len(late)-1].Source; len(late) == mostUnanswered && late[0].Source != last { // it may go on after the cut: next time
			late = slices.DeleteFunc(late, func(n store.Notice) bool { return n.Source == last })
		}
		seen := map[string]bool{}
		for _, n := range late {
			if seen[n.Source] {
				continue
			}
			seen[n.Source] = true
			done, err := e.escalate(ctx, n, late, now)
			if err != nil {
				return told, err
			}
			if done {
				told++
			}
		}
	}
}

func (e *Engine) escalate(ctx context.Context, n store.Notice, late []store.Notice, now time.Time) (bool, error) {
	var to []string
	for _, x := range late {
		if x.Source != n.Source {
			continue
		}
		bodies := e.parties.actor(x.Person).Bodies()
		if slices.Contains(bodies, n.MemberBody) && !slices.Contains(to, "member_director") {
			to = append(to, "member_director")
		}
		if slices.Contains(bodies, n.SUA) && !slices.Contains(to, "sua_director") {
			to = append(to, "sua_director")
		}
	}
	c := &store.Case{ID: n.CaseID, Root: n.Root, MemberBody: n.MemberBody, SUA: n.SUA}
	m, err := caseOrders{c, []noticeOrder{{Template: notice.Escalation, To: to, Event: n.Event, Seq: n.Seq}}}.message(now)
	if err != nil {
		return false, err
	}
	return e.db.Escalate(ctx, n, m, now)
}
