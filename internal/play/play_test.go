package play_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
	"github.com/province-comuni/sua/workflows"
)

var update = flag.Bool("update", false, "rewrite the golden traces")

const scenarios = "../../workflows/testdata"

func shipped(t testing.TB) engine.Config {
	t.Helper()
	cfg, err := play.Prepare(workflows.FS)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// on puts an engine on a fresh database of the test.
func on(t testing.TB, db *store.DB, clock *play.Clock) play.Config {
	t.Helper()
	stage, err := play.On(t.Context(), db, clock, t.TempDir(), shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// acted plays a scenario text and returns its trace.
func acted(t testing.TB, stage play.Config, scenario string) (string, play.Walked) {
	t.Helper()
	var trace bytes.Buffer
	walked, err := play.Run(t.Context(), stage, strings.NewReader(scenario), &trace)
	if err != nil {
		t.Fatalf("%v\n%s", err, trace.String())
	}
	return trace.String(), walked
}

// files are the scenarios, by path below workflows/testdata.
func files(t testing.TB) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(scenarios), "*/*.scn")
	if err != nil || len(names) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return names
}

func text(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(scenarios, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each scenario gives its golden trace, on both databases: a reviewer reads the difference as law. And a move that no scenario
// walks is a move that nobody has looked at.
func TestScenarios(t *testing.T) {
	walked := play.Walked{}
	for _, name := range files(t) {
		t.Run(strings.TrimSuffix(name, ".scn"), func(t *testing.T) {
			clock := &play.Clock{}
			storetest.Each(t, store.Options{Now: clock.Now}, func(t *testing.T, db *store.DB) {
				stage := on(t, db, clock)
				got, w := acted(t, stage, text(t, name))
				proved(t, stage)
				maps.Copy(walked, w)
				compare(t, strings.TrimSuffix(name, ".scn")+".golden", got)
			})
		})
	}
	library, _, err := compiled(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range library.All() {
		for _, want := range transitions(d) {
			if walked[want] == 0 {
				t.Errorf("no scenario walks %s: %s from %q to %q", want.Workflow, want.Event, want.From, want.To)
			}
		}
	}
}

// compare holds a trace against its golden one, or rewrites it with -update.
func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join(scenarios, golden), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(text(t, golden), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("trace differs (-want +got); if it is right: go test ./internal/play -update\n%s", diff)
	}
}

// compiled are the shipped workflows, with the warnings of the compiler.
func compiled(t testing.TB) (*flow.Library, []flow.Fault, error) {
	t.Helper()
	cfg := shipped(t)
	return flow.Compile(cfg.Sources, engine.Vocabulary(), cfg.Limits, cfg.Catalogue)
}

func TestShippedWorkflowsCompileWithoutWarnings(t *testing.T) {
	library, warnings, err := compiled(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Message, "«update» è del sistema") { // fired by imports
			t.Error(w)
		}
	}
	if n := len(library.All()); n < 5 {
		t.Errorf("%d workflows", n)
	}
}

// transitions are the moves of a definition, one for each state they leave and may reach; rectify is left out, it leads anywhere.
func transitions(d *flow.Definition) []play.Transition {
	var all []play.Transition
	for i := range d.Events {
		if d.Events[i].Rectify {
			continue
		}
		for _, m := range d.Events[i].Moves {
			from := m.From
			if m.Opens {
				from = []string{""}
			}
			for _, f := range from {
				to := m.To.States()
				if m.To.Same {
					to = []string{f}
				}
				for _, s := range to {
					all = append(all, play.Transition{Workflow: d.Workflow, Event: d.Events[i].ID, From: f, To: s})
				}
			}
		}
	}
	return all
}

func TestTransitionsAreListed(t *testing.T) {
	library, _, err := compiled(t)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := library.Latest("open_procedure")
	want := play.Transition{Workflow: "open_procedure", Event: "withdraw_request", From: "planned", To: "request_withdrawn"}
	if all := transitions(d); len(all) < 40 || !slices.Contains(all, want) {
		t.Errorf("%d transitions listed, %v among them: %v", len(all), want, slices.Contains(all, want))
	}
}

// What cannot be played stops at its line; what the engine refuses goes on.
func TestUnplayableLines(t *testing.T) {
	const begin = "workflow open_procedure\nclock 2026-03-02T09:00\nopen create_request title=Prova kind=works\n"
	for _, c := range []struct{ scenario, want string }{
		{"workflow nessuno\nclock 2026-03-02T09:00\nopen\n", "riga 3: il workflow «nessuno» non esiste"},
		{"workflow open_procedure\nclock 2026-03-02T09:00\nopen\n", "riga 3: il workflow «open_procedure» si apre in più modi: dire quale"},
		{"workflow open_procedure\nclock 2026-03-02T09:00\nopen accept\n", "riga 3: «accept» non apre il workflow «open_procedure»"},
		{"workflow open_procedure\nclock 2026-03-02T09:00\nsindaco open create_request\n", "riga 3: «sindaco» non è fra i ruoli"},
		{"workflow open_procedure\nclock 2026-03-02T09:00\nopen create_request\nrup submit_request\n", "riga 4: nessun caso è aperto"},
		{begin + "sindaco submit_request\n", "riga 4: «sindaco» non è fra i ruoli"},
		{begin + "rup lots:2 edit_lot\n", "riga 4: non c'è alcun caso «lots:2»"},
		{begin + "expect planned\n", "riga 4: . è in «request_draft», non in «planned»"},
		{begin + "expect lots:1 awarded\nrup edit_request amount=1\n", "riga 4: lots:1 è in «planned», non in «awarded»"},
		{begin + "expect 2 planned\n", "riga 4: nessun caso è aperto"},
		{begin + "linked lots:1\n", "riga 4: nessun caso è stato aperto accanto a «lots:1»"},
	} {
		clock := &play.Clock{}
		stage := on(t, storetest.SQLite(t, store.Options{Now: clock.Now}), clock)
		_, err := play.Run(t.Context(), stage, strings.NewReader(c.scenario), io.Discard)
		var bad *play.LineError
		if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.scenario, err, c.want)
		}
	}
}

