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
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// use calls a use case on the case of Conselve and tells whether something of it came back.
type use func(o *office, who auth.Actor) (bool, error)

// uses are all use cases that a person may ask for; a new one without a line here fails TestUseCaseRoleBodyMatrix.
func uses(t *testing.T, id, document string) map[string]use {
	ctx := t.Context()
	isPadova := func(r engine.Ref) bool { return r.ID == "padova" }
	term := func(o *office) string { return termOf(t, o, id, "answer").ID }
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
		"Export": func(o *office, who auth.Actor) (bool, error) {
			d, err := o.Export(ctx, who, engine.Export{Case: id})
			return err == nil && d.Root == id, err
		},
		"AsOf": func(o *office, who auth.Actor) (bool, error) {
			now, err := o.Now(ctx)
			if err != nil {
				return false, err
			}
			v, err := o.AsOf(ctx, who, id, now)
			return err == nil && v.ID == id && v.Verified, err
		},
		"Changes": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Changes(ctx, who, engine.ChangeQuery{})
			return slices.ContainsFunc(v.Items, func(c engine.Change) bool { return c.Root == id }), err
		},
		"Deadlines": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Deadlines(ctx, who, id)
			return err == nil && len(v) == 1, err
		},
		"FindDeadlines": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.FindDeadlines(ctx, who, engine.DeadlineQuery{})
			return slices.ContainsFunc(v.Items, func(r engine.DeadlineRow) bool { return r.Case.ID == id }), err
		},
		"MoveDeadline": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.MoveDeadline(ctx, who, engine.ChangeDeadline{Case: id, Deadline: term(o)})
			return err != nil && engine.Kind(err) != engine.KindNotFound, err
		},
		"SuspendDeadline": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.SuspendDeadline(ctx, who, engine.ChangeDeadline{Case: id, Deadline: term(o)})
			return err != nil && engine.Kind(err) != engine.KindNotFound, err
		},
		"ResumeDeadline": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.ResumeDeadline(ctx, who, engine.ChangeDeadline{Case: id, Deadline: term(o)})
			return err != nil && engine.Kind(err) != engine.KindNotFound, err
		},
		"Outages": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Outages(ctx, who, "padova")
			return slices.ContainsFunc(v, func(r engine.OutageReport) bool { return r.ID == "g-1" }), err
		},
		"OutageSUAs": func(o *office, who auth.Actor) (bool, error) {
			return slices.ContainsFunc(o.OutageSUAs(who), isPadova), nil
		},
		"PreviewOutage": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.PreviewOutage(ctx, who, outageOf(t, ""))
			return engine.Kind(err) == engine.KindInvalid, err
		},
		"RecordOutage": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.RecordOutage(ctx, who, outageOf(t, ""))
			return engine.Kind(err) == engine.KindInvalid, err
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
		"Receipts": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.Receipts(ctx, who, id)
			return err == nil, err
		},
		"Receipt": func(o *office, who auth.Actor) (bool, error) {
			v, b, err := o.Receipt(ctx, who, "receipt-1")
			return v.ID == "receipt-1" && string(b) == "as it came", err
		},
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

