package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
)

// formal tells the clerk of something that counts, by PEC too.
var formal = map[string]string{"telling.v1.yaml": strings.Replace(telling, "notify: request_rejected, to: [sua_director, sua_clerk]", "notify: request_accepted, to: [sua_clerk]", 1)}

func TestReceiptsProveAnEvent(t *testing.T) {
	box := &postbox{}
	each(t, formal, func(t *testing.T, o *office) {
		box.take()
		if err := o.SavePreferences(t.Context(), o.clerk, engine.Preferences{PEC: "istruttore@pec.example", Language: "it"}); err != nil {
			t.Fatal(err)
		}
		id := began(t, o, "x")
		m := fire(t, o, o.rup, id, "send", nil)
		expand(t, o, 1)
		deliver(t, o)
		sent := box.take()
		if len(sent) != 1 || sent[0].To != "istruttore@pec.example" {
			t.Fatalf("sent %+v", sent)
		}
		receipt := func(kind, sha string, at time.Time) notice.Receipt {
			return notice.Receipt{Kind: kind, MessageID: "<" + sent[0].ID + "@sua>", Provider: "Gestore", Certified: at, Signer: "CN=Gestore", SHA256: sha, Raw: []byte(kind)}
		}
		record := func(r notice.Receipt) {
			t.Helper()
			if err := o.RecordReceipt(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		state := func() engine.Delivery { return inbox(t, o, o.clerk)[0].Deliveries[0] }
		at := o.clock.now().Add(time.Minute)
		record(receipt("accettazione", "a", at))
		if d := state(); d.Channel != "pec" || d.State != "sent" {
			t.Errorf("%+v", d)
		}
		record(receipt("avvenuta-consegna", "b", at.Add(time.Minute)))
		record(receipt("avvenuta-consegna", "b", at.Add(time.Minute))) // read twice
		record(receipt("errore-consegna", "c", at.Add(time.Hour)))     // cannot undo a delivery
		if d := state(); d.State != "delivered" || !d.DeliveredAt.Equal(at.Add(time.Minute)) {
			t.Errorf("%+v", d)
		}
		got, err := o.Receipts(t.Context(), o.auditor, id)
		if err != nil || len(got) != 3 || !got[1].Effective || got[0].Effective || got[1].Event != "send" || got[1].Seq != m.Seq || !got[1].Certified.Equal(at.Add(time.Minute)) {
			t.Errorf("%+v %v", got, err)
		}
		if _, err := o.Receipts(t.Context(), o.strangerClerk, id); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("a stranger: %v", err)
		}
		readReceipt(t, o, got[1].ID, o.clerk, o.director) // the clerk was told; the title of the case is the director's for now
		for _, who := range []auth.Actor{o.rup, o.auditor} {
			if _, _, err := o.Receipt(t.Context(), who, got[1].ID); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%s reads what is secret: %v", who.ID, err)
			}
		}
		fire(t, o, o.director, id, "end", nil)
		readReceipt(t, o, got[1].ID, o.clerk, o.director, o.rup, o.auditor)
		if _, _, err := o.Receipt(t.Context(), o.strangerClerk, got[1].ID); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("a stranger: %v", err)
		}
		for _, unknown := range []string{"<nothing@sua>", ""} {
			r := receipt("avvenuta-consegna", "d", at)
			r.MessageID = unknown
			if err := o.RecordReceipt(t.Context(), r); !errors.Is(err, engine.ErrNotFound) {
				t.Errorf("%q: %v", unknown, err)
			}
		}
		fire(t, o, o.rup, began(t, o, "y"), "send", nil)
		expand(t, o, 1)
		deliver(t, o)
		sent = box.take()
		record(receipt("errore-consegna", "e", at))
		if d := state(); d.State != "dead" || d.Error != "errore-consegna" {
			t.Errorf("%+v", d)
		}
	}, withPost(box))
}

// readReceipt reads a receipt as it came, as several people.
func readReceipt(t *testing.T, o *office, id string, all ...auth.Actor) {
	t.Helper()
	for _, who := range all {
		v, raw, err := o.Receipt(t.Context(), who, id)
		if err != nil || string(raw) != "avvenuta-consegna" || v.SHA256 != "b" || !v.Whole {
			t.Errorf("%s: %+v %q %v", who.ID, v, raw, err)
		}
	}
}
