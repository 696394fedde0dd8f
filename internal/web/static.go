package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/web/assets"
)

// ours is the style sheet written for this program; everything else comes from package assets.
//
//go:embed static/*.css
var ours embed.FS

// style says which style sheets a page links.
type style struct {
	Full   bool // bootstrap-italia is there; without it pages are plain and readable
	Sheets []string
	Icons  string // address of the sprite, empty when there is none
}

// findStyle chooses the sheets. A digest in the address lets browsers keep a file for ever and still see the next version.
func findStyle(full bool) style {
	sheets := []string{"plain.css", "sua.css"}
	if full {
		sheets = []string{"bootstrap-italia.min.css", "fonts.css", "sua.css"}
	}
	st := style{Full: full}
	for _, name := range sheets {
		st.Sheets = append(st.Sheets, address(name))
	}
	if full {
		st.Icons = address("sprites.svg")
	}
	return st
}

func address(name string) string {
	data, err := readAsset(name)
	if err != nil {
		return "/risorse/" + name // asked for and not found, which a test would see
	}
	sum := sha256.Sum256(data)
	return "/risorse/" + name + "?v=" + hex.EncodeToString(sum[:6])
}

func readAsset(name string) ([]byte, error) {
	if data, err := ours.ReadFile("static/" + name); err == nil {
		return data, nil
	}
	return fs.ReadFile(assets.FS(), name)
}

// media are the only kinds of file served from here.
var media = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

func (s *site) asset(c echo.Context) error {
	secure(c)
	name := strings.TrimPrefix(path.Clean("/"+c.Param("*")), "/")
	kind, known := media[path.Ext(name)]
	data, err := readAsset(name)
	if !known || err != nil {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=86400")
	if c.QueryParam("v") != "" {
		c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	return c.Blob(http.StatusOK, kind, data)
}