// noticeUses are the use cases about being told. A notice of the case belongs to its director; a webhook of Conselve's to the director there.
func noticeUses(t *testing.T, id, noticeID, webhook string) map[string]use {
	ctx := t.Context()
	// what is one's own shows to oneself alone: here "rup" asks in every role, and the notice is "direttore"'s
	own := func(err error) (bool, error) { return err != nil && engine.Kind(err) != engine.KindNotFound, err }
	hook := func(err error) (bool, error) { return engine.Kind(err) != engine.KindNotFound, err }
	return map[string]use{
		"Notices": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Notices(ctx, who, engine.NoticeQuery{Case: id})
			return len(v.Items) > 0, err
		},
		"UnreadNotices": func(o *office, who auth.Actor) (bool, error) { n, err := o.UnreadNotices(ctx, who); return n > 0, err },
		"ReadNotices": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.ReadNotices(ctx, who, noticeID)
			return own(err)
		},
		"Preferences": func(o *office, who auth.Actor) (bool, error) {
			p, err := o.Preferences(ctx, who)
			return p.PEC != "", err
		},
		"SavePreferences": func(o *office, who auth.Actor) (bool, error) {
			return false, o.SavePreferences(ctx, who, engine.Preferences{Language: "it"})
		},
		"NewCalendarLink": func(o *office, who auth.Actor) (bool, error) {
			s, err := o.NewCalendarLink(ctx, who)
			return s == "", err
		},
		"CalendarLink":     func(o *office, who auth.Actor) (bool, error) { _, err := o.CalendarLink(ctx, who); return own(err) },
		"DropCalendarLink": func(o *office, who auth.Actor) (bool, error) { return false, o.DropCalendarLink(ctx, who) },
		"Webhooks": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.Webhooks(ctx, who)
			return slices.ContainsFunc(v, func(h engine.WebhookView) bool { return h.ID == webhook }), err
		},
		"WebhookBodies": func(o *office, who auth.Actor) (bool, error) {
			return slices.ContainsFunc(o.WebhookBodies(who), func(r engine.Ref) bool { return r.ID == "conselve" }), nil
		},
		"SaveWebhook": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.SaveWebhook(ctx, who, engine.Webhook{ID: webhook, URL: "https://receiver.example/"})
			return hook(err)
		},
		"TestWebhook": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.TestWebhook(ctx, who, webhook)
			return hook(err)
		},
		"WebhookDeliveries": func(o *office, who auth.Actor) (bool, error) {
			_, err := o.WebhookDeliveries(ctx, who, webhook)
			return hook(err)
		},
		"ReplayDelivery": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.WebhookDeliveries(ctx, who, webhook)
			if err != nil || len(v) == 0 {
				return hook(err)
			}
			return hook(o.ReplayDelivery(ctx, who, webhook, v[0].ID))
		},
		"DropWebhook": func(o *office, who auth.Actor) (bool, error) {
			v, err := o.SaveWebhook(ctx, o.mayor, engine.Webhook{Body: "conselve", URL: "https://receiver.example/"})
			if err != nil {
				return false, err
			}
			return hook(o.DropWebhook(ctx, who, v.ID))
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

// certified keeps a receipt of a certified mail about a case, to somebody who has left.
func certified(t *testing.T, o *office, id string) {
	t.Helper()
	n := store.Notice{ID: "pec-1", Source: "outbox:pec-1", Person: "gone", Channel: store.ChannelPEC, CaseID: id, Root: id, MemberBody: "conselve", SUA: "padova",
		Event: "send", Seq: 1, Template: "published", Params: []byte("{}"), State: store.NoticeSent, MessageID: "<pec-1@sua>", NextTry: o.clock.now(), At: o.clock.now()}
	err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error { tx.InsertNotices([]store.Notice{n}); return nil })
	if err == nil {
		err = o.db.SaveReceipt(t.Context(), store.Receipt{ID: "receipt-1", Notice: n.ID, CaseID: id, Root: id, MemberBody: "conselve", SUA: "padova", Seq: 1, Kind: "avvenuta-consegna",
			MessageID: n.MessageID, Certified: o.clock.now(), SHA256: "a", Raw: []byte("as it came"), At: o.clock.now()}, store.NoticeDelivered, "")
	}
	if err != nil {
		t.Fatal(err)
	}
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
		fire(t, o, o.rup, id, "send", nil, dueAck)
		if _, err := o.ExpandOutbox(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		storetest.Settle(t, o.db)
		hook, err := o.SaveWebhook(t.Context(), o.mayor, engine.Webhook{Body: "conselve", URL: "https://receiver.example/"})
		if err != nil {
			t.Fatal(err)
		}
		about := noticeUses(t, id, inbox(t, o, o.director)[0].ID, hook.ID)
		maps.Copy(all, about)
		if got, want := slices.Sorted(maps.Keys(all)), asked(); !slices.Equal(got, want) {
			t.Errorf("the matrix has %v, the engine %v", got, want)
		}
		if err := o.db.SaveOutage(t.Context(), store.Outage{ID: "g-1", SUA: "padova", Platform: "P", From: o.clock.now(), To: o.clock.now(), RecordedBy: "direttore", RecordedAt: o.clock.now()}); err != nil {
			t.Fatal(err)
		}
		certified(t, o, id)
		noRole := []string{"Open", "Openings"} // besides sight these want a role that may act
		ofEveryone := []string{"People"}       // each has people of their own
		for _, p := range posts() {
			home := p.body == "conselve" || p.body == "padova" || p.body == auth.AllBodies
			for name, call := range all {
				seen, err := call(o, p.actor())
				switch {
				case slices.Contains(ofEveryone, name), home && slices.Contains(noRole, name):
					continue
				case slices.Contains([]string{"OutageSUAs", "PreviewOutage", "RecordOutage"}, name): // the director's; the outage is not over yet
					if want := p.role == "sua_director" && (p.body == "padova" || p.body == "treviso" && name != "OutageSUAs"); seen != want && p.body != "este" && p.body != "conselve" {
						t.Errorf("%s of %s, %s: seen %v, want %v (%v)", p.role, p.body, name, seen, want, err)
					}
				case (name == "EfficiencySUAs" || name == "Outages") && p.body == "este": // the same SUA serves it
					if !seen || err != nil {
						t.Errorf("%s of %s, %s: %v %v", p.role, p.body, name, seen, err)
					}
				case about[name] != nil:
					may := strings.Contains(name, "Webhook") || name == "ReplayDelivery"
					if want := may && p.body == "conselve" && slices.Contains([]string{"member_director", "sua_director"}, p.role); seen != want {
						t.Errorf("%s of %s, %s: seen %v, want %v (%v)", p.role, p.body, name, seen, want, err)
					}
				case seen != home:
					t.Errorf("%s of %s, %s: seen %v, want %v (%v)", p.role, p.body, name, seen, home, err)
				}
			}
		}
	})
}
