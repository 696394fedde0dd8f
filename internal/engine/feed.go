package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/store"
)

// NewCalendarLink gives the actor's calendar a new secret address and returns the secret; the address before ends.
func (e *Engine) NewCalendarLink(ctx context.Context, who auth.Actor) (string, error) {
	if _, ok := e.parties.person(who.ID); !ok {
		return "", ErrNotFound
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return "", err
	}
	secret, hash := auth.NewToken()
	return secret, e.db.SaveCalendarLink(ctx, who.ID, hash, now)
}

// CalendarLink returns since when the actor's calendar has an address; ErrNotFound: it has none. The address itself is not known here.
func (e *Engine) CalendarLink(ctx context.Context, who auth.Actor) (time.Time, error) {
	return e.db.CalendarLink(ctx, who.ID)
}

// DropCalendarLink ends the address of the actor's calendar; without one it does nothing.
func (e *Engine) DropCalendarLink(ctx context.Context, who auth.Actor) error {
	return e.db.DropCalendarLink(ctx, who.ID)
}

// mostDated bounds a calendar; pastDays is how long a term that is over stays in it.
const (
	mostDated = 1000
	pastDays  = 30
)

// workers have cases of their own: their calendar holds those alone. Everybody else's holds all the terms that they may see.
var workers = []string{"rup", "sua_clerk"}

// Calendar returns the iCalendar (RFC 5545) behind a secret: the terms that are running, each on its last useful day or at its hour, as the person sees
// them now. ErrNotFound for an unknown secret, or a person without any role.
func (e *Engine) Calendar(ctx context.Context, secret string) ([]byte, error) {
	person, err := e.db.CalendarPerson(ctx, auth.HashToken(secret))
	if err != nil {
		return nil, err
	}
	who, err := e.ActorByID(ctx, person)
	if err != nil {
		return nil, err
	}
	if len(who.Memberships) == 0 {
		return nil, ErrNotFound
	}
	c, err := e.db.Contact(ctx, person)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	mine := person
	if slices.ContainsFunc(who.Memberships, func(m auth.Membership) bool { return !slices.Contains(workers, m.Role) }) {
		mine = ""
	}
	terms, err := e.db.LiveTerms(ctx, scope(who), mine, now.AddDate(0, 0, -pastDays), mostDated)
	if err != nil {
		return nil, err
	}
	cal := ics.NewCalendar()
	cal.SetProductId("-//SUA workflow engine//IT")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(Text{IT: "Scadenze SUA", EN: "SUA deadlines"}.In(c.Language))
	cal.SetXWRCalName(Text{IT: "Scadenze SUA", EN: "SUA deadlines"}.In(c.Language))
	cal.SetRefreshInterval("PT1H")
	for i := range terms {
		e.dated(cal, &terms[i], who, c.Language)
	}
	return []byte(cal.Serialize(ics.WithNewLine("\r\n"))), nil
}

// dated adds a term as an event of a whole day, its last useful one; a term that ends at an hour as an event of that instant, in UTC.
func (e *Engine) dated(cal *ics.Calendar, t *store.Term, who auth.Actor, lang string) {
	day, err := calendar.ParseDate(t.LastDay)
	if err != nil {
		return
	}
	own := e.summary(&t.Case, look(who, &t.Case))
	label, law, then := Text{IT: t.Name, EN: t.Name}, "", Text{}
	if def, err := e.Definition(t.Case.Hash); err == nil {
		if decl, ok := def.Deadline(t.Name); ok {
			label, law = decl.Label, decl.Law
			if ev, ok := def.Event(decl.Fire); ok {
				then = Text{IT: "Alla scadenza: " + ev.Label.IT, EN: "Then: " + ev.Label.EN}
			}
		}
	}
	if t.Status == store.Suspended {
		label = Text{IT: label.IT + " (sospeso)", EN: label.EN + " (suspended)"}
	}
	title := own.Title
	if title == "" {
		title = own.Workflow.Label.In(lang)
	}
	ev := cal.AddEvent(t.ID + "@sua")
	ev.SetDtStampTime(t.Case.UpdatedAt)
	if t.DueAt.Equal(day.AddDays(1).Start()) {
		ev.SetAllDayStartAt(day.Start().In(calendar.Rome))
		ev.SetAllDayEndAt(day.AddDays(1).Start().In(calendar.Rome))
	} else { // it ends at an hour: an event without an end, which RFC 5545 reads as that instant
		ev.SetStartAt(t.DueAt)
	}
	ev.SetProperty(ics.ComponentPropertySequence, strconv.FormatInt(t.Revision, 10))
	ev.SetSummary(label.In(lang) + ": " + title)
	link := e.cfg.Notices.PublicURL + "/procedure/" + t.CaseID
	about := []string{own.MemberBody.Name, then.In(lang), law, Text{IT: t.ExplainIT, EN: t.ExplainEN}.In(lang), link}
	ev.SetDescription(strings.Join(slices.DeleteFunc(about, func(s string) bool { return s == "" }), "\n"))
	ev.SetURL(link)
	ev.SetTimeTransparency(ics.TransparencyTransparent)
}
