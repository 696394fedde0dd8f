package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/store"
)

// An outage is previewed, recorded in the name of a director, and listed; who may not, and what is wrong, is said in Italian.
func TestOutageIsRecordedFromTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	struck := strings.Replace(timedTender, "at_expiry: {fire: silence}}", "at_expiry: {fire: silence}, outage: extends}", 1)
	if err := os.WriteFile(filepath.Join(folder, "timed_tender.v1.yaml"), []byte(struck), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUA_WORKFLOWS_FOLDER", folder)
	if out, _, err := sua(t, "outage", "list"); err != nil || out != "nessun malfunzionamento registrato\n" {
		t.Fatalf("an empty database: %q %v", out, err)
	}
	id := timedCase(t)
	people(t, map[string]string{"dirigente": "sua_director", "istruttore": "sua_clerk"})
	now := time.Now().UTC()
	record := func(more ...string) (string, error) {
		t.Helper()
		args := append([]string{"outage", "record", "--platform", "Piattaforma Uno", "--evidence", "prot. 7", "--from", now.Add(-time.Hour).Format(time.RFC3339), "--to", now.Format(time.RFC3339Nano), "--id", "guasto-1"}, more...)
		out, _, err := again(t, args...)
		return out, err
	}
	for want, args := range map[string][]string{
		"--as: manca la persona":            {},
		"--as: la persona nessuno non c'è":  {"--as", "nessuno"},
		"Spetta a: Dirigente SUA.":          {"--as", "istruttore"},
		"--to: ":                            {"--as", "dirigente", "--to", "domani"},
		"«este» non è tra quelli della SUA": {"--as", "dirigente", "--bodies", "este"},
	} {
		if _, err := record(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
	moved := "termini     prorogati 1, non prorogati 0\n    Risposta – Scuola (Comune di Conselve, " + id + "): da "
	if out, err := record("--as", "dirigente"); err != nil || !strings.Contains(out, moved) || !strings.Contains(out, "Anteprima: nulla è cambiato") {
		t.Fatalf("preview: %v\n%s", err, out)
	}
	for range 2 { // the same again
		if out, err := record("--as", "dirigente", "--yes"); err != nil || !strings.Contains(out, moved) || !strings.Contains(out, "con l'identificativo guasto-1") || strings.Contains(out, "Anteprima") {
			t.Fatalf("record: %v\n%s", err, out)
		}
	}
	if _, err := record("--as", "dirigente", "--yes", "--evidence", "altro"); err == nil || err.Error() != "--id: guasto-1 è già di un altro malfunzionamento" {
		t.Errorf("another content: %v", err)
	}
	out, _, err := again(t, "outage", "list", "--as", "istruttore")
	if err != nil || strings.Count(out, "Piattaforma Uno") != 1 || !strings.Contains(out, moved) || !strings.Contains(out, "da Dirigente, con") {
		t.Errorf("list: %v\n%s", err, out)
	}
}

// people adds people of the SUA to the database of the environment.
func people(t *testing.T, roles map[string]string) {
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
	for id, role := range roles {
		if err := p.engine.SavePerson(t.Context(), store.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:]}, []auth.Membership{{Body: "padova", Role: role}}); err != nil {
			t.Fatal(err)
		}
	}
}
