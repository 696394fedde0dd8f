package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

const timed = `
workflow: timed
version: 1
case: timed
label: {it: Gara, en: Tender}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
  until: {type: instant, label: {it: Entro, en: Until}}
states:
  open: {stage: work, label: {it: Aperta, en: Open}}
  over: {stage: work, final: over, label: {it: Finita, en: Over}}
deadlines:
  bids:   {label: {it: Scadenza delle offerte, en: Bids}, law: art. 71, until: until, while: [open], at_expiry: {fire: time_out}, outage: extends}
  appeal: {label: {it: Ricorso, en: Appeal}, law: c.p.a. art. 120, term: appeal.days, counted: court, while: [open], at_expiry: {alert: [sua_clerk]}, peremptory: true}
events:
  begin: {label: {it: Apri, en: Begin}, by: [sua_clerk, rup], opens: true, to: open, input: {title: {field: title}, until: {field: until}}, then: [{start: bids}, {start: appeal}]}
  end:   {label: {it: Chiudi, en: End}, by: [sua_clerk], from: [open], to: over, then: [{stop: bids}]}
  time_out: {label: {it: Scaduta, en: Over}, by: [system], from: [open], to: over}
`

// timedCase opens a case of that workflow and returns its id.
func timedCase(t *testing.T, o *office, until string) string {
	t.Helper()
	who, err := o.ActorByID(t.Context(), "rup")
	if err != nil {
		t.Fatal(err)
	}
	m, err := o.Open(t.Context(), who, engine.Open{Workflow: "timed", Inputs: map[string]any{"title": "Scuola", "until": until}})
	if err != nil {
		t.Fatal(err)
	}
	return m.Case
}

// link finds the address of a link of a page by how it ends.
func (r reply) link(t *testing.T, end string) string {
	t.Helper()
	for _, a := range r.all("a") {
		for _, at := range a.Attr {
			if at.Key == "href" && strings.HasSuffix(at.Val, end) {
				return at.Val
			}
		}
	}
	t.Fatalf("%s has no link to …%s", r.URL, end)
	return ""
}

