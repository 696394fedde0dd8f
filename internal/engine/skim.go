package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/store"
)

// skim is the quick look of an audit at the trees of a range. It finds out which trees are certainly well, by the same checks as
// survey on bytes instead of values. It never says what is wrong: a tree that it does not understand is surveyed. So it may be
// strict where that is quicker, and must take nothing that survey would not take.
//
// One worker uses one skim for range after range: what it made is used again.
type skim struct {
	v         *verifier
	cases     []*skimmed // of the range, in order; longer ones of earlier ranges wait behind them
	of        map[string]*skimmed
	documents []store.Document
	odd       map[string]bool // roots of trees to be surveyed
	now       *skimmed        // the root case of the tree whose events come by
	chain     audit.Swift
	glimpse   audit.Glimpse
	names     map[string]string // of fields, each once
	pinned    string            // the last definition that was found well
	values    []byte            // the values of fields that events told
}

// skimmed is a case and what its events tell so far; of a root also how its tree was found.
type skimmed struct {
	held          surveyedCase // its rows, documents and terms
	has           store.SkimCase
	told          replayed
	spoken, ended bool
	cases, events int64
	bytes         int64
}

func newSkim(v *verifier) *skim {
	return &skim{v: v, of: map[string]*skimmed{}, odd: map[string]bool{}, names: map[string]string{}}
}

// look skims a range and returns what of it is well, counted, with the roots of the trees that must be surveyed.
func (s *skim) look(ctx context.Context, r store.Range) (counts Verification, odd map[string]bool, err error) {
	s.cases, s.documents, s.now, s.values = s.cases[:0], nil, nil, nil
	clear(s.of)
	s.odd = map[string]bool{}
	err = s.v.e.db.SkimTrees(ctx, r, store.Skim{
		Case: s.addCase,
		Row: func(r store.Row) {
			if c := s.of[r.CaseID]; c != nil {
				c.held.rows = append(c.held.rows, r)
			}
		},
		Document: func(d store.Document) {
			s.documents = append(s.documents, d)
			if c := s.of[d.CaseID]; c != nil {
				c.held.documents = append(c.held.documents, d)
			}
		},
		Deadline: func(d store.Deadline) {
			if c := s.of[d.CaseID]; c != nil {
				c.held.deadlines = append(c.held.deadlines, d)
			}
		},
		Event: s.event,
	})
	if err != nil {
		return counts, nil, err
	}
	s.close()
	for _, c := range s.cases {
		root := s.of[c.has.Root]
		if root == nil || !root.ended || root.has.Root != root.has.ID || !s.odd[c.has.Root] && (!c.spoken || !s.as(c)) {
			s.odd[c.has.Root] = true
		} else {
			root.cases++
		}
	}
	for _, c := range s.cases {
		if c.has.ID == c.has.Root && !s.odd[c.has.ID] {
			counts.Trees, counts.Cases, counts.Events, counts.Bytes = counts.Trees+1, counts.Cases+c.cases, counts.Events+c.events, counts.Bytes+c.bytes
		}
	}
	return counts, s.odd, nil
}

func (s *skim) addCase(has store.SkimCase) {
	n := len(s.cases)
	if n < cap(s.cases) && s.cases[:n+1][n] != nil {
		s.cases = s.cases[:n+1]
	} else {
		s.cases = append(s.cases, &skimmed{})
	}
	c := s.cases[n]
	fields := c.told.fields
	clear(fields)
	*c = skimmed{has: has, told: replayed{id: has.ID, fields: fields}}
	s.of[has.ID] = c
}

// event checks the next event, or leaves its tree to the survey.
func (s *skim) event(ev *store.SkimEvent) {
	if s.now == nil || string(ev.Root) != s.now.has.ID {
		s.close()
		if s.now = s.of[string(ev.Root)]; s.now == nil || s.now.events > 0 {
			s.odd[string(ev.Root)] = true
			s.now = nil
			return
		}
		s.chain.Reset()
	}
	t := s.now
	t.events++
	t.bytes += int64(len(ev.Header) + len(ev.Parts.Open.Body) + len(ev.Parts.Secret.Body) + len(ev.Parts.Personal.Body))
	if !s.odd[t.has.ID] && !s.fits(t, ev) {
		s.odd[t.has.ID] = true
	}
}

// close looks whether the chain ends where its root says.
func (s *skim) close() {
	if t := s.now; t != nil {
		if t.ended = s.chain.Ends(t.has.ChainSeq, t.has.ChainHash); !t.ended {
			s.odd[t.has.ID] = true
		}
	}
}

