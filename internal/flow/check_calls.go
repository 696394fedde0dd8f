package flow

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
)

// checkCall checks one guard or effect: what its parameters name, and what its function reads by itself.
func (d *draft) checkCall(path string, call Call, words map[string]Word) {
	word, found := words[call.Name]
	if !found {
		return // reported while decoding
	}
	d.checkReads(path, call.Name, word)
	if word.Params == nil || call.Params == nil {
		return
	}
	p := paramCheck{d: d, path: path, values: map[string]string{}}
	value := reflect.ValueOf(call.Params)
	for i := range value.NumField() {
		what, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("flow"), ",")
		if value.Field(i).Kind() == reflect.String {
			p.values[what] = value.Field(i).String()
		}
	}
	for i := range value.NumField() {
		field := value.Type().Field(i)
		what, kinds, _ := strings.Cut(field.Tag.Get("flow"), ",")
		var accepted []string
		if kinds != "" {
			accepted = strings.Split(kinds, "|")
		}
		key, _ := paramKey(field)
		switch v := value.Field(i); v.Kind() {
		case reflect.String:
			if v.String() != "" {
				p.check(join(path, key), what, v.String(), accepted)
			}
		case reflect.Slice:
			for j := range v.Len() {
				p.check(nth(join(path, key), j), what, v.Index(j).String(), accepted)
			}
		}
	}
	p.fit()
}

// checkReads wants the fields, registers and limits that a function reads by name.
func (d *draft) checkReads(path, name string, word Word) {
	for _, id := range slices.Sorted(maps.Keys(word.Fields)) {
		d.checkReadField(path, name, d.Definition, id, word.Fields[id])
	}
	for _, id := range slices.Sorted(maps.Keys(word.ParentFields)) {
		parents := d.c.library.parents[d.Workflow]
		if len(parents) == 0 {
			d.fault(path, "«%s» legge il campo «%s» del caso padre, ma nessun workflow ha «%s» come figlio", name, id, d.Workflow)
		}
		for _, parent := range parents {
			d.checkReadField(path, name, parent, id, word.ParentFields[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(word.Registers)) {
		register, found := d.Register(id)
		if !found {
			d.fault(path, "«%s» usa il registro «%s», che il workflow non ha", name, id)
			continue
		}
		for _, columnID := range slices.Sorted(maps.Keys(word.Registers[id])) {
			column, found := register.Column(columnID)
			switch types := word.Registers[id][columnID]; {
			case !found:
				d.fault(path, "«%s» usa la colonna «%s» del registro «%s», che non c'è", name, columnID, id)
			case column.Type != "" && len(types) > 0 && !slices.Contains(types, column.Type):
				d.fault(path, "«%s» vuole la colonna «%s.%s» di tipo %s, non %s", name, id, columnID, joinTypes(types), column.Type)
			}
		}
	}
	for _, key := range word.Limits {
		d.checkLimit(path, key, nil)
	}
}

func (d *draft) checkReadField(path, name string, owner *Definition, id string, types []Type) {
	field, found := owner.Field(id)
	switch {
	case !found:
		d.fault(path, "«%s» legge il campo «%s», che il workflow «%s» non ha", name, id, owner.Workflow)
	case field.Type != "" && len(types) > 0 && !slices.Contains(types, field.Type):
		d.fault(path, "«%s» vuole il campo «%s» di «%s» di tipo %s, non %s", name, id, owner.Workflow, joinTypes(types), field.Type)
	}
}

func joinTypes(types []Type) string {
	list := make([]string, len(types))
	for i, t := range types {
		list[i] = string(t)
	}
	return typesText(list)
}

// paramCheck checks the parameters of one call; some depend on others (a column on its register).
type paramCheck struct {
	d      *draft
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

// fit wants a counting rule that can count the unit of the term beside it.
func (p paramCheck) fit() {
	if term, rule := p.values["limit"], p.values["rule"]; term != "" && rule != "" {
		p.d.checkFit(p.path, term, rule)
	}
}

// checkLimit wants a key of the limits file, of one of the kinds.
func (d *draft) checkLimit(path, key string, kinds []string) {
	if d.c.limits == nil || key == "" {
		return
	}
	kind, found := d.c.limits.KindOf(key)
	switch {
	case !found:
		d.fault(path, "limite sconosciuto: «%s»%s", key, maybe(key, d.c.limits.Keys()))
	case len(kinds) > 0 && !slices.Contains(kinds, string(kind)):
		d.fault(path, "il limite «%s» deve essere di tipo %s, non %s", key, typesText(kinds), kind)
	}
}

func (d *draft) checkRule(path, rule string) {
	if calendar.Known(rule) {
		return
	}
	var known []string
	for _, r := range calendar.Rules() {
		known = append(known, r.Name)
	}
	d.fault(path, "regola di calcolo sconosciuta: «%s»%s", rule, maybe(rule, known))
}

// checkFit wants a rule that counts the unit a limit is given in.
func (d *draft) checkFit(path, key, rule string) {
	if d.c.limits == nil {
		return
	}
	kind, haveKind := d.c.limits.KindOf(key)
	r, haveRule := calendar.Lookup(rule)
	if !haveKind || !haveRule {
		return
	}
	if slices.Contains(termKinds, string(kind)) && !r.Counts(calendar.Unit(kind)) {
		d.fault(path, "la regola «%s» non conta in %s (limite «%s»)", rule, kind, key)
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
