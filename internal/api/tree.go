package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/province-comuni/sua/internal/engine"
)

// parseTree reads one JSON value: map[string]any, []any, string, bool, json.Number or nil.
func parseTree(data []byte) (any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, malformed("il corpo manca: serve un oggetto JSON")
	}
	if !utf8.Valid(data) {
		return nil, malformed("il corpo non è in UTF-8")
	}
	if tree, ok := plainTree(data); ok {
		return tree, nil
	}
	return tokenTree(data)
}

// plainTree reads a value as encoding/json does, and takes it if it is sound: one value, not too deep, no key written twice. Reading
// token by token, which says what is wrong and where, costs three times as much: encoding/json prepares an error at each string.
func plainTree(data []byte) (any, bool) {
	members, deep := survey(data)
	if deep > maxDepth {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) != nil || len(bytes.Trim(data[dec.InputOffset():], " \t\r\n")) > 0 || countMembers(tree) != members {
		return nil, false
	}
	return tree, true
}

// survey counts the members of all objects in a text that is JSON, by the colons outside strings, and how deep it is nested.
func survey(data []byte) (members, deepest int) {
	inside, depth := false, 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			inside = !inside
		case c == '\\' && inside:
			i++
		case inside:
		case c == ':':
			members++
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return members, deepest
}

// countMembers counts what is left of the members: of those with the same key one.
func countMembers(tree any) (n int) {
	switch v := tree.(type) {
	case map[string]any:
		n = len(v)
		for _, below := range v {
			n += countMembers(below)
		}
	case []any:
		for _, below := range v {
			n += countMembers(below)
		}
	}
	return n
}

// tokenTree reads the value token by token and says what is wrong.
func tokenTree(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tree, err := parseValue(dec, "", 0)
	if err == nil {
		if _, end := dec.Token(); !errors.Is(end, io.EOF) {
			err = malformed("dopo l'oggetto JSON c'è altro")
		}
	}
	if err == nil {
		return tree, nil
	}
	if known := new(Problem); errors.As(err, &known) || engine.Kind(err) == engine.KindInvalid {
		return nil, err
	}
	return nil, malformed(fmt.Sprintf("il corpo non è JSON valido, al byte %d", dec.InputOffset()))
}

func parseValue(dec *json.Decoder, at string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, malformed(fmt.Sprintf("il JSON è annidato oltre %d livelli", maxDepth))
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(dec, at, depth)
	case json.Delim('['):
		items := []any{}
		for dec.More() {
			item, err := parseValue(dec, at+"/"+strconv.Itoa(len(items)), depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err := dec.Token()
		return items, err
	}
	return token, nil
}

func parseObject(dec *json.Decoder, at string, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder lets nothing else stand here
		below := at + "/" + escape(key)
		if _, twice := object[key]; twice {
			return nil, &engine.Invalid{Problems: []engine.Problem{fault(below, "duplicate", "il campo è scritto due volte", "the field is written twice")}}
		}
		if object[key], err = parseValue(dec, below, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}
