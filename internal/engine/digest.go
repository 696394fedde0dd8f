package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// DigestDue sums up, for each person who wants one mail a day and whose hour has come, what was held since the last one. It returns how
// many it made; a second call on the same day makes none. Who chose otherwise meanwhile gets at once what was held.
func (e *Engine) DigestDue(ctx context.Context) (int, error) {
	people, err := e.db.Held(ctx)
	if err != nil || len(people) == 0 {
		return 0, err
	}
	if err := e.parties.refresh(ctx); err != nil { // another process may have moved somebody
		return 0, err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return 0, err
	}
	contacts, err := e.db.Contacts(ctx)
	if err != nil {
		return 0, err
	}
	made := 0
	for _, person := range people {
		who := e.parties.actor(person)
		to := e.reach(who, contacts[person])
		if to.Mail == "digest" && now.In(calendar.Rome).Hour() < to.DigestHour {
			continue
		}
		done, err := e.digest(ctx, person, who, to, now)
		if err != nil {
			return made, err
		}
		if done {
			made++
		}
	}
	return made, nil
}

// mostSummed bounds a digest; what is over goes into the next.
const mostSummed = 200

func (e *Engine) digest(ctx context.Context, person string, who auth.Actor, to reached, now time.Time) (bool, error) {
	source := "digest:" + calendar.DateOf(now).String()
	if to.Mail == "digest" {
		before, err := e.db.Notices(ctx, store.Everything, store.NoticeFilter{Person: person, Source: source, Limit: 1})
		if err != nil || len(before) > 0 {
			return false, err
		}
	}
	held, err := e.db.HeldNotices(ctx, person, now, mostSummed)
	if err != nil || len(held) == 0 {
		return false, err
	}
	if to.Mail != "digest" { // not the one of the day; two processes that find the same make one
		source = "held:" + held[0].ID
	}
	first := slices.IndexFunc(held, func(n store.Notice) bool { return scope(who).Sees(n.MemberBody, n.SUA) })
	sum := store.Notice{
		ID: e.cfg.NewID(), Source: source, Person: person, Channel: store.ChannelMail, MemberBody: held[max(0, first)].MemberBody, SUA: held[max(0, first)].SUA,
		Template: notice.Digest, Params: []byte("{}"), State: store.NoticeQueued, NextTry: to.awake(now), At: now,
	}
	switch {
	case first < 0:
		sum.State, sum.Error = store.NoticeDead, errNoSight.Error()
	case to.Mail == "off":
		sum.State = store.NoticeDead
	}
	return true, e.db.Digest(ctx, sum, held)
}

// worded gives the values of a mail. A digest is put together when it leaves, out of what it sums up: of each body the person may have
// left meanwhile nothing more is told, of the others all.
func (e *Engine) worded(ctx context.Context, n *store.Notice, who auth.Actor) (notice.Values, error) {
	values, err := told(n)
	if err != nil {
		return nil, &notice.Permanent{Err: err}
	}
	if n.Template == notice.Digest {
		list, err := e.summed(ctx, n, who)
		if err != nil {
			return nil, err
		}
		values["list"], values["link"] = list, address(e.cfg.Notices.PublicURL+"/avvisi")
	}
	values["settings"] = address(e.cfg.Notices.PublicURL + "/avvisi/impostazioni")
	return values, nil
}

func address(url string) notice.Text { return notice.Text{IT: url, EN: url} }

// summed lists what a digest sums up, as far as the person may see it now: a permanent error when that is nothing.
func (e *Engine) summed(ctx context.Context, sum *store.Notice, who auth.Actor) (notice.Text, error) {
	held, err := e.db.Notices(ctx, store.Everything, store.NoticeFilter{Person: sum.Person, MessageID: sum.ID, Limit: mostSummed})
	if err != nil {
		return notice.Text{}, err
	}
	var it, en []string
	for i := range slices.Backward(held) {
		if !scope(who).Sees(held[i].MemberBody, held[i].SUA) {
			continue
		}
		values, err := told(&held[i])
		if err != nil {
			return notice.Text{}, &notice.Permanent{Err: err}
		}
		t := e.cfg.Notices.Templates.For(held[i].Template)
		inItalian, _ := t.Render("it", values)
		inEnglish, _ := t.Render("en", values)
		it, en = append(it, "• "+inItalian+"\n  "+values["link"].IT), append(en, "• "+inEnglish+"\n  "+values["link"].EN)
	}
	if len(it) == 0 {
		return notice.Text{}, &notice.Permanent{Err: errNoSight}
	}
	return notice.Text{IT: strings.Join(it, "\n"), EN: strings.Join(en, "\n")}, nil
}
