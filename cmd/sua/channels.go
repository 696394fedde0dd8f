package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/notify"
	"github.com/province-comuni/sua/internal/store"
)

// noticesEvery is the pause between two looks for notices to make and to send.
const noticesEvery = 2 * time.Second

// sequenceEvery is the pause between two numberings of events.
const sequenceEvery = 500 * time.Millisecond

// receiptsEvery is the pause between two looks into the mailbox of certified mail.
const receiptsEvery = time.Minute

// channels gives the engine the ways out that the configuration names.
func (p *program) channels(ec *engine.Config) error {
	c := p.cfg
	from := notify.Sender{From: c.Mail.From, ReplyTo: c.Mail.ReplyTo, Preferences: c.PublicURL + "/avvisi/impostazioni"}
	var mail func(context.Context, notice.Message) (string, error)
	var err error
	if c.Mail.SMTP == "" {
		mail, err = notify.Folder(c.Mail.Folder, from)
	} else {
		mail, err = notify.SMTP(notify.Server{Address: c.Mail.SMTP, User: c.Mail.User, Password: c.Mail.Password, TLS: c.Mail.TLS, CA: c.Mail.CA}, from)
	}
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ec.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){
		store.ChannelMail: mail, store.ChannelWebhook: notify.Webhooks(c.Webhooks.Private, time.Now),
	}
	if c.PEC.Address != "" {
		handIn := notify.Server{Address: c.PEC.SMTP, User: c.PEC.User, Password: c.PEC.Password, TLS: c.PEC.TLS, CA: c.PEC.CA}
		if ec.Notices.Senders[store.ChannelPEC], err = notify.SMTP(handIn, notify.Sender{From: c.PEC.Address, Plain: true}); err != nil {
			return fmt.Errorf("pec: %w", err)
		}
		roots, err := notify.Roots(c.PEC.Roots)
		if err != nil {
			return fmt.Errorf("pec.roots: %w", err)
		}
		handIn.Address = c.PEC.IMAP
		p.mailbox = &notify.Mailbox{Server: handIn, Roots: roots, Now: time.Now}
	}
	ec.Notices.PublicURL, ec.Notices.PrivateWebhooks = c.PublicURL, c.Webhooks.Private
	ec.Notices.EscalateAfter = time.Duration(c.Notices.EscalateDays) * 24 * time.Hour
	return nil
}

// outbox is the folder of mails that were kept instead of sent; nil when a server takes them.
func (p *program) outbox() fs.FS {
	if p.cfg.Mail.SMTP != "" {
		return nil
	}
	return os.DirFS(p.cfg.Mail.Folder)
}
