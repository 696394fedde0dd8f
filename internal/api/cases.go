package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// items is a list that does not come in pages.
type items[T any] struct {
	Items list[T] `json:"items"`
}

// page is one page of a list.
type page[T any] struct {
	Items list[T] `json:"items"`
	Next  cursor  `json:"next,omitempty" doc:"Da dare in after per la pagina seguente; manca all'ultima"`
}

// listInput calls the body Owner: huma takes any field called Body for that of the request.
type listInput struct {
	caller
	Workflow  ident    `query:"workflow" doc:"Solo di questo flusso"`
	State     ident    `query:"state" doc:"Solo in questo stato"`
	Stage     ident    `query:"stage" doc:"Solo in questa fase"`
	Owner     ident    `query:"body" doc:"Solo di questo ente, come Comune o come SUA"`
	Officer   ident    `query:"officer" doc:"Solo affidate a questa persona"`
	Text      line     `query:"text" maxLength:"200" doc:"Parole, o inizi di parole, che ricorrono tutte in oggetto, CIG, CUP o ente"`
	DueBefore dateTime `query:"due_before" doc:"Solo con un termine prima di questo istante (RFC 3339) o di questo giorno a Roma (YYYY-MM-DD)"`
	Open      optional `query:"open" doc:"true: in corso; false: concluse; assente: tutte"`
	Children  bool     `query:"children" doc:"Anche le pratiche sotto un'altra"`
	Sort      string   `query:"sort" default:"-updated" maxLength:"10" enum:"updated,-updated,opened,-opened,due,-due,title,-title,amount,-amount" doc:"Ordine; con - davanti, decrescente"`
	Limit     int      `query:"limit" default:"50" minimum:"1" maximum:"200" format:"int32" doc:"Quante pratiche al più"`
	After     cursor   `query:"after" doc:"Il next della pagina precedente, con gli stessi filtri e lo stesso ordine"`
}

type listOutput struct {
	Link headerText `header:"Link" doc:"La pagina seguente, rel=next"`
	Body page[CaseSummary]
}

func (in *listInput) filter() (engine.Filter, error) {
	due, err := in.DueBefore.time()
	if err != nil {
		return engine.Filter{}, ofParameters(&engine.Invalid{Problems: []engine.Problem{fault(
			"/due_before", "format", "serve un istante RFC 3339 o un giorno YYYY-MM-DD", "an RFC 3339 instant or a day YYYY-MM-DD is needed")}})
	}
	return engine.Filter{
		Workflow: string(in.Workflow), State: string(in.State), Stage: string(in.Stage), Body: string(in.Owner),
		Officer: string(in.Officer), Text: string(in.Text), DueBefore: due, Open: in.Open.pointer(), Children: in.Children,
		Sort: strings.TrimPrefix(in.Sort, "-"), Desc: strings.HasPrefix(in.Sort, "-"), After: string(in.After), Limit: in.Limit,
	}, nil
}

func (s *service) list(ctx context.Context, in *listInput) (*listOutput, error) {
	filter, err := in.filter()
	if err != nil {
		return nil, err
	}
	found, err := s.Engine.Cases(ctx, in.actor, filter)
	if err != nil {
		return nil, ofParameters(err)
	}
	out := &listOutput{Body: page[CaseSummary]{each(found.Items, summaryBody), cursor(found.Next)}}
	if found.Next != "" {
		out.Link = nextPage(in.echo, found.Next)
	}
	return out, nil
}

// ofParameters says of parameters what the engine says of members of a filter.
func ofParameters(err error) error {
	if engine.Kind(err) != engine.KindInvalid {
		return err
	}
	p := problemOf(err)
	for i, f := range p.Errors {
		p.Errors[i].Pointer, p.Errors[i].Parameter = "", line("query."+strings.TrimPrefix(string(f.Pointer), "/"))
	}
	return p
}

