package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// commit makes a prepared step happen in the world: the case moves, terms start and end, children open and are told, the
// parent joins. Any error leaves the world unusable: the request is refused as a whole.
func (w *world) commit(s *step) (*happening, error) {
	n, from := s.n, s.n.c.State
	s.before = n.c.Data
	h := w.happen(s, from)
	w.move(s, h.seq)
	for _, a := range s.ev.Then { // a term that the event meets is met, also where the event leaves its states
		if a.Verb == flow.VerbStop {
			w.endTerm(n, h, n.running(a.Deadline), store.Met)
		}
	}
	w.leaveTerms(n, h)
	if s.ev.Rectify {
		w.undoTerms(n, h)
		w.reviveTerms(n, h)
	}
	for _, a := range s.ev.Then {
		if !w.applies(s, a) {
			continue
		}
		if err := w.act(s, h, a); err != nil {
			return nil, err
		}
	}
	if err := w.endsWell(n, from); err != nil {
		return nil, err
	}
	w.syncColumns(n)
	h.notePlace()
	if s.move.To.Same {
		return h, nil // no join can begin to hold, and not every sister case was read
	}
	return h, w.join(n, h)
}

// move gives the case its new values and state.
func (w *world) move(s *step, seq int64) {
	n := s.n
	was := n.c.State
	for i := range s.newRows {
		s.newRows[i].ChangedSeq = seq
	}
	n.c.Data, n.rows = s.draft.Data, s.rows
	n.newRows = append(n.newRows, s.newRows...)
	for _, r := range s.changed {
		r.ChangedSeq = seq
		n.changedRows[rowKey{r.Register, r.Row}] = r
	}
	if s.to != was {
		n.c.Previous = was
	}
	n.c.State = s.to
	if st, ok := n.def.State(s.to); ok {
		n.c.Stage, n.c.Outcome = st.Stage, st.Final
	}
	if !strings.Contains(n.c.Visited, " "+s.to+" ") {
		n.c.Visited += " " + s.to + " "
	}
	switch {
	case n.c.Outcome == "":
		n.c.EndedAt = nil
	case n.c.EndedAt == nil: // what happens after the end moves it no more
		n.c.EndedAt = &w.now
	}
	n.c.Revision++
	n.c.UpdatedAt = w.now
	n.changed = true
}

// happen records the step in the story of its tree.
func (w *world) happen(s *step, from string) *happening {
	root := w.root(s.n)
	h := &happening{
		n: s.n, root: root, event: s.ev.ID, from: from, to: s.to, seq: w.nextSeq(root), effective: s.effective, actor: w.who.ID,
		role: s.by.role, body: s.by.body, cause: s.by.cause, limits: s.limits, documents: s.documents, personal: map[string]any{},
	}
	if !s.by.person && h.role == "" {
		h.role = "system"
	}
	h.noteAccepted(s.accepted)
	h.noteInputs(w.e, s)
	w.happened = append(w.happened, h)
	return h
}

// applies reports whether the conditions of a line of `then` hold, on the case as the lines before have left it.
func (w *world) applies(s *step, a flow.Action) bool {
	if len(a.If) == 0 {
		return true
	}
	s.draft, s.rows = s.n.c, s.n.rows
	return len(w.facts(s.n, s).check(a.If, false)) == 0
}

// act carries out one line of `then`.
func (w *world) act(s *step, h *happening, a flow.Action) error {
	n := s.n
	switch a.Verb {
	case flow.VerbSet:
		if v, ok := s.given(a); ok {
			n.c.Data[a.Field] = v
			h.noteField(n.def, a.Field, v)
		}
	case flow.VerbClear:
		if _, had := n.c.Data[a.Field]; had {
			delete(n.c.Data, a.Field)
			h.noteField(n.def, a.Field, nil)
		}
	case flow.VerbFix:
		n.c.RulesDate = calendar.DateOf(w.now).String()
	case flow.VerbAssign:
		w.assign(s, a)
	case flow.VerbStart, flow.VerbRestart, flow.VerbStop, flow.VerbSuspend, flow.VerbResume, flow.VerbExtend:
		return w.term(s, h, a)
	case flow.VerbOpen:
		return w.openChildren(s, h, a)
	case flow.VerbOpenLinked:
		return w.openLinked(s, h, a)
	case flow.VerbTell:
		return w.tell(s, h, a)
	case flow.VerbNotify:
		w.notify(n, h, a.Template, a.To)
	case flow.VerbRun:
		return w.run(s, h, a.Effect)
	default:
		return fmt.Errorf("event %s: unknown verb %q", s.ev.ID, a.Verb)
	}
	return nil
}

// given is the value that `set` gives to a field: one that the workflow fixes, the day or instant at which the event took
// effect, or an input, which may be missing.
func (s *step) given(a flow.Action) (any, bool) {
	if a.Value != nil {
		return a.Value, true
	}
	if a.From != flow.FromEffective {
		v, ok := s.inputs[a.From]
		return v, ok
	}
	f, ok := s.n.def.Field(a.Field)
	if !ok {
		return nil, false
	}
	if f.Type == flow.TypeDate {
		return calendar.DateOf(s.effective).String(), true
	}
	v, err := flow.Parse(flow.TypeInstant, nil, s.effective.Format(time.RFC3339Nano))
	return v, err == nil
}

// assign gives the case its RUP or its officer: the person named by the input, or the one who acts.
func (w *world) assign(s *step, a flow.Action) {
	person, _ := s.inputs[a.From].(string)
	if person == "" && s.by.person {
		person = w.who.ID
	}
	if person == "" {
		return
	}
	if roles[a.Role].Side == flow.SideMember {
		s.n.c.RUP = person
	} else {
		s.n.c.Officer = person
	}
}

