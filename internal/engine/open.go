package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Open begins a new tree on behalf of who. It returns *Invalid for an unknown workflow, body or input, *Forbidden when the
// actor may not open such cases for that body, *Refused and *NeedsAcknowledgement as Fire does.
func (e *Engine) Open(ctx context.Context, who auth.Actor, cmd Open) (Moved, error) {
	def, ev, err := e.opening(cmd)
	if err != nil {
		return Moved{}, err
	}
	memberBody, sua, err := e.owners(ctx, who, ev, cmd)
	if err != nil {
		return Moved{}, err
	}
	var moved Moved
	run := func() error {
		key := idemKey(who, "open", cmd.Key, cmd)
		return e.db.Create(ctx, scope(who), key, func(tx *store.Tx) error {
			if tx.Answer != nil {
				return answered(tx, &moved)
			}
			agreement, err := tx.LoadAgreement(memberBody, sua)
			if err != nil {
				return err
			}
			w := &world{e: e, now: tx.Now, who: who, nodes: map[string]*node{}, agreement: agreement}
			n := w.begin(def, nil, "", memberBody, sua)
			h, err := w.decide(n, Fire{Event: ev.ID, Inputs: cmd.Inputs, Acknowledge: cmd.Acknowledge})
			if err != nil {
				return err
			}
			moved = w.moved(h)
			return w.record(tx, key, moved)
		})
	}
	if err = run(); errors.Is(err, store.ErrConflict) && cmd.Key != "" {
		err = run() // the same request, a moment earlier: its answer is there now
	}
	return moved, err
}

// opening finds the workflow and the event that begins the case.
func (e *Engine) opening(cmd Open) (*flow.Definition, *flow.Event, error) {
	def, ok := e.lib.Latest(cmd.Workflow)
	if !ok {
		return nil, nil, &Invalid{[]Problem{problem("/workflow", "workflow_unknown", "workflow", cmd.Workflow)}}
	}
	openings := def.Openings()
	if cmd.Event == "" && len(openings) == 1 {
		return def, openings[0], nil
	}
	for _, ev := range openings {
		if ev.ID == cmd.Event {
			return def, ev, nil
		}
	}
	code := "event_unknown"
	if cmd.Event == "" {
		code = "opening_unclear"
	}
	return nil, nil, &Invalid{[]Problem{problem("/event", code, "event", cmd.Event)}}
}

// owners finds for which member body and SUA the case is opened: those named, or the only possible ones.
func (e *Engine) owners(ctx context.Context, who auth.Actor, ev *flow.Event, cmd Open) (memberBody, sua string, err error) {
	memberBody, sua = cmd.MemberBody, cmd.SUA
	if memberBody == "" {
		choices := e.openableFor(ctx, who, ev)
		if len(choices) != 1 {
			return "", "", &Invalid{[]Problem{problem("/member_body", "body_unclear")}}
		}
		memberBody = choices[0]
	}
	if _, ok := e.parties.body(memberBody); !ok {
		return "", "", &Invalid{[]Problem{problem("/member_body", "body_unknown")}}
	}
	if sua == "" {
		agreements, err := e.db.Agreements(ctx, memberBody)
		if err != nil {
			return "", "", err
		}
		if len(agreements) == 0 {
			return "", "", &Refused{Event: ev.ID, Refusals: []Refusal{*refuse("agreement_missing")}}
		}
		sua = agreements[0].SUA
	}
	if _, ok := e.parties.body(sua); !ok {
		return "", "", &Invalid{[]Problem{problem("/sua", "body_unknown")}}
	}
	if !scope(who).Sees(memberBody, sua) {
		return "", "", &Invalid{[]Problem{problem("/member_body", "body_unknown")}}
	}
	return memberBody, sua, nil
}

