package web

import (
	"crypto/rand"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// documentsView is the part of a case's page about its files.
type documentsView struct {
	Missing []missingView
	Files   []fileView
	Old     []fileView // replaced by a later one
	Types   []option
	Form    uploadForm
	CaseID  string
}

// missingView says what an action still waits for.
type missingView struct {
	Event string
	Types []flow.DocumentType
}

type fileView struct{ ID, Type, Name, Size, By, At, SHA256 string }

// uploadForm is what the form holds; Error is about the file, TypeError about its kind.
type uploadForm struct{ Type, Key, Error, TypeError string }

func newKey() string { return rand.Text() }

func documentsOf(d engine.CaseView, options engine.Options, def *flow.Definition, up uploadForm) documentsView {
	v := documentsView{CaseID: d.ID, Form: up}
	var wanted []string
	for _, o := range options.Events {
		m := missingView{Event: o.Label.IT}
		for _, n := range o.Documents {
			if !n.Present {
				m.Types = append(m.Types, n.Type)
				wanted = append(wanted, n.Type.ID)
			}
		}
		if len(m.Types) > 0 && (o.Mine || len(o.Roles) > 0) {
			v.Missing = append(v.Missing, m)
		}
	}
	types := slices.Clone(def.Documents)
	slices.SortStableFunc(types, func(a, b flow.DocumentType) int { // what is waited for comes first
		return rank(wanted, a.ID) - rank(wanted, b.ID)
	})
	for _, t := range types {
		v.Types = append(v.Types, option{t.ID, t.Label.IT})
	}
	for _, doc := range d.Documents {
		file := fileView{
			ID: doc.ID, Type: doc.Type.Label.IT, Name: doc.Name, Size: size(doc.Size), By: doc.UploadedBy.Name,
			At: moment(doc.At), SHA256: doc.SHA256,
		}
		if doc.Current {
			v.Files = append(v.Files, file)
		} else {
			v.Old = append(v.Old, file)
		}
	}
	return v
}

func rank(wanted []string, id string) int {
	if slices.Contains(wanted, id) {
		return 0
	}
	return 1
}

func (s *site) upload(c echo.Context, who visitor) error {
	form := uploadForm{Type: c.FormValue("tipo"), Key: c.FormValue("chiave")}
	if form.Type == "" {
		form.TypeError = "Scegli che documento è."
	}
	header, err := c.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		form.Error = "Scegli il file da caricare."
	} else if err != nil {
		return err
	}
	if form.Error != "" || form.TypeError != "" {
		return s.drawCase(c, who, http.StatusUnprocessableEntity, "", form)
	}
	file, err := header.Open()
	if err != nil {
		return err
	}
	cmd := engine.Attach{Case: c.Param("id"), Type: form.Type, Name: header.Filename, Bytes: file, Key: form.Key}
	_, err = s.Engine.Attach(c.Request().Context(), who.Actor, cmd)
	if err = errors.Join(err, file.Close()); err == nil {
		return c.Redirect(http.StatusSeeOther, "/procedure/"+url.PathEscape(c.Param("id"))+"?fatto=documento#documenti")
	}
	var invalid *engine.Invalid
	var refused *engine.Refused
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			if p.Pointer == "/type" {
				form.TypeError = sentence(p.Text.IT)
			} else {
				form.Error = sentence(p.Text.IT)
			}
		}
	case errors.As(err, &refused):
		form.Error = sentences(refused.Refusals)
	default:
		return err
	}
	return s.drawCase(c, who, http.StatusUnprocessableEntity, "", form)
}

// inert are the kinds of file that a browser may be told about; whatever they hold, they are saved and not opened.
var inert = []string{"application/pdf", "application/zip", "image/png", "image/jpeg", "text/plain", "application/xml", "application/pkcs7-mime"}

func (s *site) download(c echo.Context, who visitor) error {
	doc, content, err := s.Engine.Document(c.Request().Context(), who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	defer func() {
		if err := content.Close(); err != nil {
			s.Log.Warn("close document", "id", doc.ID, "error", err)
		}
	}()
	kind := echo.MIMEOctetStream
	if slices.Contains(inert, doc.Media) {
		kind = doc.Media
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": doc.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set(echo.HeaderContentLength, strconv.FormatInt(doc.Size, 10))
	return c.Stream(http.StatusOK, kind, content)
}

func (f uploadForm) faults() []fault {
	var out []fault
	if f.TypeError != "" {
		out = append(out, fault{"tipo", f.TypeError})
	}
	if f.Error != "" {
		out = append(out, fault{"file", f.Error})
	}
	return out
}

func (v documentsView) typeControl() control {
	return control{Name: "tipo", Shape: shapeSelect, Label: "Che documento è", Value: v.Form.Type, Options: v.Types, Required: true, Error: v.Form.TypeError}
}
