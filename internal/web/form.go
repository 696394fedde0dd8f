package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// option is one entry of a select or one radio button.
type option struct{ Value, Label string }

// shape is the control that asks for a value.
type shape string

const (
	shapeLine    shape = "line"    // one line of text
	shapeArea    shape = "area"    // a text
	shapeMoney   shape = "money"   // euros
	shapeNumber  shape = "number"  // whole or decimal
	shapeDate    shape = "date"    // a day
	shapeInstant shape = "instant" // a day and an hour of Rome
	shapeRadio   shape = "radio"   // few choices, all in sight
	shapeSelect  shape = "select"  // many
	shapeCode    shape = "code"    // CIG, CUP, CUI, CPV, NUTS
)

// fewChoices is how many choices are all shown at once.
const fewChoices = 5

// control is one value to give: all that the template needs to draw it and to say what was wrong.
type control struct {
	Name     string // of the HTML control: "i.bid.operator"
	Shape    shape
	Label    string
	Hint     string
	Value    string // as typed, or the present one
	Options  []option
	Required bool
	Error    string
	Unit     string // written after the control: € or %
	Row      string // inside a table of rows: what the row is about
	Marked   bool   // said to be optional
}

// Full names the control also where its row is not in sight.
func (c control) Full() string {
	if c.Row == "" {
		return c.Label
	}
	return c.Row + ": " + c.Label
}

// ID is the HTML id of the control; ids of workflows have no dot or dash, so it is as unique as the name.
func (c control) ID() string { return idOf(c.Name) }

func idOf(name string) string { return strings.ReplaceAll(name, ".", "-") }

// question is one input of an event: one control, or a row of them, or the rows of a register.
type question struct {
	Kind     flow.InputKind
	Name     string
	Label    string
	Help     string
	Marked   bool   // said to be optional
	Error    string // about the whole
	Controls []control
	Columns  []string    // heads of the columns asked
	Rows     []rowAsking // rows of the register
	Ticks    bool        // some row can be sent as it is
}

// rowAsking is a row of a register inside a form.
type rowAsking struct {
	Name     string // "i.decisions.3", of the tick that takes the row along
	Title    string // "Alfa srl"
	About    string // where the row stands: "Ammissione: Ammesso · Ribasso: 12,5 %"
	Tick     bool   // it holds something already and can be sent without a change
	Taken    bool
	Controls []control
}

// lists are the people and bodies that controls may offer.
type lists struct{ People, Bodies []option }

// answers holds what the controls of a form contain: what was typed, or else what the case has now.
type answers struct {
	typed   map[string][]string // nil when the form is new
	current map[string]string   // by control name, as the control writes it
	errors  map[string]string   // by control name
}

