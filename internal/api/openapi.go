package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// version of the API, not of the program: it changes when the description does (semver).
const version = "1.0.0"

// placeholder is the address in the committed description, which belongs to no installation.
const placeholder = "https://sua.example.it"

// OpenAPI returns the description of the API as committed under docs/api: 3.1, or 3.0 for older tools. Indented JSON.
func OpenAPI(version30 bool) ([]byte, error) {
	e := echo.New()
	svc := newService(Server{})
	return render(svc.mount(e, e.Group(Prefix)), version30)
}

// config is huma's, without its documentation pages (they load scripts from elsewhere), schema links and default formats.
func (s *service) config() huma.Config {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: huma.DefaultJSONFormat.Unmarshal}
	return huma.Config{
		OpenAPI:       s.info(),
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.finish},
	}
}

func (s *service) info() *huma.OpenAPI {
	extensions := map[string]any{
		"x-api-id":  "urn:uuid:0b6b1a52-6f4e-4f0e-9f53-5a3d6f0c9e11",
		"x-summary": "Procedure di gara della Stazione Unica Appaltante, dalla richiesta del Comune all'esecuzione.",
	}
	if s.Version != "" {
		extensions["x-implementation-version"] = s.Version
	}
	base := s.address()
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "SUA – Stazione Unica Appaltante", Version: version,
			Description: "Porta avanti le procedure di gara che i Comuni affidano alla Provincia. Ogni pratica segue un flusso: " +
				"`/cases/{id}/options` dice che cosa può accadere, `/cases/{id}/events` lo fa accadere. " +
				"Importi in centesimi di euro, istanti in UTC, errori in application/problem+json con un codice stabile.",
			TermsOfService: base + "/condizioni",
			Contact:        &huma.Contact{Name: "Stazione Unica Appaltante", URL: base + "/contatti"},
			License:        &huma.License{Name: "EUPL-1.2", URL: "https://joinup.ec.europa.eu/collection/eupl/eupl-text-eupl-12"},
			Extensions:     extensions,
		},
		Servers:  []*huma.Server{{URL: base + Prefix, Description: "Indirizzo pubblico del servizio"}},
		Security: []map[string][]string{{"bearer": {}}},
		Tags: []*huma.Tag{
			{Name: "pratiche", Description: "Elencare, aprire, leggere e portare avanti le pratiche"},
			{Name: "documenti", Description: "I documenti delle pratiche"},
			{Name: "flussi", Description: "Le definizioni che le pratiche seguono"},
			{Name: "enti", Description: "Enti, persone e ruoli"},
			{Name: "avvisi", Description: "Essere avvisati: avvisi, calendario, webhook"},
			{Name: "accesso", Description: "Account dimostrativi"},
			{Name: "servizio", Description: "Come sta il servizio"},
		},
		Components: &huma.Components{
			Headers: commonHeaders(),
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "Il token di una persona"},
			},
		},
	}
}

// address is where clients find the service. The description speaks of the service as published, and AgID wants that over
// HTTPS: a plain address, good for one machine only, is written with https all the same.
func (s *service) address() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Host == "" {
		return placeholder
	}
	return "https://" + u.Host + strings.TrimSuffix(u.Path, "/")
}

// render writes a description.
func render(doc *huma.OpenAPI, version30 bool) ([]byte, error) {
	raw, err := json.Marshal(doc)
	if version30 && err == nil {
		if raw, err = doc.Downgrade(); err == nil {
			raw, err = downgrade(raw)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// downgrade removes what huma leaves in and 3.0 does not know.
func downgrade(raw []byte) ([]byte, error) {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, schema := v["contentMediaType"].(string); schema {
				delete(v, "contentMediaType")
			}
			for _, below := range v {
				walk(below)
			}
		case []any:
			for _, below := range v {
				walk(below)
			}
		}
	}
	walk(tree)
	return json.Marshal(tree)
}

func (s *service) serveSpecs(group *echo.Group) {
	for name, old := range map[string]bool{"/openapi.json": false, "/openapi-3.0.json": true} {
		spec := s.specs[old]
		serve := func(c echo.Context) error {
			setHeaders(c)
			return c.Blob(http.StatusOK, "application/openapi+json", spec)
		}
		group.GET(name, serve)
		group.HEAD(name, serve)
	}
}

// commonHeaders describe the limit and the cache: they belong to every answer.
func commonHeaders() map[string]*huma.Param {
	number := func(doc string) *huma.Param {
		s := whole(0, 1_000_000)
		s.Format = "int32"
		return &huma.Param{Description: doc, Schema: s}
	}
	return map[string]*huma.Param{
		"X-RateLimit-Limit":     number("Richieste ammesse al minuto"),
		"X-RateLimit-Remaining": number("Richieste che restano"),
		"X-RateLimit-Reset":     number("Secondi prima che tornino tutte"),
		"Cache-Control":         {Description: "no-store: ciò che una persona può vedere non va conservato per un'altra", Schema: headerText("").Schema(nil)},
	}
}

// headerRefs point to them: written out in every answer they would be half of the document.
func headerRefs() map[string]*huma.Param {
	refs := map[string]*huma.Param{}
	for name := range commonHeaders() {
		refs[name] = &huma.Param{Ref: "#/components/headers/" + name}
	}
	return refs
}

func successHeaders(own map[string]*huma.Param) map[string]*huma.Param {
	all := headerRefs()
	for name, p := range own {
		if p.Description == "" && p.Schema != nil {
			p.Description = p.Schema.Description
		}
		all[name] = p
	}
	return all
}

func errorHeaders(status int) map[string]*huma.Param {
	all := headerRefs()
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		s := whole(0, 86_400)
		s.Format = "int32"
		all["Retry-After"] = &huma.Param{Description: "Secondi da attendere", Schema: s}
	case http.StatusUnauthorized:
		all["WWW-Authenticate"] = &huma.Param{Description: "Come presentarsi", Schema: headerText("").Schema(nil)}
	case http.StatusPreconditionFailed:
		all["ETag"] = &huma.Param{Description: "La revisione attuale", Schema: etag("").Schema(nil)}
	}
	return all
}
