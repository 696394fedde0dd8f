package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// pageSize is how many procedures a page of the list shows.
const pageSize = 30

// listView is the page of the list: what was asked, what was found.
type listView struct {
	Query     query
	Workflows []option
	Stages    []option
	States    []option // empty until a workflow is chosen
	Bodies    []option
	Columns   []columnView
	Rows      []rowView
	Next      string // address of the following page
	Filtered  bool
	DueError  string
}

// query is the filter as typed; its names are those of the address, which people keep and send each other.
type query struct {
	Text, Workflow, State, Stage, Body, Due string
	Open                                    string // corso, concluse, tutte
	Children                                bool
	Sort                                    string // as engine.Filter
	Desc                                    bool
	After                                   string
}

// columnView is the head of a column; a link when the list can be sorted by it.
type columnView struct {
	Label string
	Link  string
	Aria  string // none, ascending, descending
}

type rowView struct {
	ID, Title, Codes, Kind string
	Body, State, Stage     string
	Term                   *term
	Amount, Updated        string
	Ended                  bool
}

func (s *site) list(c echo.Context, who visitor) error {
	q := readQuery(c.QueryParams())
	ctx := c.Request().Context()
	view := listView{Query: q, Filtered: q.narrowed()}
	filter, err := q.filter()
	if err != nil {
		view.DueError = "Scrivi la data come 31/12/2026."
	}
	page, err := s.Engine.Cases(ctx, who.Actor, filter)
	if err != nil {
		return err
	}
	bodies, err := s.Engine.Bodies(ctx, who.Actor)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		view.Bodies = append(view.Bodies, option{b.ID, b.Name})
	}
	view.Workflows, view.Stages, view.States = choicesOf(s.Engine.Workflows(), q.Workflow)
	view.Columns = q.columns()
	view.Rows = rowViews(page.Items, s.Now())
	if page.Next != "" {
		next := q
		next.After = page.Next
		view.Next = next.address()
	}
	return show(c, listPage(s.frame(who, "Procedure", "procedure"), view))
}

func readQuery(v url.Values) query {
	q := query{
		Text: strings.TrimSpace(v.Get("testo")), Workflow: v.Get("flusso"), State: v.Get("stato"), Stage: v.Get("fase"),
		Body: v.Get("ente"), Due: strings.TrimSpace(v.Get("entro")), Open: v.Get("quali"), Children: v.Get("collegate") == "si",
		Sort: v.Get("ordine"), After: v.Get("dopo"),
	}
	if !slices.Contains([]string{"corso", "concluse", "tutte"}, q.Open) {
		q.Open = "corso"
	}
	if q.Workflow == "" {
		q.State = "" // states belong to a workflow
	}
	q.Sort, q.Desc = strings.TrimPrefix(q.Sort, "-"), strings.HasPrefix(q.Sort, "-")
	if !slices.Contains([]string{"updated", "opened", "due", "title", "amount"}, q.Sort) {
		q.Sort, q.Desc = "updated", true
	}
	return q
}

// narrowed reports whether the filter hides anything but ended cases.
func (q query) narrowed() bool {
	return q.Text != "" || q.Workflow != "" || q.State != "" || q.Stage != "" || q.Body != "" || q.Due != "" || q.Open != "corso"
}

// filter gives the engine's filter; an unreadable date is an error and filters nothing.
func (q query) filter() (engine.Filter, error) {
	f := engine.Filter{
		Workflow: q.Workflow, State: q.State, Stage: q.Stage, Body: q.Body, Text: q.Text, Children: q.Children,
		Sort: q.Sort, Desc: q.Desc, After: q.After, Limit: pageSize,
	}
	if q.Open != "tutte" {
		open := q.Open == "corso"
		f.Open = &open
	}
	if q.Due == "" {
		return f, nil
	}
	d, err := typedDay(q.Due)
	if err != nil {
		return f, err
	}
	// A term whose last day is d is over at the next midnight: that instant must be before the bound.
	f.DueBefore = d.AddDays(1).Start().Add(time.Second)
	return f, nil
}

// typedDay reads what a date control sends, or what a person types where there is none.
func typedDay(s string) (calendar.Date, error) {
	if d, err := calendar.ParseDate(s); err == nil {
		return d, nil
	}
	t, err := time.Parse("2/1/2006", s)
	if err != nil {
		return calendar.Date{}, errors.New("not a day")
	}
	return calendar.Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, nil
}