func TestDeadlinesPageAndChangesByHand(t *testing.T) {
	eachWith(t, &office{extra: timed}, false, func(t *testing.T, o *office) {
		id := timedCase(t, o, "2026-03-20T12:00:00+01:00")
		clerk := o.as(t, "sua_clerk")
		page := clerk.get(t, "/scadenze")
		page.want(t, http.StatusOK, "Scadenza delle offerte", "entro ven 20 mar, ore 12:00", "Scuola", "Comune di Conselve", "Tocca a: Istruttore SUA", "0 %", "Nei prossimi 30 giorni")
		page.one(t, "a", "href=/scadenze", "aria-current=page")
		if clerk.get(t, "/scadenze?entro=7").contains("Ricorso") {
			t.Error("a term beyond the span is listed")
		}
		clerk.get(t, "/scadenze?entro=tutte").want(t, http.StatusOK, "Ricorso", "termine perentorio")
		for _, address := range []string{"/scadenze?entro=7", "/scadenze?stato=scadute", "/scadenze?stato=sospese", "/scadenze?quali=mie"} {
			clerk.get(t, address).want(t, http.StatusOK, "Nessuna scadenza")
		}
		if o.as(t, "rup_este").get(t, "/scadenze").contains("Scuola") {
			t.Error("another Comune sees it")
		}
		rup := o.as(t, "rup").get(t, "/scadenze")
		rup.want(t, http.StatusOK, "Scadenza delle offerte")
		if strings.Contains(rup.Body, "/sposta") {
			t.Error("the RUP is offered what the SUA does")
		}

		address := page.link(t, "/sposta")
		form := clerk.get(t, address)
		form.want(t, http.StatusOK, "Sposta o proroga il termine", "ultimo giorno 20/03/2026")
		clerk.submit(t, form, address, url.Values{}).want(t, http.StatusUnprocessableEntity, "Motivazione: Va compilato.", "Norma o atto: Va compilato.")
		why := url.Values{"i.reason": {"rettifica del disciplinare"}, "i.law": {"art. 92 c. 2"}}
		with := func(name, value string) url.Values {
			out := url.Values{name: {value}}
			for k, v := range why {
				out[k] = v
			}
			return out
		}
		clerk.submit(t, form, address, why).want(t, http.StatusUnprocessableEntity, "uno dei due")
		clerk.submit(t, form, address, with("i.to", "2026-03-01T12:00")).want(t, http.StatusConflict, "più corta del tempo trascorso")
		asked := clerk.submit(t, form, address, with("i.to", "2026-03-21T12:00"))
		asked.want(t, http.StatusConflict, "non è lavorativo", "Attenzione")
		done := clerk.submit(t, asked, address, with("w.deadline_day_off", "la piattaforma è presidiata"))
		done.want(t, http.StatusOK, "Termine cambiato", "entro sab 21 mar, ore 12:00")
		late := with("i.days", "5")
		late.Set("chiave", "another window")
		clerk.submit(t, form, address, late).want(t, http.StatusPreconditionFailed, "Nel frattempo la procedura è cambiata", "Termine spostato")
		clerk.get(t, "/procedure/"+id+"/storia").want(t, http.StatusOK, "Termine spostato", "rettifica del disciplinare", "la piattaforma è presidiata")

		pause := done.link(t, "/sospendi")
		clerk.submit(t, clerk.get(t, pause), pause, why).want(t, http.StatusOK, "Termine cambiato", "sospeso")
		clerk.get(t, pause).want(t, http.StatusOK, "Il termine non si può cambiare così")
		clerk.get(t, "/scadenze?stato=sospese").want(t, http.StatusOK, "Scadenza delle offerte", "Rettifica del disciplinare.")
		o.clock.Add((3 * 24 * time.Hour).Microseconds())
		clerk = o.as(t, "sua_clerk") // a session lasts some hours
		resume := clerk.get(t, "/procedure/"+id).link(t, "/riprendi")
		clerk.submit(t, clerk.get(t, resume), resume, why).want(t, http.StatusOK, "entro mar 24 mar, ore 12:00")
		o.as(t, "rup").get(t, address).want(t, http.StatusOK, "Il termine non si può cambiare così")
		clerk.get(t, "/procedure/"+id+"/termini/none/sposta").want(t, http.StatusNotFound)
		clerk.get(t, strings.Replace(address, "/sposta", "/cancella", 1)).want(t, http.StatusNotFound)
	})
}

// What is over comes first and says so once; beside a term stands the procedure, and use is not called a norm.
func TestDeadlinesAreGroupedByUrgency(t *testing.T) {
	eachWith(t, &office{extra: timed}, false, func(t *testing.T, o *office) {
		timedCase(t, o, "2026-03-03T12:00:00+01:00")
		timedCase(t, o, "2026-03-05T12:00:00+01:00")
		timedCase(t, o, "2026-03-09T12:00:00+01:00")
		o.clock.Add((3 * 24 * time.Hour).Microseconds()) // 5 March, 9 in the morning
		page := o.as(t, "sua_clerk").get(t, "/scadenze?entro=tutte")
		page.want(t, http.StatusOK, "Scadute", "scaduto da 2 giorni", "Oggi", "Nei prossimi 7 giorni", "Nei prossimi 30 giorni")
		var groups []string
		for _, h := range page.all("h2") {
			groups = append(groups, strings.TrimSpace(h.FirstChild.Data))
		}
		if got := strings.Join(groups, ", "); !strings.HasPrefix(got, "Scadute, Oggi, Nei prossimi 7 giorni, Nei prossimi 30 giorni") {
			t.Errorf("groups: %s", got)
		}
		if n := strings.Count(page.Body, "scaduto"); n != 1 {
			t.Errorf("«scaduto» is said %d times", n)
		}
	})
	for law, want := range map[string]string{"prassi": "Termine di prassi: lo fissa l'ufficio, non una norma.", "art. 93, prassi": "art. 93, prassi", "": ""} {
		if got := lawText(law); got != want {
			t.Errorf("%q: %q", law, got)
		}
	}
}

