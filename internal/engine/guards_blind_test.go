package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// asking are events whose guards read what the events themselves ask for, and what the parent keeps to itself.
const asking = `
  held:   {label: {it: Seduta, en: Sitting}, by: [rup], from: [draft], to: same, input: {day: {type: date, label: {it: Giorno, en: Day}}}, guards: [{on_working_day: {given: day}}, {given_at_most: {given: day, term: request.answer_days, counted: calendar_roll}}]}
  decide: {label: {it: Decidi, en: Decide}, by: [rup], from: [draft], to: same, input: {kind: {field: kind}}, guards: [{field_is: {field: kind, value: works}}]}
  pace:   {label: {it: Passo, en: Pace}, by: [rup], from: [draft], to: same, input: {kind: {field: kind}, first: {type: date, optional: true, label: {it: Il, en: 'On'}}}, guards: [{given_at_least: {given: second, term: {field: kind, works: request.answer_days, services: remedy.min, supplies: remedy.min}, counted: calendar_roll}}]}
  name:   {label: {it: Nomina, en: Name}, by: [rup], from: [draft], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}, guards: [{effective_after: {field: bids_due}}]}
  sit:    {label: {it: Siedi, en: Sit}, by: [rup], from: [draft], to: same, input: {effective: {type: instant, optional: true, label: {it: Il, en: 'On'}}}, guards: [{effective_after: {field: bids_due}}]}
  late:   {label: {it: Tardi, en: Late}, by: [rup], from: [draft], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}, guards: [{within_term_of: {field: first, term: request.answer_days, counted: calendar_roll}}]}
  now:    {label: {it: Ora, en: Now}, by: [rup], from: [draft], to: same, guards: [{within_term_of: {field: first, term: request.answer_days, counted: calendar_roll}}]}
  hush:   {label: {it: Zitto, en: Hush}, by: [rup, sua_clerk], from: [draft], to: same, guards: [{effective_after: {parent_field: hush}}]}
`

func askingWorkflow() map[string]string {
	yaml := guardedWorkflow()
	yaml["guarded.v1.yaml"] += asking
	return yaml
}

// option is what Options says of one event.
func option(t *testing.T, o *office, who auth.Actor, id, event string) engine.Option {
	t.Helper()
	opt, err := o.Options(t.Context(), who, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range opt.Events {
		if x.Event == event {
			return x
		}
	}
	t.Fatalf("no option %s", event)
	return engine.Option{}
}

// Before anything is typed, a guard that reads what the event asks for says nothing; when it fires, it does.
func TestGuardsSayNothingOfWhatIsNotTyped(t *testing.T) {
	each(t, askingWorkflow(), func(t *testing.T, o *office) {
		b := newHeldBench(t, o)
		for _, c := range []struct {
			event, code string
			inputs      map[string]any
		}{
			{"held", "day_off", map[string]any{"day": "2026-03-07"}},
			{"held", "field_too_late", map[string]any{"day": "2026-03-13"}},
			{"held", "", map[string]any{"day": "2026-03-12"}},
			{"decide", "field_other", map[string]any{"kind": "services"}},
			{"decide", "", map[string]any{"kind": "works"}},
			{"pace", "field_empty", map[string]any{"kind": "works"}},
		} {
			if x := option(t, o, o.rup, b.id, c.event); !x.Allowed || len(x.Refusals) > 0 {
				t.Errorf("%s before anything is typed: %+v", c.event, x.Refusals)
			}
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: c.event, Inputs: c.inputs})
			if (err == nil) != (c.code == "") || c.code != "" && !refusedWith(err, c.code) {
				t.Errorf("%s with %v = %v, want %q", c.event, c.inputs, err, c.code)
			}
		}
	})
}

// What is recorded later is known by its day alone: a committee named on the day of the deadline may have come before it. An
// instant settles it.
func TestEffectiveIsComparedAsExactlyAsItIsKnown(t *testing.T) {
	each(t, askingWorkflow(), func(t *testing.T, o *office) {
		b := newHeldBench(t, o)
		b.set("bids_due", "2026-02-27T11:00:00Z")
		for _, c := range []struct{ event, effective, code string }{
			{"name", "2026-02-26", "effective_not_after"},
			{"name", "2026-02-27", "effective_not_after"},
			{"name", "2026-02-28", ""},
			{"name", "", ""}, // now
			{"sit", "2026-02-27T11:00:00Z", "effective_not_after"},
			{"sit", "2026-02-27T11:00:01Z", ""},
		} {
			inputs := map[string]any{}
			if c.effective != "" {
				inputs["effective"] = c.effective
			}
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: c.event, Inputs: inputs})
			if (err == nil) != (c.code == "") || c.code != "" && !refusedWith(err, c.code) {
				t.Errorf("%s on %q = %v, want %q", c.event, c.effective, err, c.code)
			}
		}
		b.set("bids_due", "2026-03-02T09:00:00Z") // still to come: whatever is typed, it is too early
		if x := option(t, o, o.rup, b.id, "name"); x.Allowed {
			t.Error("a committee may be named before the bids are due")
		}
	})
}

