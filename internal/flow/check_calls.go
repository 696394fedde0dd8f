package flow

import (
	"maps"
	"reflect"
	"slices"

	"github.com/province-comuni/sua/internal/calendar"
)

// checkCall checks a guard or effect that no event asks for: what its parameters name, and what its function reads by itself.
func (d *draft) checkCall(path string, call Call, words map[string]Word) {
	d.checkCallOf(nil, path, call, words)
}

// checkCallOf is the same for a guard of an event, whose inputs it may name.
func (d *draft) checkCallOf(e *Event, path string, call Call, words map[string]Word) {
	word, found := words[call.Name]
	if !found {
		return // reported while decoding
	}
	d.checkReads(path, call.Name, word)
	if word.Params == nil || call.Params == nil {
		return
	}
	p := paramCheck{d: d, event: e, path: path, values: map[string]string{}}
	value := reflect.ValueOf(call.Params)
	for _, first := range []bool{true, false} { // what other parameters depend on comes first
		for i := range value.NumField() {
			field := value.Type().Field(i)
			if what := paramTag(field); (what == "register" || what == "children" || what == "rule") == first {
				p.one(field, value.Field(i))
			}
		}
	}
	p.either(value)
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
	for _, id := range slices.Sorted(maps.Keys(word.AnyFields)) {
		d.checkAnyField(path, name, id, word.AnyFields[id])
	}
	for _, id := range word.Events {
		if _, found := d.Event(id); !found {
			d.fault(path, "«%s» guarda quando è avvenuto «%s», un evento che il workflow non ha", name, id)
		}
	}
	for _, id := range word.Documents {
		paramCheck{d: d}.document(path, id)
	}
	d.checkReadRegisters(path, name, word)
	for _, key := range word.Limits {
		d.checkLimit(path, key, nil)
	}
}

func (d *draft) checkReadRegisters(path, name string, word Word) {
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
}

// checkAnyField wants a field in the workflow itself or, wherever it hangs, in its parent or in the root of the tree.
func (d *draft) checkAnyField(path, name, id string, types []Type) {
	if _, own := d.Field(id); own {
		d.checkReadField(path, name, d.Definition, id, types)
		return
	}
	parents := d.c.library.parents[d.Workflow]
	if len(parents) == 0 {
		d.fault(path, "«%s» legge il campo «%s», che il workflow «%s» non ha", name, id, d.Workflow)
	}
	for _, parent := range parents {
		if _, found := parent.Field(id); found {
			d.checkReadField(path, name, parent, id, types)
			continue
		}
		for _, root := range d.c.library.rootsAbove(parent) {
			if _, found := root.Field(id); !found {
				d.fault(path, "«%s» legge il campo «%s», che non hanno né il workflow «%s» né, sopra di lui, «%s»", name, id, d.Workflow, root.Workflow)
				continue
			}
			d.checkReadField(path, name, root, id, types)
		}
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
