package api

import (
	"context"
	"net/http"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// waitEvery is how often a request that waits looks again.
const waitEvery = 500 * time.Millisecond

// waiters is how many requests may wait at a time; one more is answered at once, as if nobody had asked to wait.
const waiters = 200

// change is an event with its number in the sequence of all.
type change struct {
	N        count `json:"n" doc:"Posto nella sequenza di tutti gli eventi"`
	Root     ident `json:"root" doc:"La radice dell'albero della pratica"`
	Workflow ident `json:"workflow" doc:"Il flusso della pratica"`
	Happening
}

// Happening is an event of the story under a name that the description sees when it is embedded.
type Happening = happening

type changes struct {
	Items list[change] `json:"items" doc:"In ordine di n"`
	Next  count        `json:"next" doc:"Da dare in after la prossima volta: il numero più alto guardato, visibile o no"`
	Last  count        `json:"last" doc:"L'ultimo numero che esiste: se è next, per ora non c'è altro"`
}

type changesInput struct {
	caller
	After    count `query:"after" doc:"Solo ciò che viene dopo questo numero; 0 o assente: dall'inizio"`
	Limit    int   `query:"limit" default:"100" minimum:"1" maximum:"200" format:"int32" doc:"Quanti eventi al più"`
	Workflow ident `query:"workflow" doc:"Solo delle pratiche di questo flusso"`
	Case     ident `query:"case" doc:"Solo di questa pratica; di una radice, di tutto l'albero"`
	Wait     int   `query:"wait" default:"0" minimum:"0" maximum:"30" format:"int32" doc:"Secondi da attendere se non c'è ancora nulla"`
}

type changesOutput struct {
	Link headerText `header:"Link" doc:"La prossima richiesta, rel=next"`
	Body changes
}

func (s *service) changes(ctx context.Context, in *changesInput) (*changesOutput, error) {
	q := engine.ChangeQuery{After: int64(in.After), Workflow: string(in.Workflow), Case: string(in.Case), Limit: in.Limit}
	page, err := s.Engine.Changes(ctx, in.actor, q)
	if err == nil && in.Wait > 0 && len(page.Items) == 0 {
		page, err = s.await(ctx, in, q, page)
	}
	if err != nil {
		return nil, err
	}
	out := &changesOutput{Body: changes{Next: count(page.Next), Last: count(page.Last), Items: each(page.Items, func(c engine.Change) change {
		return change{N: count(c.N), Root: ident(c.Root), Workflow: ident(c.Workflow), Happening: happeningBody(c.HistoryItem)}
	})}}
	out.Link = nextPage(in.echo, formatInt(page.Next))
	return out, nil
}

// await looks again until something is to be seen, the time is over, the client has gone or the program stops.
func (s *service) await(ctx context.Context, in *changesInput, q engine.ChangeQuery, page engine.ChangePage) (engine.ChangePage, error) {
	select {
	case s.waiting <- struct{}{}:
		defer func() { <-s.waiting }()
	default:
		return page, nil
	}
	over, look := time.NewTimer(time.Duration(in.Wait)*time.Second), time.NewTicker(waitEvery)
	defer over.Stop()
	defer look.Stop()
	now := make(chan time.Time)
	close(now)
	for {
		soon := look.C
		if page.Next < page.Last { // there is more to look at right now
			soon = now
		}
		select {
		case <-ctx.Done():
			return page, ctx.Err()
		case <-over.C:
			return page, nil
		case <-s.Stopping:
			return page, nil
		case <-soon:
		}
		q.After = page.Next
		var err error
		if page, err = s.Engine.Changes(ctx, in.actor, q); err != nil || len(page.Items) > 0 {
			return page, err
		}
	}
}

func (s *service) changeRoutes(r *routes) {
	add(r, operation{
		id: "list-events", method: http.MethodGet, path: "/events", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary: "Ciò che è accaduto, in un'unica sequenza",
		description: "Gli eventi di tutte le pratiche visibili, numerati nell'ordine in cui sono diventati definitivi: chi chiede ogni volta da next non perde nulla e non riceve nulla due volte, " +
			"anche mentre altri scrivono. I numeri degli eventi che non si possono vedere mancano. Ciò che è segreto quando lo si legge manca (hidden) e non torna: si trova poi nella storia della pratica. " +
			"Con wait la risposta attende che accada qualcosa.",
	}, s.changes)
}
