package flow

import (
	"maps"
	"slices"

	"github.com/province-comuni/sua/internal/calendar"
)

// termKinds are the kinds of limit that a deadline can count.
var termKinds = []string{"days", "months", "years", "hours"}

func (d *draft) checkDeadline(deadline *Deadline) {
	path := join("deadlines", deadline.ID)
	switch {
	case d.given(path, "term") == d.given(path, "until"):
		d.fault(path, "un termine ha «term» oppure «until», non entrambi né nessuno")
	case !deadline.Until.Zero():
		d.checkDay(join(path, "until"), "until", deadline.Until)
	default:
		d.checkTerm(path, deadline)
	}
	if !deadline.FromField.Zero() {
		d.checkDay(join(path, "from"), "from", deadline.FromField)
		if d.given(path, "until") {
			d.fault(join(path, "from"), "«from» dice da quando si conta: con «until» non serve")
		}
	}
	if deadline.Fire != "" {
		d.checkExpiry(join(path, "at_expiry"), deadline)
	}
	if _, found := d.State(deadline.Forecast); deadline.Forecast != "" && !found {
		d.fault(join(path, "forecast"), "stato sconosciuto: «%s»%s", deadline.Forecast, maybe(deadline.Forecast, keys(d.index.states)))
	}
	if deadline.Outage && deadline.Counted == "backward" {
		d.fault(join(path, "outage"), "un termine contato a ritroso non si proroga: si sposta con la data da cui si conta")
	}
	for i, call := range deadline.BlockedBy {
		d.checkCall(nth(join(path, "blocked_by"), i), call, d.c.vocabulary.Guards)
	}
}

// given reports whether a key was written, right or wrong.
func (d *draft) given(path, key string) bool {
	_, marked := d.marks[join(path, key)]
	return marked
}

// checkDay wants a date or instant: a field of the case, or of each workflow that has this one as a child.
func (d *draft) checkDay(path, key string, ref FieldRef) {
	if ref.Field != "" {
		field, found := d.Field(ref.Field)
		switch {
		case !found:
			d.fault(path, "campo sconosciuto: «%s»%s", ref.Field, maybe(ref.Field, keys(d.index.fields)))
		case field.Type != TypeDate && field.Type != TypeInstant && field.Type != "":
			d.fault(path, "«%s» vuole un campo di tipo date o instant, non %s", key, field.Type)
		}
		return
	}
	for _, parent := range d.parentsFor(path) {
		field, found := parent.Field(ref.ParentField)
		switch {
		case !found:
			d.fault(path, "il workflow «%s» non ha il campo «%s»%s", parent.Workflow, ref.ParentField, maybe(ref.ParentField, keys(parent.index.fields)))
		case field.Type != TypeDate && field.Type != TypeInstant && field.Type != "":
			d.fault(path, "«%s» vuole un campo di tipo date o instant: «%s» di «%s» è di tipo %s", key, ref.ParentField, parent.Workflow, field.Type)
		}
	}
}

// parentsFor returns the workflows that have this one as a child; none is a fault of what reads a field of the parent.
func (d *draft) parentsFor(path string) []*Definition {
	parents := d.c.library.parents[d.Workflow]
	if len(parents) == 0 {
		d.fault(path, "«parent_field»: nessun workflow ha «%s» come figlio", d.Workflow)
	}
	return parents
}

// checkLength checks a length in days that a field of the case holds.
func (d *draft) checkLength(path string, deadline *Deadline) {
	term := deadline.Term
	if term.Share != "" {
		d.checkLimit(join(path, "share"), term.Share, []string{"ratio", "percent"})
	}
	d.checkInt(path, term.Days+term.Of)
	if r, found := calendar.Lookup(deadline.Counted); found && !r.Counts(calendar.Days) {
		d.fault(path, "la regola «%s» non conta in days", deadline.Counted)
	}
}

func (d *draft) checkInt(path, id string) {
	field, found := d.Field(id)
	switch {
	case id == "":
	case !found:
		d.fault(path, "campo sconosciuto: «%s»%s", id, maybe(id, keys(d.index.fields)))
	case field.Type != TypeInt && field.Type != "":
		d.fault(path, "il campo «%s» deve essere di tipo int, non %s", id, field.Type)
	}
}

func (d *draft) checkTerm(path string, deadline *Deadline) {
	term := deadline.Term
	if deadline.Counted == "" {
		d.fault(path, "manca «counted»: la regola con cui si conta il termine")
	} else {
		d.checkRule(join(path, "counted"), deadline.Counted)
	}
	for _, key := range term.Keys() {
		d.checkLimit(join(path, "term"), key, termKinds)
		d.checkFit(join(path, "counted"), key, deadline.Counted)
	}
	switch {
	case term.Days != "" || term.Share != "":
		d.checkLength(join(path, "term"), deadline)
	case term.Field != "":
		d.checkTotal(join(path, "term"), d.Definition, term.Field, term.ByChoice)
	case term.ParentField != "":
		for _, parent := range d.parentsFor(join(path, "term")) {
			d.checkTotal(join(path, "term"), parent, term.ParentField, term.ByChoice)
		}
	}
}

// checkTotal wants one limit for each value of a choice field, and no other.
func (d *draft) checkTotal(path string, owner *Definition, id string, byChoice map[string]string) {
	field, found := owner.Field(id)
	switch {
	case !found:
		d.fault(path, "il workflow «%s» non ha il campo «%s» da cui dipende il termine%s", owner.Workflow, id, maybe(id, keys(owner.index.fields)))
		return
	case field.Type != TypeChoice:
		d.fault(path, "il termine può dipendere solo da una scelta: «%s» di «%s» è di tipo %s", id, owner.Workflow, field.Type)
		return
	}
	for _, choice := range field.Of {
		if _, covered := byChoice[choice.ID]; !covered {
			d.fault(path, "la tabella dei termini non dice nulla per %s = «%s»", id, choice.ID)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(byChoice)) {
		if !hasChoice(field.Of, value) {
			d.fault(join(path, value), "«%s» non è un valore del campo «%s»%s", value, id, maybe(value, choiceIDs(field.Of)))
		}
	}
}

// checkExpiry wants an event that nothing can stop: what the law lets stop it stands in blocked_by.
func (d *draft) checkExpiry(path string, deadline *Deadline) {
	event, found := d.Event(deadline.Fire)
	if !found {
		d.fault(path, "evento sconosciuto: «%s»%s", deadline.Fire, maybe(deadline.Fire, keys(d.index.events)))
		return
	}
	if !event.firedBy("system") {
		d.fault(path, "«%s» scatta alla scadenza: deve avere by: [system]", event.ID)
	}
	if len(event.Guards) > 0 {
		d.fault(path, "«%s» scatta alla scadenza e non può avere «guards»: ciò che la legge ammette sta in «blocked_by»", event.ID)
	}
	if len(event.Documents) > 0 {
		d.fault(path, "«%s» scatta alla scadenza e non può chiedere documenti", event.ID)
	}
	d.checkUnasked(path, d.Definition, event, "scatta alla scadenza")
	for _, state := range deadline.While {
		if _, known := d.State(state); known && len(movesFrom(event.Moves, state)) == 0 {
			d.fault(path, "«%s» non è possibile da «%s», dove il termine corre", event.ID, state)
		}
	}
}
