package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

const problemMedia = "application/problem+json"

// Problem is every error of the API (RFC 9457). Code and the codes inside are stable; texts are Italian and may improve.
type Problem struct {
	Type     ProblemType     `json:"type" doc:"URN del tipo di problema, uno per codice"`
	Title    line            `json:"title" doc:"Nome breve dello stato HTTP"`
	Status   int             `json:"status" minimum:"100" maximum:"599" format:"int32" doc:"Stato HTTP"`
	Detail   prose           `json:"detail" doc:"Che cosa è successo, per chi legge"`
	Instance reference       `json:"instance,omitempty" doc:"Identificativo della richiesta, da citare a chi assiste"`
	Code     ident           `json:"code" doc:"Codice stabile, per i programmi"`
	Errors   list[flaw]      `json:"errors,omitempty" doc:"I difetti della richiesta, tutti"`
	Refusals list[refusal]   `json:"refusals,omitempty" doc:"Perché l'evento è rifiutato"`
	Warnings list[refusal]   `json:"warnings,omitempty" doc:"Avvisi da accettare con una motivazione in acknowledge"`
	Roles    list[ident]     `json:"roles,omitempty" doc:"I ruoli che potrebbero"`
	Revision count           `json:"revision,omitempty" doc:"Revisione attuale della pratica"`
	Changes  list[happening] `json:"changes,omitempty" doc:"Che cosa è successo nel frattempo"`

	headers http.Header
	cause   error // for the log only
}

// ProblemType is a URN: urn:sua:problem:<code>.
type ProblemType string

// Schema describes the URN.
func (ProblemType) Schema(huma.Registry) *huma.Schema { return formatted("uri", 200) }

// flaw is one fault of a request.
type flaw struct {
	Pointer   pointer `json:"pointer,omitempty" doc:"Dove, nel corpo (JSON Pointer)"`
	Parameter line    `json:"parameter,omitempty" doc:"Quale parametro, per esempio query.limit o header.If-Match"`
	Code      ident   `json:"code"`
	Detail    prose   `json:"detail"`
}

// refusal is a reason or a warning.
type refusal struct {
	Code   ident `json:"code"`
	Detail prose `json:"detail"`
	Law    line  `json:"law,omitempty" doc:"La norma che lo chiede"`
}

// Error is for logs.
func (p *Problem) Error() string { return strconv.Itoa(p.Status) + " " + string(p.Code) }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemMedia }

// GetHeaders tells huma what goes with it.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// Unwrap gives the cause, if it was not the request.
func (p *Problem) Unwrap() error { return p.cause }

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: ProblemType("urn:sua:problem:" + code), Title: line(title(status)), Status: status, Code: ident(code), Detail: prose(detail)}
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// title names a status in Italian; those that the API never uses keep their English name.
func title(status int) string {
	if t, ok := titles[status]; ok {
		return t
	}
	return http.StatusText(status)
}

var titles = map[int]string{
	http.StatusOK:                    "OK",
	http.StatusBadRequest:            "Richiesta illeggibile",
	http.StatusUnauthorized:          "Serve un token",
	http.StatusForbidden:             "Non consentito",
	http.StatusNotFound:              "Non trovato",
	http.StatusMethodNotAllowed:      "Metodo non ammesso",
	http.StatusRequestTimeout:        "Richiesta troppo lenta",
	http.StatusConflict:              "Rifiutato",
	http.StatusPreconditionFailed:    "Revisione superata",
	http.StatusRequestEntityTooLarge: "Richiesta troppo grande",
	http.StatusRequestURITooLong:     "Indirizzo troppo lungo",
	http.StatusUnsupportedMediaType:  "Formato non accettato",
	http.StatusUnprocessableEntity:   "Richiesta non valida",
	http.StatusPreconditionRequired:  "Manca la revisione",
	http.StatusTooManyRequests:       "Troppe richieste",
	http.StatusInternalServerError:   "Errore interno",
	http.StatusServiceUnavailable:    "Servizio non disponibile",
	http.StatusInsufficientStorage:   "Spazio esaurito",
}

