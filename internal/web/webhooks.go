package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// webhooksView is the page of the programs that are told what happens.
type webhooksView struct {
	All    []webhookRow
	Bodies []option
	// what was typed in a form that came back, and what is wrong with it, by field
	Body, URL, Events string
	Faults            map[string]string
	Secret            string // of the one just made, shown once
}

type webhookRow struct {
	ID, URL, Body, Events, Since, Owner string
	Active                              bool
}

// deliveriesView is the page of one of them.
type deliveriesView struct {
	Hook webhookRow
	Sent []deliveryRow
}

type deliveryRow struct{ ID, Event, State, At, Next, Fault, Tries string }

func webhookRowOf(h engine.WebhookView) webhookRow {
	row := webhookRow{ID: h.ID, URL: h.URL, Body: h.Body.Name, Active: h.Active, Since: day(h.CreatedAt), Owner: h.Owner.Name, Events: "tutti gli avvisi"}
	if len(h.Events) > 0 {
		row.Events = strings.Join(h.Events, ", ")
	}
	return row
}

// hooking refuses who has no body whose webhooks to manage.
func (s *site) hooking(who visitor) ([]option, error) {
	var bodies []option
	for _, b := range s.Engine.WebhookBodies(who.Actor) {
		bodies = append(bodies, option{b.ID, b.Name})
	}
	if len(bodies) == 0 {
		return nil, &engine.Forbidden{Action: "webhook"}
	}
	return bodies, nil
}

func (s *site) webhooks(c echo.Context, who visitor) error {
	return s.showWebhooks(c, who, http.StatusOK, webhooksView{})
}

func (s *site) showWebhooks(c echo.Context, who visitor, status int, v webhooksView) (err error) {
	if v.Bodies, err = s.hooking(who); err != nil {
		return err
	}
	all, err := s.Engine.Webhooks(c.Request().Context(), who.Actor)
	if err != nil {
		return err
	}
	for _, h := range all {
		v.All = append(v.All, webhookRowOf(h))
	}
	f := s.frame(who, "Webhook", "avvisi")
	switch {
	case v.Secret != "":
		f.Done = "Il webhook è attivo. Copia adesso la sua chiave: non sarà più mostrata."
	case c.QueryParam("fatto") == "elimina":
		f.Done = "Il webhook è eliminato: non parte più nulla."
	}
	if len(v.Faults) > 0 {
		f.Title = "Da sistemare: " + f.Title
	}
	return render(c, status, webhooksPage(f, v))
}

// newWebhook makes a subscription and shows its secret, on the page that answers and nowhere else.
func (s *site) newWebhook(c echo.Context, who visitor) error {
	v := webhooksView{Body: c.FormValue("ente"), URL: strings.TrimSpace(c.FormValue("indirizzo")), Events: c.FormValue("eventi")}
	events := strings.FieldsFunc(v.Events, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
	made, err := s.Engine.SaveWebhook(c.Request().Context(), who.Actor, engine.Webhook{Body: v.Body, URL: v.URL, Events: events})
	var wrong *engine.Invalid
	if errors.As(err, &wrong) {
		v.Faults = map[string]string{}
		for _, x := range wrong.Problems {
			v.Faults[x.Pointer] = sentence(x.Text.IT)
		}
		return s.showWebhooks(c, who, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.showWebhooks(c, who, http.StatusOK, webhooksView{Secret: made.Secret})
}

// hook finds a subscription that the visitor may manage.
func (s *site) hook(c echo.Context, who visitor) (engine.WebhookView, error) {
	all, err := s.Engine.Webhooks(c.Request().Context(), who.Actor)
	if err != nil {
		return engine.WebhookView{}, err
	}
	i := slices.IndexFunc(all, func(h engine.WebhookView) bool { return h.ID == c.Param("id") })
	if i < 0 {
		return engine.WebhookView{}, engine.ErrNotFound
	}
	return all[i], nil
}

// hookDone says what a button of the page has done.
var hookDone = map[string]string{
	"prova": "La prova è in coda: fra qualche secondo ricarica la pagina per vederne l'esito.", "rimanda": "La consegna è di nuovo in coda, con lo stesso identificativo.",
	"sospendi": "Il webhook è sospeso: i nuovi avvisi non partono.", "riattiva": "Il webhook è di nuovo attivo.",
}

func (s *site) webhook(c echo.Context, who visitor) error {
	h, err := s.hook(c, who)
	if err != nil {
		return err
	}
	sent, err := s.Engine.WebhookDeliveries(c.Request().Context(), who.Actor, h.ID)
	if err != nil {
		return err
	}
	v := deliveriesView{Hook: webhookRowOf(h)}
	for _, d := range sent {
		row := deliveryRow{ID: d.ID, Event: d.Event, State: deliveryNames[d.State], At: moment(d.At), Fault: hookFault(d.Error), Tries: strconv.Itoa(d.Attempts)}
		if d.Event == "test" {
			row.Event = "prova"
		}
		if d.NextTry != nil && d.Attempts > 0 {
			row.Next = moment(*d.NextTry)
		}
		v.Sent = append(v.Sent, row)
	}
	f := s.frame(who, "Consegne del webhook", "avvisi")
	f.Done = hookDone[c.QueryParam("fatto")]
	return show(c, webhookPage(f, v))
}

// changeWebhook does what one of the buttons of the page says.
func (s *site) changeWebhook(c echo.Context, who visitor) error {
	h, err := s.hook(c, who)
	if err != nil {
		return err
	}
	ctx, done := c.Request().Context(), c.FormValue("fai")
	to := "/avvisi/webhook/" + url.PathEscape(h.ID)
	switch done {
	case "prova":
		_, err = s.Engine.TestWebhook(ctx, who.Actor, h.ID)
	case "sospendi", "riattiva":
		_, err = s.Engine.SaveWebhook(ctx, who.Actor, engine.Webhook{ID: h.ID, URL: h.URL, Events: h.Events, Paused: done == "sospendi"})
	case "rimanda":
		err = s.Engine.ReplayDelivery(ctx, who.Actor, h.ID, c.FormValue("consegna"))
	case "elimina":
		err, to = s.Engine.DropWebhook(ctx, who.Actor, h.ID), "/avvisi/webhook"
	default:
		return echo.ErrBadRequest
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, to+"?"+url.Values{"fatto": {done}}.Encode())
}

// hookFaults are the reasons why a call fails, by what the error of the call says of itself.
var hookFaults = []struct{ says, it string }{
	{"the address is not public", "l'indirizzo non è pubblico: la chiamata è stata rifiutata"},
	{"the address cannot be read", "l'indirizzo non si può leggere"},
	{"connection refused", "il programma non accetta collegamenti"},
	{"no such host", "il nome dell'indirizzo non esiste"},
	{"certificate", "il certificato del programma non è valido"},
	{"tls", "il collegamento cifrato non riesce"},
	{"Client.Timeout", "nessuna risposta in tempo"},
	{"deadline exceeded", "nessuna risposta in tempo"},
	{"timeout", "nessuna risposta in tempo"},
}

// hookFault says in Italian why a call failed.
func hookFault(text string) string {
	if status, ok := strings.CutPrefix(text, "answered "); ok {
		return "ha risposto con il codice " + status
	}
	for _, f := range hookFaults {
		if strings.Contains(text, f.says) {
			return f.it
		}
	}
	return text
}
