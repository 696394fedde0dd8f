package sim

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// endings bounds how many cases a walk ends by hand at its end.
const endings = 8

// finish ends what still goes on before its time, the deepest cases first: revoked, withdrawn, terminated. While it goes a walk seldom
// does that, because nothing is left to walk then; and there is such a way out of nearly every state.
func (w *walker) finish(ctx context.Context) {
	w.todo = nil
	cases := w.s.Cases()
	paths := slices.SortedFunc(maps.Keys(cases), func(a, b string) int {
		return cmp.Or(cmp.Compare(depth(b), depth(a)), strings.Compare(a, b))
	})
	for left := endings; len(paths) > 0 && left > 0 && w.fault == nil && ctx.Err() == nil; paths = paths[1:] {
		path := paths[0]
		v, err := w.s.Engine().Case(ctx, w.s.Witness(), cases[path])
		if err != nil {
			w.fault = fault("failure", "read case: %v", err)
			return
		}
		if v.EndedAt != nil {
			continue
		}
		left--
		def := w.defs[v.Hash]
		if ev := w.wayOut(ctx, v, def); ev != nil {
			w.bring(ctx, errand{path: path, event: ev.ID}, v, def)
		}
	}
}

func depth(path string) int {
	if path == "" {
		return 0
	}
	return 1 + strings.Count(path, "/")
}

// wayOut is an event that ends the case or leads back, one that the walk has not done in this state where there is one; nil where none is
// possible.
func (w *walker) wayOut(ctx context.Context, v engine.CaseView, def *flow.Definition) *flow.Event {
	opts, err := w.s.Engine().Options(ctx, w.everyone(), v.ID)
	if err != nil {
		w.fault = fault("failure", "read options: %v", err)
		return nil
	}
	walked := w.walked()
	gone := func(event string) bool {
		for t := range walked {
			if t.Workflow == def.Workflow && t.Event == event && t.From == v.State.ID {
				return true
			}
		}
		return false
	}
	var fresh, known []string
	for _, o := range opts.Events {
		switch {
		case o.Lead != engine.LeadsOut && o.Lead != engine.LeadsBack, o.Event == "rectify", !o.Allowed && !onlyDocuments(o.Refusals):
		case gone(o.Event):
			known = append(known, o.Event)
		default:
			fresh = append(fresh, o.Event)
		}
	}
	if len(fresh) == 0 {
		fresh = known
	}
	if len(fresh) == 0 {
		return nil
	}
	ev, _ := def.Event(pick(w, fresh))
	return ev
}