// fits checks chain, parts and columns of an event, as audit.Chain and survey.columns do, and rebuilds its case a little further.
func (s *skim) fits(t *skimmed, ev *store.SkimEvent) bool {
	g := &s.glimpse
	if !g.Read(ev.Header) || !s.chain.Add(g, &ev.Sealed) {
		return false
	}
	c := s.now
	if string(g.Case) != t.has.ID {
		c = s.of[string(g.Case)]
	}
	switch {
	case c == nil || c.has.Root != t.has.ID:
		return false
	case string(g.Root) != t.has.ID, string(ev.CaseID) != c.has.ID, g.Seq != ev.Seq, !bytes.Equal(g.Event, ev.Event), !bytes.Equal(g.Actor, ev.Actor),
		g.At != ev.At, g.Effective != ev.Effective:
		return false
	case string(ev.MemberBody) != c.has.MemberBody, string(ev.SUA) != c.has.SUA:
		return false
	}
	if string(g.Definition) != s.pinned {
		if !s.v.pinned[string(g.Definition)] {
			return false
		}
		s.pinned = string(g.Definition)
	}
	c.spoken = true
	return s.v.q.ChainsOnly || s.tell(c, g, ev)
}

// tell is survey.tellCase and replayed.replay on bytes. Erasures are for the survey.
func (s *skim) tell(c *skimmed, g *audit.Glimpse, ev *store.SkimEvent) bool {
	r := &c.told
	if string(g.From) != r.state || len(g.To) == 0 || string(g.Event) == eraseEvent {
		return false
	}
	attach := string(g.Event) == attachEvent
	at := time.UnixMicro(g.At).UTC()
	r.definition = s.pinned
	if !attach {
		if len(g.From) == 0 {
			r.opened = at
		}
		r.revision, r.moved = r.revision+1, at
		if string(g.To) != r.state {
			r.previous, r.state, r.entered = r.state, s.name(g.To), at
		}
		if !strings.Contains(r.visited, " "+r.state+" ") {
			r.visited += " " + r.state + " "
		}
	}
	for _, part := range [2][]byte{ev.Parts.Open.Body, ev.Parts.Secret.Body} {
		if len(part) > 0 && !s.account(r, g, part, attach) {
			return false
		}
	}
	return len(ev.Parts.Personal.Body) == 0 || s.personal(r, ev.Parts.Personal.Body)
}

// name keeps each name once: they are few and come often.
func (s *skim) name(b []byte) string {
	if n, ok := s.names[string(b)]; ok {
		return n
	}
	if len(s.names) > 10_000 {
		clear(s.names)
	}
	n := string(b)
	s.names[n] = n
	return n
}

// set notes the value of a field. The bytes of the event do not live on: it is copied, all of a range into one place.
func (s *skim) set(r *replayed, id, v []byte) {
	if string(v) == "null" {
		delete(r.fields, string(id))
		return
	}
	if r.fields == nil {
		r.fields = make(map[string]json.RawMessage, 16)
	}
	if old, ok := r.fields[string(id)]; ok && bytes.Equal(old, v) {
		return
	}
	if cap(s.values)-len(s.values) < len(v) {
		s.values = make([]byte, 0, max(64<<10, len(v)))
	}
	from := len(s.values)
	s.values = append(s.values, v...)
	r.fields[s.name(id)] = s.values[from:len(s.values):len(s.values)]
}

// account replays a part: fields on the bytes; what events seldom tell is decoded, that alone.
func (s *skim) account(r *replayed, g *audit.Glimpse, part []byte, attach bool) bool {
	var rare account
	decode := func(v []byte, into any) bool { return json.Unmarshal(v, into) == nil }
	special := false
	ok := members(part, func(name, v []byte) bool {
		switch string(name) {
		case "fields":
			return members(v, func(id, v []byte) bool { s.set(r, id, v); return true })
		case "source", "acknowledged", "opened", "deadline":
			return true
		case "inputs":
			if attach {
				special = true
				rare.Inputs = v
			}
			return true
		case "rows":
			special = true
			return decode(v, &rare.Rows)
		case "deadlines":
			special = true
			return decode(v, &rare.Deadlines)
		case "document":
			special = true
			return decode(v, &rare.Document)
		case "born":
			r.born = &bornStory{}
			return s.born(r.born, v)
		case "rules_date":
			day, ok := plainText(v)
			if ok && len(day) > 0 {
				r.rulesDate = s.name(day)
			}
			return ok
		}
		return false // whatever else it is: encoding/json reads names of any case
	})
	if !ok || !special {
		return ok
	}
	at, effective := time.UnixMicro(g.At).UTC(), time.UnixMicro(g.Effective).UTC()
	return r.apply(audit.Header{Seq: g.Seq, Event: s.name(g.Event), At: at, Effective: effective}, &rare) == nil
}

