package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// walker does random things to cases: random people, events, inputs (some of them nonsense), uploads and leaps of time.
type walker struct {
	t     *testing.T
	o     *office
	r     *rand.Rand
	roots []string
	messy bool           // this request may hold nonsense
	done  map[string]int // events that fired
}

func (w *walker) pick(list ...string) string { return list[w.r.IntN(len(list))] }

// somebody is mostly one who may, at times anybody.
func (w *walker) somebody(roles []string) auth.Actor {
	if len(roles) == 0 || w.r.IntN(10) == 0 {
		return []auth.Actor{w.o.rup, w.o.otherRUP, w.o.director, w.o.auditor, w.o.strangerClerk}[w.r.IntN(5)]
	}
	return at(roles[w.r.IntN(len(roles))]).actor()
}

func (w *walker) value(t flow.Type, of []flow.Choice) any {
	if w.messy && w.r.IntN(4) == 0 {
		return []any{nil, "", "sciocchezza", -7, true, map[string]any{"a": 1}, []any{"x"}, 1.5}[w.r.IntN(8)]
	}
	switch t {
	case flow.TypeBool:
		return w.r.IntN(2) == 0
	case flow.TypeInt:
		return w.r.IntN(60)
	case flow.TypeMoney:
		return w.r.IntN(900_000_000)
	case flow.TypePercent:
		return fmt.Sprintf("%d.%d", w.r.IntN(99), w.r.IntN(10))
	case flow.TypeDate:
		return w.o.clock.now().AddDate(0, 0, w.r.IntN(60)-5).Format(time.DateOnly)
	case flow.TypeInstant:
		return w.o.clock.now().Add(time.Duration(w.r.IntN(90*24)-100) * time.Hour).Format(time.RFC3339)
	case flow.TypeChoice:
		return of[w.r.IntN(len(of))].ID
	case flow.TypeBody:
		return w.pick("conselve", "padova")
	case flow.TypePerson:
		return w.pick("rup", "istruttore", "direttore")
	}
	if sample := map[flow.Type]string{flow.TypeCIG: "A0080CB958", flow.TypeCUP: "B18E18000340009", flow.TypeCUI: "L80009330285202600007", flow.TypeCPV: "45214200-2", flow.TypeNUTS: "ITH36"}[t]; sample != "" {
		return sample
	}
	return w.pick("Scuola «à»", "x", "Via Traverso\ncivico 1", "perché sì")
}

func (w *walker) inputs(list []flow.Input) map[string]any {
	out := map[string]any{}
	w.messy = w.r.IntN(6) == 0
	for _, in := range list {
		if in.Optional && w.r.IntN(3) == 0 {
			continue
		}
		row := map[string]any{}
		for _, c := range in.Columns {
			row[c.ID] = w.value(c.Type, c.Of)
		}
		switch {
		case in.Kind == flow.InputRow:
			out[in.ID] = row
		case in.Kind == flow.InputRows:
			row["row"] = w.r.IntN(3) + 1
			out[in.ID] = []any{row}
		case in.ID == "effective":
			out[in.ID] = w.o.clock.now().AddDate(0, 0, -w.r.IntN(4)).Format(time.DateOnly)
			if in.Type == flow.TypeInstant {
				out[in.ID] = w.o.clock.now().Add(-time.Duration(w.r.IntN(72)) * time.Hour).Format(time.RFC3339)
			}
		default:
			out[in.ID] = w.value(in.Type, in.Of)
		}
	}
	return out
}

// expected fails the test unless the error is one of those that people's mistakes may cause.
func (w *walker) expected(what string, err error) {
	w.t.Helper()
	if err != nil && engine.Kind(err) == engine.KindInternal {
		w.t.Fatalf("%s: %v", what, err)
	}
}

func (w *walker) open() {
	def := w.o.Library().Roots()[w.r.IntN(len(w.o.Library().Roots()))]
	ev := def.Openings()[0]
	if len(mayFire(ev)) == 0 {
		return // only an import begins such cases
	}
	m, err := w.o.Open(w.t.Context(), at(mayFire(ev)[0]).actor(), engine.Open{Workflow: def.Workflow, Event: ev.ID, MemberBody: "conselve", SUA: "padova", Inputs: w.inputs(ev.Inputs)})
	w.expected("open "+def.Workflow, err)
	if err == nil {
		w.roots = append(w.roots, m.Case)
	}
}

// step does one thing to a case of a tree.
func (w *walker) step(root string) {
	tree := w.tree(root)
	v := tree[w.r.IntN(len(tree))]
	def, err := w.o.Definition(v.Hash)
	if err != nil {
		w.t.Fatal(err)
	}
	events := def.EventsFrom(v.State.ID)
	if len(events) == 0 {
		return
	}
	ev := events[w.r.IntN(len(events))]
	if ev.Rectify && w.r.IntN(6) > 0 {
		return
	}
	who := w.somebody(mayFire(ev))
	if w.r.IntN(3) > 0 {
		for _, d := range ev.Documents {
			w.upload(who, v.ID, d)
		}
	}
	cmd := engine.Fire{Case: v.ID, Event: ev.ID, Inputs: w.inputs(ev.Inputs)}
	moved, err := w.o.Fire(w.t.Context(), who, cmd)
	var ask *engine.NeedsAcknowledgement
	if errors.As(err, &ask) {
		for _, x := range ask.Warnings {
			cmd.Acknowledge = append(cmd.Acknowledge, engine.Acknowledgement{Code: x.Code, Reason: "va bene"})
		}
		moved, err = w.o.Fire(w.t.Context(), who, cmd)
	}
	w.expected(def.Workflow+" "+ev.ID, err)
	if err == nil {
		w.done[def.Workflow+" "+ev.ID]++
		if moved.Event != ev.ID || moved.Revision <= v.Revision {
			w.t.Errorf("%s %s answers %+v, revision was %d", def.Workflow, ev.ID, moved, v.Revision)
		}
		for _, id := range moved.Opened {
			if c, err := w.o.Case(w.t.Context(), w.o.auditor, id); err != nil || c.Root == id { // a linked tree
				w.expected("linked tree", err)
				w.roots = append(w.roots, id)
			}
		}
	}
}

