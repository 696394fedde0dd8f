package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// openingView is a kind of procedure that the visitor may begin.
type openingView struct{ Workflow, Help, Event, Link string }

// Names of the two controls that no workflow declares: for whom, and with which SUA.
const (
	bodyField = "ente"
	suaField  = "sua"
)

func (s *site) openings(c echo.Context, who visitor) error {
	all, err := s.Engine.Openings(c.Request().Context(), who.Actor)
	if err != nil {
		return err
	}
	var views []openingView
	for _, o := range all {
		views = append(views, openingView{o.Workflow.Label.IT, o.Help.IT, o.Label.IT, openingPath(o)})
	}
	return show(c, openingsPage(s.frame(who, "Nuova richiesta", "nuova"), views))
}

func openingPath(o engine.Opening) string {
	return "/procedure/nuova/" + url.PathEscape(o.Workflow.ID) + "/" + url.PathEscape(o.Event)
}

// opening finds the one named in the address; ErrNotFound when the visitor may not begin it.
func (s *site) opening(c echo.Context, who visitor) (engine.Opening, lists, error) {
	all, err := s.Engine.Openings(c.Request().Context(), who.Actor)
	if err != nil {
		return engine.Opening{}, lists{}, err
	}
	for _, o := range all {
		if o.Workflow.ID == c.Param("workflow") && o.Event == c.Param("event") {
			l, err := s.lists(c.Request().Context(), who)
			return o, l, err
		}
	}
	return engine.Opening{}, lists{}, engine.ErrNotFound
}

func (s *site) openingForm(c echo.Context, who visitor) error {
	o, l, err := s.opening(c, who)
	if err != nil {
		return err
	}
	ans := answers{current: map[string]string{}}
	view := openingActionView(o, ans)
	view.Key = newKey()
	view.Ask = formOf(o.Inputs, nil, ans, l)
	return show(c, actionPage(s.frame(who, o.Label.IT, "nuova"), view))
}

func openingActionView(o engine.Opening, ans answers) actionView {
	return actionView{
		Action: openingPath(o), Cancel: "/procedure/nuova", Intro: o.Workflow.Label.IT, Help: o.Help.IT, Form: true, Submit: o.Label.IT,
		Free:   len(o.Inputs) > 0 && allOptional(o.Inputs),
		Trail:  []crumb{{"Procedure", "/procedure"}, {"Nuova richiesta", "/procedure/nuova"}, {Label: o.Label.IT}},
		Before: ownerQuestions(o, ans),
	}
}

// ownerQuestions asks for whom and with whom only where there is a choice.
func ownerQuestions(o engine.Opening, ans answers) []question {
	var out []question
	ask := func(name, label string, from []engine.Ref) {
		if len(from) < 2 {
			return
		}
		c := control{Name: name, Shape: shapeSelect, Label: label, Options: optionsOf(from), Required: true}
		c.Value, c.Error = ans.text(name), ans.errors[name]
		out = append(out, question{Kind: flow.InputValue, Name: name, Label: label, Controls: []control{c}})
	}
	ask(bodyField, "Ente per cui si chiede", o.Bodies)
	ask(suaField, "Stazione unica appaltante", o.SUAs)
	return out
}

func (s *site) openCase(c echo.Context, who visitor) error {
	o, l, err := s.opening(c, who)
	if err != nil {
		return err
	}
	typed := c.Request().PostForm
	g := readForm(o.Inputs, nil, typed, nil)
	cmd := engine.Open{
		Workflow: o.Workflow.ID, Event: o.Event, Inputs: g.Inputs, Acknowledge: acknowledged(typed), Key: typed.Get("chiave"),
		MemberBody: g.owner(bodyField, "l'ente", o.Bodies, typed), SUA: g.owner(suaField, "la stazione appaltante", o.SUAs, typed),
	}
	var failure error
	if len(g.Faults) == 0 {
		var moved engine.Moved
		if moved, failure = s.Engine.Open(c.Request().Context(), who.Actor, cmd); failure == nil {
			return c.Redirect(http.StatusSeeOther, "/procedure/"+moved.Case+"?fatto=aperta")
		}
	}
	why, err := g.learn(failure, o.Inputs, nil)
	if err != nil {
		return err
	}
	ans := answers{typed: typed, errors: g.Faults}
	view := openingActionView(o, ans)
	view.Key = typed.Get("chiave")
	view.Ask = formOf(o.Inputs, nil, ans, l)
	view.Warnings = warningsOf(why.Warnings, ans, true)
	view.Faults = faultsOf(g.Faults, append(view.Before, view.Ask...), view.Warnings, why.Whole)
	return render(c, why.Status, actionPage(s.frame(who, "Da sistemare: "+o.Label.IT, "nuova"), view))
}

// owner reads the body chosen; where there is one only, it is that.
func (g *given) owner(name, label string, from []engine.Ref, typed url.Values) string {
	switch {
	case len(from) == 0:
		return ""
	case len(from) == 1:
		return from[0].ID
	}
	chosen := typed.Get(name)
	for _, b := range from {
		if b.ID == chosen {
			return chosen
		}
	}
	g.Faults[name] = "Scegli " + label + "."
	return ""
}