// The case that a deserted lot opens is played on; what is expected of each case holds, and leaves no trace. Without a trace the same
// steps find the same cases.
func TestLinkedCase(t *testing.T) {
	const deserted = "workflow open_procedure\nclock 2026-01-12T09:00\nopen create_request title=Scuola kind=works amount=200000 cui=L80009330285202600007\n" +
		"rup edit_request procedure_kind=open criterion=lowest_price\nrup attach request_form, rup_appointment, conflict_declaration, quadro_economico\n" +
		"rup submit_request ack=documents_incomplete:Poi\nsua_clerk take_charge\nsua_director accept\nsua_clerk draft_docs\n" +
		"sua_clerk set_notice bid_term=ordinary\nsua_clerk attach notice, tender_rules, indiction\nsua_clerk share_docs\n" +
		"rup approve_docs approved_on=2026-01-12\nrup attach decision, coverage\nmember_director adopt_decision\nsua_director adopt_indiction\n" +
		"sua_clerk lots:1 record_cig cig=B24DA5677B\nsua_clerk get_cig\n" +
		"sua_clerk publish questions_until=2026-02-05T12:00 bids_due=2026-02-16T12:00\nexpect lots:1 receiving\nclock 2026-02-17T09:00\n" +
		"sua_director lots:1 attach deserted_act\nsua_director lots:1 declare_deserted deserted_reason=no_bid\nrup lots:1 re_tender\n" +
		"linked lots:1\nrup create_request title=Scuola kind=works\nexpect request_draft\nexpect lots:1 planned\nexpect 1 lots:1 deserted\n"
	for name, out := range map[string]io.Writer{"traced": &bytes.Buffer{}, "silent": io.Discard} {
		clock := &play.Clock{}
		stage := on(t, storetest.SQLite(t, store.Options{Now: clock.Now}), clock)
		if _, err := play.Run(t.Context(), stage, strings.NewReader(deserted), out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		trace, ok := out.(*bytes.Buffer)
		if ok && (!strings.Contains(trace.String(), " lots:1 linked: ok\n") || strings.Contains(trace.String(), "expect")) {
			t.Error(trace)
		}
		back := &play.Clock{}
		stage = on(t, storetest.SQLite(t, store.Options{Now: back.Now}), back)
		var bad *play.LineError
		if _, err := play.Run(t.Context(), stage, strings.NewReader(deserted+"linked\n"), out); !errors.As(err, &bad) {
			t.Errorf("%s: the link of the new case leads back to the lot that opened it, as if it were a tree of its own: %v", name, err)
		}
	}
}

// On a stage whose database does not live in the played time no term ever ends: that is an error, and no endless wait.
func TestTermThatNeverEnds(t *testing.T) {
	fixed := time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)
	stage := on(t, storetest.SQLite(t, store.Options{Now: func() time.Time { return fixed }}), &play.Clock{})
	const waiting = "workflow open_procedure\nclock 2026-01-12T09:00\nopen create_request title=Scuola kind=works amount=200000 cui=L80009330285202600007\n" +
		"rup edit_request procedure_kind=open criterion=lowest_price\nrup attach request_form, rup_appointment, conflict_declaration, quadro_economico\n" +
		"rup submit_request ack=documents_incomplete:Poi\nclock 2026-04-01T09:00\n"
	if _, err := play.Run(t.Context(), stage, strings.NewReader(waiting), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "did not expire") {
		t.Errorf("error %v", err)
	}
}

