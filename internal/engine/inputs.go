package engine

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// inputs is what an event was given, checked and canonical.
type inputs struct {
	values store.Values              // value and field inputs by input id
	fields store.Values              // fields to set; nil value clears
	rows   map[string][]store.Values // row and rows inputs: by input id; "row" holds the number for rows
}

// rowNumber is the key under which a `rows` input names the row it changes.
const rowNumber = "row"

// readInputs checks raw inputs against an event's declaration and reports every fault. Nobody is there to give the missing
// inputs of an event that the system or a parent fires: then only what is given is checked.
func (w *world) readInputs(n *node, ev *flow.Event, raw map[string]any, person bool) (inputs, []Problem) {
	in := inputs{store.Values{}, store.Values{}, map[string][]store.Values{}}
	var problems []Problem
	for id := range raw {
		if _, ok := ev.Input(id); !ok {
			problems = append(problems, problem("/inputs/"+id, "input_unknown", "input", id))
		}
	}
	for i := range ev.Inputs {
		decl := &ev.Inputs[i]
		v, given := raw[decl.ID]
		if s, ok := v.(string); ok && s == "" {
			given = false
		}
		pointer := "/inputs/" + decl.ID
		if !given {
			if person && !decl.Optional {
				problems = append(problems, problem(pointer, "input_required", "label", decl.Label.IT, "label_en", decl.Label.EN))
			}
			continue
		}
		if v == nil {
			problems = append(problems, clearInput(&in, decl, pointer)...)
			continue
		}
		problems = append(problems, w.readInput(n, &in, decl, v, pointer)...)
	}
	return in, problems
}

// clearInput empties an optional field; anything else may not be null.
func clearInput(in *inputs, decl *flow.Input, pointer string) []Problem {
	if decl.Kind != flow.InputField || !decl.Optional {
		return []Problem{problem(pointer, "input_required", "label", decl.Label.IT, "label_en", decl.Label.EN)}
	}
	in.values[decl.ID], in.fields[decl.Field] = nil, nil
	return nil
}

func (w *world) readInput(n *node, in *inputs, decl *flow.Input, raw any, pointer string) []Problem {
	switch decl.Kind {
	case flow.InputRow:
		row, problems := readRow(decl, raw, pointer)
		if len(problems) == 0 {
			problems = missingColumns(decl, row, pointer)
		}
		in.rows[decl.ID] = []store.Values{row}
		return problems
	case flow.InputRows:
		return readRows(n, in, decl, raw, pointer)
	}
	v, err := flow.Parse(decl.Type, decl.Of, raw)
	if err == nil {
		err = w.knownParty(decl.Type, v)
	}
	if err != nil {
		return []Problem{badValue(pointer, err)}
	}
	in.values[decl.ID] = v
	if decl.Kind == flow.InputField {
		in.fields[decl.Field] = v
	}
	return nil
}

// knownParty checks that the id of a body or person names one.
func (w *world) knownParty(t flow.Type, v any) error {
	id, _ := v.(string)
	switch t {
	case flow.TypeBody:
		if _, ok := w.e.parties.body(id); !ok {
			return flow.BadValue{Code: "body_unknown", Message: Text{IT: "L'ente indicato non esiste.", EN: "There is no such body."}}
		}
	case flow.TypePerson:
		if _, ok := w.e.parties.person(id); !ok {
			return flow.BadValue{Code: "person_unknown", Message: Text{IT: "La persona indicata non esiste.", EN: "There is no such person."}}
		}
	}
	return nil
}

func readRow(decl *flow.Input, raw any, pointer string) (store.Values, []Problem) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, []Problem{problem(pointer, "row_expected")}
	}
	row := store.Values{}
	var problems []Problem
	columns := map[string]flow.Column{}
	for _, c := range decl.Columns {
		columns[c.ID] = c
	}
	for id, v := range m {
		c, ok := columns[id]
		if !ok {
			if id != rowNumber || decl.Kind != flow.InputRows {
				problems = append(problems, problem(pointer+"/"+id, "input_unknown", "input", id))
			}
			continue
		}
		if v == nil || v == "" {
			continue
		}
		value, err := flow.Parse(c.Type, c.Of, v)
		if err != nil {
			problems = append(problems, badValue(pointer+"/"+id, err))
			continue
		}
		row[id] = value
	}
	return row, problems
}

func missingColumns(decl *flow.Input, row store.Values, pointer string) []Problem {
	var problems []Problem
	for _, c := range decl.Columns {
		if _, ok := row[c.ID]; !ok && !decl.Optional {
			problems = append(problems, problem(pointer+"/"+c.ID, "input_required", "label", c.Label.IT, "label_en", c.Label.EN))
		}
	}
	return problems
}

func readRows(n *node, in *inputs, decl *flow.Input, raw any, pointer string) []Problem {
	list, ok := raw.([]any)
	if !ok {
		return []Problem{problem(pointer, "rows_expected")}
	}
	existing := map[int64]bool{}
	for _, r := range n.rows[decl.Register] {
		existing[int64(r.Row)] = true
	}
	var problems []Problem
	for i, item := range list {
		at := pointer + "/" + strconv.Itoa(i)
		row, bad := readRow(decl, item, at)
		problems = append(problems, bad...)
		if row == nil {
			continue
		}
		number, err := flow.Parse(flow.TypeInt, nil, item.(map[string]any)[rowNumber])
		if k, ok := number.(int64); err != nil || !ok || !existing[k] {
			problems = append(problems, problem(at+"/row", "row_unknown"))
			continue
		}
		row[rowNumber] = number
		in.rows[decl.ID] = append(in.rows[decl.ID], row)
	}
	return problems
}

func badValue(pointer string, err error) Problem {
	var b flow.BadValue
	if errors.As(err, &b) {
		return Problem{Pointer: pointer, Code: b.Code, Text: b.Message}
	}
	return Problem{Pointer: pointer, Code: "bad_value", Text: Text{IT: err.Error(), EN: err.Error()}}
}

// effectiveTime reads the input "effective": a day in Italy, or an instant. It may precede the click, never follow it.
func effectiveTime(ev *flow.Event, in inputs, now time.Time) (time.Time, *Problem) {
	raw, ok := in.values["effective"]
	if !ok || raw == nil {
		return now, nil
	}
	decl, _ := ev.Input("effective")
	text := fmt.Sprint(raw)
	late := problem("/inputs/effective", "effective_future")
	if decl.Type == flow.TypeDate {
		day, err := calendar.ParseDate(text)
		today := calendar.DateOf(now)
		switch {
		case err != nil || day.After(today):
			return now, &late
		case day == today:
			return now, nil
		}
		return day.Start(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.After(now) {
		return now, &late
	}
	return at.UTC(), nil
}
