package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// Who leaves a body between the news and the summary reads nothing more of it, before the summary is made and after.
func TestDigestTellsNothingOfABodyLeft(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		held := func(role auth.Membership) {
			if err := o.SavePerson(t.Context(), store.Person{ID: "direttore", Name: "Direttore", Email: "direttore@ente.example"}, []auth.Membership{role}); err != nil {
				t.Fatal(err)
			}
		}
		summed := func() {
			t.Helper()
			if n, err := o.DigestDue(t.Context()); err != nil || n != 1 {
				t.Fatalf("%d digests, %v", n, err)
			}
		}
		here, away := auth.Membership{Body: "padova", Role: "sua_director"}, auth.Membership{Body: "treviso", Role: "sua_director"}
		fire(t, o, o.rup, began(t, o, "uno"), "send", nil)
		expand(t, o, 1)
		held(away)
		summed()
		held(here)
		o.clock.add(24 * time.Hour)
		fire(t, o, o.rup, began(t, o, "due"), "send", nil)
		expand(t, o, 1)
		summed()
		held(away)
		deliver(t, o)
		for _, m := range box.take() {
			if m.To == "direttore@ente.example" {
				t.Errorf("sent %s", m.Text)
			}
		}
	}, withPost(box))
}

// A digest tells of several bodies: who leaves one of them before it is sent reads the news of the others, and nothing of that one.
func TestDigestOfSeveralBodies(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		if err := o.SaveAgreement(t.Context(), store.Agreement{ID: "a-treviso", MemberBody: "conselve", SUA: "treviso", ValidFrom: "2025-01-01"}); err != nil {
			t.Fatal(err)
		}
		cfg := config(t, o.db, tellingYAML)
		withPost(box)(&cfg)
		other, err := engine.New(t.Context(), cfg) // another process: it is not told that the person moves
		if err != nil {
			t.Fatal(err)
		}
		held := func(bodies ...string) {
			var roles []auth.Membership
			for _, b := range bodies {
				roles = append(roles, auth.Membership{Body: b, Role: "sua_director"})
			}
			if err := o.SavePerson(t.Context(), store.Person{ID: "direttore", Name: "Direttore", Email: "direttore@ente.example"}, roles); err != nil {
				t.Fatal(err)
			}
		}
		for _, left := range []string{"padova", "treviso"} {
			held("padova", "treviso")
			p, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "telling", SUA: "padova", Inputs: map[string]any{"title": "di padova"}})
			if err != nil {
				t.Fatal(describe(err))
			}
			fire(t, o, o.rup, p.Case, "send", nil)
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "telling", SUA: "treviso", Inputs: map[string]any{"title": "di treviso"}})
			if err != nil {
				t.Fatal(describe(err))
			}
			fire(t, o, o.rup, m.Case, "send", nil)
			expand(t, o, 2)
			if n, err := o.DigestDue(t.Context()); err != nil || n != 1 {
				t.Fatalf("%d digests, %v", n, err)
			}
			stays := map[string]string{"padova": "treviso", "treviso": "padova"}[left]
			held(stays)
			deliver(t, &office{Engine: other})
			var text string
			for _, m := range box.take() {
				if m.To == "direttore@ente.example" {
					text += m.Text
				}
			}
			if !strings.Contains(text, "di "+stays) || strings.Contains(text, "di "+left) {
				t.Errorf("left %s: %q", left, text)
			}
			o.clock.add(24 * time.Hour)
		}
	}, withPost(box))
}

// Who wants mails at once from now on gets at once what was put aside, also when the digest of the day has gone.
func TestFromDigestToAtOnce(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		addresses(t, o)
		send := func(title string) {
			t.Helper()
			fire(t, o, o.rup, began(t, o, title), "send", nil)
			expand(t, o, 1)
		}
		due := func(want int) {
			t.Helper()
			if n, err := o.DigestDue(t.Context()); err != nil || n != want {
				t.Fatalf("%d digests, %v; want %d", n, err, want)
			}
		}
		send("uno")
		due(1)
		send("due")
		due(0)
		if err := o.SavePreferences(t.Context(), o.director, engine.Preferences{Mail: "now", Language: "it"}); err != nil {
			t.Fatal(err)
		}
		due(1)
		due(0)
		deliver(t, o)
		var got []string
		html := ""
		for _, m := range box.take() {
			if m.To == "direttore@ente.example" {
				got, html = append(got, m.Text), m.HTML
			}
		}
		if len(got) != 2 || !strings.Contains(got[1], "due") || strings.Contains(got[1], "uno") {
			t.Errorf("sent %q", got)
		}
		if !strings.Contains(got[0], "Scegli come ricevere gli avvisi: https://sua.example/avvisi/impostazioni") || !strings.Contains(html, `<a href="https://sua.example/avvisi/impostazioni"`) {
			t.Errorf("the footer: %q", got[0])
		}
	}, withPost(box))
}

// crowded asks three people for something, so that their notices do not fill a look at the unanswered ones evenly.
var crowded = map[string]string{"telling.v1.yaml": strings.Replace(telling, "notify: request_rejected, to: [sua_director, sua_clerk]", "notify: request_received, to: [sua_director, sua_clerk, rup]", 1)}

// The director of each body concerned is told, however many notices nobody has answered.
func TestManyWithoutAnswer(t *testing.T) {
	each(t, crowded, func(t *testing.T, o *office) {
		const many = 70
		for range many {
			fire(t, o, o.rup, began(t, o, "x"), "send", nil)
		}
		expand(t, o, many)
		o.clock.add(3*24*time.Hour + time.Minute)
		if n, err := o.EscalateDue(t.Context()); err != nil || n != many {
			t.Fatalf("%d told, %v", n, err)
		}
		expand(t, o, many)
		if n, err := o.UnreadNotices(t.Context(), o.mayor); err != nil || n != many {
			t.Errorf("the director of the Comune has %d, %v", n, err)
		}
	}, func(c *engine.Config) {
		c.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){}
		c.Notices.EscalateAfter = 3 * 24 * time.Hour
	})
}
