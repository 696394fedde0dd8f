package flow

import (
	"slices"
	"strings"
)

// check looks at a decoded definition against the vocabulary, the limits and the other workflows.
func (c *compiler) check(d *draft) {
	d.checkChildren()
	d.checkGraph()
	for i := range d.Deadlines {
		d.checkDeadline(&d.Deadlines[i])
	}
	for i := range d.Events {
		d.checkEvent(&d.Events[i])
	}
	d.checkJoins()
	d.checkUnused()
}

func (d *draft) checkChildren() {
	for _, child := range d.Children {
		if _, found := d.c.library.Latest(child.Workflow); !found && child.Workflow != "" {
			d.fault(join(join("children", child.ID), "workflow"), "workflow sconosciuto: «%s»%s", child.Workflow, maybe(child.Workflow, d.c.workflows()))
		}
	}
}

// workflows are the ids known, for suggestions.
func (c *compiler) workflows() []string {
	var ids []string
	for id := range c.library.latest {
		ids = append(ids, id)
	}
	return ids
}

// child returns the newest definition of a declared child; nil when the child or its workflow is unknown, which is
// already a fault elsewhere unless the id itself is wrong.
func (d *draft) child(path, id string) *Definition {
	child, found := d.Child(id)
	if !found {
		if id != "" {
			d.fault(path, "figlio sconosciuto: «%s»%s", id, maybe(id, keys(d.index.children)))
		}
		return nil
	}
	definition, found := d.c.library.Latest(child.Workflow)
	if !found {
		return nil
	}
	return definition
}

// graph is what follows from the moves: rectify is left out, because a mistake is no way on.
type graph struct {
	next map[string][]string // state -> states its moves lead to
	prev map[string][]string
}

func (d *Definition) graph() graph {
	g := graph{next: map[string][]string{}, prev: map[string][]string{}}
	add := func(from, to string) {
		if !slices.Contains(g.next[from], to) {
			g.next[from], g.prev[to] = append(g.next[from], to), append(g.prev[to], from)
		}
	}
	var back []string // states with a way to the previous one
	for _, e := range d.Events {
		for _, m := range e.Moves {
			if e.Rectify || m.Opens {
				continue
			}
			for _, from := range m.From {
				for _, to := range m.To.States() {
					add(from, to)
				}
				if m.To.Previous {
					back = append(back, from)
				}
			}
		}
	}
	for _, state := range back {
		for _, before := range slices.Clone(g.prev[state]) {
			add(state, before)
		}
	}
	return g
}

// States returns the states a target names; none for same and previous.
func (t Target) States() []string {
	if t.State != "" {
		return []string{t.State}
	}
	return t.Among
}

// walk returns every state reached from the given ones along edges.
func walk(from []string, edges map[string][]string) map[string]bool {
	reached := map[string]bool{}
	for queue := from; len(queue) > 0; queue = queue[1:] {
		if !reached[queue[0]] {
			reached[queue[0]] = true
			queue = append(slices.Clip(queue), edges[queue[0]]...)
		}
	}
	return reached
}

// checkGraph wants every state reached from an opening, a way from each to an end, and no way out of an end.
func (d *draft) checkGraph() {
	g := d.graph()
	roots, finals := []string{d.Start}, []string{}
	for _, e := range d.Openings() {
		for _, m := range e.Moves {
			if m.Opens {
				roots = append(roots, m.To.States()...)
			}
		}
	}
	for _, s := range d.FinalStates() {
		finals = append(finals, s.ID)
	}
	if len(finals) == 0 && len(d.States) > 0 {
		d.fault("states", "nessuno stato finale: un caso non finirebbe mai (serve «final: esito»)")
	}
	_, begins := d.State(d.Start)
	reached, ends := walk(roots, g.next), walk(finals, g.prev)
	for _, s := range d.States {
		path := join("states", s.ID)
		switch {
		case begins && !reached[s.ID]:
			d.fault(path, "stato irraggiungibile: «%s» (nessuna mossa vi porta dall'inizio)", s.ID)
		case s.Final != "":
		case !ends[s.ID] && len(finals) > 0:
			d.fault(path, "da «%s» non si arriva ad alcuno stato finale", s.ID)
		}
		if s.Final == "" {
			continue
		}
		for _, e := range d.Events {
			if !e.Rectify && d.leaves(&e, s.ID) {
				d.fault(join("events", e.ID), "«%s» parte da «%s», che è uno stato finale", e.ID, s.ID)
			}
		}
	}
}

