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

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// documentsView is the part of a case's page about its files.
type documentsView struct {
	Missing []missingView // for what the visitor may do
	Awaited []missingView // for what others may do
	Files   []fileView
	Old     []fileView // replaced by a later one
	Types   []option
	Form    uploadForm
	CaseID  string
}

// missingView is a document that actions still wait for.
type missingView struct {
	Type flow.DocumentType
	For  []string // labels of the actions
}

type fileView struct{ ID, Type, Name, Size, By, At, SHA256 string }

// uploadForm is what the form holds; Error is about the file, TypeError about its kind.
type uploadForm struct{ Type, Key, Error, TypeError string }

func newKey() string { return rand.Text() }

func documentsOf(d engine.CaseView, options engine.Options, def *flow.Definition, up uploadForm) documentsView {
	v := documentsView{CaseID: d.ID, Form: up}
	terms := due(d)
	v.Missing = missingFrom(options, true, terms)
	v.Awaited = missingFrom(options, false, terms)
	types := slices.Clone(def.Documents)
	slices.SortStableFunc(types, func(a, b flow.DocumentType) int { // what is waited for comes first
		return v.rank(a.ID) - v.rank(b.ID)
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

func (v documentsView) rank(id string) int {
	is := func(m missingView) bool { return m.Type.ID == id }
	switch {
	case slices.ContainsFunc(v.Missing, is):
		return 0
	case slices.ContainsFunc(v.Awaited, is):
		return 1
	}
	return 2
}

// missingFrom lists what is missing for the visitor's own actions, or for those of others.
// What is seldom done asks for its documents when it is: only what leads on counts, and what a running term asks for.
func missingFrom(options engine.Options, mine bool, running []string) []missingView {
	var missing []missingView
	for _, o := range options.Events {
		if o.Mine != mine || o.Apart || o.Lead == engine.LeadsBack || o.Lead == engine.LeadsOut || weigh(o, running, nil) > asked {
			continue
		}
		for _, n := range o.Documents {
			if n.Present {
				continue
			}
			i := slices.IndexFunc(missing, func(m missingView) bool { return m.Type.ID == n.Type.ID })
			if i < 0 {
				i = len(missing)
				missing = append(missing, missingView{Type: n.Type})
			}
			missing[i].For = append(missing[i].For, "«"+o.Label.IT+"»")
		}
	}
	return missing
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

// mayUpload hides the form from who would only be refused: control roles, and people of neither owner.
func mayUpload(who auth.Actor, d engine.CaseView) bool {
	roles := engine.Vocabulary().Roles
	return d.GoesOn && slices.ContainsFunc(who.Memberships, func(m auth.Membership) bool {
		return (m.Body == d.MemberBody.ID || m.Body == d.SUA.ID) && roles[m.Role].Side != flow.SideControl
	})
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
