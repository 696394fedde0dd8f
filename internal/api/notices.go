package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/engine"
)

// noticeBody is a notice as its person reads it.
type noticeBody struct {
	ID         ident              `json:"id"`
	Case       ident              `json:"case,omitempty"`
	Event      ident              `json:"event,omitempty" doc:"L'evento o il termine di cui parla"`
	Template   ident              `json:"template"`
	Subject    bilingual          `json:"subject"`
	Text       noticeText         `json:"text"`
	Act        bool               `json:"act" doc:"Chiede di fare qualcosa"`
	At         instant            `json:"at"`
	ReadAt     instant            `json:"read_at,omitempty" doc:"Manca: non letto"`
	Deliveries list[deliveryBody] `json:"deliveries" doc:"Che cosa ne è stato per posta e PEC"`
}

// noticeText is longer than a label.
type noticeText struct {
	IT prose `json:"it"`
	EN prose `json:"en"`
}

type deliveryBody struct {
	ID          ident   `json:"id"`
	Channel     ident   `json:"channel" doc:"mail, pec, digest (nel riepilogo), webhook"`
	State       ident   `json:"state" doc:"queued, held (per il riepilogo), sent, delivered, failed (si riprova), dead (abbandonato)"`
	Attempts    count   `json:"attempts"`
	Error       prose   `json:"error,omitempty"`
	At          instant `json:"at"`
	NextTry     instant `json:"next_try,omitempty"`
	SentAt      instant `json:"sent_at,omitempty"`
	DeliveredAt instant `json:"delivered_at,omitempty" doc:"Con la PEC: quando il gestore certifica la consegna"`
}

func deliveryOf(d engine.Delivery) deliveryBody {
	return deliveryBody{
		ID: ident(d.ID), Channel: ident(d.Channel), State: ident(d.State), Attempts: count(d.Attempts), Error: prose(d.Error), At: stamp(d.At),
		NextTry: stampAt(d.NextTry), SentAt: stampAt(d.SentAt), DeliveredAt: stampAt(d.DeliveredAt),
	}
}

func noticeOf(n engine.NoticeView) noticeBody {
	return noticeBody{
		ID: ident(n.ID), Case: ident(n.Case), Event: ident(n.Event), Template: ident(n.Template), Subject: text2(n.Subject), Text: noticeText{prose(n.Body.IT), prose(n.Body.EN)},
		Act: n.Act, At: stamp(n.At), ReadAt: stampAt(n.ReadAt), Deliveries: each(n.Deliveries, deliveryOf),
	}
}

type noticesInput struct {
	caller
	Unread bool   `query:"unread" doc:"Solo quelli non letti"`
	Case   ident  `query:"case" doc:"Solo di questa pratica"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200" format:"int32" doc:"Quanti al più"`
	After  cursor `query:"after" doc:"Il next della pagina precedente, con gli stessi filtri"`
}

type noticesOutput struct {
	Link headerText `header:"Link" doc:"La pagina seguente, rel=next"`
	Body struct {
		Items  list[noticeBody] `json:"items" doc:"Dal più recente"`
		Next   cursor           `json:"next,omitempty"`
		Unread count            `json:"unread" doc:"Quanti non letti in tutto, fino a 100"`
	}
}

