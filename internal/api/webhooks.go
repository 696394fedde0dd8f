package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/engine"
)

type webhook struct {
	ID        ident       `json:"id"`
	Body      *ref        `json:"body" doc:"L'ente delle cui pratiche si parla"`
	Owner     *ref        `json:"owner,omitempty"`
	URL       line        `json:"url"`
	Secret    line        `json:"secret,omitempty" doc:"Detto una volta sola, alla creazione: whsec_ e 32 byte in base64"`
	Events    list[ident] `json:"events" doc:"Id di eventi o di avvisi; vuoto: tutti"`
	Active    bool        `json:"active"`
	CreatedAt instant     `json:"created_at"`
}

func webhookOf(h engine.WebhookView) webhook {
	return webhook{
		ID: ident(h.ID), Body: refOf(h.Body), Owner: refOf(h.Owner), URL: line(h.URL), Secret: line(h.Secret), Events: idents(h.Events), Active: h.Active, CreatedAt: stamp(h.CreatedAt),
	}
}

type webhooksOutput struct{ Body items[webhook] }

func (s *service) webhooks(ctx context.Context, in *workflowsInput) (*webhooksOutput, error) {
	all, err := s.Engine.Webhooks(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	return &webhooksOutput{items[webhook]{each(all, webhookOf)}}, nil
}

type webhookRequest struct {
	Body   ident       `json:"body" doc:"L'ente: tuo, e per cui hai un ruolo che lo consente"`
	URL    line        `json:"url" doc:"Indirizzo https pubblico"`
	Events list[ident] `json:"events,omitempty" doc:"Solo questi eventi o avvisi; vuoto: tutti"`
}

type webhookChange struct {
	URL    line        `json:"url"`
	Events list[ident] `json:"events,omitempty"`
	Active bool        `json:"active"`
}

type webhookOutput struct{ Body webhook }

func fromIdents(all list[ident]) []string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = string(x)
	}
	return out
}

func (s *service) newWebhook(body jsonBody[webhookRequest]) func(context.Context, *workflowsInput) (*webhookOutput, error) {
	return func(ctx context.Context, in *workflowsInput) (*webhookOutput, error) {
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		h, err := s.Engine.SaveWebhook(ctx, in.actor, engine.Webhook{Body: string(req.Body), URL: string(req.URL), Events: fromIdents(req.Events)})
		return &webhookOutput{webhookOf(h)}, err
	}
}

func (s *service) changeWebhook(body jsonBody[webhookChange]) func(context.Context, *byID) (*webhookOutput, error) {
	return func(ctx context.Context, in *byID) (*webhookOutput, error) {
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		h, err := s.Engine.SaveWebhook(ctx, in.actor, engine.Webhook{ID: string(in.ID), URL: string(req.URL), Events: fromIdents(req.Events), Paused: !req.Active})
		return &webhookOutput{webhookOf(h)}, err
	}
}

func (s *service) dropWebhook(ctx context.Context, in *byID) (*struct{}, error) {
	return nil, s.Engine.DropWebhook(ctx, in.actor, string(in.ID))
}

type queuedOutput struct {
	Body struct {
		Delivery ident `json:"delivery" doc:"La consegna, in /webhooks/{id}/deliveries"`
	}
}

func (s *service) testWebhook(ctx context.Context, in *byID) (*queuedOutput, error) {
	id, err := s.Engine.TestWebhook(ctx, in.actor, string(in.ID))
	out := &queuedOutput{}
	out.Body.Delivery = ident(id)
	return out, err
}

type deliveriesOutput struct{ Body items[deliveryBody] }

func (s *service) deliveries(ctx context.Context, in *byID) (*deliveriesOutput, error) {
	all, err := s.Engine.WebhookDeliveries(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &deliveriesOutput{items[deliveryBody]{each(all, deliveryOf)}}, nil
}

type replayInput struct {
	caller
	ID       ident `path:"id"`
	Delivery ident `path:"delivery"`
}

func (s *service) replayDelivery(ctx context.Context, in *replayInput) (*struct{}, error) {
	return nil, s.Engine.ReplayDelivery(ctx, in.actor, string(in.ID), string(in.Delivery))
}

func (s *service) webhookRoutes(r *routes) {
	missing := []int{http.StatusNotFound}
	add(r, operation{
		id: "list-webhooks", method: http.MethodGet, path: "/webhooks", tag: "avvisi",
		summary: "I webhook", description: "I programmi avvisati di ciò che avviene nelle pratiche degli enti per cui chi chiede può gestirli (dirigenti).",
	}, s.webhooks)
	body := newJSONBody[webhookRequest](r)
	add(r, operation{
		id: "new-webhook", method: http.MethodPost, path: "/webhooks", tag: "avvisi", status: http.StatusCreated, body: body.doc,
		summary: "Nuovo webhook",
		description: "Ogni avviso di una pratica dell'ente è inviato in POST nel formato Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature (v1). " +
			"Chi riceve risponde 2xx entro 15 secondi; altrimenti si riprova per circa tre giorni. Il segreto è solo in questa risposta.",
	}, s.newWebhook(body))
	change := newJSONBody[webhookChange](r)
	add(r, operation{
		id: "change-webhook", method: http.MethodPut, path: "/webhooks/{id}", tag: "avvisi", body: change.doc, errors: missing,
		summary: "Cambia un webhook", description: "Indirizzo, filtro, attivo o sospeso. Il segreto resta.",
	}, s.changeWebhook(change))
	add(r, operation{
		id: "drop-webhook", method: http.MethodDelete, path: "/webhooks/{id}", tag: "avvisi", status: http.StatusNoContent, errors: missing,
		summary: "Togli un webhook", description: "Ciò che attendeva di essere inviato non lo sarà più.",
	}, s.dropWebhook)
	add(r, operation{
		id: "test-webhook", method: http.MethodPost, path: "/webhooks/{id}/test", tag: "avvisi", status: http.StatusAccepted, errors: missing,
		summary: "Prova un webhook", description: "Invia un messaggio di tipo sua.test.",
	}, s.testWebhook)
	add(r, operation{
		id: "list-deliveries", method: http.MethodGet, path: "/webhooks/{id}/deliveries", tag: "avvisi", errors: missing,
		summary: "Le consegne di un webhook", description: "Le ultime cento, dalla più recente, con stato ed errore.",
	}, s.deliveries)
	add(r, operation{
		id: "replay-delivery", method: http.MethodPost, path: "/webhooks/{id}/deliveries/{delivery}/replay", tag: "avvisi", status: http.StatusNoContent, errors: missing,
		summary: "Invia di nuovo", description: "La stessa consegna, con lo stesso webhook-id.",
	}, s.replayDelivery)
}
