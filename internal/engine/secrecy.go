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
	nobody  bool // no person in particular, before any state opened anything
	who     auth.Actor
	roles   []string
	visited string
	near    func(id string) *store.Case // the other cases of the tree, nil for one that is not known; nil: none is
}

// look returns the actor's sight of a case.
func look(who auth.Actor, c *store.Case) sight {
	s := sight{all: who.IsSystem(), who: who, visited: c.Visited}
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
