package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// moved is the answer to an event.
type moved struct {
	Case      ident       `json:"case"`
	Event     ident       `json:"event"`
	From      ident       `json:"from,omitempty" doc:"Lo stato di prima"`
	To        ident       `json:"to" doc:"Lo stato di adesso"`
	Revision  count       `json:"revision"`
	Seq       count       `json:"seq" doc:"Posto dell'evento nella storia"`
	At        instant     `json:"at" doc:"Quando è stato registrato"`
	Effective instant     `json:"effective" doc:"Da quando ha effetto"`
	Opened    list[ident] `json:"opened" doc:"Le pratiche nate con l'evento"`
}

func movedBody(m engine.Moved) moved {
	return moved{
		Case: ident(m.Case), Event: ident(m.Event), From: ident(m.From), To: ident(m.To), Revision: count(m.Revision),
		Seq: count(m.Seq), At: stamp(m.At), Effective: stamp(m.Effective), Opened: idents(m.Opened),
	}
}

type fireRequest struct {
	Event       ident                 `json:"event" doc:"Uno degli eventi in /cases/{id}/options"`
	Inputs      inputs                `json:"inputs,omitempty" doc:"I dati che l'evento chiede, secondo il suo schema"`
	Acknowledge list[acknowledgement] `json:"acknowledge,omitempty" doc:"Gli avvisi accettati"`
}

type fireInput struct {
	caller
	ID      ident     `path:"id"`
	IfMatch precond   `header:"If-Match" doc:"L'ETag della pratica come l'hai letta; senza, 428"`
	Key     repeatKey `header:"Idempotency-Key" doc:"Rende ripetibile la richiesta: stessa chiave e stesso corpo danno la stessa risposta, per 7 giorni"`
}

type fireOutput struct {
	ETag etag `header:"ETag" doc:"La nuova revisione"`
	Body moved
}

func (s *service) fire(body jsonBody[fireRequest]) func(context.Context, *fireInput) (*fireOutput, error) {
	return func(ctx context.Context, in *fireInput) (*fireOutput, error) {
		if in.IfMatch == "" {
			return nil, newProblem(http.StatusPreconditionRequired, "if_match_missing", "serve If-Match con l'ETag della pratica come l'hai letta")
		}
		revision, err := strconv.ParseInt(strings.Trim(string(in.IfMatch), `"`), 10, 64)
		if err != nil {
			return nil, malformed("If-Match non è una revisione")
		}
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		m, err := s.Engine.Fire(ctx, in.actor, engine.Fire{
			Case: string(in.ID), Event: string(req.Event), Revision: revision, Inputs: req.Inputs,
			Acknowledge: acknowledgements(req.Acknowledge), Key: string(in.Key),
		})
		if err != nil {
			return nil, err
		}
		return &fireOutput{tag(m.Revision), movedBody(m)}, nil
	}
}

// options are the events seen from where a case stands.
type options struct {
	Case     ident        `json:"case"`
	Revision count        `json:"revision"`
	State    labelled     `json:"state"`
	Events   list[option] `json:"events" doc:"Prima quelli possibili, poi gli altri con il perché"`
}

type option struct {
	Event     ident          `json:"event"`
	Label     bilingual      `json:"label"`
	Help      bilingual      `json:"help"`
	Law       line           `json:"law,omitempty"`
	Allowed   bool           `json:"allowed" doc:"Chi chiede può farlo ora, se i dati sono giusti"`
	Mine      bool           `json:"mine" doc:"Chi chiede ha un ruolo per farlo"`
	Roles     list[labelled] `json:"roles" doc:"Chi può"`
	To        list[labelled] `json:"to" doc:"Dove può portare"`
	Schema    jsonSchema     `json:"schema" doc:"JSON Schema di inputs"`
	Current   inputs         `json:"current" doc:"I valori attuali di ciò che inputs cambierebbe"`
	Documents list[needed]   `json:"documents" doc:"I documenti che servono"`
	Refusals  list[refusal]  `json:"refusals" doc:"Perché non si può"`
	Warnings  list[refusal]  `json:"warnings" doc:"Da accettare in acknowledge, con una motivazione"`
}

type needed struct {
	Type    labelled  `json:"type"`
	Help    bilingual `json:"help"`
	Law     line      `json:"law,omitempty"`
	Present bool      `json:"present"`
}

type optionsOutput struct {
	ETag etag `header:"ETag" doc:"La revisione, da ripetere in If-Match"`
	Body options
}

func (s *service) options(ctx context.Context, in *caseInput) (*optionsOutput, error) {
	o, err := s.Engine.Options(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &optionsOutput{tag(o.Revision), options{
		Case: ident(o.Case), Revision: count(o.Revision), State: labelledBody(o.State), Events: each(o.Events, optionBody),
	}}, nil
}

func optionBody(o engine.Option) option {
	return option{
		Event: ident(o.Event), Label: text2(o.Label), Help: text2(o.Help), Law: line(o.Law), Allowed: o.Allowed, Mine: o.Mine,
		Roles: each(o.Roles, labelledBody), To: each(o.To, labelledBody), Schema: inputSchema(o.Label, o.Help, o.Inputs),
		Current: inputs(present(o.Current)), Documents: each(o.Documents, neededBody),
		Refusals: each(o.Refusals, refusalBody), Warnings: each(o.Warnings, refusalBody),
	}
}

func neededBody(n engine.Needed) needed {
	return needed{labelled{ident(n.Type.ID), text2(n.Type.Label)}, text2(n.Type.Help), line(n.Type.Law), n.Present}
}

// inputSchema is the schema of an event of which only the engine's view is at hand.
func inputSchema(label, help engine.Text, in []flow.Input) jsonSchema {
	return new(flow.Definition).InputSchema(&flow.Event{Label: label, Help: help, Inputs: in})
}

func (s *service) eventRoutes(r *routes) {
	add(r, operation{
		id: "case-options", method: http.MethodGet, path: "/cases/{id}/options", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary:     "Che cosa si può fare",
		description: "Gli eventi che possono accadere ora, con lo schema dei dati che chiedono; e perché gli altri non possono.",
	}, s.options)
	body := newJSONBody[fireRequest](r)
	add(r, operation{
		id: "fire-event", method: http.MethodPost, path: "/cases/{id}/events", tag: "pratiche", body: body.doc,
		errors:  []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired},
		summary: "Fa accadere un evento",
		description: "Porta avanti la pratica. 409 refused: non si può, con le ragioni; 409 acknowledge: si può accettando gli avvisi; " +
			"412: la pratica è cambiata nel frattempo, con che cosa.",
	}, s.fire(body))
}
