package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(mustRead(t, name)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestMarkdown holds the whole reference page, state × event table and Mermaid graph included.
func TestMarkdown(t *testing.T) {
	l := example(t)
	limits := testLimits(t).On(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	for _, d := range l.All() {
		switch d.Workflow {
		case "open_procedure", "lot", "litigation":
			golden(t, "testdata/golden/"+d.Workflow+".md", d.Markdown(testVocabulary(), limits))
		}
	}
}

func TestMermaidSpeaksEnglish(t *testing.T) {
	got := latest(t, example(t), "lot").Mermaid("en")
	for _, want := range []string{`s_standstill -.->|"End of standstill (Standstill)"| s_to_contract`, `s_concluded((("Contracted")))`,
		`subgraph stage_award["Award"]`, `n_revoke_0>"Revoke<br/>from: Publication, Award"]`} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %s in:\n%s", want, got)
		}
	}
}

func TestMermaidEscapes(t *testing.T) {
	text := strings.Replace(string(mustRead(t, "testdata/good/stubs.yaml")), "it: Ricorso notificato", `it: 'Ricorso "A" <b> #1'`, 1)
	got := latest(t, compiled(t, text), "litigation").Mermaid("it")
	if !strings.Contains(got, `s_filed("Ricorso #quot;A#quot; #lt;b#gt; #35;1")`) {
		t.Errorf("quotes and brackets must not end a label:\n%s", got)
	}
}

func TestSVG(t *testing.T) {
	l := example(t)
	d := latest(t, l, "lot")
	svg, err := l.SVG(context.Background(), d, "it")
	if err != nil {
		t.Fatal(err)
	}
	texts, elements := svgTexts(t, svg)
	for _, want := range []string{"Verifica amministrativa", "Pubblicazione", "Aggiudica", "Fine stand-still (Stand-still)"} {
		if !strings.Contains(texts, want) {
			t.Errorf("drawing lacks %q in %s", want, texts)
		}
	}
	if strings.Contains(texts, "to_contract") {
		t.Error("people see labels, not ids")
	}
	// a double circle is two ellipses: three final states, and the beginning
	if elements["ellipse"] != 2*len(d.FinalStates())+1 {
		t.Errorf("%d ellipses, want two for each of %d final states and one for the start", elements["ellipse"], len(d.FinalStates()))
	}
	if !bytes.Contains(svg, []byte("stroke-dasharray")) {
		t.Error("the arrow of a deadline must be dashed")
	}
	again, err := l.SVG(context.Background(), d, "it")
	if err != nil || &again[0] != &svg[0] {
		t.Errorf("the second drawing must be the first one remembered (%v)", err)
	}
	english, err := l.SVG(context.Background(), d, "en")
	if err != nil || !bytes.Contains(english, []byte("Admission check")) {
		t.Errorf("the English drawing must have English labels (%v)", err)
	}
}

// svgTexts returns the text of an SVG and how many elements of each name it has; it fails when it is not XML.
func svgTexts(t *testing.T, svg []byte) (string, map[string]int) {
	t.Helper()
	var texts strings.Builder
	elements := map[string]int{}
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts.String(), elements
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements[x.Name.Local]++
		case xml.CharData:
			texts.Write(x)
		}
	}
}

func TestInputSchema(t *testing.T) {
	l := example(t)
	d := latest(t, l, "lot")
	e, _ := d.Event("record_bid")
	got, err := json.MarshalIndent(d.InputSchema(e), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/golden/record_bid.schema.json", string(got)+"\n")
	judgment, _ := d.Event("follow_judgment")
	property := d.InputSchema(judgment)["properties"].(map[string]any)["back_to"].(map[string]any)
	if choices := property["oneOf"].([]any); len(choices) != 3 || choices[0].(map[string]any)["const"] != "admission" {
		t.Errorf("the choice of a state = %v", property)
	}
}

// TestSchemasAreBounded walks every schema of every workflow: no text without length, no number without bounds.
func TestSchemasAreBounded(t *testing.T) {
	for _, d := range example(t).All() {
		data, err := json.Marshal(d.Schema())
		if err != nil {
			t.Fatal(err)
		}
		var schema map[string]any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Fatal(err)
		}
		if len(schema["$defs"].(map[string]any)["events"].(map[string]any)["properties"].(map[string]any)) != len(d.Events) {
			t.Errorf("%s: every event has a schema", d.Workflow)
		}
		bounded(t, d.Workflow, schema)
	}
}

func bounded(t *testing.T, path string, node any) {
	schema, ok := node.(map[string]any)
	if !ok {
		return
	}
	want := map[string][]string{"string": {"maxLength", "title"}, "integer": {"minimum", "maximum", "title"}, "array": {"maxItems"}}
	if typ, ok := schema["type"].(string); ok {
		for _, key := range want[typ] {
			if schema[key] == nil {
				t.Errorf("%s is a %s without %s", path, typ, key)
			}
		}
	}
	for key, child := range schema {
		bounded(t, path+"/"+key, child)
	}
}
