package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
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
    {label: {it: Apri, en: Open}, by: [rup], opens: true, to: open, input: {title: {field: title}, bids_due: {field: bids_due}, contract_signed_on: {field: contract_signed_on}}}
  end: {label: {it: Chiudi, en: End}, by: [rup], from: [open], to: signed}
`

func TestEfficiency(t *testing.T) {
	storetest.Each(t, store.Options{Now: func() time.Time { return begin }}, func(t *testing.T, db *store.DB) {
		o := newOffice(t, db, Server{}, flow.Source{Name: "quick_tender.v1.yaml", Data: []byte(signed)})
		for who, contract := range map[string]string{"anna": "2025-10-10", "carla": "2025-10-20"} { // 162 and 172 days
			o.call(who, "POST", Prefix+"/cases", map[string]any{"workflow": "quick_tender", "inputs": map[string]any{
				"title": "Scuola di " + who, "bids_due": "2025-05-01T10:00:00Z", "contract_signed_on": contract,
			}}).want(http.StatusCreated, "")
		}
		for _, query := range []string{"", "?sua=padova", "?from=2025-07-01&to=2025-12-31"} {
			for _, who := range []string{"dario", "elena"} {
				a := o.call(who, "GET", Prefix+"/efficiency"+query, nil).want(http.StatusOK, "")
				if a.get("whole") != true || a.get("periods", 0, "verdict") != "plan" || a.text("periods", 0, "mean") != "167.0" || a.get("lots", 0, "days") != 172.0 ||
					a.text("lots", 1, "bids_due") != "2025-05-01" || a.text("lots", 1, "title") != "Scuola di anna" || a.text("sua", "name") != "Ente padova" {
					t.Errorf("%s%s: %s", who, query, a.raw)
				}
			}
		}
		own := o.call("bruno", "GET", Prefix+"/efficiency", nil).want(http.StatusOK, "")
		if len(own.get("lots").([]any)) != 1 || own.get("whole") != false || own.text("periods", 0, "verdict") != "none" {
			t.Errorf("a Comune gets %s", own.raw)
		}
		none := o.call("dario", "GET", Prefix+"/efficiency?from=2026-01-01", nil).want(http.StatusOK, "")
		if len(none.get("lots").([]any))+len(none.get("periods").([]any)) != 0 {
			t.Errorf("after all contracts: %s", none.raw)
		}
		for query, flaw := range map[string]string{
			"?from=2026-02-30": "query.from format", "?to=domani": "query.to format", "?from=2026-02-02&to=2026-02-01": "query.to span_backward", "?colour=red": "query.colour unknown",
		} {
			a := o.call("dario", "GET", Prefix+"/efficiency"+query, nil).want(http.StatusUnprocessableEntity, "invalid")
			if got := a.flaws(); len(got) != 1 || got[0] != flaw {
				t.Errorf("%s: %v, want %s", query, got, flaw)
			}
		}
		o.call("dario", "GET", Prefix+"/efficiency?sua=conselve", nil).want(http.StatusNotFound, "not_found")
		o.call("", "GET", Prefix+"/efficiency", nil).want(http.StatusUnauthorized, "token_missing")
	})
}
