// Package arch keeps the shape of the repository: who may import whom, what must be documented, how long things may be and what
// may not appear at all. It reads the source and go list, runs nothing of the product, and has no code beside these tests.
// The rules are those of the design; a rule that teaches wrong is changed here together with a note in docs/decisions.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/province-comuni/sua"

// level orders the components: one may import those strictly below it, never a sibling, never upward. A new folder needs a line.
var level = map[string]int{
	"cmd": 5,

	"internal/api": 4, "internal/web": 4, "internal/jobs": 4, "internal/play": 4, "internal/exchange": 4,

	"internal/engine": 3,

	"internal/store": 2, "internal/flow": 2, "internal/blob": 2, "internal/evaluation": 2, "internal/inspect": 2,
	"internal/acts": 2, "internal/notify": 2,

	"internal/law": 1, "internal/calendar": 1, "internal/audit": 1, "internal/auth": 1,
	"internal/notice": 1, "internal/config": 1, "internal/testrun": 1,
	"internal/faulttest": 1, // tests only

	"workflows": 0, "migrations": 0, // embedded files, no code
}

// onlyBy narrows who may import some components, whatever their level.
var onlyBy = map[string][]string{
	"internal/store":   {"cmd", "internal/engine", "internal/jobs", "internal/play", "internal/exchange"}, // api and web never
	"internal/notify":  {"cmd", "internal/jobs"},
	"internal/config":  {"cmd"},
	"internal/testrun": {},
	"migrations":       {"cmd", "internal/store"},
}

// doors are libraries kept behind one component, so that they can be replaced and their traps stay in one place.
var doors = map[string][]string{
	"gorm.io/":                      {"internal/store"},
	"github.com/jackc/pgx/":         {"internal/store"},
	"github.com/pressly/goose/":     {"internal/store"},
	"modernc.org/sqlite":            {"internal/store"},
	"github.com/looplab/fsm":        {"internal/flow"},
	"github.com/hibiken/asynq":      {"internal/jobs"},
	"github.com/alicebob/miniredis": {"internal/jobs"},
	"github.com/a-h/templ":          {"internal/web"},
	"github.com/danielgtaylor/huma": {"internal/api"},
	"github.com/caarlos0/env":       {"internal/config"},
	"github.com/spf13/cobra":        {"cmd"},
	"github.com/wneessen/go-mail":   {"internal/notify"},
	"github.com/emersion/":          {"internal/notify"},
	"github.com/arran4/golang-ical": {"internal/engine"},
	"github.com/digitorus/":         {"internal/notify"},
	"golang.org/x/mod/sumdb":        {"internal/audit"},
}

// pure components compute from what they are given: no disk, no network, no database.
var pure = []string{"internal/law", "internal/calendar", "internal/audit", "internal/evaluation", "internal/inspect", "internal/notice"}

var impure = []string{"os", "os/exec", "net", "net/http", "database/sql", "syscall"}

// clockless components take the time from their caller, so that nine months can be played in a second.
var clockless = []string{"internal/law", "internal/calendar", "internal/audit", "internal/flow", "internal/evaluation", "internal/engine"}

type goPackage struct {
	ImportPath, Name string
	Imports          []string // of the code; tests may look further, to set a scene
}

// component is the part of the design a package belongs to: its folder under the module, cut after internal/NAME, or its first part.
func (p goPackage) component() string { return component(p.ImportPath) }

func component(path string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	parts := strings.Split(rest, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// packages lists ours. -e: a package that does not compile today is its author's news, not a fault of the shape.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 3 {
		t.Fatalf("go list found %d packages: the rules would be kept by nobody", len(all))
	}
	return all
}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == module+"/internal" {
			continue // these tests
		}
		from := p.component()
		height, known := level[from]
		if !known {
			t.Errorf("%s: component %s has no level: add it to the table, and to the design", p.ImportPath, from)
			continue
		}
		for _, path := range p.Imports {
			if !strings.HasPrefix(path, module+"/") {
				continue
			}
			to := component(path)
			if to == from {
				continue
			}
			if level[to] >= height {
				t.Errorf("%s imports %s: arrows point down, and siblings do not see each other", p.ImportPath, path)
			}
			if allowed, narrow := onlyBy[to]; narrow && !slices.Contains(allowed, from) {
				t.Errorf("%s imports %s, which only %v may", p.ImportPath, path, allowed)
			}
		}
	}
}

func TestLibrariesStayBehindTheirDoor(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for library, allowed := range doors {
				if strings.HasPrefix(path, library) && !slices.Contains(allowed, p.component()) {
					t.Errorf("%s imports %s, which only %v may", p.ImportPath, path, allowed)
				}
			}
			if slices.Contains(pure, p.component()) && slices.Contains(impure, path) {
				t.Errorf("%s imports %s, but %s is pure", p.ImportPath, path, p.component())
			}
		}
	}
}

func TestPackageNames(t *testing.T) {
	drawers := []string{"util", "utils", "common", "base", "models", "helpers", "types", "shared", "misc"}
	for _, p := range packages(t) {
		if slices.Contains(drawers, p.Name) {
			t.Errorf("%s is called %s: a name that says nothing collects everything", p.ImportPath, p.Name)
		}
	}
}
