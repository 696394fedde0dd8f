package main

import (
	"io"
	"strings"
	"testing"
)

func TestWrongCommandsAreToldInItalian(t *testing.T) {
	for line, want := range map[string]string{
		"pippo":                   "comando sconosciuto «pippo»",
		"audit pippo":             "«sua audit --help» elenca",
		"audit export":            "si scrive «sua audit export PRATICA»",
		"jobs status x":           "argomenti sbagliati",
		"serve --listenx":         "opzione sconosciuta «listenx»",
		"term --from":             "manca il valore dell'opzione --from",
		"serve --demo=forse":      "il valore «forse» non va bene per l'opzione --demo",
		"import anac-cig a.csv b": "argomenti sbagliati",
	} {
		c := root()
		c.SetArgs(strings.Fields(line))
		c.SetOut(io.Discard)
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("sua %s: %v, want …%s…", line, err, want)
		}
	}
	for _, line := range []string{"", "help", "audit", "audit --help"} {
		c := root()
		var out strings.Builder
		c.SetArgs(strings.Fields(line))
		c.SetOut(&out)
		if err := c.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "Comandi:") || strings.Contains(out.String(), "Usage") {
			t.Errorf("sua %s: %v\n%s", line, err, out.String())
		}
	}
}
