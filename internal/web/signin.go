package web

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// signInView lists the demonstration accounts, when they may be used from where the visitor sits.
type signInView struct {
	Groups []accountGroup
	Then   string // path to go to afterwards
	Ended  bool   // the visitor comes from a page that needs a session
	Away   bool   // the peer is another machine
	Here   string // address to use on this one
}

// accountGroup is a body with its people.
type accountGroup struct {
	Body     string
	Accounts []accountView
}

type accountView struct {
	ID, Name string
	Roles    string // "RUP", "Istruttore SUA, Seggio di gara"
}

func (s *site) signInPage(c echo.Context, _ visitor) error {
	then := c.QueryParam("poi")
	view := signInView{Then: localPath(then), Here: s.PublicURL, Ended: then != "" && then != "/"}
	if s.Demo {
		view.Away = !auth.Local(c.Request())
	}
	if s.Demo && !view.Away {
		accounts, err := s.Engine.DemoAccounts(c.Request().Context())
		if err != nil {
			return err
		}
		view.Groups = groupAccounts(accounts)
	}
	return show(c, signInPage(s.frame(visitor{}, "Accedi", ""), view))
}

// groupAccounts puts people under the body of their first role, the bodies with most people first.
func groupAccounts(accounts []engine.Account) []accountGroup {
	var groups []accountGroup
	for _, a := range accounts {
		if len(a.Roles) == 0 {
			continue // may do nothing
		}
		var roles []string
		for _, r := range a.Roles {
			roles = append(roles, r.Role.Label.IT)
		}
		body := a.Roles[0].Body.Name
		i := slices.IndexFunc(groups, func(g accountGroup) bool { return g.Body == body })
		if i < 0 {
			i = len(groups)
			groups = append(groups, accountGroup{Body: body})
		}
		groups[i].Accounts = append(groups[i].Accounts, accountView{a.ID, a.Name, strings.Join(roles, ", ")})
	}
	slices.SortFunc(groups, func(a, b accountGroup) int {
		return cmp.Or(cmp.Compare(len(b.Accounts), len(a.Accounts)), cmp.Compare(a.Body, b.Body))
	})
	return groups
}

func (s *site) signIn(c echo.Context, _ visitor) error {
	if !s.Demo || !auth.Local(c.Request()) {
		return echo.NewHTTPError(http.StatusForbidden, "gli account dimostrativi si usano solo dal computer su cui gira il programma")
	}
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, maxForm)
	secret, err := s.Engine.SignInDemo(c.Request().Context(), c.FormValue("account"))
	if err != nil {
		return err
	}
	c.SetCookie(s.cookie(secret, time.Duration(s.SessionHours)*time.Hour))
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("poi")))
}

func (s *site) signOut(c echo.Context, who visitor) error {
	if err := s.Engine.SignOut(c.Request().Context(), who.secret); err != nil {
		return err
	}
	c.SetCookie(s.cookie("", -time.Second))
	return c.Redirect(http.StatusSeeOther, "/accedi")
}

func (s *site) cookie(value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteLaxMode,
	}
}

func (s *site) home(c echo.Context, _ visitor) error {
	return c.Redirect(http.StatusSeeOther, "/procedure")
}
