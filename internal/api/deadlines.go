package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// deadlineRow is a deadline in a list across cases.
type deadlineRow struct {
	Deadline
	Title      prose `json:"title,omitempty" doc:"L'oggetto della pratica o della procedura in cima; manca se è riservato"`
	Root       ident `json:"root"`
	Workflow   ident `json:"workflow"`
	CIG        line  `json:"cig,omitempty"`
	MemberBody *ref  `json:"member_body,omitempty"`
	State      ident `json:"state" doc:"Lo stato della pratica"`
	Officer    *ref  `json:"officer,omitempty"`
	RUP        *ref  `json:"rup,omitempty"`
}

// forecast says when a term's work would be done at the pace so far.
type forecast struct {
	At     instant   `json:"at"`
	Breach bool      `json:"breach" doc:"Oltre il termine"`
	Days   span      `json:"days" doc:"Di quanti giorni oltre; 0 se in tempo"`
	Basis  ident     `json:"basis" doc:"history: dalle pratiche concluse della SUA (la mediana, da cinque in su); plan: dalla quota di fasi percorsa"`
	Cases  count     `json:"cases" doc:"Su quante pratiche concluse si basa"`
	Text   bilingual `json:"text"`
}

func forecastOf(f *engine.Forecast) *forecast {
	if f == nil {
		return nil
	}
	return &forecast{stamp(f.At), f.Breach, span(f.Days), ident(f.Basis), count(f.Cases), text2(f.Text)}
}

// allDeadlinesInput calls the body Owner: huma takes any field called Body for that of the request.
type allDeadlinesInput struct {
	caller
	Scope    ident  `query:"scope" doc:"mine: delle pratiche di cui chi chiede è RUP o istruttore; body (se manca): di tutte quelle che vede"`
	State    ident  `query:"state" doc:"overdue, running, blocked, suspended; se manca tutti tranne i sospesi"`
	After    day    `query:"after" doc:"Solo quelli che finiscono da questo giorno in poi"`
	Before   day    `query:"before" doc:"Solo quelli che finiscono prima di questo giorno"`
	Days     int    `query:"days" minimum:"0" maximum:"3650" format:"int32" doc:"Solo quelli il cui ultimo giorno è entro tanti giorni da oggi"`
	Workflow ident  `query:"workflow" doc:"Il flusso della pratica"`
	Owner    ident  `query:"body" doc:"L'ente, come Comune o come SUA"`
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"200" format:"int32" doc:"Quanti al più"`
	Cursor   cursor `query:"cursor" doc:"Il next della pagina precedente, con gli stessi filtri"`
}

type allDeadlinesOutput struct {
	Link headerText `header:"Link" doc:"La pagina seguente, rel=next"`
	Body page[deadlineRow]
}

func (s *service) allDeadlines(ctx context.Context, in *allDeadlinesInput) (*allDeadlinesOutput, error) {
	q := engine.DeadlineQuery{
		Scope: string(in.Scope), State: string(in.State), Days: in.Days, Workflow: string(in.Workflow), Body: string(in.Owner), Limit: in.Limit, Cursor: string(in.Cursor),
	}
	for _, d := range []struct {
		day day
		to  *time.Time
	}{{in.After, &q.After}, {in.Before, &q.Before}} {
		if at, err := calendar.ParseDate(string(d.day)); err == nil {
			*d.to = at.Start().Add(time.Microsecond) // a term whose last day is the one before is over at this midnight
		}
	}
	found, err := s.Engine.FindDeadlines(ctx, in.actor, q)
	if err != nil {
		return nil, ofParameters(err)
	}
	out := &allDeadlinesOutput{Body: page[deadlineRow]{each(found.Items, deadlineRowBody), cursor(found.Next)}}
	if found.Next != "" {
		out.Link = nextPage(in.echo, "cursor", found.Next)
	}
	return out, nil
}

func deadlineRowBody(r engine.DeadlineRow) deadlineRow {
	return deadlineRow{
		Deadline: deadlineBody(r.DeadlineView), Title: prose(r.Title), Root: ident(r.Case.Root), Workflow: ident(r.Case.Workflow.ID), CIG: line(r.Case.CIG),
		MemberBody: refOf(r.Case.MemberBody), State: ident(r.Case.State.ID), Officer: refOf(r.Case.Officer), RUP: refOf(r.Case.RUP),
	}
}

type moveRequest struct {
	To          line                  `json:"to,omitempty" doc:"La nuova fine: un giorno (2026-06-30, l'ora resta) o un istante (2026-06-30T12:00:00+02:00); oppure days"`
	Days        count                 `json:"days,omitempty" doc:"I giorni in più, contati dalla fine attuale; oppure to"`
	Reason      prose                 `json:"reason" doc:"La motivazione"`
	Law         prose                 `json:"law" doc:"La norma o l'atto che lo consente"`
	Document    ident                 `json:"document,omitempty" doc:"Un documento della pratica"`
	Acknowledge list[acknowledgement] `json:"acknowledge,omitempty" doc:"Gli avvisi accettati"`
}

type pauseRequest struct {
	At          instant               `json:"at,omitempty" doc:"Da quando; se manca da adesso. Non nel futuro"`
	Reason      prose                 `json:"reason" doc:"La motivazione"`
	Law         prose                 `json:"law" doc:"La norma o l'atto che lo consente"`
	Document    ident                 `json:"document,omitempty" doc:"Un documento della pratica"`
	Acknowledge list[acknowledgement] `json:"acknowledge,omitempty" doc:"Gli avvisi accettati"`
}

type changeInput struct {
	caller
	ID       ident     `path:"id"`
	Deadline ident     `path:"deadline"`
	IfMatch  precond   `header:"If-Match" doc:"L'ETag della pratica come l'hai letta; senza, 428"`
	Key      repeatKey `header:"Idempotency-Key" doc:"Rende ripetibile la richiesta: stessa chiave e stesso corpo danno la stessa risposta, per 7 giorni"`
}

// command is what path and headers say; it fails without a revision.
func (in *changeInput) command() (engine.ChangeDeadline, error) {
	if in.IfMatch == "" {
		return engine.ChangeDeadline{}, newProblem(http.StatusPreconditionRequired, "if_match_missing", "serve If-Match con l'ETag della pratica come l'hai letta")
	}
	revision, err := strconv.ParseInt(strings.Trim(string(in.IfMatch), `"`), 10, 64)
	if err != nil {
		return engine.ChangeDeadline{}, malformed("If-Match non è una revisione")
	}
	return engine.ChangeDeadline{Case: string(in.ID), Deadline: string(in.Deadline), Revision: revision, Key: string(in.Key)}, nil
}

