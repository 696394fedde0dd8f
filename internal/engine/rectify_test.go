package engine_test

import (
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

func rectify(o *office, who auth.Actor, t *testing.T, id, to string, in map[string]any) error {
	inputs := map[string]any{"back_to": to, "reason": "registrato per errore"}
	for k, v := range in {
		inputs[k] = v
	}
	_, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: "rectify", Inputs: inputs})
	return err
}

func TestRectify(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id := wait(t, o, "go")
		o.clock.add(3 * day)
		fire(t, o, o.rup, id, "leave", nil)
		for name, in := range map[string]map[string]any{"no reason": {"reason": ""}, "no state": {"back_to": ""}, "a final state": {"back_to": "over"}, "an unknown state": {"back_to": "moon"}} {
			if err := rectify(o, o.rup, t, id, "open", in); engine.Kind(err) != engine.KindInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := rectify(o, o.clerk, t, id, "open", nil); engine.Kind(err) != engine.KindForbidden {
			t.Errorf("by the clerk: %v", err)
		}
		if err := rectify(o, o.rup, t, id, "open", nil); err != nil {
			t.Fatal(describe(err))
		}
		if got := terms(t, o, id); got != "answer running 2026-03-12" { // with its own last day
			t.Errorf("revived: %s", got)
		}
		o.clock.add(20 * day)
		if n := expire(t, o); n != 1 || state(t, o, id) != "over" {
			t.Errorf("expired %d", n)
		}
		if err := rectify(o, o.rup, t, id, "aside", nil); err != nil { // a final state is reopened
			t.Fatal(describe(err))
		}
		v, _ := o.Case(t.Context(), o.rup, id)
		if v.State.ID != "aside" || v.Outcome != "" || v.EndedAt != nil {
			t.Errorf("reopened: %+v", v.Summary)
		}
		if got := terms(t, o, id); got != "answer expired 2026-03-12" {
			t.Errorf("a term that expired stays so: %s", got)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		story := ""
		for _, i := range h.Items {
			story += i.Event + " "
		}
		last := h.Items[len(h.Items)-1]
		if story != "begin go leave rectify time_out rectify " || !h.Verified || last.From.ID != "over" || last.To.ID != "aside" || len(last.Inputs) != 2 {
			t.Errorf("history %s, last %+v", story, last)
		}
	})
}

func TestRectifyBelowAnEndedParent(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 1)
		after := fire(t, o, o.rup, id, "late", nil).Opened[0]
		fire(t, o, o.rup, lots[0], "close", nil)
		fire(t, o, o.rup, after, "close", nil)
		fire(t, o, o.rup, id, "drop", nil)
		if err := rectify(o, o.rup, t, lots[0], "idle", nil); !refusedWith(err, "parent_ended") || state(t, o, lots[0]) != "over" {
			t.Errorf("a lot of an ended parent: %v", err)
		}
		opt, err := o.Options(t.Context(), o.rup, lots[0])
		if err != nil || len(opt.Events) != 1 || opt.Events[0].Allowed || opt.Events[0].Refusals[0].Code != "parent_ended" {
			t.Errorf("options: %+v %v", opt.Events, err)
		}
		if err := rectify(o, o.rup, t, after, "idle", nil); err != nil {
			t.Errorf("a child that outlives its parent: %s", describe(err))
		}
		if err := rectify(o, o.rup, t, id, "running", nil); err != nil { // the parent first, then the child
			t.Fatal(describe(err))
		}
		if err := rectify(o, o.rup, t, lots[0], "idle", nil); err != nil {
			t.Errorf("after the parent: %s", describe(err))
		}
	})
}

func TestRectifyByTwoPeople(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id := wait(t, o, "go")
		if err := rectify(o, o.rup, t, id, "draft", nil); !refusedWith(err, "two_people") {
			t.Errorf("by who did it: %v", err)
		}
		colleague := auth.Actor{ID: "altro", Memberships: o.rup.Memberships}
		if err := rectify(o, colleague, t, id, "draft", nil); err != nil {
			t.Errorf("by a colleague: %s", describe(err))
		}
	}, func(c *engine.Config) { c.TwoPeople = true })
}

// clockYAML holds and lets run a term, so that each may be a mistake.
const clockYAML = `
workflow: works
version: 1
case: works
label: {it: Lavori, en: Works}
start: going
stages: {all: {label: {it: Tutto, en: All}}}
fields: {days: {type: int, label: {it: Giorni, en: Days}}}
states:
  going: {stage: all, label: {it: In corso, en: Going}}
  held:  {stage: all, label: {it: Sospesi, en: Held}}
  over:  {stage: all, final: over, label: {it: Finiti, en: Over}}
deadlines:
  end:   {label: {it: Fine, en: End}, term: {days: days}, counted: calendar, while: [going, held], at_expiry: {alert: [rup]}}
  limit: {label: {it: Limite, en: Limit}, term: suspension.limit_months, counted: months, while: [going, held], at_expiry: {alert: [rup]}}
events:
  begin:  {label: {it: Comincia, en: Begin}, by: [rup], opens: true, to: going, input: {days: {field: days}}, then: [{start: end}]}
  hold:   {label: {it: Sospendi, en: Hold}, by: [rup], from: [going], to: held, then: [{suspend: end}, {start: limit}, {resume: limit}]}
  go_on:  {label: {it: Riprendi, en: Go on}, by: [rup], from: [held], to: going, then: [{resume: end}, {suspend: limit}]}
  finish: {label: {it: Finisci, en: Finish}, by: [rup], from: [going], to: over, then: [{stop: end}]}
rectify: {by: [rup]}
`

// A mistake that touched the clocks leaves them as if it had not been made.
func TestRectifyPutsTheClocksBack(t *testing.T) {
	each(t, map[string]string{"works.v1.yaml": clockYAML}, func(t *testing.T, o *office) {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "works", Inputs: map[string]any{"days": 30}})
		if err != nil {
			t.Fatal(describe(err))
		}
		id := m.Case
		mend := func(to string) {
			t.Helper()
			o.clock.add(5 * day)
			if err := rectify(o, o.rup, t, id, to, nil); err != nil {
				t.Fatal(describe(err))
			}
		}
		want := func(when, terms_ string) {
			t.Helper()
			if got := terms(t, o, id); got != terms_ {
				t.Errorf("%s: %s, want %s", when, got, terms_)
			}
		}
		want("begun", "end running 2026-04-01")
		fire(t, o, o.rup, id, "hold", nil)
		mend("going")
		want("a suspension that was not", "end running 2026-04-01, limit cancelled 2026-09-02")
		fire(t, o, o.rup, id, "hold", nil) // a true one, on 7 March
		o.clock.add(10 * day)
		fire(t, o, o.rup, id, "go_on", nil) // wrong: works resumed on 27 March
		mend("held")
		o.clock.add(5 * day)
		fire(t, o, o.rup, id, "go_on", nil)
		want("resumed after twenty days", "end running 2026-04-21, limit suspended 2026-09-07, limit cancelled 2026-09-02")
		fire(t, o, o.rup, id, "finish", nil)
		mend("going")
		want("not finished", "end running 2026-04-21, limit suspended 2026-09-07, limit cancelled 2026-09-02")
	})
}
