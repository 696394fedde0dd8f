package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// tell puts a notice about a case of Conselve into the outbox and lets it become notices.
func (o *office) tell(t *testing.T, id, template, to string) {
	t.Helper()
	payload := `{"template":"` + template + `","to":["` + to + `"],"event":"send","seq":1}`
	err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
		tx.InsertMessages([]store.Message{{Topic: store.NoticeTopic, CaseID: id, Root: id, MemberBody: "conselve", SUA: "padova", Payload: []byte(payload), At: o.now()}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := o.ExpandOutbox(t.Context(), 10); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

func (o *office) actor(t *testing.T, id string) auth.Actor {
	t.Helper()
	a, err := o.ActorByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNoticesPage(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.as(t, "rup")
		page := b.get(t, "/avvisi")
		page.want(t, http.StatusOK, "Nessun avviso")
		opening, err := o.Open(t.Context(), o.actor(t, "rup"), engine.Open{Workflow: "parcel", Inputs: map[string]any{"title": "Scuola"}})
		if err != nil {
			t.Fatal(err)
		}
		id := opening.Case
		o.tell(t, id, "docs_to_approve", "rup")
		o.tell(t, id, "published", "rup")
		page = b.get(t, "/avvisi")
		page.want(t, http.StatusOK, "2 non letti", "documenti di gara da approvare", "chiede di intervenire", "gara pubblicata")
		o.as(t, "sua_clerk").get(t, "/avvisi").want(t, http.StatusOK, "Nessun avviso")
		form := page.all("input", "name=avviso")
		if len(form) != 2 {
			t.Fatalf("%d forms", len(form))
		}
		token := attr(page.all("input", "name=csrf")[0], "value")
		opened := b.post(t, "/avvisi/letti", url.Values{"csrf": {token}, "avviso": {attr(form[0], "value")}, "apri": {id}})
		if opened.Status != http.StatusOK || !strings.HasPrefix(opened.URL, "/procedure/"+id) {
			t.Errorf("%d %s", opened.Status, opened.URL)
		}
		b.get(t, "/avvisi?letti=no").want(t, http.StatusOK, "1 non letti", "documenti di gara")
		b.post(t, "/avvisi/letti", url.Values{"csrf": {token}, "avviso": {"none"}}).want(t, http.StatusNotFound)
		b.post(t, "/avvisi/letti", url.Values{"csrf": {token}}).want(t, http.StatusOK)
		b.get(t, "/avvisi?letti=no").want(t, http.StatusOK, "Nessun avviso")
	})
}

func TestPreferencesPage(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.as(t, "sua_director")
		page := b.get(t, "/avvisi/impostazioni")
		page.want(t, http.StatusOK, "Come per il mio ruolo (una volta al giorno)")
		token := attr(page.all("input", "name=csrf")[0], "value")
		fill := func(email string) url.Values {
			return url.Values{"csrf": {token}, "email": {email}, "pec": {""}, "mail": {"off"}, "digest_hour": {"7"}, "quiet_from": {"20"}, "quiet_to": {"6"}, "language": {"en"}}
		}
		wrong := b.post(t, "/avvisi/impostazioni", fill("nessuno"))
		wrong.want(t, http.StatusUnprocessableEntity, "Serve un solo indirizzo")
		if got := attr(wrong.all("input", "name=email")[0], "value"); got != "nessuno" {
			t.Errorf("what was typed is lost: %q", got)
		}
		b.post(t, "/avvisi/impostazioni", fill("sara@ente.example")).want(t, http.StatusOK, "Le tue scelte sono salvate")
		p, err := o.Preferences(t.Context(), o.actor(t, "sua_director"))
		if err != nil || p.Email != "sara@ente.example" || p.Mail != "off" || p.QuietFrom != 20 || p.Language != "en" {
			t.Errorf("%+v %v", p, err)
		}
	})
}

func TestCalendarPage(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.as(t, "rup")
		token := attr(b.get(t, "/avvisi/impostazioni").all("input", "name=csrf")[0], "value")
		made := b.post(t, "/avvisi/calendario", url.Values{"csrf": {token}})
		made.want(t, http.StatusOK, "non sarà più mostrato")
		at := strings.Index(made.Body, "/calendario/")
		path := made.Body[at : at+strings.Index(made.Body[at:], ".ics")+4]
		feed := o.browse().get(t, path) // no session: a program reads it
		if feed.Status != http.StatusOK || !strings.HasPrefix(feed.Header.Get("Content-Type"), "text/calendar") || !strings.HasPrefix(feed.Body, "BEGIN:VCALENDAR\r\n") {
			t.Errorf("%d %s", feed.Status, feed.Body)
		}
		o.browse().get(t, "/calendario/indovinato.ics").want(t, http.StatusNotFound)
		b.post(t, "/avvisi/calendario", url.Values{"csrf": {token}, "togli": {"1"}}).want(t, http.StatusOK, "non vale più")
		o.browse().get(t, path).want(t, http.StatusNotFound)
	})
}

