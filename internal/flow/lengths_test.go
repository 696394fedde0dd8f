package flow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// lengthsText uses what a term may be counted with besides a number of the law, and what `then` may give.
const lengthsText = `workflow: lengths
version: 1
case: lengths
label: {it: Durate, en: Lengths}
start: on
stages: {all: {label: {it: Tutto, en: All}}}
fields:
  days:   {type: int, label: {it: Giorni di contratto, en: Days}}
  begun:  {type: date, label: {it: Consegna, en: Begun}}
  speed:  {type: choice, of: {days: {it: Giorni, en: Days}, share: {it: Quota, en: Share}}, label: {it: Passo, en: Speed}}
  closed: {type: bool, label: {it: Chiuso, en: Closed}}
children:
  twins: {workflow: lengths, label: {it: Gemelli, en: Twins}, outlives: true}
states:
  on:  {stage: all, label: {it: In corso, en: On}}
  off: {stage: all, final: done, label: {it: Finito, en: Off}}
deadlines:
  end:     {label: {it: Ultimazione, en: End}, term: {days: days}, counted: calendar_roll, from: {field: begun}, while: [on], at_expiry: {alert: [rup]}}
  paused:  {label: {it: Quota, en: Share}, term: {share: share.ratio, of: days}, counted: calendar, while: [on], at_expiry: {alert: [rup]}}
  before:  {label: {it: Prima, en: Before}, term: request.answer_days, counted: backward, from: {parent_field: begun}, while: [on], at_expiry: {alert: [rup]}}
  by:      {label: {it: Entro, en: By}, until: {parent_field: begun}, while: [on], at_expiry: {alert: [rup]}}
  same_by: {label: {it: Entro, en: By}, until: {field: begun}, while: [on], at_expiry: {alert: [rup]}}
  table:   {label: {it: Tabella, en: Table}, term: {field: speed, days: request.answer_days, share: min.open.days}, counted: calendar, while: [on], at_expiry: {alert: [rup]}}
  duty:    {label: {it: Esiti, en: Results}, term: request.answer_days, counted: calendar_roll, while: [off], at_expiry: {fire: late}}
events:
  begin: {label: {it: Inizia, en: Begin}, by: [rup, parent], opens: true, to: on, then: [{start: end}, {start: paused}, {start: same_by}, {start: table}]}
  above: {label: {it: Sopra, en: Above}, by: [rup], from: [on], to: same, then: [{start: by}]}
  later: {label: {it: Prima, en: Before}, by: [rup], from: [on], to: same, then: [{start: before}]}
  more:  {label: {it: Proroga, en: Extend}, by: [rup], from: [on], to: same, input: {n: {type: int, label: {it: N, en: N}}}, then: [{extend: end, term: request.answer_days}, {extend: end, days: n}]}
  give:  {label: {it: Dà, en: Give}, by: [rup], from: [on], to: same, then: [{set: speed, value: share}, {set: closed, value: true}, {set: begun, from: effective}, {clear: speed, if: [{fields_filled: {fields: [days]}}]}, {open: twins, set: {speed: days, closed: false}}, {tell: twins, event: take, copy: [days]}]}
  take:  {label: {it: Prende, en: Take}, by: [parent], from: [on, off], to: same, input: {n: {field: days}}}
  leave: {label: {it: Finisce, en: Leave}, by: [rup], from: [on], to: off, then: [{start: duty}]}
  told:  {label: {it: Esiti, en: Results}, by: [rup], from: [off], to: same, then: [{stop: duty}]}
  late:  {label: {it: In ritardo, en: Late}, by: [system], from: [off], to: same}
`

func lengths(t *testing.T) *Definition {
	t.Helper()
	return latest(t, compiled(t, lengthsText), "lengths")
}

