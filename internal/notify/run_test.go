package notify

import (
	"bytes"
	"context"
	"errors"
	"net/mail"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

const accepting = `
workflow: accepting
version: 1
case: accepting
label: {it: Richiesta, en: Request}
start: asked
stages: {all: {label: {it: Tutto, en: All}}}
states:
  asked:    {stage: all, label: {it: Chiesta, en: Asked}}
  accepted: {stage: all, final: accepted, label: {it: Accolta, en: Accepted}}
events:
  ask:    {label: {it: Chiedi, en: Ask}, by: [rup], opens: true, to: asked}
  accept: {label: {it: Accogli, en: Accept}, by: [rup], from: [asked], to: accepted, then: [{notify: request_accepted, to: [sua_clerk]}]}
`

// certifiedOffice is an engine that sends certified mail through a real server, with one case whose acceptance is to be told.
func certifiedOffice(t *testing.T, db *store.DB, send func(context.Context, notice.Message) (string, error)) (*engine.Engine, string) {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err == nil {
		cfg.Sources, err = flow.Sources(fstest.MapFS{"accepting.v1.yaml": {Data: []byte(accepting)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB = db
	cfg.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){store.ChannelPEC: send}
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []store.Body{{ID: "sua", Name: "Provincia", Kind: "provincia", TaxCode: "00000000026"}, {ID: "comune", Name: "Comune", Kind: "comune", TaxCode: "00000000018"}} {
		if _, err := e.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "comune", Role: "rup"}}}
	err = errors.Join(e.SaveAgreement(t.Context(), store.Agreement{ID: "a", MemberBody: "comune", SUA: "sua", ValidFrom: "2020-01-01"}),
		e.SavePerson(t.Context(), store.Person{ID: "clerk", Name: "Ivo Gallo"}, []auth.Membership{{Body: "sua", Role: "sua_clerk"}}))
	if err != nil {
		t.Fatal(err)
	}
	clerk, err := e.ActorByID(t.Context(), "clerk")
	if err == nil {
		err = e.SavePreferences(t.Context(), clerk, engine.Preferences{PEC: "istruttore@pec.provincia.example", Language: "it"})
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Open(t.Context(), rup, engine.Open{Workflow: "accepting"})
	if err == nil {
		_, err = e.Fire(t.Context(), rup, engine.Fire{Case: m.Case, Event: "accept", Revision: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
	return e, m.Case
}

// The whole way of a certified mail, over two real servers with TLS: the notice goes out, what the provider certifies comes back and is
// checked, kept, and offered as the date from which the event counts. A forged receipt changes nothing and is told of.
func TestCertifiedMailOutAndBack(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	storetest.Each(t, store.Options{Now: now}, func(t *testing.T, db *store.DB) {
		ca := newAuthority(t, "Certificatore")
		gestore, stranger := newProvider(t, ca), newProvider(t, newAuthority(t, "Certificatore"))
		out := newMailServer(t, ca.server(t), true)
		send, err := SMTP(Server{Address: out.address, User: "sua", Password: "segreta", TLS: "tls", CA: ca.file}, Sender{From: "sua@pec.provincia.example", Plain: true})
		if err != nil {
			t.Fatal(err)
		}
		e, id := certifiedOffice(t, db, send)
		if n, err := e.ExpandOutbox(t.Context(), 10); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		due, err := e.DueNotices(t.Context(), 10, store.ChannelPEC)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		if o, err := e.DeliverNotice(t.Context(), due[0].ID); err != nil || o.State != store.NoticeSent {
			t.Fatal(o, err)
		}
		if len(out.got) != 1 || !out.secure[0] {
			t.Fatalf("%d mails, encrypted %v", len(out.got), out.secure)
		}
		sent, err := mail.ReadMessage(bytes.NewReader(out.got[0]))
		if err != nil || !strings.Contains(sent.Header.Get("To"), "istruttore@pec.provincia.example") {
			t.Fatal(sent, err)
		}
		messageID := strings.Trim(sent.Header.Get("Message-ID"), "<>")

		address, user := mailbox(t, ca.server(t), stranger.receipt(t, "avvenuta-consegna", messageID), gestore.receipt(t, "accettazione", messageID))
		box := &Mailbox{Server: Server{Address: address, User: "sua", Password: "segreta", TLS: "tls", CA: ca.file}, Roots: pool(ca), Now: time.Now}
		var forged []error
		poll := func(state string, want ...string) engine.ReceiptView {
			t.Helper()
			if _, err := box.Poll(t.Context(), e.RecordReceipt, func(err error) { forged = append(forged, err) }); err != nil {
				t.Fatal(err)
			}
			kept, err := e.Receipts(t.Context(), auth.System("test"), id)
			if err != nil || len(kept) != len(want) {
				t.Fatalf("%+v %v, want %v", kept, err, want)
			}
			clerk, err := e.ActorByID(t.Context(), "clerk")
			if err != nil {
				t.Fatal(err)
			}
			box, err := e.Notices(t.Context(), clerk, engine.NoticeQuery{})
			if err != nil || len(box.Items) != 1 || box.Items[0].Deliveries[0].State != state {
				t.Fatalf("%+v %v, want %s", box.Items, err, state)
			}
			last := kept[len(kept)-1]
			if last.Kind != want[len(want)-1] || last.Event != "accept" || last.Seq != 2 {
				t.Errorf("%+v", last)
			}
			return last
		}
		if r := poll(store.NoticeSent, "accettazione"); r.Effective {
			t.Error("an acceptance proves no delivery")
		}
		if len(forged) != 1 || !errors.Is(forged[0], errUnsigned) {
			t.Errorf("forged: %v", forged)
		}
		raw := gestore.receipt(t, "avvenuta-consegna", messageID)
		put(t, user, raw)
		r := poll(store.NoticeDelivered, "accettazione", "avvenuta-consegna")
		if !r.Effective || !r.Certified.Equal(time.Date(2026, 3, 2, 9, 15, 30, 0, time.UTC)) || r.Provider != "Gestore Uno" {
			t.Errorf("%+v", r)
		}
		if _, kept, err := e.Receipt(t.Context(), auth.System("test"), r.ID); err != nil || !bytes.Equal(kept, raw) {
			t.Errorf("the receipt is not kept as it came: %v", err)
		}
		poll(store.NoticeDelivered, "accettazione", "avvenuta-consegna") // nothing new, nothing twice
	})
}
