package flow

import (
	"slices"

	"github.com/province-comuni/sua/internal/calendar"
)

// checkAction checks one line of `then` of an event.
func (d *draft) checkAction(path string, e *Event, a *Action) {
	for i, call := range a.If {
		d.checkCallOf(e, nth(join(path, "if"), i), call, d.c.vocabulary.Guards)
	}
	switch a.Verb {
	case VerbSet:
		d.checkSet(path, e, a)
	case VerbClear:
		if _, found := d.Field(a.Field); !found && a.Field != "" {
			d.fault(path, "campo sconosciuto: «%s»%s", a.Field, maybe(a.Field, keys(d.index.fields)))
		}
	case VerbAssign:
		d.checkAssign(path, e, a)
	case VerbStart, VerbRestart, VerbStop, VerbSuspend, VerbResume:
		d.checkTimer(path, e, a)
	case VerbExtend:
		d.checkTimer(path, e, a)
		d.checkExtend(path, e, a)
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
		d.checkTell(path, e, a)
	case VerbRun:
		d.checkCall(join(path, VerbRun), a.Effect, d.c.vocabulary.Effects)
	}
}

func (d *draft) checkSet(path string, e *Event, a *Action) {
	field, found := d.Field(a.Field)
	if !found && a.Field != "" {
		d.fault(path, "campo sconosciuto: «%s»%s", a.Field, maybe(a.Field, keys(d.index.fields)))
	}
	switch {
	case a.Value != nil:
		if found {
			d.checkLiteral(path, d.Definition, field, a.Value)
		}
		return
	case a.From == FromEffective:
		if found && field.Type != TypeDate && field.Type != TypeInstant && field.Type != "" {
			d.fault(path, "«from: effective» vuole un campo di tipo date o instant: «%s» è di tipo %s", a.Field, field.Type)
		}
		return
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

// checkLiteral wants a value that a workflow may write: one of a choice, or true or false for a bool.
func (d *draft) checkLiteral(path string, owner *Definition, field *Field, value any) {
	id, isText := value.(string)
	switch {
	case field.Type == "" || isText && id == "": // reported while decoding
	case field.Type == TypeChoice && isText:
		if !hasChoice(field.Of, id) {
			d.fault(path, "«%s» non è un valore del campo «%s»%s", id, field.ID, maybe(id, choiceIDs(field.Of)))
		}
	case field.Type == TypeBool && !isText:
	case field.Type == TypeChoice || field.Type == TypeBool:
		d.fault(path, "il campo «%s» di «%s» è di tipo %s: «%v» non è un suo valore", field.ID, owner.Workflow, field.Type, value)
	default:
		d.fault(path, "un valore fisso vale solo per una scelta o un bool: «%s» di «%s» è di tipo %s", field.ID, owner.Workflow, field.Type)
	}
}

// checkExtend wants a length that the deadline's own rule can add to its end.
func (d *draft) checkExtend(path string, e *Event, a *Action) {
	if a.Days != "" {
		d.checkGivenDays(path, e, a.Days)
	}
	deadline, found := d.Deadline(a.Deadline)
	if !found {
		return
	}
	rule, known := calendar.Lookup(deadline.Counted)
	switch {
	case deadline.Counted == "" && !deadline.Until.Zero() && a.Term != "":
		d.fault(path, "il termine «%s» non ha «counted»: la regola con cui contare la proroga", a.Deadline)
	case deadline.Counted != "" && !known && !deadline.Until.Zero():
		d.checkRule(join(join("deadlines", deadline.ID), "counted"), deadline.Counted)
	case rule.Backward():
		d.fault(path, "il termine «%s» si conta a ritroso: non si proroga", a.Deadline)
	}
	if a.Term != "" {
		d.checkLimit(path, a.Term, termKinds)
		d.checkFit(path, a.Term, deadline.Counted)
	}
}

// checkGivenDays wants an int: an input of the event, or a field.
func (d *draft) checkGivenDays(path string, e *Event, id string) {
	if input, found := e.Input(id); found {
		if input.Type != TypeInt && input.Type != "" {
			d.fault(path, "il dato «%s» deve essere di tipo int, non %s", id, input.Type)
		}
		return
	}
	if _, found := d.Field(id); !found {
		d.fault(path, "«%s» non è un dato dell'evento né un campo del caso%s", id, maybe(id, append(inputIDs(e), keys(d.index.fields)...)))
		return
	}
	d.checkInt(path, id)
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
	if child == nil {
		return
	}
	d.checkCopies(path, e, register, a.Copy, child)
	for _, s := range a.Set {
		field, found := child.Field(s.Field)
		if !found {
			d.fault(path, "«set»: il workflow «%s» non ha il campo «%s»%s", child.Workflow, s.Field, maybe(s.Field, keys(child.index.fields)))
			continue
		}
		d.checkLiteral(path, child, field, s.Value)
		if slices.ContainsFunc(a.Copy, func(c Copied) bool { return c.To == s.Field }) {
			d.fault(path, "il campo «%s» è sia in «copy» sia in «set»", s.Field)
		}
	}
	d.checkOpenAfterEnd(path, e, a)
}

// checkOpenAfterEnd refuses to open, in a case that has ended, a child that may not be open there.
func (d *draft) checkOpenAfterEnd(path string, e *Event, a *Action) {
	child, found := d.Child(a.Children)
	if !found || child.Outlives {
		return
	}
	for _, m := range e.Moves {
		for _, id := range m.From {
			if state, known := d.State(id); known && state.Final != "" {
				d.fault(path, "«%s» parte da «%s», che è uno stato finale, e apre «%s»: serve «outlives: true»", e.ID, id, a.Children)
			}
		}
	}
}

// checkCopies wants each copied value to exist here, and to fit a field there.
func (d *draft) checkCopies(path string, e *Event, register *Register, copies []Copied, to *Definition) {
	for _, c := range copies {
		typ, found := d.copiedType(e, register, c.From)
		field, exists := to.Field(c.To)
		if !found {
			typ, found = d.inheritedType(c.From, field)
		}
		if !found {
			d.fault(path, "«copy»: «%s» non è un dato dell'evento, una colonna delle righe o un campo del caso o di un caso superiore", c.From)
		}
		switch {
		case !exists:
			d.fault(path, "«copy»: il workflow «%s» non ha il campo «%s»%s", to.Workflow, c.To, maybe(c.To, keys(to.index.fields)))
		case found && typ != field.Type && typ != "" && field.Type != "":
			d.fault(path, "«copy»: «%s» è di tipo %s, il campo «%s» di «%s» di tipo %s", c.From, typ, c.To, to.Workflow, field.Type)
		}
	}
}

// copiedType looks where the engine will look: a column of the row, an input, a field of this case.
func (d *draft) copiedType(e *Event, register *Register, id string) (Type, bool) {
	if register != nil {
		if column, found := register.Column(id); found {
			return column.Type, true
		}
	}
	if input, found := e.Input(id); found && input.Kind != InputRow && input.Kind != InputRows {
		return input.Type, true
	}
	if field, found := d.Field(id); found {
		return field.Type, true
	}
	return "", false
}

// inheritedType looks above: at the workflows that have this one as a child, and those above them. One that has a field of
// the type wanted is enough: the engine leaves alone a value that does not fit.
func (d *draft) inheritedType(id string, want *Field) (Type, bool) {
	var typ Type
	found := false
	seen := map[string]bool{d.Workflow: true}
	for above := d.c.library.parents[d.Workflow]; len(above) > 0; above = above[1:] {
		parent := above[0]
		if seen[parent.Workflow] {
			continue
		}
		seen[parent.Workflow] = true
		if field, has := parent.Field(id); has && (!found || want != nil && field.Type == want.Type) {
			typ, found = field.Type, true
		}
		above = append(slices.Clip(above), d.c.library.parents[parent.Workflow]...)
	}
	return typ, found
}

func (d *draft) checkTell(path string, e *Event, a *Action) {
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
		d.checkUnasked(path, child, event, "lo comanda il padre", a.Copy...)
		d.checkCopies(path, e, nil, a.Copy, child)
		if len(event.Documents) > 0 {
			d.fault(path, "«%s» di «%s» chiede documenti, ma lo comanda il padre", a.Event, child.Workflow)
		}
	}
}
