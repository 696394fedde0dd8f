package flow

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

func (d *draft) readEvents(t table) {
	for _, e := range d.named(t, "events") {
		if e.id == "open" || e.id == "rectify" {
			d.fault(e.path, "«%s» è un evento riservato: ogni workflow lo ha già", e.id)
			continue
		}
		d.Events = append(d.Events, d.readEvent(e))
	}
	if len(d.Events) == 0 {
		d.fault("", "il workflow non ha eventi")
	}
}

func (d *draft) readEvent(e entry) Event {
	t := d.table(e.val, e.path, "label", "help", "law", "by", "from", "to", "moves", "input", "documents", "guards", "warns", "then", "opens", "secret")
	guards := d.c.vocabulary.Guards
	event := Event{
		ID: e.id, Label: t.label(), Help: t.optional("help"), Law: t.text("law"), By: d.by(t), Opens: t.flag("opens"),
		Documents: t.ids("documents"), Guards: d.calls(t, "guards", guards, "guardia"), Warns: d.calls(t, "warns", guards, "guardia"),
		Secret: d.secret(e, nil),
	}
	for i, id := range event.Documents {
		if !isID(id) {
			d.fault(nth(join(e.path, "documents"), i), "«%s» non è un id valido di documento", id)
		}
	}
	event.Moves = d.moves(t, event.Opens)
	event.Inputs = d.inputs(t, event.Moves)
	event.Then = d.actions(t)
	return event
}

func (d *draft) by(t table) []By {
	var by []By
	for i, n := range t.items("by") {
		path := nth(join(t.path, "by"), i)
		if n.Kind != yaml.MappingNode {
			if role := d.scalar(n, "by"); role != "" {
				d.checkRole(path, role, "system", "parent")
				by = append(by, By{Role: role})
			}
			continue
		}
		act := d.table(n, path, "owner_of").id("owner_of")
		if _, found := d.c.vocabulary.Acts[act]; !found && act != "" {
			var known []string
			for id := range d.c.vocabulary.Acts {
				known = append(known, id)
			}
			d.fault(path, "atto sconosciuto: «%s»%s", act, maybe(act, known))
		}
		by = append(by, By{OwnerOf: act})
	}
	if len(by) == 0 {
		d.fault(t.path, "manca «by»: chi può compiere «%s»", lastOf(t.path))
	}
	return by
}

// moves folds from and to, or reads `moves`; an event that opens cases has a move without from.
func (d *draft) moves(t table, opens bool) []Move {
	from, to, list := t.keys["from"], t.keys["to"], t.keys["moves"]
	switch {
	case list != nil && (from != nil || to != nil):
		d.fault(join(t.path, "moves"), "«moves» sta al posto di «from» e «to»")
	case list != nil:
		return d.moveList(t, opens)
	case to == nil:
		d.fault(t.path, "manca «to»: dove porta «%s»", lastOf(t.path))
	case from == nil && !opens:
		d.fault(t.path, "manca «from»: da quali stati parte «%s»", lastOf(t.path))
	default:
		target := d.target(to, join(t.path, "to"))
		var moves []Move
		if opens {
			moves = append(moves, Move{To: target, Opens: true})
		}
		if from != nil {
			moves = append(moves, Move{From: d.states(t, "from"), To: target})
		}
		return d.checkMoves(t.path, moves)
	}
	return nil
}

func (d *draft) moveList(t table, opens bool) []Move {
	var moves []Move
	for i, n := range t.items("moves") {
		path := nth(join(t.path, "moves"), i)
		m := d.table(n, path, "from", "if", "to")
		move := Move{From: d.states(m, "from"), If: d.calls(m, "if", d.c.vocabulary.Guards, "guardia")}
		if m.keys["from"] == nil {
			move.Opens = true
			if !opens {
				d.fault(path, "manca «from»: da quali stati parte questa mossa")
			}
		}
		if to := m.keys["to"]; to != nil {
			move.To = d.target(to, join(path, "to"))
		} else {
			d.fault(path, "manca «to»: dove porta questa mossa")
		}
		moves = append(moves, move)
	}
	if len(moves) == 0 {
		d.fault(join(t.path, "moves"), "«moves» è vuoto")
	}
	return d.checkMoves(t.path, moves)
}

// checkMoves wants, for each state, conditions on all moves but the last and none on the last.
func (d *draft) checkMoves(path string, moves []Move) []Move {
	at := func(i int) string {
		if _, listed := d.marks[nth(join(path, "moves"), i)]; listed {
			return nth(join(path, "moves"), i)
		}
		return path
	}
	last := map[string]int{}
	for i, m := range moves {
		if m.Opens && (m.To.Same || m.To.Previous) {
			d.fault(at(i), "chi apre un caso deve portare a uno stato: «same» e «previous» non valgono")
		}
		for _, state := range sources(m) {
			if before, found := last[state]; found && len(moves[before].If) == 0 {
				d.fault(at(i), "coppia (evento, stato) ripetuta: da «%s» c'è già una mossa senza «if»", state)
			}
			last[state] = i
		}
	}
	for i, m := range moves {
		for _, state := range sources(m) {
			if last[state] == i && len(m.If) > 0 {
				d.fault(at(i), "l'ultima mossa da «%s» non deve avere «if»: altrimenti può non esserci via", state)
			}
		}
	}
	return moves
}

// sources are the states a move starts from; "" stands for the opening of a case.
func sources(m Move) []string {
	if m.Opens {
		return []string{""}
	}
	return m.From
}

