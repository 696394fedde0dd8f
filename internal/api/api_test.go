package api

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// office is a Province with two Comuni, served on a real socket.
type office struct {
	t      testing.TB
	db     *store.DB
	engine *engine.Engine
	server *httptest.Server
	echo   *echo.Echo
	doc    *huma.OpenAPI
	log    *bytes.Buffer
	tokens map[string]string // by person
}

// eachOffice runs f on both databases.
func eachOffice(t *testing.T, f func(o *office)) {
	t.Helper()
	storetest.Each(t, store.Options{Now: func() time.Time { return begin }}, func(t *testing.T, db *store.DB) { f(newOffice(t, db, Server{})) })
}

// anOffice is for what does not depend on the database.
func anOffice(t testing.TB, s Server) *office {
	t.Helper()
	return newOffice(t, storetest.SQLite(t, store.Options{Now: func() time.Time { return begin }}), s)
}

// newOffice opens an office with the workflows that ship, and more.
func newOffice(t testing.TB, db *store.DB, s Server, more ...flow.Source) *office {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DB, cfg.Sources = db, append(cfg.Sources, more...)
	if cfg.Blobs, err = blob.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, db: db, engine: e, log: &bytes.Buffer{}, tokens: map[string]string{}}
	o.populate()
	s.Engine, s.Log, s.MaxUploadMB = e, slog.New(slog.NewTextHandler(o.log, nil)), 1
	o.echo = echo.New()
	o.echo.HTTPErrorHandler = ErrorHandler(s.Log, o.echo.DefaultHTTPErrorHandler)
	if err := Register(o.echo, s); err != nil {
		t.Fatal(err)
	}
	again := echo.New()
	o.doc = newService(s).mount(again, again.Group(Prefix))
	o.server = httptest.NewServer(o.echo)
	t.Cleanup(func() {
		o.server.Close()
		if t.Failed() {
			t.Logf("log of the server:\n%s", o.log)
		}
	})
	return o
}

// populate makes two Comuni, their SUA and five people; anna is a demonstration account.
func (o *office) populate() {
	ctx := o.t.Context()
	for id, kind := range map[string]string{"padova": "provincia", "conselve": "comune", "monselice": "comune"} {
		if _, err := o.engine.SaveBody(ctx, store.Body{ID: id, Kind: kind, Name: "Ente " + id, TaxCode: "0000000000" + string(id[0]), WorksLevel: "L1", ServicesLevel: "SF1"}); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, member := range []string{"conselve", "monselice"} {
		if err := o.engine.SaveAgreement(ctx, store.Agreement{ID: "a-" + member, MemberBody: member, SUA: "padova", ValidFrom: "2025-01-01"}); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, p := range []struct {
		id, role, body string
		demo           int
	}{{"anna", "rup", "conselve", 1}, {"bruno", "rup", "conselve", 0}, {"carla", "rup", "monselice", 0}, {"dario", "sua_clerk", "padova", 0}, {"elena", "auditor", "*", 0}} {
		person := store.Person{ID: p.id, Name: "Sig. " + p.id, Demo: p.demo}
		if err := o.engine.SavePerson(ctx, person, []auth.Membership{{Body: p.body, Role: p.role}}); err != nil {
			o.t.Fatal(err)
		}
		secret, hash := auth.NewToken()
		if err := o.db.SaveToken(ctx, hash, p.id, "test", begin, begin.Add(time.Hour)); err != nil {
			o.t.Fatal(err)
		}
		o.tokens[p.id] = secret
	}
}

// answer is a response, read.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// call sends a request as a person ("" for nobody) with a JSON value, or a string as it is, and checks the answer against the
// published description.
func (o *office) call(who, method, path string, body any, headers ...string) answer {
	o.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			o.t.Fatal(err)
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.server.URL+path, reader)
	if err != nil {
		o.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+o.tokens[who])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := o.server.Client().Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	a := answer{t: o.t, what: method + " " + path, status: resp.StatusCode, header: resp.Header, raw: raw}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") && len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			o.t.Fatalf("%s: %v in %s", a.what, err, raw)
		}
	}
	o.conforms(method, path, a)
	return a
}

