package web

import "github.com/labstack/echo/v4"

// The two pages that the description of the API names, open to everybody.

func (s *site) contacts(c echo.Context, who visitor) error {
	return show(c, contactsPage(s.frame(who, "Contatti", ""), s.Contacts))
}

func (s *site) terms(c echo.Context, who visitor) error {
	return show(c, termsPage(s.frame(who, "Condizioni d'uso", ""), s.Contacts))
}

// silent reports whether nobody has said how to reach the office.
func (c Contacts) silent() bool { return c.Email == "" && c.PEC == "" && c.Phone == "" }
