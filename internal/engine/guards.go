package engine

import (
	"maps"
	"slices"

	"github.com/province-comuni/sua/internal/flow"
)

// Guard is a condition that workflows name. Check is pure: it looks at Facts and says why not, or nil.
type Guard struct {
	flow.Word
	Law   string // cited in its refusals, when the refusal cites nothing itself
	Check func(*Facts, any) *Refusal
	// Earlier says that an act dated back may satisfy it: where the event asks for that date, nothing is said before it is typed.
	Earlier bool
}

// Effect is a computation that workflows name: it returns the fields and rows to change, and does no I/O.
type Effect struct {
	flow.Word
	Apply func(*Facts, any) (Changes, error)
}

// guards binds the names used in workflows. Adding one: write its function in guards_*.go, add a line here, its texts in
// texts.go, and a scenario that it refuses.
var guards = merge(genericGuards(), legalGuards(), awardGuards(), tenderGuards(), contractGuards())

// effects binds the names of `run`.
var effects = allEffects()

func guard[P any](doc Text, law string, needs flow.Need, check func(*Facts, P) *Refusal) Guard {
	var p P
	return Guard{Word: flow.Word{Params: p, Needs: needs, Doc: doc}, Law: law, Check: func(f *Facts, params any) *Refusal {
		typed, ok := params.(P)
		if !ok {
			return refuse("guard_params") // Compile has decoded them: this is a fault of ours
		}
		return check(f, typed)
	}}
}

// plain is a guard without parameters.
func plain(doc Text, law string, needs flow.Need, check func(*Facts) *Refusal) Guard {
	return Guard{Word: flow.Word{Needs: needs, Doc: doc}, Law: law, Check: func(f *Facts, _ any) *Refusal { return check(f) }}
}

// reading adds to a guard the fields and limits that it reads by name.
func (g Guard) reading(fields map[string][]flow.Type, limits ...string) Guard {
	g.Fields, g.Limits = fields, limits
	return g
}

// above adds to a guard the fields that it looks for in the case, then in its parent and root.
func (g Guard) above(fields map[string][]flow.Type) Guard {
	g.AnyFields = fields
	return g
}

// rows adds to a guard the registers that it reads by name.
func (g Guard) rows(registers map[string]map[string][]flow.Type) Guard {
	g.Registers = registers
	return g
}

// peeking adds to a guard what it also looks at where the workflow has it: fields, columns of registers, fields of the cases of a
// workflow that hang from this case or from those above.
func (g Guard) peeking(fields []string, registers, below map[string][]string) Guard {
	g.Peeks, g.PeekRows, g.PeekBelow = fields, registers, below
	return g
}

// earlier marks a guard that an act may satisfy by having taken effect earlier than it is recorded.
func (g Guard) earlier() Guard {
	g.Earlier = true
	return g
}

// Vocabulary is everything a workflow may name: guards, effects, roles and acts.
func Vocabulary() flow.Vocabulary {
	v := flow.Vocabulary{Guards: map[string]flow.Word{}, Effects: map[string]flow.Word{}, Roles: maps.Clone(roles), Acts: maps.Clone(acts)}
	for name, g := range guards {
		v.Guards[name] = g.Word
	}
	for name, e := range effects {
		v.Effects[name] = e.Word
	}
	return v
}

// reads are the fields and registers that an event asks for: before anything is typed, guards that look at them can say
// nothing.
type reads struct{ fields, inputs, registers map[string]bool }

// readsOf returns what the event's inputs would give, when nothing was typed yet.
func readsOf(ev *flow.Event, blind bool) reads {
	r := reads{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	if !blind {
		return r
	}
	for _, in := range ev.Inputs {
		r.inputs[in.ID] = true
		if in.Field != "" {
			r.fields[in.Field] = true
		}
		if in.Register != "" {
			r.registers[in.Register] = true
		}
	}
	return r
}

// known leaves out the calls that read what is not given yet.
func known(calls []flow.Call, unknown reads) []flow.Call {
	if len(unknown.inputs) == 0 {
		return calls
	}
	return slices.DeleteFunc(slices.Clone(calls), func(c flow.Call) bool {
		if guards[c.Name].Earlier && unknown.inputs["effective"] {
			return true
		}
		r := guards[c.Name].Reads(c.Params)
		for id := range r.Registers {
			if unknown.registers[id] {
				return true
			}
		}
		return slices.ContainsFunc(r.Fields, func(id string) bool { return unknown.fields[id] }) ||
			slices.ContainsFunc(r.Inputs, func(id string) bool { return unknown.inputs[id] })
	})
}

func merge(tables ...map[string]Guard) map[string]Guard {
	out := map[string]Guard{}
	for _, t := range tables {
		maps.Copy(out, t)
	}
	return out
}
