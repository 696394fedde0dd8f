package web

import (
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

func caseView(d engine.CaseView, l lists, now time.Time) caseDetailView {
	v := caseDetailView{
		ID: d.ID, Title: titleOf(d.Summary), Kind: d.Workflow.Label.IT, State: d.State.Label.IT, Help: d.Help.IT, Ended: d.EndedAt != nil, GoesOn: d.GoesOn,
		Body: d.MemberBody.Name, SUA: d.SUA.Name, RUP: d.RUP.Name, Officer: d.Officer.Name,
		RulesDate: isoDay(d.RulesDate), Hash: d.Hash, Stages: d.Stages,
	}
	v.Trail = trail(d, "")
	for _, f := range d.Fields {
		if f.Hidden || f.Value != nil {
			v.Fields = append(v.Fields, fieldView{f.Field.Label.IT, f.Text, f.Field.Law, f.Hidden})
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

// addTerms sorts the terms of the case and, for a root, of those below it.
func (v *caseDetailView) addTerms(d engine.CaseView, all []engine.DeadlineView, now time.Time) {
	names := map[string]string{}
	for _, group := range d.Children {
		for _, c := range group.Cases {
			names[c.ID] = titleOf(c)
		}
	}
	for _, t := range all {
		view := termOf(t, now)
		if t.Case != d.ID {
			view.CaseID, view.CaseName = t.Case, names[t.Case]
		}
		if view.Running {
			v.Terms = append(v.Terms, view)
		} else {
			v.PastTerms = append(v.PastTerms, view)
		}
	}
}

// trail is the way from the list to the case, and to last below it.
func trail(d engine.CaseView, last string) []crumb {
	steps := []crumb{{"Procedure", "/procedure"}}
	for _, p := range d.Parents {
		steps = append(steps, crumb{titleOf(p), "/procedure/" + p.ID})
	}
	here := crumb{Label: titleOf(d.Summary)}
	if last == "" {
		return append(steps, here)
	}
	here.Link = "/procedure/" + d.ID
	return append(steps, here, crumb{Label: last})
}

// rectify is the event that every workflow has for mending mistakes; it never is what one should do next.
const rectify = "rectify"

func (v *caseDetailView) sortOptions(options engine.Options) {
	for _, o := range options.Events {
		switch {
		case o.Event == rectify && o.Allowed:
			v.Mend = append(v.Mend, o)
		case o.Event == rectify:
		case o.Allowed:
			v.Actions = append(v.Actions, o)
		case o.Mine:
			v.Blocked = append(v.Blocked, o)
		default:
			v.Others = append(v.Others, o)
		}
	}
	slices.SortStableFunc(v.Actions, func(a, b engine.Option) int { // what leads on comes before what only completes
		return leadsOn(a, options.State.ID) - leadsOn(b, options.State.ID)
	})
}

func leadsOn(o engine.Option, from string) int {
	if slices.ContainsFunc(o.To, func(to engine.Labelled) bool { return to.ID != from }) {
		return 0
	}
	return 1
}

var statuses = map[string]string{
	"running": "in corso", "met": "rispettato", "expired": "scaduto", "cancelled": "non più necessario",
	"suspended": "sospeso", "blocked": "bloccato",
}

func statusName(status string) string {
	if name, ok := statuses[status]; ok {
		return name
	}
	return status
}

func termOf(d engine.DeadlineView, now time.Time) termView {
	t := termView{
		Label: d.Label.IT, Law: d.Law, Status: statusName(d.Status), Running: slices.Contains([]string{"running", "suspended", "blocked"}, d.Status),
		Term: coming(d.DueAt, now), Started: day(d.StartedAt), Explanation: d.Explanation.IT, AtExpiry: d.AtExpiry.IT,
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
