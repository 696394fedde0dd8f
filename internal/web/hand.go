package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// handChange is a way to change a term by hand: its last part of the address, what people read, and its use case.
type handChange struct {
	id, change, label, help string
	act                     func(*engine.Engine, context.Context, auth.Actor, engine.ChangeDeadline) (engine.ChangedDeadline, error)
}

var handChanges = []handChange{
	{"sposta", "move", "Sposta o proroga il termine", "Indica la nuova fine, oppure i giorni in più. Chi segue la procedura è avvisato.", (*engine.Engine).MoveDeadline},
	{"sospendi", "suspend", "Sospendi il termine", "Sta fermo finché non lo riprendi; il tempo in cui è stato fermo si aggiunge alla fine.", (*engine.Engine).SuspendDeadline},
	{"riprendi", "resume", "Riprendi il termine", "Il tempo in cui è stato fermo si aggiunge alla fine.", (*engine.Engine).ResumeDeadline},
}

// handLink is a link to one of them.
type handLink struct{ Label, URL string }

func handLinks(d engine.DeadlineView) []handLink {
	short := map[string]string{"move": "Sposta", "suspend": "Sospendi", "resume": "Riprendi"}
	var out []handLink
	for _, h := range handChanges {
		if slices.Contains(d.ByHand, h.change) {
			out = append(out, handLink{short[h.change], "/procedure/" + d.Case + "/termini/" + d.ID + "/" + h.id})
		}
	}
	return out
}

// handwork is a change of a term as this request needs it.
type handwork struct {
	handChange
	Case  engine.CaseView
	Term  engine.DeadlineView
	Asked []flow.Input
}

func (s *site) loadHand(c echo.Context, who visitor) (handwork, error) {
	i := slices.IndexFunc(handChanges, func(h handChange) bool { return h.id == c.Param("modo") })
	if i < 0 {
		return handwork{}, engine.ErrNotFound
	}
	x := handwork{handChange: handChanges[i]}
	var err error
	if x.Case, err = s.Engine.Case(c.Request().Context(), who.Actor, c.Param("id")); err != nil {
		return x, err
	}
	t := slices.IndexFunc(x.Case.Deadlines, func(d engine.DeadlineView) bool { return d.ID == c.Param("termine") })
	if t < 0 {
		return x, engine.ErrNotFound
	}
	x.Term = x.Case.Deadlines[t]
	x.Asked = x.inputs()
	return x, nil
}

// inputs are what the form asks, in the words of a workflow so that it is drawn and read like the form of an event.
func (x handwork) inputs() []flow.Input {
	value := func(id string, t flow.Type, optional bool, label, help string) flow.Input {
		return flow.Input{ID: id, Kind: flow.InputValue, Type: t, Optional: optional, Label: flow.Text{IT: label}, Help: flow.Text{IT: help}}
	}
	var in []flow.Input
	switch x.change {
	case "move":
		if x.Term.DueAt.Equal(calendar.DateOf(x.Term.DueAt).Start()) {
			in = append(in, value("to", flow.TypeDate, true, "Nuovo ultimo giorno", ""))
		} else {
			in = append(in, value("to", flow.TypeInstant, true, "Nuova fine", ""))
		}
		in = append(in, value("days", flow.TypeInt, true, "Oppure giorni in più", "Si contano dalla fine attuale."))
	case "suspend":
		in = append(in, value("at", flow.TypeInstant, true, "Fermo dal", "Vuoto: da adesso."))
	default:
		in = append(in, value("at", flow.TypeInstant, true, "Ripreso dal", "Vuoto: da adesso."))
	}
	in = append(in, value("reason", flow.TypeText, false, "Motivazione", ""), value("law", flow.TypeText, false, "Norma o atto", "Per esempio: art. 92 c. 2 lett. a."))
	if len(x.Case.Documents) == 0 {
		return in
	}
	document := value("document", flow.TypeChoice, true, "Documento che lo prova", "Uno già caricato in questa procedura.")
	for _, d := range x.Case.Documents {
		document.Of = append(document.Of, flow.Choice{ID: d.ID, Label: flow.Text{IT: d.Type.Label.IT + ": " + d.Name}})
	}
	return append(in, document)
}

