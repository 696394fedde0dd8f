package web

import (
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// dossier sends the file with which a stranger verifies the story, offline. It is streamed: once begun it can only end early, and a
// zip without its end is taken by no reader.
func (s *site) dossier(c echo.Context, who visitor) error {
	d, err := s.Engine.Export(c.Request().Context(), who.Actor, engine.Export{Case: c.Param("id"), Program: "sua " + s.Version})
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "application/zip")
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	if _, err := d.WriteTo(c.Response()); err != nil {
		s.Log.Warn("dossier interrupted", "root", d.Root, "error", err)
	}
	return nil
}
