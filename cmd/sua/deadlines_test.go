package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

const timedTender = `
workflow: timed_tender
version: 1
case: procurement
label: {it: Gara, en: Tender}
start: open
stages: {work: {label: {it: Lavoro, en: Work}}}
fields: {title: {type: text, label: {it: Oggetto, en: Subject}}}
states:
  open: {stage: work, label: {it: Aperta, en: Open}}
  over: {stage: work, final: over, label: {it: Finita, en: Over}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: maxproc.oepv.open, counted: months_roll, while: [open], at_expiry: {fire: silence}}
events:
  begin:   {label: {it: Apri, en: Open}, by: [rup], opens: true, to: open, input: {title: {field: title}}, then: [{start: answer}]}
  silence: {label: {it: Silenzio, en: Silence}, by: [system], from: [open], to: over}
`

func TestDeadlinesListAndExplain(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "timed_tender.v1.yaml"), []byte(timedTender), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUA_WORKFLOWS_FOLDER", folder)
	if out, _, err := sua(t, "deadlines", "list"); err != nil || out != "" {
		t.Fatalf("an empty database: %q %v", out, err)
	}
	id := timedCase(t)
	out, _, err := again(t, "deadlines", "list")
	if err != nil || !strings.Contains(out, "in corso   Risposta – Scuola (Comune di Conselve, "+id+")") {
		t.Errorf("list: %v\n%s", err, out)
	}
	for _, args := range []string{"--days 30", "--state overdue", "--body este", "--workflow none"} {
		if out, _, err := again(t, append([]string{"deadlines", "list"}, strings.Fields(args)...)...); err != nil || out != "" {
			t.Errorf("list %s: %v\n%s", args, err, out)
		}
	}
	out, _, err = again(t, "deadlines", "explain", id)
	for _, want := range []string{
		"Risposta (art. 62 c. 10) – Gara: in corso\n", "avviato    da n. 1 «Apri» di rup", "conteggio  1. Il giorno iniziale", "2. Contando 9 mesi si arriva a", "sospeso, ultimo giorno", "(guasto del portale)",
		"Termine ripreso»: in corso", "fine       ultimo giorno 20", "alla fine  Silenzio",
	} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("explain does not say %q: %v\n%s", want, err, out)
		}
	}
	if _, _, err := again(t, "deadlines", "explain", "none"); err == nil || err.Error() != "la pratica non esiste" {
		t.Errorf("no such case: %v", err)
	}
	if _, _, err := again(t, "deadlines", "list", "--state", "late"); err == nil || !strings.Contains(err.Error(), "--state: Stato sconosciuto") {
		t.Errorf("no such state: %v", err)
	}
}

// timedCase opens a case in the database of the environment and suspends and resumes its term.
func timedCase(t *testing.T) string {
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
	for _, b := range []store.Body{{ID: "padova", Kind: "provincia", Name: "Provincia di Padova", TaxCode: "80006510285"}, {ID: "conselve", Kind: "comune", Name: "Comune di Conselve", TaxCode: "80009330285"}} {
		if _, err := p.engine.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.engine.SaveAgreement(t.Context(), store.Agreement{ID: "a", MemberBody: "conselve", SUA: "padova", ValidFrom: "2025-01-01"}); err != nil {
		t.Fatal(err)
	}
	rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "conselve", Role: "rup"}}}
	m, err := p.engine.Open(t.Context(), rup, engine.Open{Workflow: "timed_tender", Inputs: map[string]any{"title": "Scuola"}})
	if err != nil {
		t.Fatal(err)
	}
	terms, err := p.engine.Deadlines(t.Context(), rup, m.Case)
	if err != nil || len(terms) != 1 {
		t.Fatalf("%d terms, %v", len(terms), err)
	}
	cmd := engine.ChangeDeadline{Case: m.Case, Deadline: terms[0].ID, Reason: "guasto del portale", Law: "prassi"}
	if _, err := p.engine.SuspendDeadline(t.Context(), rup, cmd); err != nil {
		t.Fatal(err)
	}
	if _, err := p.engine.ResumeDeadline(t.Context(), rup, cmd); err != nil {
		t.Fatal(err)
	}
	return m.Case
}
