// Package notice turns what happened into words for a person: templates in two languages, checked at start, and the message that
// they make, as text and as HTML.
//
// It is pure. Which values a template gets is decided by package engine, which leaves out what the person may not see; how a
// message travels is package notify.
package notice

import (
	"errors"
	"time"
)

// Text is what people read, in Italian and in English.
type Text struct {
	IT string `json:"it"`
	EN string `json:"en"`
}

// In returns the text in the language asked ("en"), Italian otherwise or when English is missing.
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.IT
}

// Values are what the fields of a template stand for. A field without a value stands for nothing.
type Values map[string]Text

// Fields is the closed list of what a template may name, and what each means.
var Fields = map[string]string{
	"case.title":        "oggetto della procedura",
	"case.label":        "nome della pratica nel suo albero: «Lotto 2»",
	"case.cig":          "CIG",
	"case.state":        "stato in cui la pratica si trova",
	"body":              "il Comune o ente",
	"sua":               "la stazione unica appaltante",
	"event.label":       "che cosa è avvenuto",
	"event.day":         "il giorno da cui ha effetto",
	"reason":            "la motivazione data",
	"law":               "la norma dell'evento o del termine",
	"deadline.label":    "il termine",
	"deadline.last_day": "l'ultimo giorno utile",
	"deadline.left":     "i giorni che mancano",
	"deadline.then":     "che cosa avviene alla scadenza",
	"deadline.blocked":  "che cosa trattiene il termine",
	"deadline.others":   "gli altri termini cambiati con questo, fino a tre per nome",
	"document":          "l'identificativo del documento (solo nell'avviso di uno danneggiato)",
	"list":              "l'elenco degli avvisi (solo nel riepilogo)",
	"link":              "l'indirizzo della pratica",
	"settings":          "l'indirizzo della pagina in cui si sceglie come ricevere gli avvisi (solo nelle mail)",
}

// Message is a notice ready to travel.
type Message struct {
	ID      string // of the notice: the Message-ID of mails, the webhook-id of webhooks
	Thread  string // root of the case's tree: mails about it stand together
	To      string // address: mail, PEC or URL
	Name    string // of the person, for the mail's header
	Lang    string
	Subject string
	Text    string
	HTML    string
	At      time.Time

	Secret  string // webhook: what signs
	Payload []byte // webhook: the body
	Event   string // webhook: type
}

// Permanent wraps an error that another attempt would meet again: a refused recipient, a forbidden address.
type Permanent struct{ Err error }

func (p *Permanent) Error() string { return p.Err.Error() }

// Unwrap gives the cause.
func (p *Permanent) Unwrap() error { return p.Err }

// IsPermanent reports whether trying again is useless.
func IsPermanent(err error) bool { return errors.As(err, new(*Permanent)) }

// Receipt is what the provider of certified mail (PEC, RFC 6109) answered to a message, after its signature was found good.
type Receipt struct {
	Kind      string    // accettazione, avvenuta-consegna, errore-consegna …
	MessageID string    // of our message, with its angle brackets
	Provider  string    // who issued it
	To        string    // whose mailbox, for a delivery
	Certified time.Time // when, as the provider certifies
	Signer    string    // subject of the certificate
	SHA256    string    // of Raw, in hex
	Raw       []byte
}
