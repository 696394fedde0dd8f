package web

import (
	"fmt"
	"strings"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

const (
	maxUnfolded = 5 // cases of a group shown without folding
	maxDeeper   = 2 // cases two levels below that are named; more are counted
)

// childrenOf draws a group of cases below. What is a contract or a lot, or has cases of its own, is never folded: from there
// people go on.
func (s *site) childrenOf(group engine.ChildrenView, who auth.Actor) childrenView {
	v := childrenView{ID: "sotto-" + group.ID, Title: group.Label.IT, Folded: len(group.Cases) > maxUnfolded, Summary: countStates(group.Cases)}
	v.Mine = len(turnsOf(who, group.Cases)) > maxBelow
	for _, c := range group.Cases {
		row := childView{rowView: s.rowOf(c), Broken: s.endedEarly(c), Turn: roleNames(c.Turn)}
		if hasRole(who, c.Turn) {
			row.Turn = "te"
		}
		if row.Ended {
			row.Term = nil
		}
		for _, below := range group.Below[c.ID] {
			row.Below = append(row.Below, s.deeper(below))
		}
		v.Folded = v.Folded && c.CIG == "" && len(row.Below) == 0
		v.Rows = append(v.Rows, row)
	}
	return v
}

func (s *site) deeper(group engine.ChildrenView) deeperView {
	d := deeperView{Title: group.Label.IT, Summary: countStates(group.Cases)}
	if len(group.Cases) <= maxDeeper {
		for _, c := range group.Cases {
			d.Rows = append(d.Rows, s.rowOf(c))
		}
	}
	return d
}

func (s *site) rowOf(c engine.Summary) rowView {
	row := rowViews([]engine.Summary{c}, s.Now())[0]
	row.Title = nameBelow(c)
	return row
}

// nameBelow names a case on the page of the case above it, where it stands among its siblings.
func nameBelow(c engine.Summary) string {
	if c.About != "" {
		return titleOf(c) + ": " + c.About
	}
	return titleOf(c)
}

// endedEarly reports whether a case ended before its work was done; without its definition nothing is said.
func (s *site) endedEarly(c engine.Summary) bool {
	def, err := s.Engine.Definition(c.Hash)
	return err == nil && c.EndedAt != nil && engine.EndedEarly(def, c.Outcome)
}

// countStates sums up where cases stand: "7 in regola, 1 richiesto", the state of most of them first.
func countStates(cases []engine.Summary) string {
	var names []string
	count := map[string]int{}
	for _, c := range cases {
		name := lower(c.State.Label.IT)
		if count[name] == 0 {
			names = append(names, name)
		}
		count[name]++
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", count[name], plural(name, count[name]))
	}
	return strings.Join(names, ", ")
}

// plural makes one word agree with its number, as the names of states do: "chiesto", "chiesti". Longer names stay as they are.
func plural(name string, n int) string {
	if n == 1 || strings.Contains(name, " ") {
		return name
	}
	if stem, ok := strings.CutSuffix(name, "o"); ok {
		return stem + "i"
	}
	if stem, ok := strings.CutSuffix(name, "a"); ok {
		return stem + "e"
	}
	return name
}