// problemOf maps any error of a handler to its problem: the table of statuses of the whole API.
func problemOf(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	switch engine.Kind(err) {
	case engine.KindNotFound:
		return newProblem(http.StatusNotFound, "not_found", "non c'è, oppure non è fra ciò che puoi vedere")
	case engine.KindForbidden:
		return forbidden(err)
	case engine.KindInvalid:
		return invalid(err)
	case engine.KindRefused:
		p := newProblem(http.StatusConflict, "refused", "l'evento non è possibile: le ragioni sono in refusals")
		if refused := new(engine.Refused); errors.As(err, &refused) {
			p.Refusals = each(refused.Refusals, refusalBody)
		}
		return p
	case engine.KindAcknowledge:
		p := newProblem(http.StatusConflict, "acknowledge", "ci sono avvisi da accettare con una motivazione: ripeti la richiesta con acknowledge")
		if needs := new(engine.NeedsAcknowledgement); errors.As(err, &needs) {
			p.Warnings = each(needs.Warnings, refusalBody)
		}
		return p
	case engine.KindStale:
		p := newProblem(http.StatusPreconditionFailed, "stale", "la pratica è cambiata da quando l'hai letta: in changes c'è che cosa è successo")
		if stale := new(engine.Stale); errors.As(err, &stale) {
			p.Revision, p.Changes = count(stale.Current), each(stale.Changes, happeningBody)
			p.with("ETag", string(tag(stale.Current)))
		}
		return p
	case engine.KindKeyReused:
		return newProblem(http.StatusUnprocessableEntity, "key_reused", "la Idempotency-Key è già servita per una richiesta diversa")
	}
	p := outside(engine.Kind(err))
	p.cause = err
	return p
}

// outside is the problem of what is nobody's fault who asks: of the program, or of what it stands on.
func outside(kind engine.ErrorKind) *Problem {
	switch kind {
	case engine.KindAway:
		return newProblem(http.StatusServiceUnavailable, "unavailable", "la base di dati non risponde: riprova fra poco. Non è detto che la richiesta non abbia avuto effetto: "+
			"ripetila con la stessa Idempotency-Key").with("Retry-After", "5")
	case engine.KindFull:
		return newProblem(http.StatusInsufficientStorage, "storage_full", "lo spazio su disco è finito: nulla è stato registrato. Avvisa chi gestisce il servizio e riprova quando c'è posto")
	}
	return newProblem(http.StatusInternalServerError, "internal", "errore interno: cita instance a chi assiste")
}

func forbidden(err error) *Problem {
	p := newProblem(http.StatusForbidden, "forbidden", "il tuo ruolo non lo consente")
	if f := new(engine.Forbidden); errors.As(err, &f) {
		if f.Text.IT != "" {
			p.Detail = prose(f.Text.IT)
		}
		p.Roles = each(f.Roles, func(r string) ident { return ident(r) })
	}
	return p
}

func invalid(err error) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", "la richiesta non è valida: i difetti sono in errors")
	if bad := new(engine.Invalid); errors.As(err, &bad) {
		p.Errors = each(bad.Problems, func(e engine.Problem) flaw {
			return flaw{Pointer: pointer(e.Pointer), Code: ident(e.Code), Detail: prose(e.Text.IT)}
		})
	}
	return p
}

func refusalBody(r engine.Refusal) refusal {
	return refusal{Code: ident(r.Code), Detail: prose(r.Text.IT), Law: line(r.Law)}
}

// finish is huma's last step before writing: it turns huma's own errors into ours, and gives each problem its instance.
func (s *service) finish(ctx huma.Context, status string, v any) (any, error) {
	switch v := v.(type) {
	case *huma.ErrorModel:
		return s.identify(humaecho.Unwrap(ctx), fromHuma(ctx.Operation(), v)), nil
	case *Problem:
		return s.identify(humaecho.Unwrap(ctx), v), nil
	}
	return v, nil
}

