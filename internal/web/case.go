package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// caseDetailView is the page of a case: what to do comes first, what is known after it.
type caseDetailView struct {
	ID, Title, Kind, State, Help string
	Ended                        bool
	GoesOn                       bool // not ended, or with duties after its end
	Body, SUA, RUP, Officer      string
	RulesDate, Hash              string
	Trail                        []crumb
	Stages                       []engine.StageView
	Actions                      []engine.Option // may be done now
	Blocked                      []engine.Option // the visitor's, but not yet
	Others                       []engine.Option // somebody else's
	Below                        []belowView     // what leads on the open cases below this one
	Mend                         []engine.Option // corrections of what was recorded by mistake
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

// belowView is an action of a case below: there a parent that waits for its children is moved on.
type belowView struct{ Label, Case, Link string }

type fieldView struct {
	Label, Text, Law string
	Secret           bool
}

type termView struct {
	Label, Law, Status    string
	CaseID, CaseName      string // when it is a term of a case below
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
	terms, err := s.Engine.Deadlines(ctx, who.Actor, detail.ID)
	if err != nil {
		return err
	}
	view := caseView(detail, l, s.Now())
	view.addTerms(detail, terms, s.Now())
	view.sortOptions(options)
	if view.Below, err = s.below(ctx, who, detail); err != nil {
		return err
	}
	view.Documents = documentsOf(detail, options, def, up)
	if !mayUpload(who.Actor, detail) {
		view.Documents.Types = nil
	}
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

// maxBelow is how many open children are asked for their actions; with more the visitor opens them from their list.
const maxBelow = 6

// below finds what the visitor can do to lead on the open children of a case.
func (s *site) below(ctx context.Context, who visitor, d engine.CaseView) ([]belowView, error) {
	var open []engine.Summary
	for _, group := range d.Children {
		for _, c := range group.Cases {
			if c.EndedAt == nil {
				open = append(open, c)
			}
		}
	}
	if len(open) > maxBelow {
		return nil, nil
	}
	var views []belowView
	for _, c := range open {
		options, err := s.Engine.Options(ctx, who.Actor, c.ID)
		if err != nil {
			return nil, err
		}
		for _, o := range options.Events {
			if o.Allowed && o.Event != rectify && leadsOn(o, options.State.ID) == 0 {
				views = append(views, belowView{o.Label.IT, titleOf(c), "/procedure/" + c.ID + "/azioni/" + o.Event})
			}
		}
	}
	return views, nil
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
