package engine_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// everyRead calls each use case that shows something of a case and returns the errors by name.
func everyRead(t *testing.T, o *office, who auth.Actor, id, document string) map[string]error {
	t.Helper()
	ctx, out := t.Context(), map[string]error{}
	_, out["case"] = o.Case(ctx, who, id)
	_, out["options"] = o.Options(ctx, who, id)
	_, out["history"] = o.History(ctx, who, id, 0, 0)
	_, out["documents"] = o.Documents(ctx, who, id)
	_, out["deadlines"] = o.Deadlines(ctx, who, id)
	_, f, err := o.Document(ctx, who, document)
	if err == nil {
		b, _ := io.ReadAll(f)
		err = errors.Join(f.Close(), map[bool]error{false: errors.New("wrong bytes")}[string(b) == "%PDF-1.7"])
	}
	out["document"] = err
	return out
}

func listed(t *testing.T, o *office, who auth.Actor) []string {
	t.Helper()
	p, err := o.Cases(t.Context(), who, engine.Filter{Children: true})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range p.Items {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestAnotherBodysCaseIsNotThere(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, itemID := opened(t, o)
		docs, err := o.Documents(t.Context(), o.rup, id)
		if err != nil || len(docs) != 1 {
			t.Fatal(docs, err)
		}
		nobody := auth.Actor{ID: "nessuno"}
		for name, who := range map[string]auth.Actor{"rup of another Comune": o.otherRUP, "clerk of another SUA": o.strangerClerk, "nobody": nobody} {
			for use, err := range everyRead(t, o, who, id, docs[0].ID) {
				if engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s: %s = %v", name, use, err)
				}
			}
			for _, c := range []string{id, itemID, "absent", "", "x\x00", "'; --"} {
				if _, err := o.Fire(t.Context(), who, engine.Fire{Case: c, Event: "fill"}); engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s fires on %q: %v", name, c, err)
				}
				if _, err := o.Case(t.Context(), who, c); engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s reads %q: %v", name, c, err)
				}
				_, err := o.Attach(t.Context(), who, engine.Attach{Case: c, Type: "request_form", Name: "x.pdf", Bytes: strings.NewReader("x")})
				if engine.Kind(err) != engine.KindNotFound {
					t.Errorf("%s uploads to %q: %v", name, c, err)
				}
			}
			if ids := listed(t, o, who); len(ids) != 0 {
				t.Errorf("%s lists %v", name, ids)
			}
		}
		for name, who := range map[string]auth.Actor{"rup": o.rup, "director": o.director, "committee": o.committee, "auditor": o.auditor} {
			for use, err := range everyRead(t, o, who, id, docs[0].ID) {
				if err != nil {
					t.Errorf("%s: %s = %v", name, use, err)
				}
			}
			if ids := listed(t, o, who); len(ids) != 2 || !slices.Contains(ids, itemID) {
				t.Errorf("%s lists %v", name, ids)
			}
		}
	})
}

func TestAuditorSeesAndDoesNothing(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		for _, who := range []auth.Actor{o.auditor, {ID: "revisore", Memberships: []auth.Membership{{Body: "conselve", Role: "auditor"}}}} {
			for _, event := range []string{"fill", "send", "rectify", "lose", "time_out"} {
				if _, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: event}); engine.Kind(err) != engine.KindForbidden {
					t.Errorf("auditor fires %s: %v", event, err)
				}
			}
			_, err := o.Attach(t.Context(), who, engine.Attach{Case: id, Type: "request_form", Name: "x.pdf", Bytes: strings.NewReader("x")})
			if engine.Kind(err) != engine.KindForbidden {
				t.Errorf("auditor uploads: %v", err)
			}
			if _, err := o.Open(t.Context(), who, engine.Open{Workflow: "parcel", MemberBody: "conselve"}); engine.Kind(err) != engine.KindForbidden {
				t.Errorf("auditor opens: %v", err)
			}
		}
	})
}

func TestWhoMayOpen(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		for name, c := range map[string]struct {
			who  auth.Actor
			cmd  engine.Open
			want engine.ErrorKind
		}{
			"own":               {o.rup, engine.Open{Workflow: "parcel"}, ""},
			"own, named":        {o.rup, engine.Open{Workflow: "parcel", MemberBody: "conselve", SUA: "padova"}, ""},
			"another Comune":    {o.rup, engine.Open{Workflow: "parcel", MemberBody: "este"}, engine.KindInvalid},
			"no such body":      {o.rup, engine.Open{Workflow: "parcel", MemberBody: "atlantide"}, engine.KindInvalid},
			"no such sua":       {o.rup, engine.Open{Workflow: "parcel", SUA: "atlantide"}, engine.KindInvalid},
			"no such workflow":  {o.rup, engine.Open{Workflow: "pacco"}, engine.KindInvalid},
			"no such event":     {o.rup, engine.Open{Workflow: "parcel", Event: "send"}, engine.KindInvalid},
			"without the role":  {o.clerk, engine.Open{Workflow: "parcel", MemberBody: "conselve"}, ""}, // the clerk acts on drafts (lose), so may open one
			"committee":         {o.committee, engine.Open{Workflow: "parcel", MemberBody: "conselve"}, engine.KindForbidden},
			"which of them":     {o.clerk, engine.Open{Workflow: "parcel"}, engine.KindInvalid},
			"an unknown input":  {o.rup, engine.Open{Workflow: "parcel", Inputs: map[string]any{"x": 1}}, engine.KindInvalid},
			"without agreement": {auth.Actor{ID: "x", Memberships: []auth.Membership{{Body: "treviso", Role: "rup"}}}, engine.Open{Workflow: "parcel"}, engine.KindRefused},
		} {
			_, err := o.Open(t.Context(), c.who, c.cmd)
			if c.want == "" && err != nil || c.want != "" && engine.Kind(err) != c.want {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
		for who, want := range map[*auth.Actor]int{&o.rup: 1, &o.clerk: 2, &o.auditor: 0, &o.committee: 0} {
			openings, err := o.Openings(t.Context(), *who)
			n := 0
			for _, x := range openings {
				n += len(x.Bodies)
			}
			if err != nil || n != want {
				t.Errorf("%s may open for %d bodies, want %d: %v", who.Name, n, want, err)
			}
		}
	})
}

func TestLists(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, itemID := opened(t, o)
		for name, c := range map[string]struct {
			f    engine.Filter
			want string
		}{
			"words, folded": {engine.Filter{Text: "CONSELVE SCUOLA à"}, id}, "no such word": {engine.Filter{Text: "ponte"}, ""}, "roots only": {engine.Filter{}, id},
			"by workflow": {engine.Filter{Workflow: "item", Children: true}, itemID}, "wildcard": {engine.Filter{Text: "%"}, ""}, "unreadable": {engine.Filter{Text: "\x00"}, ""},
			"body": {engine.Filter{Body: "este"}, ""}, "unreadable state": {engine.Filter{State: "\xff"}, ""},
		} {
			p, err := o.Cases(t.Context(), o.rup, c.f)
			got := ""
			for _, x := range p.Items {
				got += x.ID
			}
			if err != nil || got != c.want {
				t.Errorf("%s: %q %v, want %q", name, got, err, c.want)
			}
		}
		for name, f := range map[string]engine.Filter{"order": {Sort: "colour"}, "size": {Limit: 201}, "negative": {Limit: -1}, "cursor": {After: "zzz"}} {
			if _, err := o.Cases(t.Context(), o.rup, f); engine.Kind(err) != engine.KindInvalid {
				t.Errorf("bad %s = %v", name, err)
			}
		}
	})
}
