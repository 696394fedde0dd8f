package api

import (
	"context"
	"net/http"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// outage is a recorded outage of the platform and what it did to terms.
type outage struct {
	ID         ident            `json:"id"`
	SUA        *ref             `json:"sua,omitempty"`
	Bodies     list[ref]        `json:"bodies" doc:"Gli enti interessati; vuoto: tutti quelli della SUA"`
	Platform   line             `json:"platform"`
	From       instant          `json:"from"`
	To         instant          `json:"to" doc:"Primo istante in cui funzionava di nuovo"`
	Evidence   prose            `json:"evidence"`
	Law        prose            `json:"law"`
	RecordedBy *ref             `json:"recorded_by,omitempty"`
	RecordedAt instant          `json:"recorded_at,omitempty" doc:"Manca in un'anteprima"`
	Extended   count            `json:"extended" doc:"Quanti termini ha prorogato"`
	Terms      list[outageTerm] `json:"terms" doc:"I termini che colpiva; al più 1000"`
}

type outageTerm struct {
	Deadline ident     `json:"deadline"`
	Label    bilingual `json:"label"`
	Case     ident     `json:"case"`
	Title    prose     `json:"title,omitempty"`
	Body     *ref      `json:"body,omitempty"`
	Before   instant   `json:"before" doc:"Quando finiva"`
	After    instant   `json:"after,omitempty" doc:"Quando finisce ora; manca se non è stato prorogato"`
	LastDay  day       `json:"last_day,omitempty" doc:"Il nuovo ultimo giorno"`
	WhyNot   *refusal  `json:"why_not,omitempty" doc:"Perché non è stato prorogato"`
	Seq      count     `json:"seq,omitempty" doc:"L'evento nella storia"`
}

func outageBody(o engine.OutageReport) outage {
	return outage{
		ID: ident(o.ID), SUA: refOf(o.SUA), Bodies: each(o.Bodies, refBody), Platform: line(o.Platform), From: stamp(o.From), To: stamp(o.To), Evidence: prose(o.Evidence),
		Law: prose(o.Law), RecordedBy: refOf(o.RecordedBy), RecordedAt: stamp(o.RecordedAt), Extended: count(o.Extended()), Terms: each(o.Terms[:min(len(o.Terms), manyItems)], outageTermBody),
	}
}

func outageTermBody(t engine.OutageTerm) outageTerm {
	out := outageTerm{
		Deadline: ident(t.Deadline), Label: text2(t.Label), Case: ident(t.Case.ID), Title: prose(t.Case.Name), Body: refOf(t.Body), Before: stamp(t.Before), After: stamp(t.After),
		LastDay: day(t.LastDay), Seq: count(t.Seq),
	}
	if t.WhyNot != nil {
		no := refusalBody(*t.WhyNot)
		out.WhyNot = &no
	}
	return out
}

type outagesInput struct {
	caller
	SUA ident `query:"sua" doc:"Solo di questa SUA"`
}

type outagesOutput struct{ Body items[outage] }

func (s *service) outages(ctx context.Context, in *outagesInput) (*outagesOutput, error) {
	all, err := s.Engine.Outages(ctx, in.actor, string(in.SUA))
	if err != nil {
		return nil, err
	}
	return &outagesOutput{items[outage]{each(all, outageBody)}}, nil
}

type outageRequest struct {
	ID       ident       `json:"id,omitempty" doc:"Rende ripetibile la richiesta: con lo stesso id e lo stesso contenuto si fa solo ciò che manca"`
	SUA      ident       `json:"sua,omitempty" doc:"Può mancare se chi chiede ne dirige una sola"`
	Bodies   list[ident] `json:"bodies,omitempty" doc:"Gli enti interessati; vuoto: tutti"`
	Platform line        `json:"platform" doc:"Quale piattaforma"`
	From     instant     `json:"from" doc:"Da quando era ferma"`
	To       instant     `json:"to" doc:"Primo istante in cui funzionava di nuovo"`
	Evidence prose       `json:"evidence" doc:"Che cosa lo prova: relazione, protocollo, indirizzo"`
	Law      prose       `json:"law" doc:"La norma, di solito art. 25 c. 2"`
	Preview  bool        `json:"preview,omitempty" doc:"Solo un'anteprima: nulla cambia"`
}

type outageOutput struct{ Body outage }

func (s *service) recordOutage(body jsonBody[outageRequest]) func(context.Context, *workflowsInput) (*outageOutput, error) {
	return func(ctx context.Context, in *workflowsInput) (*outageOutput, error) {
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		cmd := engine.Outage{
			ID: string(req.ID), SUA: string(req.SUA), Bodies: fromIdents(req.Bodies), Platform: string(req.Platform), Evidence: string(req.Evidence), Law: string(req.Law),
		}
		if cmd.From, err = time.Parse(time.RFC3339, string(req.From)); err != nil {
			return nil, malformed("from non è un istante")
		}
		if cmd.To, err = time.Parse(time.RFC3339, string(req.To)); err != nil {
			return nil, malformed("to non è un istante")
		}
		act := s.Engine.RecordOutage
		if req.Preview {
			act = s.Engine.PreviewOutage
		}
		done, err := act(ctx, in.actor, cmd)
		if err != nil {
			return nil, err
		}
		return &outageOutput{outageBody(done)}, nil
	}
}

func (s *service) outageRoutes(r *routes) {
	add(r, operation{
		id: "list-outages", method: http.MethodGet, path: "/outages", tag: "pratiche",
		summary: "I malfunzionamenti della piattaforma", description: "Quelli registrati, dal più recente, con i termini che hanno prorogato e quelli che no, e perché. Al più cento.",
	}, s.outages)
	body := newJSONBody[outageRequest](r)
	add(r, operation{
		id: "record-outage", method: http.MethodPost, path: "/outages", tag: "pratiche", body: body.doc, errors: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Registra un malfunzionamento",
		description: "Del dirigente della SUA: proroga in un atto solo, del tempo perso, ogni termine delle pratiche aperte che il flusso dice soggetto alla piattaforma e che correva (art. 25 c. 2). " +
			"Con preview dice soltanto che cosa accadrebbe. Ripetibile con lo stesso id.",
	}, s.recordOutage(body))
}
