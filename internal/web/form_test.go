package web

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

func it(s string) flow.Text { return flow.Text{IT: s, EN: s} }

var criterion = []flow.Choice{{ID: "best_value", Label: it("OEPV")}, {ID: "lowest_price", Label: it("Minor prezzo")}}

// every is an event that asks for a value of each type, and rows in both ways.
func every() []flow.Input {
	value := func(id string, ty flow.Type) flow.Input {
		return flow.Input{ID: id, Kind: flow.InputValue, Type: ty, Label: it("Campo " + id)}
	}
	choice := value("criterion", flow.TypeChoice)
	choice.Of = criterion
	return []flow.Input{
		value("reason", flow.TypeText), value("urgent", flow.TypeBool), value("lots", flow.TypeInt), value("amount", flow.TypeMoney),
		value("discount", flow.TypePercent), value("effective", flow.TypeDate), value("bids_due", flow.TypeInstant), choice,
		value("cig", flow.TypeCIG), value("cup", flow.TypeCUP), value("cpv", flow.TypeCPV), value("nuts", flow.TypeNUTS),
		value("member", flow.TypeBody), value("officer", flow.TypePerson),
		{ID: "bid", Kind: flow.InputRow, Register: "bids", Label: it("Offerta"), Columns: []flow.Column{
			{ID: "operator", Type: flow.TypeText, Label: it("Operatore")}, {ID: "received", Type: flow.TypeInstant, Label: it("Ricevuta")},
		}},
		{ID: "decisions", Kind: flow.InputRows, Register: "bids", Label: it("Decisioni"), Columns: []flow.Column{
			{ID: "admission", Type: flow.TypeChoice, Of: []flow.Choice{{ID: "admitted", Label: it("Ammessa")}, {ID: "excluded", Label: it("Esclusa")}}, Label: it("Ammissione")},
			{ID: "reason", Type: flow.TypeText, Label: it("Motivo")},
		}},
	}
}

func bids() []engine.RegisterView {
	reg := flow.Register{ID: "bids", Label: it("Offerte"), Columns: []flow.Column{
		{ID: "operator", Type: flow.TypeText, Label: it("Operatore")}, {ID: "admission", Type: flow.TypeChoice, Label: it("Ammissione")},
		{ID: "reason", Type: flow.TypeText, Label: it("Motivo")}, {ID: "score", Type: flow.TypePercent, Label: it("Punteggio")},
	}}
	return []engine.RegisterView{{Register: reg, Hidden: []string{"score"}, Rows: []engine.RowView{
		{Row: 1, Values: map[string]any{"operator": "Alfa srl"}},
		{Row: 2, Values: map[string]any{"operator": "Beta spa", "admission": "admitted", "reason": "in regola"}},
		{Row: 5, Values: map[string]any{"operator": "Gamma"}},
	}}}
}

func filled() url.Values {
	return url.Values{
		"i.reason": {" Prima riga\r\nseconda "}, "i.urgent": {"no"}, "i.lots": {"1.200"}, "i.amount": {"3.307.836,24"}, "i.discount": {"12,50"},
		"i.effective": {"2026-11-20"}, "i.bids_due": {"2026-12-02T12:00"}, "i.criterion": {"best_value"}, "i.cig": {"b0a1b2c3d4"},
		"i.cup": {"B18E18000340009"}, "i.cpv": {"45214200-2"}, "i.nuts": {"ITH36"}, "i.member": {"c1"}, "i.officer": {"p1"},
		"i.bid.operator": {"Alfa srl"}, "i.bid.received": {"2026-12-01T09:30"},
		"i.decisions.1.admission": {"admitted"}, "i.decisions.1.reason": {""},
		"i.decisions.2.admission": {"admitted"}, "i.decisions.2.reason": {"in regola"},
		"i.decisions.5.admission": {"excluded"}, "i.decisions.5.reason": {"fuori termine"},
	}
}

func current() map[string]string {
	return currentAnswers(every(), engine.CaseView{Registers: bids()})
}

