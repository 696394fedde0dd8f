package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

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
	Whole     bool    `json:"whole" doc:"Si può scaricare: il messaggio che contiene non dice nulla di ancora riservato per chi chiede"`
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
			Provider: line(r.Provider), Signer: line(r.Signer), SHA256: hash(r.SHA256), Whole: r.Whole,
		}
	})}}, nil
}

func (s *service) receipt(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	r, raw, err := s.Engine.Receipt(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(r.SHA256)
	if err != nil {
		return nil, fmt.Errorf("digest of receipt %s: %w", r.ID, err)
	}
	file := engine.DocumentView{Name: r.Kind + ".eml", Media: rfc822, Size: int64(len(raw)), SHA256: r.SHA256}
	return &huma.StreamResponse{Body: func(huma.Context) {
		h := in.echo.Response().Header()
		for name, value := range downloadHeaders(file, base64.StdEncoding.EncodeToString(sum)) {
			h.Set(name, value)
		}
		h.Set(echo.HeaderContentType, rfc822)
		in.echo.Response().WriteHeader(http.StatusOK)
		if in.echo.Request().Method == http.MethodHead {
			return
		}
		if _, err := in.echo.Response().Write(raw); err != nil {
			s.Log.Warn("api: download interrupted", "request", requestID(in.echo), "receipt", r.ID, "error", err)
		}
	}}, nil
}

// rfc822 is the type of a mail as it came; mostReceipt bounds one, in bytes, for the description.
const (
	rfc822      = "message/rfc822"
	mostReceipt = 64 << 20
)

func (s *service) receiptRoutes(r *routes) {
	add(r, operation{
		id: "list-receipts", method: http.MethodGet, path: "/cases/{id}/receipts", tag: "avvisi", errors: []int{http.StatusNotFound},
		summary: "Le ricevute PEC", description: "Le ricevute degli avvisi formali della pratica, dopo il controllo della firma del gestore: che cosa comunicavano, e quando sono stati consegnati.",
	}, s.receipts)
	add(r, operation{
		id: "download-receipt", method: http.MethodGet, path: "/receipts/{id}", tag: "avvisi", errors: []int{http.StatusNotFound},
		content: map[string]*huma.MediaType{rfc822: {Schema: binary(mostReceipt)}},
		summary: "Scarica una ricevuta PEC", description: "Il messaggio del gestore come è arrivato (.eml), con la sua firma: si controlla con qualunque programma di posta. Contiene il messaggio inviato: non c'è finché dice qualcosa di riservato per chi chiede.",
	}, s.receipt)
}
