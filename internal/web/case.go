package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// caseDetailView is the page of a case: what to do comes first, what is known after it.
type caseDetailView struct {
	ID, Title, Kind, State, Help string
	Ended                        bool
	Codes, Body, SUA, RUP        string
	Officer, Amount, RulesDate   string
	Hash                         string
	Trail                        []crumb
	Stages                       []engine.StageView
	Actions                      []engine.Option // may be done now
	Blocked                      []engine.Option // the visitor's, but not yet
	Others                       []engine.Option // somebody else's
	Terms                        []termView
	PastTerms                    []termView
	Fields                       []fieldView
	Registers                    []tableView
	Children                     []childrenView
	Links                        []linkView
	Documents                    documentsView
}

// crumb is a step of the way back; the last has no link.
type crumb struct{ Label, Link string }

type fieldView struct {
	Label, Text, Law string
	Secret           bool
}

type termView struct {
	Label, Law, Status    string
	Running               bool
	Term                  term
	Started, Ended        string
	Explanation, AtExpiry string
	Blocked               string
}

type tableView struct {
	Title   string
	Columns []string
	Rows    [][]string
	Secret  bool // some columns are hidden for now
}

type childrenView struct {
	Title string
	Rows  []rowView
}

type linkView struct{ Kind, Title, State, ID string }

func caseURL(id string) templ.SafeURL { return templ.SafeURL("/procedure/" + id) }

func (s *site) caseDetail(c echo.Context, who visitor) error {
	done, err := s.done(c)
	if err != nil {
		return err
	}
	return s.drawCase(c, who, http.StatusOK, done, uploadForm{Key: newKey()})
}

