package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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
var updateManual = flag.Bool("update", false, "rewrite the tables and the trace of docs/workflows.md")

const manual = "../../docs/workflows.md"

// manualBlock is a fenced block that a comment `<!-- test: KIND -->` marks, with the place of its text in the page.
type manualBlock struct {
	kind       string
	text       string
	begin, end int
}

func readManual(t *testing.T) (string, []manualBlock) {
	t.Helper()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	var blocks []manualBlock
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
		blocks = append(blocks, manualBlock{kind: kind, text: page[begin:end], begin: begin, end: end})
		at = end
	}
	return page, blocks
}

func manualTexts(blocks []manualBlock, kind string) []string {
	var out []string
	for _, b := range blocks {
		if b.kind == kind {
			out = append(out, b.text)
		}
	}
	return out
}

// manualPieces puts the pieces of the reference together: a section that was begun before goes on.
func manualPieces(pieces []string) string {
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

// compileManual returns what an engine is made of with the sources added, after compiling it without a single fault or warning.
func compileManual(t *testing.T, sources ...flow.Source) engine.Config {
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
	pieces, files := manualTexts(blocks, "piece"), manualTexts(blocks, "file")
	if len(pieces) < 10 || len(files) == 0 {
		t.Fatalf("found %d pieces and %d files: the marks have changed", len(pieces), len(files))
	}
	sources := []flow.Source{{Name: "reference.yaml", Data: []byte(manualPieces(pieces))}}
	for i, text := range files {
		sources = append(sources, flow.Source{Name: fmt.Sprintf("file%d.yaml", i+1), Data: []byte(text)})
	}
	compileManual(t, sources...)
}

// TestManualStory compiles the workflow that the manual begins with and plays its scenario.
func TestManualStory(t *testing.T) {
	page, blocks := readManual(t)
	whole, scenes := manualTexts(blocks, "complete"), manualTexts(blocks, "scenario")
	if len(whole) != 1 || len(scenes) != 1 {
		t.Fatalf("found %d complete workflows and %d scenarios, want one of each", len(whole), len(scenes))
	}
	cfg := compileManual(t, flow.Source{Name: "subcontract_request.v1.yaml", Data: []byte(whole[0])})
	stage, closeStage, err := play.Stage(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var trace bytes.Buffer
	_, err = play.Run(t.Context(), stage, strings.NewReader(scenes[0]), &trace)
	if closeErr := closeStage(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	told := slices.IndexFunc(blocks, func(b manualBlock) bool { return b.kind == "trace" })
	if told < 0 {
		t.Fatal("the manual shows no trace")
	}
	if b := blocks[told]; b.text != trace.String() {
		rewriteManual(t, page[:b.begin]+trace.String()+page[b.end:], "the trace", b.text, trace.String())
	}
}

// rewriteManual rewrites the manual, or says how to.
func rewriteManual(t *testing.T, page, what, have, want string) {
	t.Helper()
	if !*updateManual {
		t.Fatalf("%s of %s is not current: go test ./internal/engine -run Manual -update\nhave:\n%s\nwant:\n%s", what, manual, have, want)
	}
	if err := os.WriteFile(manual, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestManualTables(t *testing.T) {
	v := engine.Vocabulary()
	for name, want := range map[string]string{
		"guards": manualWords(v.Guards), "effects": manualWords(v.Effects), "roles": manualRoles(v), "acts": manualActs(v), "rules": manualRules(),
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
			rewriteManual(t, before+from+want+to+after, "the table of "+name, have, want)
		}
	}
}

// TestGuidesNameWhatIsThere: what the guides for officers print in bold is a label of a shipped workflow or a text of the pages.
func TestGuidesNameWhatIsThere(t *testing.T) {
	cfg := compileManual(t)
	texts := strings.Builder{}
	for _, s := range cfg.Sources {
		texts.Write(s.Data)
	}
	texts.WriteString("it: Rettifica,") // of every workflow, see flow
	pages, err := filepath.Glob("../web/*.templ")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages found", err)
	}
	for _, name := range append(pages, "../web/list.go") { // the titles of the list's columns
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts.Write(b)
	}
	bold := regexp.MustCompile(`\*\*([^*]+)\*\*`)
	for _, name := range []string{"rup", "sua"} {
		b, err := os.ReadFile("../../docs/guide/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		found := bold.FindAllStringSubmatch(string(b), -1)
		if len(found) < 10 {
			t.Errorf("guide %s names %d things: the form of the page has changed", name, len(found))
		}
		for _, m := range found {
			for _, part := range strings.Split(m[1], ": ") { // "Procedura aperta: Apri richiesta" is a workflow and its event
				if !strings.Contains(texts.String(), part) {
					t.Errorf("guide %s names «%s», which no workflow and no page shows", name, part)
				}
			}
		}
	}
}

func manualRow(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func manualHeader(cells ...string) string {
	return manualRow(cells...) + "|" + strings.Repeat(" --- |", len(cells)) + "\n"
}

func manualWords(words map[string]flow.Word) string {
	out := manualHeader("name", "parameters", "Italian", "English", "reads by name")
	for _, name := range slices.Sorted(maps.Keys(words)) {
		w := words[name]
		out += manualRow("`"+name+"`", manualParams(w.Params), w.Doc.IT, w.Doc.EN, manualReads(w))
	}
	return out
}

// manualParams lists what a word asks for: the key, and in brackets what it must name.
func manualParams(params any) string {
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

func manualReads(w flow.Word) string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(w.Fields)) {
		list = append(list, "field `"+id+"`")
	}
	for _, id := range slices.Sorted(maps.Keys(w.ParentFields)) {
		list = append(list, "parent's field `"+id+"`")
	}
	for _, id := range slices.Sorted(maps.Keys(w.AnyFields)) {
		list = append(list, "field `"+id+"` here or above")
	}
	for _, id := range w.Events {
		list = append(list, "event `"+id+"`")
	}
	for _, id := range w.Documents {
		list = append(list, "document `"+id+"`")
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

func manualRoles(v flow.Vocabulary) string {
	out := manualHeader("role", "acts for", "Italian", "English")
	for _, id := range slices.Sorted(maps.Keys(v.Roles)) {
		out += manualRow("`"+id+"`", string(v.Roles[id].Side), v.Roles[id].Label.IT, v.Roles[id].Label.EN)
	}
	return out
}

func manualActs(v flow.Vocabulary) string {
	out := manualHeader("act", "Italian", "English")
	for _, id := range slices.Sorted(maps.Keys(v.Acts)) {
		out += manualRow("`"+id+"`", v.Acts[id].IT, v.Acts[id].EN)
	}
	return out
}

func manualRules() string {
	out := manualHeader("rule", "counts", "Italian", "English", "law", "mark")
	for _, r := range calendar.Rules() {
		var units []string
		for _, u := range []calendar.Unit{calendar.Hours, calendar.Days, calendar.WorkingDays, calendar.Months, calendar.Years} {
			if r.Counts(u) {
				units = append(units, string(u))
			}
		}
		out += manualRow("`"+r.Name+"`", strings.Join(units, ", "), r.Label.IT, r.Label.EN, r.Law, r.Mark)
	}
	return out
}
