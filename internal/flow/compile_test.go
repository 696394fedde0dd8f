package flow

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// dashes ends the YAML of a file in testdata/bad; below stand the faults expected.
var dashes = regexp.MustCompile(`(?m)^-{10,}\n`)

func TestFaults(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no bad workflows: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			data := mustRead(t, name)
			at := dashes.FindIndex(data)
			if at == nil {
				t.Fatal("no line of dashes")
			}
			got := faultsOf(t, []Source{{Name: "w", Data: data[:at[0]]}}).Error() + "\n"
			if *update {
				if err := os.WriteFile(name, append(slices.Clip(data[:at[1]]), got...), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(data[at[1]:]), got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExampleCompiles(t *testing.T) {
	sources, err := Sources(os.DirFS("testdata/good"))
	if err != nil {
		t.Fatal(err)
	}
	library, warnings, err := Compile(sources, testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range library.All() {
		ids = append(ids, d.Workflow)
	}
	want := []string{"contract", "integration_request", "litigation", "lot", "open_procedure", "remedy"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("workflows (-want +got):\n%s", diff)
	}
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	wantWarnings := []string{
		"open_procedure.yaml:58: documento «anac_assignment» senza etichetta: né qui in «documents» né nel catalogo",
		"open_procedure.yaml:59: documento «withdrawal_act» senza etichetta: né qui in «documents» né nel catalogo",
		"open_procedure.yaml:73: documento «revocation_act» senza etichetta: né qui in «documents» né nel catalogo",
		"open_procedure.yaml:130: documento «judgment» senza etichetta: né qui in «documents» né nel catalogo",
	}
	if diff := cmp.Diff(wantWarnings, texts); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if roots := library.Roots(); len(roots) != 1 || roots[0].Workflow != "open_procedure" {
		t.Errorf("roots = %v, want open_procedure alone", roots)
	}
	if parents := library.ParentsOf("remedy"); len(parents) != 1 || parents[0].Workflow != "lot" {
		t.Errorf("parents of remedy = %v, want lot", parents)
	}
}

func TestExampleDetails(t *testing.T) {
	l := example(t)
	p, lot := latest(t, l, "open_procedure"), latest(t, l, "lot")

	withdraw, _ := p.Event("withdraw_request")
	want := []string{"request_draft", "request_under_review", "request_accepted", "request_rejected"}
	if diff := cmp.Diff(want, withdraw.Moves[0].From); diff != "" {
		t.Errorf("{stage: request} (-want +got):\n%s", diff)
	}
	publish, _ := p.Event("publish")
	due, _ := publish.Input("bids_due")
	if due.Kind != InputField || due.Type != TypeInstant || due.Label.IT != "Scadenza offerte" {
		t.Errorf("input bids_due = %+v, want type and label of the field", due)
	}
	if got := publish.Guards[0].Params; !cmp.Equal(got, fieldAtLeastParams{"bids_due", Term{Key: "min.open.days"}, "eu_1182"}) {
		t.Errorf("params = %#v", got)
	}
	judgment, _ := lot.Event("follow_judgment")
	back, _ := judgment.Input("back_to")
	if !back.State || back.Type != TypeChoice || len(back.Of) != 3 || back.Of[0].Label.IT != "Verifica amministrativa" {
		t.Errorf("implied input back_to = %+v", back)
	}
	bids, _ := lot.Register("bids")
	if c, _ := bids.Column("operator"); c.Label.IT != "Operatore economico" {
		t.Errorf("column operator takes its label from the catalogue, got %q", c.Label.IT)
	}
	if c, _ := bids.Column("rank"); c.Label.IT != "Rank" {
		t.Errorf("column rank has no label: want it readable, got %q", c.Label.IT)
	}
	if moves := lot.MovesFrom("decide_admission", "admission"); len(moves) != 2 || moves[1].To.State != "evaluation" || len(moves[1].If) != 0 {
		t.Errorf("moves of decide_admission = %+v", moves)
	}
	if doc, _ := p.Document("rup_appointment"); doc.Label.IT != "Nomina del RUP" || doc.Law != "art. 15" {
		t.Errorf("document from the catalogue = %+v", doc)
	}
	if deadline, _ := lot.Deadline("max_duration"); deadline.From != "effective" || deadline.Term.ByChoice["best_value"] != "maxproc.oepv.open" {
		t.Errorf("deadline = %+v", deadline)
	}
}

func TestImpliedEvents(t *testing.T) {
	l := example(t)
	p, lot, litigation := latest(t, l, "open_procedure"), latest(t, l, "lot"), latest(t, l, "litigation")
	open, found := p.Event("open")
	if !found || !cmp.Equal(open.By, []By{{Role: "rup"}}) || len(open.Inputs) != len(p.Fields) || !open.Inputs[0].Optional {
		t.Errorf("open of open_procedure = %+v", open)
	}
	if open, _ := lot.Event("open"); !cmp.Equal(open.By, []By{{Role: "system"}}) {
		t.Errorf("a lot is opened by %v, want the system", open.By)
	}
	if _, found := litigation.Event("open"); found || len(litigation.Openings()) != 1 || litigation.Openings()[0].ID != "file" {
		t.Errorf("a workflow with an opening event must not get another")
	}
	rectify, _ := p.Event("rectify")
	if !rectify.Rectify || len(p.MovesFrom("rectify", "revoked")) != 1 || slices.Contains(rectify.Moves[0].To.Among, "revoked") {
		t.Errorf("rectify must leave final states and lead to others only: %+v", rectify.Moves)
	}
	if answer := latest(t, l, "integration_request"); true {
		if rectify, _ := answer.Event("rectify"); !cmp.Equal(rectify.By, []By{{Role: "rup"}}) {
			t.Errorf("nobody of the SUA acts there: rectified by %v, want rup", rectify.By)
		}
	}
}

func TestRectifyByWhom(t *testing.T) {
	text := strings.Replace(string(mustRead(t, "testdata/good/stubs.yaml")), "start: filed", "start: filed\nrectify: {by: [seat]}", 1)
	rectify, _ := latest(t, compiled(t, text), "litigation").Event("rectify")
	if !cmp.Equal(rectify.By, []By{{Role: "seat"}}) {
		t.Errorf("rectify by %v, want seat", rectify.By)
	}
}

func TestCanonicalRoundTrip(t *testing.T) {
	l := example(t)
	var pinned []Source
	for _, d := range l.All() {
		pinned = append(pinned, Source{Name: "definizione " + d.Workflow, Data: d.Source, Pinned: true})
	}
	again, _, err := Compile(pinned, testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range l.All() {
		back, found := again.ByHash(d.Hash)
		if !found {
			t.Errorf("%s: the hash changed", d.Workflow)
			continue
		}
		if diff := same(d, back); diff != "" {
			t.Errorf("%s (-file +pinned):\n%s", d.Workflow, diff)
		}
	}
}

func TestLayoutDoesNotChangeTheHash(t *testing.T) {
	text := string(mustRead(t, "testdata/good/stubs.yaml"))
	other := strings.NewReplacer("start: filed", "# a comment\nstart: \"filed\"", "{stage: trial,", "{stage:   'trial',").Replace(text)
	a, b := latest(t, compiled(t, text), "litigation"), latest(t, compiled(t, other), "litigation")
	if a.Hash != b.Hash {
		t.Errorf("comments and quotes changed the hash:\n%s\n%s", a.Source, b.Source)
	}
	changed := latest(t, compiled(t, strings.Replace(text, "Ricorso notificato", "Ricorso depositato", 1)), "litigation")
	if changed.Hash == a.Hash {
		t.Error("another label must give another hash")
	}
}

func TestPinnedVersions(t *testing.T) {
	stubs := string(mustRead(t, "testdata/good/stubs.yaml"))
	old := latest(t, compiled(t, stubs), "litigation")
	pin := Source{Name: "definizione litigation 1", Data: old.Source, Pinned: true}

	library, _, err := Compile(append(asSources(stubs), pin), testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil || len(library.All()) != 4 {
		t.Fatalf("the same bytes from the database are the same definition: %v", err)
	}
	mended := strings.Replace(stubs, "Ricorso notificato", "Ricorso depositato", 1)
	faults := faultsOf(t, append(asSources(mended), pin))
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "alzare «version»") {
		t.Errorf("changed content under the same version: %v", faults)
	}
	raised := strings.Replace(mended, "workflow: litigation\nversion: 1", "workflow: litigation\nversion: 2", 1)
	library, _, err = Compile(append(asSources(raised), pin), testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := library.Latest("litigation"); d.Version != 2 {
		t.Errorf("latest = version %d, want 2", d.Version)
	}
	if _, found := library.ByHash(old.Hash); !found {
		t.Error("the pinned version must still be served")
	}
}

const partText = `part: request
version: 1
stages: {request: {label: {it: Richiesta, en: Request}}}
states:
  asked: {stage: request, label: {it: Richiesta, en: Asked}}
events:
  accept: {label: {it: Accogli, en: Accept}, by: [rup], from: [asked], to: ready}
joins: []
`

const usingText = `workflow: using
version: 1
case: c
label: {it: Usa, en: Uses}
uses: [parts/request.v1.yaml]
start: asked
stages: {end: {label: {it: Fine, en: End}}}
states:
  ready: {stage: end, final: ready, label: {it: Pronta, en: Ready}}
`

func TestPartsMerge(t *testing.T) {
	fsys := fstest.MapFS{
		"using.yaml":            {Data: []byte(usingText)},
		"parts/request.v1.yaml": {Data: []byte(partText)},
		"law/limits.yaml":       {Data: []byte("not: a workflow")},
		"testdata/x.yaml":       {Data: []byte("not: a workflow")},
	}
	sources, err := Sources(fsys)
	if err != nil || len(sources) != 2 {
		t.Fatalf("Sources = %d files, %v; want 2", len(sources), err)
	}
	library, warnings, err := Compile(sources, testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil || len(warnings) != 0 {
		t.Fatal(err, warnings)
	}
	d := latest(t, library, "using")
	if len(d.States) != 2 || d.States[0].ID != "asked" || d.Stages[0].ID != "request" {
		t.Errorf("the part comes first: %+v", d.States)
	}
	if bytes.Contains(d.Source, []byte("uses")) || bytes.Contains(d.Source, []byte("part")) {
		t.Errorf("merged source still names parts: %s", d.Source)
	}
	again, _, err := Compile([]Source{{Name: "db", Data: d.Source, Pinned: true}}, testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil || again.All()[0].Hash != d.Hash {
		t.Errorf("a merged definition must compile from its own bytes: %v", err)
	}
}

func TestPartFaults(t *testing.T) {
	broken := strings.Replace(partText, "by: [rup]", "by: [rupp]", 1)
	clash := usingText + "  asked: {stage: end, label: {it: Ancora, en: Again}}\n"
	faults := faultsOf(t, []Source{
		{Name: "parts/request.v1.yaml", Data: []byte(broken)},
		{Name: "using.yaml", Data: []byte(clash)},
		{Name: "other.yaml", Data: []byte(strings.NewReplacer("workflow: using", "workflow: other", "request.v1", "request.v2").Replace(usingText))},
	})
	want := Faults{
		{"other.yaml", 5, "parte sconosciuta: «parts/request.v2.yaml» (forse intendevi «request.v1»?)"},
		{"parts/request.v1.yaml", 7, "ruolo sconosciuto: «rupp» (forse intendevi «rup»?)"},
		{"using.yaml", 10, "«states.asked» è già in request.v1.yaml:5"},
	}
	for _, w := range want {
		if !slices.Contains(faults, w) {
			t.Errorf("missing fault %q in:\n%v", w, faults)
		}
	}
}

func TestUnusedThings(t *testing.T) {
	text := strings.Replace(usingText, "uses: [parts/request.v1.yaml]\n", "", 1)
	text = strings.Replace(text, "start: asked", "start: ready", 1) + `  asked: {stage: end, label: {it: A, en: A}}
deadlines:
  never: {label: {it: Mai, en: Never}, term: request.answer_days, counted: calendar_roll, while: [asked], at_expiry: {alert: [rup]}}
events:
  start: {label: {it: I, en: S}, opens: true, by: [rup], to: asked}
  go: {label: {it: V, en: G}, by: [system], from: [asked], to: ready}
  told: {label: {it: T, en: T}, by: [parent], from: [asked], to: ready}
`
	_, warnings, err := Compile(asSources(text, partText), testVocabulary(), testLimits(t), testCatalogue(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Message)
	}
	want := []string{
		"nessun evento avvia il termine «never»",
		"«go» è del sistema, ma né un termine né una giunzione lo fa scattare",
		"«told» viene dal caso padre, ma nessun padre lo comanda",
		"la parte «request.v1» non è usata da alcun workflow",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestCatalogueRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{"documents: {x: {lable: {it: A, en: B}}}", "documents: {x: {label: {it: A}}}", "columns: {X y: {it: A, en: B}}", "other: 1"} {
		if _, err := LoadCatalogue([]byte(text)); err == nil {
			t.Errorf("LoadCatalogue(%q) must refuse", text)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			f.Add(mustRead(f, name))
		}
	}
	vocabulary, limits, catalogue := testVocabulary(), testLimits(f), testCatalogue(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		library, _, err := Compile([]Source{{Name: "f", Data: data}}, vocabulary, limits, catalogue)
		if err != nil {
			return
		}
		for _, d := range library.All() {
			if _, _, err := Compile([]Source{{Name: "f", Data: data}, {Name: "p", Data: d.Source, Pinned: true}}, vocabulary, limits, catalogue); err != nil {
				t.Errorf("canonical bytes do not compile: %v\n%s", err, d.Source)
			}
		}
	})
}
