package flow

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const winding = `
workflow: winding
version: 1
case: winding
label: {it: Tortuoso, en: Winding}
start: one
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  one:   {stage: work, label: {it: Uno, en: One}}
  two:   {stage: work, label: {it: Due, en: Two}}
  three: {stage: work, label: {it: Tre, en: Three}}
  aside: {stage: work, label: {it: Sospeso, en: Aside}}
  end:   {stage: work, final: end, label: {it: Fine, en: End}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: one}
  long:  {label: {it: Lunga, en: Long}, by: [rup], from: [one], to: two}
  go_on: {label: {it: Avanti, en: Go on}, by: [rup], from: [two], to: three}
  pause: {label: {it: Sospendi, en: Pause}, by: [rup], from: [one, two, three], to: aside}
  back:  {label: {it: Riprendi, en: Resume}, by: [rup], from: [aside], to: previous}
  jump:  {label: {it: Salta, en: Jump}, by: [sua_clerk], from: [one], to: {input: where, among: [two, three]}}
  act:   {label: {it: Agisci, en: Act}, by: [rup], from: [three], to: same}
  over:  {label: {it: Chiudi, en: Over}, by: [rup], from: [three, aside], to: end}
`

func TestWay(t *testing.T) {
	d := latest(t, compiled(t, winding), "winding")
	for _, tt := range []struct {
		state, previous, event, next string
		from                         []string
	}{
		{"one", "", "act", "jump", []string{"three"}}, // two steps by `long`, one by `jump`
		{"two", "one", "act", "go_on", []string{"three"}},
		{"two", "one", "back", "pause", []string{"aside"}},
		{"aside", "three", "act", "back", []string{"three"}},
		{"aside", "one", "act", "back", []string{"three"}},
		{"aside", "", "act", "", []string{"three"}}, // nobody knows where back leads
		{"one", "", "over", "pause", []string{"three", "aside"}},
		{"three", "two", "long", "", []string{"one"}}, // no way back but a rectification
		{"end", "three", "act", "", []string{"three"}},
		{"one", "", "begin", "", nil},
		{"one", "", "no_such_event", "", nil},
	} {
		next, from := d.Way(tt.state, tt.previous, tt.event)
		got := ""
		if next != nil {
			got = next.ID
		}
		if got != tt.next || !slices.Equal(from, tt.from) {
			t.Errorf("from %s (after %s) to %s: %q from %v, want %q from %v", tt.state, tt.previous, tt.event, got, from, tt.next, tt.from)
		}
	}
}

const named = `
workflow: up
version: 1
case: up
label: {it: Sopra, en: Up}
start: one
stages: {work: {label: {it: Lavoro, en: Work}}}
fields: {due: {type: instant, label: {it: Scadenza, en: Due}}}
children: {below: {workflow: down, label: {it: Sotto, en: Below}}}
states:
  one: {stage: work, label: {it: Uno, en: One}}
  end: {stage: work, final: end, label: {it: Fine, en: End}}
events:
  over: {label: {it: Chiudi, en: Over}, by: [rup], from: [one], to: end}
---
workflow: down
version: 1
case: down
label: {it: Giù, en: Down}
start: one
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  day: {type: date, label: {it: Giorno, en: Day}}
  urgent: {type: bool, label: {it: Urgente, en: Urgent}}
  way: {type: choice, of: {x: {it: Prima, en: First}, y: {it: Seconda, en: Second}}, label: {it: Via, en: Way}}
states:
  one: {stage: work, label: {it: Uno, en: One}}
  end: {stage: work, final: end, label: {it: Fine, en: End}}
events:
  over:
    label: {it: Chiudi, en: Over}
    by: [rup]
    from: [one]
    to: end
    input: {held: {type: date, label: {it: Tenuta il, en: Held on}}}
    guards: [{field_is: {field: way, value: x}}, {field_is: {field: urgent, value: true}}, {on_working_day: {given: held}}, {effective_after: {parent_field: due}}, {field_at_least: {field: day, term: {field: way, x: request.answer_days, y: min.open.days}, counted: calendar_roll}}]
`

// The reference page names what guards name as people know it.
func TestMarkdownNamesParameters(t *testing.T) {
	page := latest(t, compiled(t, named), "down").Markdown(testVocabulary(), testLimits(t).On(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)))
	for _, want := range []string{"ha quel valore (Via, Prima)", "ha quel valore (Urgente, sì)", "è un giorno lavorativo (Tenuta il)", "dopo quel momento (`due` del caso padre)",
		"(Giorno, Prima: 10 giorni; Seconda: 30 giorni, "} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
