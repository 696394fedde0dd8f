package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// by is on whose account an event fires.
type by struct {
	person bool // a person asked; else the system or the parent case
	role   string
	body   string
	cause  int64 // seq of the event that brought it about
}

// ask is an event to be decided.
type ask struct {
	raw       map[string]any
	copied    store.Values // values given to a new case, by field
	effective time.Time    // zero: from the input, or now
	by        by
	// blind is for Options, before anything was typed: guards that read what the event asks for are left for later.
	blind bool
}

// step is an event ready to happen: everything checked, nothing changed yet.
type step struct {
	n         *node
	ev        *flow.Event
	by        by
	blind     bool
	inputs    store.Values
	in        inputs
	effective time.Time
	draft     *store.Case  // the case with field inputs applied
	before    store.Values // its data as it was
	rows      map[string][]store.Row
	newRows   []store.Row
	changed   []store.Row
	rowsOf    map[string][]store.Values // rows by input, as `open for_each` reads them
	move      flow.Move
	to        string
	refusals  []Refusal
	warnings  []Refusal
	limits    []audit.LimitUsed
	documents []audit.Attached
	accepted  []noted
}

// prepare checks an event on a case and says where it would lead. Refusals and warnings are collected in the step; the
// error is for what makes the request itself wrong (*Invalid) or impossible here (*Refused with code event_not_here).
func (w *world) prepare(n *node, ev *flow.Event, a ask) (*step, error) {
	moves := movesFor(n, ev)
	if len(moves) == 0 {
		return nil, &Refused{Event: ev.ID, Refusals: []Refusal{*w.notHere(n, ev)}}
	}
	s := &step{n: n, ev: ev, by: a.by, blind: a.blind, effective: a.effective}
	var problems []Problem
	s.in, problems = w.readInputs(n, ev, a.raw, a.by.person && !a.blind)
	if s.effective.IsZero() {
		var late *Problem
		if s.effective, late = effectiveTime(ev, s.in, w.now); late != nil {
			problems = append(problems, *late)
		}
	}
	if len(problems) > 0 {
		return nil, &Invalid{problems}
	}
	s.inputs = s.in.values
	s.applyInputs(a.copied)
	f := w.facts(n, s)
	unknown := readsOf(ev, a.blind)
	s.sort(f.check(known(ev.Guards, unknown), false))
	s.sort(f.check(known(ev.Warns, unknown), true))
	s.needDocuments(w, f)
	if ev.Rectify {
		s.sort(w.rectifiable(n))
	}
	if a.by.person {
		s.warnings = append(s.warnings, w.doubtful(s)...)
	}
	if err := w.choose(s, f, moves, unknown); err != nil {
		return nil, err
	}
	s.limits = f.limitsUsed()
	return s, nil
}

// movesFor returns the event's moves that leave from where the case stands; for a case about to begin, the opening ones.
func movesFor(n *node, ev *flow.Event) []flow.Move {
	if n.fresh && n.c.State == "" {
		return slices.DeleteFunc(slices.Clone(ev.Moves), func(m flow.Move) bool { return !m.Opens })
	}
	return n.def.MovesFrom(ev.ID, n.c.State)
}

// sort puts refusals where they belong: those that block, and those to acknowledge.
func (s *step) sort(found []Refusal) {
	for _, r := range found {
		if r.Soft {
			s.warnings = append(s.warnings, r)
		} else {
			s.refusals = append(s.refusals, r)
		}
	}
}

// applyInputs makes the tentative case and rows that guards look at.
func (s *step) applyInputs(copied store.Values) {
	draft := *s.n.c
	draft.Data = s.n.c.Data.Clone()
	maps.Copy(draft.Data, copied)
	for i := range s.ev.Inputs { // what is given to a field is given to the input that sets it
		in := &s.ev.Inputs[i]
		if v, ok := copied[in.Field]; ok && in.Kind == flow.InputField {
			if _, typed := s.inputs[in.ID]; !typed {
				s.inputs[in.ID] = v
			}
		}
	}
	for id, v := range s.in.fields {
		if v == nil {
			delete(draft.Data, id)
		} else {
			draft.Data[id] = v
		}
	}
	s.draft, s.rows, s.rowsOf = &draft, maps.Clone(s.n.rows), map[string][]store.Values{}
	for i := range s.ev.Inputs {
		decl := &s.ev.Inputs[i]
		for _, values := range s.in.rows[decl.ID] {
			if decl.Kind == flow.InputRow {
				s.addRow(decl, values)
			} else {
				s.changeRow(decl, values)
			}
		}
	}
}

func (s *step) addRow(decl *flow.Input, values store.Values) {
	rows := s.rows[decl.Register]
	r := store.Row{CaseID: s.n.c.ID, Register: decl.Register, Row: len(rows) + 1, Data: values}
	s.rows[decl.Register] = append(slices.Clone(rows), r)
	s.newRows = append(s.newRows, r)
	s.rowsOf[decl.ID] = append(s.rowsOf[decl.ID], values)
}

