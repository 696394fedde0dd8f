package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
)

// family opens children one per row, tells them, joins on all and on any, and links another tree.
const family = `
workflow: family
version: 1
case: family
label: {it: Famiglia, en: Family}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
registers:
  plan: {label: {it: Piano, en: Plan}, columns: {title: text, amount: money}}
children:
  lots:  {workflow: kid, label: {it: Lotti, en: Lots}}
  after: {workflow: kid, label: {it: Dopo, en: After}, outlives: true}
states:
  draft:   {stage: work, label: {it: Bozza, en: Draft}}
  running: {stage: work, label: {it: In corso, en: Running}}
  woken:   {stage: work, label: {it: Svegliata, en: Woken}}
  over:    {stage: work, final: over, label: {it: Finita, en: Over}}
events:
  begin:  {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: draft, input: {title: {field: title}}}
  plan:   {label: {it: Pianifica, en: Plan}, by: [rup], from: [draft], to: same, input: {lot: {row: plan, columns: [title, amount]}}, then: [{open: lots, for_each: lot, copy: [title, amount, {title: note}]}]}
  split:  {label: {it: Dividi, en: Split}, by: [rup], from: [draft], to: same, input: {rows: {rows: plan, columns: [amount]}}, then: [{open: lots, for_each: rows, copy: [title, amount]}]}
  late:   {label: {it: Dopo, en: After}, by: [rup], from: [draft, running], to: same, then: [{open: after, copy: [title]}]}
  run:    {label: {it: Avvia, en: Run}, by: [rup], from: [draft], to: running, then: [{tell: lots, event: go}]}
  wake:   {label: {it: Sveglia, en: Wake}, by: [system], from: [running], to: woken}
  finish: {label: {it: Finito, en: Finish}, by: [system], from: [running, woken], to: over}
  drop:   {label: {it: Abbandona, en: Drop}, by: [rup], from: [draft, running, woken], to: over}
  repeat: {label: {it: Rifai, en: Repeat}, by: [rup], from: [running, woken], to: same, then: [{open_linked: {workflow: family, link: re_tender_of}, copy: [title]}]}
joins:
  - {children: lots, all: final, fire: finish}
  - {children: lots, any: [stuck], fire: wake}
`

const kid = `
workflow: kid
version: 1
case: kid
label: {it: Figlio, en: Kid}
start: idle
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Nome, en: Name}}
  note:   {type: text, label: {it: Nota, en: Note}}
  amount: {type: money, label: {it: Importo, en: Value}}
states:
  idle:  {stage: work, label: {it: Fermo, en: Idle}}
  going: {stage: work, label: {it: In corso, en: Going}}
  stuck: {stage: work, label: {it: Bloccato, en: Stuck}}
  over:  {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  born:  {label: {it: Apri, en: Open}, by: [parent], opens: true, to: idle}
  go:    {label: {it: Vai, en: Go}, by: [parent], from: [idle], to: going, guards: [{fields_filled: {fields: [amount]}}]}
  skip:  {label: {it: Salta, en: Skip}, by: [rup], from: [idle], to: over}
  stick: {label: {it: Blocca, en: Stick}, by: [rup], from: [going], to: stuck}
  close: {label: {it: Chiudi, en: Close}, by: [rup], from: [idle, going, stuck], to: over}
  price: {label: {it: Prezza, en: Price}, by: [rup], from: [idle], to: same, input: {amount: {field: amount, optional: true}}}
`

var familyFiles = map[string]string{"family.v1.yaml": family, "kid.v1.yaml": kid}

