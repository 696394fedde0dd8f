// Package notify carries a message to a person or to a program: by SMTP, into a local folder, by certified mail (PEC) with its receipts,
// to a webhook.
//
// It knows nothing of cases. Package engine decides what is said to whom and remembers what became of it; cmd/sua hands it the senders
// made here.
package notify

import (
	"fmt"
	"net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/province-comuni/sua/internal/notice"
)

// Sender is what the mails of the program say of it.
type Sender struct {
	From    string // "SUA Provincia <sua@provincia.example>"
	ReplyTo string // empty: nobody reads answers
	// Preferences is where people choose how they are told; stands in List-Unsubscribe.
	Preferences string
	// Plain leaves out the headers of lists: certified mail goes from one to one.
	Plain bool
}

// domain is the part of the sender's address that makes Message-IDs unique in the world.
func (s Sender) domain() (*mail.Address, string, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return nil, "", fmt.Errorf("mittente %q: %w", s.From, err)
	}
	return from, from.Address[strings.LastIndexByte(from.Address, '@')+1:], nil
}

// compose makes the mail of a message. Its Message-ID is the notice's id: sent twice, it is the same mail.
func (s Sender) compose(m notice.Message) (msg *gomail.Msg, id string, err error) {
	from, domain, err := s.domain()
	if err != nil {
		return nil, "", err
	}
	msg = gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	if err := msg.AddToFormat(m.Name, m.To); err != nil {
		return nil, "", &notice.Permanent{Err: fmt.Errorf("address: %w", err)}
	}
	if s.ReplyTo != "" {
		if err := msg.ReplyTo(s.ReplyTo); err != nil {
			return nil, "", fmt.Errorf("reply_to: %w", err)
		}
	}
	id = m.ID + "@" + domain
	msg.SetMessageIDWithValue(id)
	msg.SetDateWithValue(m.At)
	msg.Subject(m.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", m.Lang)
	if !s.Plain {
		if m.Thread != "" { // mails about one procedure stand together
			msg.SetGenHeaderPreformatted("References", "<"+m.Thread+"@"+domain+">")
			msg.SetGenHeaderPreformatted("In-Reply-To", "<"+m.Thread+"@"+domain+">")
		}
		msg.SetGenHeaderPreformatted("List-Id", "Avvisi SUA <avvisi."+domain+">")
		if s.Preferences != "" {
			msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+s.Preferences+">")
		}
		msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	return msg, "<" + id + ">", nil
}
