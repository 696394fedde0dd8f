package flow

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	graphviz "github.com/goccy/go-graphviz"

	"github.com/province-comuni/sua/internal/flow/drawcache"
)

// many is how many states an event may leave from before its arrows become one, from a note that lists the states:
// "revoke from anywhere" would otherwise cover the drawing.
const many = 4

// drawing is what both diagrams show.
type drawing struct {
	arrows []arrow
	notes  []note
}

// arrow is one line: every event that leads from one place to another in the same way.
type arrow struct {
	from   string // a state, the id of a note, or "" at the beginning of a case
	to     string
	labels []string
	timed  bool // fired by a deadline: drawn dashed
}

// note stands for many states that one event leaves from.
type note struct{ id, text string }

func (dr *drawing) add(from, to, label string, timed bool) {
	if from == to {
		return
	}
	i := slices.IndexFunc(dr.arrows, func(a arrow) bool { return a.from == from && a.to == to && a.timed == timed })
	if i < 0 {
		i = len(dr.arrows)
		dr.arrows = append(dr.arrows, arrow{from: from, to: to, timed: timed})
	}
	if label != "" && !slices.Contains(dr.arrows[i].labels, label) {
		dr.arrows[i].labels = append(dr.arrows[i].labels, label)
	}
}

// draw lists what the diagrams show, in the order of the file. Left out are rectify, which leads from everywhere to
// everywhere, and what leaves a case where it is: the table of the reference page has them.
func (d *Definition) draw(lang string) drawing {
	var dr drawing
	g := d.graph()
	for i := range d.Events {
		e := &d.Events[i]
		if e.Rectify {
			continue
		}
		for j, m := range e.Moves {
			targets := m.To.States()
			if len(m.From) >= many && len(targets) > 0 {
				n := note{fmt.Sprintf("%s.%d", e.ID, j), e.Label.In(lang) + "\n" + d.leaving(m.From, lang)}
				dr.notes = append(dr.notes, n)
				for _, to := range targets {
					dr.add(n.id, to, "", false)
				}
				continue
			}
			for _, from := range sources(m) {
				label, timed := d.arrowLabel(e, from, lang)
				if m.To.Previous {
					targets = g.prev[from]
				}
				for _, to := range targets {
					dr.add(from, to, label, timed)
				}
			}
		}
	}
	return dr
}

// leaving names the states of a note: by stage where the stage is whole.
func (d *Definition) leaving(states []string, lang string) string {
	var names []string
	for _, stage := range d.Stages {
		var some []string
		whole := true
		for _, s := range d.stageStates(stage.ID) {
			if slices.Contains(states, s.ID) {
				some = append(some, s.Label.In(lang))
			} else if s.Final == "" {
				whole = false
			}
		}
		if whole && len(some) > 1 {
			some = []string{stage.Label.In(lang)}
		}
		names = append(names, some...)
	}
	return Text{"da: ", "from: "}.In(lang) + strings.Join(names, ", ")
}

// isNote tells notes from states, whose ids have no point.
func (dr *drawing) isNote(id string) bool {
	return slices.ContainsFunc(dr.notes, func(n note) bool { return n.id == id })
}

// arrowLabel is the event's label, with the deadline that fires it from that state.
func (d *Definition) arrowLabel(e *Event, from, lang string) (label string, timed bool) {
	if e.ID == "open" {
		return "", false
	}
	label = e.Label.In(lang)
	for _, deadline := range d.Deadlines {
		if deadline.Fire == e.ID && slices.Contains(deadline.While, from) {
			if due := deadline.Label.In(lang); due != label {
				label += " (" + due + ")"
			}
			return label, true
		}
	}
	return label, false
}

// stageStates groups the states by stage, in the order of the file.
func (d *Definition) stageStates(stage string) []State {
	var states []State
	for _, s := range d.States {
		if s.Stage == stage {
			states = append(states, s)
		}
	}
	return states
}

// Mermaid draws the workflow as a Mermaid flowchart (its state diagrams know neither clusters that arrows may cross, nor
// dashed lines, nor double circles): stages are boxes, final states double circles, dashed arrows are fired by deadlines.
func (d *Definition) Mermaid(lang string) string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	b.WriteString("    begin(( ))\n")
	for _, stage := range d.Stages {
		fmt.Fprintf(&b, "    subgraph stage_%s[\"%s\"]\n", stage.ID, mermaidText(stage.Label.In(lang)))
		for _, s := range d.stageStates(stage.ID) {
			shape := "        s_%s(\"%s\")\n"
			if s.Final != "" {
				shape = "        s_%s(((\"%s\")))\n"
			}
			fmt.Fprintf(&b, shape, s.ID, mermaidText(s.Label.In(lang)))
		}
		b.WriteString("    end\n")
	}
	drawn := d.draw(lang)
	for _, n := range drawn.notes {
		fmt.Fprintf(&b, "    %s>\"%s\"]\n", noteID(n.id), mermaidText(n.text))
	}
	for _, a := range drawn.arrows {
		from, line := "s_"+a.from, "-->"
		switch {
		case a.from == "":
			from = "begin"
		case drawn.isNote(a.from):
			from = noteID(a.from)
		}
		if a.timed {
			line = "-.->"
		}
		if len(a.labels) > 0 {
			line += `|"` + mermaidText(strings.Join(a.labels, "\n")) + `"|`
		}
		fmt.Fprintf(&b, "    %s %s s_%s\n", from, line, a.to)
	}
	return b.String()
}

