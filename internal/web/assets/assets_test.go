package assets

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCompleteNeedsEveryFile(t *testing.T) {
	files := fstest.MapFS{"README.txt": {Data: []byte("placeholder")}}
	if complete(files) {
		t.Error("the placeholder alone counts as complete")
	}
	for _, name := range needed {
		files[name] = &fstest.MapFile{Data: []byte("x")}
	}
	if !complete(files) {
		t.Error("all files present, not complete")
	}
	for _, name := range needed {
		files[name] = &fstest.MapFile{}
		if complete(files) {
			t.Errorf("complete with an empty %s", name)
		}
		files[name] = &fstest.MapFile{Data: []byte("x")}
	}
}

func TestPlaceholderIsEmbedded(t *testing.T) {
	if _, err := fs.Stat(FS(), "README.txt"); err != nil {
		t.Error(err)
	}
}

// A font added to the style sheet and forgotten in copy.sh or in needed shows only as an ugly page.
func TestStyleSheetScriptAndListAgree(t *testing.T) {
	css, err := os.ReadFile("fonts.css")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("copy.sh")
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Join(needed, " ")
	fonts := regexp.MustCompile(`fonts/[a-z0-9-]+\.woff2`)
	for _, font := range fonts.FindAllString(string(css), -1) {
		if !strings.Contains(listed, font) {
			t.Errorf("fonts.css uses %s, which needed does not list", font)
		}
	}
	for _, name := range needed {
		if !strings.Contains(string(script), "dist/"+name) {
			t.Errorf("copy.sh does not copy %s", name)
		}
		if strings.HasPrefix(name, "fonts/") && !strings.Contains(string(css), name) {
			t.Errorf("fonts.css does not use %s", name)
		}
	}
}
