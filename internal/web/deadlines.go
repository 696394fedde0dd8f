package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// deadlinesView is the page of the terms of all procedures in sight.
type deadlinesView struct {
	Query     deadlineAsk
	Workflows []option
	Bodies    []option
	Groups    []deadlineGroup
	Next      string // address of the following page
	First     string // of the first, when this is not it
	Directs   bool   // the visitor may record outages
}

// deadlineAsk is what was asked, by the names of the address.
type deadlineAsk struct{ Whose, State, Span, Workflow, Body, After string }

type deadlineRow struct {
	termView
	Title, Place, Procedure, Body string
	Who                           string // the roles that may do what it waits for
	Percent                       int
	Overdue                       bool
}

// deadlineGroup are the terms of a page that are equally urgent.
type deadlineGroup struct {
	ID, Title string
	Rows      []deadlineRow
}

// urgencies are the groups, the most urgent first: within so many days, the last one whatever is left.
var urgencies = []struct {
	id, title string
	days      int
}{{"oggi", "Oggi", 0}, {"sette", "Nei prossimi 7 giorni", 7}, {"trenta", "Nei prossimi 30 giorni", 30}, {"oltre", "Oltre 30 giorni", 1 << 30}}

// urgency is the group of a term: what is over first, what stands still by itself, for nobody knows its end.
func urgency(r engine.DeadlineRow, now time.Time) (id, title string) {
	switch {
	case r.Status == "suspended":
		return "sospese", "Sospese"
	case r.Overdue:
		return "scadute", "Scadute"
	}
	left := calendar.DateOf(r.DueAt.Add(-time.Nanosecond)).Sub(calendar.DateOf(now))
	for _, u := range urgencies {
		if left <= u.days {
			return u.id, u.title
		}
	}
	return "", ""
}

// spans are how far ahead the page looks.
var spans = []option{{"7", "7 giorni"}, {"30", "30 giorni"}, {"90", "90 giorni"}, {"tutte", "Tutte"}}

// deadlineStates are the states as the page calls them, with the engine's.
var deadlineStates = []struct{ value, label, state string }{
	{"tutte", "Da fare", ""}, {"scadute", "Scadute", "overdue"}, {"bloccate", "Bloccate", "blocked"}, {"sospese", "Sospese", "suspended"},
}

func stateOptions() []option {
	var out []option
	for _, s := range deadlineStates {
		out = append(out, option{s.value, s.label})
	}
	return out
}

func readDeadlineAsk(v url.Values) deadlineAsk {
	q := deadlineAsk{Whose: v.Get("quali"), State: v.Get("stato"), Span: v.Get("entro"), Workflow: v.Get("flusso"), Body: v.Get("ente"), After: v.Get("dopo")}
	if q.Whose != "mie" {
		q.Whose = "ente"
	}
	if !slices.ContainsFunc(deadlineStates, func(s struct{ value, label, state string }) bool { return s.value == q.State }) {
		q.State = "tutte"
	}
	if !slices.ContainsFunc(spans, func(o option) bool { return o.Value == q.Span }) {
		q.Span = "30"
	}
	return q
}

// query gives the engine's question. What is over or stands still has no span ahead.
func (q deadlineAsk) query() engine.DeadlineQuery {
	out := engine.DeadlineQuery{Scope: engine.ScopeBody, Workflow: q.Workflow, Body: q.Body, Cursor: q.After, Limit: pageSize}
	if q.Whose == "mie" {
		out.Scope = engine.ScopeMine
	}
	for _, s := range deadlineStates {
		if s.value == q.State {
			out.State = s.state
		}
	}
	if out.State == "" {
		out.Days, _ = strconv.Atoi(q.Span) // "tutte" is no number: 0, no bound
	}
	return out
}

func (q deadlineAsk) address() string {
	v := url.Values{"quali": {q.Whose}, "stato": {q.State}, "entro": {q.Span}}
	for name, value := range map[string]string{"flusso": q.Workflow, "ente": q.Body, "dopo": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/scadenze?" + v.Encode()
}

func (s *site) deadlines(c echo.Context, who visitor) error {
	q := readDeadlineAsk(c.QueryParams())
	ctx := c.Request().Context()
	found, err := s.Engine.FindDeadlines(ctx, who.Actor, q.query())
	if err != nil {
		return err
	}
	bodies, err := s.Engine.Bodies(ctx, who.Actor)
	if err != nil {
		return err
	}
	view := deadlinesView{Query: q, Directs: len(s.Engine.OutageSUAs(who.Actor)) > 0}
	for _, b := range bodies {
		view.Bodies = append(view.Bodies, option{b.ID, b.Name})
	}
	view.Workflows, _, _ = choicesOf(s.Engine.Workflows(), "")
	now := s.Now()
	for _, r := range found.Items {
		row := deadlineRow{
			termView: termOf(r.DeadlineView, now), Title: r.Title, Place: r.Place.IT, Procedure: r.Procedure, Body: r.Case.MemberBody.Name, Who: roleNames(r.Acts), Percent: r.Percent, Overdue: r.Overdue,
		}
		row.CaseID = r.Case.ID
		if row.Title == "" {
			row.Title = titleOf(r.Case)
		}
		if row.Overdue {
			row.Term = coming(r.DueAt, now)
		}
		id, title := urgency(r, now)
		if n := len(view.Groups); n == 0 || view.Groups[n-1].ID != id { // they come in the order of their ends
			view.Groups = append(view.Groups, deadlineGroup{ID: id, Title: title})
		}
		last := &view.Groups[len(view.Groups)-1]
		last.Rows = append(last.Rows, row)
	}
	if found.Next != "" {
		next := q
		next.After = found.Next
		view.Next = next.address()
	}
	if q.After != "" {
		first := q
		first.After = ""
		view.First = first.address()
	}
	return show(c, deadlinesPage(s.frame(who, "Scadenze", "scadenze"), view))
}

// width is how much of a bar is full.
func width(percent int) string { return strconv.Itoa(percent) }

// where names, beside the title of a case, its place, the procedure and the body.
func (r deadlineRow) where() string {
	return strings.Join(slices.DeleteFunc([]string{r.Place, r.Procedure, r.Body}, func(s string) bool { return s == "" }), " – ")
}

// mark is what is to be known of a term beside its day: what is over says so there.
func (r deadlineRow) mark() string {
	if r.Running && r.Status != "bloccato" || r.Overdue && r.Status == "scaduto" {
		return ""
	}
	return r.Status
}

// lawText writes the norm of a term; a term that only use has made says so.
func lawText(law string) string {
	if strings.EqualFold(strings.TrimSpace(law), "prassi") {
		return "Termine di prassi: lo fissa l'ufficio, non una norma."
	}
	return law
}
