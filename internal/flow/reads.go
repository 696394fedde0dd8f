package flow

import (
	"reflect"
	"slices"
	"strings"
)

// Read is what one call of a guard or effect looks at: what its parameters name and what its function reads by itself.
type Read struct {
	Fields       []string            // of the case; a name that the case lacks is looked for above
	ParentFields []string            // of the parent, or of the root
	Inputs       []string            // of the event, or fields of the same name
	Registers    map[string][]string // with the columns; none: all of them
}

// Reads returns what a call with these parameters looks at.
func (w Word) Reads(params any) Read {
	r := Read{Registers: map[string][]string{}}
	for id := range w.Fields {
		r.Fields = append(r.Fields, id)
	}
	for id := range w.AnyFields {
		r.Fields, r.ParentFields = append(r.Fields, id), append(r.ParentFields, id)
	}
	for id := range w.ParentFields {
		r.ParentFields = append(r.ParentFields, id)
	}
	for id, columns := range w.Registers {
		for column := range columns {
			r.Registers[id] = append(r.Registers[id], column)
		}
	}
	eachParam(params, func(what string, v reflect.Value) {
		if term, ok := v.Interface().(Term); ok {
			r.Fields, r.ParentFields = append(r.Fields, term.Field), append(r.ParentFields, term.ParentField)
			return
		}
		for _, id := range paramIDs(v) {
			switch what {
			case "field":
				r.Fields = append(r.Fields, id)
			case "parent_field":
				r.ParentFields = append(r.ParentFields, id)
			case "given":
				r.Fields, r.Inputs = append(r.Fields, id), append(r.Inputs, id)
			case "register":
				r.Registers[id] = nil
			}
		}
	})
	absent := func(id string) bool { return id == "" }
	r.Fields, r.ParentFields = slices.DeleteFunc(r.Fields, absent), slices.DeleteFunc(r.ParentFields, absent)
	return r
}

// NeedsOf is what must be loaded for a call with these parameters: what the word says, and what its declarations imply.
func (w Word) NeedsOf(params any) Need {
	what := w.Needs
	if len(w.ParentFields)+len(w.AnyFields) > 0 {
		what |= NeedParent
	}
	if len(w.Registers) > 0 {
		what |= NeedRows
	}
	if len(w.Events) > 0 {
		what |= NeedPast
	}
	if len(w.Documents) > 0 {
		what |= NeedDocuments
	}
	eachParam(params, func(tag string, v reflect.Value) {
		term, isTerm := v.Interface().(Term)
		if isTerm && term.ParentField != "" || strings.HasPrefix(tag, "parent_") && len(paramIDs(v)) > 0 {
			what |= NeedParent
		}
	})
	return what
}

// eachParam visits the parameters of a call with what each names.
func eachParam(params any, visit func(what string, v reflect.Value)) {
	v := reflect.ValueOf(params)
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		visit(paramTag(v.Type().Field(i)), v.Field(i))
	}
}

// paramIDs are the names that a parameter gives, none when it is absent.
func paramIDs(v reflect.Value) []string {
	var ids []string
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			ids = append(ids, v.String())
		}
	case reflect.Slice:
		for i := range v.Len() {
			ids = append(ids, v.Index(i).String())
		}
	}
	return ids
}