// address is the page of the list that this query asks for.
func (q query) address() string {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("testo", q.Text)
	set("flusso", q.Workflow)
	set("stato", q.State)
	set("fase", q.Stage)
	set("ente", q.Body)
	set("entro", q.Due)
	if q.Open != "corso" {
		v.Set("quali", q.Open)
	}
	if q.Children {
		v.Set("collegate", "si")
	}
	set("ordine", q.order())
	set("dopo", q.After)
	if len(v) == 0 {
		return "/procedure"
	}
	return "/procedure?" + v.Encode()
}

func (q query) order() string {
	if q.Desc {
		return "-" + q.Sort
	}
	return q.Sort
}

func (q query) columns() []columnView {
	columns := []struct{ label, sort string }{
		{"Procedura", "title"}, {"Ente", ""}, {"Stato", ""}, {"Prossimo termine", "due"}, {"Importo", "amount"}, {"Aggiornata", "updated"},
	}
	var views []columnView
	for _, col := range columns {
		view := columnView{Label: col.label, Aria: "none"}
		if col.sort != "" {
			to := q
			to.After = ""
			to.Sort, to.Desc = col.sort, col.sort == "amount" || col.sort == "updated" // largest and latest first
			if q.Sort == col.sort {
				to.Desc = !q.Desc
				view.Aria = "ascending"
				if q.Desc {
					view.Aria = "descending"
				}
			}
			view.Link = to.address()
		}
		views = append(views, view)
	}
	return views
}

// choicesOf lists the latest workflows, all their stages, and the states of the one chosen.
func choicesOf(all []engine.WorkflowView, chosen string) (workflows, stages, states []option) {
	for _, w := range all {
		if !w.Latest {
			continue
		}
		workflows = append(workflows, option{w.ID, w.Label.IT})
		if chosen != "" && w.ID != chosen {
			continue
		}
		for _, st := range w.Stages {
			if !slices.ContainsFunc(stages, func(o option) bool { return o.Value == st.ID }) {
				stages = append(stages, option{st.ID, st.Label.IT})
			}
		}
		if w.ID == chosen {
			for _, st := range w.States {
				states = append(states, option{st.ID, st.Label.IT})
			}
		}
	}
	return workflows, stages, states
}

func rowViews(items []engine.Summary, now time.Time) []rowView {
	var rows []rowView
	for _, sum := range items {
		row := rowView{
			ID: sum.ID, Title: titleOf(sum), Codes: codesOf(sum), Kind: sum.Workflow.Label.IT, Body: sum.MemberBody.Name,
			State: sum.State.Label.IT, Stage: sum.Stage.Label.IT, Amount: euro(sum.Amount), Updated: day(sum.UpdatedAt),
			Ended: sum.EndedAt != nil,
		}
		if sum.NextDue != nil {
			t := coming(*sum.NextDue, now)
			row.Term = &t
		}
		rows = append(rows, row)
	}
	return rows
}

// titleOf names a case even before anybody has given it a title.
func titleOf(sum engine.Summary) string {
	name := sum.Workflow.Label.IT
	if sum.Parent != "" {
		name += " " + strconv.Itoa(sum.Ordinal)
	}
	switch {
	case sum.Title == "" && sum.Parent == "":
		return name + " senza oggetto"
	case sum.Title == "":
		return name
	case sum.Parent == "", strings.HasPrefix(strings.ToLower(sum.Title), strings.ToLower(name)): // people write "Lotto 1: aule"
		return sum.Title
	}
	return name + ": " + sum.Title
}

func codesOf(sum engine.Summary) string {
	var codes []string
	if sum.CIG != "" {
		codes = append(codes, "CIG "+sum.CIG)
	}
	if sum.CUP != "" {
		codes = append(codes, "CUP "+sum.CUP)
	}
	return strings.Join(codes, " · ")
}

// first is the address of the first page of the same list.
func (v listView) first() string {
	q := v.Query
	q.After = ""
	return q.address()
}

// more reports whether a filter of the second group is set, and so must be seen.
func (v listView) more() bool {
	q := v.Query
	return q.Workflow != "" || q.State != "" || q.Stage != "" || q.Body != "" || q.Due != "" || q.Children
}