// leaves reports whether the event takes a case out of a state; staying there (a note, a late document) does not.
func (d *draft) leaves(e *Event, state string) bool {
	return slices.ContainsFunc(movesFrom(e.Moves, state), func(m Move) bool {
		return !m.To.Same && !(len(m.To.States()) == 1 && m.To.State == state)
	})
}

// checkEvent looks at everything one event names.
func (d *draft) checkEvent(e *Event) {
	path := join("events", e.ID)
	guards := d.c.vocabulary.Guards
	for i, call := range e.Guards {
		d.checkCallOf(e, nth(join(path, "guards"), i), call, guards)
	}
	for i, call := range e.Warns {
		d.checkCallOf(e, nth(join(path, "warns"), i), call, guards)
	}
	for m, move := range e.Moves {
		for i, call := range move.If {
			d.checkCallOf(e, nth(join(nth(join(path, "moves"), m), "if"), i), call, guards)
		}
	}
	for i := range e.Then {
		d.checkAction(nth(join(path, "then"), i), e, &e.Then[i])
	}
}

// checkUnasked wants an event that a deadline, a join or a parent may fire to ask for nothing. Other events of the system
// are fired by our own code (imports), which has the values. What a parent gives to a field is given to the input that sets it.
func (d *draft) checkUnasked(path string, owner *Definition, e *Event, why string, given ...Copied) {
	for _, in := range e.Inputs {
		isGiven := in.Kind == InputField && slices.ContainsFunc(given, func(c Copied) bool { return c.To == in.Field })
		if !in.Optional && !isGiven {
			d.fault(path, "«%s» di %s chiede «%s», ma nessuno può darlo (%s): deve essere optional", e.ID, owner.Workflow, in.ID, why)
		}
	}
}

// checkJoins looks at the only way up.
func (d *draft) checkJoins() {
	for i, j := range d.Joins {
		path := nth("joins", i)
		if child := d.child(path, j.Children); child != nil {
			for _, state := range j.States {
				if _, found := child.State(state); !found {
					d.fault(path, "stato sconosciuto: «%s» nel workflow figlio «%s»%s", state, child.Workflow, maybe(state, keys(child.index.states)))
				}
			}
		}
		event, found := d.Event(j.Fire)
		switch {
		case j.Fire == "":
		case !found:
			d.fault(path, "evento sconosciuto: «%s»%s", j.Fire, maybe(j.Fire, keys(d.index.events)))
		case !event.firedBy("system"):
			d.fault(path, "«%s» è compiuto da una giunzione: deve avere by: [system]", j.Fire)
		default:
			d.checkUnasked(path, d.Definition, event, "lo compie una giunzione")
		}
	}
}

// checkUnused warns of deadlines that nothing starts and of events that nothing fires; those that want values are fired
// by our own code.
func (d *draft) checkUnused() {
	for _, deadline := range d.Deadlines {
		if !d.starts[deadline.ID] {
			d.warn(join("deadlines", deadline.ID), "nessun evento avvia il termine «%s»", deadline.ID)
		}
	}
	fired := map[string]bool{}
	for _, deadline := range d.Deadlines {
		fired[deadline.Fire] = true
	}
	for _, j := range d.Joins {
		fired[j.Fire] = true
	}
	for _, e := range d.Events {
		only := ""
		if len(e.By) == 1 {
			only = e.By[0].Role
		}
		switch {
		case e.Opens || e.Rectify || fired[e.ID] || slices.ContainsFunc(e.Inputs, func(in Input) bool { return !in.Optional }):
		case only == "system":
			d.warn(join("events", e.ID), "«%s» è del sistema, ma né un termine né una giunzione lo fa scattare", e.ID)
		case only == "parent" && !d.c.told(d.Workflow, e.ID):
			d.warn(join("events", e.ID), "«%s» viene dal caso padre, ma nessun padre lo comanda", e.ID)
		}
	}
}

// told reports whether some parent tells its children of a workflow the event.
func (c *compiler) told(workflow, event string) bool {
	for _, parent := range c.library.parents[workflow] {
		for _, e := range parent.Events {
			for _, a := range e.Then {
				if child, found := parent.Child(a.Children); a.Verb == VerbTell && a.Event == event && found && child.Workflow == workflow {
					return true
				}
			}
		}
	}
	return false
}

// typesText writes accepted types for a message: "date o instant".
func typesText(types []string) string { return strings.Join(types, " o ") }
