package api

import (
	"context"
	"net/http"

	"github.com/province-comuni/sua/internal/engine"
)

type receipt struct {
	ID        ident   `json:"id"`
	Kind      ident   `json:"kind" doc:"accettazione, avvenuta-consegna, errore-consegna …"`
	Event     ident   `json:"event,omitempty" doc:"L'evento comunicato"`
	Seq       count   `json:"seq" doc:"Posto dell'evento nella storia"`
	Certified instant `json:"certified" doc:"Quando, secondo il gestore"`
	Effective bool    `json:"effective" doc:"Prova la consegna: certified può essere la data di effetto"`
	Provider  line    `json:"provider"`
	Signer    line    `json:"signer" doc:"Il certificato che ha firmato"`
	SHA256    hash    `json:"sha256" doc:"Della ricevuta come è arrivata"`
}

type receiptsOutput struct{ Body items[receipt] }

func (s *service) receipts(ctx context.Context, in *byID) (*receiptsOutput, error) {
	all, err := s.Engine.Receipts(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &receiptsOutput{items[receipt]{each(all, func(r engine.ReceiptView) receipt {
		return receipt{
			ID: ident(r.ID), Kind: ident(r.Kind), Event: ident(r.Event), Seq: count(r.Seq), Certified: stamp(r.Certified), Effective: r.Effective,
			Provider: line(r.Provider), Signer: line(r.Signer), SHA256: hash(r.SHA256),
		}
	})}}, nil
}

func (s *service) receiptRoutes(r *routes) {
	add(r, operation{
		id: "list-receipts", method: http.MethodGet, path: "/cases/{id}/receipts", tag: "avvisi", errors: []int{http.StatusNotFound},
		summary: "Le ricevute PEC", description: "Le ricevute degli avvisi formali della pratica, dopo il controllo della firma del gestore: che cosa comunicavano, e quando sono stati consegnati.",
	}, s.receipts)
}
