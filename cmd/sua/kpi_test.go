package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

const quickTender = `
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

// signContracts fills the database of the environment with two Comuni, two SUAs and three contracts.
func signContracts(t *testing.T) {
	t.Helper()
	cfg, err := config.Load("", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	p, err := build(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, b := range []store.Body{
		{ID: "padova", Kind: "provincia", Name: "Provincia di Padova", TaxCode: "80006510285"}, {ID: "treviso", Kind: "provincia", Name: "Provincia di Treviso", TaxCode: "80008870265"},
		{ID: "conselve", Kind: "comune", Name: "Comune di Conselve", TaxCode: "80009330285"}, {ID: "asolo", Kind: "comune", Name: "Comune di Asolo", TaxCode: "83001570262"},
	} {
		if _, err := p.engine.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for member, sua := range map[string]string{"conselve": "padova", "asolo": "treviso"} {
		if err := p.engine.SaveAgreement(t.Context(), store.Agreement{ID: "a-" + member, MemberBody: member, SUA: sua, ValidFrom: "2025-01-01"}); err != nil {
			t.Fatal(err)
		}
	}
	rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "conselve", Role: "rup"}}}
	for _, in := range []map[string]any{
		{"title": "Scuola", "bids_due": "2025-05-01T10:00:00Z", "contract_signed_on": "2025-08-24"}, // 115 days
		{"title": "Ponte", "contract_signed_on": "2025-09-01"},
		{"title": "Strada", "bids_due": "2025-01-10T10:00:00Z", "contract_signed_on": "2025-06-30"}, // 171
	} {
		if _, err := p.engine.Open(t.Context(), rup, engine.Open{Workflow: "quick_tender", Inputs: in}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKPI(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "quick_tender.v1.yaml"), []byte(quickTender), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUA_WORKFLOWS_FOLDER", folder)
	if _, _, err := sua(t, "kpi"); err == nil || !strings.Contains(err.Error(), "non c'è alcuna SUA") {
		t.Errorf("an empty database: %v", err)
	}
	signContracts(t)
	out, _, err := again(t, "kpi", "--sua", "padova")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Provincia di Padova\n", "2025-07-01 – 2025-12-31  Media di 115,0 giorni (lotti: 1), entro 115: la SUA ha la premialità. (All. II.4 art. 11", "Senza scadenza delle offerte: 1.",
		"2025-01-01 – 2025-06-30  Media di 171,0 giorni (lotti: 1), oltre 160", "2025-05-01 → 2025-08-24   115 giorni  Comune di Conselve, Scuola", "→ 2025-09-01     - giorni  Comune di Conselve, Ponte",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
	out, _, err = again(t, "kpi", "--sua", "padova", "--from", "2025-07-01", "--json")
	var got kpi
	if err != nil || json.Unmarshal([]byte(out), &got) != nil || len(got.Lots) != 2 || len(got.Periods) != 1 || got.Periods[0].Verdict != "premium" || *got.Lots[1].Days != 115 {
		t.Errorf("in JSON: %v %s", err, out)
	}
	if out, _, err = again(t, "kpi", "--sua", "treviso"); err != nil || !strings.Contains(out, "nessun contratto registrato") {
		t.Errorf("a SUA without contracts: %v %s", err, out)
	}
	for args, want := range map[string]string{
		"":                               "--sua: Indica di quale SUA. Ci sono: padova (Provincia di Padova), treviso (Provincia di Treviso)",
		"--sua milano":                   "la SUA non esiste; ci sono: padova",
		"--sua padova --from 2025-02-30": "--from: Serve un giorno che esiste",
		"--sua padova --from 2025-02-10 --to 2025-02-09": "--to: Il giorno finale viene prima",
	} {
		if _, _, err := again(t, append([]string{"kpi"}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("kpi %s: %v, want %q", args, err, want)
		}
	}
}