// A term that is over today may not have been over on the day of the act: what asks for that day may be done, what does not may not.
func TestWhatIsLateTodayMayHaveBeenInTime(t *testing.T) {
	each(t, askingWorkflow(), func(t *testing.T, o *office) {
		b := newHeldBench(t, o)
		b.set("first", "2026-02-02") // ten days ended long ago
		if x := option(t, o, o.rup, b.id, "late"); !x.Allowed {
			t.Errorf("an act that may have been in time is refused before its day is typed: %+v", x.Refusals)
		}
		if x := option(t, o, o.rup, b.id, "now"); x.Allowed {
			t.Error("what has no other day than today is allowed after its term")
		}
		for effective, code := range map[string]string{"": "too_late", "2026-02-12": ""} {
			inputs := map[string]any{}
			if effective != "" {
				inputs["effective"] = effective
			}
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "late", Inputs: inputs})
			if (err == nil) != (code == "") || code != "" && !refusedWith(err, code) {
				t.Errorf("late on %q = %v, want %q", effective, err, code)
			}
		}
	})
}

// A guard that compares with a secret of the parent tells nothing of it but to who may see it.
func TestGuardsKeepTheSecretsOfTheParent(t *testing.T) {
	each(t, askingWorkflow(), func(t *testing.T, o *office) {
		b := newHeldBench(t, o)
		b.above("hush", "2026-04-01")
		for who, want := range map[string]string{"rup": "not_yet", "clerk": "effective_not_after"} {
			actor := map[string]auth.Actor{"rup": o.rup, "clerk": o.clerk}[who]
			_, err := o.Fire(t.Context(), actor, engine.Fire{Case: b.id, Event: "hush"})
			if x := option(t, o, actor, b.id, "hush"); !refusedWith(err, want) || len(x.Refusals) != 1 || x.Refusals[0].Code != want {
				t.Errorf("%s is told %v, %+v; want %s", who, err, x.Refusals, want)
			}
		}
	})
}

const stepwise = `
workflow: stepwise
version: 1
case: stepwise
label: {it: A passi, en: Stepwise}
start: scoring
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  scoring: {stage: work, label: {it: Valutazione tecnica, en: Technical evaluation}}
  opened:  {stage: work, label: {it: Apertura economica, en: Price opening}}
  waiting: {stage: work, label: {it: Attesa, en: Waiting}}
  done:    {stage: work, final: done, label: {it: Fatta, en: Done}}
events:
  begin:   {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: scoring}
  tell:    {label: {it: Comunica i punteggi tecnici, en: Tell the technical scores}, by: [committee], from: [scoring], to: opened}
  prices:  {label: {it: Registra i prezzi, en: Record the prices}, by: [rup], from: [opened], to: waiting}
  end:     {label: {it: Concludi, en: End}, by: [rup], from: [done], to: same}
  ring:    {label: {it: Scade, en: Expire}, by: [system], from: [waiting], to: done}
`

// What is not possible here says where it is, what comes next on the way and who may do it.
func TestRefusalShowsTheWay(t *testing.T) {
	each(t, map[string]string{"stepwise.v1.yaml": stepwise}, func(t *testing.T, o *office) {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "stepwise", SUA: "padova"})
		if err != nil {
			t.Fatal(err)
		}
		said := func(event string) engine.Refusal {
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: m.Case, Event: event})
			var r *engine.Refused
			if !errors.As(err, &r) || len(r.Refusals) != 1 || r.Refusals[0].Code != "event_not_here" {
				t.Fatalf("%s = %v", event, err)
			}
			return r.Refusals[0]
		}
		first := said("prices")
		if first.Text.IT != "«Registra i prezzi» non è possibile in «Valutazione tecnica», ma in «Apertura economica»: prima serve «Comunica i punteggi tecnici» (Commissione giudicatrice)." ||
			first.Text.EN != "“Record the prices” is not possible in “Technical evaluation” but in “Price opening”: first comes “Tell the technical scores” (Evaluation committee)." {
			t.Errorf("%q\n%q", first.Text.IT, first.Text.EN)
		}
		if first.Params["event"] != "Registra i prezzi" || first.Params["state"] != "Valutazione tecnica" {
			t.Errorf("parameters: %v", first.Params)
		}
		fire(t, o, o.committee, m.Case, "tell", nil)
		fire(t, o, o.rup, m.Case, "prices", nil)
		if r := said("end"); !strings.HasSuffix(r.Text.IT, "prima serve «Scade» (avviene da sé).") {
			t.Errorf("%q", r.Text.IT)
		}
		if r := said("prices"); r.Text.IT != "«Registra i prezzi» non è possibile in «Attesa», ma solo in «Apertura economica»." || strings.Contains(r.Text.EN, "{") {
			t.Errorf("%q %q", r.Text.IT, r.Text.EN)
		}
	})
}
