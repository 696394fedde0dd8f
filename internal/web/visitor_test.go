package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestLocalPathStaysHere(t *testing.T) {
	for in, want := range map[string]string{
		"/procedure/1?x=2": "/procedure/1?x=2", "": "/procedure", "//evil.example": "/procedure", "/\\evil.example": "/procedure",
		"https://evil.example": "/procedure", "/a\nb": "/procedure", "javascript:alert(1)": "/procedure",
	} {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPostNeedsTheTokenOfItsSession(t *testing.T) {
	s := &site{Server: Server{MaxUploadMB: 1}}
	me, other := visitor{secret: "mine"}, visitor{secret: "theirs"}
	if me.csrf() == other.csrf() || strings.Contains(me.csrf(), "mine") {
		t.Fatal("tokens must differ by session and not tell it")
	}
	post := func(token, site string) error {
		r := httptest.NewRequest(http.MethodPost, "http://sua.example/x", strings.NewReader(url.Values{"csrf": {token}}.Encode()))
		r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		return s.guardPost(echo.New().NewContext(r, httptest.NewRecorder()), me)
	}
	if err := post(me.csrf(), "same-origin"); err != nil {
		t.Errorf("our own form refused: %v", err)
	}
	for _, token := range []string{"", "x", other.csrf()} {
		if err := post(token, ""); !errors.Is(err, errForeignForm) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	if err := post(me.csrf(), "cross-site"); !errors.Is(err, errForeignForm) {
		t.Errorf("sent by another site: %v", err)
	}
}

func TestOversizedFormIsRefused(t *testing.T) {
	s := &site{Server: Server{MaxUploadMB: 1}}
	body := strings.NewReader("x=" + strings.Repeat("a", maxForm+1))
	r := httptest.NewRequest(http.MethodPost, "/x", body)
	r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationForm)
	err := s.guardPost(echo.New().NewContext(r, httptest.NewRecorder()), visitor{secret: "s"})
	var of *echo.HTTPError
	if !errors.As(err, &of) || of.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized form: %v", err)
	}
	if body.Len() > 0 {
		t.Errorf("%d bytes left unread: the browser would show a broken connection", body.Len())
	}
}