// conforms holds an answer against the description: the status is declared, the media type too, the body fits the schema.
func (o *office) conforms(method, path string, a answer) {
	o.t.Helper()
	path, _, _ = strings.Cut(strings.TrimPrefix(path, Prefix), "?")
	for template, item := range o.doc.Paths {
		shape := regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(template, "[^/]+") + "$")
		op := map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "DELETE": item.Delete}[method]
		if op == nil || !shape.MatchString(path) || template == "/documents/{id}" && a.status == http.StatusOK {
			continue
		}
		response, ok := op.Responses[strconv.Itoa(a.status)]
		if !ok {
			o.t.Errorf("%s: status %d is not declared", a.what, a.status)
			return
		}
		media, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
		content, ok := response.Content[media]
		if !ok && len(response.Content) > 0 {
			o.t.Errorf("%s: %d as %q is not declared", a.what, a.status, media)
			return
		}
		if a.body == nil || content == nil || content.Schema == nil {
			return
		}
		var found huma.ValidateResult
		huma.Validate(o.doc.Components.Schemas, content.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, a.body, &found)
		for _, err := range found.Errors {
			o.t.Errorf("%s: the answer is not as described: %v", a.what, err)
		}
		return
	}
}

// want checks status and, for problems, code and form.
func (a answer) want(status int, code string) answer {
	a.t.Helper()
	if a.status != status || code != "" && a.body["code"] != code {
		a.t.Fatalf("%s = %d %v, want %d %s: %s", a.what, a.status, a.body["code"], status, code, a.raw)
	}
	if code != "" {
		if ct := a.header.Get("Content-Type"); ct != problemMedia {
			a.t.Errorf("%s: Content-Type %q", a.what, ct)
		}
		if a.body["status"] != float64(status) || a.body["title"] == "" || a.body["detail"] == "" || a.body["type"] != "urn:sua:problem:"+code {
			a.t.Errorf("%s: not a whole problem: %s", a.what, a.raw)
		}
		if instance, _ := a.body["instance"].(string); !strings.HasSuffix(instance, a.header.Get("X-Request-Id")) || len(instance) < 20 {
			a.t.Errorf("%s: instance %q does not name the request", a.what, instance)
		}
	}
	return a
}

// items is the list of the answer.
func (a answer) items() []any {
	a.t.Helper()
	list, ok := a.body["items"].([]any)
	if !ok {
		a.t.Fatalf("%s = %d without items: %s", a.what, a.status, a.raw)
	}
	return list
}

// get goes down the body by keys and positions.
func (a answer) get(keys ...any) any {
	a.t.Helper()
	var v any = a.body
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[k]
		case int:
			s, _ := v.([]any)
			if k >= len(s) {
				a.t.Fatalf("%s: no item %d at %v in %s", a.what, k, keys, a.raw)
			}
			v = s[k]
		}
	}
	return v
}

func (a answer) text(keys ...any) string {
	a.t.Helper()
	s, ok := a.get(keys...).(string)
	if !ok {
		a.t.Fatalf("%s: no text at %v in %s", a.what, keys, a.raw)
	}
	return s
}

// newRequest opens a request of the Comune di Conselve and returns its address and revision.
func (o *office) newRequest(title string) (path, revision string) {
	o.t.Helper()
	a := o.call("bruno", "POST", Prefix+"/cases", map[string]any{
		"workflow": "open_procedure", "event": "create_request", "inputs": map[string]any{"title": title, "kind": "works", "amount": 330_783_624},
	}).want(http.StatusCreated, "")
	storetest.Settle(o.t, o.db) // so that its events have numbers at once
	return a.header.Get("Location"), a.header.Get("ETag")
}
