package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// parties are the bodies, people and agreements that every view names, kept in memory: a few hundred rows that change a few
// times a month. They are read again when an id is missing and after this process writes one.
type parties struct {
	db      *store.DB // set once, by New
	mu      sync.RWMutex
	bodies  map[string]store.Body
	byTax   map[string]string // tax code -> id
	people  map[string]store.Person
	roles   map[string][]store.Membership
	members map[string][]string // SUA -> member bodies with an agreement
	holders map[held][]string   // people by role and body, sorted
}

// held is a role in a body.
type held struct{ role, body string }

// refresh reads everything again.
func (p *parties) refresh(ctx context.Context) error {
	bodies, err := p.db.Bodies(ctx)
	if err != nil {
		return err
	}
	people, byPerson, err := p.db.People(ctx)
	if err != nil {
		return err
	}
	members := map[string][]string{}
	agreements, err := p.db.AllAgreements(ctx)
	if err != nil {
		return err
	}
	for _, a := range agreements {
		if !slices.Contains(members[a.SUA], a.MemberBody) {
			members[a.SUA] = append(members[a.SUA], a.MemberBody)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies, p.people, p.roles, p.members = map[string]store.Body{}, map[string]store.Person{}, byPerson, members
	p.byTax = map[string]string{}
	for _, b := range bodies {
		p.bodies[b.ID], p.byTax[b.TaxCode] = b, b.ID
	}
	p.holders = map[held][]string{}
	for _, h := range people {
		p.people[h.ID] = h
		for _, m := range byPerson[h.ID] {
			p.holders[held{m.Role, m.Body}] = append(p.holders[held{m.Role, m.Body}], h.ID)
		}
	}
	return nil
}

// renew reads one person again, and everything only when that one has changed: for those who ask about one person at a time.
func (p *parties) renew(ctx context.Context, id string) error {
	now, roles, err := p.db.PersonByID(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	p.mu.RLock()
	was, known := p.people[id]
	same := known == (err == nil) && was.Name == now.Name && was.Email == now.Email && was.Demo == now.Demo && slices.Equal(p.roles[id], roles)
	p.mu.RUnlock()
	if same {
		return nil
	}
	return p.refresh(ctx)
}

func (p *parties) body(id string) (store.Body, bool) {
	p.mu.RLock()
	b, ok := p.bodies[id]
	p.mu.RUnlock()
	if !ok && id != "" && p.refresh(context.Background()) == nil { // made by another process
		p.mu.RLock()
		b, ok = p.bodies[id]
		p.mu.RUnlock()
	}
	return b, ok
}

func (p *parties) person(id string) (store.Person, bool) {
	p.mu.RLock()
	h, ok := p.people[id]
	p.mu.RUnlock()
	if !ok && id != "" && !strings.HasPrefix(id, "system:") && p.refresh(context.Background()) == nil {
		p.mu.RLock()
		h, ok = p.people[id]
		p.mu.RUnlock()
	}
	return h, ok
}

func (p *parties) bodyName(id string) string {
	b, _ := p.body(id)
	return b.Name
}

func (p *parties) bodyRef(id string) Ref {
	if b, ok := p.body(id); ok {
		return Ref{id, b.Name}
	}
	return Ref{id, id}
}

func (p *parties) personRef(id string) Ref {
	if id == "" {
		return Ref{}
	}
	if strings.HasPrefix(id, "system:") {
		return Ref{id, "Sistema"}
	}
	if h, ok := p.person(id); ok {
		return Ref{id, h.Name}
	}
	return Ref{id, id}
}

// membersOf returns the bodies that have an agreement with a SUA, by name.
func (p *parties) membersOf(_ context.Context, sua string) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := slices.Clone(p.members[sua])
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(p.bodies[a].Name, p.bodies[b].Name) })
	return out
}

// holding returns the people with a role in a body.
func (p *parties) holding(role, body string) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.holders[held{role, body}]
}

// actor returns a person as an actor, from memory; the zero actor, who may do nothing, when there is none.
func (p *parties) actor(id string) auth.Actor {
	h, ok := p.person(id)
	if !ok {
		return auth.Actor{}
	}
	a := auth.Actor{ID: h.ID, Name: h.Name, Demo: h.Demo != 0}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, m := range p.roles[id] {
		a.Memberships = append(a.Memberships, auth.Membership{Body: m.Body, Role: m.Role})
	}
	return a
}

// Bodies returns the bodies by which the actor may filter: all for control, else the actor's own and those it serves.
func (e *Engine) Bodies(ctx context.Context, who auth.Actor) ([]Ref, error) {
	if err := e.parties.refresh(ctx); err != nil {
		return nil, err
	}
	own := who.Bodies()
	for _, b := range who.Bodies() {
		own = append(own, e.parties.membersOf(ctx, b)...)
	}
	e.parties.mu.RLock()
	defer e.parties.mu.RUnlock()
	var out []Ref
	for id, b := range e.parties.bodies {
		if who.Everywhere() || slices.Contains(own, id) {
			out = append(out, Ref{id, b.Name})
		}
	}
	sortRefs(out)
	return out, nil
}

// People returns the people of the actor's bodies, for inputs that name a person.
func (e *Engine) People(ctx context.Context, who auth.Actor) ([]Ref, error) {
	if err := e.parties.refresh(ctx); err != nil {
		return nil, err
	}
	e.parties.mu.RLock()
	defer e.parties.mu.RUnlock()
	var out []Ref
	for id, h := range e.parties.people {
		if slices.ContainsFunc(e.parties.roles[id], func(m store.Membership) bool {
			return who.Everywhere() || slices.Contains(who.Bodies(), m.Body)
		}) {
			out = append(out, Ref{id, h.Name})
		}
	}
	sortRefs(out)
	return out, nil
}

func sortRefs(refs []Ref) {
	slices.SortFunc(refs, func(a, b Ref) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// fold makes text findable: lower case, no accents, letters and digits alone, one space between words. The indexes of words of both
// databases split text at spaces only, or at what is neither letter nor digit: after this it is the same.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf { // titles mostly are plain, and an import folds many
			s = norm.NFD.String(strings.ToLower(s))
			break
		}
	}
	out, apart := make([]byte, 0, len(s)), false
	for _, r := range s {
		switch {
		case r >= 0x300 && r <= 0x36f: // combining accents
		case unicode.IsLetter(r), unicode.IsNumber(r):
			if apart && len(out) > 0 {
				out = append(out, ' ')
			}
			out, apart = utf8.AppendRune(out, unicode.ToLower(r)), false
		default:
			apart = true
		}
	}
	return string(out)
}
