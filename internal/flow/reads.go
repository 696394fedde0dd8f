package flow

import (
	"reflect"
	"slices"
	"strings"
)

// Reads returns the fields and registers that the parameters of a call name, by their flow tags.
func Reads(params any) (fields, registers []string) {
	v := reflect.ValueOf(params)
	if v.Kind() != reflect.Struct {
		return nil, nil
	}
	for i := range v.NumField() {
		check, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("flow"), ",")
		switch f := v.Field(i); {
		case check == "field" && f.Kind() == reflect.String:
			fields = append(fields, f.String())
		case check == "field" && f.Kind() == reflect.Slice:
			for j := range f.Len() {
				fields = append(fields, f.Index(j).String())
			}
		case check == "register":
			registers = append(registers, f.String())
		}
	}
	return fields, registers
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
	}
	for _, c := range all {
		if !yield(c) {
			return
		}
	}
}
