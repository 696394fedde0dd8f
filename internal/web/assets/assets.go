// Package assets embeds the third-party files of the web pages: bootstrap-italia (style, script, icons), its fonts and htmx.
//
// The files are not committed: copy.sh takes them from npm into dist/ before the build (make assets). Without Node only the
// placeholder is embedded and Complete says so; the program still starts and package web then serves plain HTML. Our own
// style sheet and templates live in package web, the only package besides cmd/sua that looks here.
package assets

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var embedded embed.FS

// needed are the files the pages link; the order is the one in which a page asks for them.
var needed = []string{
	"bootstrap-italia.min.css", "fonts.css", "bootstrap-italia.min.js", "htmx.min.js", "sprites.svg",
	"fonts/titillium-300.woff2", "fonts/titillium-400.woff2", "fonts/titillium-400-italic.woff2",
	"fonts/titillium-600.woff2", "fonts/titillium-700.woff2", "fonts/roboto-mono-400.woff2",
}

// FS gives the files with the names the pages use, such as "bootstrap-italia.min.css" or "fonts/titillium-400.woff2".
func FS() fs.FS {
	sub, err := fs.Sub(embedded, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: the directive above would not have compiled without it
	}
	return sub
}

// Complete reports whether the program was built with every file the pages link, and not with the placeholder alone.
func Complete() bool {
	return complete(FS())
}

func complete(files fs.FS) bool {
	for _, name := range needed {
		if info, err := fs.Stat(files, name); err != nil || info.Size() == 0 {
			return false
		}
	}
	return true
}
