package flow

import (
	"fmt"
	"strings"

	"github.com/province-comuni/sua/internal/law"
)

// Markdown writes the reference page of a workflow for the officers who use it, in Italian. It is made of the definition
// alone, with the words of the vocabulary and the numbers of the law on one day, so it cannot drift from what runs.
func (d *Definition) Markdown(v Vocabulary, limits law.Limits) string {
	p := page{d: d, v: v, limits: limits}
	p.head()
	p.states()
	p.events()
	p.deadlines()
	p.documents()
	p.fields()
	p.registers()
	p.children()
	return p.String()
}

// page is a reference page being written.
type page struct {
	strings.Builder
	d      *Definition
	v      Vocabulary
	limits law.Limits
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// row writes one line of a table; bars and line breaks inside cells would end them.
func (p *page) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell)
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *page) header(cells ...string) {
	p.row(cells...)
	p.line("|%s", strings.Repeat(" --- |", len(cells)))
}

func (p *page) head() {
	d := p.d
	p.line("# %s", d.Label.IT)
	p.line("")
	p.line("<!-- Generata dalla definizione: non modificare a mano. -->")
	p.line("")
	if d.Help.IT != "" {
		p.line("%s", d.Help.IT)
		p.line("")
	}
	p.line("- Workflow `%s`, versione %d, caso `%s`", d.Workflow, d.Version, d.Case)
	if d.Law != "" {
		p.line("- Norma: %s", d.Law)
	}
	p.line("")
	p.line("```mermaid")
	p.WriteString(d.Mermaid("it"))
	p.line("```")
	p.line("")
	p.line("Linea tratteggiata: scatta da sola alla scadenza. Doppio cerchio: fine. Foglietto: la stessa azione da molti stati. Le azioni che non cambiano stato e la rettifica sono solo nella tabella.")
	p.line("")
}

func (p *page) states() {
	p.line("## Fasi e stati")
	p.line("")
	p.header("Fase", "Stato", "Id", "Fine", "Norma", "Che cosa vuol dire")
	for _, stage := range p.d.Stages {
		for _, s := range p.d.stageStates(stage.ID) {
			p.row(stage.Label.IT, s.Label.IT, code(s.ID), s.Final, s.Law, s.Help.IT)
		}
	}
	p.line("")
}

// events is the full table state × event: the golden trace of what a definition allows.
func (p *page) events() {
	p.line("## Che cosa si può fare")
	p.line("")
	p.header("Da", "Azione", "Chi", "Porta a", "Si indica", "Documenti", "Condizioni", "Conseguenze", "Norma")
	for _, e := range p.d.Openings() {
		p.moves("(inizio)", "", e)
	}
	for _, s := range p.d.States {
		for _, e := range p.d.EventsFrom(s.ID) {
			if !e.Rectify {
				p.moves(s.Label.IT, s.ID, e)
			}
		}
	}
	p.line("")
	if e, found := p.d.Event("rectify"); found {
		p.line("Da ogni stato, anche finale: **%s** (%s), con motivazione, verso uno stato non finale. %s", e.Label.IT, p.by(e.By), e.Help.IT)
		p.line("")
	}
}

func (p *page) moves(from, state string, e *Event) {
	for _, m := range movesFrom(e.Moves, state) {
		conditions := append(p.calls("", e.Guards), p.calls("avviso: ", e.Warns)...)
		conditions = append(p.calls("se ", m.If), conditions...)
		p.row(from, e.Label.IT+" "+code(e.ID), p.by(e.By), p.target(m.To), p.inputs(e), p.documentNames(e.Documents),
			strings.Join(conditions, "; "), p.then(e), e.Law)
	}
}
