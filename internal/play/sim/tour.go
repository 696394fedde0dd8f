package sim

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
)

// tour goes for a move that this walk has not made: a case that stands elsewhere is brought to where the move begins, by the event that
// mends mistakes, which leads from every state to every other that goes on. What comes of it are trees that no office would have, and
// they must hold together like the others.
func (w *walker) tour(ctx context.Context) {
	path, v, ok := w.worthwhile(ctx)
	if !ok {
		w.act(ctx)
		return
	}
	def := w.defs[v.Hash]
	t, ok := w.target(path, v, def)
	if !ok {
		w.act(ctx)
		return
	}
	w.path = path
	w.tried[triedKey(path, t)]++
	w.run(ctx, errand{path: path, event: t.Event, from: t.From, to: t.To}, v.ID)
}

// toured is how many cases a walker looks at before it tours with one.
const toured = 3

// worthwhile picks a case with moves left to make: of some of them the one that has most.
func (w *walker) worthwhile(ctx context.Context) (path string, v engine.CaseView, ok bool) {
	cases := w.s.Cases()
	at := map[string][]string{} // paths by definition
	for p, id := range ordered(cases) {
		hash, known := w.hashes[id]
		if !known {
			c, err := w.s.Engine().Case(ctx, w.s.Witness(), id)
			if err != nil {
				w.fault = fault("failure", "read case: %v", err)
				return "", v, false
			}
			hash = c.Hash
			w.hashes[id] = hash
		}
		at[hash] = append(at[hash], p)
	}
	total := 0
	var hashes []string
	for _, d := range w.everyDefinition() {
		if len(at[d.Hash]) > 0 {
			hashes = append(hashes, d.Hash)
			total += len(w.unmade(d))
		}
	}
	if total == 0 {
		return "", v, false
	}
	n := w.r.IntN(total)
	for _, h := range hashes {
		if n -= len(w.unmade(w.defs[h])); n >= 0 {
			continue
		}
		most := -1
		for range min(toured, len(at[h])) {
			p := pick(w, at[h])
			c, err := w.s.Engine().Case(ctx, w.s.Witness(), cases[p])
			if err != nil {
				w.fault = fault("failure", "read case: %v", err)
				return "", v, false
			}
			if left := w.left(c); left > most {
				path, v, most = p, c, left
			}
		}
		return path, v, true
	}
	return "", v, false
}

// everyDefinition are the definitions in an order that is always the same.
func (w *walker) everyDefinition() []*flow.Definition {
	var all []*flow.Definition
	for _, d := range w.defs {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *flow.Definition) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Version, b.Version))
	})
	return all
}

// target is the next move to make with a case: one from where it stands, before it is brought elsewhere. What was tried in vain comes last.
func (w *walker) target(path string, v engine.CaseView, def *flow.Definition) (play.Transition, bool) {
	var best play.Transition
	found, least := false, 0
	for _, t := range w.unmade(def) {
		tries := 2 * w.tried[triedKey(path, t)]
		if t.From != v.State.ID {
			tries++
		}
		if tries < 6 && (!found || tries < least) {
			best, found, least = t, true, tries
		}
	}
	return best, found
}

func triedKey(path string, t play.Transition) string {
	return path + " " + t.Event + " " + t.From + " " + t.To
}

// reach brings a case to a state: by the event that mends mistakes, or from a state out of which an event leads there. It reports whether
// the case stands there now.
func (w *walker) reach(ctx context.Context, path string, v *engine.CaseView, def *flow.Definition, state string) bool {
	if v.State.ID == state {
		return true
	}
	if st, ok := def.State(state); !ok || st.Final != "" {
		for i := range def.Events { // one comes to an end only by the way that leads there
			for _, m := range def.Events[i].Moves {
				if len(m.From) > 0 && slices.Contains(m.To.States(), state) && len(peopleOf(&def.Events[i])) > 0 && w.chance(0.5) {
					w.later(errand{path: path, event: def.Events[i].ID, from: pick(w, m.From), to: state})
					return false
				}
			}
		}
		return false
	}
	i := slices.IndexFunc(def.Events, func(ev flow.Event) bool { return ev.Rectify })
	if i < 0 || len(peopleOf(&def.Events[i])) == 0 {
		return false
	}
	ev := &def.Events[i]
	w.insist(ctx, &attempt{who: w.who(peopleOf(ev)), path: path, verb: ev.ID, ev: ev, def: def, view: *v, to: state})
	if w.fault != nil {
		return false
	}
	now, err := w.s.Engine().Case(ctx, w.s.Witness(), v.ID)
	if err != nil {
		w.fault = fault("failure", "read case: %v", err)
		return false
	}
	*v = now
	return now.State.ID == state
}

// turn is where a move stands in the order in which a seed makes them, from 0 to 1. Seeds that follow each other begin far apart, so
// that together they make what each alone has no time for.
func turn(t play.Transition, seed uint64) float64 {
	h := fnv.New64a()
	for _, s := range []string{t.Workflow, t.From, t.Event, t.To} {
		_, _ = h.Write([]byte(s + "\x00"))
	}
	const golden = 0x9e3779b97f4a7c15
	x := h.Sum64() * golden // the last bits of the sum, which differ most, come first
	return float64((x^x>>31)+seed*golden) / (1 << 64)
}