// begun opens a family with one lot per amount; 0 gives a lot without one.
func begun(t *testing.T, o *office, amounts ...int) (id string, lots []string) {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "family", Inputs: map[string]any{"title": "Scuola"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range amounts {
		r := fire(t, o, o.rup, m.Case, "plan", map[string]any{"lot": map[string]any{"title": fmt.Sprint("Lotto ", i+1), "amount": a}})
		lots = append(lots, r.Opened...)
	}
	if len(lots) != len(amounts) {
		t.Fatalf("%d lots for %d rows", len(lots), len(amounts))
	}
	return m.Case, lots
}

func TestChildrenOpenWithWhatIsCopied(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 100, 200)
		for i, lot := range lots {
			v, err := o.Case(t.Context(), o.rup, lot)
			want := fmt.Sprint("Lotto ", i+1)
			if err != nil || v.Title != want || *v.Amount != int64(100*(i+1)) || v.Ordinal != i+1 || v.Child != "lots" || v.Parent != id || v.Root != id || v.State.ID != "idle" || fieldOf(v, "note") != want {
				t.Errorf("lot %d: %+v %v", i+1, v.Summary, err)
			}
			if len(v.Parents) != 1 || v.Parents[0].ID != id {
				t.Errorf("parents %+v", v.Parents)
			}
		}
		m := fire(t, o, o.rup, id, "split", map[string]any{"rows": []any{map[string]any{"row": 2, "amount": 5}, map[string]any{"row": 1, "amount": 6}}})
		if len(m.Opened) != 2 {
			t.Fatalf("split opened %v", m.Opened)
		}
		for i, want := range []string{"Lotto 2 5", "Lotto 1 6"} { // a row brings all its columns
			v, _ := o.Case(t.Context(), o.rup, m.Opened[i])
			if got := fmt.Sprint(v.Title, " ", *v.Amount); got != want || v.Ordinal != i+3 {
				t.Errorf("split %d: %s, number %d", i, got, v.Ordinal)
			}
		}
		late := fire(t, o, o.rup, id, "late", nil).Opened[0]
		if v, _ := o.Case(t.Context(), o.rup, late); v.Title != "Scuola" || v.Ordinal != 1 {
			t.Errorf("a child with the field of its parent: %+v", v.Summary)
		}
	})
}

func fieldOf(v engine.CaseView, id string) any {
	for _, f := range v.Fields {
		if f.Field.ID == id {
			return f.Value
		}
	}
	return nil
}

func TestTell(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 100, 200)
		fire(t, o, o.rup, lots[0], "skip", nil) // no longer where the event leaves from: left alone
		fire(t, o, o.rup, id, "run", nil)
		if a, b := state(t, o, lots[0]), state(t, o, lots[1]); a != "over" || b != "going" {
			t.Errorf("told: %s, %s", a, b)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		last := h.Items[len(h.Items)-1]
		if last.Event != "go" || last.Role.ID != "parent" || h.Items[last.Cause-1].Event != "run" || last.Actor.ID != "rup" {
			t.Errorf("the told event says %+v", last)
		}
	})
}

// One child whose guard refuses refuses the whole: not a trace is left.
func TestTellRefusedLeavesNothing(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 100, 200)
		fire(t, o, o.rup, lots[1], "price", map[string]any{"amount": nil})
		before, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "run"})
		if !refusedWith(err, "fields_empty") {
			t.Fatalf("run = %v", err)
		}
		after, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if len(after.Items) != len(before.Items) || !after.Verified || state(t, o, id) != "draft" || state(t, o, lots[0]) != "idle" {
			t.Errorf("left: %d events, %s, %s", len(after.Items)-len(before.Items), state(t, o, id), state(t, o, lots[0]))
		}
		fire(t, o, o.rup, lots[1], "price", map[string]any{"amount": 1})
		fire(t, o, o.rup, id, "run", nil)
	})
}

func TestJoins(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 1, 2, 3)
		fire(t, o, o.rup, lots[0], "close", nil) // before the parent waits for it
		fire(t, o, o.rup, id, "run", nil)
		if s := state(t, o, id); s != "running" {
			t.Fatalf("joined too early: %s", s)
		}
		fire(t, o, o.rup, lots[1], "stick", nil)
		if s := state(t, o, id); s != "woken" {
			t.Errorf("any: %s", s)
		}
		fire(t, o, o.rup, lots[1], "close", nil)
		if s := state(t, o, id); s != "woken" {
			t.Errorf("all, with one to go: %s", s)
		}
		fire(t, o, o.rup, lots[2], "close", nil)
		if s := state(t, o, id); s != "over" {
			t.Errorf("all: %s", s)
		}
	})
}

