package engine

import (
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// sight is what an actor may see of a case: the one place where secrecy is applied. Every read model goes through it.
type sight struct {
	all     bool // the engine itself
	roles   []string
	visited string
}

// look returns the actor's sight of a case.
func look(who auth.Actor, c *store.Case) sight {
	s := sight{all: who.IsSystem(), visited: c.Visited}
	for _, m := range who.Memberships {
		if slices.Contains(bodiesOf(roles[m.Role].Side, c.MemberBody, c.SUA), m.Body) || m.Body == auth.AllBodies {
			s.roles = append(s.roles, m.Role)
		}
	}
	return s
}

// sees reports whether a field, document type or event (column "") or a column of a register is open to the actor: it never
// was secret, the case has been in a state that opens it, or one of the actor's roles may see before.
func (s sight) sees(secret *flow.Secret, column string) bool {
	if secret == nil || s.all {
		return true
	}
	if slices.ContainsFunc(secret.See, func(r string) bool { return slices.Contains(s.roles, r) }) {
		return true
	}
	until, ok := secret.Until[column]
	if !ok {
		if until, ok = secret.Until[""]; !ok {
			return column != "" // a column that the declaration does not name is not secret
		}
	}
	return slices.ContainsFunc(until, func(state string) bool { return strings.Contains(s.visited, " "+state+" ") })
}

// row returns the visible values of a register's row and whether something was left out.
func (s sight) row(def *flow.Definition, register string, values map[string]any) (map[string]any, bool) {
	reg, ok := def.Register(register)
	if !ok {
		return values, false
	}
	out, hidden := map[string]any{}, false
	for k, v := range values {
		if s.sees(reg.Secret, k) {
			out[k] = v
		} else {
			hidden = true
		}
	}
	return out, hidden
}

// discreet replaces reasons that would tell what the actor may not know yet.
func (w *world) discreet(n *node, calls []flow.Call, found []Refusal) []Refusal {
	if len(found) > 0 && slices.ContainsFunc(calls, func(c flow.Call) bool { return w.readsSecret(n, guards[c.Name].Reads(c.Params)) }) {
		return []Refusal{*refuse("not_yet")}
	}
	return found
}

// readsSecret reports whether a guard reads a field or register that the actor may not see, here or above.
func (w *world) readsSecret(n *node, r flow.Read) bool {
	seen := look(w.who, n.c)
	hidden := func(s sight, def *flow.Definition, id string) bool {
		f, ok := def.Field(id)
		return ok && !s.sees(f.Secret, "")
	}
	if slices.ContainsFunc(r.Fields, func(id string) bool { return hidden(seen, n.def, id) }) {
		return true
	}
	for _, m := range []*node{w.parent(n), w.root(n)} {
		if m == nil || m == n || len(r.ParentFields) == 0 {
			continue
		}
		above := look(w.who, m.c)
		if slices.ContainsFunc(r.ParentFields, func(id string) bool { return hidden(above, m.def, id) }) {
			return true
		}
	}
	for id, columns := range r.Registers {
		register, ok := n.def.Register(id)
		if !ok {
			continue
		}
		if len(columns) == 0 {
			columns = make([]string, 0, len(register.Columns))
			for _, c := range register.Columns {
				columns = append(columns, c.ID)
			}
		}
		if slices.ContainsFunc(columns, func(c string) bool { return !seen.sees(register.Secret, c) }) {
			return true
		}
	}
	return false
}