// run applies a named effect: the fields and rows that it changes.
func (w *world) run(s *step, h *happening, call flow.Call) error {
	n := s.n
	s.draft, s.rows = n.c, n.rows
	f := w.facts(n, s)
	changes, err := effects[call.Name].Apply(f, call.Params)
	if err != nil {
		return err
	}
	for _, l := range f.limitsUsed() { // the event rests on these numbers too
		if !slices.Contains(h.limits, l) {
			h.limits = append(h.limits, l)
		}
	}
	for id, v := range changes.Fields {
		n.c.Data[id] = v
		h.noteField(n.def, id, v)
	}
	for _, r := range changes.Rows {
		r.CaseID, r.ChangedSeq = n.c.ID, h.seq
		h.noteRow(n.def, r)
		n.changedRows[rowKey{r.Register, r.Row}] = r
		for i, old := range n.rows[r.Register] {
			if old.Row == r.Row {
				n.rows[r.Register] = slices.Clone(n.rows[r.Register])
				n.rows[r.Register][i] = r
			}
		}
	}
	return nil
}

// tell fires an event on every child of a declaration that stands where the event may leave from. A child whose guard
// refuses refuses the whole. The values that `copy` names become fields of each child, as when it is opened.
func (w *world) tell(s *step, h *happening, a flow.Action) error {
	n := s.n
	for _, child := range w.children(n, a.Children) {
		ev, ok := child.def.Event(a.Event)
		if !ok || len(child.def.MovesFrom(a.Event, child.c.State)) == 0 {
			continue
		}
		if child.c.RulesDate == "" {
			child.c.RulesDate = n.c.RulesDate
		}
		if _, err := w.follow(child, ev, h, "parent", w.copied(s, a.Copy, nil, child.def)); err != nil {
			return err
		}
	}
	return nil
}

// follow makes an event happen because another did, at the same effective time.
func (w *world) follow(n *node, ev *flow.Event, cause *happening, role string, copied store.Values) (*happening, error) {
	s, err := w.prepare(n, ev, ask{effective: cause.effective, copied: copied, by: by{role: role, cause: cause.seq}})
	if err != nil {
		return nil, err
	}
	if len(s.refusals) > 0 {
		return nil, &Refused{Event: ev.ID, Refusals: s.refusals}
	}
	return w.commit(s)
}

// join moves the parent when this case's move completes what the parent waits for.
func (w *world) join(n *node, h *happening) error {
	p := w.parent(n)
	if p == nil {
		return nil
	}
	for _, j := range p.def.Joins {
		if j.Children != n.c.Child || !w.joined(p, j) {
			continue
		}
		ev, ok := p.def.Event(j.Fire)
		if !ok || len(p.def.MovesFrom(j.Fire, p.c.State)) == 0 {
			continue // not waiting for it now: tried again at each child's move
		}
		s, err := w.prepare(p, ev, ask{effective: h.effective, by: by{role: "system", cause: h.seq}})
		if as[*Refused](err) {
			continue // no way on for now
		}
		if err != nil {
			return err
		}
		if len(s.refusals) > 0 {
			continue
		}
		if _, err := w.commit(s); err != nil {
			return err
		}
	}
	return nil
}

// joined reports whether the children stand as a join asks.
func (w *world) joined(p *node, j flow.Join) bool {
	there := func(c *node) bool {
		if j.Final && c.c.Outcome != "" {
			return true
		}
		return slices.Contains(j.States, c.c.State)
	}
	children := w.children(p, j.Children)
	if j.All {
		return len(children) > 0 && !slices.ContainsFunc(children, func(c *node) bool { return !there(c) })
	}
	return slices.ContainsFunc(children, there)
}

// endsWell refuses a final state while a child goes on that may not outlive its parent. What happens after the end looks only
// at the children that it opens itself: the others were looked at when the case ended.
func (w *world) endsWell(n *node, from string) error {
	if n.c.Outcome == "" {
		return nil
	}
	st, known := n.def.State(from)
	was := known && st.Final != ""
	for _, decl := range n.def.Children {
		if decl.Outlives {
			continue
		}
		for _, c := range w.children(n, decl.ID) {
			if c.c.Outcome == "" && (c.fresh || !was) {
				return &Refused{Refusals: []Refusal{*refuse("children_open", "children", decl.Label.IT, "children_en", decl.Label.EN, "state", w.stateLabel(c).IT, "state_en", w.stateLabel(c).EN)}}
			}
		}
	}
	return nil
}

// syncColumns copies the fields that lists sort and filter by into their columns.
func (w *world) syncColumns(n *node) {
	text := func(id string) string { s, _ := n.c.Data[id].(string); return s }
	n.c.Title, n.c.CIG, n.c.CUP = text("title"), text("cig"), text("cup")
	n.c.Amount = nil
	if cents, ok := n.c.Data["amount"].(int64); ok {
		n.c.Amount = &cents
	}
	words := w.e.parties.bodyName(n.c.MemberBody)
	for _, id := range []string{"title", "cig", "cup", "number"} { // what is secret is not found by its words either
		if f, ok := n.def.Field(id); ok && (sight{visited: n.c.Visited}).sees(f.Secret, "") {
			words += " " + text(id)
		}
	}
	n.c.Search = fold(words)
}

var errNoWorkflow = errors.New("the workflow of a new case is not in the library")
