package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// given is a form as it came back: what to send to the engine, and where each part stood on the page.
type given struct {
	Inputs map[string]any
	rows   map[string][]int  // by input id: the numbers of the rows sent, in order
	Faults map[string]string // by control name
}

// readForm reads the answers to an event's inputs. Empty optional answers are left out, and so are optional fields left as
// they were: the history then tells what a person changed and not what the form happened to show. An optional field that
// had a value and was emptied is sent as nil, which clears it.
func readForm(inputs []flow.Input, registers []engine.RegisterView, typed url.Values, current map[string]string) given {
	g := given{Inputs: map[string]any{}, rows: map[string][]int{}, Faults: map[string]string{}}
	for _, in := range inputs {
		name := "i." + in.ID
		switch in.Kind {
		case flow.InputRow:
			g.readRow(in, name, typed)
		case flow.InputRows:
			g.readRows(in, registers, typed, current)
		default:
			g.readValue(in, name, typed.Get(name), current[name])
		}
	}
	return g
}

func (g *given) readValue(in flow.Input, name, typed, current string) {
	typed = strings.ReplaceAll(strings.TrimSpace(typed), "\r\n", "\n")
	field := in.Kind == flow.InputField
	switch {
	case in.Optional && field && typed == strings.TrimSpace(current):
		return
	case typed == "" && in.Optional && field:
		g.Inputs[in.ID] = nil
		return
	case typed == "" && in.Optional:
		return
	case typed == "":
		g.Faults[name] = missing(in.Type)
		return
	}
	if v, ok := g.parse(name, in.Type, in.Of, typed); ok {
		g.Inputs[in.ID] = v
	}
}

// missing is said at an answer that is not there.
func missing(t flow.Type) string {
	switch t {
	case flow.TypeBool, flow.TypeChoice, flow.TypePerson, flow.TypeBody:
		return "Scegli una risposta."
	}
	return "Va compilato."
}

func (g *given) parse(name string, t flow.Type, of []flow.Choice, typed string) (any, bool) {
	v, err := flow.ParseForm(t, of, typed)
	if err != nil {
		g.Faults[name] = badValue(err)
		return nil, false
	}
	return v, true
}

func badValue(err error) string {
	var bad flow.BadValue
	if errors.As(err, &bad) {
		return sentence(bad.Message.IT)
	}
	return "Il valore non è corretto."
}

func (g *given) readRow(in flow.Input, name string, typed url.Values) {
	row, filled := map[string]any{}, false
	for _, col := range in.Columns {
		at := name + "." + col.ID
		text := strings.TrimSpace(typed.Get(at))
		filled = filled || text != ""
		if text == "" {
			continue
		}
		if v, ok := g.parse(at, col.Type, col.Of, text); ok {
			row[col.ID] = v
		}
	}
	if !filled && in.Optional {
		return
	}
	for _, col := range in.Columns {
		at := name + "." + col.ID
		if !in.Optional && strings.TrimSpace(typed.Get(at)) == "" {
			g.Faults[at] = missing(col.Type)
		}
	}
	g.Inputs[in.ID] = row
}

// readRows takes the rows that were ticked, and those that were changed: who writes in a row means it.
func (g *given) readRows(in flow.Input, registers []engine.RegisterView, typed url.Values, current map[string]string) {
	reg, _ := registerOf(registers, in.Register)
	var list []any
	for _, r := range reg.Rows {
		name := rowName(in.ID, r.Row)
		row := map[string]any{"row": int64(r.Row)}
		taken := typed.Get(name) != ""
		for _, col := range in.Columns {
			at := name + "." + col.ID
			text := strings.TrimSpace(typed.Get(at))
			taken = taken || (typed.Has(at) && text != strings.TrimSpace(current[at]))
			if text == "" {
				continue
			}
			if v, ok := g.parse(at, col.Type, col.Of, text); ok {
				row[col.ID] = v
			}
		}
		if taken {
			g.rows[in.ID] = append(g.rows[in.ID], r.Row)
			list = append(list, row)
		}
	}
	if len(list) == 0 {
		if !in.Optional {
			g.Faults["i."+in.ID] = "Scegli almeno una riga."
		}
		return
	}
	g.Inputs[in.ID] = list
}

// place turns a pointer of the engine ("/inputs/decisions/0/reason") into the name of the control that asked. Empty when the
// fault belongs to no control.
func (g given) place(pointer string) string {
	switch pointer {
	case "/member_body":
		return bodyField
	case "/sua":
		return suaField
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if len(parts) < 2 || parts[0] != "inputs" {
		return ""
	}
	id := parts[1]
	rows, many := g.rows[id]
	if many && len(parts) > 2 {
		i, err := strconv.Atoi(parts[2])
		if err != nil || i < 0 || i >= len(rows) {
			return "i." + id
		}
		parts = append([]string{"inputs", id, strconv.Itoa(rows[i])}, parts[3:]...)
		if len(parts) == 4 && parts[3] == "row" {
			parts = parts[:3]
		}
	}
	return "i." + strings.Join(parts[1:], ".")
}

// blame finds the control that a refusal is about: guards name the column and the row, or the field, that they found wrong.
// Empty when it is about no control of this form.
func blame(inputs []flow.Input, registers []engine.RegisterView, r engine.Refusal) string {
	for _, in := range inputs {
		switch in.Kind {
		case flow.InputRow, flow.InputRows:
			for _, col := range in.Columns {
				if label := r.Params["column"]; label == "" || label != columnLabel(col) {
					continue
				}
				if in.Kind == flow.InputRow {
					return "i." + in.ID + "." + col.ID
				}
				reg, _ := registerOf(registers, in.Register)
				if i := slices.Index(rowTitles(reg, lists{}), r.Params["row"]); i >= 0 {
					return rowName(in.ID, reg.Rows[i].Row) + "." + col.ID
				}
				return "i." + in.ID
			}
		default:
			if label := r.Params["field"]; label != "" && label == in.Label.IT && r.Params["column"] == "" {
				return "i." + in.ID
			}
		}
	}
	return ""
}
