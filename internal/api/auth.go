package api

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// admit stands before every operation: who is it, and have they not asked too much. No cookie is ever read here, so that a
// page of somebody else cannot use a person's session.
func (s *service) admit(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	setHeaders(c)
	if strings.HasPrefix(s.PublicURL, "https:") {
		c.Response().Header().Set(echo.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	defer s.survive(c)
	actor, err := s.bearer(c)
	if limited := s.spend(c, actor); limited != nil {
		err = limited
	} else if isOpen(ctx.Operation()) {
		err = nil
	}
	if err == nil {
		err = readable(c)
	}
	if err != nil {
		s.answer(c, problemOf(err))
		return
	}
	c.Set(actorKey, actor)
	next(ctx)
}

// isOpen reports whether the description asks for no token.
func isOpen(op *huma.Operation) bool { return len(op.Security) == 1 && len(op.Security[0]) == 0 }

// survive makes a panic of one request an answer to it.
func (s *service) survive(c echo.Context) {
	r := recover()
	if r == nil {
		return
	}
	if r == http.ErrAbortHandler { // the way to hang up without an answer
		panic(r)
	}
	p := ofStatus(http.StatusInternalServerError)
	p.cause = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
	s.answer(c, p)
}

// bearer returns the person whose token came with the request.
func (s *service) bearer(c echo.Context) (auth.Actor, error) {
	const challenge = `Bearer realm="sua"`
	header := c.Request().Header.Get(echo.HeaderAuthorization)
	if header == "" {
		return auth.Actor{}, newProblem(http.StatusUnauthorized, "token_missing", "serve Authorization: Bearer con il tuo token").
			with(echo.HeaderWWWAuthenticate, challenge)
	}
	scheme, secret, _ := strings.Cut(header, " ")
	unknown := newProblem(http.StatusUnauthorized, "token_unknown", "il token non è valido o è scaduto").
		with(echo.HeaderWWWAuthenticate, challenge+`, error="invalid_token"`)
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" || len(secret) > 500 {
		return auth.Actor{}, unknown
	}
	actor, err := s.Engine.Actor(c.Request().Context(), secret)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return auth.Actor{}, unknown
	case err != nil:
		return auth.Actor{}, err
	case actor.Demo && !auth.Local(c.Request()):
		return auth.Actor{}, newProblem(http.StatusForbidden, "demo_local_only", "gli account dimostrativi valgono solo da questo computer")
	}
	return actor, nil
}

// spend counts the request against the person, or the address while there is none: guessing tokens is bounded too.
func (s *service) spend(c echo.Context, actor auth.Actor) error {
	if s.RatePerMinute <= 0 {
		return nil
	}
	key := "person " + actor.ID
	if actor.ID == "" {
		key = "address " + c.RealIP()
	}
	left, reset, ok := s.limit.take(key)
	seconds := strconv.Itoa(int(math.Ceil(reset.Seconds())))
	h := c.Response().Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.RatePerMinute))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", seconds)
	if !ok {
		return newProblem(http.StatusTooManyRequests, "too_many_requests", "troppe richieste: riprova fra "+seconds+" secondi").
			with("Retry-After", seconds)
	}
	return nil
}

// readable refuses addresses that are not UTF-8: the patterns of parameters let such bytes pass, PostgreSQL does not.
func readable(c echo.Context) error {
	for name, all := range c.QueryParams() {
		for _, v := range append(all, name) {
			if !utf8.ValidString(v) {
				return malformed("l'indirizzo non è in UTF-8")
			}
		}
	}
	for _, v := range c.ParamValues() {
		if !utf8.ValidString(v) {
			return malformed("l'indirizzo non è in UTF-8")
		}
	}
	return nil
}
