package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// FuzzInputs: whatever a person sends as inputs, warnings and key, the answer is one for people, and the same key with the same request
// is answered with what was answered the first time.
func FuzzInputs(f *testing.F) {
	c := newClock("2026-03-02T08:00:00Z")
	o := newOffice(f, storetest.SQLite(f, store.Options{Now: c.now}), c, nil)
	opened, err := o.Open(f.Context(), o.rup, engine.Open{Workflow: "open_procedure", Event: "create_request", MemberBody: "conselve", SUA: "padova",
		Inputs: map[string]any{"title": "Scuola", "kind": "works"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`{"amount":330783624}`, `{"amount":"1","cup":"B18E18000340009"}`, `{"title":null}`, `{"costs":[{"row":1}]}`, `{"criterion":["x"],"":{}}`,
		`{"cost":{"item":"x","amount":1e5}}`, `{"rup":"rup","pnrr":"si","pnrr_milestone":"2026-02-30"}`, `{"amount":1e400}`, "{\"title\":\"\\u0000\"}"} {
		f.Add("edit_request", []byte(seed), "k1", "amount_odd", "perché sì")
	}
	f.Add("add_cost", []byte(`{"cost":{"item":"works","amount":100}}`), "\x00\xff", "", "")
	f.Fuzz(func(t *testing.T, event string, inputs []byte, key, code, reason string) {
		var given map[string]any
		if json.Unmarshal(inputs, &given) != nil {
			return
		}
		cmd := engine.Fire{Case: opened.Case, Event: event, Inputs: given, Key: key, Acknowledge: []engine.Acknowledgement{{Code: code, Reason: reason}}}
		first, err := o.Fire(t.Context(), o.rup, cmd)
		if err != nil {
			if engine.Kind(err) == engine.KindInternal {
				t.Fatalf("%s %s: %v", event, inputs, err)
			}
			return
		}
		if key == "" {
			return
		}
		again, err := o.Fire(t.Context(), o.rup, cmd)
		if err != nil || again.Seq != first.Seq || again.Revision != first.Revision {
			t.Fatalf("%s %s with key %q: %+v, then %+v, %v", event, inputs, key, first, again, err)
		}
	})
}
