package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// actionView is the page with the form of one event.
type actionView struct {
	Action   string // where the form goes
	Cancel   string
	Trail    []crumb
	Intro    string // title of the case
	Help     string
	Law      string
	Revision int64
	Key      string
	Faults   []fault
	Changes  []changeView // what happened meanwhile
	Refusals []engine.Refusal
	Form     bool // false: nothing can be sent now
	Before   []question
	Ask      []question
	Warnings []warning
	Needed   []engine.Needed
	To       []string
	Submit   string
	Proofs   []string // deliveries that certified mail proves: possible effective dates
	Free     bool     // there are questions, and none must be answered
}

// changeView is an event that happened while the visitor was writing.
type changeView struct{ When, Who, What string }

// action is an event of a case as this request needs it.
type action struct {
	Case   engine.CaseView
	Event  *flow.Event
	Option engine.Option // zero when the event does not leave from the present state
	Known  bool
	WhyNot engine.Refusal // when it does not leave from here
	Now    int64          // present revision
	Lists  lists
	Proofs []string
}

// inputs are those of the option, which may know better than the definition what can be chosen now.
func (a action) inputs() []flow.Input {
	if a.Known {
		return a.Option.Inputs
	}
	return a.Event.Inputs
}

func (s *site) loadAction(c echo.Context, who visitor) (action, error) {
	ctx := c.Request().Context()
	detail, err := s.Engine.Case(ctx, who.Actor, c.Param("id"))
	if err != nil {
		return action{}, err
	}
	def, err := s.Engine.Definition(detail.Hash)
	if err != nil {
		return action{}, err
	}
	ev, ok := def.Event(c.Param("event"))
	if !ok {
		return action{}, engine.ErrNotFound
	}
	options, err := s.Engine.Options(ctx, who.Actor, detail.ID)
	if err != nil {
		return action{}, err
	}
	a := action{Case: detail, Event: ev, Now: options.Revision}
	for _, o := range options.Events {
		if o.Event == ev.ID {
			a.Option, a.Known = o, true
		}
	}
	if !a.Known {
		if a.WhyNot, err = s.Engine.WhyNot(ctx, who.Actor, detail.ID, ev.ID); err != nil {
			return action{}, err
		}
	}
	if a.Lists, err = s.lists(ctx, who); err != nil {
		return a, err
	}
	if slices.ContainsFunc(a.inputs(), func(in flow.Input) bool { return in.ID == "effective" }) {
		a.Proofs, err = s.proofs(ctx, who, detail.ID, def)
	}
	return a, err
}

// proofs tells when certified mail delivered what was communicated of a case: dates from which an event may take effect.
func (s *site) proofs(ctx context.Context, who visitor, id string, def *flow.Definition) ([]string, error) {
	all, err := s.Engine.Receipts(ctx, who.Actor, id)
	var out []string
	for _, r := range all {
		label := r.Event
		if ev, ok := def.Event(r.Event); ok {
			label = ev.Label.IT
		}
		if r.Effective {
			out = append(out, "La PEC su «"+label+"» è stata consegnata il "+moment(r.Certified)+", come certifica "+r.Provider+": può essere la data di effetto.")
		}
	}
	return out, err
}

func (s *site) actionForm(c echo.Context, who visitor) error {
	a, err := s.loadAction(c, who)
	if err != nil {
		return err
	}
	view := viewOf(a)
	view.Revision, view.Key, view.Form = a.Now, newKey(), a.Known && a.Option.Allowed
	view.Refusals = refusalsOf(a)
	if view.Form {
		ans := answers{current: currentAnswers(a.inputs(), a.Case)}
		view.Ask = formOf(a.inputs(), a.Case.Registers, ans, a.Lists)
		view.Warnings = warningsOf(a.Option.Warnings, ans, false)
	}
	return show(c, actionPage(s.frame(who, a.Event.Label.IT, "procedure"), view))
}

func viewOf(a action) actionView {
	base := "/procedure/" + a.Case.ID
	v := actionView{
		Action: base + "/azioni/" + a.Event.ID, Cancel: base, Trail: trail(a.Case, a.Event.Label.IT), Intro: titleOf(a.Case.Summary),
		Help: a.Event.Help.IT, Law: a.Event.Law, Needed: a.Option.Documents, Submit: a.Event.Label.IT,
		Proofs: a.Proofs, Free: len(a.inputs()) > 0 && allOptional(a.inputs()),
	}
	for _, to := range a.Option.To {
		if to.ID != a.Case.State.ID || len(a.Option.To) > 1 {
			v.To = append(v.To, to.Label.IT)
		}
	}
	return v
}

