package sim

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
)

// expected is what must hold of the answer to a line, looked up before it is asked.
type expected struct {
	line, who, path, verb string
	id                    string // of the case; empty: it is being opened, or none is there
	stranger              bool
	revision              int64 // the one that the person says to have seen; 0: none
	current               int64
	option                *engine.Option // nil: the event is not among those of the state
	unseen                bool           // options cannot be read by this person
	asked                 bool           // the options were read: they are dear
	key                   string
	done                  bool // the same was done before with this key
	events                int  // of this person and name in the history so far, when there is a key
	cases                 int64
}

// before reads a line as the session will.
func (w *walker) before(ctx context.Context, line string) *expected {
	words := strings.Fields(line)
	e := &expected{line: line, who: words[0]}
	if e.who == "clock" || e.who == "linked" || len(words) < 2 {
		return e
	}
	if words = words[1:]; e.who == "open" {
		e.who, words = "", append([]string{"open"}, words...)
	}
	if strings.Contains(words[0], ":") && len(words) > 1 {
		e.path, words = words[0], words[1:]
	}
	e.verb, e.stranger = words[0], strings.HasPrefix(e.who, "other_")
	for _, word := range words {
		if n, ok := strings.CutPrefix(word, "revision="); ok {
			e.revision, _ = strconv.ParseInt(n, 10, 64) // a wrong one is refused by the session
		}
		if k, ok := strings.CutPrefix(word, "key="); ok {
			e.key = k
		}
	}
	if e.verb == "open" {
		e.cases, _ = w.stage.DB.Count(ctx)
		return e
	}
	if e.id = w.s.Cases()[e.path]; e.id == "" {
		return e
	}
	if e.key != "" {
		e.done = w.done[e.id+" "+line]
		e.events = w.firings(ctx, e)
	}
	e.asked = w.thorough || e.revision != 0 || w.chance(0.4)
	if who, ok := w.s.Actor(e.who); ok && e.verb != "attach" && e.asked && !e.stranger {
		opts, err := w.s.Engine().Options(ctx, who, e.id)
		e.unseen, e.current = err != nil, opts.Revision
		for i := range opts.Events {
			if opts.Events[i].Event == e.verb {
				e.option = &opts.Events[i]
			}
		}
	}
	return e
}

// firings counts how often this person has done this to this case.
func (w *walker) firings(ctx context.Context, e *expected) int {
	h, err := w.s.Engine().History(ctx, w.s.Witness(), e.id, 0, 0)
	if err != nil {
		return 0
	}
	who, _ := w.s.Actor(e.who)
	n := 0
	for _, item := range h.Items {
		if item.Case == e.id && item.Event == e.verb && item.Actor.ID == who.ID && item.Cause == 0 {
			n++
		}
	}
	return n
}

// after holds an answer against what was expected; nil when it is right.
func (e *expected) after(ctx context.Context, w *walker, did play.Did) *Fault {
	ok := did.Outcome == "ok"
	switch {
	case e.verb == "":
		return nil
	case e.verb == "open":
		if n, err := w.stage.DB.Count(ctx); err == nil && !ok && n != e.cases {
			return fault("refused but done", "%s: %s, and there are %d cases instead of %d", e.line, did.Outcome, n, e.cases)
		}
		return nil
	case e.id == "" || e.who == "system":
		return nil
	case e.stranger && did.Outcome != "not_found":
		return fault("scope", "%s: %s to somebody of another body", e.line, did.Outcome)
	case e.stranger:
		return nil
	}
	if f := e.once(ctx, w, ok, did.Outcome); f != nil || e.done || e.verb == "attach" {
		return f
	}
	if e.revision != 0 && e.revision != e.current && did.Outcome != "stale" {
		return fault("stale", "%s: %s, but the case has revision %d", e.line, did.Outcome, e.current)
	}
	if !ok {
		return nil
	}
	return e.allowed(w)
}

// once: a request with a key is done once, however often it is asked, and answered as then.
func (e *expected) once(ctx context.Context, w *walker, ok bool, outcome string) *Fault {
	if e.key == "" {
		return nil
	}
	want := e.events
	if ok && !e.done {
		want++
		if e.verb == "attach" {
			want += strings.Count(e.line, ",") // each document is a request
		}
		w.done[e.id+" "+e.line] = true
	}
	if e.done && !ok {
		return fault("repeated", "%s: %s, though it was done before with this key", e.line, outcome)
	}
	if n := w.firings(ctx, e); n != want {
		return fault("once", "%s: %s, and it stands %d times in the history instead of %d", e.line, outcome, n, want)
	}
	return nil
}

// allowed: what was done was among the options of the person, and the person's role is one of those that the workflow names.
func (e *expected) allowed(w *walker) *Fault {
	def := w.defOf(e.id)
	if def == nil {
		return fault("failure", "the case %s cannot be read", e.id)
	}
	ev, found := def.Event(e.verb)
	switch {
	case !found || !slices.Contains(peopleOf(ev), e.who):
		return fault("permission", "%s: done, but only %v may", e.line, peopleOf(ev))
	case !e.asked:
		return nil
	case e.unseen || e.option == nil:
		return fault("options", "%s: done, but it was no option of this person", e.line)
	case !e.option.Mine || !e.option.Allowed:
		return fault("options", "%s: done, but the options said no: %s", e.line, codes(e.option.Refusals))
	}
	return nil
}

func codes(refusals []engine.Refusal) string {
	var out []string
	for _, r := range refusals {
		out = append(out, r.Code)
	}
	return strings.Join(out, ", ")
}
