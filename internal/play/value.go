package play

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/flow"
)

// Words cuts a line of a scenario into words as playing it would: at spaces outside quotes and brackets, without the comment. The error
// is for quotes or brackets that stay open.
func Words(line string) ([]string, error) { return split(strings.TrimSpace(line)) }

// split cuts a line into words at spaces outside quotes and brackets; # at the start of a word ends the line.
func split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	depth, quoted := 0, false
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range line {
		switch {
		case quoted:
			quoted = r != '"'
		case r == '"':
			quoted = true
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case r == '#' && word.Len() == 0 && depth == 0:
			return words, nil
		case (r == ' ' || r == '\t') && depth == 0:
			end()
			continue
		}
		word.WriteRune(r)
	}
	end()
	if quoted {
		return nil, errors.New("virgolette non chiuse")
	}
	if depth != 0 {
		return nil, errors.New("parentesi non chiuse")
	}
	return words, nil
}

// unquote takes the quotes off a value that has them.
func unquote(s string) (string, error) {
	if !strings.Contains(s, `"`) {
		return s, nil
	}
	if len(s) < 2 || s[0] != '"' || strings.IndexByte(s[1:], '"') != len(s)-2 {
		return "", fmt.Errorf("virgolette fuori posto in %s", s)
	}
	return s[1 : len(s)-1], nil
}

// parseValue reads a bare or quoted text, null, {column:value, …} or [{…}, …]. Texts stay texts: their type comes later.
func parseValue(s string) (any, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "null":
		return any(nil), nil // the value that empties a field
	case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}"):
		return parseRow(s[1 : len(s)-1])
	case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
		list := []any{}
		for _, item := range items(s[1 : len(s)-1]) {
			v, err := parseValue(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return unquote(s)
}

func parseRow(s string) (map[string]any, error) {
	row := map[string]any{}
	for _, item := range items(s) {
		key, text, found := strings.Cut(item, ":")
		key = strings.TrimSpace(key)
		if !found || !nameShape.MatchString(key) {
			return nil, fmt.Errorf("«%s»: serve colonna:valore", strings.TrimSpace(item))
		}
		v, err := parseValue(text)
		if err != nil {
			return nil, err
		}
		row[key] = v
	}
	return row, nil
}

// items cuts at commas outside quotes and brackets; empty pieces are dropped.
func items(s string) []string {
	var out []string
	depth, quoted, from := 0, false, 0
	cut := func(to int) {
		if strings.TrimSpace(s[from:to]) != "" {
			out = append(out, s[from:to])
		}
		from = to + 1
	}
	for i, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case r == ',' && depth == 0:
			cut(i)
		}
	}
	cut(len(s))
	return out
}

// typed reads raw inputs as the event declares them. What is not declared or cannot be read is handed on as it is: the engine
// says what is wrong with it.
func (t *tale) typed(ev *flow.Event, raw map[string]any) map[string]any {
	out := map[string]any{}
	for id, v := range raw {
		in, found := ev.Input(id)
		switch {
		case !found:
			out[id] = v
		case in.Kind == flow.InputRow || in.Kind == flow.InputRows:
			out[id] = t.typedRows(in.Columns, v)
		default:
			out[id] = t.typedValue(in.Type, in.Of, v)
		}
	}
	return out
}

func (t *tale) typedRows(columns []flow.Column, v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = t.typedRows(columns, item)
		}
		return list
	case map[string]any:
		row := map[string]any{}
		for id, value := range v {
			row[id] = value
			for _, c := range columns {
				if c.ID == id {
					row[id] = t.typedValue(c.Type, c.Of, value)
				}
			}
			if text, ok := value.(string); ok && id == "row" {
				if n, err := strconv.ParseInt(text, 10, 64); err == nil {
					row[id] = n
				}
			}
		}
		return row
	}
	return v
}

func (t *tale) typedValue(typ flow.Type, of []flow.Choice, v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	if typ == flow.TypePerson {
		if actor, found := t.cast[text]; found {
			return actor.ID
		}
	}
	if value, err := flow.ParseForm(typ, of, text); err == nil {
		return value
	}
	return text
}