// openableFor returns the member bodies for which the actor may fire an opening event: the actor's own on the member side,
// those with an agreement on the SUA's.
func (e *Engine) openableFor(ctx context.Context, who auth.Actor, ev *flow.Event) []string {
	var out []string
	add := func(b string) {
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	allowed := eventRoles(ev, nil)
	for _, m := range who.Memberships {
		if !slices.Contains(allowed, m.Role) || m.Body == auth.AllBodies {
			continue
		}
		if roles[m.Role].Side == flow.SideMember {
			add(m.Body)
			continue
		}
		for _, b := range e.parties.membersOf(ctx, m.Body) {
			add(b)
		}
	}
	return out
}

// begin puts a case without state into the world; its opening event then gives it one.
func (w *world) begin(def *flow.Definition, parent *node, child, memberBody, sua string) *node {
	c := &store.Case{
		ID: w.e.cfg.NewID(), Workflow: def.Workflow, Version: def.Version, Hash: def.Hash,
		MemberBody: memberBody, SUA: sua, Data: store.Values{}, OpenedAt: w.now, UpdatedAt: w.now, Child: child,
	}
	c.Root = c.ID
	if parent != nil {
		c.Parent, c.Root, c.RulesDate = parent.c.ID, parent.c.Root, parent.c.RulesDate
		c.Officer, c.RUP = parent.c.Officer, parent.c.RUP
		c.Ordinal = len(w.children(parent, child)) + 1
	}
	n := newNode(c, def)
	n.fresh, n.told = true, placed{}
	w.nodes[c.ID] = n
	w.order = append(w.order, n)
	return n
}

// openChildren opens one child, or one for each row given, with the values that `copy` names.
func (w *world) openChildren(s *step, h *happening, a flow.Action) error {
	decl, ok := s.n.def.Child(a.Children)
	if !ok {
		return errNoWorkflow
	}
	def, ok := w.e.lib.Latest(decl.Workflow)
	if !ok {
		return errNoWorkflow
	}
	rows := []store.Values{nil}
	if a.ForEach != "" {
		rows = s.rowsOf[a.ForEach]
	}
	for _, row := range rows {
		child := w.begin(def, s.n, decl.ID, s.n.c.MemberBody, s.n.c.SUA)
		values := w.copied(s, a.Copy, row, def)
		for _, fixed := range a.Set {
			values[fixed.Field] = fixed.Value
		}
		if _, err := w.follow(child, def.Openings()[0], h, "parent", values); err != nil {
			return err
		}
		h.story.Opened = append(h.story.Opened, child.c.ID)
	}
	return nil
}

// openLinked begins another tree, tied to this case by a link.
func (w *world) openLinked(s *step, h *happening, a flow.Action) error {
	def, ok := w.e.lib.Latest(a.Workflow)
	if !ok {
		return errNoWorkflow
	}
	other := w.begin(def, nil, "", s.n.c.MemberBody, s.n.c.SUA)
	other.c.Officer, other.c.RUP = s.n.c.Officer, s.n.c.RUP
	// its chain is its own: the event that caused it stands in another tree, and the link says which
	first := &happening{effective: h.effective}
	if _, err := w.follow(other, def.Openings()[0], first, "system", w.copied(s, a.Copy, nil, def)); err != nil {
		return err
	}
	h.story.Opened = append(h.story.Opened, other.c.ID)
	w.links = append(w.links, store.Link{From: other.c.ID, To: s.n.c.ID, Kind: a.Link, MemberBody: s.n.c.MemberBody, SUA: s.n.c.SUA, At: w.now})
	return nil
}

// copied collects the values for another case: from the row, the inputs, the fields of this case, then of its parent and of
// its root. One from above that does not fit the field there, because that workflow means another thing by the name, is passed over.
func (w *world) copied(s *step, list []flow.Copied, row store.Values, to *flow.Definition) store.Values {
	out := store.Values{}
	for _, c := range list {
		if v, ok := w.lookUp(s, c, row, to); ok {
			out[c.To] = v
		}
	}
	return out
}

func (w *world) lookUp(s *step, c flow.Copied, row store.Values, to *flow.Definition) (any, bool) {
	for _, from := range []store.Values{row, s.inputs, s.n.c.Data} {
		if v, ok := from[c.From]; ok && v != nil {
			return v, true
		}
	}
	want, ok := to.Field(c.To)
	if !ok {
		return nil, false
	}
	for _, above := range []*node{w.parent(s.n), w.root(s.n)} {
		if above == nil || above == s.n {
			continue
		}
		f, declared := above.def.Field(c.From)
		v := above.c.Data[c.From]
		if !declared || v == nil || f.Type != want.Type {
			continue
		}
		if _, err := flow.Parse(want.Type, want.Of, v); err == nil {
			return v, true
		}
	}
	return nil, false
}
