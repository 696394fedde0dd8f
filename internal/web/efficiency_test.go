package web

import (
	"net/http"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// signed is a tender that holds both dates itself.
const signed = `
workflow: quick_tender
version: 1
case: procurement
label: {it: Gara, en: Tender}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:              {type: text, label: {it: Oggetto, en: Subject}}
  bids_due:           {type: instant, label: {it: Scadenza offerte, en: Bids due}}
  contract_signed_on: {type: date, label: {it: Contratto stipulato il, en: Contract signed on}}
states:
  open:   {stage: work, label: {it: Aperta, en: Open}}
  signed: {stage: work, final: signed, label: {it: Stipulata, en: Signed}}
events:
  begin:
    {label: {it: Apri, en: Open}, by: [rup], opens: true, to: open, input: {title: {field: title}, bids_due: {field: bids_due, optional: true}, contract_signed_on: {field: contract_signed_on}}}
  end: {label: {it: Chiudi, en: End}, by: [rup], from: [open], to: signed}
`

func TestEfficiencyPage(t *testing.T) {
	eachWith(t, &office{extra: signed}, false, func(t *testing.T, o *office) {
		director := o.as(t, "sua_director")
		page := director.get(t, "/efficienza")
		page.want(t, http.StatusOK, "Provincia di Padova", "Nessun contratto è stato ancora registrato")
		page.one(t, "a", "href=/efficienza", "aria-current=page")
		for person, in := range map[string]map[string]any{
			"rup":      {"title": "Scuola", "bids_due": "2025-05-01T10:00:00Z", "contract_signed_on": "2025-10-10"},
			"rup_este": {"title": "Ponte", "contract_signed_on": "2025-11-10"},
		} {
			who, err := o.ActorByID(t.Context(), person)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Open(t.Context(), who, engine.Open{Workflow: "quick_tender", Inputs: in}); err != nil {
				t.Fatal(err)
			}
		}
		for _, who := range []string{"sua_director", "sua_clerk", "auditor"} {
			o.as(t, who).get(t, "/efficienza").want(t, http.StatusOK, "01/07/2025 – 31/12/2025", "Media di 162,0 giorni (lotti: 1), oltre 160: la SUA deve inviare all'ANAC un piano",
				"All. II.4 art. 11", "Scuola", "01/05/2025", "10/10/2025", "Ponte", "non registrata", "fuori dalla media: 1")
		}
		page = o.as(t, "rup").get(t, "/efficienza")
		page.want(t, http.StatusOK, "Vedi solo i lotti dei tuoi enti", "Scuola", "non è il dato della SUA")
		if page.contains("Ponte") || page.contains("deve inviare") || len(page.all("a", "href=/efficienza")) != 0 {
			t.Error("a Comune sees what is not its own, or the entry of the menu")
		}
		director.get(t, "/efficienza?sua=este").want(t, http.StatusNotFound)

		if _, err := o.SaveBody(t.Context(), store.Body{ID: "treviso", Kind: "provincia", Name: "Provincia di Treviso", TaxCode: "80008870265"}); err != nil {
			t.Fatal(err)
		}
		if err := o.SaveAgreement(t.Context(), store.Agreement{ID: "a-treviso", MemberBody: "este", SUA: "treviso", ValidFrom: "2025-01-01"}); err != nil {
			t.Fatal(err)
		}
		auditor := o.as(t, "auditor")
		page = auditor.get(t, "/efficienza")
		page.want(t, http.StatusOK, "Stazione unica appaltante", "Provincia di Treviso")
		if page.contains("Scuola") {
			t.Error("a SUA is shown before it is chosen")
		}
		auditor.get(t, "/efficienza?sua=padova").want(t, http.StatusOK, "Scuola")
		auditor.get(t, "/efficienza?sua=treviso").want(t, http.StatusOK, "Nessun contratto")
	})
}
