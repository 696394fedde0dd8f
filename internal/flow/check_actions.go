package flow

import "slices"

// checkAction checks one line of `then` of an event.
func (d *draft) checkAction(path string, e *Event, a *Action) {
	switch a.Verb {
	case VerbSet:
		d.checkSet(path, e, a)
	case VerbAssign:
		d.checkAssign(path, e, a)
	case VerbStart, VerbRestart, VerbStop, VerbSuspend, VerbResume:
		d.checkTimer(path, e, a)
	case VerbOpen:
		d.checkOpen(path, e, a)
	case VerbOpenLinked:
		linked, found := d.c.library.Latest(a.Workflow)
		if !found && a.Workflow != "" {
			d.fault(path, "workflow sconosciuto: «%s»%s", a.Workflow, maybe(a.Workflow, d.c.workflows()))
		}
		if found {
			d.checkCopies(path, e, nil, a.Copy, linked)
		}
	case VerbTell:
		d.checkTell(path, a)
	case VerbRun:
		d.checkCall(join(path, VerbRun), a.Effect, d.c.vocabulary.Effects)
	}
}

func (d *draft) checkSet(path string, e *Event, a *Action) {
	field, found := d.Field(a.Field)
	if !found && a.Field != "" {
		d.fault(path, "campo sconosciuto: «%s»%s", a.Field, maybe(a.Field, keys(d.index.fields)))
	}
	input := d.input(path, e, a.From)
	if !found || input == nil || input.Type == "" || field.Type == "" {
		return
	}
	if input.Type != field.Type || input.Kind == InputRow || input.Kind == InputRows {
		d.fault(path, "il campo «%s» è di tipo %s, il dato «%s» no", a.Field, field.Type, a.From)
		return
	}
	for _, choice := range input.Of {
		if !hasChoice(field.Of, choice.ID) {
			d.fault(path, "il valore «%s» del dato «%s» non è fra quelli del campo «%s»", choice.ID, a.From, a.Field)
		}
	}
}

func (d *draft) input(path string, e *Event, id string) *Input {
	input, found := e.Input(id)
	if !found {
		if id != "" {
			d.fault(path, "dato sconosciuto: «%s» non è fra gli «input» di «%s»%s", id, e.ID, maybe(id, inputIDs(e)))
		}
		return nil
	}
	return input
}

func inputIDs(e *Event) []string {
	ids := make([]string, len(e.Inputs))
	for i, in := range e.Inputs {
		ids[i] = in.ID
	}
	return ids
}

func (d *draft) checkAssign(path string, e *Event, a *Action) {
	if a.Role != "" {
		d.checkRole(path, a.Role, "officer")
	}
	if input := d.input(path, e, a.From); input != nil && input.Type != TypePerson && input.Type != "" {
		d.fault(path, "«assign» vuole una persona: «%s» è di tipo %s", a.From, input.Type)
	}
}

// checkTimer also warns of a start that can never take effect, because the event ends outside `while`.
func (d *draft) checkTimer(path string, e *Event, a *Action) {
	deadline, found := d.Deadline(a.Deadline)
	if !found {
		if a.Deadline != "" {
			d.fault(path, "termine sconosciuto: «%s»%s", a.Deadline, maybe(a.Deadline, keys(d.index.deadlines)))
		}
		return
	}
	if a.Verb != VerbStart && a.Verb != VerbRestart {
		return
	}
	d.starts[a.Deadline] = true
	runs := slices.ContainsFunc(e.Moves, func(m Move) bool {
		ends := m.To.States()
		if m.To.Same {
			ends = m.From
		}
		return m.To.Previous || slices.ContainsFunc(ends, func(s string) bool { return slices.Contains(deadline.While, s) })
	})
	if !runs {
		d.warn(path, "«%s» avvia il termine «%s», che però non corre negli stati di arrivo", e.ID, a.Deadline)
	}
}

func (d *draft) checkOpen(path string, e *Event, a *Action) {
	child := d.child(path, a.Children)
	var register *Register
	if a.ForEach != "" {
		if input := d.input(path, e, a.ForEach); input != nil {
			if input.Kind != InputRow && input.Kind != InputRows {
				d.fault(path, "«for_each» vuole un dato di righe (row o rows): «%s» non lo è", a.ForEach)
			} else if r, found := d.Register(input.Register); found {
				register = r
			}
		}
	}
	if child != nil {
		d.checkCopies(path, e, register, a.Copy, child)
	}
}

// checkCopies wants each copied value to exist here, and to fit a field there.
func (d *draft) checkCopies(path string, e *Event, register *Register, copies []Copied, to *Definition) {
	for _, c := range copies {
		typ, found := d.copiedType(e, register, c.From)
		if !found {
			d.fault(path, "«copy»: «%s» non è un dato dell'evento, una colonna delle righe o un campo del caso", c.From)
		}
		field, exists := to.Field(c.To)
		switch {
		case !exists:
			d.fault(path, "«copy»: il workflow «%s» non ha il campo «%s»%s", to.Workflow, c.To, maybe(c.To, keys(to.index.fields)))
		case found && typ != field.Type && typ != "" && field.Type != "":
			d.fault(path, "«copy»: «%s» è di tipo %s, il campo «%s» di «%s» di tipo %s", c.From, typ, c.To, to.Workflow, field.Type)
		}
	}
}

// copiedType looks where the engine will look: an input, a column of the row, a field of this case.
func (d *draft) copiedType(e *Event, register *Register, id string) (Type, bool) {
	if input, found := e.Input(id); found && input.Kind != InputRow && input.Kind != InputRows {
		return input.Type, true
	}
	if register != nil {
		if column, found := register.Column(id); found {
			return column.Type, true
		}
	}
	if field, found := d.Field(id); found {
		return field.Type, true
	}
	return "", false
}

func (d *draft) checkTell(path string, a *Action) {
	child := d.child(path, a.Children)
	if child == nil || a.Event == "" {
		return
	}
	event, found := child.Event(a.Event)
	switch {
	case !found:
		d.fault(path, "il workflow figlio «%s» non ha l'evento «%s»%s", child.Workflow, a.Event, maybe(a.Event, keys(child.index.events)))
	case !event.firedBy("parent"):
		d.fault(path, "«%s» di «%s» non è comandato dal padre: gli manca by: [parent]", a.Event, child.Workflow)
	default:
		d.checkUnasked(path, child, event, "lo comanda il padre")
		if len(event.Documents) > 0 {
			d.fault(path, "«%s» di «%s» chiede documenti, ma lo comanda il padre", a.Event, child.Workflow)
		}
	}
}
