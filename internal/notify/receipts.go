package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/province-comuni/sua/internal/notice"
)

// Mailbox reads the receipts of certified mail. It only looks: nothing is marked, moved or deleted, so that people and other programs may
// read the same mailbox. What it has seen it remembers while the program runs; whoever takes the receipts must bear one twice.
type Mailbox struct {
	Server Server
	Roots  *x509.CertPool // authorities of the providers' signatures
	Now    func() time.Time

	validity uint32
	seen     map[imap.UID]bool
}

// lookBack is how old a receipt may be when the program sees it first; largest is the largest message looked at, in bytes.
const (
	lookBack = 15 * 24 * time.Hour
	largest  = 100 << 20
)

// Poll gives each new receipt to take, and returns how many there were. A message that is no receipt is passed over; one that looks like
// a receipt and whose signature does not hold goes to forged. An error of take ends the round: that receipt is given again.
func (b *Mailbox) Poll(ctx context.Context, take func(context.Context, notice.Receipt) error, forged func(error)) (int, error) {
	c, err := b.connect()
	if err != nil {
		return 0, fmt.Errorf("pec mailbox: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	defer c.Close()
	if err := c.Login(b.Server.User, b.Server.Password).Wait(); err != nil {
		return 0, fmt.Errorf("pec mailbox: login: %w", err)
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return 0, fmt.Errorf("pec mailbox: %w", err)
	}
	if b.seen == nil || box.UIDValidity != b.validity {
		b.validity, b.seen = box.UIDValidity, map[imap.UID]bool{}
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Since: b.Now().Add(-lookBack), Smaller: largest}, nil).Wait()
	if err != nil {
		return 0, fmt.Errorf("pec mailbox: search: %w", err)
	}
	taken := 0
	for _, uid := range found.AllUIDs() {
		if b.seen[uid] {
			continue
		}
		raw, err := fetch(c, uid)
		if err != nil {
			return taken, err
		}
		r, err := ReadReceipt(raw, b.Roots, b.Now())
		switch {
		case errors.Is(err, errNoReceipt):
		case err != nil:
			forged(err)
		default:
			if err := take(ctx, r); err != nil {
				return taken, err
			}
			taken++
		}
		b.seen[uid] = true
	}
	return taken, nil
}

func (b *Mailbox) connect() (*imapclient.Client, error) {
	host, _, err := net.SplitHostPort(b.Server.Address)
	if err != nil {
		return nil, err
	}
	config, err := b.Server.tlsConfig(host)
	if err != nil {
		return nil, err
	}
	options := &imapclient.Options{TLSConfig: config, Dialer: &net.Dialer{Timeout: 30 * time.Second}}
	if b.Server.TLS == "starttls" {
		return imapclient.DialStartTLS(b.Server.Address, options)
	}
	config.MinVersion = tls.VersionTLS12
	return imapclient.DialTLS(b.Server.Address, options)
}

// fetch reads a whole message without marking it as read.
func fetch(c *imapclient.Client, uid imap.UID) ([]byte, error) {
	whole := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil {
		return nil, fmt.Errorf("pec mailbox: fetch: %w", err)
	}
	if len(got) == 0 { // deleted meanwhile by another client
		return nil, nil
	}
	return got[0].FindBodySection(whole), nil
}

// errNoReceipt is said of a message that does not claim to be a receipt.
var errNoReceipt = errors.New("not a receipt")

// daticert is the certified data of a receipt (RFC 6109 §4.4).
type daticert struct {
	Kind  string `xml:"tipo,attr"`
	Fault string `xml:"errore,attr"`
	Data  struct {
		Provider string `xml:"gestore-emittente"`
		At       struct {
			Zone string `xml:"zona,attr"`
			Day  string `xml:"giorno"`
			Hour string `xml:"ora"`
		} `xml:"data"`
		MessageID string `xml:"msgid"`
		Delivered string `xml:"consegna"`
	} `xml:"dati"`
}

// ReadReceipt reads a receipt of certified mail. Only what the provider has signed is believed: the headers outside say no more than that
// it claims to be one. errNoReceipt when it does not; any other error means that it must not be believed.
func ReadReceipt(raw []byte, roots *x509.CertPool, now time.Time) (notice.Receipt, error) {
	var r notice.Receipt
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil || m.Header.Get("X-Ricevuta") == "" {
		return r, errNoReceipt
	}
	content, cert, err := openSigned(raw, roots, now)
	if err != nil {
		return r, err
	}
	data, err := certified(content)
	if err != nil {
		return r, err
	}
	at, err := time.Parse("02/01/2006 15:04:05 -0700", data.Data.At.Day+" "+data.Data.At.Hour+" "+data.Data.At.Zone)
	if err != nil {
		return r, fmt.Errorf("receipt: date: %w", err)
	}
	id := strings.Trim(strings.TrimSpace(data.Data.MessageID), "<>")
	if id == "" || data.Kind == "" {
		return r, errors.New("receipt: no message named")
	}
	sum := sha256.Sum256(raw)
	return notice.Receipt{
		Kind: data.Kind, MessageID: "<" + id + ">", Provider: strings.TrimSpace(data.Data.Provider), To: strings.TrimSpace(data.Data.Delivered), Certified: at.UTC(),
		Signer: cert.Subject.String(), SHA256: hex.EncodeToString(sum[:]), Raw: raw,
	}, nil
}

// certified finds daticert.xml in the signed part.
func certified(content []byte) (daticert, error) {
	var out daticert
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return out, fmt.Errorf("receipt: %w", err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return out, fmt.Errorf("receipt: %w", err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if err != nil {
			return out, fmt.Errorf("receipt: no certified data: %w", err)
		}
		media, named, _ := mime.ParseMediaType(p.Header.Get("Content-Type")) // a part that names no type is not the one looked for
		if p.FileName() != "daticert.xml" && named["name"] != "daticert.xml" && !strings.HasSuffix(media, "/xml") {
			continue
		}
		var body io.Reader = io.LimitReader(p, 1<<20)
		if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		if err := xml.NewDecoder(body).Decode(&out); err != nil {
			return out, fmt.Errorf("receipt: certified data: %w", err)
		}
		return out, nil
	}
}