func (s *skim) born(to *bornStory, v []byte) bool {
	return members(v, func(name, v []byte) bool {
		if string(name) == "ordinal" {
			return json.Unmarshal(v, &to.Ordinal) == nil
		}
		text, ok := plainText(v)
		if !ok {
			return false
		}
		switch string(name) {
		case "parent":
			to.Parent = string(text)
		case "child":
			to.Child = s.name(text)
		case "member_body":
			to.MemberBody = s.name(text)
		case "sua":
			to.SUA = s.name(text)
		case "source":
			to.Source = s.name(text)
		case "source_key":
			to.SourceKey = string(text)
		default:
			return false
		}
		return true
	})
}

// personal is replayed.applyPersonal.
func (s *skim) personal(r *replayed, part []byte) bool {
	return members(part, func(name, v []byte) bool {
		if id, ok := bytes.CutPrefix(name, []byte(personalField)); ok {
			s.set(r, id, v)
			return true
		}
		var to *string
		switch string(name) {
		case placeOfficer:
			to = &r.officer
		case placeRUP:
			to = &r.rup
		default:
			return true
		}
		text, ok := plainText(v)
		if ok {
			*to = s.name(text)
		}
		return ok
	})
}

// as reports whether a case is as its events tell it: what Engine.differences finds, it finds too.
func (s *skim) as(c *skimmed) bool {
	if s.v.q.ChainsOnly {
		return true
	}
	has, r := &c.has, &c.told
	if has.State != r.state || has.Revision != r.revision || has.Hash != r.definition || has.Visited != r.visited || has.Previous != r.previous || has.OpenedAt != r.opened.UnixMicro() {
		return false
	}
	def, known := s.v.e.lib.ByHash(has.Hash)
	if !known || def == nil {
		return false
	}
	if st, ok := def.State(r.state); !ok || has.Workflow != def.Workflow || has.Version != int64(def.Version) || has.Stage != st.Stage || has.Outcome != st.Final {
		return false
	}
	if b := r.born; b == nil || has.Parent != b.Parent || has.Child != b.Child || has.Ordinal != int64(b.Ordinal) || has.MemberBody != b.MemberBody || has.SUA != b.SUA ||
		has.Source != b.Source || has.SourceKey != b.SourceKey || has.RulesDate != r.rulesDate || has.Officer != r.officer || has.RUP != r.rup {
		return false
	}
	if !sameFields(has, r.fields) {
		return false
	}
	if h := &c.held; len(h.rows)+len(r.rows) > 0 && len(rowDifferences(h, r)) > 0 || len(h.documents)+len(r.documents) > 0 && len(documentDifferences(h, r)) > 0 {
		return false
	}
	h := &c.held
	return len(strayBodies(h, has.MemberBody, has.SUA)) == 0 && len(sleepingTerms(h, s.v.now)) == 0 &&
		(len(h.deadlines)+len(r.deadlines) == 0 || len(termDifferences(def, h, r)) == 0)
}

// sameFields compares the data column, and what lists read beside it, with the fields that events told.
func sameFields(has *store.SkimCase, told map[string]json.RawMessage) bool {
	n := 0
	var last []byte
	byName, byLength := true, true // the orders in which SQLite's and PostgreSQL's columns stand: a name comes once
	title, cig, cup, amount := has.Title == "", has.CIG == "", has.CUP == "", has.Amount == ""
	ok := members([]byte(has.Data), func(name, v []byte) bool {
		if n > 0 {
			c := bytes.Compare(last, name)
			byName = byName && c < 0
			byLength = byLength && (len(last) < len(name) || len(last) == len(name) && c < 0)
		}
		last = name
		n++
		want, ok := told[string(name)]
		if !ok || !plainScalar(v) || !plainScalar(want) || !bytes.Equal(v, want) && !sameText(v, want) {
			return false
		}
		switch string(name) {
		case "title":
			title = isText(v, has.Title)
		case "cig":
			cig = isText(v, has.CIG)
		case "cup":
			cup = isText(v, has.CUP)
		case "amount":
			amount = v[0] != '-' && has.Amount == string(v)
		}
		return true
	})
	return ok && n == len(told) && (byName || byLength) && title && cig && cup && amount
}

// sameText compares two JSON strings that are spelled differently, as PostgreSQL spells what it keeps.
func sameText(a, b []byte) bool {
	if a[0] != '"' || b[0] != '"' {
		return false
	}
	var x, y string
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && x == y
}

// isText reports whether a JSON value is this string.
func isText(v []byte, want string) bool {
	if text, ok := plainText(v); ok {
		return string(text) == want
	}
	var x string
	return v[0] == '"' && json.Unmarshal(v, &x) == nil && x == want
}