func TestLocalOutboxPage(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		o.as(t, "auditor").get(t, "/avvisi/posta").want(t, http.StatusNotFound)
		o.echo = echo.New()
		box := fstest.MapFS{"1.eml": {Data: []byte("Subject: =?utf-8?q?Citt=C3=A0?=\r\nTo: rup@ente.example\r\nDate: Mon, 02 Mar 2026 09:00:00 +0100\r\n\r\nTesto.\r\n")}, "2.eml": {Data: []byte("x")}, "other.txt": {Data: []byte("no")}}
		Register(o.echo, Server{Engine: o.Engine, Demo: true, SessionHours: 8, Now: o.now, Outbox: box})
		b := o.as(t, "auditor")
		b.get(t, "/avvisi/posta").want(t, http.StatusOK, "Città", "rup@ente.example", "02/03/2026 09:00", "non leggibile")
		if r := b.get(t, "/avvisi/posta/1.eml"); r.Status != http.StatusOK || !strings.Contains(r.Body, "Testo.") || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%d %s", r.Status, r.Body)
		}
		for _, path := range []string{"/avvisi/posta/other.txt", "/avvisi/posta/..%2F1.eml", "/avvisi/posta/3.eml"} {
			b.get(t, path).want(t, http.StatusNotFound)
		}
		o.as(t, "sua_director").get(t, "/avvisi/posta").want(t, http.StatusNotFound)
	})
}

// What certified mail proves is offered where an effective date is asked for.
func TestProofOfDeliveryIsOffered(t *testing.T) {
	const dated = `
workflow: dated
version: 1
case: dated
label: {it: Datata, en: Dated}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  sent:  {stage: work, final: sent, label: {it: Inviata, en: Sent}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: draft}
  send:  {label: {it: Invia, en: Send}, by: [rup], from: [draft], to: sent, input: {effective: {type: date, optional: true, label: {it: Dal, en: From}}}}
`
	eachWith(t, &office{extra: dated}, false, func(t *testing.T, o *office) {
		opening, err := o.Open(t.Context(), o.actor(t, "rup"), engine.Open{Workflow: "dated"})
		if err != nil {
			t.Fatal(err)
		}
		sent := store.Notice{ID: "n1", Source: "outbox:1", Person: "rup", Channel: store.ChannelPEC, CaseID: opening.Case, Root: opening.Case, MemberBody: "conselve", SUA: "padova",
			Event: "begin", Seq: 1, Template: "published", Params: []byte("{}"), State: store.NoticeSent, MessageID: "<n1@sua>", NextTry: o.now(), At: o.now()}
		if err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error { tx.InsertNotices([]store.Notice{sent}); return nil }); err != nil {
			t.Fatal(err)
		}
		for i, kind := range []string{"accettazione", "avvenuta-consegna"} {
			r := notice.Receipt{Kind: kind, MessageID: "<n1@sua>", Provider: "Gestore Uno", Certified: o.now().Add(-time.Hour), SHA256: kind, Signer: "x", Raw: []byte{byte(i)}}
			if err := o.RecordReceipt(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		page := o.as(t, "rup").get(t, "/procedure/"+opening.Case+"/azioni/send")
		page.want(t, http.StatusOK, "è stata consegnata il 02/03/2026 08:00, come certifica Gestore Uno")
		if strings.Count(page.Body, "come certifica") != 1 {
			t.Error("an acceptance is offered as a delivery")
		}
		for _, who := range []string{"rup", "auditor"} {
			b := o.as(t, who)
			list := b.get(t, "/procedure/"+opening.Case+"/ricevute")
			list.want(t, http.StatusOK, "Avvenuta consegna", "Apri", "prova la consegna", "Gestore Uno", "Scarica la ricevuta")
			at := strings.LastIndex(list.Body, "/ricevute/")
			file := b.get(t, list.Body[at:at+strings.Index(list.Body[at:], `"`)])
			if file.Status != http.StatusOK || file.Body != "\x01" || file.Header.Get("Content-Type") != "message/rfc822" || !strings.Contains(file.Header.Get("Content-Disposition"), "avvenuta-consegna.eml") {
				t.Errorf("%s: %d %q %v", who, file.Status, file.Body, file.Header)
			}
		}
		o.as(t, "rup").get(t, "/ricevute/none").want(t, http.StatusNotFound)
	})
}
