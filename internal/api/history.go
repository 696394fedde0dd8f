package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/engine"
)

// happening is one event of the story.
type happening struct {
	Seq        count              `json:"seq" doc:"Posto nella storia dell'albero"`
	Case       ident              `json:"case"`
	CaseLabel  bilingual          `json:"case_label"`
	Event      ident              `json:"event"`
	Label      bilingual          `json:"label"`
	From       *labelled          `json:"from,omitempty"`
	To         *labelled          `json:"to,omitempty"`
	At         instant            `json:"at" doc:"Quando è stato registrato"`
	Effective  instant            `json:"effective" doc:"Da quando ha effetto"`
	Actor      *ref               `json:"actor,omitempty"`
	Role       *labelled          `json:"role,omitempty" doc:"In quale ruolo"`
	Cause      count              `json:"cause,omitempty" doc:"L'evento da cui deriva"`
	Law        line               `json:"law,omitempty"`
	Inputs     list[told]         `json:"inputs"`
	Changes    list[told]         `json:"changes"`
	Documents  list[attached]     `json:"documents"`
	Warnings   list[accepted]     `json:"warnings" doc:"Avvisi accettati, con la motivazione"`
	Deadlines  list[deadlineMove] `json:"deadlines"`
	Hidden     bool               `json:"hidden" doc:"Una parte è per ora segreta"`
	Hash       hash               `json:"hash,omitempty" doc:"Anello della catena"`
	Definition hash               `json:"definition,omitempty"`
}

type told struct {
	Label bilingual `json:"label"`
	Text  prose     `json:"text"`
	Value toldValue `json:"value,omitzero"`
}

type attached struct {
	Type   labelled `json:"type"`
	SHA256 hash     `json:"sha256"`
}

type accepted struct {
	Code   ident     `json:"code"`
	Text   bilingual `json:"text"`
	Reason prose     `json:"reason" doc:"Vuota con il codice secret_warning: avviso e motivazione sono di chi può vedere i dati riservati"`
}

type deadlineMove struct {
	Name    ident `json:"name"`
	Status  ident `json:"status"`
	LastDay day   `json:"last_day,omitempty"`
}

type history struct {
	Root     ident           `json:"root"`
	Items    list[happening] `json:"items" doc:"Dal più vecchio"`
	Verified bool            `json:"verified" doc:"La catena di questa storia torna"`
	Broken   prose           `json:"broken,omitempty" doc:"Dove non torna"`
	Next     count           `json:"next,omitempty" doc:"Da dare in after per la pagina seguente"`
}

func happeningBody(h engine.HistoryItem) happening {
	return happening{
		Seq: count(h.Seq), Case: ident(h.Case), CaseLabel: text2(h.CaseLabel), Event: ident(h.Event), Label: text2(h.Label),
		From: labelledOf(h.From), To: labelledOf(h.To), At: stamp(h.At), Effective: stamp(h.Effective),
		Actor: refOf(h.Actor), Role: labelledOf(h.Role), Cause: count(h.Cause), Law: line(h.Law),
		Inputs: each(h.Inputs, toldBody), Changes: each(h.Changes, toldBody),
		Documents: each(h.Documents, func(d engine.Attached) attached { return attached{labelledBody(d.Type), hash(d.SHA256)} }),
		Warnings: each(h.Warnings, func(w engine.Acknowledged) accepted {
			return accepted{ident(w.Code), text2(w.Text), prose(w.Reason)}
		}),
		Deadlines: each(h.Deadlines, func(d engine.DeadlineChange) deadlineMove {
			return deadlineMove{ident(d.Name), ident(d.Status), day(d.LastDay)}
		}),
		Hidden: h.Hidden, Hash: hash(h.Hash), Definition: hash(h.Definition),
	}
}

func toldBody(t engine.Told) told { return told{text2(t.Label), prose(t.Text), toldValue{t.Value}} }

func labelledOf(l engine.Labelled) *labelled {
	if l.ID == "" {
		return nil
	}
	out := labelledBody(l)
	return &out
}

type historyInput struct {
	caller
	ID    ident `path:"id" doc:"Una pratica dell'albero"`
	After count `query:"after" doc:"Solo ciò che viene dopo questo posto"`
	Limit int   `query:"limit" default:"100" minimum:"1" maximum:"200" format:"int32" doc:"Quanti eventi al più"`
}

type historyOutput struct {
	Link headerText `header:"Link" doc:"La pagina seguente, rel=next"`
	Body history
}

func (s *service) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	h, err := s.Engine.History(ctx, in.actor, string(in.ID), int64(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{Body: history{
		Root: ident(h.Root), Items: each(h.Items, happeningBody), Verified: h.Verified, Broken: prose(h.Broken), Next: count(h.Next),
	}}
	if h.Next != 0 {
		out.Link = nextPage(in.echo, "after", formatInt(h.Next))
	}
	return out, nil
}

type deadlinesInput struct {
	caller
	ID ident `path:"id"`
}

type deadlinesOutput struct{ Body items[Deadline] }

func (s *service) deadlines(ctx context.Context, in *deadlinesInput) (*deadlinesOutput, error) {
	all, err := s.Engine.Deadlines(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &deadlinesOutput{Body: items[Deadline]{each(all, deadlineBody)}}, nil
}

func (s *service) historyRoutes(r *routes) {
	add(r, operation{
		id: "case-history", method: http.MethodGet, path: "/cases/{id}/history", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary:     "Storia",
		description: "Gli eventi dell'albero di cui la pratica fa parte, dal più vecchio: chi, quando, in quale ruolo, con quali valori. verified dice se la catena torna.",
	}, s.history)
	add(r, operation{
		id: "case-deadlines", method: http.MethodGet, path: "/cases/{id}/deadlines", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary:     "Termini",
		description: "I termini della pratica; di una radice, quelli di tutto l'albero. Ogni termine spiega come è stato contato.",
	}, s.deadlines)
}
