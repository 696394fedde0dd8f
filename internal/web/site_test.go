package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/web/assets"
)

func TestSignInAndOut(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.browse()
		page := b.get(t, "/procedure?testo=scuola")
		page.want(t, http.StatusOK, "Per vedere quella pagina devi prima accedere", "Entra come Anna Bianchi", "Comune di Conselve", "Istruttore SUA")
		if got := attr(page.all("input", "name=poi")[0], "value"); got != "/procedure?testo=scuola" {
			t.Errorf("after signing in: %q", got)
		}
		page = b.post(t, "/accedi", url.Values{"account": {"rup"}, "poi": {"/procedure?testo=scuola"}})
		page.want(t, http.StatusOK, "Nessuna procedura corrisponde", "Anna Bianchi")
		if c := b.cookie; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 8*3600 {
			t.Errorf("cookie: %+v", c)
		}
		old := *b.cookie
		b.submit(t, page, "/esci", nil).want(t, http.StatusOK, "Entra come")
		if b.cookie != nil {
			t.Error("the cookie outlives the session")
		}
		b.cookie = &old
		b.get(t, "/procedure").want(t, http.StatusOK, "Entra come")
		b.post(t, "/accedi", url.Values{"account": {"nobody"}}).want(t, http.StatusNotFound)
	})
}

func TestDemoAccountsStayOnThisMachine(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.as(t, "rup")
		b.peer = "192.0.2.7:40000"
		b.get(t, "/procedure").want(t, http.StatusOK, "si usano solo dal computer su cui gira il programma")
		b.post(t, "/accedi", url.Values{"account": {"rup"}}).want(t, http.StatusForbidden, "dal computer su cui gira")
	})
}

func TestSessionEnds(t *testing.T) {
	each(t, false, func(t *testing.T, o *office) {
		b := o.as(t, "rup")
		o.clock.Add((13 * time.Hour).Microseconds())
		b.get(t, "/procedure").want(t, http.StatusOK, "Entra come")
	})
}

// bare is a site that no request of these tests lets reach its engine.
func bare() *browser {
	o := &office{echo: echo.New()}
	Register(o.echo, Server{Now: o.now})
	return o.browse()
}

func TestErrorPages(t *testing.T) {
	b := bare()
	b.get(t, "/niente").want(t, http.StatusNotFound, "Pagina non trovata")
	b.post(t, "/procedure", nil).want(t, http.StatusMethodNotAllowed, "Pagina non trovata")
	b.o.echo.GET("/rotta", func(echo.Context) error { return http.ErrServerClosed })
	page := b.get(t, "/rotta")
	page.want(t, http.StatusInternalServerError, "Qualcosa non ha funzionato", "indica il numero")
	if page.contains("Server closed") {
		t.Error("the page tells what is inside the program")
	}
}

func TestAPIErrorsAreLeftAlone(t *testing.T) {
	e := echo.New()
	e.HTTPErrorHandler = func(_ error, c echo.Context) { c.Response().WriteHeader(http.StatusTeapot) }
	Register(e, Server{})
	for path, want := range map[string]int{"/api/v1/nothing": http.StatusTeapot, "/nothing": http.StatusNotFound} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestAssets(t *testing.T) {
	b := bare()
	own := b.get(t, "/risorse/sua.css?v=1")
	if own.Status != http.StatusOK || !strings.HasPrefix(own.Header.Get("Content-Type"), "text/css") || !strings.Contains(own.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("our style sheet: %d %v", own.Status, own.Header)
	}
	for _, path := range []string{"/risorse/", "/risorse/fonts", "/risorse/README.txt", "/risorse/../web.go", "/risorse/%2e%2e/assets.go", "/risorse/none.css"} {
		if r := b.get(t, path); r.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.Status)
		}
	}
	// The second is what a build without Node has: it must need nothing that is not ours.
	for _, sheet := range slices.Concat(findStyle(assets.Complete()).Sheets, findStyle(false).Sheets) {
		if r := b.get(t, sheet); r.Status != http.StatusOK || !strings.Contains(sheet, "?v=") {
			t.Errorf("%s: %d", sheet, r.Status)
		}
	}
}

func TestWorkflowPages(t *testing.T) {
	each(t, true, func(t *testing.T, o *office) {
		b := o.as(t, "auditor")
		b.get(t, "/flussi").want(t, http.StatusOK)
		for _, w := range o.Workflows() {
			page := b.get(t, "/flussi/"+w.Hash)
			page.want(t, http.StatusOK, w.Label.IT, w.States[0].Label.IT)
		}
		if len(o.Workflows()) == 0 {
			t.Fatal("no workflow shipped")
		}
		hash := o.Workflows()[0].Hash
		svg := b.get(t, "/flussi/"+hash+"/grafo.svg")
		if svg.Status != http.StatusOK || svg.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg.Body, "<svg") {
			t.Errorf("graph: %d %s", svg.Status, svg.Header.Get("Content-Type"))
		}
		b.get(t, "/flussi/none").want(t, http.StatusNotFound)
	})
}

// Every form that a shipped workflow declares must be drawn soundly, whoever looks.
func TestEveryShippedForm(t *testing.T) {
	each(t, true, func(t *testing.T, o *office) {
		forms := 0
		for _, w := range o.Workflows() {
			def, err := o.Definition(w.Hash)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range def.Events {
				ask := formOf(ev.Inputs, nil, answers{}, lists{})
				view := actionView{Action: "/a", Cancel: "/b", Submit: ev.Label.IT, Form: true, Ask: ask}
				page := draw(t, actionPage(frame{Title: ev.Label.IT, Who: "x", CSRF: "t"}, view))
				page.sound(t)
				for _, in := range ev.Inputs {
					if !page.contains(in.Label.IT) {
						t.Errorf("%s %s: %q is not asked", def.Workflow, ev.ID, in.ID)
					}
				}
				forms++
			}
		}
		if forms < 20 {
			t.Errorf("only %d forms drawn", forms)
		}
	})
}
