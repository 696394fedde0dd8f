package sim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
)

// act does the next errand or, without one, something to some case.
func (w *walker) act(ctx context.Context) {
	if n := len(w.todo); n > 0 {
		e := w.todo[n-1]
		w.todo = w.todo[:n-1]
		if id, there := w.s.Cases()[e.path]; there && e.tries < 4 && w.failed[e.path+" "+e.event] < 6 && !w.chance(0.05) {
			w.run(ctx, e, id)
			return
		}
	}
	path, v, def, ok := w.somecase(ctx)
	if !ok {
		return
	}
	if v.EndedAt != nil && path == "" && w.chance(0.5) {
		w.open(ctx) // the tree is done
		return
	}
	if ev := w.choose(ctx, path, v, def); ev != nil {
		w.bring(ctx, errand{path: path, event: ev.ID}, v, def)
		return
	}
	w.path = ""
	w.leap(ctx, w.someTime())
}

// run does an errand: the event itself, or the first on the way to where it is possible.
func (w *walker) run(ctx context.Context, e errand, id string) {
	v, err := w.s.Engine().Case(ctx, w.s.Witness(), id)
	if err != nil {
		w.fault = fault("failure", "read case: %v", err)
		return
	}
	def := w.defs[v.Hash]
	if e.event == "" {
		if ev := w.choose(ctx, e.path, v, def); ev != nil {
			w.bring(ctx, errand{path: e.path, event: ev.ID, tries: e.tries}, v, def)
		}
		return
	}
	if e.from != "" && !w.reach(ctx, e.path, &v, def, e.from) {
		return
	}
	w.bring(ctx, e, v, def)
}

// choose picks an event of a case: now and then the first on the way to a move that the walk has not made, mostly one that leads on;
// seldom one that is refused as things are, or has failed often.
func (w *walker) choose(ctx context.Context, path string, v engine.CaseView, def *flow.Definition) *flow.Event {
	opts, err := w.s.Engine().Options(ctx, w.everyone(), v.ID)
	if err != nil {
		w.fault = fault("failure", "read options of %q: %v", path, err)
		return nil
	}
	var on, aside, back, out, refused []string
	for _, o := range opts.Events {
		tired := w.failed[path+" "+o.Event]
		switch {
		case o.Event == "rectify" && !w.chance(0.04), tired > 1 && w.chance(float64(tired)/float64(tired+1)):
		case !o.Allowed && !onlyDocuments(o.Refusals) || rowless(v, o.Inputs):
			refused = append(refused, o.Event)
		case o.Lead == engine.LeadsOn:
			on = append(on, o.Event)
		case o.Lead == engine.LeadsAside || o.Lead == engine.LeadsRound:
			aside = append(aside, o.Event)
		case o.Lead == engine.LeadsBack:
			back = append(back, o.Event)
		default:
			out = append(out, o.Event)
		}
	}
	for _, ev := range def.EventsFrom(v.State.ID) { // what happens by itself is waited for
		if len(peopleOf(ev)) == 0 && !ev.Rectify {
			if w.chance(0.3) {
				on = append(on, ev.ID)
			} else {
				refused = append(refused, ev.ID)
			}
		}
	}
	if w.chance(0.55) {
		possible := slices.Concat(on, aside)
		if w.chance(0.4) { // what was walked may be walked again from an earlier state
			possible = append(possible, back...)
		}
		if path != "" && w.chance(0.3) { // what ends early below leaves the rest of the tree to walk
			possible = append(possible, out...)
		}
		if ev := w.aim(v.State.ID, def, possible); ev != nil {
			return ev
		}
	}
	out = append(out, back...)
	order := [][]string{on, refused, aside, out}
	switch empty := filling(v, def, aside); {
	case len(empty) > 0 && w.chance(0.6):
		order[0] = empty
	case w.chance(0.025):
		order = [][]string{out, aside, refused, on}
	case w.chance(0.12):
		order = [][]string{refused, aside, on, out}
	case !w.chance(w.diligent):
		order = [][]string{aside, on, refused, out}
	}
	for i, group := range order {
		if i == 3 && w.chance(0.7) {
			break // rather wait than give up
		}
		if len(group) > 0 {
			ev, _ := def.Event(pick(w, group))
			return ev
		}
	}
	return nil
}

// everyone holds every role on the cases of the walk: only to look at what would be possible.
func (w *walker) everyone() auth.Actor {
	all := auth.Actor{ID: "play-everyone"}
	for _, name := range w.s.Cast() {
		if who, _ := w.s.Actor(name); !strings.HasPrefix(name, "other_") {
			all.Memberships = append(all.Memberships, who.Memberships...)
		}
	}
	return all
}

