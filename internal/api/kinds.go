package api

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The kinds of value in the JSON. Each carries its own limits into the description, so that no text, number or list can be
// published without (AgID's rules for public APIs ask for it) and a request is checked against what is published.
type (
	ident      string // id of a case, body, person, event, role …
	line       string // one line of text: a name
	prose      string // what people read, lines and all
	hash       string // SHA-256 in lower-case hexadecimal
	instant    string // RFC 3339, UTC
	day        string // YYYY-MM-DD
	count      int64  // something counted from 0
	span       int64  // days from one day to another, negative when it comes before
	cents      int64  // euro cents
	cursor     string // where the next page begins
	etag       string // "revision" in double quotes
	precond    string // value of If-Match
	repeatKey  string // value of Idempotency-Key
	pointer    string // RFC 6901
	reference  string // a relative URL
	mediaType  string
	headerText string
)

var identShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*$`)

const (
	longText  = 20_000
	manyItems = 1_000
	manyCents = 900_000_000_000_000
	manyCount = 1 << 53 // exact in every JSON reader
)

func text(pattern string, most int) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern, MaxLength: &most}
}

func formatted(format string, most int) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: format, MaxLength: &most}
}

func whole(least, most float64) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: &most}
}

func (ident) Schema(huma.Registry) *huma.Schema   { return text(identShape.String(), 120) }
func (line) Schema(huma.Registry) *huma.Schema    { return text(`^[^\x00-\x1f\x7f]*$`, 500) }
func (prose) Schema(huma.Registry) *huma.Schema   { return text(`^[^\x00]*$`, longText) }
func (hash) Schema(huma.Registry) *huma.Schema    { return text(`^[0-9a-f]{64}$`, 64) }
func (instant) Schema(huma.Registry) *huma.Schema { return formatted("date-time", 40) }
func (day) Schema(huma.Registry) *huma.Schema     { return formatted("date", 10) }
func (count) Schema(huma.Registry) *huma.Schema   { return whole(0, manyCount) }
func (span) Schema(huma.Registry) *huma.Schema    { return whole(-100_000, 100_000) }
func (cents) Schema(huma.Registry) *huma.Schema   { return whole(-manyCents, manyCents) }
func (cursor) Schema(huma.Registry) *huma.Schema  { return text(`^[A-Za-z0-9_=-]+$`, 8_000) }
func (etag) Schema(huma.Registry) *huma.Schema    { return text(`^"[0-9]{1,18}"$`, 20) }
func (precond) Schema(huma.Registry) *huma.Schema {
	return text(`^("[1-9][0-9]{0,17}"|[1-9][0-9]{0,17})$`, 20)
}
func (repeatKey) Schema(huma.Registry) *huma.Schema { return text(`^[!-~]{1,200}$`, 200) }
func (pointer) Schema(huma.Registry) *huma.Schema   { return formatted("json-pointer", 1_000) }
func (reference) Schema(huma.Registry) *huma.Schema { return formatted("uri-reference", 10_000) }
func (mediaType) Schema(huma.Registry) *huma.Schema {
	return text(`^[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?[A-Za-z0-9=.+-]+)*$`, 200)
}
func (headerText) Schema(huma.Registry) *huma.Schema { return text(`^[ -~]*$`, 10_000) }

// stamp writes a time; the zero time is left out of the JSON.
func stamp(t time.Time) instant {
	if t.IsZero() {
		return ""
	}
	return instant(t.UTC().Format(time.RFC3339Nano))
}

func stampAt(t *time.Time) instant {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

// list is a list of bounded length that is [] when empty, never null.
type list[T any] []T

// MarshalJSON writes [] for an absent list.
func (l list[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// TransformSchema bounds it.
func (list[T]) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	most := manyItems
	s.Nullable, s.MaxItems = false, &most
	return s
}

// each converts a list.
func each[T, U any](in []T, f func(T) U) list[U] {
	out := make(list[U], len(in))
	for i := range in {
		out[i] = f(in[i])
	}
	return out
}

// scalar is a value of a field, column or input in its canonical form.
type scalar struct{ value any }

// MarshalJSON writes the value itself.
func (s scalar) MarshalJSON() ([]byte, error) { return json.Marshal(s.value) }

// IsZero leaves an absent value out.
func (s scalar) IsZero() bool { return s.value == nil }

// Schema describes what a value may be.
func (scalar) Schema(huma.Registry) *huma.Schema { return scalarSchema() }

func scalarSchema() *huma.Schema {
	return &huma.Schema{
		Description: "Valore canonico: testo, vero/falso o numero intero (gli importi in centesimi di euro, le percentuali come testo, le date YYYY-MM-DD, gli istanti RFC 3339 UTC).",
		OneOf:       []*huma.Schema{text(`^[^\x00]*$`, longText), {Type: huma.TypeBoolean}, whole(-manyCount, manyCount)},
	}
}

func objectOf(values *huma.Schema) *huma.Schema {
	most := manyItems
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: values, MaxProperties: &most}
}

// values are scalars by id of field or column.
type values map[string]any

// Schema describes the map.
func (values) Schema(huma.Registry) *huma.Schema { return objectOf(scalarSchema()) }

// anyInput is what an input may hold: a scalar, a row (object) or rows (objects with the key "row").
func anyInput() *huma.Schema {
	most := manyItems
	row := objectOf(scalarSchema())
	return &huma.Schema{AnyOf: []*huma.Schema{scalarSchema(), row, {Type: huma.TypeArray, Items: row, MaxItems: &most}}}
}

// toldValue is what an event was given or changed.
type toldValue struct{ value any }

// MarshalJSON writes the value itself.
func (v toldValue) MarshalJSON() ([]byte, error) { return json.Marshal(v.value) }

// IsZero leaves an absent value out.
func (v toldValue) IsZero() bool { return v.value == nil }

// Schema describes what it may be.
func (toldValue) Schema(huma.Registry) *huma.Schema { return anyInput() }

// inputs are what an event is given, by id.
type inputs map[string]any

// Schema describes what any event may be given; which inputs one event takes is in its own schema (options, workflows).
func (inputs) Schema(huma.Registry) *huma.Schema { return objectOf(anyInput()) }

// jsonSchema is a JSON Schema 2020-12 document made by package flow.
type jsonSchema map[string]any

// Schema describes it as an object only: its own dialect says the rest.
func (jsonSchema) Schema(huma.Registry) *huma.Schema {
	most := manyItems
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{}, MaxProperties: &most, Description: "Documento JSON Schema 2020-12."}
}

// dateTime is a parameter that takes an instant or a day.
type dateTime string

func (dateTime) Schema(huma.Registry) *huma.Schema {
	return text(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2}))?$`, 40)
}