func TestOutagesPage(t *testing.T) {
	eachWith(t, &office{extra: timed}, false, func(t *testing.T, o *office) {
		id := timedCase(t, o, "2026-03-20T12:00:00+01:00")
		held := timedCase(t, o, "2026-03-25T12:00:00+01:00")
		clerk := o.as(t, "sua_clerk")
		pause := clerk.get(t, "/procedure/"+held).link(t, "/sospendi")
		for _, a := range clerk.get(t, "/procedure/"+held).all("a") {
			for _, at := range a.Attr {
				if at.Key == "href" && strings.HasSuffix(at.Val, "/sospendi") && clerk.get(t, at.Val).contains("Scadenza delle offerte") {
					pause = at.Val
				}
			}
		}
		clerk.submit(t, clerk.get(t, pause), pause, url.Values{"i.reason": {"x"}, "i.law": {"y"}}).want(t, http.StatusOK)
		o.clock.Add((2 * 24 * time.Hour).Microseconds())
		clerk = o.as(t, "sua_clerk")
		if page := clerk.get(t, "/malfunzionamenti"); len(page.all("form", "action=/malfunzionamenti")) != 0 || !page.contains("Nessun malfunzionamento registrato") {
			t.Error("the clerk is offered what the director does")
		}
		director := o.as(t, "sua_director")
		page := director.get(t, "/malfunzionamenti")
		page.want(t, http.StatusOK, "Registra un malfunzionamento")
		director.submit(t, page, "/malfunzionamenti", url.Values{}).want(t, http.StatusUnprocessableEntity, "Piattaforma: Va compilato.")
		told := url.Values{"i.platform": {"Piattaforma Uno"}, "i.from": {"2026-03-03T09:00"}, "i.to": {"2026-03-03T08:00"}, "i.evidence": {"prot. 7"}}
		director.submit(t, page, "/malfunzionamenti", told).want(t, http.StatusUnprocessableEntity, "La fine deve venire dopo l'inizio")
		told.Set("i.to", "2026-03-03T12:00")
		preview := director.submit(t, page, "/malfunzionamenti", told)
		preview.want(t, http.StatusOK, "Nulla è ancora cambiato", "Prorogati (1)", "Da 20/03/2026 12:00 a 23/03/2026 12:00", "Non prorogati (1)", "È sospeso", "Registra e proroga 1 termini")
		if clerk.get(t, "/procedure/"+id).contains("23 mar") {
			t.Error("the preview moved it")
		}
		for range 2 { // pressed twice
			director.submit(t, preview, "/malfunzionamenti", url.Values{"conferma": {"si"}}).want(t, http.StatusOK, "Registrato: termini prorogati 1", "Registrato da Sara Verdi")
		}
		clerk.get(t, "/procedure/"+id).want(t, http.StatusOK, "entro lun 23 mar, ore 12:00")
		clerk.get(t, "/procedure/"+id+"/storia").want(t, http.StatusOK, "Termine prorogato: piattaforma ferma", "prot. 7")
		director.submit(t, page, "/malfunzionamenti", told).want(t, http.StatusConflict, "si sovrappone")
		o.as(t, "auditor").get(t, "/malfunzionamenti").want(t, http.StatusOK, "Piattaforma Uno", "Scuola")
		if este := o.as(t, "rup_este").get(t, "/malfunzionamenti"); !este.contains("Piattaforma Uno") || este.contains("Scuola") {
			t.Error("the Comune sees the cases of another, or not the outage")
		}
	})
}
