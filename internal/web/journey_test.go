package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// newParcel opens a parcel through the pages, as far as it can be sent, and returns its id.
func newParcel(t *testing.T, rup *browser, title string) string {
	t.Helper()
	page := rup.get(t, "/procedure/nuova")
	page.want(t, http.StatusOK, "Plico")
	page = rup.get(t, "/procedure/nuova/parcel/open")
	page.want(t, http.StatusOK, "Oggetto", "Importo")
	page = rup.submit(t, page, "/procedure/nuova/parcel/open", url.Values{"i.title": {title}, "i.amount": {"3.307.836,24"}})
	page.want(t, http.StatusOK, "Procedura aperta", "Bozza")
	return strings.TrimPrefix(strings.Split(page.URL, "?")[0], "/procedure/")
}

func actionPath(id, event string) string { return "/procedure/" + id + "/azioni/" + event }

func TestParcelFromDraftToTheEnd(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup, clerk := o.as(t, "rup"), o.as(t, "sua_clerk")
		id := newParcel(t, rup, "Scuola <i>via</i> Traverso")

		page := rup.get(t, "/procedure/"+id)
		page.want(t, http.StatusOK, "Scuola <i>via</i> Traverso", "3.307.836,24 €", "Che cosa manca", "Mancano ancora:", ", per «Invia»")
		if len(page.all("a", "href="+actionPath(id, "send"))) > 0 {
			t.Error("an action that is not possible has a link")
		}
		page = rup.get(t, actionPath(id, "send"))
		page.want(t, http.StatusOK, "Non è ancora possibile", "manca")
		if len(page.all("form", "action="+actionPath(id, "send"))) > 0 {
			t.Error("an action that is not possible has a form")
		}

		page = rup.submit(t, rup.get(t, actionPath(id, "add_item")), actionPath(id, "add_item"), url.Values{"i.name": {"palestra"}})
		page.want(t, http.StatusOK, "Fatto: Aggiungi", "Elemento 1: palestra")
		page = rup.upload(t, page, id, "request_form", "richiesta.pdf", "%PDF-1.7 prova")
		page.want(t, http.StatusOK, "Documento caricato", "richiesta.pdf")

		page = rup.get(t, actionPath(id, "send"))
		page.want(t, http.StatusOK, "Manda il plico alla SUA", "Attenzione", "presente")
		page = rup.submit(t, page, actionPath(id, "send"), nil)
		page.want(t, http.StatusConflict, "Serve una motivazione")
		page = rup.submit(t, page, actionPath(id, "send"), url.Values{"w.fields_empty": {"data da fissare"}})
		page.want(t, http.StatusOK, "Fatto: Invia", "Inviato", "entro gio 12 mar", "Il giorno iniziale")
		if below := page.all("a", "class=btn btn-primary"); len(below) != 1 || text(below[0]) != "Chiudi" {
			t.Errorf("the action of the case below does not come first: %d", len(below))
		}

		page = clerk.submit(t, clerk.get(t, actionPath(id, "offer")), actionPath(id, "offer"), url.Values{"i.row.operator": {"Alfa srl"}})
		page.want(t, http.StatusOK, "Alfa srl", "visibile da «Fatto»")

		committee := o.as(t, "committee")
		page = committee.get(t, actionPath(id, "score"))
		page.want(t, http.StatusOK, "Alfa srl")
		page = committee.submit(t, page, actionPath(id, "score"), url.Values{"i.scores.1.score": {"82,5"}})
		page.want(t, http.StatusOK, "Fatto: Punteggi", "82,5")
		clerk.get(t, "/procedure/"+id).want(t, http.StatusOK, "Alfa srl")
		if clerk.get(t, "/procedure/"+id).contains("82,5") {
			t.Error("the clerk sees a secret score")
		}

		o.clock.Add((11 * 24 * time.Hour).Microseconds())
		if n, err := o.ExpireDue(t.Context()); n != 1 || err != nil {
			t.Fatalf("expire: %d %v", n, err)
		}
		auditor := o.as(t, "auditor")
		page = auditor.get(t, "/procedure/"+id)
		page.want(t, http.StatusOK, "conclusa", "Fatto", "Termini conclusi")
		if len(page.all("input", "type=file")) > 0 {
			t.Error("the auditor is offered an upload")
		}
		rup = o.as(t, "rup")
		// what is due after the end: a document, an action, and the procedure stays where it ended
		page = rup.upload(t, rup.get(t, "/procedure/"+id), id, "request_form", "esiti.pdf", "%PDF-1.7 esiti")
		page.want(t, http.StatusOK, "conclusa", "esiti.pdf", "Comunica gli esiti")
		if page.contains("La procedura è conclusa.") {
			t.Error("there is something to do, and the page says that all is over")
		}
		page = rup.submit(t, rup.get(t, actionPath(id, "report")), actionPath(id, "report"), nil)
		page.want(t, http.StatusOK, "Fatto: Comunica gli esiti", "conclusa")

		page = auditor.get(t, "/procedure/"+id+"/storia")
		page.want(t, http.StatusOK, "Storia integra", "Anna Bianchi", "(RUP)", "data da fissare", "Silenzio", "Sistema", "Documento caricato", "Impronta dell'evento")
		auditor.get(t, "/procedure?quali=concluse").want(t, http.StatusOK, "Scuola <i>via</i> Traverso")
		auditor.get(t, "/procedure").want(t, http.StatusOK, "Non ci sono procedure in corso")
	})
}