func TestWhatATermIsCountedWith(t *testing.T) {
	d := lengths(t)
	for id, want := range map[string]Deadline{
		"end":     {Term: Term{Days: "days"}, From: "effective", FromField: FieldRef{Field: "begun"}},
		"paused":  {Term: Term{Share: "share.ratio", Of: "days"}, From: "effective"},
		"before":  {Term: Term{Key: "request.answer_days"}, From: "effective", FromField: FieldRef{ParentField: "begun"}},
		"by":      {Until: FieldRef{ParentField: "begun"}, From: "effective"},
		"same_by": {Until: FieldRef{Field: "begun"}, From: "effective"},
		"table":   {Term: Term{Field: "speed", ByChoice: map[string]string{"days": "request.answer_days", "share": "min.open.days"}}, From: "effective"},
	} {
		got, _ := d.Deadline(id)
		have := Deadline{Term: got.Term, Until: got.Until, From: got.From, FromField: got.FromField}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if got.Term.Zero() == got.Until.Zero() {
			t.Errorf("%s: term %+v, until %+v", id, got.Term, got.Until)
		}
	}
}

func TestWhatThenGives(t *testing.T) {
	d := lengths(t)
	more, _ := d.Event("more")
	give, _ := d.Event("give")
	want := []Action{
		{Verb: VerbExtend, Deadline: "end", Term: "request.answer_days"},
		{Verb: VerbExtend, Deadline: "end", Days: "n"},
		{Verb: VerbSet, Field: "speed", Value: "share"},
		{Verb: VerbSet, Field: "closed", Value: true},
		{Verb: VerbSet, Field: "begun", From: FromEffective},
		{Verb: VerbClear, Field: "speed", If: []Call{{Name: "fields_filled", Params: fieldsParams{Fields: []string{"days"}}}}},
		{Verb: VerbOpen, Children: "twins", Set: []Literal{{"speed", "days"}, {"closed", false}}},
		{Verb: VerbTell, Children: "twins", Event: "take", Copy: []Copied{{"days", "days"}}},
	}
	if diff := cmp.Diff(want, append(slices.Clone(more.Then), give.Then...), cmpopts.IgnoreFields(Call{}, "Line")); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
}

func TestLengthsAreRead(t *testing.T) {
	d := lengths(t)
	for id, want := range map[string]Need{"above": NeedDeadlines | NeedParent, "later": NeedDeadlines | NeedParent, "more": NeedDeadlines, "begin": NeedDeadlines} {
		if e, _ := d.Event(id); !e.Needs.Has(want) || want&NeedParent == 0 && e.Needs.Has(NeedParent) {
			t.Errorf("%s needs %b, want %b", id, e.Needs.What, want)
		}
	}
	if !d.GoesOn("on") || !d.GoesOn("off") || d.GoesOn("nowhere") {
		t.Error("people act on a case that is on, and have a duty after its end")
	}
	silent := strings.Replace(lengthsText, "  told:  {label: {it: Esiti, en: Results}, by: [rup],", "  told:  {label: {it: Esiti, en: Results}, by: [system],", 1)
	if latest(t, compiled(t, silent), "lengths").GoesOn("off") {
		t.Error("what happens by itself is nothing to do")
	}
}

func TestLengthsSurviveTheDatabase(t *testing.T) {
	d := lengths(t)
	again, _, err := Compile([]Source{{Name: "definizione", Data: d.Source, Pinned: true}}, testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	back, found := again.ByHash(d.Hash)
	if !found {
		t.Fatal("the hash changed")
	}
	if diff := same(d, back); diff != "" {
		t.Errorf("(-file +pinned):\n%s", diff)
	}
}

func TestLengthsOnTheReferencePage(t *testing.T) {
	page := lengths(t).Markdown(testVocabulary(), testLimits(t).On(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)))
	for _, want := range []string{
		"| Ultimazione | giorni: Giorni di contratto; si conta da: Consegna |",
		"| Quota | 0,25 dei giorni: Giorni di contratto |",
		"| Prima | 10 giorni; si conta da: `begun` del caso padre |",
		"| Entro | fino a: `begun` del caso padre |",
		"proroga il termine «Ultimazione» di 10 giorni; proroga il termine «Ultimazione» di tanti giorni quanti ne dice `n`",
		"imposta `speed` = Quota; imposta `closed` = Sì; imposta `begun` = data di efficacia; svuota `speed` (solo se: i campi sono compilati (Giorni di contratto)); apre «Gemelli» con `speed` = `days`, `closed` = `false`; comanda `take` a «Gemelli»",
		"| Finito | Esiti `told` | RUP | (resta) |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}
