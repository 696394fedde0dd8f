// Package web is the program for people: HTML pages rendered on the server, in Italian, that work without JavaScript.
//
// It decides nothing: each handler reads a request, calls one use case of package engine and draws the answer; forms are
// drawn from what a workflow declares, so a new workflow needs no page. Package api is its sibling for programs and never
// seen from here. One handler per file, its page in the .templ of the same name; read case.go first, then action.go.
package web

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/web/assets"
)

// Server is what the pages need. Engine and Now are required.
type Server struct {
	Engine *engine.Engine
	// Demo shows the demonstration accounts to who sits at this machine.
	Demo bool
	// Version of the program, for the record in dossiers; may be empty.
	Version string
	// PublicURL is the address people type, without a trailing slash; shown, as in the address of calendars.
	PublicURL string
	// Outbox holds the mails that were not sent but kept here (*.eml); nil where a mail server is configured.
	Outbox fs.FS
	// SessionHours is the life of the sign-in cookie; 0 is twelve. The engine has its own, which decides.
	SessionHours int
	// Secure marks the cookie for https only.
	Secure bool
	// MaxUploadMB bounds an uploaded file, in units of 1,048,576 bytes; 0 is 50.
	MaxUploadMB int
	// Contacts is what the page of contacts tells.
	Contacts Contacts
	Log      *slog.Logger // nil discards
	Now      func() time.Time
}

// Contacts says who answers for this installation; empty entries are not shown.
type Contacts struct{ Office, Email, PEC, Phone, Hours string }

// site is a Server with what is computed once at start.
type site struct {
	Server
	style style
}

// Register mounts the pages on the root of e and draws e's errors as pages, but for paths under /api/ and what was
// already answered: those keep the error handler that e had. Register the API first if it sets one.
func Register(e *echo.Echo, server Server) {
	if server.Log == nil {
		server.Log = slog.New(slog.DiscardHandler)
	}
	if server.MaxUploadMB == 0 {
		server.MaxUploadMB = 50
	}
	if server.SessionHours == 0 {
		server.SessionHours = 12
	}
	s := &site{Server: server, style: findStyle(assets.Complete())}
	if !s.style.Full {
		s.Log.Warn("le pagine sono in HTML semplice: mancano stile e caratteri, eseguire make assets e ricompilare")
	}
	e.HTTPErrorHandler = s.errors(e.HTTPErrorHandler)
	e.GET("/risorse/*", s.asset, middleware.Gzip())

	e.GET("/accedi", s.open(s.signInPage))
	e.POST("/accedi", s.open(s.signIn))

	e.GET("/contatti", s.open(s.contacts))
	e.GET("/condizioni", s.open(s.terms))

	e.GET("/", s.page(s.home))
	e.POST("/esci", s.page(s.signOut))
	e.GET("/procedure", s.page(s.list))
	e.GET("/procedure/nuova", s.page(s.openings))
	e.GET("/procedure/nuova/:workflow/:event", s.page(s.openingForm))
	e.POST("/procedure/nuova/:workflow/:event", s.page(s.openCase))
	e.GET("/procedure/:id", s.page(s.caseDetail))
	e.GET("/procedure/:id/storia", s.page(s.history))
	e.GET("/procedure/:id/com-era", s.page(s.asOf))
	e.GET("/procedure/:id/fascicolo", s.page(s.dossier))
	e.GET("/procedure/:id/ricevute", s.page(s.receipts))
	e.GET("/ricevute/:id", s.page(s.receiptFile))
	e.POST("/procedure/:id/documenti", s.page(s.upload))
	e.GET("/procedure/:id/azioni/:event", s.page(s.actionForm))
	e.POST("/procedure/:id/azioni/:event", s.page(s.fire))
	e.GET("/documenti/:id", s.page(s.download))
	e.GET("/avvisi", s.page(s.notices))
	e.POST("/avvisi/letti", s.page(s.readNotices))
	e.GET("/avvisi/impostazioni", s.page(s.preferences))
	e.POST("/avvisi/impostazioni", s.page(s.savePreferences))
	e.POST("/avvisi/calendario", s.page(s.calendarLink))
	e.GET("/avvisi/webhook", s.page(s.webhooks))
	e.POST("/avvisi/webhook", s.page(s.newWebhook))
	e.GET("/avvisi/webhook/:id", s.page(s.webhook))
	e.POST("/avvisi/webhook/:id", s.page(s.changeWebhook))
	e.GET("/avvisi/posta", s.page(s.mails))
	e.GET("/avvisi/posta/:file", s.page(s.mailFile))
	e.GET("/calendario/:file", s.open(s.calendar))
	e.GET("/procedure/:id/termini/:termine/:modo", s.page(s.handForm))
	e.POST("/procedure/:id/termini/:termine/:modo", s.page(s.changeByHand))
	e.GET("/scadenze", s.page(s.deadlines))
	e.GET("/malfunzionamenti", s.page(s.outages))
	e.POST("/malfunzionamenti", s.page(s.recordOutage))
	e.GET("/efficienza", s.page(s.efficiency))
	e.GET("/flussi", s.page(s.workflows))
	e.GET("/flussi/:hash", s.page(s.workflow))
	e.GET("/flussi/:hash/grafo.svg", s.page(s.graph))
}
