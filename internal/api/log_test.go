package api

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/audit"
)

// Anybody reads the log, without a token; nothing else is there.
func TestTheMerkleLogOverHTTP(t *testing.T) {
	eachOffice(t, func(o *office) {
		secret, public, err := audit.NewLogKey(rand.Reader, "sua.example.it/log")
		if err != nil {
			t.Fatal(err)
		}
		e := echo.New()
		RegisterLog(e, o.engine)
		get := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			e.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			return w
		}
		if w := get("GET", "/log/checkpoint"); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("before the first: %d", w.Code)
		}
		o.newRequest("Scuola")
		if err := o.engine.ExtendLog(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		w := get("GET", "/log/checkpoint")
		c, err := audit.ParseCheckpoint(w.Body.Bytes(), public)
		if err != nil || c.Size != 2 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || w.Header().Get("Cache-Control") != "public, max-age=5" {
			t.Fatalf("%+v %v %v", c, err, w.Header())
		}
		tile, entries := get("GET", "/log/tile/0/000.p/2"), get("GET", "/log/tile/entries/000.p/2")
		if tile.Body.Len() != 64 || entries.Body.Len() != 68 || tile.Header().Get("Content-Type") != "application/octet-stream" || !strings.Contains(tile.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("tile %d bytes, entries %d, %v", tile.Body.Len(), entries.Body.Len(), tile.Header())
		}
		if want := string(audit.Leaf(entries.Body.Bytes()[2:34])); tile.Body.String()[:32] != want {
			t.Error("the tile is not of the entries")
		}
		if w := get("HEAD", "/log/checkpoint"); w.Code != http.StatusOK {
			t.Errorf("HEAD: %d", w.Code)
		}
		for _, none := range []string{"/log/", "/log/tile/0/000", "/log/tile/0/000.p/3", "/log/tile/1/000.p/1", "/log/tile/entries/000.p/3", "/log/tile/x", "/log/tile/0/../../etc", "/log/tile/data/000.p/2"} {
			if w := get("GET", none); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", none, w.Code)
			}
		}
		if w := get("POST", "/log/checkpoint"); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", w.Code)
		}
	})
}
