// Package api serves the engine as JSON under /api/v1: one operation per use case, described by OpenAPI, with every error a
// problem+json (RFC 9457) in Italian and a stable code.
//
// It decides nothing about cases: it reads a request strictly, calls package engine as the person whose token came with it,
// and writes the answer. Pages are package web, its sibling on the same Echo; neither sees the other, nor the database.
// Statuses are in problems.go, what a caller must show in auth.go, and the texts that OpenAPI needs beside each handler.
package api

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/engine"
)

// Prefix is where the API stands. A change that breaks clients gets another.
const Prefix = "/api/v1"

// Server is what the API needs from the program that mounts it.
type Server struct {
	Engine *engine.Engine
	// Version of the program, shown in the description; may be empty.
	Version string
	// PublicURL is the address people type, without a trailing slash.
	PublicURL string
	// RatePerMinute bounds the requests of one person or address; 0 sets no limit.
	RatePerMinute int
	// MaxUploadMB is the largest document, in units of 1,048,576 bytes; 0 is 50.
	MaxUploadMB int
	// Log takes faults of ours, by request id; nil discards. Never bodies, never tokens.
	Log *slog.Logger
	// Now is the clock of the rate limit; nil is the machine's.
	Now func() time.Time
	// Stopping, when it is closed, ends the requests that wait for something to happen; nil never does.
	Stopping <-chan struct{}
}

// service is a Server with what it keeps between requests.
type service struct {
	Server
	limit   *limiter
	specs   map[bool][]byte // by "is it 3.0": the descriptions as served
	waiting chan struct{}   // a place for each request that waits for something to happen
}

// Register mounts the API on an Echo that other edges may share. The Echo's HTTPErrorHandler stays the caller's: wrap it with
// ErrorHandler. Unless the caller has set an IPExtractor, the address of a client is that of the connection and no header.
func Register(e *echo.Echo, s Server) error {
	svc := newService(s)
	if e.IPExtractor == nil {
		e.IPExtractor = echo.ExtractIPDirect()
	}
	group := e.Group(Prefix) // with a middleware of its own, echo would answer 404 where 405 is due
	doc := svc.mount(e, group)
	for _, old := range []bool{false, true} {
		spec, err := render(doc, old)
		if err != nil {
			return err
		}
		svc.specs[old] = spec
	}
	svc.serveSpecs(group)
	return nil
}

func newService(s Server) *service {
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.MaxUploadMB == 0 {
		s.MaxUploadMB = 50
	}
	return &service{Server: s, limit: newLimiter(s.RatePerMinute, s.Now), specs: map[bool][]byte{}, waiting: make(chan struct{}, waiters)}
}

// mount registers every operation, in the order in which the description lists them.
func (s *service) mount(e *echo.Echo, group *echo.Group) *huma.OpenAPI {
	r := &routes{service: s}
	r.api = humaecho.NewWithGroup(e, group, s.config())
	r.api.UseMiddleware(s.admit)
	s.caseRoutes(r)
	s.eventRoutes(r)
	s.changeRoutes(r)
	s.documentRoutes(r)
	s.workflowRoutes(r)
	s.peopleRoutes(r)
	s.efficiencyRoutes(r)
	s.noticeRoutes(r)
	s.webhookRoutes(r)
	s.receiptRoutes(r)
	s.sessionRoutes(r)
	s.statusRoutes(r)
	doc := r.api.OpenAPI()
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // huma's own errors never leave: see finish
		delete(doc.Components.Schemas.Map(), unused)
	}
	return doc
}

// setHeaders sets the request id and the headers that belong on every answer, errors included.
func setHeaders(c echo.Context) {
	h := c.Response().Header()
	requestID(c)
	h.Set(echo.HeaderXContentTypeOptions, "nosniff")
	h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	h.Set(echo.HeaderReferrerPolicy, "no-referrer")
	h.Set(echo.HeaderCacheControl, "no-store") // what one person may see is not for the next one
}

// requestID returns the id under which this request is logged, and gives it one when no outer layer has. Ids that come from
// outside are not believed.
func requestID(c echo.Context) string {
	h := c.Response().Header()
	id := h.Get(echo.HeaderXRequestID)
	if id == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		id = hex.EncodeToString(b[:])
		h.Set(echo.HeaderXRequestID, id)
	}
	return id
}
