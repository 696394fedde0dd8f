package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// pastForm asks for the instant at which a case is to be shown.
type pastForm struct {
	ID    string
	At    string // for a datetime-local field, in Rome
	Error string
}

// pastView is a case as it was.
type pastView struct {
	caseDetailView
	Form     pastForm
	When     string
	Seq      int64
	Verified bool
	Wrong    string // where the story does not hold
	Erased   bool
	Files    []fileView
	Groups   []pastGroup
}

type pastGroup struct {
	Title string
	Rows  []pastRow
}

// pastRow is a case below, as it was, with the address of its own past.
type pastRow struct{ Title, State, Link string }

// localTime is how a browser writes the value of a datetime-local field; seconds may be there or not.
const localTime = "2006-01-02T15:04"

func pastURL(id string, at string) string {
	return "/procedure/" + id + "/com-era?" + url.Values{"il": {at}}.Encode()
}

func (s *site) asOf(c echo.Context, who visitor) error {
	form := pastForm{ID: c.Param("id"), At: c.QueryParam("il")}
	at, err := parseLocal(form.At)
	if err != nil {
		form.Error = "Scegli un giorno e un'ora."
		return s.pastAgain(c, who, form)
	}
	now, err := s.Engine.Now(c.Request().Context())
	if err != nil {
		return err
	}
	if at.After(now) && at.Sub(now) < time.Minute {
		at = now // the minute that is going on
	}
	v, err := s.Engine.AsOf(c.Request().Context(), who.Actor, form.ID, at)
	var invalid *engine.Invalid
	if errors.As(err, &invalid) {
		form.Error = sentence(invalid.Problems[0].Text.IT)
		return s.pastAgain(c, who, form)
	}
	if err != nil {
		return err
	}
	def, err := s.Engine.Definition(v.Hash)
	if err != nil {
		return err
	}
	l, err := s.lists(c.Request().Context(), who)
	if err != nil {
		return err
	}
	view := pastView{
		caseDetailView: caseView(v.CaseView, def, l, at), Form: form, When: moment(at), Seq: v.Seq, Verified: v.Verified, Wrong: v.Broken, Erased: v.Erased,
	}
	view.Trail = trail(v.CaseView, "Com'era il "+view.When)
	view.addTerms(v.CaseView, v.Deadlines, at)
	view.Files = documentsOf(v.CaseView, engine.Options{}, def, uploadForm{}).Files
	for _, g := range v.Children {
		group := pastGroup{Title: g.Label.IT}
		for _, child := range g.Cases {
			group.Rows = append(group.Rows, pastRow{titleOf(child), child.State.Label.IT, pastURL(child.ID, form.At)})
		}
		if len(group.Rows) > 0 {
			view.Groups = append(view.Groups, group)
		}
	}
	return show(c, pastPage(s.frame(who, view.Title+": com'era", "procedure"), view))
}

// pastAgain draws the form alone, with what is wrong about the instant.
func (s *site) pastAgain(c echo.Context, who visitor, form pastForm) error {
	detail, err := s.Engine.Case(c.Request().Context(), who.Actor, form.ID)
	if err != nil {
		return err
	}
	view := pastView{Form: form}
	view.Title, view.Trail = titleOf(detail.Summary), trail(detail, "Com'era")
	return render(c, http.StatusUnprocessableEntity, pastPage(s.frame(who, view.Title+": com'era", "procedure"), view))
}

// parseLocal reads a time in Rome with or without seconds; without them it is the end of that minute, so that what the story
// shows at that minute has happened.
func parseLocal(text string) (time.Time, error) {
	at, err := time.ParseInLocation(localTime+":05", text, calendar.Rome)
	if err == nil {
		return at.UTC(), nil
	}
	at, err = time.ParseInLocation(localTime, text, calendar.Rome)
	return at.Add(time.Minute - time.Microsecond).UTC(), err
}
