package flow

// JSON Schema 2020-12 of what a definition asks for: the API publishes it and the tests of package api hold requests
// against it. It says no more than Parse accepts.

const dialect = "https://json-schema.org/draft/2020-12/schema"

// InputSchema is the schema of the `inputs` object of one event.
func (d *Definition) InputSchema(e *Event) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, in := range e.Inputs {
		properties[in.ID] = inputSchema(in)
		if !in.Optional {
			required = append(required, in.ID)
		}
	}
	schema := map[string]any{
		"type": "object", "title": e.Label.IT, "properties": properties, "required": required, "additionalProperties": false,
	}
	if e.Help.IT != "" {
		schema["description"] = e.Help.IT
	}
	return schema
}

// Schema describes the whole definition: the inputs of each event, the fields of the case and the rows of registers.
func (d *Definition) Schema() map[string]any {
	events, fields, registers := map[string]any{}, map[string]any{}, map[string]any{}
	for i := range d.Events {
		events[d.Events[i].ID] = d.InputSchema(&d.Events[i])
	}
	for _, f := range d.Fields {
		fields[f.ID] = describe(valueSchema(f.Type, f.Of), f.Label, f.Help)
	}
	for _, r := range d.Registers {
		registers[r.ID] = describe(rowSchema(r.Columns), r.Label, Text{})
	}
	return map[string]any{
		"$schema": dialect, "title": d.Label.IT,
		"$comment": d.Workflow + " " + d.Hash,
		"$defs": map[string]any{
			"events":    map[string]any{"type": "object", "properties": events},
			"fields":    object(fields),
			"registers": map[string]any{"type": "object", "properties": registers},
		},
	}
}

func object(properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
}

func inputSchema(in Input) map[string]any {
	switch in.Kind {
	case InputRow:
		return describe(rowSchema(in.Columns), in.Label, in.Help)
	case InputRows: // each item names the row it changes
		row := rowSchema(in.Columns)
		row["properties"].(map[string]any)["row"] = map[string]any{"type": "string", "title": "Riga", "minLength": 1, "maxLength": 64}
		row["required"] = []string{"row"}
		return describe(map[string]any{"type": "array", "items": row, "minItems": 1, "maxItems": 1000}, in.Label, in.Help)
	}
	return describe(valueSchema(in.Type, in.Of), in.Label, in.Help)
}

func rowSchema(columns []Column) map[string]any {
	properties := map[string]any{}
	for _, c := range columns {
		properties[c.ID] = describe(valueSchema(c.Type, c.Of), c.Label, Text{})
	}
	return object(properties)
}

func describe(schema map[string]any, label, help Text) map[string]any {
	schema["title"] = label.IT
	if help.IT != "" {
		schema["description"] = help.IT
	}
	return schema
}

// valueSchema says in JSON Schema what Parse checks; every text has a length and every number bounds.
func valueSchema(t Type, of []Choice) map[string]any {
	text := func(pattern string, most int) map[string]any {
		return map[string]any{"type": "string", "minLength": 1, "maxLength": most, "pattern": pattern}
	}
	switch t {
	case TypeBool:
		return map[string]any{"type": "boolean"}
	case TypeInt:
		return map[string]any{"type": "integer", "minimum": -maxInt, "maximum": maxInt}
	case TypeMoney:
		return map[string]any{"type": "integer", "minimum": -maxCents, "maximum": maxCents, "$comment": "centesimi di euro"}
	case TypePercent:
		return text(`^-?[0-9]{1,7}(\.[0-9]{1,10})?$`, 20)
	case TypeDate:
		return map[string]any{"type": "string", "format": "date", "minLength": 10, "maxLength": 10}
	case TypeInstant:
		return map[string]any{"type": "string", "format": "date-time", "minLength": 20, "maxLength": 40}
	case TypeChoice:
		choices := make([]any, len(of))
		for i, c := range of {
			choices[i] = map[string]any{"const": c.ID, "title": c.Label.IT}
		}
		return map[string]any{"type": "string", "oneOf": choices, "maxLength": 60}
	case TypeCIG:
		return text(`^[0-9A-Za-z]{10}$`, 10)
	case TypeCUP:
		return text(`^[0-9A-Za-z]{15}$`, 15)
	case TypeCUI:
		return text(`^[LFSlfs][0-9]{20}$`, 21)
	case TypeCPV:
		return text(`^[0-9]{8}(-[0-9])?$`, 10)
	case TypeNUTS:
		return text(`^[Ii][Tt][A-Za-z][0-9A-Za-z]{0,2}$`, 5)
	case TypeBody, TypePerson:
		return text(refShape.String(), 64)
	}
	return map[string]any{"type": "string", "minLength": 1, "maxLength": maxText}
}
