package engine_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

const coverage = "../../docs/law-coverage.md"

var quotedName = regexp.MustCompile("`([^`]+)`")

// TestLawCoverage holds the table of the law against the workflows: every state, event, deadline and limit that it names is
// there, every line names one or says with a dash that there is none, and no deadline of a shipped workflow is missing.
func TestLawCoverage(t *testing.T) {
	b, err := os.ReadFile(coverage)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	lib, _, err := flow.Compile(cfg.Sources, engine.Vocabulary(), cfg.Limits, cfg.Catalogue)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]map[string]bool{}
	for _, f := range coverageFaults(string(b), named, func(column, name string) bool {
		if column == "limit" {
			return cfg.Limits.Has(name)
		}
		workflow, id, _ := strings.Cut(name, ".")
		d, ok := lib.Latest(workflow)
		if !ok {
			return false
		}
		switch column {
		case "state":
			_, ok = d.State(id)
		case "event":
			_, ok = d.Event(id)
		case "deadline":
			_, ok = d.Deadline(id)
		}
		return ok
	}) {
		t.Error(f)
	}
	for _, column := range []string{"state", "event", "deadline", "limit"} {
		if len(named[column]) < 20 {
			t.Errorf("only %d names under %s: the tables have changed", len(named[column]), column)
		}
	}
	for _, d := range lib.All() {
		if latest, _ := lib.Latest(d.Workflow); latest != d {
			continue
		}
		for _, dl := range d.Deadlines {
			if name := d.Workflow + "." + dl.ID; !named["deadline"][name] {
				t.Errorf("%s: no line says which law the deadline %s serves", coverage, name)
			}
		}
	}
}

// coverageFaults reads the tables of the page: a column called state, event, deadline or limit holds names in backticks, or a
// dash. What it finds goes into named, by column.
func coverageFaults(page string, named map[string]map[string]bool, there func(column, name string) bool) (faults []string) {
	columns := map[int]string{}
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			clear(columns)
			continue
		case len(columns) == 0:
			for i, cell := range cells {
				if cell = strings.TrimSpace(cell); slices.Contains([]string{"state", "event", "deadline", "limit"}, cell) {
					columns[i] = cell
				}
			}
			continue
		case strings.HasPrefix(line, "| ---"):
			continue
		}
		for _, i := range slices.Sorted(maps.Keys(columns)) {
			column, cell := columns[i], ""
			if i < len(cells) {
				cell = strings.TrimSpace(cells[i])
			}
			names := quotedName.FindAllStringSubmatch(cell, -1)
			if len(names) == 0 && cell != "–" {
				faults = append(faults, line+": no name and no dash under "+column)
			}
			for _, n := range names {
				if !there(column, n[1]) {
					faults = append(faults, line+": there is no "+column+" "+n[1])
				}
				if named[column] == nil {
					named[column] = map[string]bool{}
				}
				named[column][n[1]] = true
			}
		}
	}
	return faults
}

// TestLawCoverageSeesFaults: the reading of the page finds a name that is not there and a cell left empty.
func TestLawCoverageSeesFaults(t *testing.T) {
	page := "| law | event | note |\n| --- | --- | --- |\n| a | `x.here`, `x.gone` | |\n| b |  | `x.gone` |\n| c | – | |\n\n| event | no table of names |\n"
	faults := coverageFaults(page, map[string]map[string]bool{}, func(_, name string) bool { return name == "x.here" })
	if len(faults) != 2 || !strings.Contains(faults[0], "there is no event x.gone") || !strings.Contains(faults[1], "no name and no dash") {
		t.Errorf("faults: %q", faults)
	}
}
