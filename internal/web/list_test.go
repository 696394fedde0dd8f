package web

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

func TestQueryToFilterAndBack(t *testing.T) {
	address := "/procedure?collegate=si&dopo=abc&ente=b1&entro=2026-12-02&fase=award&flusso=lot&ordine=-amount&quali=tutte&stato=open&testo=Conselve+scuola"
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := readQuery(u.Query())
	got, err := q.filter()
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Filter{
		Workflow: "lot", State: "open", Stage: "award", Body: "b1", Text: "Conselve scuola", Children: true, Sort: "amount", Desc: true,
		After: "abc", Limit: pageSize, DueBefore: at(t, "2026-12-03T00:00:01+01:00").In(got.DueBefore.Location()),
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Error(diff)
	}
	if back := q.address(); back != address {
		t.Errorf("address\n%s, want\n%s", back, address)
	}
}

func TestQueryDefaults(t *testing.T) {
	q := readQuery(url.Values{"stato": {"open"}, "ordine": {"; drop"}, "quali": {"?"}})
	f, err := q.filter()
	if err != nil {
		t.Fatal(err)
	}
	if f.Open == nil || !*f.Open || f.Sort != "updated" || !f.Desc || f.State != "" {
		t.Errorf("defaults: %+v", f)
	}
	if q.narrowed() {
		t.Error("the plain list counts as filtered")
	}
	if _, err := readQuery(url.Values{"entro": {"domani"}}).filter(); err == nil {
		t.Error("«domani» read as a date")
	}
}

func TestSortLinksTurnAround(t *testing.T) {
	q := readQuery(url.Values{"ordine": {"title"}, "dopo": {"x"}})
	columns := q.columns()
	if columns[0].Aria != "ascending" || columns[0].Link != "/procedure?ordine=-title" {
		t.Errorf("sorted column: %+v", columns[0])
	}
	if columns[4].Aria != "none" || columns[4].Link != "/procedure?ordine=-amount" {
		t.Errorf("other column: %+v", columns[4])
	}
}

func TestListPage(t *testing.T) {
	now := at(t, "2026-11-30T09:00:00+01:00")
	cents, due := int64(100), at(t, "2026-11-28T00:00:00+01:00")
	rows := rowViews([]engine.Summary{
		{ID: "a", Title: `Scuola <b>"Traverso"</b>`, CIG: "B0A1B2C3D4", Amount: &cents, NextDue: &due, Workflow: engine.Labelled{Label: it("Aperta")}},
		{ID: "b", Workflow: engine.Labelled{Label: it("Aperta")}},
	}, now)
	q := readQuery(nil)
	page := draw(t, listPage(frame{Title: "Procedure", Who: "Anna", CSRF: "t"}, listView{Query: q, Columns: q.columns(), Rows: rows, Next: "/procedure?dopo=c"}))
	page.sound(t)
	if link := page.one(t, "a", "href=/procedure/a"); text(link) != `Scuola <b>"Traverso"</b>` {
		t.Errorf("title drawn as %q", text(link))
	}
	for _, want := range []string{"scaduto da 3 giorni", "1,00 €", "Aperta senza oggetto", "CIG B0A1B2C3D4", "Pagina successiva"} {
		if !page.contains(want) {
			t.Errorf("no %q in the list", want)
		}
	}
	empty := draw(t, listPage(frame{Title: "Procedure"}, listView{Query: q}))
	empty.sound(t)
	if !empty.contains("Non ci sono procedure in corso") {
		t.Error("an empty list says nothing")
	}
	none := draw(t, listPage(frame{Title: "Procedure"}, listView{Query: q, Filtered: true}))
	if !none.contains("Nessuna procedura corrisponde ai filtri") {
		t.Error("a filter that finds nothing says nothing")
	}
}

func TestStatesNeedAWorkflow(t *testing.T) {
	all := []engine.WorkflowView{
		{Labelled: engine.Labelled{ID: "a", Label: it("A")}, Latest: true, Stages: []flow.Stage{{ID: "s", Label: it("S")}}, States: []flow.State{{ID: "x", Label: it("X")}}},
		{Labelled: engine.Labelled{ID: "a", Label: it("A vecchio")}, Stages: []flow.Stage{{ID: "old", Label: it("Old")}}},
		{Labelled: engine.Labelled{ID: "b", Label: it("B")}, Latest: true, Stages: []flow.Stage{{ID: "s", Label: it("S")}, {ID: "r", Label: it("R")}}},
	}
	workflows, stages, states := choicesOf(all, "")
	if len(workflows) != 2 || len(stages) != 2 || len(states) != 0 {
		t.Errorf("none chosen: %v %v %v", workflows, stages, states)
	}
	_, stages, states = choicesOf(all, "a")
	if len(stages) != 1 || len(states) != 1 {
		t.Errorf("one chosen: %v %v", stages, states)
	}
}
