package api

import (
	"context"
	"net/http"
	"time"
)

type statusInput struct{ caller }

type statusOutput struct{ Body *Problem }

// pingTimeout bounds how long the database may keep whoever watches waiting.
const pingTimeout = 2 * time.Second

func (s *service) status(ctx context.Context, _ *statusInput) (*statusOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := s.Engine.Ping(ctx); err != nil {
		p := newProblem(http.StatusServiceUnavailable, "unavailable", "la base di dati non risponde").with("Retry-After", "30")
		p.cause = err
		return nil, p
	}
	return &statusOutput{newProblem(http.StatusOK, "ok", "il servizio risponde")}, nil
}

func (s *service) statusRoutes(r *routes) {
	add(r, operation{
		id: "status", method: http.MethodGet, path: "/status", tag: "servizio", open: true, media: problemMedia,
		errors:      []int{http.StatusServiceUnavailable},
		summary:     "Stato del servizio",
		description: "Un problem+json con stato 200 finché il servizio risponde (ModI); 503 se la base di dati non risponde.",
	}, s.status)
}
