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
	ChildFields  map[string][]string // of the cases under a declared child
	Below        map[string][]string // of the cases of a workflow, below this one or its parent or root
}

// Reads returns what a call with these parameters looks at.
func (w Word) Reads(params any) Read {
	r := Read{Registers: map[string][]string{}, ChildFields: map[string][]string{}, Fields: slices.Clone(w.Peeks), Below: w.PeekBelow}
	var children, childFields []string
	for id, columns := range w.PeekRows {
		r.Registers[id] = slices.Clone(columns)
	}
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
			case "children":
				children = append(children, id)
			case "child_fields":
				childFields = append(childFields, id)
			}
		}
	})
	for _, id := range children {
		if len(childFields) > 0 {
			r.ChildFields[id] = childFields
		}
	}
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

// Counting returns the limits and the counting rule that the parameters of a call name; the rule is empty when they name none.
func Counting(params any) (keys []string, rule string) {
	v := reflect.ValueOf(params)
	if v.Kind() != reflect.Struct {
		return nil, ""
	}
	for i := range v.NumField() {
		check, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("flow"), ",")
		f := v.Field(i)
		term, isTerm := f.Interface().(Term)
		switch {
		case isTerm:
			keys = append(keys, term.Keys()...)
		case check == "limit" && f.Kind() == reflect.String && f.String() != "":
			keys = append(keys, f.String())
		case check == "rule":
			rule = f.String()
		}
	}
	return keys, rule
}

// CountedBy returns, for a key of the limits, every rule by which deadlines and guards of the newest workflows count it, with the
// workflows that do.
func (l *Library) CountedBy(key string) map[string][]string {
	out := map[string][]string{}
	for _, d := range l.all {
		if l.latest[d.Workflow] != d {
			continue
		}
		used := map[string]bool{}
		for _, deadline := range d.Deadlines {
			if slices.Contains(deadline.Term.Keys(), key) && deadline.Counted != "" {
				used[deadline.Counted] = true
			}
		}
		for c := range d.calls {
			if keys, rule := Counting(c.Params); rule != "" && slices.Contains(keys, key) {
				used[rule] = true
			}
		}
		for rule := range used {
			out[rule] = append(out[rule], d.Workflow)
		}
	}
	return out
}

// calls yields every guard that a definition names.
func (d *Definition) calls(yield func(Call) bool) {
	var all []Call
	for _, deadline := range d.Deadlines {
		all = append(all, deadline.BlockedBy...)
	}
	for _, e := range d.Events {
		all = append(append(all, e.Guards...), e.Warns...)
		for _, m := range e.Moves {
			all = append(all, m.If...)
		}
		for _, a := range e.Then {
			all = append(all, a.If...)
		}
	}
	for _, c := range all {
		if !yield(c) {
			return
		}
	}
}
