package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// outagesView is the page of the recorded outages; for the director also the form for a new one.
type outagesView struct {
	Form   actionView // Form says whether the visitor may record one
	All    []outageView
	Marked string // id of the one just recorded
}

// outageView is an outage, recorded or foreseen.
type outageView struct {
	ID, Platform, From, To, SUA, Bodies string
	Evidence, Law, By                   string
	Moved, Left                         []outageRow
}

type outageRow struct{ Label, Title, CaseID, Body, Before, After, Why string }

// previewView is what recording an outage would do, to confirm.
type previewView struct {
	Outage outageView
	Answer url.Values // sent again with the confirmation
}

// askOutage are the questions of the form, in the words of a workflow.
func (s *site) askOutage(c echo.Context, who visitor) ([]flow.Input, error) {
	value := func(id string, t flow.Type, label, help string) flow.Input {
		return flow.Input{ID: id, Kind: flow.InputValue, Type: t, Label: flow.Text{IT: label}, Help: flow.Text{IT: help}}
	}
	in := []flow.Input{
		value("platform", flow.TypeText, "Piattaforma", "Il nome della piattaforma di approvvigionamento."),
		value("from", flow.TypeInstant, "Ferma dal", ""),
		value("to", flow.TypeInstant, "Ripartita alle", ""),
		value("evidence", flow.TypeText, "Prova", "La relazione del gestore, il protocollo o l'indirizzo dell'avviso."),
		value("law", flow.TypeText, "Norma", ""),
	}
	if suas := s.Engine.OutageSUAs(who.Actor); len(suas) > 1 {
		choice := value("sua", flow.TypeChoice, "Stazione unica appaltante", "")
		for _, r := range suas {
			choice.Of = append(choice.Of, flow.Choice{ID: r.ID, Label: flow.Text{IT: r.Name}})
		}
		in = append(in, choice)
	}
	bodies, err := s.Engine.Bodies(c.Request().Context(), who.Actor)
	if err != nil {
		return nil, err
	}
	one := value("body", flow.TypeChoice, "Solo per un ente", "Vuoto: per tutti gli enti che la SUA serve.")
	one.Optional = true
	for _, b := range bodies {
		one.Of = append(one.Of, flow.Choice{ID: b.ID, Label: flow.Text{IT: b.Name}})
	}
	return append(in, one), nil
}

func (s *site) outages(c echo.Context, who visitor) error {
	asked, err := s.askOutage(c, who)
	if err != nil {
		return err
	}
	ans := answers{current: map[string]string{"i.law": "D.Lgs. 36/2023 art. 25 c. 2"}}
	return s.showOutages(c, who, http.StatusOK, actionView{Ask: oneLine(formOf(asked, nil, ans, lists{}), "i.platform", "i.law")})
}

func (s *site) showOutages(c echo.Context, who visitor, status int, form actionView) error {
	all, err := s.Engine.Outages(c.Request().Context(), who.Actor, "")
	if err != nil {
		return err
	}
	form.Form = len(s.Engine.OutageSUAs(who.Actor)) > 0
	view := outagesView{Form: form, Marked: c.QueryParam("fatto")}
	f := s.frame(who, "Malfunzionamenti della piattaforma", "scadenze")
	for _, o := range all {
		view.All = append(view.All, outageOf(o))
		if o.ID == view.Marked {
			f.Done = "Registrato: termini prorogati " + countText(o.Extended()) + "."
		}
	}
	if len(form.Faults) > 0 {
		f.Title = "Da sistemare: " + f.Title
	}
	return render(c, status, outagesPage(f, view))
}

// recordOutage shows what an outage would do, and records it once that is confirmed.
func (s *site) recordOutage(c echo.Context, who visitor) error {
	asked, err := s.askOutage(c, who)
	if err != nil {
		return err
	}
	typed := c.Request().PostForm
	g := readForm(asked, nil, typed, nil)
	confirmed := typed.Get("conferma") != ""
	var report engine.OutageReport
	var failure error
	if len(g.Faults) == 0 {
		cmd := outageCommand(g.Inputs, typed.Get("chiave"))
		if confirmed {
			report, failure = s.Engine.RecordOutage(c.Request().Context(), who.Actor, cmd)
		} else {
			report, failure = s.Engine.PreviewOutage(c.Request().Context(), who.Actor, cmd)
		}
		if failure == nil && confirmed {
			return c.Redirect(http.StatusSeeOther, "/malfunzionamenti?"+url.Values{"fatto": {report.ID}}.Encode())
		}
		if failure == nil {
			typed.Set("chiave", "web-"+newKey())
			typed.Del("csrf")
			return show(c, outagePreview(s.frame(who, "Anteprima del malfunzionamento", "scadenze"), previewView{outageOf(report), typed}))
		}
	}
	var bad *engine.Invalid
	if errors.As(failure, &bad) {
		failure = asInputs(failure)
	}
	why, err := g.learn(failure, asked, nil)
	if err != nil {
		return err
	}
	form := actionView{Ask: oneLine(formOf(asked, nil, answers{typed: typed, errors: g.Faults}, lists{}), "i.platform", "i.law")}
	form.Faults = faultsOf(g.Faults, form.Ask, nil, why.Whole)
	return s.showOutages(c, who, why.Status, form)
}

func outageCommand(in map[string]any, id string) engine.Outage {
	text := func(key string) string { s, _ := in[key].(string); return s }
	cmd := engine.Outage{ID: id, SUA: text("sua"), Platform: text("platform"), Evidence: text("evidence"), Law: text("law")}
	cmd.From, _ = time.Parse(time.RFC3339Nano, text("from")) // read as an instant, or refused before
	cmd.To, _ = time.Parse(time.RFC3339Nano, text("to"))
	if b := text("body"); b != "" {
		cmd.Bodies = []string{b}
	}
	return cmd
}

func outageOf(o engine.OutageReport) outageView {
	v := outageView{
		ID: o.ID, Platform: o.Platform, From: moment(o.From), To: moment(o.To), SUA: o.SUA.Name, Evidence: o.Evidence, Law: o.Law, By: o.RecordedBy.Name, Bodies: "tutti gli enti",
	}
	if len(o.Bodies) > 0 {
		v.Bodies = refNames(o.Bodies)
	}
	for _, t := range o.Terms {
		row := outageRow{Label: t.Label.IT, Title: t.Case.Name, CaseID: t.Case.ID, Body: t.Body.Name, Before: moment(t.Before), After: moment(t.After)}
		if row.Title == "" {
			row.Title = "Procedura senza oggetto"
		}
		if t.WhyNot != nil {
			row.Why = sentence(t.WhyNot.Text.IT)
			v.Left = append(v.Left, row)
		} else {
			v.Moved = append(v.Moved, row)
		}
	}
	return v
}

func refNames(refs []engine.Ref) string {
	var names string
	for i, r := range refs {
		if i > 0 {
			names += ", "
		}
		names += r.Name
	}
	return names
}

// hidden are the answers to send again with the confirmation, in a fixed order.
func (v previewView) hidden() []option {
	var out []option
	for name, values := range v.Answer {
		for _, value := range values {
			out = append(out, option{name, value})
		}
	}
	slices.SortFunc(out, func(a, b option) int { return strings.Compare(a.Value, b.Value) })
	return out
}
