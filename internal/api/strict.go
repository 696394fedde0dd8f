package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/province-comuni/sua/internal/engine"
)

// Bodies are read here and not by huma or by encoding/json alone: a key written twice, in other case or unknown is refused, a
// number keeps its digits, nesting is bounded, and every fault is told at once, in Italian, at its pointer.

const (
	maxBody  = 1 << 20 // bytes of a JSON body
	maxDepth = 16      // inputs → rows → row → value is 5
)

// jsonBody reads bodies of one shape, which is also what the description publishes.
type jsonBody[T any] struct {
	registry huma.Registry
	schema   *huma.Schema
	patterns map[string]*regexp.Regexp // compiled once
	doc      *huma.RequestBody
}

func newJSONBody[T any](r *routes) jsonBody[T] {
	t := reflect.TypeFor[T]()
	ref := r.schema(t, true)
	b := jsonBody[T]{
		registry: r.api.OpenAPI().Components.Schemas,
		schema:   r.schema(t, false),
		patterns: map[string]*regexp.Regexp{},
		doc:      &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: ref}}},
	}
	b.compile(b.schema)
	return b
}

// compile prepares the patterns of a schema and of those below it.
func (b jsonBody[T]) compile(s *huma.Schema) {
	if s.Ref != "" {
		s = b.registry.SchemaFromRef(s.Ref)
	}
	if s.Pattern != "" {
		b.patterns[s.Pattern] = regexp.MustCompile(s.Pattern)
	}
	if s.Items != nil {
		b.compile(s.Items)
	}
	for _, below := range s.Properties {
		b.compile(below)
	}
}

// read returns the body, or a *Problem (form), or an *engine.Invalid (content).
func (b jsonBody[T]) read(w http.ResponseWriter, r *http.Request) (T, error) {
	var out T
	if !isJSON(r.Header.Get("Content-Type")) {
		return out, newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "il corpo va inviato come Content-Type: application/json")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return out, bodyFault(err, maxBody)
	}
	tree, err := parseTree(data)
	if err != nil {
		return out, err
	}
	if problems := b.check(nil, b.schema, tree, ""); len(problems) > 0 {
		return out, &engine.Invalid{Problems: problems}
	}
	if !fill(reflect.ValueOf(&out).Elem(), tree) { // checked above: only a gap between schema and type could bring us here
		return out, malformed("il corpo non ha la forma attesa")
	}
	return out, nil
}

func isJSON(contentType string) bool {
	const media = "application/json"
	if contentType == media { // nearly always
		return true
	}
	given, _, err := mime.ParseMediaType(contentType)
	return err == nil && given == media
}

// fill puts a checked tree into a value of the kinds that bodies are made of, without reading the text a second time.
func fill(into reflect.Value, tree any) bool {
	if tree != nil && into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	switch v := tree.(type) {
	case nil: // the same as absent
		return true
	case json.Number:
		n, err := v.Int64()
		if err == nil && into.CanInt() && !into.OverflowInt(n) {
			into.SetInt(n)
			return true
		}
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return true
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return true
		}
	case []any:
		if into.Kind() == reflect.Slice {
			into.Set(reflect.MakeSlice(into.Type(), len(v), len(v)))
			for i, item := range v {
				if !fill(into.Index(i), item) {
					return false
				}
			}
			return true
		}
	case map[string]any:
		if into.Kind() == reflect.Map && reflect.TypeOf(v).ConvertibleTo(into.Type()) {
			into.Set(reflect.ValueOf(v).Convert(into.Type()))
			return true
		}
		return into.Kind() == reflect.Struct && fillFields(into, v)
	}
	return false
}

func fillFields(into reflect.Value, object map[string]any) bool {
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		if !fill(into.Field(i), object[name]) {
			return false
		}
	}
	return true
}

// bodyFault tells a body too large from one that never arrived whole.
func bodyFault(err error, limit int64) *Problem {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return newProblem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("il corpo supera il massimo di %d byte", limit))
	}
	return malformed("il corpo non è arrivato per intero")
}

func malformed(detail string) *Problem { return newProblem(http.StatusBadRequest, "malformed", detail) }

