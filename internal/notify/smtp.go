package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/province-comuni/sua/internal/notice"
)

// Server is where mail is handed in (SMTP) or read (IMAP).
type Server struct {
	Address        string // host:port
	User, Password string // no user: no authentication
	TLS            string // tls from the first byte, starttls, none
	CA             string // file of more authorities (PEM); empty: those of the machine
}

// tlsConfig checks the server by its name.
func (s Server) tlsConfig(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s.CA == "" {
		return c, nil
	}
	pool, err := Roots(s.CA)
	c.RootCAs = pool
	return c, err
}

// Roots reads authorities from a file in PEM.
func Roots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("autorità: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("autorità: nessun certificato in %s", file)
	}
	return pool, nil
}

// mailTime bounds one exchange with a mail server.
const mailTime = time.Minute

// SMTP returns a function that hands mails in to a server, one connection each. A recipient or content that the server refuses for good
// is a *notice.Permanent; everything else may pass.
func SMTP(server Server, from Sender) (func(context.Context, notice.Message) (string, error), error) {
	host, port, err := net.SplitHostPort(server.Address)
	if err != nil {
		return nil, fmt.Errorf("server di posta: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("server di posta: %w", err)
	}
	config, err := server.tlsConfig(host)
	if err != nil {
		return nil, err
	}
	options := []gomail.Option{gomail.WithPort(number), gomail.WithTimeout(mailTime), gomail.WithTLSConfig(config)}
	switch server.TLS {
	case "tls":
		options = append(options, gomail.WithSSL())
	case "none":
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if server.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(server.User), gomail.WithPassword(server.Password))
	}
	if _, _, err := from.domain(); err != nil {
		return nil, err
	}
	return func(ctx context.Context, m notice.Message) (string, error) {
		msg, id, err := from.compose(m)
		if err != nil {
			return "", err
		}
		client, err := gomail.NewClient(host, options...)
		if err != nil {
			return "", fmt.Errorf("mail server: %w", err)
		}
		return id, refused(client.DialAndSendWithContext(ctx, msg))
	}, nil
}

// refused marks what a server said no to for good, of this recipient or this mail.
func refused(err error) error {
	var no *gomail.SendError
	if !errors.As(err, &no) || no.IsTemp() || no.ErrorCode() < 500 {
		return err
	}
	if no.Reason == gomail.ErrSMTPRcptTo || no.Reason == gomail.ErrSMTPData || no.Reason == gomail.ErrSMTPDataClose {
		return &notice.Permanent{Err: err}
	}
	return err
}
