package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

func feed(t *testing.T, o *office, who auth.Actor) (*ics.Calendar, string) {
	t.Helper()
	secret, err := o.NewCalendarLink(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := o.Calendar(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") { // RFC 5545 §3.1
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	cal, err := ics.ParseCalendar(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return cal, secret
}

func TestCalendarFeed(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		id := began(t, o, "Scuola segreta, con una palestra molto grande; e un nome così lungo che va a capo più volte")
		fire(t, o, o.rup, id, "send", nil)
		boss, secret := feed(t, o, o.director)
		events := boss.Events()
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		e := events[0]
		text := func(p ics.ComponentProperty) string { return e.GetProperty(p).Value }
		if day, err := e.GetAllDayStartAt(); err != nil || day.Format(time.DateOnly) != "2026-03-12" || e.GetProperty(ics.ComponentPropertyDtStart).ICalParameters["VALUE"][0] != "DATE" {
			t.Errorf("day %v %v", day, err)
		}
		if s := text(ics.ComponentPropertySummary); !strings.HasPrefix(s, "Risposta: Scuola segreta, con") {
			t.Errorf("summary %q", s)
		}
		if !strings.Contains(boss.Serialize(), "segreta\\, con una palestra molto grande\\; e") {
			t.Errorf("not escaped: %s", boss.Serialize())
		}
		uid := text(ics.ComponentPropertyUniqueId)
		// the clerk does not follow this case, and the director of another SUA does not see it
		if c, _ := feed(t, o, o.clerk); len(c.Events()) != 0 {
			t.Error("the clerk has terms of others")
		}
		if c, _ := feed(t, o, o.strangerClerk); len(c.Events()) != 0 {
			t.Error("a stranger has terms")
		}
		// who may not see the title does not find it
		if c, _ := feed(t, o, o.auditor); len(c.Events()) != 1 || strings.Contains(c.Serialize(), "segreta") {
			t.Errorf("the auditor reads %s", c.Serialize())
		}
		// a term that moves keeps its identity and raises its number
		before := text(ics.ComponentPropertySequence)
		fire(t, o, o.clerk, id, "later", map[string]any{"days": 5})
		raw, err := o.Calendar(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		later, err := ics.ParseCalendar(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		e = later.Events()[0]
		if day, err := e.GetAllDayStartAt(); err != nil || day.Format(time.DateOnly) != "2026-03-17" || text(ics.ComponentPropertyUniqueId) != uid || text(ics.ComponentPropertySequence) == before {
			t.Errorf("moved: %v %v", day, err)
		}
		if _, err := o.Calendar(t.Context(), secret+"x"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("guessed: %v", err)
		}
		feed(t, o, o.director)
		if _, err := o.Calendar(t.Context(), secret); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("the address before: %v", err)
		}
	}, withPost(box))
}

// A term that ends at an hour stands at that hour, in UTC also on the two sides of a change of the clocks; one of days takes whole days.
func TestCalendarFeedHasHours(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		published(t, o, "2026-03-25T12:00:00+01:00")
		published(t, o, "2026-03-30T12:00:00+02:00")
		cal, _ := feed(t, o, o.director)
		var timed, whole []string
		for _, e := range cal.Events() {
			start := e.GetProperty(ics.ComponentPropertyDtStart)
			if len(start.ICalParameters["VALUE"]) > 0 {
				whole = append(whole, start.Value)
				continue
			}
			timed = append(timed, start.Value)
			if e.GetProperty(ics.ComponentPropertyDtEnd) != nil {
				t.Errorf("an end beside the hour: %s", e.Serialize(&ics.SerializationConfiguration{NewLine: "\n", MaxLength: 75}))
			}
		}
		if !slices.Equal(timed, []string{"20260325T110000Z", "20260330T100000Z"}) || len(whole) != 2 {
			t.Errorf("timed %v, whole days %v", timed, whole)
		}
	})
}

func TestWebhooksAreTold(t *testing.T) {
	box := &postbox{}
	each(t, tellingYAML, func(t *testing.T, o *office) {
		box.take()
		save := func(who auth.Actor, body string, events ...string) engine.WebhookView {
			t.Helper()
			h, err := o.SaveWebhook(t.Context(), who, engine.Webhook{Body: body, URL: "https://receiver.example/" + body, Events: events})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		sua, town := save(o.director, "padova"), save(o.mayor, "conselve", "think")
		id := began(t, o, "Scuola segreta")
		fire(t, o, o.rup, id, "send", nil)
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "nascosta"})
		expand(t, o, 2)
		deliver(t, o)
		sent := box.take()
		if len(sent) != 3 {
			t.Fatalf("%d messages", len(sent))
		}
		for _, m := range sent {
			var told struct {
				Type      string
				Timestamp time.Time
				Data      struct{ Case, Event, Title string }
			}
			if err := json.Unmarshal(m.Payload, &told); err != nil || told.Data.Case != id || told.Timestamp.IsZero() || !strings.HasPrefix(told.Type, "sua.") {
				t.Fatalf("%v %s", err, m.Payload)
			}
			boss := strings.HasSuffix(m.To, "padova")
			if boss != (told.Data.Title != "") || !boss && told.Data.Event != "think" || m.Secret != map[bool]string{true: sua.Secret, false: town.Secret}[boss] {
				t.Errorf("%s: %s", m.To, m.Payload)
			}
		}
		list, err := o.WebhookDeliveries(t.Context(), o.director, sua.ID)
		if err != nil || len(list) != 2 || list[0].State != "delivered" {
			t.Fatalf("%+v %v", list, err)
		}
		if err := o.ReplayDelivery(t.Context(), o.director, sua.ID, list[0].ID); err != nil {
			t.Fatal(err)
		}
		deliver(t, o)
		if again := box.take(); len(again) != 1 || again[0].ID != list[0].ID {
			t.Errorf("replayed %+v", again)
		}
		// one that does not answer makes the others for it wait; a paused one is told nothing
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "a"})
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "b"})
		expand(t, o, 2)
		box.fail = errors.New("answered 500")
		ids, err := o.DueNotices(t.Context(), 10, store.ChannelWebhook)
		if err != nil || len(ids) != 4 {
			t.Fatal(ids, err)
		}
		became(t, o, ids[0], engine.Outcome{State: store.NoticeFailed, Target: ids[0].Target, Error: "answered 500", Retries: 5 * time.Second})
		became(t, o, ids[0], engine.Outcome{}) // the same again: not due any more
		if ids, err = o.DueNotices(t.Context(), 10, store.ChannelWebhook); err != nil || len(ids) != 2 {
			t.Errorf("%d due after one failed, %v", len(ids), err)
		}
		box.fail = nil
		if _, err := o.SaveWebhook(t.Context(), o.director, engine.Webhook{ID: sua.ID, URL: sua.URL, Paused: true}); err != nil {
			t.Fatal(err)
		}
		if err := o.DropWebhook(t.Context(), o.mayor, town.ID); err != nil {
			t.Fatal(err)
		}
		o.clock.add(time.Hour)
		deliver(t, o)
		box.take()
		fire(t, o, o.clerk, id, "think", map[string]any{"reason": "c"})
		expand(t, o, 1)
		if deliver(t, o) != 0 {
			t.Error("told after the end")
		}
	}, withPost(box))
}

// became sends a notice and compares what became of it.
func became(t *testing.T, o *office, due store.DueNotice, want engine.Outcome) {
	t.Helper()
	if got, err := o.DeliverNotice(t.Context(), due.ID); err != nil || got != want {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
}
