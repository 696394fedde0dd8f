package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

type documentsOutput struct{ Body items[document] }

func (s *service) documents(ctx context.Context, in *caseInput) (*documentsOutput, error) {
	all, err := s.Engine.Documents(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	return &documentsOutput{items[document]{each(all, documentBody)}}, nil
}

type attachInput struct {
	caller
	ID  ident     `path:"id"`
	Key repeatKey `header:"Idempotency-Key" doc:"Rende ripetibile la richiesta: stessa chiave e stesso contenuto danno la stessa risposta, per 7 giorni"`
}

type attachOutput struct {
	Location reference `header:"Location" doc:"Il documento"`
	Body     document
}

// formRoom is what a form may weigh beside its file.
const formRoom = 64 << 10

func (s *service) attach(ctx context.Context, in *attachInput) (*attachOutput, error) {
	form, err := s.form(in.echo)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := form.RemoveAll(); err != nil {
			s.Log.Warn("api: temporary upload not removed", "request", requestID(in.echo), "error", err)
		}
	}()
	kind, file, err := upload(form)
	if err != nil {
		return nil, err
	}
	if file.Size > int64(s.MaxUploadMB)<<20 {
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("il documento supera il massimo di %d MB", s.MaxUploadMB))
	}
	bytes, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	defer bytes.Close()
	doc, err := s.Engine.Attach(ctx, in.actor, engine.Attach{
		Case: string(in.ID), Type: kind, Name: file.Filename, Bytes: bytes, Key: string(in.Key),
	})
	if err != nil {
		return nil, err
	}
	return &attachOutput{path("/documents/%s", doc.ID), documentBody(doc)}, nil
}

// form reads a multipart form; what does not fit a little memory waits in a temporary file.
func (s *service) form(c echo.Context) (*multipart.Form, error) {
	r := c.Request()
	if media, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || media != echo.MIMEMultipartForm {
		return nil, newProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "il documento va inviato come Content-Type: multipart/form-data")
	}
	limit := int64(s.MaxUploadMB)<<20 + formRoom
	r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
	if err := r.ParseMultipartForm(1 << 20); engine.Kind(err) == engine.KindFull { // the temporary file
		return nil, err
	} else if err != nil {
		return nil, bodyFault(err, limit)
	}
	return r.MultipartForm, nil
}

// upload takes the two parts out of the form: one type, one file, nothing else.
func upload(form *multipart.Form) (kind string, file *multipart.FileHeader, err error) {
	var problems []engine.Problem
	for name := range form.Value {
		if name != "type" {
			problems = append(problems, fault("/"+escape(name), "unknown", "campo sconosciuto", "unknown field"))
		}
	}
	for name := range form.File {
		if name != "file" {
			problems = append(problems, fault("/"+escape(name), "unknown", "campo sconosciuto", "unknown field"))
		}
	}
	if len(form.Value["type"]) != 1 {
		problems = append(problems, fault("/type", "missing", "serve un tipo di documento, uno solo", "one document type is needed"))
	} else if kind = form.Value["type"][0]; len(kind) > 120 || !identShape.MatchString(kind) {
		problems = append(problems, fault("/type", "format", "non è l'identificativo di un tipo di documento", "not the id of a document type"))
	}
	if len(form.File["file"]) != 1 {
		problems = append(problems, fault("/file", "missing", "serve un file, uno solo", "one file is needed"))
	} else {
		file = form.File["file"][0]
	}
	if len(problems) > 0 {
		return "", nil, &engine.Invalid{Problems: problems}
	}
	return kind, file, nil
}

// safeMedia are the types that a browser may be told: none of them runs anything. All others travel as mere bytes.
var safeMedia = []string{
	"application/pdf", "application/zip", "application/pkcs7-mime", "application/pkcs7-signature", "image/png", "image/jpeg", "text/plain", "text/csv",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
}

func (s *service) download(ctx context.Context, in *caseInput) (*huma.StreamResponse, error) {
	doc, body, err := s.Engine.Document(ctx, in.actor, string(in.ID))
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(doc.SHA256)
	if err != nil {
		return nil, fmt.Errorf("digest of document %s: %w", doc.ID, err)
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer body.Close()
		h := in.echo.Response().Header()
		for name, value := range downloadHeaders(doc, base64.StdEncoding.EncodeToString(sum)) {
			h.Set(name, value)
		}
		in.echo.Response().WriteHeader(http.StatusOK)
		if in.echo.Request().Method == http.MethodHead {
			return
		}
		if _, err := io.Copy(in.echo.Response(), body); err != nil { // too late for another status: the length will not match
			s.Log.Warn("api: download interrupted", "request", requestID(in.echo), "document", doc.ID, "error", err)
		}
	}}, nil
}

func downloadHeaders(doc engine.DocumentView, digest string) map[string]string {
	media := doc.Media
	if !slices.Contains(safeMedia, media) {
		media = echo.MIMEOctetStream
	}
	name := mime.FormatMediaType("attachment", map[string]string{"filename": doc.Name})
	if name == "" {
		name = "attachment"
	}
	return map[string]string{
		echo.HeaderContentType: media, echo.HeaderContentDisposition: name, echo.HeaderContentLength: strconv.FormatInt(doc.Size, 10),
		"ETag": strconv.Quote(doc.SHA256), "Digest": "sha-256=" + digest, "Repr-Digest": "sha-256=:" + digest + ":",
		echo.HeaderContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
	}
}

// binary describes bytes.
func binary(most int) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "binary", MaxLength: &most}
}

func (s *service) uploadForm() *huma.RequestBody {
	kind := ident("").Schema(nil)
	kind.Description = "Un tipo di documento del flusso"
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{echo.MIMEMultipartForm: {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"type", "file"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"type": kind, "file": binary(s.MaxUploadMB << 20)},
	}}}}
}

func (s *service) documentRoutes(r *routes) {
	add(r, operation{
		id: "list-documents", method: http.MethodGet, path: "/cases/{id}/documents", tag: "documenti", errors: []int{http.StatusNotFound},
		summary:     "Documenti di una pratica",
		description: "I documenti che chi chiede può vedere, con l'impronta SHA-256.",
	}, s.documents)
	add(r, operation{
		id: "attach-document", method: http.MethodPost, path: "/cases/{id}/documents", tag: "documenti", status: http.StatusCreated,
		errors: []int{http.StatusNotFound, http.StatusConflict}, body: s.uploadForm(),
		summary:     "Allega un documento",
		description: "Un modulo multipart con type e file. Un nuovo documento dello stesso tipo affianca i precedenti, che restano.",
	}, s.attach)
	add(r, operation{
		id: "download-document", method: http.MethodGet, path: "/documents/{id}", tag: "documenti", errors: []int{http.StatusNotFound},
		content:     map[string]*huma.MediaType{echo.MIMEOctetStream: {Schema: binary(s.MaxUploadMB << 20)}},
		summary:     "Scarica un documento",
		description: "I byte esatti, come allegato. Digest ed ETag portano l'impronta SHA-256; i tipi che un browser potrebbe eseguire viaggiano come application/octet-stream.",
	}, s.download)
}
