package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
)

// faults lists the pointer and code of every problem of a request.
func faults(err error) []string {
	var invalid *engine.Invalid
	if !errors.As(err, &invalid) {
		return nil
	}
	var out []string
	for _, p := range invalid.Problems {
		out = append(out, p.Pointer+" "+p.Code)
		if p.Text.IT == "" || p.Text.EN == "" || p.Text.IT == p.Code || strings.Contains(p.Text.IT+p.Text.EN, "{") {
			out = append(out, "no text for "+p.Code)
		}
	}
	slices.Sort(out)
	return out
}

func TestBadInputs(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		for name, c := range map[string]struct {
			event string
			in    string // JSON
			want  []string
		}{
			"unknown":            {"fill", `{"colour": 1}`, []string{"/inputs/colour input_unknown"}},
			"missing":            {"add_item", `{}`, []string{"/inputs/name input_required"}},
			"empty":              {"add_item", `{"name": ""}`, []string{"/inputs/name input_required"}},
			"null where needed":  {"add_item", `{"name": null}`, []string{"/inputs/name input_required"}},
			"wrong types":        {"fill", `{"title": 5, "amount": "molto", "due": true}`, []string{"/inputs/amount type", "/inputs/due type", "/inputs/title type"}},
			"fractions of cents": {"fill", `{"amount": 1.5}`, []string{"/inputs/amount type"}},
			"too much":           {"fill", `{"amount": 99999999999999999}`, []string{"/inputs/amount range"}},
			"far too much":       {"fill", `{"amount": 1e400}`, []string{"/inputs/amount type"}},
			"no such day":        {"fill", `{"due": "2026-02-30"}`, []string{"/inputs/due format"}},
			"control characters": {"fill", `{"title": "a\u0000b"}`, []string{"/inputs/title control"}},
			"nested":             {"fill", `{"title": {"a": []}}`, []string{"/inputs/title type"}},
			"all at once":        {"fill", `{"x": 1, "title": [], "due": "ieri"}`, []string{"/inputs/due format", "/inputs/title type", "/inputs/x input_unknown"}},
			"tomorrow":           {"send", `{"effective": "2026-03-03"}`, []string{"/inputs/effective effective_future"}},
			"an odd day":         {"send", `{"effective": "domani", "x": 1}`, []string{"/inputs/effective format", "/inputs/x input_unknown"}},
		} {
			var in map[string]any
			dec := json.NewDecoder(strings.NewReader(c.in))
			dec.UseNumber()
			if err := dec.Decode(&in); err != nil {
				t.Fatal(name, err)
			}
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: c.event, Inputs: in})
			if got := faults(err); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v (%v), want %v", name, got, err, c.want)
			}
		}
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "fly"}); !slices.Equal(faults(err), []string{"/event event_unknown"}) {
			t.Errorf("unknown event: %v", err)
		}
		before, _ := o.History(t.Context(), o.rup, id, 0, 0)
		if last := before.Items[len(before.Items)-1].Event; last != "attach" {
			t.Errorf("a bad request left %s", last)
		}
	})
}

func TestNullClearsOptionalFields(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		fire(t, o, o.rup, id, "fill", map[string]any{"title": nil, "amount": nil, "due": "2026-05-01"})
		v, err := o.Case(t.Context(), o.rup, id)
		if err != nil || v.Title != "" || v.Amount != nil || fieldOf(v, "title") != nil || fieldOf(v, "due") != "2026-05-01" {
			t.Errorf("%+v %v", v.Fields, err)
		}
		fire(t, o, o.rup, id, "fill", map[string]any{"title": "Nuovo", "due": ""}) // an empty box of a form says nothing
		if v, _ := o.Case(t.Context(), o.rup, id); v.Title != "Nuovo" || fieldOf(v, "due") != "2026-05-01" {
			t.Errorf("%+v", v.Fields)
		}
		h, _ := o.History(t.Context(), o.rup, id, 0, 0)
		cleared := h.Items[len(h.Items)-2]
		if len(cleared.Changes) != 3 || !slices.ContainsFunc(cleared.Changes, func(c engine.Told) bool { return c.Label.IT == "Importo" && c.Text == "—" }) {
			t.Errorf("the history says %+v", cleared.Changes)
		}
	})
}

func TestRowInputs(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, _ := opened(t, o)
		fire(t, o, o.rup, id, "send", nil, dueAck)
		row := func(v any) error {
			_, err := o.Fire(t.Context(), o.clerk, engine.Fire{Case: id, Event: "offer", Inputs: map[string]any{"row": v}})
			return err
		}
		for name, c := range map[string]struct {
			row  any
			want []string
		}{
			"no row":   {"x", []string{"/inputs/row row_expected"}},
			"a list":   {[]any{}, []string{"/inputs/row row_expected"}},
			"empty":    {map[string]any{}, []string{"/inputs/row/operator input_required"}},
			"unknown":  {map[string]any{"operator": "x", "score": "1", "row": 1}, []string{"/inputs/row/row input_unknown", "/inputs/row/score input_unknown"}},
			"bad type": {map[string]any{"operator": 7}, []string{"/inputs/row/operator type"}},
		} {
			if got := faults(row(c.row)); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		for _, operator := range []string{"Alfa", "Beta"} {
			if err := row(map[string]any{"operator": operator}); err != nil {
				t.Fatal(err)
			}
		}
		scores := func(v any) error {
			_, err := o.Fire(t.Context(), o.committee, engine.Fire{Case: id, Event: "score", Inputs: map[string]any{"scores": v}})
			return err
		}
		for name, c := range map[string]struct {
			rows any
			want []string
		}{
			"no list":      {map[string]any{}, []string{"/inputs/scores rows_expected"}},
			"no number":    {[]any{map[string]any{"score": "1"}}, []string{"/inputs/scores/0/row row_unknown"}},
			"unknown rows": {[]any{map[string]any{"row": 3, "score": "1"}, map[string]any{"row": 0}, map[string]any{"row": "due"}}, []string{"/inputs/scores/0/row row_unknown", "/inputs/scores/1/row row_unknown", "/inputs/scores/2/row row_unknown"}},
			"all at once":  {[]any{7, map[string]any{"row": 1, "score": "x", "operator": "y"}}, []string{"/inputs/scores/0 row_expected", "/inputs/scores/1/operator input_unknown", "/inputs/scores/1/score format"}},
		} {
			if got := faults(scores(c.rows)); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		if err := scores([]any{map[string]any{"row": 2, "score": "80.5"}, map[string]any{"row": 2, "score": "81"}}); err != nil {
			t.Fatal(err)
		}
		v, _ := o.Case(t.Context(), o.committee, id)
		rows := v.Registers[0].Rows
		if len(rows) != 2 || rows[1].Values["score"] != "81" || rows[1].Values["operator"] != "Beta" || rows[0].Values["score"] != nil {
			t.Errorf("rows %+v", rows)
		}
	})
}
