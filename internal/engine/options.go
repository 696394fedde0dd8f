package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Options answers which events could happen to a case now, and why the others cannot, from the same guards that Fire uses. What
// guards read of the event's own inputs is checked when it fires. For one case, never for a list.
func (e *Engine) Options(ctx context.Context, who auth.Actor, id string) (Options, error) {
	var out Options
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		def, err := e.Definition(tx.Case.Hash)
		if err != nil {
			return err
		}
		w, n, err := e.loadNeeds(tx, who, needsFrom(def, tx.Case.State))
		if err != nil {
			return err
		}
		out = Options{Case: id, Revision: n.c.Revision, State: Labelled{n.c.State, w.stateLabel(n)}}
		for _, ev := range def.EventsFrom(n.c.State) {
			if len(eventRoles(ev, w.agreement)) == 0 {
				continue // happens by itself
			}
			o, err := w.option(n, ev)
			if err != nil {
				return err
			}
			out.Events = append(out.Events, o)
		}
		slices.SortStableFunc(out.Events, func(a, b Option) int { return order(a) - order(b) })
		return nil
	})
	return out, err
}

// WhyNot says why an event does not leave from the present state of a case: where the case is, where the event is possible, and
// what comes first on the way there. ErrNotFound when the workflow has no such event.
func (e *Engine) WhyNot(ctx context.Context, who auth.Actor, id, event string) (Refusal, error) {
	var out Refusal
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		w, n, err := e.loadNeeds(tx, who, flow.Needs{What: flow.NeedAgreement})
		if err != nil {
			return err
		}
		ev, ok := n.def.Event(event)
		if !ok {
			return ErrNotFound
		}
		out = *w.notHere(n, ev)
		return nil
	})
	return out, err
}

// order puts what can be done first, mistakes to mend last.
func order(o Option) int {
	switch {
	case o.Event == rectifyEvent:
		return 3
	case o.Allowed:
		return 0
	case o.Mine:
		return 1
	}
	return 2
}

// needsFrom unites what the events of a state need.
func needsFrom(def *flow.Definition, state string) flow.Needs {
	needs := flow.Needs{What: flow.NeedDocuments | flow.NeedAgreement | flow.NeedRows}
	for _, ev := range def.EventsFrom(state) {
		mine := eventNeeds(ev)
		needs = flow.Needs{What: needs.What | mine.What, Tree: needs.Tree || mine.Tree}
	}
	return needs
}

// option looks at one event with the actor's eyes.
func (w *world) option(n *node, ev *flow.Event) (Option, error) {
	allowed := eventRoles(ev, w.agreement)
	_, permission := w.permit(n, ev)
	o := Option{Event: ev.ID, Label: ev.Label, Help: ev.Help, Law: ev.Law, Mine: permission == nil, Roles: labelled(allowed), Inputs: ev.Inputs}
	seen := look(w.who, n.c)
	o.Current = current(n, ev, seen)
	o.To, o.Lead = destinations(n, ev), leadOf(n.def, ev, n.c.State, n.c.Previous)
	o.Guarded, o.Stops = len(ev.Guards) > 0, stops(ev)
	for _, id := range ev.Documents {
		t, ok := n.def.Document(id)
		if !ok {
			t = &flow.DocumentType{ID: id, Label: Text{IT: id, EN: id}}
		}
		present := slices.ContainsFunc(n.documents, func(d store.Document) bool { return d.Type == id })
		o.Documents = append(o.Documents, Needed{*t, present})
	}
	if permission != nil {
		o.Refusals = []Refusal{*roleMissing(allowed)}
		return o, nil
	}
	s, err := w.prepare(n, ev, ask{blind: true, by: by{person: true}})
	var refused *Refused
	var invalid *Invalid
	switch {
	case errors.As(err, &refused):
		o.Refusals = w.discreet(refused.Refusals)
	case errors.As(err, &invalid): // nothing was typed: nothing can be wrong with it
	case err != nil:
		return o, err
	default:
		o.Refusals = w.discreet(s.refusals)
		for _, r := range w.veil(s.warnings) {
			o.Warnings = append(o.Warnings, r.shown())
		}
		o.Warnings = oneVeil(o.Warnings)
	}
	o.Apart = apart(o.Refusals)
	o.Allowed = len(o.Refusals) == 0
	return o, nil
}

// current returns the present values of what the event would change, by input: a field's value, a register's rows.
func current(n *node, ev *flow.Event, seen sight) map[string]any {
	out := map[string]any{}
	for _, in := range ev.Inputs {
		switch in.Kind {
		case flow.InputField:
			f, ok := n.def.Field(in.Field)
			if v, has := n.c.Data[in.Field]; ok && has && seen.sees(f.Secret, "") {
				out[in.ID] = v
			}
		case flow.InputRows:
			if r, ok := n.def.Register(in.Register); ok {
				out[in.ID] = registerView(n, *r, seen).Rows
			}
		}
	}
	return out
}

// destinations are the states to which the event may lead from here.
func destinations(n *node, ev *flow.Event) []Labelled {
	var out []Labelled
	add := func(id string) {
		if st, ok := n.def.State(id); ok && !slices.ContainsFunc(out, func(l Labelled) bool { return l.ID == id }) {
			out = append(out, Labelled{id, st.Label})
		}
	}
	for _, m := range n.def.MovesFrom(ev.ID, n.c.State) {
		switch {
		case m.To.Same:
			add(n.c.State)
		case m.To.Previous:
			add(n.c.Previous)
		case m.To.Input != "":
			for _, id := range m.To.Among {
				add(id)
			}
		default:
			add(m.To.State)
		}
	}
	return out
}

// Openings returns the ways in which the actor may begin a new case, and for which bodies.
func (e *Engine) Openings(ctx context.Context, who auth.Actor) ([]Opening, error) {
	if err := e.parties.refresh(ctx); err != nil {
		return nil, err
	}
	var out []Opening
	for _, def := range e.lib.Roots() {
		for _, ev := range def.Openings() {
			bodies := e.openableFor(ctx, who, ev)
			if len(bodies) == 0 {
				continue
			}
			o := Opening{Workflow: Labelled{def.Workflow, def.Label}, Help: ev.Help, Event: ev.ID, Label: ev.Label, Inputs: ev.Inputs}
			if o.Help.IT == "" {
				o.Help = def.Help
			}
			for _, b := range bodies {
				o.Bodies = append(o.Bodies, e.parties.bodyRef(b))
			}
			out = append(out, o)
		}
	}
	return out, nil
}