func fault(at, code, it, en string) engine.Problem {
	return engine.Problem{Pointer: at, Code: code, Text: engine.Text{IT: it, EN: en}}
}

// escape makes a key a step of a JSON pointer, and keeps a pasted page out of the answer.
func escape(key string) string {
	if r := []rune(key); len(r) > 60 {
		key = string(r[:60]) + "…"
	}
	return pointerEscape.Replace(key)
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// check holds a value against the published schema and appends what is wrong. What an event takes inside inputs is the
// engine's to check: those schemas are anyOf, which is passed over here.
func (b jsonBody[T]) check(found []engine.Problem, s *huma.Schema, v any, at string) []engine.Problem {
	for s.Ref != "" {
		s = b.registry.SchemaFromRef(s.Ref)
	}
	switch s.Type {
	case huma.TypeObject:
		object, ok := v.(map[string]any)
		if !ok {
			return append(found, wrong(at, s))
		}
		return b.checkObject(found, s, object, at)
	case huma.TypeArray:
		items, ok := v.([]any)
		if !ok || (s.MaxItems != nil && len(items) > *s.MaxItems) {
			return append(found, wrong(at, s))
		}
		for i, item := range items {
			found = b.check(found, s.Items, item, at+"/"+strconv.Itoa(i))
		}
	case huma.TypeString:
		if str, ok := v.(string); !ok || !b.fits(s, str) {
			return append(found, wrong(at, s))
		}
	case huma.TypeInteger:
		n, ok := v.(json.Number)
		if i, err := n.Int64(); !ok || err != nil || float64(i) < *s.Minimum || float64(i) > *s.Maximum {
			return append(found, wrong(at, s))
		}
	case huma.TypeBoolean:
		if _, ok := v.(bool); !ok {
			return append(found, wrong(at, s))
		}
	}
	return found
}

func (b jsonBody[T]) checkObject(found []engine.Problem, s *huma.Schema, object map[string]any, at string) []engine.Problem {
	for _, name := range s.Required {
		if object[name] == nil {
			found = append(found, fault(at+"/"+name, "missing", "manca", "is missing"))
		}
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		below, known := s.Properties[name]
		switch {
		case known && object[name] == nil: // null is the same as absent
		case known:
			found = b.check(found, below, object[name], at+"/"+name)
		case s.AdditionalProperties == false:
			found = append(found, fault(at+"/"+escape(name), "unknown", "campo sconosciuto", "unknown field"))
		}
	}
	return found
}

// fits reports whether a text keeps to its length and pattern.
func (b jsonBody[T]) fits(s *huma.Schema, v string) bool {
	if s.MaxLength != nil && utf8.RuneCountInString(v) > *s.MaxLength {
		return false
	}
	return s.Pattern == "" || b.patterns[s.Pattern].MatchString(v)
}

func wrong(at string, s *huma.Schema) engine.Problem {
	it, en := expected(s)
	return fault(at, "type", "serve "+it, en+" is needed")
}

// expected says in words what a schema asks for.
func expected(s *huma.Schema) (it, en string) {
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return "uno fra " + strings.Join(words, ", "), "one of " + strings.Join(words, ", ")
	case s.Type == huma.TypeObject:
		return "un oggetto", "an object"
	case s.Type == huma.TypeArray:
		return fmt.Sprintf("una lista di al più %d elementi", *s.MaxItems), fmt.Sprintf("a list of at most %d items", *s.MaxItems)
	case s.Type == huma.TypeBoolean:
		return "true o false", "true or false"
	case s.Type == huma.TypeInteger:
		return fmt.Sprintf("un intero da %.0f a %.0f", *s.Minimum, *s.Maximum), fmt.Sprintf("a whole number from %.0f to %.0f", *s.Minimum, *s.Maximum)
	}
	form := s.Format
	if form == "" {
		form = s.Pattern
	}
	return fmt.Sprintf("un testo di al più %d caratteri nella forma %s", *s.MaxLength, form),
		fmt.Sprintf("a text of at most %d characters of the form %s", *s.MaxLength, form)
}
