package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// shippedEngine knows the shipped workflows and has no database: enough for guards.
func shippedEngine(t *testing.T) *Engine {
	t.Helper()
	cfg, err := Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	lib, _, err := flow.Compile(cfg.Sources, Vocabulary(), cfg.Limits, cfg.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{cfg: cfg, limits: cfg.Limits, lib: lib}
	e.parties.bodies = map[string]store.Body{"padova": {ID: "padova"}, "conselve": {ID: "conselve"}}
	return e
}

// speaker is a guard where a shipped workflow names it, with the event that it speaks about.
type speaker struct {
	def  *flow.Definition
	ev   *flow.Event
	call flow.Call
	name string
}

// speakers are all guards whose words somebody may read: those that refuse, warn, or hold a term back.
func speakers(e *Engine) []speaker {
	var out []speaker
	add := func(def *flow.Definition, ev *flow.Event, where string, calls []flow.Call) {
		for _, c := range calls {
			out = append(out, speaker{def, ev, c, fmt.Sprintf("%s v%d %s %s: %s", def.Workflow, def.Version, ev.ID, where, c.Name)})
		}
	}
	for _, def := range e.lib.All() {
		for i := range def.Events {
			add(def, &def.Events[i], "guards", def.Events[i].Guards)
			add(def, &def.Events[i], "warns", def.Events[i].Warns)
		}
		for _, d := range def.Deadlines {
			if ev, ok := def.Event(d.Fire); ok {
				add(def, ev, "blocked_by of "+d.ID, d.BlockedBy)
			}
		}
	}
	return out
}

// stage is a tree full of random values around one case, which can be told again with other secrets.
type stage struct {
	e     *Engine
	r     *rand.Rand
	cases []*store.Case // root first, the case itself last of its line, then children
	own   *store.Case
	rows  map[string]map[string][]store.Row
	given store.Values
	past  map[string]store.Fired
}

var stageNow = time.Date(2026, 6, 10, 9, 0, 0, 0, time.UTC)

// value is a random one: few enough that equal ones meet, and thresholds lie between them.
func (s *stage) value(t flow.Type, of []flow.Choice) any {
	pick := func(all ...any) any { return all[s.r.IntN(len(all))] }
	switch t {
	case flow.TypeMoney:
		return pick(nil, int64(0), int64(5_000_000), int64(900_000_000_00))
	case flow.TypeInt:
		return pick(nil, int64(1), int64(1), int64(2), int64(30), int64(70))
	case flow.TypeBool:
		return pick(nil, true, false)
	case flow.TypeDate:
		return pick(nil, "2026-05-04", "2026-06-09", "2026-07-15")
	case flow.TypeInstant:
		return pick(nil, "2026-05-04T08:00:00.000000Z", "2026-06-09T10:00:00.000000Z", "2026-07-15T10:00:00.000000Z")
	case flow.TypeChoice:
		if len(of) == 0 || s.r.IntN(5) == 0 {
			return nil
		}
		return of[s.r.IntN(len(of))].ID
	}
	return pick(nil, "Alfa", "Beta")
}

// fill gives a case random values; again only those that are secret.
func (s *stage) fill(c *store.Case, again bool) {
	def, _ := s.e.Definition(c.Hash)
	data := c.Data.Clone()
	if data == nil {
		data = store.Values{}
	}
	for _, f := range def.Fields {
		if again && f.Secret == nil {
			continue
		}
		if delete(data, f.ID); true {
			if v := s.value(f.Type, f.Of); v != nil {
				data[f.ID] = v
			}
		}
	}
	c.Data = data
	for _, reg := range def.Registers {
		hidden := secretColumns(c.ID, def, reg.ID, nil)
		if again && len(hidden) == 0 {
			continue
		}
		was := s.rows[c.ID][reg.ID]
		n := len(was)
		if !again || len(hidden[0].Columns) == len(reg.Columns) { // where all is secret so is how many there are
			n = s.r.IntN(4)
		}
		rows := make([]store.Row, n)
		for i := range rows {
			values := store.Values{}
			for _, col := range reg.Columns {
				if again && i < len(was) && !slices.Contains(hidden[0].Columns, col.ID) {
					values[col.ID] = was[i].Data[col.ID]
				} else if v := s.value(col.Type, col.Of); v != nil {
					values[col.ID] = v
				}
			}
			rows[i] = store.Row{CaseID: c.ID, Register: reg.ID, Row: i + 1, Data: values}
		}
		s.rows[c.ID][reg.ID] = rows
	}
}

func (s *stage) add(def *flow.Definition, above *store.Case, child string) *store.Case {
	id := fmt.Sprintf("c%d", len(s.cases))
	c := &store.Case{ID: id, Root: id, Workflow: def.Workflow, Hash: def.Hash, MemberBody: "conselve", SUA: "padova", Child: child, State: def.States[s.r.IntN(len(def.States))].ID}
	if above != nil {
		c.Parent, c.Root, c.Ordinal = above.ID, above.Root, len(s.cases)
	}
	if st, ok := def.State(c.State); ok {
		c.Outcome = st.Final
	}
	s.rows[id] = map[string][]store.Row{}
	s.cases = append(s.cases, c)
	s.fill(c, false)
	return c
}

// newStage puts a case of a definition below random ones that may have it as a child, with children everywhere.
func newStage(e *Engine, r *rand.Rand, sp speaker) *stage {
	s := &stage{e: e, r: r, rows: map[string]map[string][]store.Row{}, given: store.Values{}, past: map[string]store.Fired{}}
	line, names := []*flow.Definition{sp.def}, []string{""}
	for len(line) < 3 {
		var above []*flow.Definition
		var as []string
		for _, d := range e.lib.All() {
			for _, c := range d.Children {
				if c.Workflow == line[0].Workflow {
					above, as = append(above, d), append(as, c.ID)
				}
			}
		}
		if len(above) == 0 {
			break
		}
		i := r.IntN(len(above))
		names[0] = as[i]
		line, names = append([]*flow.Definition{above[i]}, line...), append([]string{""}, names...)
	}
	var up *store.Case
	for i, d := range line {
		up = s.add(d, up, names[i])
	}
	s.own = up
	for i, d := range line {
		for _, c := range d.Children {
			if w, ok := e.lib.Latest(c.Workflow); ok {
				for range r.IntN(3) {
					s.add(w, s.cases[i], c.ID)
				}
			}
		}
	}
	for _, ev := range sp.def.Events {
		if r.IntN(2) == 0 {
			s.past[ev.ID] = store.Fired{Seq: 1, At: stageNow.AddDate(0, 0, -r.IntN(60)), Effective: stageNow.AddDate(0, 0, -r.IntN(60)), Actor: "system:x"}
		}
	}
	s.typeIn(sp, false)
	return s
}

// typeIn gives the event random inputs; again only those that are secret.
func (s *stage) typeIn(sp speaker, again bool) {
	for i := range sp.ev.Inputs {
		in := &sp.ev.Inputs[i]
		if in.Kind == flow.InputRow || in.Kind == flow.InputRows || again && len(s.e.inputGround(s.own, sp.def, sp.ev, in, "")) == 0 {
			continue
		}
		delete(s.given, in.ID)
		if v := s.value(in.Type, in.Of); v != nil {
			s.given[in.ID] = v
		}
	}
}

// ask has the guard speak about the tree as it is.
func (s *stage) ask(t *testing.T, sp speaker) *Refusal {
	t.Helper()
	snapshot := &store.Snapshot{Cases: map[string]*store.Case{}, Past: map[string]map[string]store.Fired{s.own.ID: s.past}}
	for _, c := range s.cases {
		snapshot.Cases[c.ID] = c
		for _, id := range sortedKeys(s.rows[c.ID]) {
			snapshot.Rows = append(snapshot.Rows, s.rows[c.ID][id]...)
		}
	}
	w, err := s.e.newWorld(stageNow, auth.System("x"), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	n := w.nodes[s.own.ID]
	draft := *n.c
	found := w.facts(n, &step{n: n, ev: sp.ev, inputs: s.given, draft: &draft, rows: n.rows, effective: stageNow}).check([]flow.Call{sp.call}, true)
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// again is the same tree with other secrets.
func (s *stage) again(sp speaker) *stage {
	out := &stage{e: s.e, r: s.r, rows: map[string]map[string][]store.Row{}, given: store.Values{}, past: s.past}
	for k, v := range s.given {
		out.given[k] = v
	}
	for _, c := range s.cases {
		copied := *c
		out.rows[c.ID] = map[string][]store.Row{}
		for id, rows := range s.rows[c.ID] {
			out.rows[c.ID][id] = rows
		}
		out.cases = append(out.cases, &copied)
		if c == s.own {
			out.own = &copied
		}
		out.fill(&copied, true)
	}
	out.typeIn(sp, true)
	return out
}

func saying(r *Refusal) string {
	if r == nil {
		return ""
	}
	return r.Code + ": " + r.Text.IT
}

// Whatever a guard of a shipped workflow says, where it says otherwise when nothing but secrets differ it must be known to rest on them: else
// somebody who may not see them reads about them.
func TestGuardsNameTheSecretsTheyLookAt(t *testing.T) {
	e := shippedEngine(t)
	r := rand.New(rand.NewPCG(7, 11))
	heard := 0
	for _, sp := range speakers(e) {
		for range 40 {
			s := newStage(e, r, sp)
			one, other := s.ask(t, sp), s.again(sp).ask(t, sp)
			if saying(one) == saying(other) {
				continue
			}
			heard++
			for _, said := range []*Refusal{one, other} {
				if said != nil && len(said.rests) == 0 {
					t.Errorf("%s tells of secrets that it does not name: %q or %q", sp.name, saying(one), saying(other))
				}
			}
			if t.Failed() {
				break
			}
		}
	}
	if heard < 100 {
		t.Errorf("only %d times a secret changed what a guard said: the test looks at nothing", heard)
	}
}

// A warning that rests on something secret, accepted: the open part says only that there was one, and so does the story to who may see
// nothing. The guards are found by their definition, whether they stand under `warns:` or warn for weak evidence.
func TestWarningsAboutSecretsAreNeverOpen(t *testing.T) {
	e := shippedEngine(t)
	r := rand.New(rand.NewPCG(3, 5))
	found := map[string]bool{}
	for _, sp := range speakers(e) {
		s := newStage(e, r, sp)
		rests := e.grounds(around{c: s.own, def: sp.def, near: s.find, all: s.cases}, sp.ev, sp.call)
		if len(rests) == 0 {
			continue
		}
		found[sp.call.Name] = true
		said := Refusal{Code: "guasto", Text: same("parolasegreta"), Soft: true, rests: rests}
		h := &happening{}
		h.noteAccepted([]noted{note(said, "motivosegreto"), note(Refusal{Code: "plain", Text: same("parolaaperta")}, "motivoaperto")})
		p, err := h.parts()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Open.Body, []byte("segret")) || bytes.Contains(p.Open.Body, []byte("guasto")) || !bytes.Contains(p.Open.Body, []byte("motivoaperto")) {
			t.Errorf("%s: the open part is %s", sp.name, p.Open.Body)
		}
		for _, c := range []struct {
			seen   sight
			opened bool
		}{{look(auth.System("x"), s.own).among(s.find), true}, {sight{nobody: true}.among(s.find), false}, {look(auth.Actor{ID: "x"}, &store.Case{}).among(s.find), false}} {
			var item HistoryItem
			ev := &store.Event{OpenBody: p.Open.Body, SecretBody: p.Secret.Body}
			if err := e.tellParts(&item, ev, s.own, sp.def, sp.ev, c.seen); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint(item.Warnings)
			if strings.Contains(text, "parolasegreta") != c.opened || strings.Contains(text, "motivosegreto") != c.opened || item.Hidden == c.opened || strings.Contains(text, secretWarning) == c.opened {
				t.Errorf("%s, seen by %+v: %s", sp.name, c.seen.who, text)
			}
			if !strings.Contains(text, "motivoaperto") {
				t.Errorf("%s: what is open is gone: %s", sp.name, text)
			}
		}
	}
	for _, name := range []string{"automatic_exclusion_allowed", "winner_ranked_first", "requirements_positive", "rows_filled", "fields_filled", "given_not_after"} {
		if !found[name] {
			t.Errorf("%s is not found to look at something secret", name)
		}
	}
}

func (s *stage) find(id string) *store.Case {
	for _, c := range s.cases {
		if c.ID == id {
			return c
		}
	}
	return nil
}
