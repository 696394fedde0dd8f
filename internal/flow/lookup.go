package flow

import "slices"

// reindex rebuilds the index once every element is in place.
func (d *Definition) reindex() {
	d.index = index{
		stages:    indexBy(d.Stages, func(s Stage) string { return s.ID }),
		fields:    indexBy(d.Fields, func(f Field) string { return f.ID }),
		documents: indexBy(d.Documents, func(t DocumentType) string { return t.ID }),
		registers: indexBy(d.Registers, func(r Register) string { return r.ID }),
		children:  indexBy(d.Children, func(c Child) string { return c.ID }),
		states:    indexBy(d.States, func(s State) string { return s.ID }),
		deadlines: indexBy(d.Deadlines, func(t Deadline) string { return t.ID }),
		events:    indexBy(d.Events, func(e Event) string { return e.ID }),
	}
}

// find returns a pointer into the list, so that callers do not copy; they must not write through it.
func find[T any](list []T, index map[string]int, id string) (*T, bool) {
	i, found := index[id]
	if !found {
		return nil, false
	}
	return &list[i], true
}

// Stage returns a stage by id.
func (d *Definition) Stage(id string) (*Stage, bool) { return find(d.Stages, d.index.stages, id) }

// Field returns a field by id.
func (d *Definition) Field(id string) (*Field, bool) { return find(d.Fields, d.index.fields, id) }

// Document returns a document type by id.
func (d *Definition) Document(id string) (*DocumentType, bool) {
	return find(d.Documents, d.index.documents, id)
}

// Register returns a register by id.
func (d *Definition) Register(id string) (*Register, bool) {
	return find(d.Registers, d.index.registers, id)
}

// Child returns a declared child by id.
func (d *Definition) Child(id string) (*Child, bool) { return find(d.Children, d.index.children, id) }

// State returns a state by id.
func (d *Definition) State(id string) (*State, bool) { return find(d.States, d.index.states, id) }

// Deadline returns a deadline by id.
func (d *Definition) Deadline(id string) (*Deadline, bool) {
	return find(d.Deadlines, d.index.deadlines, id)
}

// Event returns an event by id, the implied ones (open, rectify) included.
func (d *Definition) Event(id string) (*Event, bool) { return find(d.Events, d.index.events, id) }

// Column returns a column of the register by id.
func (r *Register) Column(id string) (*Column, bool) {
	for i := range r.Columns {
		if r.Columns[i].ID == id {
			return &r.Columns[i], true
		}
	}
	return nil, false
}

// Input returns an input of the event by id.
func (e *Event) Input(id string) (*Input, bool) {
	for i := range e.Inputs {
		if e.Inputs[i].ID == id {
			return &e.Inputs[i], true
		}
	}
	return nil, false
}

// FiredBy reports whether a role, or the system, or the case above, may fire the event.
func (e *Event) FiredBy(role string) bool {
	return slices.ContainsFunc(e.By, func(b By) bool { return b.Role == role })
}

// Openings returns the events that may begin a case, in the order of the file; there is always at least one.
func (d *Definition) Openings() []*Event {
	var events []*Event
	for i := range d.Events {
		if d.Events[i].Opens {
			events = append(events, &d.Events[i])
		}
	}
	return events
}

// EventsFrom returns the events that have a move from the state, in the order of the file, rectify last.
func (d *Definition) EventsFrom(state string) []*Event {
	var events []*Event
	for i := range d.Events {
		if len(movesFrom(d.Events[i].Moves, state)) > 0 {
			events = append(events, &d.Events[i])
		}
	}
	return events
}

// GoesOn reports whether people may have something to do in a state: in every one that is not final, and in a final one with
// duties after the end, which some event of theirs may happen in.
func (d *Definition) GoesOn(state string) bool {
	s, found := d.State(state)
	if !found || s.Final == "" {
		return found
	}
	return slices.ContainsFunc(d.EventsFrom(state), func(e *Event) bool {
		return !e.Rectify && slices.ContainsFunc(e.By, func(b By) bool { return b.Role != "system" && b.Role != "parent" })
	})
}

// MovesFrom returns the moves of an event from a state, in the order in which they are tried. The state "" stands for
// a case that does not exist yet: then they are the opening moves.
func (d *Definition) MovesFrom(event, state string) []Move {
	e, found := d.Event(event)
	if !found {
		return nil
	}
	return movesFrom(e.Moves, state)
}

func movesFrom(moves []Move, state string) []Move {
	var from []Move
	for _, m := range moves {
		if slices.Contains(sources(m), state) {
			from = append(from, m)
		}
	}
	return from
}

// FinalStates returns the states in which a case is over, in the order of the file.
func (d *Definition) FinalStates() []*State {
	var states []*State
	for i := range d.States {
		if d.States[i].Final != "" {
			states = append(states, &d.States[i])
		}
	}
	return states
}

// firedBy reports whether a role ("system", "parent" or a person's) may fire the event.
func (e *Event) firedBy(role string) bool { return slices.Contains(e.By, By{Role: role}) }
