package web

import (
	"bytes"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// frame is what surrounds every page.
type frame struct {
	Title   string // of the browser's window and the one h1
	Section string // entry of the navigation that is lit: procedure, nuova, efficienza, avvisi, flussi
	Who     string // empty: nobody signed in
	CSRF    string
	Demo    bool
	Figures bool   // the visitor works for a SUA, whose figures have a page
	Unread  int    // notices that the visitor has not read
	Done    string // what has just been done, told to the visitor
	Style   style
}

// frame prepares the surroundings of a page for its visitor.
func (s *site) frame(who visitor, title, section string) frame {
	name := who.Actor.Name
	if name == "" {
		name = who.Actor.ID
	}
	return frame{Title: title, Section: section, Who: name, CSRF: who.csrf(), Demo: who.Actor.Demo, Figures: engine.ServesSUA(who.Actor), Unread: who.Unread, Style: s.style}
}

// render draws the whole page before sending it, so that a fault in a template is a clean error and not half a page.
func render(c echo.Context, status int, page templ.Component) error {
	var out bytes.Buffer
	if err := page.Render(c.Request().Context(), &out); err != nil {
		return err
	}
	return c.HTMLBlob(status, out.Bytes())
}

func show(c echo.Context, page templ.Component) error { return render(c, http.StatusOK, page) }
