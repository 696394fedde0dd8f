package flow

import (
	"reflect"
	"slices"
	"strings"
)

// paramCheck checks the parameters of one call; some depend on others (a column on its register).
type paramCheck struct {
	d      *draft
	event  *Event // nil: an expiry or an effect, which nobody fills in
	path   string
	values map[string]string // single values by what they name
}

// check looks up one value of a parameter that names a thing of kind what.
func (p paramCheck) check(path, what, id string, accepted []string) {
	d := p.d
	switch what {
	case "field":
		field, found := d.Field(id)
		p.named(path, "campo", id, found, d.index.fields)
		if found {
			p.typed(path, "il campo", id, field.Type, accepted)
		}
	case "field_value":
		p.fieldValue(path, id)
	case "parent_field":
		p.parentField(path, id, accepted)
	case "parent_states":
		p.parentState(path, id)
	case "given":
		p.given(path, id, accepted)
	case "register":
		_, found := d.Register(id)
		p.named(path, "registro", id, found, d.index.registers)
	case "column", "value":
		p.column(path, what, id, accepted)
	case "children":
		d.child(path, id)
	case "child_states", "child_fields":
		p.ofChild(path, what, id)
	case "states":
		d.checkState(path, id)
	case "event":
		_, found := d.Event(id)
		p.named(path, "evento", id, found, d.index.events)
	case "document":
		p.document(path, id)
	case "limit":
		d.checkLimit(path, id, accepted)
	case "rule":
		d.checkRule(path, id)
	case "id":
		if !isID(id) {
			d.fault(path, "«%s» non è un id valido (snake_case)", id)
		}
	default:
		panic("flow: unknown parameter tag " + what)
	}
}

func (p paramCheck) named(path, what, id string, found bool, index map[string]int) {
	if !found {
		p.d.fault(path, "%s sconosciuto: «%s»%s", what, id, maybe(id, keys(index)))
	}
}

func (p paramCheck) typed(path, what, id string, typ Type, accepted []string) {
	if typ != "" && len(accepted) > 0 && !slices.Contains(accepted, string(typ)) {
		p.d.fault(path, "%s «%s» deve essere di tipo %s, non %s", what, id, typesText(accepted), typ)
	}
}

// column checks a column of the register that the same call names, or a choice of that column.
func (p paramCheck) column(path, what, id string, accepted []string) {
	register, found := p.d.Register(p.values["register"])
	if !found {
		return // reported by the parameter that names it
	}
	name := id
	if what == "value" {
		name = p.values["column"]
	}
	column, found := register.Column(name)
	switch {
	case !found && what == "column":
		p.d.fault(path, "colonna sconosciuta: «%s» nel registro «%s»%s", id, register.ID, maybe(id, columnIDs(register)))
	case name == "":
		p.d.fault(path, "«%s»: manca la colonna di cui è un valore", id)
	case !found:
	case what == "column":
		p.typed(path, "la colonna", id, column.Type, accepted)
	case column.Type == TypeChoice && !hasChoice(column.Of, id):
		p.d.fault(path, "valore sconosciuto: «%s» della colonna «%s»%s", id, name, maybe(id, choiceIDs(column.Of)))
	case column.Type != TypeChoice && column.Type != "":
		p.d.fault(path, "la colonna «%s» è di tipo %s: un valore vale solo per una scelta", name, column.Type)
	}
}

func (p paramCheck) ofChild(path, what, id string) {
	child, found := p.d.Child(p.values["children"])
	if !found {
		return // reported by the parameter that names it
	}
	workflow, found := p.d.c.library.Latest(child.Workflow)
	if !found {
		return
	}
	index, noun := workflow.index.states, "stato"
	if what == "child_fields" {
		index, noun = workflow.index.fields, "campo"
	}
	if _, found := index[id]; !found {
		p.d.fault(path, "%s sconosciuto: «%s» nel workflow figlio «%s»%s", noun, id, workflow.Workflow, maybe(id, keys(index)))
	}
}

// document accepts a type that the workflow declares or asks for, or that the catalogue shares.
func (p paramCheck) document(path, id string) {
	d := p.d
	if _, found := d.Document(id); found {
		return
	}
	shared, found := d.c.catalogue.Documents[id]
	if !found {
		p.named(path, "documento", id, false, d.index.documents)
		return
	}
	d.index.documents[id] = len(d.Documents)
	d.Documents = append(d.Documents, shared)
}

// fieldValue checks a choice of the field that the same call names, or true and false.
func (p paramCheck) fieldValue(path, id string) {
	field, found := p.d.Field(p.values["field"])
	switch {
	case !found: // reported by the parameter that names it
	case field.Type == TypeBool && id != "true" && id != "false":
		p.d.fault(path, "«%s» non è un valore di «%s»: serve true o false", id, field.ID)
	case field.Type == TypeChoice && !hasChoice(field.Of, id):
		p.d.fault(path, "«%s» non è un valore del campo «%s»%s", id, field.ID, maybe(id, choiceIDs(field.Of)))
	}
}

