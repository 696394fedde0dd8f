package flow

// addImplied adds the events that every workflow has: rectify, which mends a recorded mistake, and open when no
// event of the file begins a case. They are not in Source: they follow from it.
func (d *draft) addImplied(t table) {
	opening := false
	for _, e := range d.Events {
		opening = opening || e.Opens
	}
	if !opening && d.Start != "" {
		d.mark("events.open", t.node)
		d.Events = append(d.Events, d.openEvent())
	}
	d.mark("events.rectify", t.node)
	d.Events = append(d.Events, d.rectifyEvent(t))
	d.index.events = indexBy(d.Events, func(e Event) string { return e.ID })
}

// openEvent lets whoever may act on a new case begin it, or the system when only the system may.
func (d *draft) openEvent() Event {
	event := Event{
		ID: "open", Label: Text{"Apri", "Open"}, Opens: true,
		Moves: []Move{{To: Target{State: d.Start}, Opens: true}},
	}
	for _, e := range d.Events {
		if len(movesFrom(e.Moves, d.Start)) > 0 {
			event.By = addPeople(event.By, e.By)
		}
	}
	if len(event.By) == 0 {
		event.By = []By{{Role: "system"}}
	}
	for _, f := range d.Fields {
		event.Inputs = append(event.Inputs, Input{
			ID: f.ID, Kind: InputField, Type: f.Type, Of: f.Of, Field: f.ID, Label: f.Label, Help: f.Help,
			Optional: true, Personal: f.Type == TypePerson,
		})
	}
	return event
}

// rectifyEvent leads from every state, final ones included, back to one that is not final.
func (d *draft) rectifyEvent(t table) Event {
	target := Target{Input: "back_to"}
	var from []string
	for _, s := range d.States {
		from = append(from, s.ID)
		if s.Final == "" {
			target.Among = append(target.Among, s.ID)
		}
	}
	event := Event{
		ID: "rectify", Label: Text{"Rettifica", "Rectify"}, Rectify: true,
		Help:  Text{"Corregge una registrazione sbagliata: la storia mostra l'errore e la correzione.", "Mends a wrong record: the history shows both the mistake and the correction."},
		Moves: []Move{{From: from, To: target}},
		Inputs: []Input{
			{ID: "reason", Kind: InputValue, Type: TypeText, Label: Text{"Motivazione", "Reason"}},
			{ID: "back_to", Kind: InputValue, Type: TypeChoice, Of: d.stateChoices(target.Among), State: true, Label: Text{"Torna a", "Back to"}},
		},
	}
	if n := t.keys["rectify"]; n != nil {
		r := d.table(n, "rectify", "by")
		event.By = d.by(r)
		return event
	}
	event.By = d.rectifiers()
	return event
}

// rectifiers are the director of the SUA, or the people of the workflow when nobody of the SUA acts in it.
func (d *draft) rectifiers() []By {
	var people []By
	for _, e := range d.Events {
		for _, by := range e.By {
			if d.c.vocabulary.Roles[by.Role].Side == SideSUA {
				return []By{{Role: "sua_director"}}
			}
		}
		people = addPeople(people, e.By)
	}
	if len(people) == 0 {
		return []By{{Role: "sua_director"}}
	}
	return people
}

// addPeople adds the roles of persons among by to people, each once.
func addPeople(people, by []By) []By {
	for _, b := range by {
		if b.Role == "" || b.Role == "system" || b.Role == "parent" {
			continue
		}
		known := false
		for _, p := range people {
			known = known || p == b
		}
		if !known {
			people = append(people, b)
		}
	}
	return people
}