// nextPage is the Link header (RFC 8288) of the same list from another place.
func nextPage(c echo.Context, after string) headerText {
	query := c.QueryParams()
	query.Set("after", after)
	return headerText("<" + c.Request().URL.EscapedPath() + "?" + query.Encode() + `>; rel="next"`)
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// time reads an instant or, as the midnight in Rome with which it begins, a day.
func (d dateTime) time() (time.Time, error) {
	if d == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, string(d))
	if err == nil {
		return at.UTC(), nil
	}
	at, errDay := time.ParseInLocation(time.DateOnly, string(d), calendar.Rome)
	if errDay != nil {
		return time.Time{}, errors.Join(err, errDay)
	}
	return at.UTC(), nil
}

type openRequest struct {
	Workflow    ident                 `json:"workflow" doc:"Il flusso: vedi /openings"`
	Event       ident                 `json:"event,omitempty" doc:"L'evento di apertura, se il flusso ne ha più d'uno"`
	MemberBody  ident                 `json:"member_body,omitempty" doc:"L'ente per cui si procede; se manca, l'unico di chi chiede"`
	SUA         ident                 `json:"sua,omitempty" doc:"La SUA; se manca, quella della convenzione"`
	Inputs      inputs                `json:"inputs,omitempty" doc:"I dati che l'evento chiede, secondo il suo schema"`
	Acknowledge list[acknowledgement] `json:"acknowledge,omitempty" doc:"Gli avvisi accettati"`
}

type acknowledgement struct {
	Code   ident `json:"code" doc:"Il codice dell'avviso"`
	Reason prose `json:"reason" doc:"Perché si procede lo stesso"`
}

func acknowledgements(in list[acknowledgement]) []engine.Acknowledgement {
	return each(in, func(a acknowledgement) engine.Acknowledgement {
		return engine.Acknowledgement{Code: string(a.Code), Reason: string(a.Reason)}
	})
}

type openInput struct {
	caller
	Key repeatKey `header:"Idempotency-Key" doc:"Rende ripetibile la richiesta: stessa chiave e stesso corpo danno la stessa risposta, per 7 giorni"`
}

type openOutput struct {
	Location reference `header:"Location" doc:"La nuova pratica"`
	ETag     etag      `header:"ETag" doc:"La revisione"`
	Body     moved
}

func (s *service) open(body jsonBody[openRequest]) func(context.Context, *openInput) (*openOutput, error) {
	return func(ctx context.Context, in *openInput) (*openOutput, error) {
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		m, err := s.Engine.Open(ctx, in.actor, engine.Open{
			Workflow: string(req.Workflow), Event: string(req.Event), MemberBody: string(req.MemberBody), SUA: string(req.SUA),
			Inputs: req.Inputs, Acknowledge: acknowledgements(req.Acknowledge), Key: string(in.Key),
		})
		if err != nil {
			return nil, err
		}
		return &openOutput{path("/cases/%s", m.Case), tag(m.Revision), movedBody(m)}, nil
	}
}

type caseInput struct {
	caller
	ID ident `path:"id"`
}

type caseOutput struct {
	ETag etag `header:"ETag" doc:"La revisione, da ripetere in If-Match"`
	Body caseDetail
}

func (s *service) one(ctx context.Context, in *caseInput) (*caseOutput, error) {
	v, err := s.Engine.Case(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &caseOutput{tag(v.Revision), detailBody(v)}, nil
}

func (s *service) caseRoutes(r *routes) {
	add(r, operation{
		id: "list-cases", method: http.MethodGet, path: "/cases", tag: "pratiche",
		summary:     "Elenco delle pratiche",
		description: "Le pratiche degli enti di chi chiede, a pagine: finché c'è next, ripetere con after. I filtri si sommano.",
	}, s.list)
	body := newJSONBody[openRequest](r)
	add(r, operation{
		id: "open-case", method: http.MethodPost, path: "/cases", tag: "pratiche", status: http.StatusCreated, body: body.doc,
		errors:      []int{http.StatusNotFound, http.StatusConflict},
		summary:     "Nuova pratica",
		description: "Apre una pratica con l'evento di apertura del suo flusso. Che cosa si può aprire, e con quali dati, è in /openings.",
	}, s.open(body))
	add(r, operation{
		id: "show-case", method: http.MethodGet, path: "/cases/{id}", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary:     "Una pratica",
		description: "Tutto ciò che chi chiede può vedere della pratica, tranne la storia e gli eventi possibili.",
	}, s.one)
	s.historyRoutes(r)
}