func (w *walker) upload(who auth.Actor, id, kind string) {
	_, err := w.o.Attach(w.t.Context(), who, engine.Attach{Case: id, Type: kind, Name: kind + ".pdf", Bytes: strings.NewReader("%PDF-1.7 " + kind)})
	w.expected("attach "+kind, err)
}

// tree reads every case of a tree.
func (w *walker) tree(root string) []engine.CaseView {
	w.t.Helper()
	v, err := w.o.Case(w.t.Context(), w.o.auditor, root)
	if err != nil {
		w.t.Fatal(err)
	}
	out := []engine.CaseView{v}
	for _, g := range v.Children {
		for _, c := range g.Cases {
			out = append(out, w.tree(c.ID)...)
		}
	}
	return out
}

// check holds a tree against its history.
func (w *walker) check(root string) {
	w.t.Helper()
	h, err := w.o.History(w.t.Context(), w.o.auditor, root, 0, 0)
	if err != nil || !h.Verified {
		w.t.Fatalf("history of %s: %v %s", root, err, h.Broken)
	}
	where, events := map[string]string{}, map[string]int64{}
	var last time.Time
	for i, item := range h.Items {
		if item.Seq != int64(i+1) || item.At.Before(last) || item.Cause >= item.Seq {
			w.t.Fatalf("event %d: seq %d, at %v after %v, cause %d", i, item.Seq, item.At, last, item.Cause)
		}
		if item.From.ID != where[item.Case] {
			w.t.Fatalf("event %d, %s, leaves from %q: the case stood in %q", item.Seq, item.Event, item.From.ID, where[item.Case])
		}
		last, where[item.Case] = item.At, item.To.ID
		if item.Event != "attach" {
			events[item.Case]++
		}
	}
	var soonest *time.Time
	tree := w.tree(root)
	for _, v := range tree {
		if v.State.ID != where[v.ID] || v.Revision != events[v.ID] {
			w.t.Fatalf("%s %s: in %s with revision %d; the history says %s after %d events", v.Workflow.ID, v.ID, v.State.ID, v.Revision, where[v.ID], events[v.ID])
		}
		own := w.running(v)
		if own != nil && (soonest == nil || own.Before(*soonest)) {
			soonest = own
		}
		if v.ID != root && !sameTime(v.NextDue, own) {
			w.t.Fatalf("%s: next due %v, its terms say %v", v.ID, v.NextDue, own)
		}
	}
	if v := tree[0]; !sameTime(v.NextDue, soonest) {
		w.t.Fatalf("%s: next due %v, the terms of its tree say %v", root, v.NextDue, soonest)
	}
}

// running returns the nearest of a case's terms, and checks that none runs where it may not.
func (w *walker) running(v engine.CaseView) *time.Time {
	def, _ := w.o.Definition(v.Hash)
	var out *time.Time
	for _, d := range v.Deadlines {
		decl, _ := def.Deadline(d.Name)
		live := d.Status == store.Running || d.Status == store.Blocked
		if (live || d.Status == store.Suspended) && !slices.Contains(decl.While, v.State.ID) {
			w.t.Fatalf("%s: %s is %s in state %s", v.ID, d.Name, d.Status, v.State.ID)
		}
		if live && (out == nil || d.DueAt.Before(*out)) {
			out = &d.DueAt
		}
	}
	return out
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

func TestRandomWalksBreakNothing(t *testing.T) {
	for name, c := range map[string]struct {
		yaml       map[string]string
		steps, min int // steps to take, different events that must have fired
	}{
		"shipped": {nil, 400, 15}, "family": {familyFiles, 200, 10}, "waiting": {waitingFiles, 100, 10}, "parcel": {parcel, 100, 6}, "sealed": {sealedFiles, 60, 5},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, c.yaml, func(t *testing.T, o *office) {
				w := &walker{t: t, o: o, r: rand.New(rand.NewPCG(36, 2023)), done: map[string]int{}}
				for i := range c.steps {
					switch {
					case len(w.roots) == 0 || i%40 == 0:
						w.open()
					case w.r.IntN(12) == 0:
						o.clock.add(time.Duration(w.r.IntN(12*24)) * time.Hour)
						_, err := o.ExpireDue(t.Context())
						w.expected("expire", err)
					default:
						w.step(w.roots[w.r.IntN(len(w.roots))])
					}
					if i%10 == 9 {
						w.check(w.roots[w.r.IntN(len(w.roots))])
					}
				}
				for _, root := range w.roots {
					w.check(root)
				}
				t.Logf("%d trees, %d different events", len(w.roots), len(w.done))
				if len(w.done) < c.min {
					t.Errorf("only %d different events fired: %v", len(w.done), w.done)
				}
			})
		})
	}
}
