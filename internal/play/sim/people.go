package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// documents: what an event demands was there when it happened, and the event names it.
func (t *tree) documents(context.Context) *Fault {
	uploaded := map[string]bool{}
	for _, e := range t.events {
		if e.Event == "attach" {
			for _, d := range e.Documents {
				uploaded[e.Case+" "+d.Type] = true
			}
			continue
		}
		ev, ok := t.defs[e.Case].Event(e.Event)
		if !ok {
			continue
		}
		for _, kind := range ev.Documents {
			if !slices.ContainsFunc(e.Documents, func(d audit.Attached) bool { return d.Type == kind }) || !uploaded[e.Case+" "+kind] {
				return fault("documents", "event %d (%s) happened without %s", e.Seq, e.Event, kind)
			}
		}
	}
	return nil
}

// people: who fired an event by hand has one of its roles; what people may not fire has a cause, or the system as its actor.
func (t *tree) people(context.Context) *Fault {
	for _, e := range t.events {
		ev, known := t.defs[e.Case].Event(e.Event)
		if !known || e.Cause != 0 || ev.Rectify {
			continue
		}
		switch name := strings.TrimPrefix(e.Actor, "play-"); {
		case e.Seq == 1 && e.Role == "system": // what was opened beside a case of another tree, by who acted there
		case name == e.Actor: // the system: what nobody of the cast did
			if !ev.FiredBy("system") && !ev.FiredBy("parent") {
				return fault("permission", "event %d: %s was fired by %s", e.Seq, e.Event, e.Actor)
			}
		case !slices.Contains(peopleOf(ev), name) || e.Role != name:
			return fault("permission", "event %d: %s was fired by %s as %s; only %v may", e.Seq, e.Event, e.Actor, e.Role, peopleOf(ev))
		}
	}
	return nil
}

var digits = regexp.MustCompile(`^[0-9]{7,}$`)

// secrets: what is secret for now stands in nothing that somebody may read who may not see it. One person of the cast is tried each time.
func (t *tree) secrets(ctx context.Context) *Fault {
	cast := slices.DeleteFunc(t.w.s.Cast(), func(n string) bool { return n == "system" })
	name := pick(t.w, cast)
	who, _ := t.w.s.Actor(name)
	var open strings.Builder // what the open parts say is no secret
	for _, e := range t.events {
		open.WriteString(e.raw)
	}
	var read strings.Builder
	enc := json.NewEncoder(&read)
	enc.SetEscapeHTML(false)
	eng := t.w.s.Engine()
	for id := range t.cases {
		v, err := eng.Case(ctx, who, id)
		if strings.HasPrefix(name, "other_") {
			if !errors.Is(err, engine.ErrNotFound) {
				return fault("scope", "%s sees %s", name, id)
			}
			continue
		}
		if err != nil {
			return fault("failure", "%s reads %s: %v", name, id, err)
		}
		opts, err := eng.Options(ctx, who, id)
		if err != nil {
			return fault("failure", "%s reads the options of %s: %v", name, id, err)
		}
		_, _ = enc.Encode(v), enc.Encode(opts)
	}
	if strings.HasPrefix(name, "other_") {
		return nil
	}
	h, err := eng.History(ctx, who, t.root, 0, 0)
	if err != nil || !h.Verified {
		return fault("chain", "%s reads the history: %v %s", name, err, h.Broken)
	}
	page, err := eng.Cases(ctx, who, engine.Filter{Children: true, Limit: engine.MaxPage})
	if err != nil {
		return fault("failure", "%s lists cases: %v", name, err)
	}
	_, _ = enc.Encode(h), enc.Encode(page)
	for id, v := range t.cases {
		for _, s := range t.hidden(name, id, v) {
			if text, stands := shown(read.String(), s.value); stands && !contains(open.String(), s.value) {
				return fault("secret", "%s reads %s of %s: %s", name, s.what, v.Workflow.ID, text)
			}
		}
	}
	return nil
}

type hiddenValue struct {
	what  string
	value any
}

// hidden are the values of a case that the role may not see for now, by the definition and the states that the case has been in.
func (t *tree) hidden(role, id string, v engine.CaseView) []hiddenValue {
	var out []hiddenValue
	visited := t.tale[id].visited
	sees := func(s *flow.Secret, column string) bool {
		if s == nil || slices.Contains(s.See, role) {
			return true
		}
		until, named := s.Until[column]
		if !named {
			if until, named = s.Until[""]; !named {
				return true
			}
		}
		return slices.ContainsFunc(until, func(state string) bool { return slices.Contains(visited, state) })
	}
	for _, f := range v.Fields {
		if f.Value != nil && !sees(f.Field.Secret, "") {
			out = append(out, hiddenValue{f.Field.ID, f.Value})
		}
	}
	for _, reg := range v.Registers {
		for _, r := range reg.Rows {
			for column, value := range r.Values {
				if !sees(reg.Register.Secret, column) {
					out = append(out, hiddenValue{reg.Register.ID + "." + column, value})
				}
			}
		}
	}
	return out
}

// shown looks for a value that can be told from others: words that stand nowhere else, or an amount. It returns where it stands.
func shown(text string, value any) (string, bool) {
	for _, form := range forms(value) {
		for from := 0; ; {
			i := strings.Index(text[from:], form)
			if i < 0 {
				break
			}
			i += from
			from = i + len(form)
			if i > 0 && wordy(text[i-1]) || from < len(text) && wordy(text[from]) {
				continue
			}
			return text[max(0, i-60):min(len(text), from+20)], true
		}
	}
	return "", false
}

func contains(text string, value any) bool {
	_, found := shown(text, value)
	return found
}

// forms are how a value may stand in a text; none for one that stands everywhere.
func forms(value any) []string {
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(v, "Parole k") {
			return []string{v}
		}
	case int64:
		if s := strconv.FormatInt(v, 10); digits.MatchString(s) {
			whole := fmt.Sprintf("%d", v/100)
			for i := len(whole) - 3; i > 0; i -= 3 {
				whole = whole[:i] + "." + whole[i:]
			}
			return []string{s, fmt.Sprintf("%s,%02d", whole, v%100)}
		}
	}
	return nil
}

func wordy(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '.'
}

// checkOutbox: a message stands in the outbox, or has left it, for each notice that an event orders without condition and for each term that
// tells of its end; and none that nothing orders.
func (w *walker) checkOutbox(ctx context.Context) *Fault {
	messages, f := w.outbox(ctx)
	if f != nil {
		return f
	}
	sent := maps.Clone(w.relayed)
	for _, m := range messages {
		orders, f := ordersOf(m)
		if f != nil {
			return f
		}
		for _, o := range orders {
			o.count(m, sent)
		}
	}
	for _, root := range w.s.Roots() {
		t, f := w.read(ctx, root)
		if f == nil {
			f = t.alerts(sent)
		}
		if f != nil {
			return f
		}
		for _, e := range t.events {
			ev, known := t.defs[e.Case].Event(e.Event)
			if !known {
				continue
			}
			least, most := map[string]int{}, map[string]int{}
			for _, a := range ev.Then {
				if a.Verb != flow.VerbNotify {
					continue
				}
				most[a.Template]++
				if len(a.If) == 0 {
					least[a.Template]++
				}
			}
			for template, n := range most {
				if got := sent[noticeKey(root, e.Seq, template)]; got < least[template] || got > n {
					return fault("outbox", "event %d (%s) orders %s between %d and %d times; the outbox has it %d times", e.Seq, e.Event, template, least[template], n, got)
				}
			}
		}
	}
	return nil
}
