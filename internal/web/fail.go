package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// problem is an error as its page tells it.
type problem struct {
	Status int
	Title  string
	Text   string
	Number string // to quote when asking for help; empty when there is nothing to look up
}

// errors draws as pages what the handlers of e return; the API's paths are left to the handler that was there before.
func (s *site) errors(before echo.HTTPErrorHandler) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed || strings.HasPrefix(c.Request().URL.Path, "/api/") || c.Request().URL.Path == "/status" {
			before(err, c)
			return
		}
		if drawn := s.fail(c, err); drawn != nil {
			s.Log.Error("error page", "error", drawn)
		}
	}
}

// fail is the one place where an error becomes a page.
func (s *site) fail(c echo.Context, err error) error {
	secure(c)
	p := explain(err)
	if p.Status >= http.StatusInternalServerError {
		p.Number = rand.Text()[:8]
		s.Log.Error("page failed", "number", p.Number, "path", c.Request().URL.Path, "error", err)
	}
	if c.Request().Method == http.MethodHead {
		return c.NoContent(p.Status)
	}
	who, lost := s.visitor(c)
	if lost != nil {
		who = visitor{} // the page is drawn for nobody: the error to tell is the first one
	}
	return render(c, p.Status, problemPage(s.frame(who, p.Title, ""), p))
}

// explain says in Italian what an error means to the visitor. What is inside the program is never told.
func explain(err error) problem {
	var of *echo.HTTPError
	if errors.As(err, &of) {
		return explainHTTP(of)
	}
	switch engine.Kind(err) {
	case engine.KindNotFound:
		return notFound
	case engine.KindForbidden:
		return explainForbidden(err)
	case engine.KindRefused:
		var refused *engine.Refused
		errors.As(err, &refused)
		return problem{Status: http.StatusConflict, Title: "Non è ancora possibile", Text: sentences(refused.Refusals)}
	case engine.KindKeyReused:
		return problem{Status: http.StatusUnprocessableEntity, Title: "Modulo già inviato", Text: "Questo modulo era già stato inviato con altri dati: apri la procedura per vedere che cosa è stato registrato."}
	case engine.KindInvalid:
		return problem{Status: http.StatusUnprocessableEntity, Title: "La richiesta non è corretta", Text: "Controlla l'indirizzo della pagina oppure riparti dall'elenco."}
	}
	return explainOutside(engine.Kind(err))
}

// explainOutside is for what is nobody's fault who asks. Forms have a key: sending one again does nothing twice.
func explainOutside(kind engine.ErrorKind) problem {
	switch kind {
	case engine.KindAway:
		return problem{Status: http.StatusServiceUnavailable, Title: "Il servizio non è disponibile", Text: "La base di dati non risponde. Riprova fra poco: torna indietro e invia di nuovo lo stesso modulo, non si registra nulla due volte."}
	case engine.KindFull:
		return problem{Status: http.StatusInsufficientStorage, Title: "Spazio esaurito", Text: "Lo spazio su disco è finito e nulla è stato registrato. Avvisa chi gestisce il servizio e riprova quando c'è posto."}
	}
	return problem{Status: http.StatusInternalServerError, Title: "Qualcosa non ha funzionato", Text: "Non è colpa tua e nulla è stato registrato a metà. Riprova fra poco."}
}

var notFound = problem{Status: http.StatusNotFound, Title: "Pagina non trovata", Text: "L'indirizzo è sbagliato, oppure la pagina riguarda una procedura che non puoi vedere."}

func explainForbidden(err error) problem {
	p := problem{Status: http.StatusForbidden, Title: "Non puoi farlo", Text: "Il tuo ruolo non lo consente."}
	var forbidden *engine.Forbidden
	if errors.As(err, &forbidden) && forbidden.Text.IT != "" {
		p.Text = forbidden.Text.IT
	}
	return p
}

func explainHTTP(err *echo.HTTPError) problem {
	text, _ := err.Message.(string)
	if text == "" || text == http.StatusText(err.Code) { // Echo's own, in English
		text = "La richiesta non è stata accettata"
	}
	switch err.Code {
	case http.StatusNotFound:
		return notFound
	case http.StatusMethodNotAllowed:
		return problem{Status: err.Code, Title: "Pagina non trovata", Text: "Questo indirizzo non si apre così: riparti dall'elenco."}
	case http.StatusForbidden:
		return problem{Status: err.Code, Title: "Non puoi farlo", Text: sentence(text)}
	case http.StatusBadRequest:
		return problem{Status: err.Code, Title: "Richiesta non leggibile", Text: "Torna indietro e riprova."}
	case http.StatusRequestEntityTooLarge:
		return problem{Status: err.Code, Title: "Troppo grande", Text: "Ciò che è stato inviato è troppo grande: riducilo o dividilo in più parti."}
	case http.StatusTooManyRequests:
		return problem{Status: err.Code, Title: "Troppe richieste", Text: "Aspetta un minuto e riprova."}
	}
	if err.Code >= http.StatusBadRequest && err.Code < http.StatusInternalServerError {
		return problem{Status: err.Code, Title: "Richiesta non accettata", Text: "Torna indietro e riprova."}
	}
	return problem{Status: http.StatusInternalServerError, Title: "Qualcosa non ha funzionato", Text: "Riprova fra poco."}
}

// sentences joins refusals into one text.
func sentences(refusals []engine.Refusal) string {
	var all []string
	for _, r := range refusals {
		all = append(all, sentence(r.Text.IT))
	}
	return strings.Join(all, " ")
}

// sentence gives a capital and a full stop to a text that may lack them.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	r := []rune(text)
	text = strings.ToUpper(string(r[0])) + string(r[1:])
	if !strings.ContainsRune(".!?…", r[len(r)-1]) {
		text += "."
	}
	return text
}
