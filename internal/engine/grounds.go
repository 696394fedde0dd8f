package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// around is a case with what a guard may look at besides: the cases of its tree, as far as they are known.
type around struct {
	c    *store.Case
	def  *flow.Definition
	near func(id string) *store.Case // nil for a case that is not known
	all  []*store.Case               // those in which children are looked for; nil: they are not known
}

// below finds the children of some cases: under a declaration, or of a workflow.
func (a around) below(parents []string, declared, workflow string) []*store.Case {
	var out []*store.Case
	for _, c := range a.all {
		if slices.Contains(parents, c.Parent) && (c.Child == declared || declared == "") && (c.Workflow == workflow || workflow == "") {
			out = append(out, c)
		}
	}
	return out
}

// groundsOf are the secret things that a call looks at in the world. person: what the event asks for was typed by who asks.
func (w *world) groundsOf(n *node, ev *flow.Event, call flow.Call, person bool) []ground {
	a := around{c: n.c, def: n.def, near: w.near}
	for _, m := range w.sorted() {
		a.all = append(a.all, m.c)
	}
	out := w.e.grounds(a, ev, call)
	for i := range out {
		out[i].typed = person && out[i].Input != ""
	}
	return out
}

// near is a case of the world, nil when it was not loaded.
func (w *world) near(id string) *store.Case {
	if m := w.nodes[id]; m != nil {
		return m.c
	}
	return nil
}

// grounds are the things that a guard looks at with these parameters and that a workflow declares secret, whether or not some state
// has opened them since. The event may be nil.
func (e *Engine) grounds(a around, ev *flow.Event, call flow.Call) []ground {
	r := guards[call.Name].Reads(call.Params)
	out := secretFields(a.c.ID, a.def, r.Fields)
	if ev != nil {
		for _, id := range r.Inputs {
			if in, ok := ev.Input(id); ok {
				out = append(out, e.inputGround(a.c, a.def, ev, in, "")...)
			}
		}
	}
	if len(r.ParentFields) > 0 {
		for _, id := range slices.Compact([]string{a.c.Parent, a.c.Root}) {
			if id != "" && id != a.c.ID {
				out = append(out, e.elsewhere(a.near(id), "", r.ParentFields)...)
			}
		}
	}
	for _, id := range sortedKeys(r.Registers) {
		out = append(out, secretColumns(a.c.ID, a.def, id, r.Registers[id])...)
	}
	for _, id := range sortedKeys(r.ChildFields) {
		workflow := ""
		if decl, ok := a.def.Child(id); ok {
			workflow = decl.Workflow
		}
		out = append(out, e.under(a, a.below([]string{a.c.ID}, id, ""), workflow, r.ChildFields[id])...)
	}
	for _, workflow := range sortedKeys(r.Below) {
		out = append(out, e.under(a, a.below([]string{a.c.ID, a.c.Parent, a.c.Root}, "", workflow), workflow, r.Below[workflow])...)
	}
	return out
}

// under are the secret fields of cases below, found, or not known.
func (e *Engine) under(a around, found []*store.Case, workflow string, fields []string) []ground {
	if a.all == nil {
		return e.elsewhere(nil, workflow, fields)
	}
	var out []ground
	for _, c := range found {
		out = append(out, e.elsewhere(c, "", fields)...)
	}
	return out
}

// elsewhere are the secret fields of another case. Of one that is not known they are those of its workflow, or of any.
func (e *Engine) elsewhere(c *store.Case, workflow string, fields []string) []ground {
	if c != nil {
		if def, err := e.Definition(c.Hash); err == nil {
			return secretFields(c.ID, def, fields)
		}
	}
	for _, def := range e.lib.All() {
		if workflow != "" && def.Workflow != workflow {
			continue
		}
		if found := secretFields("", def, fields); len(found) > 0 {
			return found
		}
	}
	return nil
}

func secretFields(id string, def *flow.Definition, fields []string) []ground {
	var out []ground
	for _, field := range fields {
		if f, ok := def.Field(field); ok && f.Secret != nil {
			out = append(out, ground{Case: id, Field: field})
		}
	}
	return out
}

// secretColumns are those of a register that are secret among some; none named means all.
func secretColumns(id string, def *flow.Definition, register string, columns []string) []ground {
	r, ok := def.Register(register)
	if !ok || r.Secret == nil {
		return nil
	}
	if len(columns) == 0 {
		for _, c := range r.Columns {
			columns = append(columns, c.ID)
		}
	}
	columns = slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return sight{}.sees(r.Secret, c) })
	if len(columns) == 0 {
		return nil
	}
	slices.Sort(columns)
	return []ground{{Case: id, Register: register, Columns: columns}}
}

// inputGround is the secret place where an input goes; for one that gives rows, a column of them. Empty: what is given is not secret.
func (e *Engine) inputGround(c *store.Case, def *flow.Definition, ev *flow.Event, in *flow.Input, column string) []ground {
	var out []ground
	switch in.Kind {
	case flow.InputField:
		out = secretFields(c.ID, def, []string{in.Field})
	case flow.InputRow, flow.InputRows:
		out = secretColumns(c.ID, def, in.Register, slices.DeleteFunc([]string{column}, func(c string) bool { return c == "" }))
	}
	if len(out) == 0 && len(e.secretsOf(def, ev, in.ID)) > 0 {
		out = []ground{{Case: c.ID, Event: ev.ID, Input: in.ID}}
	}
	return out
}

// typed marks what who asks has just typed.
func typed(rests []ground) []ground {
	for i := range rests {
		rests[i].typed = true
	}
	return rests
}

// groundsOfOld are the secret things that may be behind a warning of which the story does not say: all that the guards of its event look
// at, or for a code with a wrong check character all that the event asks for.
func (e *Engine) groundsOfOld(t telling, code string) []ground {
	var out []ground
	if t.decl == nil {
		return nil
	}
	if code == "checksum" {
		for i := range t.decl.Inputs {
			out = append(out, e.inputGround(t.c, t.def, t.decl, &t.decl.Inputs[i], "")...)
		}
		return out
	}
	for _, calls := range [][]flow.Call{t.decl.Guards, t.decl.Warns} {
		for _, call := range calls {
			out = append(out, e.grounds(around{c: t.c, def: t.def, near: t.seen.other}, t.decl, call)...)
		}
	}
	return out
}