// fromHuma rewrites what huma says of parameters. Its texts are English and repeat the value; what the parameter wants is in
// the description of the operation.
func fromHuma(op *huma.Operation, e *huma.ErrorModel) *Problem {
	if e.Status != http.StatusUnprocessableEntity {
		p := ofStatus(e.Status)
		p.cause = e
		return p
	}
	p := newProblem(e.Status, "invalid", "la richiesta non è valida: i difetti sono in errors")
	for _, d := range e.Errors {
		in, name, _ := strings.Cut(d.Location, ".")
		f := flaw{Parameter: line(escape(in + "." + name)), Code: "unknown", Detail: "parametro sconosciuto"}
		for _, param := range op.Parameters {
			if param.In == in && param.Name == name {
				it, _ := expected(param.Schema)
				f.Code, f.Detail = "format", prose("serve "+it)
			}
		}
		p.Errors = append(p.Errors, f)
	}
	return p
}

// identify stamps the request id on a problem and logs what is our fault.
func (s *service) identify(c echo.Context, p *Problem) *Problem {
	p.Instance = reference("urn:sua:request:" + requestID(c))
	if p.Status >= http.StatusInternalServerError {
		s.Log.Error("api", "request", requestID(c), "method", c.Request().Method, "route", c.Path(), "status", p.Status, "error", p.cause)
	}
	return p
}

// answer writes a problem outside huma, unless an answer has begun already: then it is only logged.
func (s *service) answer(c echo.Context, p *Problem) {
	s.identify(c, p)
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	for name, values := range p.headers {
		h[name] = values
	}
	h.Set(echo.HeaderContentType, problemMedia)
	c.Response().WriteHeader(p.Status)
	if c.Request().Method == http.MethodHead {
		return
	}
	if err := json.NewEncoder(c.Response()).Encode(p); err != nil { // the client is gone
		s.Log.Warn("api: answer not written", "request", requestID(c), "error", err)
	}
}

// ofStatus is the problem of a status that no handler has explained.
func ofStatus(status int) *Problem {
	switch status {
	case http.StatusNotFound:
		return newProblem(status, "not_found", "a questo indirizzo non c'è nulla")
	case http.StatusMethodNotAllowed:
		return newProblem(status, "method_not_allowed", "questo indirizzo non ha questo metodo: quelli ammessi sono in Allow")
	case http.StatusRequestEntityTooLarge:
		return newProblem(status, "too_large", "il corpo della richiesta è troppo grande")
	case http.StatusUnsupportedMediaType:
		return newProblem(status, "unsupported_media_type", "il formato del corpo non è accettato")
	case http.StatusRequestTimeout:
		return newProblem(status, "timeout", "la richiesta non è arrivata in tempo")
	case http.StatusTooManyRequests:
		return newProblem(status, "too_many_requests", "troppe richieste: riprova più tardi")
	case http.StatusServiceUnavailable:
		return newProblem(status, "unavailable", "il servizio non è disponibile: riprova fra poco")
	}
	if status >= http.StatusInternalServerError {
		return newProblem(http.StatusInternalServerError, "internal", "errore interno: cita instance a chi assiste")
	}
	return newProblem(status, "http_"+strconv.Itoa(status), "la richiesta non è stata accolta")
}

// ErrorHandler answers with problem+json what goes wrong under /api/ outside an operation: an unknown path, a method that a
// path lacks, a body too large for a middleware, a panic. Everything else is next's. Faults of ours go to log (nil discards).
func ErrorHandler(log *slog.Logger, next echo.HTTPErrorHandler) echo.HTTPErrorHandler {
	svc := newService(Server{Log: log})
	return func(err error, c echo.Context) {
		if !strings.HasPrefix(c.Request().URL.Path, "/api/") {
			next(err, c)
			return
		}
		setHeaders(c)
		status := http.StatusInternalServerError
		if he := new(echo.HTTPError); errors.As(err, &he) {
			status = he.Code
		}
		p := ofStatus(status)
		p.cause = err
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			p.with("Retry-After", strconv.Itoa(int(time.Minute/time.Second)))
		}
		svc.answer(c, p)
	}
}
