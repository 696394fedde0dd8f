package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

func caseView(d engine.CaseView, def *flow.Definition, l lists, now time.Time) caseDetailView {
	v := caseDetailView{
		ID: d.ID, Title: titleOf(d.Summary), Kind: d.Workflow.Label.IT, State: d.State.Label.IT, Help: d.Help.IT, Ended: d.EndedAt != nil, GoesOn: d.GoesOn,
		Body: d.MemberBody.Name, SUA: d.SUA.Name, RUP: d.RUP.Name, Officer: d.Officer.Name,
		RulesDate: isoDay(d.RulesDate), Hash: d.Hash, Stages: d.Stages,
	}
	v.Broken = v.Ended && engine.EndedEarly(def, d.Outcome)
	v.Trail = trail(d, "")
	for _, f := range d.Fields {
		switch {
		case f.Hidden:
			v.Fields = append(v.Fields, fieldView{f.Field.Label.IT, openedBy(def, f.Field.Secret, ""), f.Field.Law, true})
		case f.Value != nil:
			v.Fields = append(v.Fields, fieldView{f.Field.Label.IT, withUnit(f.Field.Type, f.Field.ID, f.Text), f.Field.Law, false})
		}
	}
	for _, r := range d.Registers {
		v.Registers = append(v.Registers, tableOf(def, r, l))
	}
	for _, link := range d.Links {
		v.Links = append(v.Links, linkView{linkName(link), titleOf(link.To), link.To.Workflow.Label.IT, lower(link.To.State.Label.IT), link.To.ID})
	}
	return v
}

// manyTerms is how many running terms are shown at once: a tender with lots has dozens.
const manyTerms = 5

