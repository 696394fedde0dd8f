package api

import (
	"context"
	"net/http"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// pastInput names the instant; the parameter is required, and an instant, so that nobody asks for a day and gets its first minute.
type pastInput struct {
	caller
	ID ident   `path:"id"`
	At instant `query:"at" required:"true" doc:"L'istante (RFC 3339)"`
}

// pastCase is a case as it was.
type pastCase struct {
	At       instant    `json:"at"`
	Seq      count      `json:"seq" doc:"L'ultimo evento dell'albero registrato fino ad allora"`
	Verified bool       `json:"verified" doc:"La catena della storia torna"`
	Broken   prose      `json:"broken,omitempty" doc:"Dove non torna"`
	Erased   bool       `json:"erased" doc:"Dati personali che la storia raccontava sono stati cancellati: ciò che riempivano è vuoto"`
	Case     caseDetail `json:"case"`
}

type pastOutput struct{ Body pastCase }

func (s *service) asOf(ctx context.Context, in *pastInput) (*pastOutput, error) {
	at, err := time.Parse(time.RFC3339, string(in.At))
	if err != nil {
		return nil, ofParameters(&engine.Invalid{Problems: []engine.Problem{fault("/at", "format", "serve un istante RFC 3339", "an RFC 3339 instant is needed")}})
	}
	v, err := s.Engine.AsOf(ctx, in.actor, string(in.ID), at)
	if err != nil {
		return nil, ofParameters(err)
	}
	return &pastOutput{pastCase{stamp(v.At), count(v.Seq), v.Verified, prose(v.Broken), v.Erased, detailBody(v.CaseView)}}, nil
}

func (s *service) pastRoutes(r *routes) {
	add(r, operation{
		id: "case-as-of", method: http.MethodGet, path: "/cases/{id}/as-of", tag: "pratiche", errors: []int{http.StatusNotFound},
		summary: "Com'era",
		description: "La pratica com'era a un istante, ricostruita dai soli eventi registrati fino ad allora: stato, dati, registri, documenti, termini. " +
			"È segreto ciò che lo è oggi per chi chiede. Un istante nel futuro, o prima dell'inizio, è un errore 422.",
	}, s.asOf)
}
