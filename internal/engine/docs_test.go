package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
)

// The manual of the workflow format is held against the code: its tables are written from the vocabulary, its examples are
// compiled, and its scenario is played.
var update = flag.Bool("update", false, "rewrite the tables and the trace of docs/workflows.md")

const manual = "../../docs/workflows.md"

// block is a fenced block that a comment `<!-- test: KIND -->` marks, with the place of its text in the page.
type block struct {
	kind       string
	text       string
	begin, end int
}

func readManual(t *testing.T) (string, []block) {
	t.Helper()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	var blocks []block
	for at := 0; ; {
		const mark = "<!-- test: "
		i := strings.Index(page[at:], mark)
		if i < 0 {
			break
		}
		at += i + len(mark)
		kind, _, ok := strings.Cut(page[at:], " -->\n```")
		fence := strings.Index(page[at:], "```") // the opening one, with its language
		begin := at + fence + strings.Index(page[at+fence:], "\n") + 1
		end := begin + strings.Index(page[begin:], "\n```\n") + 1
		if !ok || fence < 0 || end <= begin {
			t.Fatalf("a mark without a fenced block below it: %.60q", page[at:])
		}
		blocks = append(blocks, block{kind: kind, text: page[begin:end], begin: begin, end: end})
		at = end
	}
	return page, blocks
}

func textsOf(blocks []block, kind string) []string {
	var out []string
	for _, b := range blocks {
		if b.kind == kind {
			out = append(out, b.text)
		}
	}
	return out
}

// assemble puts the pieces of the reference together: a section that was begun before goes on.
func assemble(pieces []string) string {
	var order []string
	sections := map[string]string{}
	current := ""
	for _, line := range strings.SplitAfter(strings.Join(pieces, ""), "\n") {
		if line != "" && line[0] != ' ' && line[0] != '#' && line[0] != '\n' {
			current, _, _ = strings.Cut(line, ":")
			if _, begun := sections[current]; begun {
				continue
			}
			order = append(order, current)
		}
		sections[current] += line
	}
	var out strings.Builder
	for _, name := range order {
		out.WriteString(sections[name])
	}
	return out.String()
}

// compiled returns what an engine is made of with the sources added, after compiling it without a single fault or warning.
func compiled(t *testing.T, sources ...flow.Source) engine.Config {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Sources = append(cfg.Sources, sources...)
	_, warnings, err := flow.Compile(cfg.Sources, engine.Vocabulary(), cfg.Limits, cfg.Catalogue)
	if err != nil {
		t.Fatalf("the examples of %s do not compile:\n%v", manual, err)
	}
	for _, w := range warnings {
		if w.File != "" && slices.ContainsFunc(sources, func(s flow.Source) bool { return s.Name == w.File }) {
			t.Errorf("warning: %s", w)
		}
	}
	return cfg
}

func TestManualReferenceCompiles(t *testing.T) {
	_, blocks := readManual(t)
	pieces, files := textsOf(blocks, "piece"), textsOf(blocks, "file")
	if len(pieces) < 10 || len(files) == 0 {
		t.Fatalf("found %d pieces and %d files: the marks have changed", len(pieces), len(files))
	}
	sources := []flow.Source{{Name: "reference.yaml", Data: []byte(assemble(pieces))}}
	for i, text := range files {
		sources = append(sources, flow.Source{Name: fmt.Sprintf("file%d.yaml", i+1), Data: []byte(text)})
	}
	compiled(t, sources...)
}

