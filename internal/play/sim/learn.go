package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// learn reads why something was refused and does what comes first, as far as the refusal says it: documents are uploaded, a day is
// awaited, and what the refusal names by its label (an event, fields, a register, cases below) becomes an errand. It reports whether
// trying again at once makes sense.
func (w *walker) learn(ctx context.Context, a *attempt, refusals []engine.Refusal) bool {
	again := false
	for _, r := range refusals {
		if kind := r.Params["type"]; r.Code == "document_missing" && kind != "" {
			w.attach(ctx, a, kind)
			again = true
			continue
		}
		days, amounts := named(r.Text.IT)
		w.dates, w.amounts = append(w.dates, days...), append(w.amounts, amounts...)
		again = again || len(days)+len(amounts) > 0 || asks(a.ev, r)
		if r.Code == "too_soon" || r.Code == "contract_early" || len(a.inputs) == 0 {
			again = w.await(ctx, days) || again
		}
		if a.view.ID != "" && !strings.HasPrefix(r.Code, "event_") {
			w.errands(a, r)
		}
	}
	return again
}

// asks reports whether what was refused is about an input of the event: then another value may do.
func asks(ev *flow.Event, r engine.Refusal) bool {
	if len(r.Params) == 0 {
		return len(ev.Inputs) > 0
	}
	return slices.ContainsFunc(ev.Inputs, func(in flow.Input) bool {
		for _, text := range r.Params {
			if in.Label.IT != "" && strings.Contains(text, in.Label.IT) {
				return true
			}
		}
		return in.Kind == flow.InputRow || in.Kind == flow.InputRows
	})
}

// await lets a day come that is not far.
func (w *walker) await(ctx context.Context, days []calendar.Date) bool {
	for _, d := range days {
		at := calendar.Italy().NextWorkingDay(d.AddDays(1)).Start().Add(10 * time.Hour)
		if ahead := at.Sub(w.s.Now()); ahead > 0 && ahead < 400*24*time.Hour && w.chance(0.7) {
			w.clock(ctx, at, "")
			return true
		}
	}
	return false
}

// errands looks what a refusal names, in the workflow of the case and in those above it, and puts the attempt after it.
func (w *walker) errands(a *attempt, r engine.Refusal) {
	if len(w.todo) > 5 {
		return
	}
	labels := map[string]bool{}
	for key, text := range r.Params {
		if !strings.HasSuffix(key, "_en") && key != "event" || r.Code == "not_happened" {
			for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ';' }) {
				labels[strings.TrimSpace(part)] = true
			}
		}
	}
	found := []errand{}
	path := a.path
	for def := a.def; def != nil; def = w.defOf(w.s.Cases()[path]) {
		found = append(found, w.named(path, def, labels)...)
		if path == "" {
			break
		}
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
	if len(found) == 0 {
		return
	}
	w.later(errand{path: a.path, event: a.ev.ID, from: a.from, to: a.to, tries: 1})
	w.r.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	found = slices.DeleteFunc(found, func(e errand) bool { return w.failed[e.path+" "+e.event] > 3 })
	for _, e := range found[:min(3, len(found))] {
		w.later(e)
	}
}

// asking are the events of a workflow that ask for a field with one of the labels.
func asking(def *flow.Definition, labels map[string]bool) []string {
	var out []string
	for _, ev := range def.Events {
		if len(peopleOf(&ev)) > 0 && slices.ContainsFunc(ev.Inputs, func(in flow.Input) bool {
			f, ok := def.Field(in.Field)
			return ok && labels[f.Label.IT]
		}) {
			out = append(out, ev.ID)
		}
	}
	return out
}

// named are errands for what a workflow calls by one of the labels: the event itself; events that ask for the field or the rows; the
// cases below, or the event that opens one.
func (w *walker) named(path string, def *flow.Definition, labels map[string]bool) []errand {
	fields, registers, children := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range def.Fields {
		fields[f.ID] = labels[f.Label.IT]
	}
	for _, r := range def.Registers {
		registers[r.ID] = labels[r.Label.IT]
	}
	for _, c := range def.Children {
		children[c.ID] = labels[c.Label.IT]
	}
	var out []errand
	for p, id := range ordered(w.s.Cases()) {
		rest, ok := strings.CutPrefix(p, strings.TrimPrefix(path+"/", "/"))
		child, _, _ := strings.Cut(rest, ":")
		if !ok || !children[child] || strings.Contains(rest, "/") {
			continue
		}
		out = append(out, errand{path: p})
		if below := w.defOf(id); below != nil { // a field of the cases below
			for _, e := range asking(below, labels) {
				out = append(out, errand{path: p, event: e, tries: 1})
			}
		}
	}
	for i := range def.Events {
		ev := &def.Events[i]
		if ev.Rectify || len(peopleOf(ev)) == 0 {
			continue
		}
		asks := slices.ContainsFunc(ev.Inputs, func(in flow.Input) bool { return fields[in.Field] || registers[in.Register] })
		opens := slices.ContainsFunc(ev.Then, func(a flow.Action) bool { return a.Verb == flow.VerbOpen && children[a.Children] })
		if asks || opens || labels[ev.Label.IT] {
			out = append(out, errand{path: path, event: ev.ID, tries: 1})
		}
	}
	return out
}
