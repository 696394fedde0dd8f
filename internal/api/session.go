package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// Demonstration accounts sign in here without a password, and so from this machine only.

type account struct {
	ID    ident             `json:"id"`
	Name  line              `json:"name"`
	Roles list[accountRole] `json:"roles"`
}

type accountRole struct {
	Role labelled `json:"role"`
	Body *ref     `json:"body,omitempty"`
}

type accountsOutput struct{ Body items[account] }

func (s *service) accounts(ctx context.Context, in *workflowsInput) (*accountsOutput, error) {
	all, err := s.demo(ctx, in.echo)
	if err != nil {
		return nil, err
	}
	return &accountsOutput{items[account]{each(all, func(a engine.Account) account {
		return account{ident(a.ID), line(a.Name), each(a.Roles, func(r engine.AccountRole) accountRole {
			return accountRole{labelledBody(r.Role), refOf(r.Body)}
		})}
	})}}, nil
}

// demo returns the accounts, if there are any and the request comes from this machine.
func (s *service) demo(ctx context.Context, c echo.Context) ([]engine.Account, error) {
	if !auth.Local(c.Request()) {
		return nil, newProblem(http.StatusForbidden, "demo_local_only", "gli account dimostrativi valgono solo da questo computer")
	}
	all, err := s.Engine.DemoAccounts(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, newProblem(http.StatusNotFound, "no_demo", "i dati dimostrativi non sono caricati")
	}
	return all, nil
}

type signInRequest struct {
	Account ident `json:"account" doc:"Uno degli account in /session/accounts"`
}

type signInOutput struct{ Body session }

type session struct {
	Token repeatKey `json:"token" doc:"Da mandare in Authorization: Bearer"`
	Type  string    `json:"token_type" enum:"Bearer" maxLength:"10"`
}

func (s *service) signIn(body jsonBody[signInRequest]) func(context.Context, *workflowsInput) (*signInOutput, error) {
	return func(ctx context.Context, in *workflowsInput) (*signInOutput, error) {
		all, err := s.demo(ctx, in.echo)
		if err != nil {
			return nil, err
		}
		req, err := body.read(in.echo.Response(), in.echo.Request())
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			if a.ID == string(req.Account) {
				secret, err := s.Engine.SignInDemo(ctx, a.ID)
				return &signInOutput{session{repeatKey(secret), "Bearer"}}, err
			}
		}
		return nil, &engine.Invalid{Problems: []engine.Problem{fault("/account", "choice", "non è un account dimostrativo", "not a demonstration account")}}
	}
}

func (s *service) signOut(ctx context.Context, in *workflowsInput) (*struct{}, error) {
	_, secret, _ := strings.Cut(in.echo.Request().Header.Get(echo.HeaderAuthorization), " ")
	return nil, s.Engine.SignOut(ctx, strings.TrimSpace(secret))
}

func (s *service) sessionRoutes(r *routes) {
	add(r, operation{
		id: "list-accounts", method: http.MethodGet, path: "/session/accounts", tag: "accesso", open: true,
		errors:      []int{http.StatusForbidden, http.StatusNotFound},
		summary:     "Account dimostrativi",
		description: "Solo da questo computer e solo con i dati dimostrativi.",
	}, s.accounts)
	body := newJSONBody[signInRequest](r)
	add(r, operation{
		id: "sign-in", method: http.MethodPost, path: "/session", tag: "accesso", open: true, status: http.StatusCreated, body: body.doc,
		errors:      []int{http.StatusForbidden, http.StatusNotFound},
		summary:     "Entra con un account dimostrativo",
		description: "Dà un token. Solo da questo computer e solo con i dati dimostrativi.",
	}, s.signIn(body))
	add(r, operation{
		id: "sign-out", method: http.MethodDelete, path: "/session", tag: "accesso", status: http.StatusNoContent,
		summary:     "Esci",
		description: "Il token di questa richiesta non vale più.",
	}, s.signOut)
}
