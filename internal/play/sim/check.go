package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// tree is what is stored of a tree, beside what its history says.
type tree struct {
	w      *walker
	root   string
	events []told
	cases  map[string]engine.CaseView
	defs   map[string]*flow.Definition
	tale   map[string]*account // by case
}

// told is an event with what its parts say.
type told struct {
	audit.Header
	open, secret part
	personal     map[string]any
	raw          string // the open part as stored
}

type part struct {
	Inputs map[string]any `json:"inputs"`
	Fields map[string]any `json:"fields"`
	Rows   []struct {
		Register string         `json:"register"`
		Row      int            `json:"row"`
		Values   map[string]any `json:"values"`
	} `json:"rows"`
	Deadlines []engine.DeadlineChange `json:"deadlines"`
	Opened    []string                `json:"opened"`
	Deadline  string                  `json:"deadline"`
}

// account is what the history says of a case.
type account struct {
	state    string
	revision int64
	visited  []string
	fields   map[string]any
	rows     map[string]map[int]map[string]any
	ended    time.Time // zero: it goes on
}

// checkAll holds every tree against its history and against the definitions.
func (w *walker) checkAll(ctx context.Context) {
	for _, root := range w.s.Roots() {
		if w.fault != nil {
			return
		}
		w.fault = w.check(ctx, root)
	}
	if w.fault == nil {
		w.fault = w.checkOutbox(ctx)
	}
}

func (w *walker) check(ctx context.Context, root string) *Fault {
	if err := w.s.Settle(ctx); err != nil { // what a late clock has left is applied first
		return fault("failure", "apply terms: %v", err)
	}
	t, f := w.read(ctx, root)
	if f != nil {
		return f
	}
	for _, rule := range t.rules() {
		if f := rule(ctx); f != nil {
			f.Text = fmt.Sprintf("%s (%s): %s", root, w.workflow, f.Text)
			return f
		}
	}
	return nil
}

// read reads a tree; the engine verifies its chain.
func (w *walker) read(ctx context.Context, root string) (*tree, *Fault) {
	t := &tree{w: w, root: root, cases: map[string]engine.CaseView{}, defs: map[string]*flow.Definition{}, tale: map[string]*account{}}
	h, err := w.s.Engine().History(ctx, w.s.Witness(), root, 0, 0)
	if err != nil || !h.Verified {
		return nil, fault("chain", "the history does not verify: %v %s", err, h.Broken)
	}
	events, err := w.stage.DB.History(ctx, store.Everything, root, 0, 0)
	if err != nil {
		return nil, fault("failure", "read history: %v", err)
	}
	for i := range events {
		e := told{raw: string(events[i].OpenBody)}
		if e.Header, err = audit.Parse(events[i].Header); err != nil {
			return nil, fault("chain", "event %d: %v", i+1, err)
		}
		for body, into := range map[*[]byte]any{&events[i].OpenBody: &e.open, &events[i].SecretBody: &e.secret, &events[i].PersonalBody: &e.personal} {
			if len(*body) > 0 {
				if err := json.Unmarshal(*body, into); err != nil {
					return nil, fault("chain", "event %d: %v", i+1, err)
				}
			}
		}
		t.events = append(t.events, e)
		if _, known := t.cases[e.Case]; known {
			continue
		}
		v, err := w.s.Engine().Case(ctx, w.s.Witness(), e.Case)
		if err != nil {
			return nil, fault("family", "event %d tells of case %s, which cannot be read: %v", e.Seq, e.Case, err)
		}
		t.cases[e.Case], t.defs[e.Case] = v, w.defs[v.Hash]
		t.tale[e.Case] = &account{fields: map[string]any{}, rows: map[string]map[int]map[string]any{}}
	}
	return t, nil
}

// follows: each event leaves from where the one before led to, as the definition lets it, no earlier than the one before, and its
// cause came before it. What ended accepts only what stays.
func (t *tree) follows(context.Context) *Fault {
	var last time.Time
	for i, e := range t.events {
		a, def := t.tale[e.Case], t.defs[e.Case]
		switch {
		case e.Seq != int64(i+1):
			return fault("chain", "event %d has number %d", i+1, e.Seq)
		case e.At.Before(last):
			return fault("time", "event %d is dated %s, before the one before it", e.Seq, e.At)
		case e.Effective.After(e.At):
			return fault("time", "event %d takes effect at %s, after it was recorded at %s", e.Seq, e.Effective, e.At)
		case e.Cause >= e.Seq:
			return fault("cause", "event %d is caused by %d", e.Seq, e.Cause)
		case e.From != a.state:
			return fault("state", "event %d (%s) leaves from %q: the case stood in %q", e.Seq, e.Event, e.From, a.state)
		}
		last = e.At
		if f := a.add(e, def); f != nil {
			return f
		}
	}
	return nil
}