func (s *step) changeRow(decl *flow.Input, values store.Values) {
	number := values[rowNumber].(int64) // readRows has checked it
	rows := slices.Clone(s.rows[decl.Register])
	for i, r := range rows {
		if int64(r.Row) != number {
			continue
		}
		r.Data = r.Data.Clone()
		for k, v := range values {
			if k != rowNumber {
				r.Data[k] = v
			}
		}
		rows[i] = r
		s.changed = append(s.changed, r)
		s.rowsOf[decl.ID] = append(s.rowsOf[decl.ID], r.Data)
	}
	s.rows[decl.Register] = rows
}

// doubtful are the codes given whose check characters do not match: nobody publishes the rule, so they only warn.
func (w *world) doubtful(s *step) []Refusal {
	var out []Refusal
	look := func(decl *flow.Input, column string, t flow.Type, v any) {
		for _, text := range flow.Warnings(t, v) {
			out = append(out, Refusal{Code: "checksum", Text: text, Soft: true, rests: typed(w.e.inputGround(s.n.c, s.n.def, s.ev, decl, column))})
		}
	}
	for i := range s.ev.Inputs {
		decl := &s.ev.Inputs[i]
		if v, ok := s.inputs[decl.ID]; ok && v != nil {
			look(decl, "", decl.Type, v)
		}
		for _, row := range s.in.rows[decl.ID] {
			for _, c := range decl.Columns {
				if v, ok := row[c.ID]; ok {
					look(decl, c.ID, c.Type, v)
				}
			}
		}
	}
	return out
}

// needDocuments refuses when a type the event demands is not there, and notes the hashes of those that are.
func (s *step) needDocuments(w *world, f *Facts) {
	for _, id := range s.ev.Documents {
		if d, ok := f.Documents[id]; ok {
			s.documents = append(s.documents, audit.Attached{Type: id, SHA256: d.SHA256})
			continue
		}
		label := Text{IT: id, EN: id}
		if t, ok := s.n.def.Document(id); ok {
			label = t.Label
		}
		s.refusals = append(s.refusals, *refuse("document_missing", "document", label.IT, "document_en", label.EN, "type", id))
	}
}

// choose takes the first move whose conditions hold and finds where it leads; looplab's machine confirms the step.
func (w *world) choose(s *step, f *Facts, moves []flow.Move, unknown reads) error {
	pick := func(moves []flow.Move) (flow.Move, string, error) {
		for _, m := range moves {
			if len(f.check(known(m.If, unknown), false)) > 0 {
				continue
			}
			to, err := target(s, m)
			return m, to, err
		}
		return flow.Move{}, "", &Refused{Event: s.ev.ID, Refusals: []Refusal{*refuse("no_way_on")}}
	}
	if s.n.fresh && s.n.c.State == "" { // nothing to leave from: a case begins where its opening move says
		m, to, err := pick(moves)
		s.move, s.to = m, to
		return err
	}
	taken, err := s.n.def.Walk(context.Background(), s.n.c.State, s.ev.ID, pick)
	if err != nil {
		var refused *Refused
		if errors.As(err, &refused) {
			return refused
		}
		return err
	}
	s.move, s.to = taken.Move, taken.To
	return nil
}

// target resolves where a move leads. Before anything is typed, the first possible state stands for a choice.
func target(s *step, m flow.Move) (string, error) {
	switch {
	case m.To.Same:
		return s.n.c.State, nil
	case m.To.Previous:
		if s.n.c.Previous == "" {
			return "", &Refused{Event: s.ev.ID, Refusals: []Refusal{*refuse("no_previous")}}
		}
		return s.n.c.Previous, nil
	case m.To.Input != "":
		chosen, _ := s.in.values[m.To.Input].(string)
		if chosen == "" && s.blind {
			return m.To.Among[0], nil
		}
		if chosen == "" {
			return "", &Invalid{[]Problem{problem("/inputs/"+m.To.Input, "choice_missing")}}
		}
		if !slices.Contains(m.To.Among, chosen) {
			return "", &Invalid{[]Problem{problem("/inputs/"+m.To.Input, "choice_unknown")}}
		}
		return chosen, nil
	}
	return m.To.State, nil
}

// permit finds in which role the actor fires the event, or says who may.
func (w *world) permit(n *node, ev *flow.Event) (by, error) {
	if w.who.IsSystem() && slices.Contains(ev.By, flow.By{Role: "system"}) {
		return by{role: "system"}, nil // an import, a scenario: only what the workflow leaves to the system
	}
	allowed := eventRoles(ev, w.agreement)
	role, body, ok := standing(w.who, allowed, n.c.MemberBody, n.c.SUA)
	if !ok {
		return by{}, &Forbidden{Action: ev.ID, Roles: allowed, Text: roleMissing(allowed).Text}
	}
	return by{person: true, role: role, body: body}, nil
}

func roleMissing(allowed []string) *Refusal {
	if len(allowed) == 0 {
		return refuse("role_system")
	}
	names := roleNames(allowed)
	return refuse("role_missing", "roles", names.IT, "roles_en", names.EN)
}

