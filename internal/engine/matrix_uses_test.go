package engine_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// use calls a use case on the case of Conselve and tells whether something of it came back.
type use func(o *office, who auth.Actor) (bool, error)

// uses are all use cases that a person may ask for; a new one without a line here fails TestUseCaseRoleBodyMatrix.
func uses(t *testing.T, id, document string) map[string]use {
	ctx := t.Context()
	return map[string]use{
		"Case": func(o *office, who auth.Actor) (bool, error) { v, err := o.Case(ctx, who, id); return v.ID == id, err },
		"Options": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Options(ctx, who, id)
			return v.Case == id, err
		},
		"WhyNot": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.WhyNot(ctx, who, id, "rectify")
			return v.Code != "", err
		},
		"History": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.History(ctx, who, id, 0, 0)
			return len(v.Items) > 0, err
		},
		"Deadlines": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Deadlines(ctx, who, id)
			return err == nil && len(v) == 0, err
		},
		"Documents": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Documents(ctx, who, id)
			return len(v) > 0, err
		},
		"Document": func(o *office, who auth.Actor) (bool, error) {
			v, f, err := o.Document(ctx, who, document)
			if err == nil {
				err = f.Close()
			}
			return v.ID == document, err
		},
		"Cases": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Cases(ctx, who, engine.Filter{})
			return slices.ContainsFunc(v.Items, func(s engine.Summary) bool { return s.ID == id }), err
		},
		"Fire": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.Fire(ctx, who, engine.Fire{Case: id, Event: "fill", Inputs: map[string]any{"no_such_input": true}})
			return err != nil && engine.Kind(err) != engine.KindNotFound, err
		},
		"Attach": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.Attach(ctx, who, engine.Attach{Case: id, Type: "no_such_type", Name: "x.pdf", Bytes: strings.NewReader("x")})
			return err != nil && engine.Kind(err) != engine.KindNotFound, err
		},
		"Open": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.Open(ctx, who, engine.Open{Workflow: "parcel", MemberBody: "conselve", Inputs: map[string]any{"no_such_input": true}})
			var bad *engine.Invalid
			return errors.As(err, &bad) && bad.Problems[0].Pointer != "/member_body", err
		},
		"Openings": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Openings(ctx, who)
			return slices.ContainsFunc(v, func(x engine.Opening) bool {
				return slices.ContainsFunc(x.Bodies, func(r engine.Ref) bool { return r.ID == "conselve" })
			}), err
		},
		"Bodies": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Bodies(ctx, who)
			return slices.ContainsFunc(v, func(r engine.Ref) bool { return r.ID == "conselve" }), err
		},
		"People": func(o *office, who auth.Actor) (bool, error) { v, err := o.People(ctx, who); return len(v) > 0, err },
		"Efficiency": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Efficiency(ctx, who, "padova", "", "")
			return slices.ContainsFunc(v.Lots, func(l engine.AwardTime) bool { return l.Case.MemberBody.ID == "conselve" }), err
		},
		"EfficiencySUAs": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.EfficiencySUAs(ctx, who)
			return slices.ContainsFunc(v, func(r engine.Ref) bool { return r.ID == "padova" }), err
		},
	}
}

// asked lists the methods of the engine that take who asks.
func asked() []string {
	var out []string
	for m := range reflect.TypeFor[*engine.Engine]().Methods() {
		for i := range m.Type.NumIn() {
			if m.Type.In(i) == reflect.TypeFor[auth.Actor]() {
				out = append(out, m.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Every use case × every role × every kind of body: what belongs to Conselve shows to Conselve, its SUA and control, and to nobody else.
func TestUseCaseRoleBodyMatrix(t *testing.T) {
	yaml := maps.Clone(parcel)
	maps.Copy(yaml, awarding)
	each(t, yaml, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		tender(t, o, o.rup, "2026-01-01T11:00:00Z", "2026-02-01")
		docs, err := o.Documents(t.Context(), o.rup, id)
		if err != nil {
			t.Fatal(err)
		}
		all := uses(t, id, docs[0].ID)
		if got, want := slices.Sorted(maps.Keys(all)), asked(); !slices.Equal(got, want) {
			t.Errorf("the matrix has %v, the engine %v", got, want)
		}
		noRole := []string{"Open", "Openings"} // besides sight these want a role that may act
		ofEveryone := []string{"People"}       // each has people of their own
		for _, p := range posts() {
			home := p.body == "conselve" || p.body == "padova" || p.body == auth.AllBodies
			for name, call := range all {
				seen, err := call(o, p.actor())
				switch {
				case slices.Contains(ofEveryone, name), home && slices.Contains(noRole, name):
					continue
				case name == "EfficiencySUAs" && p.body == "este": // the same SUA serves it
					if !seen || err != nil {
						t.Errorf("%s of %s, %s: %v %v", p.role, p.body, name, seen, err)
					}
				case seen != home:
					t.Errorf("%s of %s, %s: seen %v, want %v (%v)", p.role, p.body, name, seen, home, err)
				}
			}
		}
	})
}
