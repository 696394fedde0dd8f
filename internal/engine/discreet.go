package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// What a guard says quotes what it looked at, and that it speaks at all tells something about it. So a refusal or a warning knows the
// secret things behind it: who sees all of them gets it as it is, everybody else a text that says nothing, here, in the story, in the
// dossier and in notices.

// ground is a secret thing on which the words of a guard rest.
type ground struct {
	Case     string   `json:"case"` // whose it is; empty: of a case that is not known, which only the engine sees
	Field    string   `json:"field,omitempty"`
	Register string   `json:"register,omitempty"`
	Columns  []string `json:"columns,omitempty"` // the secret ones
	Event    string   `json:"event,omitempty"`
	Input    string   `json:"input,omitempty"` // of the event

	typed bool // by who asks: no secret for that person now
}

// Codes that stand for a refusal and a warning that the reader may not know.
const (
	notYet        = "not_yet"
	secretWarning = "secret_warning"
)

// noted is an accepted warning as the story keeps it.
type noted struct {
	Acknowledged
	// Plain: nothing secret is behind it. Warnings in stories older than this mark are judged by what the guards of their event read.
	Plain bool     `json:"plain,omitempty"`
	Rests []ground `json:"rests,omitempty"`
}

// heldBack is why a term is held back, as its row keeps it. Plain is as in noted.
type heldBack struct {
	Refusal
	Plain bool     `json:"plain,omitempty"`
	Rests []ground `json:"rests,omitempty"`
}

func note(r Refusal, reason string) noted {
	return noted{Acknowledged: Acknowledged{Code: r.Code, Text: r.Text, Reason: reason}, Plain: len(r.rests) == 0, Rests: r.rests}
}

// among gives a sight the other cases of the tree: what is behind a warning may be theirs.
func (s sight) among(near func(id string) *store.Case) sight {
	s.near = near
	return s
}

// at is the same reader's sight of another case.
func (s sight) at(c *store.Case) sight {
	if s.nobody {
		return s
	}
	return look(s.who, c)
}

func (s sight) other(id string) *store.Case {
	if s.near == nil || id == "" {
		return nil
	}
	return s.near(id)
}

// seesGround reports whether one thing of a case is open to who has this sight.
func (e *Engine) seesGround(seen sight, def *flow.Definition, g ground) bool {
	switch {
	case seen.all:
		return true
	case g.Input != "":
		ev, ok := def.Event(g.Event)
		return ok && e.seesInput(seen, def, ev, g.Input)
	case g.Field != "":
		f, ok := def.Field(g.Field)
		return ok && seen.sees(f.Secret, "")
	}
	r, ok := def.Register(g.Register)
	return ok && !slices.ContainsFunc(g.Columns, func(c string) bool { return !seen.sees(r.Secret, c) })
}

// seesAll reports whether a reader sees everything behind what was said of a case.
func (e *Engine) seesAll(seen sight, c *store.Case, def *flow.Definition, rests []ground) bool {
	return !slices.ContainsFunc(rests, func(g ground) bool {
		switch {
		case seen.all:
			return false
		case g.Case == c.ID:
			return def == nil || !e.seesGround(seen, def, g)
		}
		m := seen.other(g.Case)
		if m == nil {
			return true
		}
		its, err := e.Definition(m.Hash)
		return err != nil || !e.seesGround(seen.at(m), its, g)
	})
}

// sees reports whether who asks sees everything behind a refusal.
func (w *world) sees(rests []ground) bool {
	return !slices.ContainsFunc(rests, func(g ground) bool {
		n := w.nodes[g.Case]
		switch {
		case w.who.IsSystem(), g.typed:
			return false
		case n == nil:
			return true
		}
		return !w.e.seesGround(look(w.who, n.c), n.def, g)
	})
}