// addTerms sorts the terms of the case and, for a root, of those below it.
func (v *caseDetailView) addTerms(d engine.CaseView, all []engine.DeadlineView, now time.Time) {
	names := map[string]string{}
	for _, group := range d.Children {
		for _, c := range group.Cases {
			names[c.ID] = titleOf(c)
			for _, below := range group.Below[c.ID] {
				for _, deep := range below.Cases {
					names[deep.ID] = titleOf(c) + ", " + titleOf(deep)
				}
			}
		}
	}
	for _, t := range all {
		view := termOf(t, now)
		if t.Case != d.ID {
			view.CaseID, view.CaseName = t.Case, cmp.Or(names[t.Case], "un'altra pratica")
		}
		if view.Running {
			v.Terms = append(v.Terms, view)
		} else {
			v.PastTerms = append(v.PastTerms, view)
		}
	}
	slices.SortStableFunc(v.Terms, func(a, b termView) int { return a.due.Compare(b.due) })
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

// weight says how much an action matters now: what leads on, what a running term asks for, what a blocked action misses, and
// then what may always be recorded.
type weight int

const (
	leading weight = iota
	asked
	filling
	going
	recording
)

func weigh(o engine.Option, running []string, blocked []engine.Option) weight {
	switch {
	case o.Lead == engine.LeadsOn:
		return leading
	case slices.ContainsFunc(o.Stops, func(term string) bool { return slices.Contains(running, term) }):
		return asked
	case fillsFor(o, blocked):
		return filling
	case o.Lead == engine.LeadsRound:
		return going
	}
	return recording
}

// fewActions is how many actions are in sight: with more, those that only record something are folded.
const fewActions = 4

// sortOptions places each event of the present state; running names the terms of the case that run.
func (v *caseDetailView) sortOptions(options engine.Options, running []string) {
	for _, o := range options.Events {
		seldom := o.Apart || o.Lead == engine.LeadsBack || o.Lead == engine.LeadsOut
		switch {
		case o.Event == rectify && o.Allowed:
			v.Mend = append(v.Mend, o)
		case o.Event == rectify:
		case o.Mine && seldom:
			v.Aside = append(v.Aside, o)
		case o.Allowed:
			v.Actions = append(v.Actions, o)
		case o.Mine && weigh(o, running, nil) > asked:
			v.Aside = append(v.Aside, o)
		case o.Mine:
			v.Blocked = append(v.Blocked, o)
		case !seldom:
			v.Others = append(v.Others, o)
		}
	}
	blocked := v.Blocked
	slices.SortStableFunc(v.Actions, func(a, b engine.Option) int { return int(weigh(a, running, blocked) - weigh(b, running, blocked)) })
	v.promote()
	v.Main = len(v.Actions) > 0 && (weigh(v.Actions[0], running, blocked) < going || v.Actions[0].Lead == engine.LeadsOut)
	for i := fewActions - 1; i < len(v.Actions)-1; i++ {
		if weigh(v.Actions[i], running, blocked) >= going {
			v.More, v.Actions = slices.Clone(v.Actions[i:]), v.Actions[:i]
			break
		}
	}
}

// due names the terms of the case itself that run.
func due(d engine.CaseView) []string {
	var names []string
	for _, t := range d.Deadlines {
		if running(t.Status) {
			names = append(names, t.Name)
		}
	}
	return names
}

func running(status string) bool {
	return slices.Contains([]string{"running", "suspended", "blocked"}, status)
}

// promote makes an end before time an action like others when nothing else can lead on and its own conditions hold: a tender
// without bids is declared deserted.
func (v *caseDetailView) promote() {
	on := func(o engine.Option) bool { return o.Lead == engine.LeadsOn }
	if slices.ContainsFunc(v.Actions, on) || slices.ContainsFunc(v.Blocked, on) {
		return
	}
	i := slices.IndexFunc(v.Aside, func(o engine.Option) bool { return o.Allowed && o.Lead == engine.LeadsOut && o.Guarded })
	if i >= 0 {
		v.Actions = slices.Insert(v.Actions, 0, v.Aside[i])
		v.Aside = slices.Delete(v.Aside, i, i+1)
	}
}

// fillsFor reports whether an action writes what a blocked one misses, so that it comes before those that only record.
func fillsFor(o engine.Option, blocked []engine.Option) bool {
	var writes []string
	for _, in := range o.Inputs {
		writes = append(writes, in.Label.IT)
		for _, col := range in.Columns {
			writes = append(writes, columnLabel(col))
		}
	}
	return slices.ContainsFunc(blocked, func(b engine.Option) bool {
		return b.Lead == engine.LeadsOn && slices.ContainsFunc(b.Refusals, func(r engine.Refusal) bool {
			return slices.Contains(writes, r.Params["column"]) || slices.Contains(writes, r.Params["field"])
		})
	})
}

// setTurn says whose turn it is, once options and terms are sorted.
func (v *caseDetailView) setTurn(d engine.CaseView) {
	on := func(o engine.Option) bool { return o.Lead == engine.LeadsOn && leads(o, d.Turn) }
	v.Turn.Mine = slices.ContainsFunc(v.Actions, on) || slices.ContainsFunc(v.Blocked, on)
	v.Turn.Who = roleNames(d.Turn)
	if i := slices.IndexFunc(v.Terms, func(t termView) bool { return t.Status == statusName("running") }); i >= 0 {
		v.Turn.Next = &v.Terms[i]
	}
	if v.Ended || len(d.Turn) > 0 {
		return
	}
	var open []string
	for _, group := range d.Children {
		if n := len(openOf(group.Cases)); n > 0 {
			open = append(open, fmt.Sprintf("%s (%d)", group.Label.IT, n))
		}
	}
	i := slices.IndexFunc(v.Terms, func(t termView) bool { return t.CaseID == "" && t.AtExpiry != "" })
	switch {
	case i >= 0:
		v.Turn.Waits = "la fine di «" + v.Terms[i].Label + "»"
	case len(open) > 0:
		v.Turn.Waits = strings.Join(open, ", ")
	}
}

// leads reports whether one of an event's roles has the turn.
func leads(o engine.Option, turn []engine.Labelled) bool {
	return slices.ContainsFunc(o.Roles, func(r engine.Labelled) bool { return slices.Contains(turn, r) })
}

func openOf(cases []engine.Summary) []engine.Summary {
	var open []engine.Summary
	for _, c := range cases {
		if c.EndedAt == nil {
			open = append(open, c)
		}
	}
	return open
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
		Label: d.Label.IT, Law: d.Law, Status: statusName(d.Status), Running: running(d.Status),
		Term: coming(d.DueAt, now), Started: day(d.StartedAt), Explanation: d.Explanation.IT, AtExpiry: d.AtExpiry.IT,
		due: d.DueAt, Help: d.Help.IT, Alerts: together(d.Alerts), Hand: handLinks(d), Peremptory: d.Peremptory,
	}
	if d.Forecast != nil {
		t.Forecast, t.Breach = d.Forecast.Text.IT, d.Forecast.Breach
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

// stages are those of the case as the bar shows them: of a case that ended before its work was done, where it stopped and what
// it did not come to; of one that came to its end, all done.
func (v caseDetailView) stages() []engine.StageView {
	if !v.Ended {
		return v.Stages
	}
	out := slices.Clone(v.Stages)
	for i := range out {
		switch {
		case out[i].Status == "current" && v.Broken:
			out[i].Status = "stopped"
		case out[i].Status == "current":
			out[i].Status = "done"
		case out[i].Status == "todo":
			out[i].Status = "missed"
		}
	}
	return out
}