// add is an event of the case.
func (a *account) add(e told, def *flow.Definition) *Fault {
	ev, known := def.Event(e.Event)
	switch {
	case e.Event == "attach":
		return nil
	case !known:
		return fault("state", "event %d: %s is not in %s", e.Seq, e.Event, def.Workflow)
	}
	if from, ok := def.State(e.From); ok && from.Final != "" && e.To != e.From && !ev.Rectify {
		return fault("final", "event %d (%s) leaves the final state %s", e.Seq, e.Event, e.From)
	}
	if to := slices.ContainsFunc(ev.Moves, func(m flow.Move) bool {
		here := m.Opens && e.From == "" || slices.Contains(m.From, e.From)
		return here && (m.To.Same && e.To == e.From || m.To.Previous || slices.Contains(m.To.States(), e.To))
	}); !to && !ev.Rectify {
		return fault("state", "event %d: %s does not lead from %q to %q", e.Seq, e.Event, e.From, e.To)
	}
	a.state = e.To
	a.revision++
	a.visited = append(a.visited, e.To)
	if st, ok := def.State(e.To); ok && st.Final == "" {
		a.ended = time.Time{}
	} else if a.ended.IsZero() {
		a.ended = e.At
	}
	for _, p := range []part{e.open, e.secret} {
		for id, v := range p.Fields {
			a.set(id, v)
		}
		for _, r := range p.Rows {
			if a.rows[r.Register] == nil {
				a.rows[r.Register] = map[int]map[string]any{}
			}
			a.rows[r.Register][r.Row] = r.Values
		}
	}
	for id, v := range e.personal {
		if field, ok := strings.CutPrefix(id, "field:"); ok {
			a.set(field, v)
		}
	}
	return nil
}

func (a *account) set(field string, v any) {
	if v == nil {
		delete(a.fields, field)
	} else {
		a.fields[field] = v
	}
}

// stands: state, revision, end, fields and rows of each case are what its history says.
func (t *tree) stands(context.Context) *Fault {
	for id, v := range t.cases {
		a := t.tale[id]
		if v.State.ID != a.state || v.Revision != a.revision {
			return fault("state", "%s %s stands in %s with revision %d; its history says %s after %d events", v.Workflow.ID, id, v.State.ID, v.Revision, a.state, a.revision)
		}
		if (v.EndedAt == nil) != a.ended.IsZero() || v.EndedAt != nil && !v.EndedAt.Equal(a.ended) {
			return fault("state", "%s %s ended at %v; its history says %v", v.Workflow.ID, id, v.EndedAt, a.ended)
		}
		fields := map[string]any{}
		for _, f := range v.Fields {
			if f.Value != nil {
				fields[f.Field.ID] = f.Value
			}
		}
		if diff := differ(fields, a.fields); diff != "" {
			return fault("fields", "%s %s: %s", v.Workflow.ID, id, diff)
		}
		for _, reg := range v.Registers {
			rows := map[int]map[string]any{}
			for i, r := range reg.Rows {
				if r.Row != i+1 {
					return fault("rows", "%s %s: row %d of %s stands in place %d", v.Workflow.ID, id, r.Row, reg.Register.ID, i+1)
				}
				rows[r.Row] = r.Values
			}
			if diff := differ(rows, a.rows[reg.Register.ID]); diff != "" {
				return fault("rows", "%s %s, %s: %s", v.Workflow.ID, id, reg.Register.ID, diff)
			}
		}
	}
	return nil
}

// differ compares what is stored with what the history says, both as JSON says them.
func differ(stored, told any) string {
	plain := func(v any) any {
		var out any
		b, err := json.Marshal(v)
		if err != nil || json.Unmarshal(b, &out) != nil {
			return fmt.Sprint(v)
		}
		if m, ok := out.(map[string]any); !ok || len(m) == 0 {
			return nil
		}
		return out
	}
	a, b := plain(stored), plain(told)
	if reflect.DeepEqual(a, b) {
		return ""
	}
	left, _ := a.(map[string]any)
	right, _ := b.(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(merged(left, right))) {
		if !reflect.DeepEqual(left[id], right[id]) {
			return fmt.Sprintf("%s is %v; the history says %v", id, left[id], right[id])
		}
	}
	return fmt.Sprintf("%v; the history says %v", a, b)
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out
}