func (a answers) text(name string) string {
	if a.typed == nil {
		return a.current[name]
	}
	if v := a.typed[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// formOf draws the questions for an event's inputs. registers are those of the case, for inputs that change rows.
func formOf(inputs []flow.Input, registers []engine.RegisterView, a answers, l lists) []question {
	var out []question
	mixed := !allOptional(inputs) // when everything is, the page says it once
	for _, in := range inputs {
		q := question{Kind: in.Kind, Name: "i." + in.ID, Label: in.Label.IT, Help: in.Help.IT, Marked: in.Optional && mixed}
		q.Error = a.errors[q.Name]
		switch in.Kind {
		case flow.InputRow:
			for _, col := range in.Columns {
				q.Controls = append(q.Controls, columnControl(col, q.Name+"."+col.ID, !in.Optional, a, l))
			}
		case flow.InputRows:
			q.addRows(in, registers, a, l)
		default:
			q.Controls = []control{valueControl(in, a, l)}
			q.Controls[0].Marked = q.Marked
			q.Error = "" // it is the control's own
		}
		out = append(out, q)
	}
	return out
}

// allOptional reports whether nothing at all must be answered.
func allOptional(inputs []flow.Input) bool {
	return !slices.ContainsFunc(inputs, func(in flow.Input) bool { return !in.Optional })
}

func valueControl(in flow.Input, a answers, l lists) control {
	c := control{Name: "i." + in.ID, Label: in.Label.IT, Required: !in.Optional}
	c.Value, c.Error = a.text(c.Name), a.errors[c.Name]
	c.dress(in.Type, in.Of, l)
	if in.Type == flow.TypeText {
		c.Shape = shapeArea
	}
	if in.Help.IT != "" && !slices.Contains([]shape{shapeMoney, shapeInstant}, c.Shape) {
		c.Hint = "" // the help has its own example
	}
	c.Hint = strings.TrimSpace(in.Help.IT + " " + c.Hint)
	return c
}

func columnControl(col flow.Column, name string, required bool, a answers, l lists) control {
	c := control{Name: name, Label: columnLabel(col), Required: required}
	c.Value, c.Error = a.text(name), a.errors[name]
	c.dress(col.Type, col.Of, l)
	return c
}

func columnLabel(col flow.Column) string {
	if col.Label.IT != "" {
		return col.Label.IT
	}
	return col.ID
}

// dress chooses the control for a type, with a hint on the format where people get it wrong.
func (c *control) dress(t flow.Type, of []flow.Choice, l lists) {
	c.Shape = shapeLine
	switch t {
	case flow.TypeMoney:
		c.Shape, c.Hint, c.Unit = shapeMoney, "In euro, per esempio 3.307.836,24.", "€"
	case flow.TypeInt:
		c.Shape, c.Hint = shapeNumber, "Un numero intero."
	case flow.TypePercent:
		c.Shape, c.Hint = shapeNumber, "Un numero, per esempio 12,35."
		if !points(c.Name) {
			c.Unit = "%"
		}
	case flow.TypeDate:
		c.Shape = shapeDate
	case flow.TypeInstant:
		c.Shape, c.Hint = shapeInstant, "Giorno e ora di Roma."
	case flow.TypeBool:
		c.Shape, c.Options = shapeRadio, c.orNothing([]option{{"si", "Sì"}, {"no", "No"}})
	case flow.TypeChoice:
		for _, choice := range of {
			c.Options = append(c.Options, option{choice.ID, choice.Label.IT})
		}
		c.Shape = shapeSelect
		if len(of) <= fewChoices {
			c.Shape, c.Options = shapeRadio, c.orNothing(c.Options)
		}
	case flow.TypePerson:
		c.Shape, c.Options = shapeSelect, l.People
	case flow.TypeBody:
		c.Shape, c.Options = shapeSelect, l.Bodies
	case flow.TypeCIG, flow.TypeCUP, flow.TypeCUI, flow.TypeCPV, flow.TypeNUTS:
		c.Shape, c.Hint = shapeCode, codeHints[t]
	}
}

var codeHints = map[flow.Type]string{
	flow.TypeCIG:  "10 lettere e cifre.",
	flow.TypeCUP:  "15 lettere e cifre, per esempio B18E18000340009.",
	flow.TypeCUI:  "Comincia con L, S o F e il codice fiscale dell'ente.",
	flow.TypeCPV:  "8 cifre, un trattino e una cifra: per esempio 45214200-2.",
	flow.TypeNUTS: "Per esempio ITH36 per la provincia di Padova.",
}

// orNothing lets people take back a radio button that need not be chosen.
func (c *control) orNothing(options []option) []option {
	if c.Required {
		return options
	}
	return append(options, option{"", "Non indicato"})
}

// addRows lists the rows of a register: what each is about, and a control for each column asked.
func (q *question) addRows(in flow.Input, registers []engine.RegisterView, a answers, l lists) {
	reg, ok := registerOf(registers, in.Register)
	if !ok {
		return
	}
	for _, col := range in.Columns {
		q.Columns = append(q.Columns, columnLabel(col))
	}
	names := rowTitles(reg, l)
	for i, row := range reg.Rows {
		r := rowAsking{Name: rowName(in.ID, row.Row), Title: names[i], About: l.about(reg, row, in.Columns), Tick: len(in.Columns) == 0}
		r.Taken = a.text(r.Name) != ""
		r.Tick = r.Tick || r.Taken
		for _, col := range in.Columns {
			c := columnControl(col, r.Name+"."+col.ID, false, a, l)
			c.Row, c.Hint = r.Title, ""
			if c.Shape == shapeRadio {
				c.Shape, c.Options = shapeSelect, withoutEmpty(c.Options)
			}
			r.Tick = r.Tick || row.Values[col.ID] != nil
			r.Controls = append(r.Controls, c)
		}
		q.Ticks = q.Ticks || r.Tick
		q.Rows = append(q.Rows, r)
	}
}

// rowTitles names the rows of a register by their first column; the number tells apart those of the same name.
func rowTitles(reg engine.RegisterView, l lists) []string {
	titles := make([]string, len(reg.Rows))
	count := map[string]int{}
	for i, row := range reg.Rows {
		for _, col := range reg.Register.Columns {
			if slices.Contains(reg.Hidden, col.ID) {
				continue
			}
			titles[i] = l.cell(col, row.Values[col.ID])
			break
		}
		count[titles[i]]++
	}
	for i, row := range reg.Rows {
		switch {
		case titles[i] == "":
			titles[i] = fmt.Sprintf("Riga %d", row.Row)
		case count[titles[i]] > 1:
			titles[i] += fmt.Sprintf(" (riga %d)", row.Row)
		}
	}
	return titles
}

// about says where a row stands, by its choices and figures; the texts of a row can be read in the register.
func (l lists) about(reg engine.RegisterView, row engine.RowView, asked []flow.Column) string {
	var parts []string
	for i, col := range shownColumns(reg, asked) {
		switch col.Type {
		case flow.TypeChoice, flow.TypePercent, flow.TypeMoney, flow.TypeInt, flow.TypeBool:
		default:
			continue
		}
		if text := l.cell(col, row.Values[col.ID]); text != "" && (i > 0 || col.ID != reg.Register.Columns[0].ID) {
			parts = append(parts, columnLabel(col)+": "+text)
		}
	}
	return strings.Join(parts, " · ")
}

func rowName(input string, row int) string { return "i." + input + "." + strconv.Itoa(row) }

func withoutEmpty(options []option) []option {
	var kept []option
	for _, o := range options {
		if o.Value != "" {
			kept = append(kept, o)
		}
	}
	return kept
}

func registerOf(registers []engine.RegisterView, id string) (engine.RegisterView, bool) {
	for _, r := range registers {
		if r.Register.ID == id {
			return r, true
		}
	}
	return engine.RegisterView{}, false
}

// shownColumns are the visible columns of a register that a form does not ask for.
func shownColumns(reg engine.RegisterView, asked []flow.Column) []flow.Column {
	var shown []flow.Column
	for _, col := range reg.Register.Columns {
		is := func(c flow.Column) bool { return c.ID == col.ID }
		if !slices.Contains(reg.Hidden, col.ID) && !slices.ContainsFunc(asked, is) {
			shown = append(shown, col)
		}
	}
	return shown
}

// currentAnswers writes what the case has now as the controls of a form would hold it.
func currentAnswers(inputs []flow.Input, view engine.CaseView) map[string]string {
	fields := map[string]any{}
	for _, v := range view.Fields {
		if !v.Hidden {
			fields[v.Field.ID] = v.Value
		}
	}
	current := map[string]string{}
	for _, in := range inputs {
		switch in.Kind {
		case flow.InputField:
			current["i."+in.ID] = editable(in.Type, in.Of, fields[in.Field])
		case flow.InputRows:
			reg, _ := registerOf(view.Registers, in.Register)
			for _, row := range reg.Rows {
				for _, col := range in.Columns {
					current[rowName(in.ID, row.Row)+"."+col.ID] = editable(col.Type, col.Of, row.Values[col.ID])
				}
			}
		}
	}
	return current
}

// editable writes a canonical value as its control holds it: flow.ParseForm reads it back.
func editable(t flow.Type, of []flow.Choice, v any) string {
	if v == nil {
		return ""
	}
	switch t {
	case flow.TypeDate, flow.TypeChoice, flow.TypePerson, flow.TypeBody:
		return fmt.Sprint(v)
	case flow.TypeBool:
		if v == true {
			return "si"
		}
		return "no"
	case flow.TypeMoney:
		return strings.TrimSuffix(flow.Format(t, of, v, "it"), " €")
	case flow.TypeInstant:
		if at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v)); err == nil {
			return at.In(calendar.Rome).Format("2006-01-02T15:04")
		}
	}
	return flow.Format(t, of, v, "it")
}

// write gives a value as people read it, with the names of people and bodies instead of their ids.
func (l lists) write(t flow.Type, of []flow.Choice, v any) string {
	names := l.Bodies
	switch t {
	case flow.TypePerson:
		names = l.People
	case flow.TypeBody:
	default:
		return flow.Format(t, of, v, "it")
	}
	for _, o := range names {
		if o.Value == v {
			return o.Label
		}
	}
	return flow.Format(t, of, v, "it")
}