// target reads a state, same, previous or {input: x, among: [states]}.
func (d *draft) target(n *yaml.Node, path string) Target {
	if n.Kind == yaml.MappingNode {
		t := d.table(n, path, "input", "among")
		target := Target{Input: t.id("input"), Among: d.states(t, "among")}
		if len(target.Among) == 0 {
			d.fault(path, "manca «among»: gli stati fra cui scegliere")
		}
		return target
	}
	switch state := d.scalar(n, "to"); state {
	case "same":
		return Target{Same: true}
	case "previous":
		return Target{Previous: true}
	default:
		d.checkState(path, state)
		return Target{State: state}
	}
}

// inputs reads `input` and adds the choices of state that targets imply.
func (d *draft) inputs(t table, moves []Move) []Input {
	among := map[string][]Choice{}
	var implied []string
	for _, m := range moves {
		if m.To.Input == "" {
			continue
		}
		if _, seen := among[m.To.Input]; !seen {
			implied = append(implied, m.To.Input)
		}
		for _, choice := range d.stateChoices(m.To.Among) {
			if !slices.ContainsFunc(among[m.To.Input], func(c Choice) bool { return c.ID == choice.ID }) {
				among[m.To.Input] = append(among[m.To.Input], choice)
			}
		}
	}
	var inputs []Input
	for _, e := range d.named(t, "input") {
		states, isState := among[e.id]
		input := d.readInput(e, isState)
		if isState {
			if input.Kind != InputValue || input.Type != TypeChoice || input.Optional {
				d.fault(e.path, "«%s» sceglie lo stato di arrivo: deve essere di tipo choice, senza valori propri e obbligatorio", e.id)
			}
			input.State, input.Of = true, states
		}
		inputs = append(inputs, input)
	}
	for _, id := range implied {
		if !slices.ContainsFunc(inputs, func(i Input) bool { return i.ID == id }) {
			inputs = append(inputs, Input{ID: id, Kind: InputValue, Type: TypeChoice, Of: among[id], State: true, Label: Text{"Nuovo stato", "New state"}})
		}
	}
	return inputs
}

func (d *draft) stateChoices(states []string) []Choice {
	var choices []Choice
	for _, id := range states {
		if i, found := d.index.states[id]; found {
			choices = append(choices, Choice{ID: id, Label: d.States[i].Label})
		}
	}
	return choices
}

func (d *draft) readInput(e entry, isState bool) Input {
	t := d.table(e.val, e.path, "type", "of", "field", "row", "rows", "columns", "label", "help", "optional", "personal")
	input := Input{ID: e.id, Help: t.optional("help"), Optional: t.flag("optional"), Personal: t.flag("personal")}
	shapes := 0
	for _, key := range []string{"type", "field", "row", "rows"} {
		if t.keys[key] != nil {
			shapes++
		}
	}
	switch {
	case isState && shapes == 0:
		input.Kind, input.Type = InputValue, TypeChoice
	case shapes != 1:
		d.fault(e.path, "il dato «%s» deve avere una sola fra le chiavi «type», «field», «row», «rows»", e.id)
		return input
	case t.keys["field"] != nil:
		d.fieldInput(t, &input)
	case t.keys["type"] != nil && isState && t.keys["of"] == nil:
		input.Kind, input.Type = InputValue, d.typeOf(t.keys["type"])
	case t.keys["type"] != nil:
		input.Kind = InputValue
		input.Type, input.Of = d.typed(t, true)
	default:
		d.rowInput(t, &input)
	}
	if t.keys["label"] != nil || input.Kind == InputValue {
		input.Label = t.label()
	}
	if t.keys["columns"] != nil && input.Register == "" {
		d.fault(join(e.path, "columns"), "«columns» vale solo con «row» o «rows»")
	}
	if e.id == "effective" && input.Type != "" && input.Type != TypeDate && input.Type != TypeInstant {
		d.fault(e.path, "«effective» è la data di efficacia: deve essere date o instant")
	}
	input.Personal = input.Personal || input.Type == TypePerson
	return input
}

// fieldInput takes from the field whatever the input does not say itself.
func (d *draft) fieldInput(t table, input *Input) {
	input.Kind, input.Field = InputField, t.id("field")
	i, found := d.index.fields[input.Field]
	if !found {
		d.fault(join(t.path, "field"), "campo sconosciuto: «%s»%s", input.Field, maybe(input.Field, keys(d.index.fields)))
		return
	}
	field := d.Fields[i]
	input.Type, input.Of, input.Label = field.Type, field.Of, field.Label
	if input.Help == (Text{}) {
		input.Help = field.Help
	}
	if t.keys["of"] != nil {
		d.fault(join(t.path, "of"), "«of» viene dal campo «%s»", input.Field)
	}
}

func (d *draft) rowInput(t table, input *Input) {
	key := "row"
	input.Kind = InputRow
	if t.keys["rows"] != nil {
		key, input.Kind = "rows", InputRows
	}
	input.Register = t.id(key)
	i, found := d.index.registers[input.Register]
	if !found {
		d.fault(join(t.path, key), "registro sconosciuto: «%s»%s", input.Register, maybe(input.Register, keys(d.index.registers)))
		return
	}
	register := d.Registers[i]
	input.Label = register.Label
	known := indexBy(register.Columns, func(c Column) string { return c.ID })
	for i, id := range t.ids("columns") {
		at, found := known[id]
		if !found {
			d.fault(nth(join(t.path, "columns"), i), "colonna sconosciuta: «%s» nel registro «%s»%s", id, register.ID, maybe(id, keys(known)))
			continue
		}
		input.Columns = append(input.Columns, register.Columns[at])
	}
	if t.keys["columns"] == nil {
		d.fault(t.path, "manca «columns»: le colonne del registro «%s» da chiedere", register.ID)
	}
}
