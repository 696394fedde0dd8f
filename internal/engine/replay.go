package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// replayed is a case as the events of its story rebuild it, up to the last one given.
type replayed struct {
	id         string
	state      string
	previous   string // the state before it
	definition string // hash it followed at its last event
	revision   int64
	visited    string
	born       *bornStory // nil in stories written before it was noted
	rulesDate  string
	officer    string
	rup        string
	fields     map[string]json.RawMessage
	rows       map[rowKey]replayedRow
	documents  []replayedDocument
	deadlines  []replayedTerm
	erased     bool // a personal part was emptied: what it told is not known any more
	opened     time.Time
	moved      time.Time // when it last moved
	entered    time.Time // when it came into its state
}

type replayedRow struct {
	values map[string]json.RawMessage
	seq    int64
}

type replayedDocument struct {
	documentStory
	seq int64
}

// replayedTerm is a term after the last event that changed it. Since is when that event was recorded, Effective when it took effect.
type replayedTerm struct {
	DeadlineChange
	since, effective time.Time
}

// account is what the parts of an event tell of its case; values stay undecoded, because most are overwritten later.
type account struct {
	Fields    map[string]json.RawMessage `json:"fields"`
	Rows      []rowAccount               `json:"rows"`
	Deadlines []DeadlineChange           `json:"deadlines"`
	Document  *documentStory             `json:"document"`
	Born      *bornStory                 `json:"born"`
	RulesDate string                     `json:"rules_date"`
	Erased    []int64                    `json:"erased"`
	Inputs    json.RawMessage            `json:"inputs"`
}

type rowAccount struct {
	Register string                     `json:"register"`
	Row      int                        `json:"row"`
	Values   map[string]json.RawMessage `json:"values"`
}

// replay adds the next event of the case. The header must be one that was verified.
func (r *replayed) replay(h audit.Header, p audit.Parts) error {
	if h.From == "" && h.Event != attachEvent && h.Event != eraseEvent {
		r.opened = h.At
	}
	r.definition = h.Definition
	if h.Event != attachEvent && h.Event != eraseEvent {
		r.revision, r.moved = r.revision+1, h.At
		if r.state != h.To {
			r.previous, r.state, r.entered = r.state, h.To, h.At
		}
		if !strings.Contains(r.visited, " "+h.To+" ") {
			r.visited += " " + h.To + " "
		}
	}
	for _, part := range [][]byte{p.Open.Body, p.Secret.Body} {
		if len(part) == 0 {
			continue
		}
		var a account
		if err := json.Unmarshal(part, &a); err != nil {
			return fmt.Errorf("event %d: part unreadable: %w", h.Seq, err)
		}
		if err := r.apply(h, &a); err != nil {
			return err
		}
	}
	if h.Parts.Personal != "" && len(p.Personal.Salt) == 0 {
		r.erased = true
	}
	if len(p.Personal.Body) > 0 {
		var personal map[string]json.RawMessage
		if err := json.Unmarshal(p.Personal.Body, &personal); err != nil {
			return fmt.Errorf("event %d: part unreadable: %w", h.Seq, err)
		}
		return r.applyPersonal(personal)
	}
	return nil
}

func (r *replayed) apply(h audit.Header, a *account) error {
	for id, v := range a.Fields {
		r.set(id, v)
	}
	for _, row := range a.Rows {
		if r.rows == nil {
			r.rows = map[rowKey]replayedRow{}
		}
		r.rows[rowKey{row.Register, row.Row}] = replayedRow{row.Values, h.Seq}
	}
	for _, d := range a.Deadlines {
		r.term(h, d)
	}
	if a.Born != nil {
		r.born = a.Born
	}
	if a.RulesDate != "" {
		r.rulesDate = a.RulesDate
	}
	doc := a.Document
	if doc == nil && h.Event == attachEvent && len(a.Inputs) > 0 { // a secret document stands in the secret part
		var secret struct {
			Document *documentStory `json:"document"`
		}
		if err := json.Unmarshal(a.Inputs, &secret); err != nil {
			return fmt.Errorf("event %d: part unreadable: %w", h.Seq, err)
		}
		doc = secret.Document
	}
	if doc != nil && h.Event == attachEvent {
		r.documents = append(r.documents, replayedDocument{*doc, h.Seq})
	}
	return nil
}

func (r *replayed) applyPersonal(personal map[string]json.RawMessage) error {
	for id, v := range personal {
		field, isField := strings.CutPrefix(id, personalField)
		var to *string
		switch {
		case isField:
			r.set(field, v)
		case id == placeOfficer:
			to = &r.officer
		case id == placeRUP:
			to = &r.rup
		}
		if to == nil {
			continue
		}
		if err := json.Unmarshal(v, to); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

func (r *replayed) set(id string, v json.RawMessage) {
	if bytes.Equal(v, []byte("null")) {
		delete(r.fields, id)
		return
	}
	if r.fields == nil {
		r.fields = map[string]json.RawMessage{}
	}
	r.fields[id] = v
}

// term notes a change of a term: of the one that the same event had started, or, in stories older than that note, of the last
// one of the name.
func (r *replayed) term(h audit.Header, d DeadlineChange) {
	now := replayedTerm{d, h.At, h.Effective}
	for i := len(r.deadlines) - 1; i >= 0; i-- {
		old := &r.deadlines[i]
		if old.Name != d.Name || d.Started != 0 && old.Started != d.Started {
			continue
		}
		if d.Started == 0 && d.Status == store.Running && old.Status != store.Running && old.Status != store.Suspended {
			break // begun again
		}
		*old = now
		return
	}
	r.deadlines = append(r.deadlines, now)
}

// values decodes the fields.
func (r *replayed) values() (store.Values, error) { return scalars(r.fields) }

func scalars(raw map[string]json.RawMessage) (store.Values, error) {
	out := make(store.Values, len(raw))
	for id, b := range raw {
		v, err := decodeScalar(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		out[id] = v
	}
	return out, nil
}

// decodeScalar reads a value as the data columns hold it: text, truth value or integer.
func decodeScalar(b json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return plainNumber(v), nil
}

// status is the term's at an instant. One that only tells people is over without an event: its expiry is no act of anybody.
func (t *replayedTerm) status(def *flow.Definition, at time.Time) string {
	decl, ok := def.Deadline(t.Name)
	if ok && decl.Fire == "" && t.Status == store.Running && !t.Due.IsZero() && !t.Due.After(at) {
		return store.Expired
	}
	return t.Status
}
