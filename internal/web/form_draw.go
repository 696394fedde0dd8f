package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/province-comuni/sua/internal/engine"
)

// fault is one line of the summary above a form that came back.
type fault struct {
	Name string // of the control; empty when it is about the whole
	Text string
}

// warning is something a person may go on in spite of, with a reason.
type warning struct {
	Code, Text, Law string
	Reason          control
}

// warningsOf draws the warnings with the reasons typed so far; asked marks those that had none.
func warningsOf(list []engine.Refusal, a answers, asked bool) []warning {
	var out []warning
	for _, r := range list {
		c := control{
			Name: "w." + r.Code, Shape: shapeArea, Required: true, Label: "Perché si può procedere lo stesso",
			Hint: "La motivazione resta nella storia della procedura.",
		}
		c.Value = a.text(c.Name)
		if asked && strings.TrimSpace(c.Value) == "" {
			c.Error = "Serve una motivazione per procedere."
		}
		out = append(out, warning{Code: r.Code, Text: sentence(r.Text.IT), Law: r.Law, Reason: c})
	}
	return out
}

// acknowledged reads the reasons typed for warnings.
func acknowledged(typed map[string][]string) []engine.Acknowledgement {
	var out []engine.Acknowledgement
	for name, values := range typed {
		code, ok := strings.CutPrefix(name, "w.")
		if !ok || len(values) == 0 || strings.TrimSpace(values[0]) == "" {
			continue
		}
		out = append(out, engine.Acknowledgement{Code: code, Reason: strings.TrimSpace(values[0])})
	}
	slices.SortFunc(out, func(a, b engine.Acknowledgement) int { return strings.Compare(a.Code, b.Code) }) // the same form, the same request
	return out
}

// faultsOf lists what is wrong: first what belongs to no control that is drawn, then the rest in the order of the page.
func faultsOf(named map[string]string, all []question, warnings []warning, whole []string) []fault {
	var out []fault
	drawn := map[string]bool{}
	for _, q := range all {
		drawn[q.Name] = true
		for _, c := range q.Controls {
			drawn[c.Name] = true
		}
		for _, row := range q.Rows {
			for _, c := range row.Controls {
				drawn[c.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !drawn[name] {
			whole = append(whole, named[name])
		}
	}
	for _, text := range whole {
		out = append(out, fault{Text: text})
	}
	add := func(c control) {
		if c.Error != "" {
			out = append(out, fault{c.Name, c.Full() + ": " + strings.TrimPrefix(c.Error, c.Label+": ")}) // the engine names the field itself
		}
	}
	for _, q := range all {
		if q.Error != "" {
			out = append(out, fault{q.Name, q.Label + ": " + q.Error})
		}
		for _, c := range q.Controls {
			add(c)
		}
		for _, row := range q.Rows {
			for _, c := range row.Controls {
				add(c)
			}
		}
	}
	for _, w := range warnings {
		if w.Reason.Error != "" {
			out = append(out, fault{w.Reason.Name, w.Text + " " + w.Reason.Error})
		}
	}
	return out
}

// attributes ties a control to its hint and error, and says that it must be filled.
func (c control) attributes() templ.Attributes {
	a := c.described()
	if c.Required {
		a["required"] = true
	}
	if c.Error != "" {
		a["aria-invalid"] = "true"
	}
	return a
}

func (c control) described() templ.Attributes {
	var by []string
	if c.Hint != "" {
		by = append(by, c.ID()+"-nota")
	}
	if c.Error != "" {
		by = append(by, c.ID()+"-errore")
	}
	if len(by) == 0 {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-describedby": strings.Join(by, " ")}
}

// lines gives a text area room for what it holds.
func (c control) lines() string {
	const perLine, least, most = 80, 2, 12
	n := len(c.Value)/perLine + strings.Count(c.Value, "\n") + 1
	return strconv.Itoa(min(max(n, least), most))
}

func (c control) nothing() string {
	if c.Required {
		return "Scegli…"
	}
	return "–"
}

func (c control) optionID(i int) string { return c.ID() + "-" + strconv.Itoa(i) }
