package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// historySize is how many events a page of the story tells.
const historySize = 100

// historyView is the story of a tree of cases, oldest first.
type historyView struct {
	ID       string
	Trail    []crumb
	Title    string
	Items    []eventView
	Verified bool
	Broken   string
	Next     string // address of the following page
	Later    bool   // the page does not begin at the beginning
	Whole    bool   // the page is the whole story, and so was checked to its end
}

type eventView struct {
	Seq                    int64
	Label, Of, Law         string
	From, To               string
	At, AtMachine          string
	Effective              string // only when it differs
	Who, Role              string
	Cause                  int64
	Inputs, Changes        []engine.Told
	Documents              []engine.Attached
	Warnings               []engine.Acknowledged
	Terms                  []string
	Hidden                 bool
	Hash, Definition, Case string
}

func (s *site) history(c echo.Context, who visitor) error {
	ctx := c.Request().Context()
	var after int64
	if raw := c.QueryParam("dopo"); raw != "" {
		var err error
		if after, err = strconv.ParseInt(raw, 10, 64); err != nil || after < 0 {
			return echo.ErrNotFound
		}
	}
	detail, err := s.Engine.Case(ctx, who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	story, err := s.Engine.History(ctx, who.Actor, detail.ID, after, historySize)
	if err != nil {
		return err
	}
	view := historyView{
		ID: detail.ID, Trail: trail(detail, "Storia"), Title: titleOf(detail.Summary), Verified: story.Verified, Broken: story.Broken, Later: after > 0,
	}
	for _, item := range story.Items {
		view.Items = append(view.Items, eventOf(item))
	}
	if story.Next > 0 {
		view.Next = fmt.Sprintf("/procedure/%s/storia?dopo=%d", detail.ID, story.Next)
	}
	view.Whole = !view.Later && view.Next == ""
	return show(c, historyPage(s.frame(who, "Storia: "+view.Title, "procedure"), view))
}

func eventOf(h engine.HistoryItem) eventView {
	v := eventView{
		Seq: h.Seq, Label: h.Label.IT, Of: h.CaseLabel.IT, Law: h.Law, At: moment(h.At), AtMachine: machineTime(h.At),
		Who: actorName(h), Role: h.Role.Label.IT, Cause: h.Cause, Inputs: h.Inputs, Changes: h.Changes, Documents: h.Documents,
		Warnings: h.Warnings, Hidden: h.Hidden, Hash: h.Hash, Definition: h.Definition, Case: h.Case,
	}
	if h.Cause > 0 {
		v.Role = "" // it followed from what the person did in a role: the cause tells which
	}
	if h.From.ID != h.To.ID {
		v.From, v.To = h.From.Label.IT, h.To.Label.IT
	}
	if !h.Effective.Equal(h.At) && !h.Effective.IsZero() {
		v.Effective = moment(h.Effective)
	}
	for _, d := range h.Deadlines {
		name := d.Label.IT
		if name == "" {
			name = d.Name
		}
		text := name + ": " + statusName(d.Status)
		if d.LastDay != "" {
			text += ", ultimo giorno " + isoDay(d.LastDay)
		}
		v.Terms = append(v.Terms, text)
	}
	return v
}

// actorName is who did it: a person, or the program by itself.
func actorName(h engine.HistoryItem) string {
	switch {
	case h.Actor.Name != "":
		return h.Actor.Name
	case strings.HasPrefix(h.Actor.ID, "system:"):
		return "Sistema"
	}
	return h.Actor.ID
}

func moved(h engine.HistoryItem) string {
	if h.From.ID == h.To.ID || h.To.Label.IT == "" {
		return ""
	}
	return ", ora " + h.To.Label.IT
}
