package flow

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// drawsAgain says to the program of the tests, run again, that it is to draw and to tell where temporary files go.
const drawsAgain = "SUA_TEST_DRAWING"

// The library that draws keeps its code in a folder of this user, never in the shared one for temporary files, and does without
// where there is none; the variable that says so is as it was once the program runs.
func TestDrawingUsesNoSharedFolder(t *testing.T) {
	if os.Getenv(drawsAgain) != "" {
		if _, err := latest(t, example(t), "lot").SVG(t.Context(), "it"); err != nil {
			t.Fatal(err)
		}
		t.Log("temporary: " + os.TempDir())
		return
	}
	for name, usable := range map[string]bool{"own folder": true, "no folder": false} {
		if !usable && os.Getenv("SUA_TEST_LONG") == "" {
			continue // compiles once more
		}
		t.Run(name, func(t *testing.T) {
			shared, home := t.TempDir(), t.TempDir()
			trap := filepath.Join(shared, "go-graphviz") // somebody else's, as far as this user is concerned
			if err := os.WriteFile(trap, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			caches := filepath.Join(home, "cache")
			if !usable {
				if err := os.WriteFile(caches, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestDrawingUsesNoSharedFolder$", "-test.v")
			run.Env = append(os.Environ(), drawsAgain+"=1", "TMPDIR="+shared, "HOME="+home, "XDG_CACHE_HOME="+caches)
			out, err := run.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "temporary: "+shared+"\n") {
				t.Errorf("%v\n%s", err, out)
			}
			if kept, _ := filepath.Glob(filepath.Join(caches, "sua", "go-graphviz", "*")); usable != (len(kept) > 0) {
				t.Errorf("kept %v", kept)
			}
		})
	}
}