// drawCase draws the page of the case named in the address; up is the state of the upload form in it.
func (s *site) drawCase(c echo.Context, who visitor, status int, done string, up uploadForm) error {
	ctx := c.Request().Context()
	detail, err := s.Engine.Case(ctx, who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	options, err := s.Engine.Options(ctx, who.Actor, detail.ID)
	if err != nil {
		return err
	}
	def, err := s.Engine.Definition(detail.Hash)
	if err != nil {
		return err
	}
	l, err := s.lists(ctx, who)
	if err != nil {
		return err
	}
	view := caseView(detail, l, s.Now())
	view.sortOptions(options)
	view.Documents = documentsOf(detail, options, def, up)
	f := s.frame(who, view.Title, "procedure")
	f.Done = done
	return render(c, status, casePage(f, view))
}

// lists loads the people and bodies that forms offer and pages name.
func (s *site) lists(ctx context.Context, who visitor) (lists, error) {
	people, err := s.Engine.People(ctx, who.Actor)
	if err != nil {
		return lists{}, err
	}
	bodies, err := s.Engine.Bodies(ctx, who.Actor)
	if err != nil {
		return lists{}, err
	}
	return lists{optionsOf(people), optionsOf(bodies)}, nil
}

func optionsOf(refs []engine.Ref) []option {
	var out []option
	for _, r := range refs {
		out = append(out, option{r.ID, r.Name})
	}
	return out
}

func caseView(d engine.CaseView, l lists, now time.Time) caseDetailView {
	v := caseDetailView{
		ID: d.ID, Title: titleOf(d.Summary), Kind: d.Workflow.Label.IT, State: d.State.Label.IT, Help: d.Help.IT, Ended: d.EndedAt != nil,
		Codes: codesOf(d.Summary), Body: d.MemberBody.Name, SUA: d.SUA.Name, RUP: d.RUP.Name, Officer: d.Officer.Name,
		Amount: euro(d.Amount), RulesDate: isoDay(d.RulesDate), Hash: d.Hash, Stages: d.Stages,
	}
	v.Trail = trail(d, "")
	for _, t := range d.Deadlines {
		view := termOf(t, now)
		if view.Running {
			v.Terms = append(v.Terms, view)
		} else {
			v.PastTerms = append(v.PastTerms, view)
		}
	}
	for _, f := range d.Fields {
		if f.Hidden || f.Value != nil {
			v.Fields = append(v.Fields, fieldView{f.Field.Label.IT, l.write(f.Field.Type, f.Field.Of, f.Value), f.Field.Law, f.Hidden})
		}
	}
	for _, r := range d.Registers {
		v.Registers = append(v.Registers, tableOf(r, l))
	}
	for _, c := range d.Children {
		v.Children = append(v.Children, childrenView{c.Label.IT, rowViews(c.Cases, now)})
	}
	for _, link := range d.Links {
		v.Links = append(v.Links, linkView{linkName(link), titleOf(link.To), link.To.State.Label.IT, link.To.ID})
	}
	return v
}

// trail is the way from the list to the case, and to last below it.
func trail(d engine.CaseView, last string) []crumb {
	steps := []crumb{{"Procedure", "/procedure"}}
	for _, p := range d.Parents {
		steps = append(steps, crumb{titleOf(p), "/procedure/" + p.ID})
	}
	here := crumb{Label: titleOf(d.Summary)}
	if len(d.Parents) > 0 {
		here.Label = d.Workflow.Label.IT + ": " + here.Label
	}
	if last == "" {
		return append(steps, here)
	}
	here.Link = "/procedure/" + d.ID
	return append(steps, here, crumb{Label: last})
}

func (v *caseDetailView) sortOptions(options engine.Options) {
	for _, o := range options.Events {
		switch {
		case o.Allowed:
			v.Actions = append(v.Actions, o)
		case o.Mine:
			v.Blocked = append(v.Blocked, o)
		case len(o.Roles) > 0: // what nobody fires by hand is told by the terms
			v.Others = append(v.Others, o)
		}
	}
}

var statuses = map[string]string{
	"running": "in corso", "met": "rispettato", "expired": "scaduto", "cancelled": "non più necessario",
	"suspended": "sospeso", "blocked": "bloccato",
}

func termOf(d engine.DeadlineView, now time.Time) termView {
	t := termView{
		Label: d.Label.IT, Law: d.Law, Status: d.Status, Running: slices.Contains([]string{"running", "suspended", "blocked"}, d.Status),
		Term: coming(d.DueAt, now), Started: day(d.StartedAt), Explanation: d.Explanation.IT, AtExpiry: d.AtExpiry.IT,
	}
	if name, ok := statuses[d.Status]; ok {
		t.Status = name
	}
	if !t.Running {
		t.Term.Notice = ""
	}
	if d.EndedAt != nil {
		t.Ended = day(*d.EndedAt)
	}
	if d.BlockedBy != nil {
		t.Blocked = sentence(d.BlockedBy.Text.IT)
	}
	return t
}

func tableOf(r engine.RegisterView, l lists) tableView {
	t := tableView{Title: r.Register.Label.IT, Secret: len(r.Hidden) > 0}
	var columns []flow.Column
	for _, col := range r.Register.Columns {
		if !slices.Contains(r.Hidden, col.ID) {
			columns = append(columns, col)
			t.Columns = append(t.Columns, columnLabel(col))
		}
	}
	for _, row := range r.Rows {
		var cells []string
		for _, col := range columns {
			cells = append(cells, l.write(col.Type, col.Of, row.Values[col.ID]))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

var linkNames = map[string][2]string{ // seen from the case that has the link, and from the other end
	"re_tender_of": {"Nuova gara di", "Rifatta con"},
	"replaces":     {"Sostituisce", "Sostituita da"},
	"call_off_of":  {"Adesione a", "Accordo quadro per"},
}

func linkName(link engine.LinkView) string {
	names, ok := linkNames[link.Kind]
	if !ok {
		return "Collegata a"
	}
	if link.Away {
		return names[0]
	}
	return names[1]
}

// done tells in words what the visitor has just done; the address carries only ids.
func (s *site) done(c echo.Context) (string, error) {
	switch c.QueryParam("fatto") {
	case "":
		return "", nil
	case "documento":
		return "Documento caricato.", nil
	case "aperta":
		return "Procedura aperta.", nil
	}
	hash, event := c.QueryParam("flusso"), c.QueryParam("fatto")
	def, err := s.Engine.Definition(hash)
	if engine.Kind(err) == engine.KindNotFound {
		return "", nil // an address written by hand
	}
	if err != nil {
		return "", err
	}
	if ev, ok := def.Event(event); ok {
		return "Fatto: " + ev.Label.IT + ".", nil
	}
	return "", nil
}