// discreet replaces the reasons that would tell what the actor may not know yet, all by one.
func (w *world) discreet(found []Refusal) []Refusal {
	told := slices.DeleteFunc(slices.Clone(found), func(r Refusal) bool { return !w.sees(r.rests) })
	if len(told) < len(found) {
		told = append(told, *refuse(notYet))
	}
	return told
}

// veil marks the warnings that would tell what the actor may not know yet.
func (w *world) veil(found []Refusal) []Refusal {
	out := slices.Clone(found)
	for i := range out {
		out[i].veiled = !w.sees(out[i].rests)
	}
	return out
}

// shown is the warning as who asks gets it and answers it: a veiled one without guard, law and values.
func (r Refusal) shown() Refusal {
	if !r.veiled {
		return r
	}
	out := *refuse(secretWarning)
	out.Soft = true
	return out
}

// oneVeil leaves of several veiled warnings one: how many there are would tell something.
func oneVeil(found []Refusal) []Refusal {
	i := slices.IndexFunc(found, func(r Refusal) bool { return r.Code == secretWarning })
	if i < 0 {
		return found
	}
	out := slices.DeleteFunc(slices.Clone(found), func(r Refusal) bool { return r.Code == secretWarning })
	return append(out, found[i])
}

// noteAccepted puts the warnings that a person accepted into the part where they belong. Of those with something secret behind them the
// open part tells only that there was one: code, text and the reason typed, which may quote what the text quotes, are secret.
func (h *happening) noteAccepted(accepted []noted) {
	for _, a := range accepted {
		if a.Plain {
			h.story.Acknowledged = append(h.story.Acknowledged, a)
			continue
		}
		if len(h.secret.Acknowledged) == 0 {
			h.story.Acknowledged = append(h.story.Acknowledged, noted{Acknowledged: unnamed(), Plain: true})
		}
		h.secret.Acknowledged = append(h.secret.Acknowledged, a)
	}
}

// unnamed stands for accepted warnings of which the reader may only know that there were some.
func unnamed() Acknowledged {
	r := refuse(secretWarning)
	return Acknowledged{Code: r.Code, Text: r.Text}
}

// telling is an event being told: whose, under which definition, to whom. decl is nil for an event that no workflow declares.
type telling struct {
	c    *store.Case
	def  *flow.Definition
	decl *flow.Event
	seen sight
}

// tellWarnings adds the accepted warnings that the reader may know, and one without a name for the others. In stories written before
// warnings were told apart they all stand in the open part: then that part may not go out as it is.
func (e *Engine) tellWarnings(item *HistoryItem, open, secret []noted, t telling) {
	hidden := false
	for _, a := range open {
		switch {
		case a.Code == secretWarning:
			hidden = hidden || len(secret) == 0 // the other part is not here
		case !a.Plain && !e.seesAll(t.seen, t.c, t.def, e.groundsOfOld(t, a.Code)):
			hidden, item.hiddenOpen = true, true
		default:
			item.Warnings = append(item.Warnings, a.Acknowledged)
		}
	}
	for _, a := range secret {
		if e.seesAll(t.seen, t.c, t.def, a.Rests) {
			item.Warnings = append(item.Warnings, a.Acknowledged)
		} else {
			hidden = true
		}
	}
	if hidden {
		item.Hidden = true
		item.Warnings = append(item.Warnings, unnamed())
	}
}

// heldFor is why a term is held back, as a reader may know it.
func (e *Engine) heldFor(seen sight, c *store.Case, def *flow.Definition, term string, no heldBack) *Refusal {
	rests := no.Rests
	if def != nil && !no.Plain && len(rests) == 0 { // a row older than the mark
		if decl, ok := def.Deadline(term); ok {
			ev, _ := def.Event(decl.Fire)
			for _, call := range decl.BlockedBy {
				rests = append(rests, e.grounds(around{c: c, def: def, near: seen.other}, ev, call)...)
			}
		}
	}
	if !e.seesAll(seen, c, def, rests) {
		return refuse(notYet)
	}
	return &no.Refusal
}