func (x handwork) view() actionView {
	base := "/procedure/" + x.Case.ID
	return actionView{
		Action: base + "/termini/" + x.Term.ID + "/" + x.id, Cancel: base, Trail: trail(x.Case, x.Term.Label.IT), Intro: x.Term.Label.IT + ": ultimo giorno " + isoDay(x.Term.LastDay) + ".",
		Help: x.help, Law: x.Term.Law, Submit: x.label, Revision: x.Case.Revision, Form: slices.Contains(x.Term.ByHand, x.change),
	}
}

func (s *site) handForm(c echo.Context, who visitor) error {
	x, err := s.loadHand(c, who)
	if err != nil {
		return err
	}
	view := x.view()
	view.Key = newKey()
	if view.Form {
		view.Ask = oneLine(formOf(x.Asked, nil, answers{current: map[string]string{}}, lists{}), "i.law")
	} else {
		view.Refusals = []engine.Refusal{{Text: engine.Text{IT: "Il termine non si può cambiare così: è concluso, segue un'altra data, è già sospeso o in corso, oppure non spetta al tuo ruolo."}}}
	}
	return show(c, actionPage(s.frame(who, x.label, "procedure"), view))
}

func (s *site) changeByHand(c echo.Context, who visitor) error {
	x, err := s.loadHand(c, who)
	if err != nil {
		return err
	}
	typed := c.Request().PostForm
	revision, err := strconv.ParseInt(typed.Get("revisione"), 10, 64)
	if err != nil || revision < 1 {
		return echo.NewHTTPError(http.StatusBadRequest, "manca la revisione")
	}
	g := readForm(x.Asked, nil, typed, nil)
	var failure error
	if len(g.Faults) == 0 {
		cmd := x.command(g.Inputs)
		cmd.Revision, cmd.Acknowledge, cmd.Key = revision, acknowledged(typed), typed.Get("chiave")
		if _, failure = x.act(s.Engine, c.Request().Context(), who.Actor, cmd); failure == nil {
			return c.Redirect(http.StatusSeeOther, "/procedure/"+x.Case.ID+"?"+url.Values{"fatto": {"termine"}}.Encode())
		}
	}
	view := x.view()
	view.Revision, view.Key, view.Form = revision, typed.Get("chiave"), true
	why, err := g.learn(asInputs(failure), x.Asked, nil)
	if err != nil {
		return err
	}
	var stale *engine.Stale
	if errors.As(failure, &stale) {
		view.Revision, view.Changes = stale.Current, changesOf(stale.Changes)
	}
	ans := answers{typed: typed, errors: g.Faults}
	view.Ask, view.Warnings = oneLine(formOf(x.Asked, nil, ans, lists{}), "i.law"), warningsOf(why.Warnings, ans, true)
	view.Faults = faultsOf(g.Faults, view.Ask, view.Warnings, why.Whole)
	f := s.frame(who, x.label, "procedure")
	f.Title = "Da sistemare: " + f.Title
	return render(c, why.Status, actionPage(f, view))
}

// command turns the answers of the form into a request; each is of its type, or absent.
func (x handwork) command(in map[string]any) engine.ChangeDeadline {
	text := func(id string) string { s, _ := in[id].(string); return s }
	cmd := engine.ChangeDeadline{Case: x.Case.ID, Deadline: x.Term.ID, To: text("to"), Reason: text("reason"), Law: text("law"), Document: text("document")}
	if days, ok := in["days"].(int64); ok {
		cmd.Days = int(max(-1, min(days, 1<<30)))
		if days == 0 {
			cmd.Days = -1 // none is not what was meant
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, text("at")); err == nil {
		cmd.At = at
	}
	return cmd
}

// asInputs tells the faults of a request as those of the inputs of a form.
func asInputs(err error) error {
	var bad *engine.Invalid
	if !errors.As(err, &bad) {
		return err
	}
	out := &engine.Invalid{Problems: slices.Clone(bad.Problems)}
	for i := range out.Problems {
		out.Problems[i].Pointer = "/inputs" + out.Problems[i].Pointer
	}
	return out
}

// oneLine gives short texts a control of one line.
func oneLine(ask []question, names ...string) []question {
	for i := range ask {
		for k := range ask[i].Controls {
			if c := &ask[i].Controls[k]; slices.Contains(names, c.Name) {
				c.Shape = shapeLine
			}
		}
	}
	return ask
}
