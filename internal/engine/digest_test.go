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