// decide is the whole decision for a person's event: permission, guards, warnings, then everything that follows from it.
func (w *world) decide(n *node, cmd Fire) (*happening, error) {
	ev, ok := n.def.Event(cmd.Event)
	if !ok {
		return nil, &Invalid{[]Problem{problem("/event", "event_unknown", "event", cmd.Event)}}
	}
	account, err := w.permit(n, ev)
	if err != nil {
		return nil, err
	}
	s, err := w.prepare(n, ev, ask{raw: cmd.Inputs, by: account})
	if err != nil {
		return nil, err
	}
	if ev.Rectify {
		s.sort(w.rectifiable(n))
	}
	s.refusals, s.warnings = w.discreet(s.refusals), w.veil(s.warnings)
	if err := s.settle(cmd.Acknowledge); err != nil {
		return nil, err
	}
	h, err := w.commit(s)
	var refused *Refused
	if errors.As(err, &refused) { // by what would follow from it
		return nil, &Refused{Event: refused.Event, Refusals: w.discreet(refused.Refusals)}
	}
	return h, err
}

// rectifiable says why a mistake may not be mended here: the parent has ended, or the SUA wants two people and this one did
// what is to be mended.
func (w *world) rectifiable(n *node) []Refusal {
	var out []Refusal
	if p := w.parent(n); p != nil && p.c.Outcome != "" {
		if decl, ok := p.def.Child(n.c.Child); !ok || !decl.Outlives {
			out = append(out, *refuse("parent_ended"))
		}
	}
	if !w.e.cfg.TwoPeople {
		return out
	}
	var last store.Fired
	for _, f := range n.past {
		if f.Seq > last.Seq {
			last = f
		}
	}
	if last.Actor == w.who.ID {
		out = append(out, *refuse("two_people"))
	}
	return out
}

// settle refuses, or asks for the acknowledgement of warnings, or lets the step through.
func (s *step) settle(acks []Acknowledgement) error {
	if len(s.refusals) > 0 {
		return &Refused{Event: s.ev.ID, Refusals: s.refusals}
	}
	var open []Refusal
	for _, warning := range s.warnings {
		asked := warning.shown()
		i := slices.IndexFunc(acks, func(a Acknowledgement) bool { return a.Code == asked.Code })
		if i < 0 {
			open = append(open, asked)
			continue
		}
		if strings.TrimSpace(acks[i].Reason) == "" {
			return &Invalid{[]Problem{problem(fmt.Sprintf("/acknowledge/%d/reason", i), "reason_required")}}
		}
		s.accepted = append(s.accepted, note(warning, acks[i].Reason))
	}
	if len(open) > 0 {
		return &NeedsAcknowledgement{Event: s.ev.ID, Warnings: oneVeil(open)}
	}
	return nil
}

// notHere says that an event is not possible where the case stands, where it is, and what comes first on the way there.
func (w *world) notHere(n *node, ev *flow.Event) *Refusal {
	state := w.stateLabel(n)
	r := refuse("event_not_here", "event", ev.Label.IT, "event_en", ev.Label.EN, "state", state.IT, "state_en", state.EN)
	next, from := n.def.Way(n.c.State, n.c.Previous, ev.ID)
	if n.c.State == "" || len(from) == 0 {
		return r
	}
	where := n.stateList(from)
	params := []string{"event", ev.Label.IT, "event_en", ev.Label.EN, "state", state.IT, "state_en", state.EN, "states", where.IT, "states_en", where.EN}
	if next == nil {
		r.Text = say("event_elsewhere", params)
		return r
	}
	who := w.whoFires(next)
	r.Text = say("event_later", append(params, "next", next.Label.IT, "next_en", next.Label.EN, "who", who.IT, "who_en", who.EN))
	return r
}

// stateList names the first few states: a sentence, not a table.
func (n *node) stateList(ids []string) Text {
	const few = 3
	var it, en []string
	for i, id := range ids {
		if i == few {
			it, en = append(it, "…"), append(en, "…")
			break
		}
		if st, ok := n.def.State(id); ok {
			it, en = append(it, "«"+st.Label.IT+"»"), append(en, "“"+st.Label.EN+"”")
		}
	}
	return Text{IT: strings.Join(it, ", "), EN: strings.Join(en, ", ")}
}

// whoFires names the roles that may fire an event, or what does when nobody may.
func (w *world) whoFires(ev *flow.Event) Text {
	allowed := eventRoles(ev, w.agreement)
	if len(allowed) == 0 && slices.Contains(ev.By, flow.By{Role: "parent"}) {
		return roleLabel("parent").Label
	}
	if len(allowed) == 0 {
		return say("by_itself", nil)
	}
	return roleNames(allowed)
}

// roleNames lists roles as people call them.
func roleNames(ids []string) Text {
	var it, en []string
	for _, l := range labelled(ids) {
		it, en = append(it, l.Label.IT), append(en, l.Label.EN)
	}
	return Text{IT: strings.Join(it, ", "), EN: strings.Join(en, ", ")}
}

func (w *world) stateLabel(n *node) Text {
	if st, ok := n.def.State(n.c.State); ok {
		return st.Label
	}
	return Text{IT: n.c.State, EN: n.c.State}
}
