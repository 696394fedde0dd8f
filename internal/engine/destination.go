package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// A value given to an event is as secret as the places where it goes: the same words stand in the story of the event and in the field.

// secretsOf are the declarations of secrecy that hide an input of kind value: that of the event, those of the fields it is set into, and
// those of fields of other cases into which the event copies it. Also where a line of `then` has conditions: whether they held is not
// told by the event.
func (e *Engine) secretsOf(def *flow.Definition, decl *flow.Event, id string) []*flow.Secret {
	if decl == nil {
		return nil
	}
	var out []*flow.Secret
	add := func(s *flow.Secret) {
		if s != nil {
			out = append(out, s)
		}
	}
	add(decl.Secret)
	for i := range decl.Then {
		a := &decl.Then[i]
		if f, ok := def.Field(a.Field); ok && a.Verb == flow.VerbSet && a.From == id {
			add(f.Secret)
		}
		for _, c := range a.Copy {
			if c.From != id {
				continue
			}
			for _, see := range e.seenElsewhere(def, a, c.To) {
				add(see)
			}
		}
	}
	return out
}

// seenElsewhere is the secrecy of a field of the case that an action opens or tells, in any version of its workflow. The states that
// open it are those of that case and say nothing here: until the end only those who see before do, and the others read it there.
func (e *Engine) seenElsewhere(def *flow.Definition, a *flow.Action, field string) []*flow.Secret {
	workflow := a.Workflow
	if child, ok := def.Child(a.Children); ok {
		workflow = child.Workflow
	}
	var out []*flow.Secret
	for _, d := range e.lib.All() {
		if f, ok := d.Field(field); ok && d.Workflow == workflow && f.Secret != nil {
			out = append(out, &flow.Secret{See: f.Secret.See})
		}
	}
	return out
}

// seesInput reports whether an input of an event is open to who has this sight.
func (e *Engine) seesInput(seen sight, def *flow.Definition, decl *flow.Event, id string) bool {
	return !slices.ContainsFunc(e.secretsOf(def, decl, id), func(s *flow.Secret) bool { return !seen.sees(s, "") })
}

// seenInputs leaves out the inputs that are secret for now, and reports whether there were any.
func (e *Engine) seenInputs(values map[string]any, def *flow.Definition, decl *flow.Event, seen sight) (out map[string]any, hidden bool) {
	out = map[string]any{}
	for id, v := range values {
		if e.seesInput(seen, def, decl, id) {
			out[id] = v
		} else {
			hidden = true
		}
	}
	return out, hidden
}

// withhold says which parts of an event may not go out as they are, because a secret input stands among what else they tell: the personal
// part, which must hold it to be erased with it, and in stories written before inputs followed their fields the open one.
func (x *exporter) withhold(ev *store.Event, c *store.Case, item HistoryItem) (open, personal bool, err error) {
	if x.q.RedactSecret { // also from who may see: as nobody in particular would read it before any state opened it
		if item, err = x.e.tell(ev, c, sight{nobody: true}.among(x.near)); err != nil {
			return false, false, err
		}
	}
	return item.hiddenOpen, item.hiddenPersonal, nil
}

// without takes parts out of a stored event.
func without(ev *store.Event, p *audit.Parts, open, personal bool) {
	if open {
		ev.OpenSalt, ev.OpenBody, p.Open = nil, nil, audit.Part{}
	}
	if personal {
		ev.PersonalSalt, ev.PersonalBody, p.Personal = nil, nil, audit.Part{}
	}
}