// TestManualStory compiles the workflow that the manual begins with and plays its scenario.
func TestManualStory(t *testing.T) {
	page, blocks := readManual(t)
	whole, scenes := textsOf(blocks, "complete"), textsOf(blocks, "scenario")
	if len(whole) != 1 || len(scenes) != 1 {
		t.Fatalf("found %d complete workflows and %d scenarios, want one of each", len(whole), len(scenes))
	}
	cfg := compiled(t, flow.Source{Name: "subcontract_request.v1.yaml", Data: []byte(whole[0])})
	stage, closeStage, err := play.Stage(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var trace bytes.Buffer
	_, err = play.Run(t.Context(), stage, strings.NewReader(scenes[0]), &trace)
	if closeErr := closeStage(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	for _, b := range blocks {
		if b.kind == "trace" && b.text != trace.String() {
			replace(t, page[:b.begin]+trace.String()+page[b.end:], "trace", b.text, trace.String())
		}
	}
}

// replace rewrites the manual, or says how to.
func replace(t *testing.T, page, what, have, want string) {
	t.Helper()
	if !*update {
		t.Fatalf("%s of %s is not current: go test ./internal/engine -run Manual -update\nhave:\n%s\nwant:\n%s", what, manual, have, want)
	}
	if err := os.WriteFile(manual, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestManualTables(t *testing.T) {
	v := engine.Vocabulary()
	for name, want := range map[string]string{
		"guards": wordTable(v.Guards), "effects": wordTable(v.Effects), "roles": roleTable(v), "acts": actTable(v), "rules": ruleTable(),
	} {
		page, _ := readManual(t)
		from, to := "<!-- generated: "+name+" -->\n", "<!-- end: "+name+" -->\n"
		before, rest, found := strings.Cut(page, from)
		have, after, ended := strings.Cut(rest, to)
		if !found || !ended {
			t.Errorf("%s has no place for the table of %s", manual, name)
			continue
		}
		if have != want {
			replace(t, before+from+want+to+after, "the table of "+name, have, want)
		}
	}
}

func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func header(cells ...string) string {
	return row(cells...) + "|" + strings.Repeat(" --- |", len(cells)) + "\n"
}

func wordTable(words map[string]flow.Word) string {
	out := header("name", "parameters", "Italian", "English", "reads by name")
	for _, name := range slices.Sorted(maps.Keys(words)) {
		w := words[name]
		out += row("`"+name+"`", parameters(w.Params), w.Doc.IT, w.Doc.EN, readsByName(w))
	}
	return out
}

// parameters lists what a word asks for: the key, and in brackets what it must name.
func parameters(params any) string {
	if params == nil {
		return ""
	}
	var list []string
	for typ, i := reflect.TypeOf(params), 0; i < typ.NumField(); i++ {
		key, optional, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		what, kinds, _ := strings.Cut(typ.Field(i).Tag.Get("flow"), ",")
		if kinds != "" {
			what += ": " + strings.ReplaceAll(kinds, "|", ", ")
		}
		if typ.Field(i).Type.Kind() == reflect.Slice {
			what = "list of " + what
		}
		if optional != "" {
			what += "; optional"
		}
		list = append(list, "`"+key+"` ("+what+")")
	}
	return strings.Join(list, ", ")
}

func readsByName(w flow.Word) string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(w.Fields)) {
		list = append(list, "field `"+id+"`")
	}
	for _, id := range slices.Sorted(maps.Keys(w.ParentFields)) {
		list = append(list, "parent's field `"+id+"`")
	}
	for _, id := range slices.Sorted(maps.Keys(w.Registers)) {
		for _, column := range slices.Sorted(maps.Keys(w.Registers[id])) {
			list = append(list, "column `"+id+"."+column+"`")
		}
	}
	for _, key := range w.Limits {
		list = append(list, "limit `"+key+"`")
	}
	return strings.Join(list, ", ")
}

func roleTable(v flow.Vocabulary) string {
	out := header("role", "acts for", "Italian", "English")
	for _, id := range slices.Sorted(maps.Keys(v.Roles)) {
		out += row("`"+id+"`", string(v.Roles[id].Side), v.Roles[id].Label.IT, v.Roles[id].Label.EN)
	}
	return out
}

func actTable(v flow.Vocabulary) string {
	out := header("act", "Italian", "English")
	for _, id := range slices.Sorted(maps.Keys(v.Acts)) {
		out += row("`"+id+"`", v.Acts[id].IT, v.Acts[id].EN)
	}
	return out
}

func ruleTable() string {
	out := header("rule", "counts", "Italian", "English", "law", "mark")
	for _, r := range calendar.Rules() {
		var units []string
		for _, u := range []calendar.Unit{calendar.Hours, calendar.Days, calendar.WorkingDays, calendar.Months, calendar.Years} {
			if r.Counts(u) {
				units = append(units, string(u))
			}
		}
		out += row("`"+r.Name+"`", strings.Join(units, ", "), r.Label.IT, r.Label.EN, r.Law, r.Mark)
	}
	return out
}