// filling are those of the events that give a value to a field that has none: better before the case moves on than never.
func filling(v engine.CaseView, def *flow.Definition, events []string) []string {
	filled := map[string]bool{}
	for _, f := range v.Fields {
		filled[f.Field.ID] = f.Value != nil
	}
	return slices.DeleteFunc(slices.Clone(events), func(id string) bool {
		ev, ok := def.Event(id)
		return !ok || !slices.ContainsFunc(ev.Inputs, func(in flow.Input) bool { return in.Kind == flow.InputField && !filled[in.Field] })
	})
}

// rowless reports whether an event changes rows that are not there.
func rowless(v engine.CaseView, inputs []flow.Input) bool {
	return slices.ContainsFunc(inputs, func(in flow.Input) bool {
		return in.Kind == flow.InputRows && !in.Optional && slices.ContainsFunc(v.Registers, func(r engine.RegisterView) bool {
			return r.Register.ID == in.Register && len(r.Rows) == 0
		})
	})
}

func onlyDocuments(refusals []engine.Refusal) bool {
	return !slices.ContainsFunc(refusals, func(r engine.Refusal) bool { return r.Code != "document_missing" })
}

// unmade are the moves of a workflow that this walk has not made yet, in an order of its own.
func (w *walker) unmade(def *flow.Definition) []play.Transition {
	aims, known := w.aims[def.Hash]
	if !known {
		aims = Transitions(def)
		slices.SortFunc(aims, func(a, b play.Transition) int { return cmp.Compare(turn(a, w.seed), turn(b, w.seed)) })
	}
	walked := w.walked()
	aims = slices.DeleteFunc(aims, func(t play.Transition) bool { return t.From == "" || walked[t] > 0 })
	w.aims[def.Hash] = aims
	return aims
}

// aim is an event with which this walk has not made a move of the workflow yet: one that is possible here or, where there is none, the
// first on the way to another.
func (w *walker) aim(state string, def *flow.Definition, possible []string) *flow.Event {
	aims := w.unmade(def)
	for _, t := range aims {
		if t.From == state && slices.Contains(possible, t.Event) {
			if ev, ok := def.Event(t.Event); ok {
				return ev
			}
		}
	}
	for _, t := range aims[:min(len(aims), 8)] {
		if ev, _ := def.Way(state, "", t.Event); ev != nil && slices.Contains(possible, ev.ID) {
			return ev
		}
	}
	return nil
}

// bring makes an event happen: by people, or by what makes it happen by itself.
func (w *walker) bring(ctx context.Context, e errand, v engine.CaseView, def *flow.Definition) {
	ev, ok := def.Event(e.event)
	if !ok {
		return
	}
	if len(def.MovesFrom(e.event, v.State.ID)) == 0 && !w.chance(0.03) {
		first, _ := def.Way(v.State.ID, "", e.event)
		if first == nil {
			return
		}
		w.later(errand{path: e.path, event: e.event, tries: e.tries + 1})
		ev, e.from, e.to = first, "", ""
	}
	roles := peopleOf(ev)
	if len(roles) == 0 {
		w.wait(ctx, e.path, v, def, ev)
		return
	}
	a := &attempt{who: w.who(roles), path: e.path, verb: ev.ID, ev: ev, def: def, view: v, from: e.from, to: e.to}
	for _, kind := range ev.Documents {
		has := slices.ContainsFunc(v.Documents, func(d engine.DocumentView) bool { return d.Type.ID == kind })
		if !has && w.chance(0.93) {
			w.attach(ctx, a, kind)
		}
	}
	if rowless(v, ev.Inputs) && !w.chance(0.1) {
		w.rowsFirst(e, def, ev)
		return
	}
	w.insist(ctx, a)
}

// rowsFirst adds rows before what changes them.
func (w *walker) rowsFirst(e errand, def *flow.Definition, ev *flow.Event) {
	w.failed[e.path+" "+ev.ID]++
	labels := map[string]bool{}
	for _, in := range ev.Inputs {
		if reg, ok := def.Register(in.Register); ok && in.Kind == flow.InputRows {
			labels[reg.Label.IT] = true
		}
	}
	w.later(errand{path: e.path, event: e.event, from: e.from, to: e.to, tries: e.tries + 1})
	for _, first := range w.named(e.path, def, labels) {
		if x, _ := def.Event(first.event); x != nil && slices.ContainsFunc(x.Inputs, func(in flow.Input) bool { return in.Kind == flow.InputRow }) {
			w.later(first)
		}
	}
}

// later adds an errand, unless there are too many.
func (w *walker) later(e errand) {
	if len(w.todo) < 8 {
		w.todo = append(w.todo, e)
	}
}

// who is mostly one who may, at times anybody.
func (w *walker) who(roles []string) string {
	if len(roles) == 0 || w.chance(0.06) {
		return pick(w, w.s.Cast())
	}
	return pick(w, roles)
}

