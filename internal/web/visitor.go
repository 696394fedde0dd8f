package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// visitor is who asks for a page. The zero value is somebody not signed in.
type visitor struct {
	Actor  auth.Actor
	Unread int    // notices not read, up to 100
	secret string // of the session; never drawn
}

// handler answers a request of a visitor; errors become pages in one place, fail.
type handler func(c echo.Context, who visitor) error

// open serves a page that needs no sign-in.
func (s *site) open(h handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		secure(c)
		if err := sameOrigin(c.Request()); err != nil {
			return err
		}
		return h(c, visitor{})
	}
}

// page serves a page to people signed in; the others are sent to the sign-in and back.
func (s *site) page(h handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		secure(c)
		who, err := s.visitor(c)
		if errors.Is(err, engine.ErrNotFound) {
			return c.Redirect(http.StatusSeeOther, "/accedi?"+url.Values{"poi": {backTo(c.Request())}}.Encode())
		}
		if err != nil {
			return err
		}
		if err := s.guardPost(c, who); err != nil {
			return err
		}
		if who.Unread, err = s.Engine.UnreadNotices(c.Request().Context(), who.Actor); err != nil {
			return err
		}
		return h(c, who)
	}
}

// visitor finds who holds the session. ErrNotFound: nobody, an ended session, or a demonstration account used from
// another machine.
func (s *site) visitor(c echo.Context) (visitor, error) {
	cookie, err := c.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return visitor{}, engine.ErrNotFound
	}
	actor, err := s.Engine.Actor(c.Request().Context(), cookie.Value)
	if err != nil {
		return visitor{}, err
	}
	if actor.Demo && !auth.Local(c.Request()) {
		return visitor{}, engine.ErrNotFound
	}
	return visitor{Actor: actor, secret: cookie.Value}, nil
}

// backTo is where the visitor goes after signing in: the page asked, or the list when it was a form.
func backTo(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return "/procedure"
}

// localPath keeps a redirect inside this site: browsers read "//host" and "/\host" as other sites.
func localPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/procedure"
	}
	return path
}