func (s *service) notices(ctx context.Context, in *noticesInput) (*noticesOutput, error) {
	found, err := s.Engine.Notices(ctx, in.actor, engine.NoticeQuery{Unread: in.Unread, Case: string(in.Case), After: string(in.After), Limit: in.Limit})
	if err != nil {
		return nil, ofParameters(err)
	}
	unread, err := s.Engine.UnreadNotices(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	out := &noticesOutput{}
	out.Body.Items, out.Body.Next, out.Body.Unread = each(found.Items, noticeOf), cursor(found.Next), count(unread)
	if found.Next != "" {
		out.Link = nextPage(in.echo, "after", found.Next)
	}
	return out, nil
}

type byID struct {
	caller
	ID ident `path:"id"`
}

type readOutput struct {
	Body struct {
		Read count `json:"read" doc:"Quanti non erano letti"`
	}
}

func (s *service) readNotice(ctx context.Context, in *byID) (*readOutput, error) {
	n, err := s.Engine.ReadNotices(ctx, in.actor, string(in.ID))
	out := &readOutput{}
	out.Body.Read = count(n)
	return out, err
}

func (s *service) readNotices(ctx context.Context, in *workflowsInput) (*readOutput, error) {
	n, err := s.Engine.ReadNotices(ctx, in.actor, "")
	out := &readOutput{}
	out.Body.Read = count(n)
	return out, err
}

// preferences are how a person is told.
type preferences struct {
	Email      line   `json:"email,omitempty" doc:"Vuoto: l'indirizzo dell'account"`
	PEC        line   `json:"pec,omitempty"`
	Mail       string `json:"mail,omitempty" enum:",now,digest,off" maxLength:"10" doc:"Vuoto: come per il ruolo"`
	DigestHour count  `json:"digest_hour" doc:"Ora del riepilogo, da 0 a 23, a Roma"`
	QuietFrom  count  `json:"quiet_from" doc:"Dalle, ora di Roma; uguale a quiet_to: mai silenzio"`
	QuietTo    count  `json:"quiet_to"`
	Language   string `json:"language" enum:"it,en" maxLength:"2"`
}

// myPreferences are the same with what holds without a choice.
type myPreferences struct {
	Email      line   `json:"email,omitempty"`
	PEC        line   `json:"pec,omitempty"`
	Mail       string `json:"mail,omitempty" enum:",now,digest,off" maxLength:"10"`
	DigestHour count  `json:"digest_hour"`
	QuietFrom  count  `json:"quiet_from"`
	QuietTo    count  `json:"quiet_to"`
	Language   string `json:"language" enum:"it,en" maxLength:"2"`
	Account    line   `json:"account,omitempty" doc:"L'indirizzo dell'account"`
	Habit      ident  `json:"habit" doc:"Come riceve la posta il ruolo: now, digest, off"`
}

type preferencesOutput struct{ Body myPreferences }

func (s *service) preferences(ctx context.Context, in *workflowsInput) (*preferencesOutput, error) {
	p, err := s.Engine.Preferences(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	return &preferencesOutput{myPreferences{
		Email: line(p.Email), PEC: line(p.PEC), Mail: p.Mail, DigestHour: count(p.DigestHour), QuietFrom: count(p.QuietFrom), QuietTo: count(p.QuietTo), Language: p.Language,
		Account: line(p.Account), Habit: ident(p.Habit),
	}}, nil
}

func (s *service) savePreferences(body jsonBody[preferences]) func(context.Context, *workflowsInput) (*struct{}, error) {
	return func(ctx context.Context, in *workflowsInput) (*struct{}, error) {
		p, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		return nil, s.Engine.SavePreferences(ctx, in.actor, engine.Preferences{
			Email: string(p.Email), PEC: string(p.PEC), Mail: p.Mail, DigestHour: int(p.DigestHour), QuietFrom: int(p.QuietFrom), QuietTo: int(p.QuietTo), Language: p.Language,
		})
	}
}

type calendarOutput struct {
	Body struct {
		URL   line    `json:"url,omitempty" doc:"L'indirizzo, detto una volta sola: chi lo conosce vede le scadenze"`
		Since instant `json:"since,omitempty"`
	}
}

func (s *service) newCalendarLink(ctx context.Context, in *workflowsInput) (*calendarOutput, error) {
	secret, err := s.Engine.NewCalendarLink(ctx, in.actor)
	out := &calendarOutput{}
	out.Body.URL = line(s.PublicURL + "/calendario/" + secret + ".ics")
	return out, err
}

func (s *service) calendarLink(ctx context.Context, in *workflowsInput) (*calendarOutput, error) {
	since, err := s.Engine.CalendarLink(ctx, in.actor)
	out := &calendarOutput{}
	out.Body.Since = stamp(since)
	return out, err
}

func (s *service) dropCalendarLink(ctx context.Context, in *workflowsInput) (*struct{}, error) {
	return nil, s.Engine.DropCalendarLink(ctx, in.actor)
}

func (s *service) noticeRoutes(r *routes) {
	add(r, operation{
		id: "list-notices", method: http.MethodGet, path: "/notices", tag: "avvisi",
		summary: "I miei avvisi", description: "Gli avvisi di chi chiede, dal più recente, con l'esito dell'invio per posta e PEC.",
	}, s.notices)
	add(r, operation{
		id: "read-notices", method: http.MethodPost, path: "/notices/read", tag: "avvisi",
		summary: "Segna tutti letti", description: "Segna come letti tutti gli avvisi di chi chiede.",
	}, s.readNotices)
	add(r, operation{
		id: "read-notice", method: http.MethodPost, path: "/notices/{id}/read", tag: "avvisi", errors: []int{http.StatusNotFound},
		summary: "Segna letto", description: "Segna come letto un avviso di chi chiede; ripeterlo non cambia nulla.",
	}, s.readNotice)
	add(r, operation{
		id: "get-notice-preferences", method: http.MethodGet, path: "/notices/preferences", tag: "avvisi",
		summary: "Come ricevo gli avvisi", description: "Le preferenze di chi chiede, e ciò che vale dove non ha scelto.",
	}, s.preferences)
	body := newJSONBody[preferences](r)
	add(r, operation{
		id: "save-notice-preferences", method: http.MethodPut, path: "/notices/preferences", tag: "avvisi", status: http.StatusNoContent, body: body.doc, errors: []int{http.StatusNotFound},
		summary: "Scegli come ricevere gli avvisi", description: "Sostituisce le preferenze di chi chiede.",
	}, s.savePreferences(body))
	add(r, operation{
		id: "get-calendar-link", method: http.MethodGet, path: "/calendar-link", tag: "avvisi", errors: []int{http.StatusNotFound},
		summary: "C'è un indirizzo del calendario?", description: "Da quando c'è; l'indirizzo stesso non è conservato.",
	}, s.calendarLink)
	add(r, operation{
		id: "new-calendar-link", method: http.MethodPost, path: "/calendar-link", tag: "avvisi", status: http.StatusCreated, errors: []int{http.StatusNotFound},
		summary: "Nuovo indirizzo del calendario", description: "Un indirizzo segreto da cui un'agenda legge le scadenze (iCalendar). Quello di prima non vale più.",
	}, s.newCalendarLink)
	add(r, operation{
		id: "drop-calendar-link", method: http.MethodDelete, path: "/calendar-link", tag: "avvisi", status: http.StatusNoContent,
		summary: "Togli l'indirizzo del calendario", description: "L'indirizzo non vale più.",
	}, s.dropCalendarLink)
}