func (w *walker) attach(ctx context.Context, a *attempt, kind string) {
	w.fresh++
	d := Deed{Line: strings.Join(strings.Fields(a.who+" "+a.path+" attach "+kind), " ")}
	if w.chance(0.05) {
		d.Line, d.Cut = d.Line+" key=k"+strconv.Itoa(w.fresh), 1+w.r.IntN(14)
	}
	w.do(ctx, d)
}

// wait brings about what nobody fires: a term ends, the cases below get there, or the case above tells it.
func (w *walker) wait(ctx context.Context, path string, v engine.CaseView, def *flow.Definition, ev *flow.Event) {
	for _, d := range v.Deadlines {
		decl, ok := def.Deadline(d.Name)
		if ok && decl.Fire == ev.ID && d.Status == "running" && d.DueAt.Sub(w.s.Now()) < 3*365*24*time.Hour {
			w.clock(ctx, d.DueAt.Add(time.Duration(w.r.IntN(90))*time.Minute), "")
			return
		}
	}
	for _, j := range def.Joins {
		if j.Fire == ev.ID {
			w.below(path, j)
			return
		}
	}
	if ev.FiredBy("parent") && path != "" {
		w.above(path, ev)
		return
	}
	if ev.FiredBy("system") && !byTerm(def, ev) { // what an import does
		w.insist(ctx, &attempt{who: "system", path: path, verb: ev.ID, ev: ev, def: def, view: v})
	}
}

func byTerm(def *flow.Definition, ev *flow.Event) bool {
	return slices.ContainsFunc(def.Deadlines, func(d flow.Deadline) bool { return d.Fire == ev.ID })
}

// below leads the cases of a join on, each of them now and then.
func (w *walker) below(path string, j flow.Join) {
	for p, id := range ordered(w.s.Cases()) {
		rest, ok := strings.CutPrefix(p, strings.TrimPrefix(path+"/", "/"))
		if !ok || !strings.HasPrefix(rest, j.Children+":") || strings.Contains(rest, "/") {
			continue
		}
		def := w.defOf(id)
		if def == nil {
			continue
		}
		target := errand{path: p}
		for _, ev := range def.Events { // an event that ends where the join wants it
			if slices.ContainsFunc(ev.Moves, func(m flow.Move) bool {
				return slices.ContainsFunc(m.To.States(), func(s string) bool {
					st, _ := def.State(s)
					return slices.Contains(j.States, s) || j.Final && st != nil && st.Final != ""
				})
			}) && w.chance(0.4) {
				target.event = ev.ID
				break
			}
		}
		w.later(target)
		w.path = p
	}
}

// above finds the event of the parent that tells the case.
func (w *walker) above(path string, ev *flow.Event) {
	parent := ""
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parent = path[:i]
	}
	def := w.defOf(w.s.Cases()[parent])
	if def == nil {
		return
	}
	for i := range def.Events {
		for _, a := range def.Events[i].Then {
			if a.Verb == flow.VerbTell && a.Event == ev.ID {
				w.later(errand{path: parent, event: def.Events[i].ID})
				return
			}
		}
	}
}

// defOf is the definition of a case; nil when it cannot be read.
func (w *walker) defOf(id string) *flow.Definition {
	v, err := w.s.Engine().Case(context.Background(), w.s.Witness(), id)
	if err != nil {
		return nil
	}
	return w.defs[v.Hash]
}

// insist asks until it is done, learning from each refusal, a few times.
func (w *walker) insist(ctx context.Context, a *attempt) {
	w.dates, w.amounts = nil, nil
	failures := a.path + " " + a.verb
	w.failed[failures]++ // until it is done
	for range 5 {
		w.fill(a)
		d := Deed{Line: a.line()}
		if w.chance(0.1) {
			w.fresh++
			d.Line += " key=k" + strconv.Itoa(w.fresh)
			if w.chance(0.5) {
				d.Cut = 1 + w.r.IntN(30)
			}
		}
		did := w.do(ctx, d)
		if w.fault != nil {
			return
		}
		if did.Err == nil {
			delete(w.failed, failures)
			if strings.Contains(d.Line, " key=") && !strings.HasPrefix(a.verb, "open") {
				w.keyed = append(w.keyed, d.Line)
			}
			return
		}
		var refused *engine.Refused
		var warns *engine.NeedsAcknowledgement
		var invalid *engine.Invalid
		switch {
		case errors.As(did.Err, &warns):
			a.acks = nil
			for _, r := range warns.Warnings {
				a.acks = append(a.acks, r.Code)
			}
			a.same = true
		case errors.As(did.Err, &refused):
			a.same = false
			if !w.learn(ctx, a, refused.Refusals) {
				return
			}
		case errors.As(did.Err, &invalid):
			if a.same = false; w.chance(0.3) {
				return
			}
		default: // not the one who may
			if w.chance(0.5) {
				return
			}
			a.who = w.who(peopleOf(a.ev))
		}
	}
}