func TestParentCannotEndWithOpenChildren(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, lots := begun(t, o, 1)
		after := fire(t, o, o.rup, id, "late", nil).Opened[0]
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "drop"}); !refusedWith(err, "children_open") || !strings.Contains(describe(err), "Lotti") || state(t, o, id) != "draft" {
			t.Errorf("drop with an open lot: %v", err)
		}
		fire(t, o, o.rup, lots[0], "close", nil)
		fire(t, o, o.rup, id, "drop", nil)
		if a, b := state(t, o, id), state(t, o, after); a != "over" || b != "idle" {
			t.Errorf("ended %s, the child that outlives it %s", a, b)
		}
		fire(t, o, o.rup, after, "price", map[string]any{"amount": 9}) // and goes on by itself
		fire(t, o, o.rup, after, "close", nil)
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if !h.Verified || h.Items[len(h.Items)-1].Case != after {
			t.Errorf("history %v %s", h.Verified, h.Broken)
		}
	})
}

func TestLinkedTree(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, _ := begun(t, o, 1)
		fire(t, o, o.rup, id, "run", nil)
		m := fire(t, o, o.rup, id, "repeat", nil)
		if len(m.Opened) != 1 {
			t.Fatalf("opened %v", m.Opened)
		}
		other := m.Opened[0]
		v, err := o.Case(t.Context(), o.rup, other)
		if err != nil || v.Root != other || v.Parent != "" || v.Title != "Scuola" || v.State.ID != "draft" {
			t.Fatalf("linked %+v %v", v.Summary, err)
		}
		here, _ := o.Case(t.Context(), o.rup, id)
		if len(v.Links) != 1 || v.Links[0].To.ID != id || !v.Links[0].Away || len(here.Links) != 1 || here.Links[0].To.ID != other || here.Links[0].Away || here.Links[0].Kind != "re_tender_of" {
			t.Errorf("links %+v and %+v", v.Links, here.Links)
		}
		a, _ := o.History(t.Context(), o.auditor, other, 0, 0)
		b, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if len(a.Items) != 1 || a.Items[0].Seq != 1 || !a.Verified || !b.Verified || b.Items[len(b.Items)-1].Event != "repeat" {
			t.Errorf("chains: %+v, %v %s", a.Items, b.Verified, b.Broken)
		}
		fire(t, o, o.rup, other, "drop", nil) // each lives by itself
		if state(t, o, id) != "running" {
			t.Error("the linked case moved the other")
		}
	})
}

func TestHistoryPages(t *testing.T) {
	each(t, familyFiles, func(t *testing.T, o *office) {
		id, _ := begun(t, o, 1, 2, 3)
		whole, err := o.History(t.Context(), o.auditor, id, 0, 0)
		if err != nil || !whole.Verified || len(whole.Items) != 7 || whole.Next != 0 {
			t.Fatalf("whole: %d events, next %d, %v", len(whole.Items), whole.Next, err)
		}
		for limit := 1; limit <= 8; limit++ {
			var seqs []int64
			after := int64(0)
			for range 10 {
				h, err := o.History(t.Context(), o.auditor, id, after, limit)
				if err != nil || !h.Verified {
					t.Fatalf("by %d after %d: %v %s", limit, after, err, h.Broken)
				}
				for _, i := range h.Items {
					seqs = append(seqs, i.Seq)
				}
				if after = h.Next; after == 0 {
					break
				}
			}
			if !slices.Equal(seqs, []int64{1, 2, 3, 4, 5, 6, 7}) {
				t.Errorf("by %d: %v", limit, seqs)
			}
		}
		if h, err := o.History(t.Context(), o.auditor, id, 7, 5); err != nil || !h.Verified || len(h.Items) != 0 || h.Next != 0 {
			t.Errorf("after the end: %+v %v", h, err)
		}
	})
}