func noteID(id string) string { return "n_" + strings.ReplaceAll(id, ".", "_") }

func mermaidText(s string) string {
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", "<br/>").Replace(s)
}

// dot writes the same diagram for graphviz. Nodes are named by label, because graphviz shows names as tooltips.
func (d *Definition) dot(lang string) string {
	names, used := map[string]string{}, map[string]bool{}
	for _, s := range d.States {
		name := s.Label.In(lang)
		if used[name] {
			name += " (" + s.ID + ")"
		}
		names[s.ID], used[name] = quote(name), true
	}
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", quote(d.Label.In(lang)))
	b.WriteString("  rankdir=TB; bgcolor=transparent; nodesep=0.4; ranksep=0.5;\n")
	b.WriteString("  node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", fontname=\"sans-serif\", fontsize=12];\n")
	b.WriteString("  edge [fontname=\"sans-serif\", fontsize=10];\n")
	b.WriteString("  \" \" [shape=circle, width=0.15, label=\"\", fillcolor=\"#17324d\"];\n")
	for _, stage := range d.Stages {
		fmt.Fprintf(&b, "  subgraph %s {\n    label=%s; style=\"rounded,filled\"; color=\"#5c6f82\"; fillcolor=\"#f2f5fa\"; fontname=\"sans-serif\"; fontsize=12;\n",
			quote("cluster_"+stage.ID), quote(stage.Label.In(lang)))
		for _, s := range d.stageStates(stage.ID) {
			if s.Final != "" {
				fmt.Fprintf(&b, "    %s [shape=doublecircle, style=filled, margin=0, label=%s];\n", names[s.ID], quote(wrapped(s.Label.In(lang))))
				continue
			}
			fmt.Fprintf(&b, "    %s;\n", names[s.ID])
		}
		b.WriteString("  }\n")
	}
	drawn := d.draw(lang)
	for _, n := range drawn.notes {
		names[n.id] = quote(n.text)
		fmt.Fprintf(&b, "  %s [shape=note, style=filled, fillcolor=\"#fff4d6\", fontsize=10];\n", names[n.id])
	}
	for _, a := range drawn.arrows {
		from, style := names[a.from], ""
		if a.from == "" {
			from = quote(" ")
		}
		if a.timed {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s];\n", from, names[a.to], quote(strings.Join(a.labels, "\n")), style)
	}
	b.WriteString("}\n")
	return b.String()
}

// wrapped breaks a label at every blank: a circle around one long line would be huge.
func wrapped(s string) string { return strings.ReplaceAll(s, " ", "\n") }

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// Graphviz is ready, and temporary files stand where they stood: see package drawcache.
var _ = drawcache.Restore()

// graphvizLock exists because the library keeps one wasm module per process, which is not safe for concurrent use.
var graphvizLock sync.Mutex

// SVG draws the workflow as an <svg> element ready to stand in a page. It takes some milliseconds of processor and works
// one at a time in the whole process: Library.SVG remembers the answers.
func (d *Definition) SVG(ctx context.Context, lang string) (svg []byte, err error) {
	graphvizLock.Lock()
	defer graphvizLock.Unlock()
	graph, err := graphviz.ParseBytes([]byte(d.dot(lang)))
	if err != nil {
		return nil, fmt.Errorf("draw %s: read dot: %w", d.Workflow, err)
	}
	defer func() {
		if closeErr := graph.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("draw %s: close graph: %w", d.Workflow, closeErr)
		}
	}()
	drawer, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("draw %s: start graphviz: %w", d.Workflow, err)
	}
	var out bytes.Buffer
	renderErr := drawer.Render(ctx, graph, graphviz.SVG, &out)
	closeErr := drawer.Close()
	switch {
	case renderErr != nil:
		return nil, fmt.Errorf("draw %s: %w", d.Workflow, renderErr)
	case closeErr != nil:
		return nil, fmt.Errorf("draw %s: close graphviz: %w", d.Workflow, closeErr)
	}
	start := bytes.Index(out.Bytes(), []byte("<svg"))
	if start < 0 {
		return nil, fmt.Errorf("draw %s: graphviz gave no svg", d.Workflow)
	}
	return out.Bytes()[start:], nil
}

// SVG draws a definition of the library once per language and then remembers it. Callers must not change the bytes.
func (l *Library) SVG(ctx context.Context, d *Definition, lang string) ([]byte, error) {
	key := d.Hash + " " + lang
	if svg, found := l.drawings.Load(key); found {
		return svg.([]byte), nil
	}
	svg, err := d.SVG(ctx, lang)
	if err != nil {
		return nil, err
	}
	l.drawings.Store(key, svg)
	return svg, nil
}