func TestTwoPeopleAtOnce(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup := o.as(t, "rup")
		id := newParcel(t, rup, "Strada")
		mine, theirs := rup.get(t, actionPath(id, "fill")), rup.get(t, actionPath(id, "fill"))
		rup.submit(t, theirs, actionPath(id, "fill"), url.Values{"i.amount": {"10"}}).want(t, http.StatusOK, "Fatto: Compila")

		page := rup.submit(t, mine, actionPath(id, "fill"), url.Values{"i.title": {"Strada nuova"}, "i.due": {"2026-05-01"}})
		page.want(t, http.StatusPreconditionFailed, "Nel frattempo la procedura è cambiata", "Anna Bianchi: Compila")
		kept := formValues(document{page.one(t, "form", "action="+actionPath(id, "fill"))})
		if kept.Get("i.title") != "Strada nuova" || kept.Get("i.due") != "2026-05-01" {
			t.Errorf("what was typed is lost: %v", kept)
		}
		rup.submit(t, page, actionPath(id, "fill"), nil).want(t, http.StatusOK, "Fatto: Compila", "Strada nuova")
	})
}

// A second click sends the same form: it must neither fail nor do the thing twice.
func TestDoubleClick(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup := o.as(t, "rup")
		id := newParcel(t, rup, "Strada")
		form := rup.get(t, actionPath(id, "add_item"))
		for range 2 {
			rup.submit(t, form, actionPath(id, "add_item"), url.Values{"i.name": {"uno"}}).want(t, http.StatusOK, "Fatto: Aggiungi")
		}
		if n := len(rup.get(t, "/procedure/"+id).all("h2", "id=sotto-items")); n != 1 {
			t.Fatalf("%d lists of children", n)
		}
		if page := rup.get(t, "/procedure/"+id); page.contains("Elemento 2") {
			t.Error("a double click did it twice")
		}
		rup.submit(t, form, actionPath(id, "add_item"), url.Values{"i.name": {"due"}}).want(t, http.StatusUnprocessableEntity, "Modulo già inviato")
	})
}

func TestWhoMaySeeAndDo(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup := o.as(t, "rup")
		id := newParcel(t, rup, "Strada")
		o.as(t, "rup_este").get(t, "/procedure/"+id).want(t, http.StatusNotFound, "Pagina non trovata")
		o.as(t, "rup_este").get(t, "/procedure").want(t, http.StatusOK, "Non ci sono procedure in corso")
		clerk := o.as(t, "sua_clerk")
		clerk.get(t, "/procedure/"+id).want(t, http.StatusOK, "Spetta ad altri", "Invia : RUP")
		clerk.get(t, actionPath(id, "fill")).want(t, http.StatusOK, "Spetta a: RUP")
		form := formValues(document{rup.get(t, actionPath(id, "fill")).one(t, "form", "action="+actionPath(id, "fill"))})
		form.Set("csrf", formValues(document{clerk.get(t, "/procedure/"+id).one(t, "form", "action=/esci")}).Get("csrf"))
		clerk.post(t, actionPath(id, "fill"), form).want(t, http.StatusForbidden, "Non puoi farlo")
		rup.get(t, actionPath(id, "nothing")).want(t, http.StatusNotFound)
		rup.get(t, "/procedure/nuova/parcel/fill").want(t, http.StatusNotFound)
		o.as(t, "auditor").get(t, "/procedure/nuova").want(t, http.StatusOK, "Il tuo ruolo non apre procedure")
	})
}

func TestFormWithMistakes(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup := o.as(t, "rup")
		page := rup.get(t, "/procedure/nuova/parcel/open")
		page = rup.submit(t, page, "/procedure/nuova/parcel/open", url.Values{"i.title": {"Ponte"}, "i.amount": {"tanto"}})
		page.want(t, http.StatusUnprocessableEntity, "c'è qualcosa da sistemare", "«tanto» non è un importo")
		page.one(t, "a", "href=#i-amount")
		if v := formValues(document{page.one(t, "form", "action=/procedure/nuova/parcel/open")}); v.Get("i.title") != "Ponte" || v.Get("i.amount") != "tanto" {
			t.Errorf("what was typed is lost: %v", v)
		}
		id := newParcel(t, rup, "Ponte")
		rup.post(t, actionPath(id, "fill"), url.Values{"revisione": {"1"}}).want(t, http.StatusForbidden, "ricarica la pagina")
	})
}

func TestDocuments(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		rup := o.as(t, "rup")
		id := newParcel(t, rup, "Ponte")
		page := rup.get(t, "/procedure/"+id)
		rup.upload(t, page, id, "request_form", "vuoto.pdf", "").want(t, http.StatusUnprocessableEntity, "Il file è vuoto")
		rup.upload(t, page, id, "", "a.pdf", "x").want(t, http.StatusUnprocessableEntity, "Scegli che documento è")
		rup.upload(t, page, id, "request_form", "grande.pdf", strings.Repeat("x", 1<<20+1)).want(t, http.StatusUnprocessableEntity, "Il file supera il massimo di 1 MB")
		rup.upload(t, page, id, "request_form", "enorme.pdf", strings.Repeat("x", 4<<20)).want(t, http.StatusRequestEntityTooLarge, "Troppo grande")
		page = rup.upload(t, page, id, "request_form", "perché no è.html", "<script>alert(1)</script>")
		page.want(t, http.StatusOK, "perché no è.html")

		link := attr(page.one(t, "a", "download"), "href")
		file := rup.get(t, link)
		if file.Status != http.StatusOK || file.Body != "<script>alert(1)</script>" {
			t.Fatalf("download: %d %q", file.Status, file.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff",
			"Content-Disposition": "attachment; filename*=utf-8''perch%C3%A9%20no%20%C3%A8.html", "Content-Length": "25",
		} {
			if got := file.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		o.as(t, "rup_este").get(t, link).want(t, http.StatusNotFound)
	})
}
