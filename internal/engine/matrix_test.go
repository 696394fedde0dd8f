package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// put stores a case of a workflow straight in a state, without a history: to look at what may be done there.
func put(t *testing.T, o *office, def *flow.Definition, id, state string) {
	t.Helper()
	st, ok := def.State(state)
	if !ok {
		t.Fatalf("%s has no state %s", def.Workflow, state)
	}
	err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
		return tx.InsertCase(&store.Case{
			ID: id, Root: id, Workflow: def.Workflow, Version: def.Version, Hash: def.Hash, State: state, Stage: st.Stage, Outcome: st.Final, Revision: 1,
			Visited: " " + state + " ", MemberBody: "conselve", SUA: "padova", Data: store.Values{}, OpenedAt: tx.Now, UpdatedAt: tx.Now,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// actsOf says who adopts the acts of newOffice's agreements: two as written there, two by the rule for silence (law.md §3.1).
var actsOf = map[string]string{"decision": "member_director", "award": "sua_director", "indiction": "sua_director", "award_proposal": "seat"}

// mayFire reads the roles of an event off its definition.
func mayFire(ev *flow.Event) []string {
	var out []string
	for _, by := range ev.By {
		switch {
		case by.OwnerOf != "":
			out = append(out, actsOf[by.OwnerOf])
		case by.Role != "system" && by.Role != "parent":
			out = append(out, by.Role)
		}
	}
	return out
}

// post is a role held in a body.
type post struct{ role, body string }

func (p post) actor() auth.Actor {
	return auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: p.body, Role: p.role}}}
}

// posts is every role of people in every kind of body: the case's two, another Comune, another SUA, and control of all.
func posts() []post {
	var out []post
	for role, r := range engine.Vocabulary().Roles {
		if r.Side == flow.SideSystem {
			continue
		}
		for _, body := range []string{"conselve", "padova", "este", "treviso"} {
			out = append(out, post{role, body})
		}
		if r.Side == flow.SideControl {
			out = append(out, post{role, auth.AllBodies})
		}
	}
	return out
}

// wanted is the kind of error that a post must meet on an event: not found out of sight, forbidden without the role, and
// with it whatever the rules say of the probe.
func (p post) wanted(ev *flow.Event) engine.ErrorKind {
	if p.body == "este" || p.body == "treviso" {
		return engine.KindNotFound
	}
	home := map[flow.Side]string{flow.SideMember: "conselve", flow.SideSUA: "padova", flow.SideCommittee: "padova"}
	if slices.Contains(mayFire(ev), p.role) && home[engine.Vocabulary().Roles[p.role].Side] == p.body {
		return ""
	}
	return engine.KindForbidden
}

// probe asks for an event with an input that no event has: it can only be refused, and how tells whether the role was let through.
func probe(t *testing.T, o *office, who auth.Actor, id, event string) error {
	t.Helper()
	_, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: event, Inputs: map[string]any{"no_such_input": true}})
	return err
}

func letThrough(err error) bool {
	k := engine.Kind(err)
	return k == engine.KindInvalid || k == engine.KindRefused
}

// once runs f on SQLite with the workflows that ship: who may do what does not depend on the database, and there are some
// thirty thousand combinations.
func once(t *testing.T, f func(t *testing.T, o *office)) {
	t.Helper()
	c := newClock("2026-03-02T08:00:00Z")
	f(t, newOffice(t, storetest.SQLite(t, store.Options{Now: c.now}), c, nil))
}

// skipped leaves most of a long table out of a run that looks for data races.
func skipped(i int) bool { return racing && i%10 != 0 }

func TestRoleEventBodyMatrix(t *testing.T) {
	once(t, func(t *testing.T, o *office) {
		checked, open := 0, 0
		for _, def := range o.Library().All() {
			id := "m-" + def.Workflow
			put(t, o, def, id, def.States[0].ID)
			for i := range def.Events {
				if skipped(i) {
					continue
				}
				ev := &def.Events[i]
				for _, p := range posts() {
					err := probe(t, o, p.actor(), id, ev.ID)
					want := p.wanted(ev)
					if want == "" && !letThrough(err) || want != "" && engine.Kind(err) != want {
						t.Errorf("%s: %s of %s fires %s: %v, want %q", def.Workflow, p.role, p.body, ev.ID, err, want)
					}
					var no *engine.Forbidden
					if errors.As(err, &no) && (no.Text.IT == "" || no.Text.EN == "" || len(no.Roles) != len(slices.Compact(slices.Sorted(slices.Values(mayFire(ev)))))) {
						t.Errorf("%s %s: forbidden says %+v", def.Workflow, ev.ID, no)
					}
					checked++
					if want == "" {
						open++
					}
				}
			}
		}
		if !racing && (checked < 1000 || open < 30) {
			t.Errorf("only %d combinations, %d allowed", checked, open)
		}
	})
}