// refusalsOf says why the form is not there.
func refusalsOf(a action) []engine.Refusal {
	switch {
	case a.Known && a.Option.Allowed:
		return nil
	case a.Known:
		return a.Option.Refusals
	}
	return []engine.Refusal{a.WhyNot}
}

func (s *site) fire(c echo.Context, who visitor) error {
	a, err := s.loadAction(c, who)
	if err != nil {
		return err
	}
	typed := c.Request().PostForm
	revision, err := strconv.ParseInt(typed.Get("revisione"), 10, 64)
	if err != nil || revision < 1 {
		return echo.NewHTTPError(http.StatusBadRequest, "manca la revisione")
	}
	current := currentAnswers(a.inputs(), a.Case)
	g := readForm(a.inputs(), a.Case.Registers, typed, current)
	var failure error
	if len(g.Faults) == 0 {
		cmd := engine.Fire{
			Case: a.Case.ID, Event: a.Event.ID, Revision: revision, Inputs: g.Inputs, Acknowledge: acknowledged(typed), Key: typed.Get("chiave"),
		}
		if _, failure = s.Engine.Fire(c.Request().Context(), who.Actor, cmd); failure == nil {
			done := url.Values{"fatto": {a.Event.ID}, "flusso": {a.Case.Hash}}
			return c.Redirect(http.StatusSeeOther, "/procedure/"+a.Case.ID+"?"+done.Encode())
		}
	}
	return s.again(c, who, a, g, revision, failure)
}

// again draws the form as it was typed, with what was wrong.
func (s *site) again(c echo.Context, who visitor, a action, g given, revision int64, failure error) error {
	typed := c.Request().PostForm
	view := viewOf(a)
	view.Revision, view.Key, view.Form = revision, typed.Get("chiave"), true
	why, err := g.learn(failure, a.inputs(), a.Case.Registers)
	if err != nil {
		return err
	}
	var stale *engine.Stale
	if errors.As(failure, &stale) {
		view.Revision = stale.Current
		view.Changes = changesOf(stale.Changes)
		view.Form = a.Known && a.Option.Allowed
		view.Refusals = refusalsOf(a)
	}
	ans := answers{typed: typed, errors: g.Faults}
	view.Ask = formOf(a.inputs(), a.Case.Registers, ans, a.Lists)
	warnings, asked := a.Option.Warnings, false
	if len(why.Warnings) > 0 {
		warnings, asked = why.Warnings, true
	}
	view.Warnings = warningsOf(warnings, ans, asked)
	view.Faults = faultsOf(g.Faults, view.Ask, view.Warnings, why.Whole)
	f := s.frame(who, a.Event.Label.IT, "procedure")
	f.Title = "Da sistemare: " + f.Title
	return render(c, why.Status, actionPage(f, view))
}

// lesson is what a failure of the engine means for a form.
type lesson struct {
	Status   int
	Whole    []string // faults of no control
	Warnings []engine.Refusal
}

// learn places what the engine says at the controls of the form. A failure that no change of the form can mend is returned.
func (g given) learn(failure error, inputs []flow.Input, registers []engine.RegisterView) (lesson, error) {
	l := lesson{Status: http.StatusUnprocessableEntity}
	var (
		invalid *engine.Invalid
		refused *engine.Refused
		asks    *engine.NeedsAcknowledgement
		stale   *engine.Stale
	)
	switch {
	case failure == nil:
	case errors.As(failure, &invalid):
		for _, p := range invalid.Problems {
			if name := g.place(p.Pointer); name != "" {
				g.Faults[name] = sentence(p.Text.IT)
			} else {
				l.Whole = append(l.Whole, sentence(p.Text.IT))
			}
		}
	case errors.As(failure, &refused):
		l.Status = http.StatusConflict
		for _, r := range refused.Refusals {
			text := sentence(r.Text.IT)
			if r.Law != "" {
				text += " (" + r.Law + ")"
			}
			if name := blame(inputs, registers, r); name != "" && g.Faults[name] == "" {
				g.Faults[name] = text
			} else {
				l.Whole = append(l.Whole, text)
			}
		}
	case errors.As(failure, &asks):
		l.Status, l.Warnings = http.StatusConflict, asks.Warnings
	case errors.As(failure, &stale):
		l.Status = http.StatusPreconditionFailed
	default:
		return l, failure
	}
	return l, nil
}

func changesOf(items []engine.HistoryItem) []changeView {
	var out []changeView
	for _, h := range items {
		out = append(out, changeView{moment(h.At), actorName(h), h.Label.IT + moved(h)})
	}
	return out
}
