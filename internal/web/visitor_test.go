package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
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

func TestOnlyThisMachine(t *testing.T) {
	for _, c := range []struct {
		peer, header string
		want         bool
	}{
		{"127.0.0.1:5000", "", true}, {"[::1]:5000", "", true}, {"192.0.2.7:5000", "", false}, {"", "", false},
		{"127.0.0.1:5000", "X-Forwarded-For", false}, {"127.0.0.1:5000", "Forwarded", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.7")
		}
		if got := auth.Local(r); got != c.want {
			t.Errorf("peer %q with %q: %v, want %v", c.peer, c.header, got, c.want)
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
