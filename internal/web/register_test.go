package web

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

func TestRegisterShowsOnlyWhatIsFilled(t *testing.T) {
	def := &flow.Definition{}
	reg := bids()[0]
	reg.Register.Columns = append(reg.Register.Columns, flow.Column{ID: "discount", Type: flow.TypePercent, Label: it("Ribasso")}, flow.Column{ID: "price", Type: flow.TypeMoney, Label: it("Prezzo")})
	reg.Rows[0].Values["discount"] = "12.5"
	table := tableOf(def, reg, lists{})
	want := []headView{{Label: "Operatore"}, {Label: "Ammissione"}, {Label: "Motivo"}, {Label: "Ribasso", Number: true}}
	if diff := cmp.Diff(want, table.Columns); diff != "" {
		t.Error(diff)
	}
	if got := table.Rows[0].Cells[3]; got != "12,5 %" {
		t.Errorf("discount: %q", got)
	}
	if got := withUnit(flow.TypePercent, "technical_score", "71,2"); got != "71,2" {
		t.Errorf("points became a percentage: %q", got)
	}
}

// A register with many columns keeps its figures in a table and its texts under the name of the row.
func TestWideRegisterKeepsItsTextsApart(t *testing.T) {
	var reg engine.RegisterView
	values := map[string]any{}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		kind := flow.TypeText
		values[id] = "testo " + id
		if id > "c" {
			kind, values[id] = flow.TypeInt, int64(1)
		}
		reg.Register.Columns = append(reg.Register.Columns, flow.Column{ID: id, Type: kind, Label: it("Colonna " + id)})
	}
	reg.Rows = []engine.RowView{{Row: 1, Values: values}}
	table := tableOf(&flow.Definition{}, reg, lists{})
	if len(table.Columns) != 6 || len(table.Rows[0].Cells) != 6 {
		t.Errorf("%d columns, %d cells, want 6", len(table.Columns), len(table.Rows[0].Cells))
	}
	if diff := cmp.Diff([]string{"Colonna b: testo b", "Colonna c: testo c"}, table.Rows[0].Notes); diff != "" {
		t.Error(diff)
	}
}

func TestManyCasesBelowAreCounted(t *testing.T) {
	var cases []engine.Summary
	for range 7 {
		cases = append(cases, engine.Summary{State: engine.Labelled{Label: it("In regola")}})
	}
	cases = append(cases, engine.Summary{State: engine.Labelled{Label: it("Chiesto")}}, engine.Summary{State: engine.Labelled{Label: it("Chiesto")}})
	if got := countStates(cases); got != "7 in regola, 2 chiesti" {
		t.Errorf("summary: %q", got)
	}
	if got := lower("DURC mancante"); got != "DURC mancante" {
		t.Errorf("an acronym inside a sentence: %q", got)
	}
}

// A tick that sends a row as it is stands only where there is something to send.
func TestTickOnlyWhereARowHoldsSomething(t *testing.T) {
	asked := formOf(every(), bids(), answers{current: current()}, lists{})
	rows := asked[len(asked)-1].Rows
	if rows[0].Tick || !rows[1].Tick || rows[2].Tick {
		t.Errorf("ticks: %v %v %v, want only the second", rows[0].Tick, rows[1].Tick, rows[2].Tick)
	}
	if rows[0].Title != "Alfa srl" || rows[0].Controls[0].Full() != "Alfa srl: Ammissione" {
		t.Errorf("row %q, cell %q", rows[0].Title, rows[0].Controls[0].Full())
	}
}
