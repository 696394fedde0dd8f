package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// caseDetailView is the page of a case: what to do comes first, what is known after it.
type caseDetailView struct {
	ID, Title, Kind, State, Help string
	Ended                        bool
	Broken                       bool // ended before it came to what it was opened for
	GoesOn                       bool // not ended, or with duties after its end
	Turn                         turnView
	Body, SUA, RUP, Officer      string
	RulesDate, Hash              string
	Trail                        []crumb
	Stages                       []engine.StageView
	Actions                      []engine.Option // may be done now, the main one first
	Main                         bool            // the first of them stands out
	Blocked                      []engine.Option // the visitor's, but something is missing
	More                         []engine.Option // may be done now too, without leading anywhere
	Aside                        []engine.Option // the visitor's, but seldom: ends before time, ways back, other ways, what cannot be recorded yet
	Others                       []engine.Option // somebody else's
	Below                        []belowView     // what leads on the open cases below this one
	Folds                        []crumb         // groups below with too many cases of the visitor's to list their actions
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

// turnView says on top of the page who leads the case on, and what ends next.
type turnView struct {
	Mine  bool   // it is the visitor's
	Who   string // the roles whose turn it is
	Waits string // what it waits for when it is nobody's turn
	Next  *termView
}

type termView struct {
	Label, Law, Status    string
	Help, Alerts          string
	CaseID, CaseName      string // when it is a term of a case below
	Running               bool
	Term                  term
	Started, Ended        string
	Explanation, AtExpiry string
	Blocked               string
	Forecast              string
	Breach                bool // the forecast is beyond the term
	Hand                  []handLink
	Peremptory            bool
	due                   time.Time
}

// tableView is a register: only the columns in which some row holds something.
type tableView struct {
	Title   string
	Columns []headView
	Rows    []tableRow
	Hidden  []string // sentences: what is secret for now, and until when
	Closed  bool     // all of it is
}

// tableRow is a row of a register: what it is about, its cells in the order of the columns, and the texts for which a table
// with many columns has no room.
type tableRow struct {
	Cells []string
	Notes []string // "Motivazione: manca la firma"
}

// headView is the head of a column.
type headView struct {
	Label  string
	Number bool // aligned to the right
	Short  bool // never broken over two lines
}

// childrenView is a group of cases below; many that need not be opened one by one are folded under a summary.
type childrenView struct {
	ID      string // of its heading
	Title   string
	Rows    []childView
	Summary string // "7 positivi, 1 in attesa"
	Folded  bool
	Mine    bool // many of them wait for the visitor
}

// childView is a case below in the page of the case above.
type childView struct {
	rowView
	Broken bool
	Turn   string
	Below  []deeperView
}

// deeperView is a group below a case below: its few cases to open, or how many there are.
type deeperView struct {
	Title, Summary string
	Rows           []rowView
}

type linkView struct{ Kind, Title, What, State, ID string }

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
	view := caseView(detail, def, l, s.Now())
	for _, c := range detail.Children {
		view.Children = append(view.Children, s.childrenOf(c, who.Actor))
	}
	view.addTerms(detail, terms, s.Now())
	view.sortOptions(options, due(detail))
	view.setTurn(detail)
	if err := s.addBelow(ctx, who, detail, &view); err != nil {
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

// maxBelow is how many open cases of a group are asked for their actions; of more the visitor is told how many there are.
const maxBelow = 4

// addBelow finds what the visitor can do to lead on the open cases below.
func (s *site) addBelow(ctx context.Context, who visitor, d engine.CaseView, v *caseDetailView) error {
	for _, group := range d.Children {
		mine := turnsOf(who.Actor, group.Cases)
		if len(mine) > maxBelow {
			v.Folds = append(v.Folds, crumb{fmt.Sprintf("%s: %d toccano a te", group.Label.IT, len(mine)), "#sotto-" + group.ID})
			continue
		}
		for _, c := range mine {
			options, err := s.Engine.Options(ctx, who.Actor, c.ID)
			if err != nil {
				return err
			}
			for _, o := range options.Events {
				if o.Allowed && o.Lead == engine.LeadsOn {
					v.Below = append(v.Below, belowView{o.Label.IT, nameBelow(c), "/procedure/" + c.ID + "/azioni/" + o.Event})
				}
			}
		}
	}
	return nil
}

// turnsOf are the open cases among these that it is a person's turn to lead on.
func turnsOf(who auth.Actor, cases []engine.Summary) []engine.Summary {
	var mine []engine.Summary
	for _, c := range openOf(cases) {
		if hasRole(who, c.Turn) {
			mine = append(mine, c)
		}
	}
	return mine
}

// hasRole reports whether a person holds one of the roles, for whatever body: Options then says whether it is the right one.
func hasRole(who auth.Actor, roles []engine.Labelled) bool {
	return slices.ContainsFunc(roles, func(r engine.Labelled) bool {
		return slices.ContainsFunc(who.Memberships, func(m auth.Membership) bool { return m.Role == r.ID })
	})
}

// done tells in words what the visitor has just done; the address carries only ids.
func (s *site) done(c echo.Context) (string, error) {
	switch c.QueryParam("fatto") {
	case "":
		return "", nil
	case "documento":
		return "Documento caricato.", nil
	case "termine":
		return "Termine cambiato: chi segue la procedura sarà avvisato.", nil
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
