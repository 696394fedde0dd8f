package api

import (
	"context"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

const zipMedia = "application/zip"

// mostDossier is what the description says a dossier may weigh.
const mostDossier = 2_000_000_000

type exportInput struct {
	caller
	ID          ident `path:"id" doc:"Una pratica dell'albero"`
	NoDocuments bool  `query:"no_documents" doc:"Senza i byte dei documenti: restano le impronte"`
	Secret      bool  `query:"redact_secret" doc:"Lascia fuori le parti segrete, anche quelle che chi chiede può vedere"`
	Personal    bool  `query:"redact_personal" doc:"Lascia fuori le parti personali e i nomi delle persone"`
}

func (s *service) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	d, err := s.Engine.Export(ctx, in.actor, engine.Export{
		Case: string(in.ID), NoDocuments: in.NoDocuments, RedactSecret: in.Secret, RedactPersonal: in.Personal, Program: "sua " + s.Version,
	})
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		h := in.echo.Response().Header()
		h.Set(echo.HeaderContentType, zipMedia)
		h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
		in.echo.Response().WriteHeader(http.StatusOK)
		if in.echo.Request().Method == http.MethodHead {
			return
		}
		if _, err := d.WriteTo(in.echo.Response()); err != nil { // too late for another status: the zip lacks its directory, and no reader takes it
			s.Log.Warn("api: dossier interrupted", "request", requestID(in.echo), "root", d.Root, "error", err)
		}
	}}, nil
}

func (s *service) exportRoutes(r *routes) {
	add(r, operation{
		id: "export-case", method: http.MethodGet, path: "/cases/{id}/export", tag: "pratiche", errors: []int{http.StatusNotFound},
		content: map[string]*huma.MediaType{zipMedia: {Schema: binary(mostDossier)}},
		summary: "Fascicolo verificabile",
		description: "Uno zip con la storia dell'albero di cui la pratica fa parte: da leggere, e byte per byte con definizioni, limiti, documenti e prove del registro. " +
			"Si verifica senza rete con «sua audit check». Di ciò che chi chiede non può vedere c'è solo l'impronta.",
	}, s.export)
}