type changedDeadline struct {
	Case      ident    `json:"case"`
	Event     ident    `json:"event" doc:"deadline_moved, deadline_suspended o deadline_resumed"`
	Revision  count    `json:"revision"`
	Seq       count    `json:"seq" doc:"Posto dell'evento nella storia"`
	At        instant  `json:"at" doc:"Quando è stato registrato"`
	Effective instant  `json:"effective" doc:"Da quando ha effetto"`
	Deadline  Deadline `json:"deadline" doc:"Il termine com'è ora"`
}

type changeOutput struct {
	ETag etag `header:"ETag" doc:"La nuova revisione"`
	Body changedDeadline
}

func changeAnswer(m engine.ChangedDeadline, err error) (*changeOutput, error) {
	if err != nil {
		return nil, err
	}
	return &changeOutput{tag(m.Revision), changedDeadline{
		ident(m.Case), ident(m.Event), count(m.Revision), count(m.Seq), stamp(m.At), stamp(m.Effective), deadlineBody(m.Deadline),
	}}, nil
}

func (s *service) moveDeadline(body jsonBody[moveRequest]) func(context.Context, *changeInput) (*changeOutput, error) {
	return func(ctx context.Context, in *changeInput) (*changeOutput, error) {
		cmd, err := in.command()
		if err != nil {
			return nil, err
		}
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		cmd.To, cmd.Days, cmd.Reason, cmd.Law, cmd.Document = string(req.To), int(min(req.Days, manyDays)), string(req.Reason), string(req.Law), string(req.Document)
		cmd.Acknowledge = acknowledgements(req.Acknowledge)
		return changeAnswer(s.Engine.MoveDeadline(ctx, in.actor, cmd))
	}
}

// manyDays is more than any term may be moved by; it fits an int everywhere.
const manyDays = 1 << 30

// pauseDeadline suspends or resumes.
func (s *service) pauseDeadline(body jsonBody[pauseRequest], resume bool) func(context.Context, *changeInput) (*changeOutput, error) {
	return func(ctx context.Context, in *changeInput) (*changeOutput, error) {
		cmd, err := in.command()
		if err != nil {
			return nil, err
		}
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		cmd.Reason, cmd.Law, cmd.Document, cmd.Acknowledge = string(req.Reason), string(req.Law), string(req.Document), acknowledgements(req.Acknowledge)
		if req.At != "" {
			if cmd.At, err = time.Parse(time.RFC3339, string(req.At)); err != nil {
				return nil, malformed("at non è un istante")
			}
		}
		if resume {
			return changeAnswer(s.Engine.ResumeDeadline(ctx, in.actor, cmd))
		}
		return changeAnswer(s.Engine.SuspendDeadline(ctx, in.actor, cmd))
	}
}

func (s *service) deadlineRoutes(r *routes) {
	add(r, operation{
		id: "deadlines", method: http.MethodGet, path: "/deadlines", tag: "pratiche",
		summary: "Termini di più pratiche",
		description: "I termini in corso, bloccati o scaduti (a richiesta i sospesi) di tutte le pratiche che chi chiede vede, dal più vicino: che cosa, per quale norma, entro quando, " +
			"quanto è trascorso, che cosa li trattiene, chi deve agire, e dove il flusso lo chiede la previsione.",
	}, s.allDeadlines)
	errors := []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired}
	move := newJSONBody[moveRequest](r)
	add(r, operation{
		id: "move-deadline", method: http.MethodPost, path: "/cases/{id}/deadlines/{deadline}/move", tag: "pratiche", body: move.doc, errors: errors,
		summary: "Sposta o proroga un termine",
		description: "Con motivazione e norma; resta nella storia e chi segue la pratica è avvisato. Se la fine sta in un campo, si sposta anche quello con ciò che se ne conta. " +
			"409 refused: la nuova fine è già passata, o il termine è concluso o sospeso; 409 acknowledge: è perentorio, si accorcia, o finisce in un giorno non lavorativo.",
	}, s.moveDeadline(move))
	suspend := newJSONBody[pauseRequest](r)
	add(r, operation{
		id: "suspend-deadline", method: http.MethodPost, path: "/cases/{id}/deadlines/{deadline}/suspend", tag: "pratiche", body: suspend.doc, errors: errors,
		summary: "Sospendi un termine", description: "Sta fermo da at, o da adesso, finché non è ripreso.",
	}, s.pauseDeadline(suspend, false))
	resume := newJSONBody[pauseRequest](r)
	add(r, operation{
		id: "resume-deadline", method: http.MethodPost, path: "/cases/{id}/deadlines/{deadline}/resume", tag: "pratiche", body: resume.doc, errors: errors,
		summary: "Riprendi un termine", description: "Il tempo in cui è stato fermo si aggiunge alla fine.",
	}, s.pauseDeadline(resume, true))
}