// From every state: exactly the events that leave from it are possible, for exactly the roles that may fire them, and
// Options says the same as Fire.
func TestStateEventMatrix(t *testing.T) {
	once(t, func(t *testing.T, o *office) {
		for _, def := range o.Library().All() {
			for i, st := range def.States {
				if skipped(i) {
					continue
				}
				id := fmt.Sprintf("s-%s-%s", def.Workflow, st.ID)
				put(t, o, def, id, st.ID)
				for i := range def.Events {
					ev := &def.Events[i]
					roles := mayFire(ev)
					if len(roles) == 0 {
						continue
					}
					leaves := len(def.MovesFrom(ev.ID, st.ID)) > 0
					if got := !refusedWith(probe(t, o, at(roles[0]).actor(), id, ev.ID), "event_not_here"); got != leaves {
						t.Errorf("%s in %s: %s possible %v, want %v", def.Workflow, st.ID, ev.ID, got, leaves)
					}
				}
				options(t, o, def, st, id)
			}
		}
	})
}

func at(role string) post {
	if engine.Vocabulary().Roles[role].Side == flow.SideMember {
		return post{role, "conselve"}
	}
	return post{role, "padova"}
}

func refusedWith(err error, code string) bool {
	var r *engine.Refused
	return errors.As(err, &r) && slices.ContainsFunc(r.Refusals, func(x engine.Refusal) bool { return x.Code == code })
}

func options(t *testing.T, o *office, def *flow.Definition, st flow.State, id string) {
	t.Helper()
	var want []string
	for i := range def.Events {
		ev := &def.Events[i]
		if len(mayFire(ev)) > 0 && len(def.MovesFrom(ev.ID, st.ID)) > 0 {
			want = append(want, ev.ID)
		}
	}
	slices.Sort(want)
	for role, r := range engine.Vocabulary().Roles {
		if r.Side == flow.SideSystem {
			continue
		}
		got, err := o.Options(t.Context(), at(role).actor(), id)
		if err != nil {
			t.Errorf("%s in %s: options of %s: %v", def.Workflow, st.ID, role, err)
			continue
		}
		var names []string
		for _, x := range got.Events {
			names = append(names, x.Event)
			ev, _ := def.Event(x.Event)
			if mine := slices.Contains(mayFire(ev), role); x.Mine != mine || x.Allowed && !mine {
				t.Errorf("%s in %s: %s for %s: mine %v, allowed %v", def.Workflow, st.ID, x.Event, role, x.Mine, x.Allowed)
			}
			if x.Allowed != (len(x.Refusals) == 0) {
				t.Errorf("%s in %s: %s for %s: allowed %v with %v", def.Workflow, st.ID, x.Event, role, x.Allowed, x.Refusals)
			}
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("%s in %s: options %v, want %v", def.Workflow, st.ID, names, want)
		}
	}
}

const deciding = `
workflow: deciding
version: 1
case: deciding
label: {it: Decisione, en: Decision}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  done:  {stage: work, final: done, label: {it: Fatto, en: Done}}
events:
  begin:   {label: {it: Apri, en: Open}, by: [rup], opens: true, to: draft}
  decide:  {label: {it: Decidi, en: Decide}, by: [{owner_of: decision}], from: [draft], to: same}
  indict:  {label: {it: Indìci, en: Call}, by: [{owner_of: indiction}], from: [draft], to: same}
  propose: {label: {it: Proponi, en: Propose}, by: [{owner_of: award_proposal}], from: [draft], to: same}
  award:   {label: {it: Aggiudica, en: Award}, by: [{owner_of: award}], from: [draft], to: done}
`

// The same event belongs to one side or the other as the agreement says.
func TestAgreementAssignsActs(t *testing.T) {
	each(t, map[string]string{"deciding.v1.yaml": deciding}, func(t *testing.T, o *office) {
		m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "deciding"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			acts map[string]string
			want map[string]string
		}{
			{nil, map[string]string{"decide": "member_director", "indict": "sua_director", "propose": "seat", "award": "sua_director"}},
			{map[string]string{"decision": "sua", "indiction": "member", "award_proposal": "sua", "award": "member"},
				map[string]string{"decide": "sua_director", "indict": "member_director", "propose": "sua_director", "award": "member_director"}},
		} {
			if err := o.SaveAgreement(t.Context(), store.Agreement{ID: "a-conselve", MemberBody: "conselve", SUA: "padova", ValidFrom: "2025-01-01", Acts: c.acts}); err != nil {
				t.Fatal(err)
			}
			for event, owner := range c.want {
				for _, role := range []string{"member_director", "sua_director", "seat", "rup"} {
					if err := probe(t, o, at(role).actor(), m.Case, event); letThrough(err) != (role == owner) {
						t.Errorf("%v: %s fires %s: %v", c.acts, role, event, err)
					}
				}
			}
		}
	})
}
