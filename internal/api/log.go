package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/engine"
)

// LogPrefix is where the Merkle log stands, open to anybody, as c2sp.org/tlog-tiles lays it out.
const LogPrefix = "/log"

// RegisterLog serves the Merkle log: signed checkpoint, tiles and entries, all of them hashes. It is no part of the API described by
// OpenAPI: its form is that of C2SP, for verifiers written by others. Every process serves the same, out of the database.
func RegisterLog(e *echo.Echo, eng *engine.Engine) {
	read := func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(echo.HeaderXContentTypeOptions, "nosniff")
		h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
		h.Set(echo.HeaderAccessControlAllowOrigin, "*") // a verifier in a page elsewhere may read what is public anyway
		body, kind, cache, err := logFile(c, eng, c.Param("*"))
		switch {
		case errors.Is(err, engine.ErrNotFound):
			h.Set(echo.HeaderCacheControl, "no-store") // it may be there in a minute
			return c.String(http.StatusNotFound, "not found\n")
		case err != nil:
			return err
		}
		h.Set(echo.HeaderCacheControl, cache)
		return c.Blob(http.StatusOK, kind, body)
	}
	e.GET(LogPrefix+"/*", read)
	e.HEAD(LogPrefix+"/*", read)
}

// logFile reads a file of the log. Tiles never change, the partial ones no more than the full; the checkpoint does each minute.
func logFile(c echo.Context, eng *engine.Engine, path string) (body []byte, kind, cache string, err error) {
	if path == "checkpoint" {
		body, err = eng.LogCheckpoint(c.Request().Context())
		return body, "text/plain; charset=utf-8", "public, max-age=5", err
	}
	level, n, width, err := audit.ParseTilePath(path)
	if err != nil {
		return nil, "", "", engine.ErrNotFound
	}
	cache = "public, max-age=31536000, immutable"
	if width < audit.TileWidth {
		cache = "public, max-age=3600, immutable"
	}
	body, err = eng.LogTile(c.Request().Context(), level, n, width)
	return body, "application/octet-stream", cache, err
}
