package web

import (
	"mime"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
)

// receiptsView is the page of the receipts of certified mail about a case.
type receiptsView struct {
	Trail []crumb
	Title string
	Rows  []receiptRow
}

type receiptRow struct {
	ID, Kind, Event, At, Provider, Signer, SHA256 string
	Proof, Whole                                  bool
}

var receiptKinds = map[string]string{
	"accettazione": "Accettazione", "non-accettazione": "Mancata accettazione", "presa-in-carico": "Presa in carico", "avvenuta-consegna": "Avvenuta consegna",
	"errore-consegna": "Mancata consegna", "mancata-consegna": "Mancata consegna", "preavviso-errore-consegna": "Preavviso di mancata consegna", "rilevazione-virus": "Virus rilevato",
}

func (s *site) receipts(c echo.Context, who visitor) error {
	ctx := c.Request().Context()
	detail, err := s.Engine.Case(ctx, who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	all, err := s.Engine.Receipts(ctx, who.Actor, detail.ID)
	if err != nil {
		return err
	}
	def, err := s.Engine.Definition(detail.Hash)
	if err != nil {
		return err
	}
	v := receiptsView{Trail: trail(detail, "Ricevute PEC"), Title: titleOf(detail.Summary)}
	for _, r := range all {
		row := receiptRow{ID: r.ID, Kind: r.Kind, Event: r.Event, At: moment(r.Certified), Provider: r.Provider, Signer: r.Signer, SHA256: r.SHA256, Proof: r.Effective, Whole: r.Whole}
		if label, ok := receiptKinds[r.Kind]; ok {
			row.Kind = label
		}
		if ev, ok := def.Event(r.Event); ok {
			row.Event = ev.Label.IT
		}
		v.Rows = append(v.Rows, row)
	}
	return show(c, receiptsPage(s.frame(who, "Ricevute PEC", "procedure"), v))
}

// receiptFile sends a receipt as it came, to be opened by a program that checks its signature.
func (s *site) receiptFile(c echo.Context, who visitor) error {
	r, raw, err := s.Engine.Receipt(c.Request().Context(), who.Actor, c.Param("id"))
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": r.Kind + ".eml"}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(raw)))
	return c.Blob(http.StatusOK, "message/rfc822", raw)
}
