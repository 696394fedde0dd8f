package flow

import (
	"slices"
	"testing"
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
