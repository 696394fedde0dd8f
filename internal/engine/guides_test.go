package engine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// pageWords are what the guides print in bold that no workflow says: words of the pages themselves.
var pageWords = []string{
	"Nuova richiesta", "Che cosa puoi fare adesso", "Che cosa manca", "Spetta ad altri", "Termini", "Come si conta", "Documenti", "Carica", "Storia", "Procedure", "Prossimo termine",
	"Altri filtri", "Con un termine entro il", "Efficienza",
}

var bold = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)

// TestGuidesNameButtons: what the guides for people print in bold is a button, a state or a word of the pages, as they are
// written today: a reader looks for just these words.
func TestGuidesNameButtons(t *testing.T) {
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	lib, _, err := flow.Compile(cfg.Sources, engine.Vocabulary(), cfg.Limits, cfg.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	known, pages := map[string]bool{}, pageTexts(t)
	for _, w := range pageWords {
		if known[w] = true; !strings.Contains(pages, w) {
			t.Errorf("no page says %q any more", w)
		}
	}
	for _, d := range lib.All() {
		if latest, _ := lib.Latest(d.Workflow); latest != d {
			continue
		}
		for _, e := range d.Events {
			known[e.Label.IT], known[d.Label.IT+": "+e.Label.IT] = true, true
		}
		for _, s := range d.States {
			known[s.Label.IT] = true
		}
	}
	guides, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(guides) < 2 {
		t.Fatalf("guides: %q, %v", guides, err)
	}
	for _, path := range guides {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := bold.FindAllStringSubmatch(string(b), -1)
		if len(found) < 50 {
			t.Errorf("%s: only %d words in bold", path, len(found))
		}
		for _, m := range found {
			if !known[m[1]] {
				t.Errorf("%s: no page shows %q", path, strings.TrimSpace(m[1]))
			}
		}
	}
}

// pageTexts is the source of the pages, with the words that they show.
func pageTexts(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob("../web/*.templ")
	if err != nil || len(paths) == 0 {
		t.Fatalf("pages: %q, %v", paths, err)
	}
	more, _ := filepath.Glob("../web/*.go")
	var all strings.Builder
	for _, path := range append(paths, more...) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
