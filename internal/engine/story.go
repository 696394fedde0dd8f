package engine

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// story is the open part of an event: what everybody who sees the case may read.
type story struct {
	Inputs       map[string]any   `json:"inputs,omitempty"`
	Fields       map[string]any   `json:"fields,omitempty"` // fields that changed, new values (null: emptied)
	Rows         []rowStory       `json:"rows,omitempty"`
	Acknowledged []noted          `json:"acknowledged,omitempty"`
	Deadlines    []DeadlineChange `json:"deadlines,omitempty"`
	Opened       []string         `json:"opened,omitempty"`
	Document     *documentStory   `json:"document,omitempty"`
	Deadline     string           `json:"deadline,omitempty"`   // the term whose expiry brought the event about, or that it changed by hand
	Born         *bornStory       `json:"born,omitempty"`       // with the event that begins the case
	RulesDate    string           `json:"rules_date,omitempty"` // when the event froze it, or the case took it over
	Erased       []int64          `json:"erased,omitempty"`     // events of the tree whose personal part was emptied
	Source       json.RawMessage  `json:"source,omitempty"`     // an imported row as it was: an object; the last member, see encode
}

// secretStory is the secret part: the same things, of fields and registers that the workflow hides for a time.
type secretStory struct {
	Inputs       map[string]any `json:"inputs,omitempty"`
	Fields       map[string]any `json:"fields,omitempty"`
	Rows         []rowStory     `json:"rows,omitempty"`
	Acknowledged []noted        `json:"acknowledged,omitempty"`
}

type rowStory struct {
	Register string       `json:"register"`
	Row      int          `json:"row"`
	Values   store.Values `json:"values"`
}

// bornStory is what a case has from its beginning and keeps: its place in the tree, its owners, where it was imported from.
type bornStory struct {
	Parent     string `json:"parent,omitempty"`
	Child      string `json:"child,omitempty"`
	Ordinal    int    `json:"ordinal,omitempty"`
	MemberBody string `json:"member_body"`
	SUA        string `json:"sua"`
	Source     string `json:"source,omitempty"`
	SourceKey  string `json:"source_key,omitempty"`
}

type documentStory struct {
	ID, Type, Name, SHA256 string
	Size                   int64
}

// noteInputs puts what was given into the part where it belongs: personal, secret or open. An input that goes into a secret field is
// secret too. Fields and rows are noted as changes, not twice.
func (h *happening) noteInputs(e *Engine, s *step) {
	for i := range s.ev.Inputs {
		decl := &s.ev.Inputs[i]
		v, ok := s.inputs[decl.ID]
		if !ok || decl.Kind != flow.InputValue || v == nil {
			continue
		}
		switch {
		case decl.Personal || decl.Type == flow.TypePerson:
			h.personal[decl.ID] = v
		case len(e.secretsOf(s.n.def, s.ev, decl.ID)) > 0:
			put(&h.secret.Inputs, decl.ID, v)
		default:
			put(&h.story.Inputs, decl.ID, v)
		}
	}
	for _, r := range append(append([]store.Row(nil), s.newRows...), s.changed...) {
		h.noteRow(s.n.def, r)
	}
	for id, v := range s.draft.Data {
		if old, had := s.before[id]; !had || !reflect.DeepEqual(old, v) {
			h.noteField(s.n.def, id, v)
		}
	}
	for id, v := range s.in.fields {
		if v == nil {
			h.noteField(s.n.def, id, nil)
		}
	}
}

func (h *happening) noteRow(def *flow.Definition, r store.Row) {
	note := rowStory{Register: r.Register, Row: r.Row, Values: r.Data}
	if reg, ok := def.Register(r.Register); ok && reg.Secret != nil {
		h.secret.Rows = append(h.secret.Rows, note)
	} else {
		h.story.Rows = append(h.story.Rows, note)
	}
}

func (h *happening) noteField(def *flow.Definition, id string, v any) {
	if f, ok := def.Field(id); ok && f.Secret != nil {
		put(&h.secret.Fields, id, v)
		return
	}
	if f, ok := def.Field(id); ok && f.Type == flow.TypePerson {
		h.personal[personalField+id] = v
		return
	}
	put(&h.story.Fields, id, v)
}

// In the personal part inputs stand by their own id, fields after personalField, and who the case is assigned to after
// personalPlace.
const (
	personalField = "field:"
	personalPlace = "case:"
	placeOfficer  = personalPlace + "officer"
	placeRUP      = personalPlace + "rup"
)

// placed is what a case has beside state, fields and rows: noted when it changes, so that the story alone rebuilds the case.
type placed struct{ officer, rup, rulesDate string }

func (n *node) place() placed { return placed{n.c.Officer, n.c.RUP, n.c.RulesDate} }

// notePlace notes who the case is assigned to and its rules date where they are other than the story has told, and of a new
// case where it stands.
func (h *happening) notePlace() {
	n, now := h.n, h.n.place()
	if n.fresh && h.from == "" {
		h.story.Born = &bornStory{n.c.Parent, n.c.Child, n.c.Ordinal, n.c.MemberBody, n.c.SUA, n.c.Source, n.c.SourceKey}
	}
	if now.rulesDate != n.told.rulesDate {
		h.story.RulesDate = now.rulesDate
	}
	if now.officer != n.told.officer {
		h.personal[placeOfficer] = now.officer
	}
	if now.rup != n.told.rup {
		h.personal[placeRUP] = now.rup
	}
	n.told = now
}

func put(m *map[string]any, k string, v any) {
	if *m == nil {
		*m = map[string]any{}
	}
	(*m)[k] = v
}

// parts serialises the three pieces of an event; empty ones stay empty.
func (h *happening) parts() (audit.Parts, error) {
	var out audit.Parts
	for _, p := range []struct {
		to    *audit.Part
		v     any
		empty bool
	}{
		{&out.Open, h.story, reflect.ValueOf(h.story).IsZero()},
		{&out.Secret, h.secret, reflect.ValueOf(h.secret).IsZero()},
		{&out.Personal, h.personal, len(h.personal) == 0},
	} {
		if p.empty {
			continue
		}
		b, err := encode(p.v)
		if err != nil {
			return out, fmt.Errorf("story of %s: %w", h.event, err)
		}
		*p.to = audit.NewPart(b)
	}
	return out, nil
}

// encode writes a part. The row of an import is put in as it is: encoding/json would read it once more, and there are millions.
func encode(part any) ([]byte, error) {
	s, ok := part.(story)
	source := s.Source
	if !ok || source == nil {
		return json.Marshal(part)
	}
	s.Source = nil
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1]
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(append(append(b, `"source":`...), source...), '}'), nil
}
