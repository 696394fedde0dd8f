package web

import (
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// maxColumns is how many columns a screen has room for: with more, texts go under the name of the row.
const maxColumns = 7

// tableOf shows a register without the columns that nobody has filled.
func tableOf(def *flow.Definition, r engine.RegisterView, l lists) tableView {
	t := tableView{Title: r.Register.Label.IT, Hidden: hiddenIn(def, r), Closed: len(r.Hidden) == len(r.Register.Columns)}
	var filled []flow.Column
	for _, col := range r.Register.Columns {
		if slices.ContainsFunc(r.Rows, func(row engine.RowView) bool { return row.Values[col.ID] != nil }) {
			filled = append(filled, col)
		}
	}
	noted := map[string]bool{}
	for i, col := range filled {
		noted[col.ID] = i > 0 && col.Type == flow.TypeText && len(filled) > maxColumns
		if !noted[col.ID] {
			t.Columns = append(t.Columns, headOf(col))
		}
	}
	for _, row := range r.Rows {
		var drawn tableRow
		for _, col := range filled {
			text := l.cell(col, row.Values[col.ID])
			switch {
			case !noted[col.ID]:
				drawn.Cells = append(drawn.Cells, text)
			case text != "":
				drawn.Notes = append(drawn.Notes, columnLabel(col)+": "+text)
			}
		}
		t.Rows = append(t.Rows, drawn)
	}
	return t
}

func headOf(col flow.Column) headView {
	h := headView{Label: columnLabel(col)}
	switch col.Type {
	case flow.TypeMoney, flow.TypeInt, flow.TypePercent:
		h.Number = true
	case flow.TypeDate, flow.TypeInstant, flow.TypeCIG, flow.TypeCUP:
		h.Short = true
	}
	return h
}

// cell writes a value of a register as people read it.
func (l lists) cell(col flow.Column, v any) string {
	return withUnit(col.Type, col.ID, l.write(col.Type, col.Of, v))
}

// withUnit adds the sign to percentages. The workflows keep points of an evaluation as percentages too, under names that end
// in score: those are points.
func withUnit(t flow.Type, id, text string) string {
	if t != flow.TypePercent || text == "" || points(id) {
		return text
	}
	return text + " %"
}

func points(id string) bool { return strings.HasSuffix(id, "score") || strings.HasSuffix(id, "points") }

// hiddenIn tells which columns are secret for now, and until when: one sentence for all that open together.
func hiddenIn(def *flow.Definition, r engine.RegisterView) []string {
	var when []string
	what := map[string][]string{}
	for _, col := range r.Register.Columns {
		if !slices.Contains(r.Hidden, col.ID) {
			continue
		}
		until := openedBy(def, r.Register.Secret, col.ID)
		if !slices.Contains(when, until) {
			when = append(when, until)
		}
		what[until] = append(what[until], columnLabel(col))
	}
	var out []string
	for _, until := range when {
		if len(what[until]) == len(r.Register.Columns) {
			out = append(out, sentence(until))
		} else {
			out = append(out, strings.Join(what[until], ", ")+": "+until+".")
		}
	}
	return out
}

// openedBy says until when something is secret: "riservato fino ad «Aggiudicato» o «Deserto»".
func openedBy(def *flow.Definition, secret *flow.Secret, column string) string {
	if secret == nil {
		return "riservato"
	}
	ids, ok := secret.Until[column]
	if !ok {
		ids = secret.Until[""]
	}
	var states []string
	for _, id := range ids {
		if st, ok := def.State(id); ok {
			states = append(states, "«"+st.Label.IT+"»")
		}
	}
	if len(states) == 0 {
		return "riservato"
	}
	return "visibile da " + either(states)
}