// parents are the workflows that have this one as a child; none is a fault.
func (p paramCheck) parents(path string) []*Definition {
	parents := p.d.c.library.parents[p.d.Workflow]
	if len(parents) == 0 {
		p.d.fault(path, "nessun workflow ha «%s» come figlio", p.d.Workflow)
	}
	return parents
}

func (p paramCheck) parentField(path, id string, accepted []string) {
	for _, parent := range p.parents(path) {
		field, found := parent.Field(id)
		if !found {
			p.d.fault(path, "il workflow padre «%s» non ha il campo «%s»%s", parent.Workflow, id, maybe(id, keys(parent.index.fields)))
			continue
		}
		p.typed(path, "il campo", id, field.Type, accepted)
	}
}

// parentState wants a state that some parent has: several may have the same child, each with its own states.
func (p paramCheck) parentState(path, id string) {
	parents := p.parents(path)
	known := []string{}
	for _, parent := range parents {
		if _, found := parent.State(id); found {
			return
		}
		known = append(known, keys(parent.index.states)...)
	}
	if len(parents) > 0 {
		p.d.fault(path, "nessun workflow padre ha lo stato «%s»%s", id, maybe(id, known))
	}
}

func (p paramCheck) given(path, id string, accepted []string) {
	if p.event != nil {
		if input, found := p.event.Input(id); found {
			if input.Kind == InputRow || input.Kind == InputRows {
				p.d.fault(path, "«%s» è un dato di righe: qui serve un valore solo", id)
				return
			}
			p.typed(path, "il dato", id, input.Type, accepted)
			return
		}
	}
	field, found := p.d.Field(id)
	if !found {
		p.d.fault(path, "«%s» non è un dato dell'evento né un campo%s", id, maybe(id, keys(p.d.index.fields)))
		return
	}
	p.typed(path, "il campo", id, field.Type, accepted)
}

// term checks a term as that of a deadline: its keys, its rule, and a table that has a line for each value.
func (p paramCheck) term(path string, term Term, kinds []string) {
	d := p.d
	if len(term.Keys()) == 0 {
		d.fault(path, "qui «term» vuole una chiave dei limiti, o una tabella di chiavi per ogni valore di una scelta")
	}
	for _, key := range term.Keys() {
		d.checkLimit(path, key, kinds)
		d.checkFit(p.path, key, p.values["rule"])
	}
	switch {
	case term.Field != "":
		d.checkTotal(path, d.Definition, term.Field, term.ByChoice)
	case term.ParentField != "":
		for _, parent := range p.parents(path) {
			d.checkTotal(path, parent, term.ParentField, term.ByChoice)
		}
	}
}

// one checks one parameter, and remembers a single value for those that depend on it.
func (p paramCheck) one(field reflect.StructField, v reflect.Value) {
	what, kinds, _ := strings.Cut(field.Tag.Get("flow"), ",")
	var accepted []string
	if kinds != "" {
		accepted = strings.Split(kinds, "|")
	}
	key, _ := paramKey(field)
	path := join(p.path, key)
	switch v.Kind() {
	case reflect.String:
		p.values[what] = v.String()
		if v.String() != "" {
			p.check(path, what, v.String(), accepted)
		}
	case reflect.Slice:
		for i := range v.Len() {
			p.check(nth(path, i), what, v.Index(i).String(), accepted)
		}
	case reflect.Struct:
		p.term(path, v.Interface().(Term), accepted) // params decodes no other struct
	}
}

// either wants exactly one of an optional field and the field of the parent that may stand for it.
func (p paramCheck) either(value reflect.Value) {
	var keys []string
	written, parents := 0, false
	for i := range value.NumField() {
		field := value.Type().Field(i)
		key, optional := paramKey(field)
		if what := paramTag(field); optional && (what == "field" || what == "parent_field") {
			keys, parents = append(keys, key), parents || what == "parent_field"
			if value.Field(i).String() != "" {
				written++
			}
		}
	}
	if parents && written != 1 {
		p.d.fault(p.path, "serve uno solo fra %s", typesText(keys))
	}
}

func columnIDs(r *Register) []string {
	ids := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		ids[i] = c.ID
	}
	return ids
}

func choiceIDs(of []Choice) []string {
	ids := make([]string, len(of))
	for i, c := range of {
		ids[i] = c.ID
	}
	return ids
}

func hasChoice(of []Choice, id string) bool { return slices.Contains(choiceIDs(of), id) }