func TestReadFormOfEveryType(t *testing.T) {
	g := readForm(every(), bids(), filled(), current())
	if len(g.Faults) > 0 {
		t.Fatalf("faults: %v", g.Faults)
	}
	want := map[string]any{
		"reason": "Prima riga\nseconda", "urgent": false, "lots": int64(1200), "amount": int64(330783624), "discount": "12.5",
		"effective": "2026-11-20", "bids_due": "2026-12-02T11:00:00.000000Z", "criterion": "best_value", "cig": "B0A1B2C3D4",
		"cup": "B18E18000340009", "cpv": "45214200-2", "nuts": "ITH36", "member": "c1", "officer": "p1",
		"bid": map[string]any{"operator": "Alfa srl", "received": "2026-12-01T08:30:00.000000Z"},
		"decisions": []any{ // row 2 was left as it is
			map[string]any{"row": int64(1), "admission": "admitted"},
			map[string]any{"row": int64(5), "admission": "excluded", "reason": "fuori termine"},
		},
	}
	if diff := cmp.Diff(want, g.Inputs); diff != "" {
		t.Error(diff)
	}
}

func TestTickTakesAnUnchangedRow(t *testing.T) {
	typed := filled()
	typed.Set("i.decisions.2", "si")
	g := readForm(every(), bids(), typed, current())
	if diff := cmp.Diff([]int{1, 2, 5}, g.rows["decisions"]); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyFormNamesEveryMissingAnswer(t *testing.T) {
	typed := url.Values{}
	g := readForm(every(), bids(), typed, current())
	if len(g.Inputs) != 1 { // the row, empty: its columns are at fault
		t.Errorf("inputs of an empty form: %v", g.Inputs)
	}
	for _, in := range every() {
		name := "i." + in.ID
		if in.Kind == flow.InputRow {
			name += ".operator"
		}
		if g.Faults[name] == "" {
			t.Errorf("nothing said about %s", name)
		}
	}
}

func TestWrongValuesAreToldAtTheirField(t *testing.T) {
	wrong := map[string]string{
		"i.lots": "due", "i.amount": "tanto", "i.discount": "12,,5", "i.effective": "2026-02-30", "i.bids_due": "mezzogiorno",
		"i.criterion": "other", "i.cig": "123", "i.cup": "B18", "i.cpv": "scuola", "i.nuts": "?", "i.bid.received": "ieri",
		"i.decisions.1.admission": "forse",
	}
	typed := filled()
	for name, value := range wrong {
		typed.Set(name, value)
	}
	g := readForm(every(), bids(), typed, current())
	for name := range wrong {
		if g.Faults[name] == "" {
			t.Errorf("%s = %q accepted", name, wrong[name])
		}
	}
	if len(g.Faults) != len(wrong) {
		t.Errorf("faults: %v", g.Faults)
	}
}

func TestFieldsSendOnlyWhatChanged(t *testing.T) {
	field := func(id string, ty flow.Type, optional bool) flow.Input {
		return flow.Input{ID: id, Kind: flow.InputField, Field: id, Type: ty, Label: it(id), Optional: optional}
	}
	inputs := []flow.Input{field("title", flow.TypeText, true), field("amount", flow.TypeMoney, true), field("pnrr", flow.TypeBool, true), field("due", flow.TypeInstant, true), field("kind", flow.TypeText, false)}
	view := engine.CaseView{Fields: []engine.Value{
		{Field: flow.Field{ID: "title"}, Value: "Scuola\ndi via Traverso"}, {Field: flow.Field{ID: "amount"}, Value: int64(123456)},
		{Field: flow.Field{ID: "pnrr"}, Value: true}, {Field: flow.Field{ID: "due"}, Value: "2026-07-02T10:00:00.000000Z"}, {Field: flow.Field{ID: "kind"}, Value: "works"},
	}}
	now := currentAnswers(inputs, view)
	unchanged := url.Values{}
	for name, value := range now {
		unchanged.Set(name, value)
	}
	unchanged.Set("i.title", "Scuola\r\ndi via Traverso") // as browsers send line ends
	if diff := cmp.Diff(map[string]any{"kind": "works"}, readForm(inputs, nil, unchanged, now).Inputs); diff != "" {
		t.Error("unchanged form:", diff)
	}
	unchanged.Set("i.amount", "")
	unchanged.Set("i.pnrr", "no")
	want := map[string]any{"kind": "works", "amount": nil, "pnrr": false}
	if diff := cmp.Diff(want, readForm(inputs, nil, unchanged, now).Inputs); diff != "" {
		t.Error("changed form:", diff)
	}
}

func TestPlaceOfProblems(t *testing.T) {
	g := given{rows: map[string][]int{"decisions": {1, 5}}}
	for pointer, want := range map[string]string{
		"/inputs/amount":             "i.amount",
		"/inputs/bid/operator":       "i.bid.operator",
		"/inputs/decisions":          "i.decisions",
		"/inputs/decisions/1/reason": "i.decisions.5.reason",
		"/inputs/decisions/1/row":    "i.decisions.5",
		"/inputs/decisions/9/reason": "i.decisions",
		"/event":                     "",
		"/acknowledge/0/reason":      "",
		"":                           "",
	} {
		if got := g.place(pointer); got != want {
			t.Errorf("place(%q) = %q, want %q", pointer, got, want)
		}
	}
}

// A form must come back with every answer as it was typed, right or wrong, and lead to each fault.
func TestFormComesBackAsTyped(t *testing.T) {
	typed := filled()
	typed.Set("i.amount", "tanto")
	typed.Set("i.decisions.5", "si")
	g := readForm(every(), bids(), typed, current())
	l := lists{People: []option{{"p1", "Anna"}, {"p2", "Bruno"}}, Bodies: []option{{"c1", "Conselve"}}}
	ask := formOf(every(), bids(), answers{typed: typed, errors: g.Faults}, l)
	view := actionView{Action: "/x", Cancel: "/y", Submit: "Fai", Form: true, Ask: ask, Faults: faultsOf(g.Faults, ask, nil, nil)}
	page := draw(t, actionPage(frame{Who: "Anna", CSRF: "t", Title: "Fai"}, view))
	page.sound(t)

	back := formValues(page)
	for name, values := range typed {
		want := values[0]
		if name == "i.reason" {
			want = " Prima riga\nseconda " // HTML has one kind of line end
		}
		if got := back.Get(name); got != want {
			t.Errorf("%s came back as %q, want %q", name, got, want)
		}
	}
	page.one(t, "a", "href=#i-amount")
	if input := page.one(t, "input", "id=i-amount"); attr(input, "aria-invalid") != "true" {
		t.Error("the wrong field is not marked")
	}
	if len(page.all("input", "type=datetime-local")) == 0 || len(page.all("input", "type=date")) == 0 {
		t.Error("dates have no date controls")
	}
	if page.contains("Punteggio") {
		t.Error("a hidden column is shown in the form")
	}
}

// formValues reads a drawn form as a browser would send it.
func formValues(d document) url.Values {
	v := url.Values{}
	for _, n := range d.all("input", "name") {
		switch attr(n, "type") {
		case "radio", "checkbox":
			if has(n, []string{"checked"}) {
				v.Set(attr(n, "name"), attr(n, "value"))
			}
		default:
			v.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	for _, n := range d.all("textarea") {
		v.Set(attr(n, "name"), raw(n))
	}
	for _, n := range d.all("select") {
		v.Set(attr(n, "name"), "")
		for _, o := range (document{n}).all("option", "selected") {
			v.Set(attr(n, "name"), attr(o, "value"))
		}
	}
	return v
}

func TestManyChoicesBecomeASelect(t *testing.T) {
	var many []flow.Choice
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		many = append(many, flow.Choice{ID: id, Label: it(id)})
	}
	in := flow.Input{ID: "x", Kind: flow.InputValue, Type: flow.TypeChoice, Of: many, Label: it("X")}
	if got := formOf([]flow.Input{in}, nil, answers{}, lists{})[0].Controls[0].Shape; got != shapeSelect {
		t.Errorf("six choices as %s", got)
	}
	in.Of = many[:5]
	if got := formOf([]flow.Input{in}, nil, answers{}, lists{})[0].Controls[0].Shape; got != shapeRadio {
		t.Errorf("five choices as %s", got)
	}
}

func TestWarningsAskForAReason(t *testing.T) {
	list := []engine.Refusal{{Code: "sums", Text: it("i conti non tornano")}, {Code: "late", Text: it("è tardi")}}
	typed := url.Values{"w.sums": {" va bene così "}, "w.late": {""}, "i.x": {"1"}}
	if diff := cmp.Diff([]engine.Acknowledgement{{Code: "sums", Reason: "va bene così"}}, acknowledged(typed)); diff != "" {
		t.Error(diff)
	}
	drawn := warningsOf(list, answers{typed: typed}, true)
	if drawn[0].Reason.Error != "" || drawn[1].Reason.Error == "" {
		t.Errorf("wrong warnings marked: %+v", drawn)
	}
}
