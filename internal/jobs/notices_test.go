package jobs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/notify"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// waiting is a request that is granted by silence.
const waiting = `
workflow: waiting
version: 1
case: waiting
label: {it: Attesa, en: Waiting}
start: asked
stages: {all: {label: {it: Tutto, en: All}}}
states:
  asked:   {stage: all, label: {it: Chiesto, en: Asked}}
  granted: {stage: all, final: granted, label: {it: Concesso, en: Granted}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar_roll, while: [asked], at_expiry: {fire: grant}}
events:
  ask:   {opens: true, label: {it: Chiedi, en: Ask}, by: [rup], to: asked, then: [{start: answer}]}
  grant: {label: {it: Concedi, en: Grant}, by: [system], from: [asked], to: granted}
`

// From the event to the file of the mail, with two workers and a webhook that hangs beside.
func TestNoticesLeaveWhileAWebhookHangs(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	storetest.Each(t, store.Options{Now: now}, func(t *testing.T, db *store.DB) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		folder := t.TempDir()
		keep, err := notify.Folder(folder, notify.Sender{From: "sua@provincia.example"})
		if err != nil {
			t.Fatal(err)
		}
		hangs, told := make(chan struct{}), make(chan struct{}, 10)
		cfg, err := engine.Shipped(nil)
		if err != nil {
			t.Fatal(err)
		}
		telling := strings.Replace(waiting, "then: [{start: answer}]", "then: [{start: answer}, {notify: request_received, to: [sua_clerk]}]", 1)
		if cfg.Sources, err = flow.Sources(fstest.MapFS{"waiting.v1.yaml": {Data: []byte(telling)}}); err != nil {
			t.Fatal(err)
		}
		cfg.DB, cfg.Notices.PublicURL = db, "https://sua.example"
		cfg.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){
			store.ChannelMail: func(ctx context.Context, m notice.Message) (string, error) {
				id, err := keep(ctx, m)
				told <- struct{}{}
				return id, err
			},
			store.ChannelWebhook: func(ctx context.Context, _ notice.Message) (string, error) {
				close(hangs)
				<-ctx.Done()
				return "", ctx.Err()
			},
		}
		e := mailRoom(t, cfg)
		rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "comune", Role: "rup"}}}
		if _, err := e.Open(t.Context(), rup, engine.Open{Workflow: "waiting"}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		redis := redisInside(t)
		for range 2 {
			w := begun(t, Config{Engine: e, Redis: redis})
			go func() { w.SendNotices(ctx, 50*time.Millisecond); done <- struct{}{} }()
		}
		<-hangs
		<-told
		stop()
		<-done
		<-done
		if len(told) > 0 {
			t.Error("sent twice")
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.eml"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v %v", files, err)
		}
		if raw, err := os.ReadFile(files[0]); err != nil || !strings.Contains(string(raw), "clerk@provincia.example") {
			t.Errorf("%v %s", err, raw)
		}
		boss, err := e.ActorByID(t.Context(), "boss")
		if err != nil {
			t.Fatal(err)
		}
		hooks, err := e.Webhooks(t.Context(), boss)
		if err != nil || len(hooks) != 1 {
			t.Fatal(hooks, err)
		}
		if d, err := e.WebhookDeliveries(t.Context(), boss, hooks[0].ID); err != nil || len(d) != 1 || d[0].State != store.NoticeQueued || d[0].Attempts != 1 {
			t.Errorf("what hung is lost: %+v %v", d, err)
		}
	})
}

// mailRoom has a clerk with an address, and a director with a webhook.
func mailRoom(t *testing.T, cfg engine.Config) *engine.Engine {
	t.Helper()
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []store.Body{{ID: "sua", Name: "Provincia", Kind: "provincia", TaxCode: "00000000026"}, {ID: "comune", Name: "Comune", Kind: "comune", TaxCode: "00000000018"}} {
		if _, err := e.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.SaveAgreement(t.Context(), store.Agreement{ID: "a", MemberBody: "comune", SUA: "sua", ValidFrom: "2020-01-01"}); err != nil {
		t.Fatal(err)
	}
	for id, role := range map[string]string{"clerk": "sua_clerk", "boss": "sua_director"} {
		if err := e.SavePerson(t.Context(), store.Person{ID: id, Name: id, Email: id + "@provincia.example"}, []auth.Membership{{Body: "sua", Role: role}}); err != nil {
			t.Fatal(err)
		}
	}
	boss, err := e.ActorByID(t.Context(), "boss")
	if err == nil {
		_, err = e.SaveWebhook(t.Context(), boss, engine.Webhook{Body: "sua", URL: "https://receiver.example/"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}
