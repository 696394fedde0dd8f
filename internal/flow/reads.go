package flow

import (
	"reflect"
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
