package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestWebhooksPages(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		o.as(t, "rup").get(t, "/avvisi/webhook").want(t, http.StatusForbidden, "Il tuo ruolo non lo consente")
		if strings.Contains(o.as(t, "rup").get(t, "/avvisi/impostazioni").Body, "/avvisi/webhook") {
			t.Error("a page that is refused is offered")
		}
		b := o.as(t, "sua_director")
		b.get(t, "/avvisi/impostazioni").want(t, http.StatusOK, "Altri programmi")
		page := b.get(t, "/avvisi/webhook")
		page.want(t, http.StatusOK, "Nessun webhook")
		token := attr(page.all("input", "name=csrf")[0], "value")
		add := func(address string) reply {
			return b.post(t, "/avvisi/webhook", url.Values{"csrf": {token}, "ente": {"padova"}, "indirizzo": {address}, "eventi": {"published, send"}})
		}
		wrong := add("https://10.0.0.1/gara")
		wrong.want(t, http.StatusUnprocessableEntity, "L'indirizzo non è pubblico", "Da sistemare")
		if got := attr(wrong.all("input", "name=indirizzo")[0], "value"); got != "https://10.0.0.1/gara" {
			t.Errorf("what was typed is lost: %q", got)
		}
		add("http://receiver.example/").want(t, http.StatusUnprocessableEntity, "https://")
		made := add("https://receiver.example/gara")
		made.want(t, http.StatusOK, "whsec_", "mostrata solo ora", "published, send")
		again := b.get(t, "/avvisi/webhook")
		if strings.Contains(again.Body, "whsec_") {
			t.Error("the secret is shown again")
		}
		at := strings.Index(again.Body, "/avvisi/webhook/")
		path := again.Body[at : at+strings.Index(again.Body[at:], `"`)]
		do := func(what string) reply {
			return b.post(t, path, url.Values{"csrf": {token}, "fai": {what}})
		}
		do("prova").want(t, http.StatusOK, "La prova è in coda", "prova", "in partenza")
		do("sospendi").want(t, http.StatusOK, "sospeso", "Riattiva")
		do("riattiva").want(t, http.StatusOK, "di nuovo attivo", "Sospendi")
		id := attr(b.get(t, path).all("input", "name=consegna")[0], "value")
		b.post(t, path, url.Values{"csrf": {token}, "fai": {"rimanda"}, "consegna": {id}}).want(t, http.StatusOK, "di nuovo in coda")
		b.post(t, path, url.Values{"csrf": {token}, "fai": {"rimanda"}, "consegna": {"none"}}).want(t, http.StatusNotFound)
		do("balla").want(t, http.StatusBadRequest)
		o.as(t, "sua_clerk").get(t, path).want(t, http.StatusNotFound)
		do("elimina").want(t, http.StatusOK, "eliminato", "Nessun webhook")
		b.get(t, path).want(t, http.StatusNotFound)
	})
}

func TestFaultsOfWebhooksInItalian(t *testing.T) {
	for text, want := range map[string]string{
		"answered 500": "ha risposto con il codice 500", "": "", "something else": "something else",
		`call: Post "https://x.example/": dial tcp 10.0.0.1:443: the address is not public`: "l'indirizzo non è pubblico: la chiamata è stata rifiutata",
	} {
		if got := hookFault(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