// The temporary stage of the command line plays like the tests' one, and its trace reaches the line that fails.
func TestStage(t *testing.T) {
	stage, closeStage, err := play.Stage(t.Context(), t.TempDir(), shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	var trace bytes.Buffer
	_, err = play.Run(t.Context(), stage, strings.NewReader("workflow open_procedure\nclock 2026-03-02T09:00\nrup open create_request title=Prova kind=works\nrup lots:7 edit_lot\n"), &trace)
	if err == nil || !strings.Contains(trace.String(), "create_request - → request_draft") {
		t.Errorf("error %v, trace %q", err, trace.String())
	}
	if err := closeStage(); err != nil {
		t.Error(err)
	}
}

// A file of the administrator beside the shipped ones is played like them: a kind of case that the repository does not know.
func TestWorkflowOfAnotherKind(t *testing.T) {
	cfg := shipped(t)
	cfg.Sources = append(cfg.Sources, flow.Source{Name: "parcheggio.yaml", Data: []byte(`
workflow: permit
version: 1
case: permit
label: {it: Permesso, en: Permit}
start: asked
stages: {all: {label: {it: Permesso, en: Permit}}}
states:
  asked: {stage: all, label: {it: Chiesto, en: Asked}}
  given: {stage: all, final: given, label: {it: Dato, en: Given}}
events:
  give: {label: {it: Concedi, en: Give}, by: [sua_clerk], from: [asked], to: given}
`)})
	stage, closeStage, err := play.Stage(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, walked := acted(t, stage, "workflow permit\nclock 2026-03-02T09:00\nopen\nrup give\nsua_clerk give\n")
	want := "2026-03-02T09:00 sua_clerk open open: ok\n    . open - → asked\n2026-03-02T09:00 rup give: forbidden\n" +
		"2026-03-02T09:00 sua_clerk give: ok\n    . give asked → given\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if walked[play.Transition{Workflow: "permit", Event: "give", From: "asked", To: "given"}] != 1 {
		t.Errorf("walked %v", walked)
	}
	if err := closeStage(); err != nil {
		t.Error(err)
	}
}

// While the program stood still a term ended: whoever comes first finds it applied; without anybody it is applied when the clock moves on. The same line with the same key is done once.
func TestLateClockAndKeys(t *testing.T) {
	const asked = "workflow open_procedure\nclock 2026-03-02T09:00\nopen create_request title=Scuola kind=works amount=200000 cui=L80009330285202600007\n" +
		"rup edit_request procedure_kind=open criterion=lowest_price key=k1\nrup edit_request procedure_kind=open criterion=lowest_price key=k1\n" +
		"rup attach request_form, rup_appointment, conflict_declaration, quadro_economico\nrup submit_request ack=documents_incomplete:Poi\n"
	for name, c := range map[string]struct{ lines, want string }{
		"first":  {"clock 2026-05-04T09:00 late\nsua_clerk take_charge\n", "take_charge: refused event_not_here (Prendi in carico; Accolta per silenzio-assenso)\n    . accept_tacitly"},
		"nobody": {"clock 2026-05-04T09:00 late\nclock 2026-05-05T09:00\n", "2026-05-04T09:00 system expires: ok\n    . accept_tacitly"},
	} {
		clock := &play.Clock{}
		got, _ := acted(t, on(t, storetest.SQLite(t, store.Options{Now: clock.Now}), clock), asked+c.lines)
		if !strings.Contains(got, c.want) || strings.Count(got, ". edit_request") != 1 {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
