package engine

import (
	"context"
	"strconv"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// NoticeView is a notice as its person reads it.
type NoticeView struct {
	ID, Case   string
	Event      string
	Template   string
	Subject    Text
	Body       Text
	Act        bool // something is expected of the person
	At         time.Time
	ReadAt     *time.Time
	Deliveries []Delivery // by the other channels
}

// Delivery is what became of a message on one channel.
type Delivery struct {
	ID, Channel string
	State       string // queued, held, sent, delivered, failed, dead
	Attempts    int
	Error       string
	NextTry     *time.Time // while it waits
	SentAt      *time.Time
	DeliveredAt *time.Time
	At          time.Time
	Event       string
}

// NoticeQuery selects notices of the actor.
type NoticeQuery struct {
	Unread bool
	Case   string // empty: all
	After  string // Next of the page before
	Limit  int    // 0: 50, at most MaxPage
}

// Notices lists what the actor was told, newest first, with what became of it on the other channels.
func (e *Engine) Notices(ctx context.Context, who auth.Actor, q NoticeQuery) (Page[NoticeView], error) {
	var out Page[NoticeView]
	if q.Limit == 0 {
		q.Limit = 50
	}
	if q.Limit < 1 || q.Limit > MaxPage {
		return out, &Invalid{[]Problem{problem("/limit", "limit_range", "max", strconv.Itoa(MaxPage))}}
	}
	mine, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{Person: owner(who), CaseID: q.Case, Channels: []string{store.ChannelApp}, Unread: q.Unread, Before: q.After, Limit: q.Limit})
	if err != nil {
		return out, err
	}
	bySource := map[string][]Delivery{}
	if len(mine) > 0 {
		others, err := e.db.NoticesOfSources(ctx, scope(who), owner(who), sources(mine))
		if err != nil {
			return out, err
		}
		for i := range others {
			bySource[others[i].Source] = append(bySource[others[i].Source], delivery(&others[i]))
		}
	}
	for i := range mine {
		v, err := e.noticeView(&mine[i])
		if err != nil {
			return out, err
		}
		v.Deliveries = bySource[mine[i].Source]
		out.Items = append(out.Items, v)
	}
	if len(mine) == q.Limit {
		out.Next = mine[len(mine)-1].ID
	}
	return out, nil
}

// owner is whose notices the actor reads; the engine itself has none.
func owner(who auth.Actor) string {
	if who.ID == "" {
		return "nobody"
	}
	return who.ID
}

func sources(all []store.Notice) []string {
	out := make([]string, len(all))
	for i := range all {
		out[i] = all[i].Source
	}
	return out
}

func (e *Engine) noticeView(n *store.Notice) (NoticeView, error) {
	v := NoticeView{ID: n.ID, Case: n.CaseID, Event: n.Event, Template: n.Template, Act: n.Act, At: n.At, ReadAt: n.ReadAt}
	values, err := told(n)
	if err != nil {
		return v, err
	}
	delete(values, "link") // the page has its own
	t := e.cfg.Notices.Templates.For(n.Template)
	v.Subject.IT, v.Body.IT = t.Render("it", values)
	v.Subject.EN, v.Body.EN = t.Render("en", values)
	return v, nil
}

func delivery(n *store.Notice) Delivery {
	d := Delivery{ID: n.ID, Channel: n.Channel, State: n.State, Attempts: n.Attempts, Error: n.Error, SentAt: n.SentAt, DeliveredAt: n.DeliveredAt, At: n.At, Event: n.Event}
	if n.State == store.NoticeQueued || n.State == store.NoticeFailed {
		d.NextTry = &n.NextTry
	}
	return d
}

// UnreadNotices counts what the actor has not read, up to 100.
func (e *Engine) UnreadNotices(ctx context.Context, who auth.Actor) (int, error) {
	return e.db.Unread(ctx, scope(who), owner(who))
}

// ReadNotices marks one notice of the actor as read, or all with an empty id, and returns how many were not. ErrNotFound: there is no
// such notice of the actor.
func (e *Engine) ReadNotices(ctx context.Context, who auth.Actor, id string) (int, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return 0, err
	}
	n, err := e.db.ReadNotices(ctx, scope(who), owner(who), id, now)
	if err != nil || n > 0 || id == "" {
		return n, err
	}
	all, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{Person: owner(who), ID: id, Channels: []string{store.ChannelApp}, Limit: 1})
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	return 0, err
}
