package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// Workflow is one version of a definition. It is exported because the detail embeds it.
type Workflow struct {
	ID       ident           `json:"id"`
	Label    bilingual       `json:"label"`
	Version  count           `json:"version"`
	Hash     hash            `json:"hash" doc:"SHA-256 dei byte della definizione"`
	Help     bilingual       `json:"help"`
	Law      line            `json:"law,omitempty"`
	Latest   bool            `json:"latest" doc:"Con questa nascono le nuove pratiche"`
	Openable bool            `json:"openable" doc:"Si apre da sola, non sotto un'altra pratica"`
	Stages   list[stageName] `json:"stages"`
	States   list[state]     `json:"states"`
}

type stageName struct {
	ID    ident     `json:"id"`
	Label bilingual `json:"label"`
}

type state struct {
	ID      ident     `json:"id"`
	Label   bilingual `json:"label"`
	Help    bilingual `json:"help"`
	Law     line      `json:"law,omitempty"`
	Stage   ident     `json:"stage,omitempty"`
	Outcome ident     `json:"outcome,omitempty" doc:"Con quale esito la pratica finisce qui"`
}

// workflowDetail adds what may happen.
type workflowDetail struct {
	Workflow
	Case      ident              `json:"case" doc:"Il genere di pratica"`
	Events    list[eventRule]    `json:"events"`
	Documents list[documentRule] `json:"documents"`
}

type eventRule struct {
	ID        ident       `json:"id"`
	Label     bilingual   `json:"label"`
	Help      bilingual   `json:"help"`
	Law       line        `json:"law,omitempty"`
	By        list[line]  `json:"by" doc:"Ruoli; con «owner_of: atto», chi adotta l'atto secondo la convenzione"`
	Opens     bool        `json:"opens" doc:"Può dare inizio a una pratica"`
	Moves     list[move]  `json:"moves"`
	Documents list[ident] `json:"documents" doc:"I tipi di documento che servono"`
}

type move struct {
	From list[ident] `json:"from"`
	To   list[ident] `json:"to" doc:"Vuoto: resta, o torna allo stato di prima"`
}

type documentRule struct {
	ID    ident     `json:"id"`
	Label bilingual `json:"label"`
	Help  bilingual `json:"help"`
	Law   line      `json:"law,omitempty"`
}

func workflowBody(w engine.WorkflowView) Workflow {
	return Workflow{
		ID: ident(w.ID), Label: text2(w.Label), Version: count(w.Version), Hash: hash(w.Hash), Help: text2(w.Help), Law: line(w.Law),
		Latest: w.Latest, Openable: w.Openable,
		Stages: each(w.Stages, func(s flow.Stage) stageName { return stageName{ident(s.ID), text2(s.Label)} }),
		States: each(w.States, func(s flow.State) state {
			return state{ident(s.ID), text2(s.Label), text2(s.Help), line(s.Law), ident(s.Stage), ident(s.Final)}
		}),
	}
}

func eventRuleBody(e flow.Event) eventRule {
	return eventRule{
		ID: ident(e.ID), Label: text2(e.Label), Help: text2(e.Help), Law: line(e.Law), Opens: e.Opens, Documents: idents(e.Documents),
		By: each(e.By, func(b flow.By) line {
			if b.OwnerOf != "" {
				return line("owner_of: " + b.OwnerOf)
			}
			return line(b.Role)
		}),
		Moves: each(e.Moves, func(m flow.Move) move {
			to := m.To.Among
			if m.To.State != "" {
				to = []string{m.To.State}
			}
			return move{idents(m.From), idents(to)}
		}),
	}
}

type workflowsInput struct{ caller }

type workflowsOutput struct{ Body items[Workflow] }

func (s *service) workflows(context.Context, *workflowsInput) (*workflowsOutput, error) {
	return &workflowsOutput{items[Workflow]{each(s.Engine.Workflows(), workflowBody)}}, nil
}

type workflowInput struct {
	caller
	Hash hash `path:"hash" doc:"L'impronta della definizione: vedi /workflows"`
}

type workflowOutput struct{ Body workflowDetail }

func (s *service) workflow(_ context.Context, in *workflowInput) (*workflowOutput, error) {
	d, err := s.Engine.Definition(string(in.Hash))
	if err != nil {
		return nil, err
	}
	for _, w := range s.Engine.Workflows() {
		if w.Hash == d.Hash {
			return &workflowOutput{workflowDetail{
				Workflow: workflowBody(w), Case: ident(d.Case), Events: each(d.Events, eventRuleBody),
				Documents: each(d.Documents, func(t flow.DocumentType) documentRule {
					return documentRule{ident(t.ID), text2(t.Label), text2(t.Help), line(t.Law)}
				}),
			}}, nil
		}
	}
	return nil, engine.ErrNotFound
}

type schemaOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Body        jsonSchema
}

const mediaSchema = "application/schema+json"

func (s *service) workflowSchema(_ context.Context, in *workflowInput) (*schemaOutput, error) {
	d, err := s.Engine.Definition(string(in.Hash))
	if err != nil {
		return nil, err
	}
	return &schemaOutput{mediaSchema, d.Schema()}, nil
}

type graphInput struct {
	caller
	Hash   hash   `path:"hash" doc:"L'impronta della definizione: vedi /workflows"`
	Format string `query:"format" default:"svg" enum:"svg,mermaid" maxLength:"10" doc:"Immagine SVG o testo Mermaid"`
	Lang   string `query:"lang" default:"it" enum:"it,en" maxLength:"2" doc:"Lingua delle etichette"`
}

type bytesOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Body        []byte
}

const (
	mediaSVG     = "image/svg+xml"
	mediaMermaid = "text/vnd.mermaid; charset=utf-8"
)

func (s *service) graph(ctx context.Context, in *graphInput) (*bytesOutput, error) {
	if in.Format == "mermaid" {
		d, err := s.Engine.Definition(string(in.Hash))
		if err != nil {
			return nil, err
		}
		return &bytesOutput{mediaMermaid, []byte(d.Mermaid(in.Lang))}, nil
	}
	svg, err := s.Engine.Graph(ctx, string(in.Hash), in.Lang)
	if err != nil {
		return nil, err
	}
	return &bytesOutput{mediaSVG, svg}, nil
}

type opening struct {
	Workflow labelled   `json:"workflow"`
	Help     bilingual  `json:"help"`
	Event    ident      `json:"event"`
	Label    bilingual  `json:"label"`
	Schema   jsonSchema `json:"schema" doc:"JSON Schema di inputs"`
	Bodies   list[ref]  `json:"bodies" doc:"Gli enti per cui chi chiede può aprirla"`
	SUAs     list[ref]  `json:"suas" doc:"Le SUA possibili, quando c'è da scegliere"`
}

type openingsOutput struct{ Body items[opening] }

func (s *service) openings(ctx context.Context, in *workflowsInput) (*openingsOutput, error) {
	all, err := s.Engine.Openings(ctx, in.actor)
	if err != nil {
		return nil, err
	}
	return &openingsOutput{items[opening]{each(all, func(o engine.Opening) opening {
		return opening{
			Workflow: labelledBody(o.Workflow), Help: text2(o.Help), Event: ident(o.Event), Label: text2(o.Label),
			Schema: inputSchema(o.Label, o.Help, o.Inputs), Bodies: each(o.Bodies, refBody), SUAs: each(o.SUAs, refBody),
		}
	})}}, nil
}

func (s *service) workflowRoutes(r *routes) {
	notFound := []int{http.StatusNotFound}
	add(r, operation{
		id: "list-workflows", method: http.MethodGet, path: "/workflows", tag: "flussi",
		summary:     "I flussi",
		description: "Ogni versione di ogni flusso che ha o può avere pratiche.",
	}, s.workflows)
	add(r, operation{
		id: "show-workflow", method: http.MethodGet, path: "/workflows/{hash}", tag: "flussi", errors: notFound,
		summary:     "Un flusso",
		description: "Stati, fasi, eventi con chi può e dove portano, tipi di documento.",
	}, s.workflow)
	most := 5 << 20
	add(r, operation{
		id: "workflow-graph", method: http.MethodGet, path: "/workflows/{hash}/graph", tag: "flussi", errors: notFound,
		content: map[string]*huma.MediaType{
			mediaSVG:           {Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most, Pattern: `^[\s\S]*$`}},
			"text/vnd.mermaid": {Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most, Pattern: `^[\s\S]*$`}},
		},
		summary:     "Il disegno di un flusso",
		description: "Gli stati e gli eventi come immagine SVG o come testo Mermaid.",
	}, s.graph)
	add(r, operation{
		id: "workflow-schema", method: http.MethodGet, path: "/workflows/{hash}/schema", tag: "flussi", errors: notFound,
		media:       mediaSchema,
		summary:     "Gli schemi di un flusso",
		description: "JSON Schema dei dati di ogni evento ($defs/events), dei campi e dei registri.",
	}, s.workflowSchema)
	add(r, operation{
		id: "list-openings", method: http.MethodGet, path: "/openings", tag: "pratiche",
		summary:     "Che cosa si può aprire",
		description: "I flussi con cui chi chiede può iniziare una pratica, per quali enti e con quali dati.",
	}, s.openings)
}
