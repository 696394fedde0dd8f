package engine_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// restart makes a new engine on the same database with other workflow files.
func restart(t *testing.T, o *office, yaml map[string]string, log *bytes.Buffer) (*engine.Engine, error) {
	t.Helper()
	cfg := config(t, o.db, yaml)
	if log != nil {
		cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	return engine.New(t.Context(), cfg)
}

func TestReleasedDefinitionMayNotChange(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		changed := map[string]string{"waiting.v1.yaml": strings.Replace(waiting, "it: Vai", "it: Andiamo", 1)}
		_, err := restart(t, o, changed, nil)
		if err == nil || !strings.Contains(err.Error(), "waiting v1") || !strings.Contains(err.Error(), "alza la versione (version: 2)") {
			t.Errorf("a changed definition = %v", err)
		}
		defs, err := o.db.Definitions(t.Context())
		if err != nil || len(defs) != 1 {
			t.Errorf("%d definitions, %v", len(defs), err)
		}
		commented := map[string]string{"waiting.v1.yaml": "# una nota\n" + waiting}
		if _, err := restart(t, o, commented, nil); err != nil {
			t.Errorf("a comment is no change: %v", err)
		}
		if _, err := restart(t, o, waitingFiles, nil); err != nil {
			t.Errorf("the same again: %v", err)
		}
	})
}

func TestOpenCasesStayOnTheirVersion(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		old := wait(t, o, "go")
		second := strings.NewReplacer("version: 1", "version: 2", "{it: Vai, en: Go}", "{it: Parti, en: Start}", "to: aside}\n", "to: over}\n").Replace(waiting)
		second = strings.NewReplacer("from: [draft, aside]", "from: [draft]", "from: [aside], to: open", "from: [over], to: open").Replace(second)
		second = dropLines(second, "aside:", "back:", "close:")
		e, err := restart(t, o, map[string]string{"waiting.v2.yaml": second}, nil) // the file of v1 is gone
		if err != nil {
			t.Fatal(err)
		}
		o.Engine = e
		if n := len(e.Workflows()); n != 2 {
			t.Errorf("%d versions", n)
		}
		m := fire(t, o, o.rup, old, "leave", nil)
		young := wait(t, o, "go")
		n := fire(t, o, o.rup, young, "leave", nil)
		if m.To != "aside" || n.To != "over" {
			t.Errorf("v1 leads to %s, v2 to %s", m.To, n.To)
		}
		v, err := e.Case(t.Context(), o.rup, old)
		if err != nil || v.Version != 1 || v.State.Label.IT != "Altrove" {
			t.Errorf("the old case: %+v %v", v.Summary, err)
		}
	})
}

func dropLines(text string, starts ...string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		keep := true
		for _, s := range starts {
			keep = keep && !strings.HasPrefix(strings.TrimSpace(line), s)
		}
		if keep {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// A pinned definition that this program cannot follow stops it when cases are open, and is left out when all have ended.
func TestPinnedDefinitionThatNoLongerCompiles(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		bad := store.Pinned{Hash: "bad", Workflow: "ancient", Version: 1, Source: []byte(`{"workflow":"ancient","version":1,"case":"x","guards":["gone"]}`)}
		now, _ := o.Now(t.Context())
		if err := o.db.Pin(t.Context(), bad, now); err != nil {
			t.Fatal(err)
		}
		c := &store.Case{ID: "old", Root: "old", Workflow: "ancient", Version: 1, Hash: "bad", State: "somewhere", Stage: "s", Revision: 1, MemberBody: "conselve", SUA: "padova", Data: store.Values{}, OpenedAt: now, UpdatedAt: now}
		if err := o.db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error { return tx.InsertCase(c) }); err != nil {
			t.Fatal(err)
		}
		if _, err := restart(t, o, waitingFiles, nil); err == nil || !strings.Contains(err.Error(), "pratiche in corso") || !strings.Contains(err.Error(), "ancient") {
			t.Errorf("with an open case = %v", err)
		}
		err := o.db.Update(t.Context(), store.Everything, "old", nil, func(tx *store.Tx) error {
			tx.Case.Outcome, tx.Case.EndedAt = "over", &now
			return tx.UpdateCase(tx.Case)
		})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		e, err := restart(t, o, waitingFiles, &log)
		if err != nil || !strings.Contains(log.String(), "no longer compile") {
			t.Fatalf("with ended cases: %v, log %q", err, log.String())
		}
		p, err := e.Cases(t.Context(), o.rup, engine.Filter{})
		if err != nil || len(p.Items) != 1 || p.Items[0].State.Label.IT != "somewhere" {
			t.Errorf("the list shows %+v %v", p.Items, err)
		}
		if _, err := e.Fire(t.Context(), o.rup, engine.Fire{Case: "old", Event: "go"}); err == nil {
			t.Error("an event fired on a case without a definition")
		}
	})
}

func TestFaultyWorkflowsAreRefused(t *testing.T) {
	_, err := engine.New(t.Context(), config(t, newStore(t), map[string]string{"waiting.v1.yaml": strings.NewReplacer("fields_filled", "fields_full", "term: request.answer_days", "term: request.days", "to: aside", "to: nowhere").Replace(waiting)}))
	if err == nil {
		t.Fatal("a faulty workflow was taken")
	}
	for _, want := range []string{"fields_full", "request.days", "nowhere", "waiting.v1.yaml:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message does not name %s: %v", want, err)
		}
	}
}