// family: every case below has its parent, its place under a declaration of it, and was opened by an event of it.
func (t *tree) family(context.Context) *Fault {
	opened := map[string]string{} // by whom
	for _, e := range t.events {
		for _, id := range e.open.Opened {
			opened[id] = e.Case
		}
	}
	places := map[string]string{}
	for id, v := range t.cases {
		if id == t.root {
			continue
		}
		parent, there := t.cases[v.Parent]
		if !there {
			return fault("family", "%s %s has the parent %q, which is not in the tree", v.Workflow.ID, id, v.Parent)
		}
		decl, ok := t.defs[v.Parent].Child(v.Child)
		place := fmt.Sprintf("%s %s:%d", v.Parent, v.Child, v.Ordinal)
		switch {
		case !ok || decl.Workflow != v.Workflow.ID:
			return fault("family", "%s %s stands under %q of %s", v.Workflow.ID, id, v.Child, parent.Workflow.ID)
		case opened[id] != v.Parent:
			return fault("family", "%s %s was not opened by an event of its parent", v.Workflow.ID, id)
		case places[place] != "":
			return fault("family", "%s is the place of %s and of %s", place, places[place], id)
		case parent.EndedAt != nil && v.EndedAt == nil && !decl.Outlives:
			return fault("family", "%s %s goes on after its parent has ended", v.Workflow.ID, id)
		}
		places[place] = id
	}
	for place := range places {
		head, number, _ := strings.Cut(place, ":")
		var n int
		_, _ = fmt.Sscan(number, &n)
		if n > 1 && places[fmt.Sprintf("%s:%d", head, n-1)] == "" {
			return fault("family", "%s has no sibling before it", place)
		}
	}
	return nil
}

// terms: none is live out of its `while`, none twice, none overdue after the sweep; each was started by an event of the case; the case
// and its root know the soonest.
func (t *tree) terms(context.Context) *Fault {
	var soonest *time.Time
	now := t.w.s.Now()
	for id, v := range t.cases {
		var own *time.Time
		running := map[string]bool{}
		for _, d := range v.Deadlines {
			decl, ok := t.defs[id].Deadline(d.Name)
			live := d.Status == store.Running || d.Status == store.Blocked || d.Status == store.Suspended
			switch {
			case !ok:
				return fault("terms", "%s is no term of %s", d.Name, v.Workflow.ID)
			case live && !slices.Contains(decl.While, v.State.ID):
				return fault("terms", "%s of %s is %s in state %s", d.Name, v.Workflow.ID, d.Status, v.State.ID)
			case live && running[d.Name]:
				return fault("terms", "%s of %s runs twice", d.Name, v.Workflow.ID)
			case d.Status == store.Running && !d.DueAt.After(now):
				return fault("terms", "%s of %s was due at %s and runs on at %s", d.Name, v.Workflow.ID, d.DueAt, now)
			case d.Status == store.Blocked && d.BlockedBy == nil:
				return fault("terms", "%s of %s is blocked by nothing", d.Name, v.Workflow.ID)
			case !live && d.EndedAt == nil:
				return fault("terms", "%s of %s is %s without an end", d.Name, v.Workflow.ID, d.Status)
			case !slices.ContainsFunc(t.events, func(e told) bool { return e.Case == id && e.At.Equal(d.StartedAt) || e.Effective.Equal(d.StartedAt) }):
				return fault("terms", "%s of %s began at %s with no event", d.Name, v.Workflow.ID, d.StartedAt)
			}
			if last, err := calendar.ParseDate(d.LastDay); err != nil || last.Start().After(d.DueAt) || last.AddDays(1).Start().Before(d.DueAt) {
				return fault("terms", "%s of %s ends at %s, but its last day is %s", d.Name, v.Workflow.ID, d.DueAt, d.LastDay)
			}
			running[d.Name] = running[d.Name] || live
			if live && d.Status != store.Suspended && (own == nil || d.DueAt.Before(*own)) {
				own = &d.DueAt
			}
		}
		if own != nil && (soonest == nil || own.Before(*soonest)) {
			soonest = own
		}
		if id != t.root && !same(v.NextDue, own) {
			return fault("next due", "%s %s: %v, its terms say %v", v.Workflow.ID, id, v.NextDue, own)
		}
	}
	if v := t.cases[t.root]; !same(v.NextDue, soonest) {
		return fault("next due", "%s: %v, the terms of the tree say %v", v.Workflow.ID, v.NextDue, soonest)
	}
	return nil
}

func same(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
