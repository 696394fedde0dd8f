package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// historySize is how many events a page of the story tells.
const historySize = 50

// historyView is the story of a tree of cases, oldest first.
type historyView struct {
	ID       string
	Trail    []crumb
	Title    string
	Items    []eventView
	Verified bool
	Broken   string
	Cases    []option // of the tree, to read the story of one
	Only     string   // id of the case whose story it is; empty: all of the tree
	Next     string   // address of the following page
	Later    bool     // the page does not begin at the beginning
	Now      string   // what the form for a past instant begins with
	Whole    bool     // the page is the whole story, and so was checked to its end
}

type eventView struct {
	Seq                    int64
	Label, Of, Law         string
	From, To               string
	At, AtMachine          string
	Effective              string // only when it differs
	Who, Role              string
	Cause                  int64
	CauseHere              bool // it is on this page
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
	only := c.QueryParam("di")
	story, err := s.story(ctx, who, detail.ID, only, after)
	if err != nil {
		return err
	}
	view := historyView{
		ID: detail.ID, Trail: trail(detail, "Storia"), Title: titleOf(detail.Summary), Verified: story.Verified, Broken: story.Broken, Later: after > 0,
		Only: only, Now: s.Now().In(calendar.Rome).Format(localTime),
	}
	if view.Cases, err = s.casesOf(ctx, who, detail); err != nil {
		return err
	}
	here := map[int64]bool{}
	for _, item := range story.Items {
		here[item.Seq] = true
		event := eventOf(item)
		event.CauseHere = here[item.Cause]
		view.Items = append(view.Items, event)
	}
	if story.Next > 0 {
		next := url.Values{"dopo": {strconv.FormatInt(story.Next, 10)}}
		if only != "" {
			next.Set("di", only)
		}
		view.Next = "/procedure/" + detail.ID + "/storia?" + next.Encode()
	}
	view.Whole = only != "" || !view.Later && view.Next == ""
	return show(c, historyPage(s.frame(who, "Storia: "+view.Title, "procedure"), view))
}

// story reads a page of the story. That of one case is picked out of the whole, whose chain is so checked to its end.
func (s *site) story(ctx context.Context, who visitor, id, only string, after int64) (engine.History, error) {
	if only == "" {
		return s.Engine.History(ctx, who.Actor, id, after, historySize)
	}
	story, err := s.Engine.History(ctx, who.Actor, id, 0, 0)
	if err != nil {
		return story, err
	}
	var items []engine.HistoryItem
	for _, item := range story.Items {
		if item.Case != only || item.Seq <= after {
			continue
		}
		if len(items) == historySize {
			story.Next = items[historySize-1].Seq
			break
		}
		items = append(items, item)
	}
	story.Items = items
	return story, nil
}

// casesOf lists the cases of the tree down to two levels, and the one that is looked at.
func (s *site) casesOf(ctx context.Context, who visitor, d engine.CaseView) ([]option, error) {
	root := d
	if len(d.Parents) > 0 {
		var err error
		if root, err = s.Engine.Case(ctx, who.Actor, d.Parents[0].ID); err != nil {
			return nil, err
		}
	}
	all := []option{{root.ID, titleOf(root.Summary)}}
	for _, group := range root.Children {
		for _, c := range group.Cases {
			all = append(all, option{c.ID, titleOf(c)})
			for _, below := range group.Below[c.ID] {
				for _, deep := range below.Cases {
					all = append(all, option{deep.ID, titleOf(c) + " – " + titleOf(deep)})
				}
			}
		}
	}
	if !slices.ContainsFunc(all, func(o option) bool { return o.Value == d.ID }) {
		all = append(all, option{d.ID, titleOf(d.Summary)})
	}
	return all, nil
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
