package notice

import (
	"os"
	"strings"
	"testing"
)

func shipped(t *testing.T) *Templates {
	t.Helper()
	b, err := os.ReadFile("../../workflows/notices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ts, err := Load(Source{"notices.yaml", b})
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestUnknownFieldIsRefusedWithItsLine(t *testing.T) {
	const bad = `templates:
  extra:
    subject: {it: "Ciao {case.titel}", en: "Hello"}
    text:
      it: |
        Prima riga.
        Il segreto è {offer.price}.
      en: Nothing {}.
`
	b, err := os.ReadFile("../../workflows/notices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(Source{"notices.yaml", b}, Source{"own/notices.yaml", []byte(bad)})
	for _, want := range []string{
		"own/notices.yaml:3: extra.subject: campo sconosciuto {case.titel}",
		"own/notices.yaml:7: extra.text: campo sconosciuto {offer.price}",
		"own/notices.yaml:8: extra.text: campo sconosciuto {}",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
}

func TestFaultsOfFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":   {"templates: {x: {subjet: {it: a, en: b}}}", "subjet"},
		"no English":    {"templates: {x: {subject: {it: a}, text: {it: a, en: b}}}", "x.subject: manca il testo (en)"},
		"habit":         {"habits: {rup: {mail: never, hour: 8}}", "habits.rup"},
		"nothing in it": {"templates: {}", "manca il modello «event»"},
		"two lines":     {"templates: {x: {subject: {it: \"a\\nb\", en: b}, text: {it: a, en: b}}}", "una riga"},
	} {
		if _, err := Load(Source{"n.yaml", []byte(c.text)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestFileReplacesOneTemplate(t *testing.T) {
	b, err := os.ReadFile("../../workflows/notices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own := "templates: {published: {subject: {it: In gara, en: Out}, text: {it: Fuori., en: Out.}}}"
	ts, err := Load(Source{"notices.yaml", b}, Source{"own.yaml", []byte(own)})
	if err != nil {
		t.Fatal(err)
	}
	if s, text := ts.For("published").Render("it", nil); s != "In gara" || text != "Fuori." {
		t.Errorf("%q %q", s, text)
	}
	if ts.For("no_such") != ts.For(Generic) || ts.Has("no_such") || !ts.Has("awarded") {
		t.Error("a notice without a template is not told by its event")
	}
}

func TestRenderLeavesOutWhatStandsForNothing(t *testing.T) {
	ts := shipped(t)
	v := Values{"case.title": {IT: "Scuola <b>& palestra</b>"}, "event.label": {IT: "Richiesta respinta", EN: "Request rejected"}, "sua": {IT: "Provincia di Padova"}, "event.day": {IT: "2 marzo 2026"}, "link": {IT: "https://sua.example/procedure/1"}}
	_, text := ts.For("request_rejected").Render("it", v)
	if strings.Contains(text, "Motivazione") || strings.Contains(text, "{") || !strings.Contains(text, "Scuola <b>") {
		t.Errorf("text: %s", text)
	}
	v["reason"] = Text{IT: "Manca il CUP"}
	subject, text, html, err := ts.Mail(ts.For("request_rejected"), "en", v)
	if err != nil || subject != "Scuola <b>& palestra</b>: request rejected" || !strings.Contains(text, "Reason: Manca il CUP") {
		t.Fatalf("%v %q %s", err, subject, text)
	}
	if strings.Contains(html, "<b>") || !strings.Contains(html, "Scuola &lt;b&gt;&amp; palestra") || !strings.Contains(html, `href="https://sua.example/procedure/1"`) || !strings.Contains(html, `lang="en"`) {
		t.Errorf("html: %s", html)
	}
	v["link"] = Text{IT: "javascript:alert(1)"}
	if _, _, html, err = ts.Mail(ts.For("request_rejected"), "it", v); err != nil || strings.Contains(html, `href="javascript`) {
		t.Errorf("a link that runs: %v %s", err, html)
	}
}

func TestHabits(t *testing.T) {
	ts := shipped(t)
	for want, roles := range map[string][]string{"digest": {"sua_director"}, "now": {"sua_director", "sua_clerk"}} {
		if got := ts.Habit(roles); got.Mail != want {
			t.Errorf("%v: %+v", roles, got)
		}
	}
	if ts.Habit(nil).Mail != "now" {
		t.Error("no role, no mail")
	}
}
