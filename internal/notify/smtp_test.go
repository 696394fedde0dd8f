package notify

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/province-comuni/sua/internal/notice"
)

// authority certifies what the tests' servers and providers show.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // in PEM
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err == nil {
		err = os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// certify gives a certificate, with change applied to what it says.
func (a *authority) certify(t *testing.T, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) server(t *testing.T) *tls.Config {
	cert, key := a.certify(t, func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses, c.ExtKeyUsage = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
}

// mailServer is a real SMTP server that keeps what it is given and refuses whom it is told to.
type mailServer struct {
	address string
	mu      sync.Mutex
	got     [][]byte
	secure  []bool
	refuse  error
}

type mailSession struct {
	s    *mailServer
	conn *smtp.Conn
	user string
}

func (m *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (m *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "sua" || password != "segreta" {
			return smtp.ErrAuthFailed
		}
		m.user = user
		return nil
	}), nil
}
func (m *mailSession) Reset()        {}
func (m *mailSession) Logout() error { return nil }
func (m *mailSession) Mail(string, *smtp.MailOptions) error {
	if m.user == "" {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (m *mailSession) Rcpt(string, *smtp.RcptOptions) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	return m.s.refuse
}
func (m *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	_, secure := m.conn.TLSConnectionState()
	m.s.got, m.s.secure = append(m.s.got, b), append(m.s.secure, secure)
	return err
}

func newMailServer(t *testing.T, config *tls.Config, implicit bool) *mailServer {
	t.Helper()
	s := &mailServer{}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{s: s, conn: c}, nil }))
	server.Domain, server.TLSConfig, server.ErrorLog = "localhost", config, quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, config)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-done); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

var (
	from    = Sender{From: "SUA Padova <sua@provincia.example>", ReplyTo: "ufficio@provincia.example", Preferences: "https://sua.example/avvisi/impostazioni"}
	message = notice.Message{
		ID: "0196-n", Thread: "0196-root", To: "rup@comune.example", Name: "Nicolò Però", Lang: "it", Subject: "Città: richiesta accettata",
		Text: "È accettata.\n\nhttps://sua.example/procedure/1\n", HTML: "<p>È accettata.</p>", At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
	}
)

func check(t *testing.T, raw []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != message.Subject {
		t.Errorf("subject %q %v", subject, err)
	}
	for h, want := range map[string]string{
		"Message-Id": "<0196-n@provincia.example>", "References": "<0196-root@provincia.example>", "Auto-Submitted": "auto-generated",
		"List-Unsubscribe": "<https://sua.example/avvisi/impostazioni>", "Reply-To": "<ufficio@provincia.example>", "Content-Language": "it",
	} {
		if got := m.Header.Get(h); got != want {
			t.Errorf("%s: %q, want %q", h, got, want)
		}
	}
	if to, err := m.Header.AddressList("To"); err != nil || to[0].Address != "rup@comune.example" || to[0].Name != "Nicolò Però" {
		t.Errorf("To: %v %v", to, err)
	}
	if at, err := m.Header.Date(); err != nil || !at.Equal(message.At) {
		t.Errorf("Date: %v %v", at, err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil || !strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/alternative") || !bytes.Contains(body, []byte("text/html")) || !bytes.Contains(body, []byte("accettata.")) {
		t.Errorf("%v %s: %s", err, m.Header.Get("Content-Type"), body)
	}
}

func TestMailsLeaveEncrypted(t *testing.T) {
	ca := newAuthority(t, "Posta di prova")
	for _, mode := range []string{"starttls", "tls"} {
		server := newMailServer(t, ca.server(t), mode == "tls")
		send, err := SMTP(Server{Address: server.address, User: "sua", Password: "segreta", TLS: mode, CA: ca.file}, from)
		if err != nil {
			t.Fatal(err)
		}
		id, err := send(t.Context(), message)
		if err != nil || id != "<0196-n@provincia.example>" {
			t.Fatalf("%s: %q %v", mode, id, err)
		}
		if len(server.got) != 1 || !server.secure[0] {
			t.Fatalf("%s: %d mails, secure %v", mode, len(server.got), server.secure)
		}
		check(t, server.got[0])
	}
}

func TestMailServerThatRefuses(t *testing.T) {
	ca := newAuthority(t, "Posta di prova")
	server := newMailServer(t, ca.server(t), false)
	sender := func(s Server) error {
		send, err := SMTP(s, from)
		if err != nil {
			t.Fatal(err)
		}
		_, err = send(t.Context(), message)
		return err
	}
	good := Server{Address: server.address, User: "sua", Password: "segreta", TLS: "starttls", CA: ca.file}
	server.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	if err := sender(good); !notice.IsPermanent(err) {
		t.Errorf("550: %v", err)
	}
	server.refuse = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
	if err := sender(good); err == nil || notice.IsPermanent(err) {
		t.Errorf("451: %v", err)
	}
	server.refuse = nil
	for name, change := range map[string]func(*Server){
		"wrong password":                         func(s *Server) { s.Password = "sbagliata" },
		"foreign authority":                      func(s *Server) { s.CA = newAuthority(t, "Altra").file },
		"nobody listens":                         func(s *Server) { s.Address = "127.0.0.1:1" },
		"TLS from the start where there is none": func(s *Server) { s.TLS = "tls" },
	} {
		bad := good
		change(&bad)
		if err := sender(bad); err == nil || notice.IsPermanent(err) || strings.Contains(err.Error(), "segreta") || strings.Contains(err.Error(), "sbagliata") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// a server that offers no encryption gets neither mail nor password
	plain := newMailServer(t, nil, false)
	bad := good
	bad.Address = plain.address
	if err := sender(bad); err == nil || len(plain.got) > 0 {
		t.Errorf("without TLS: %v, %d mails", err, len(plain.got))
	}
	if len(server.got) != 0 {
		t.Errorf("%d mails got through", len(server.got))
	}
}

func TestMailsKeptInAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "mail")
	keep, err := Folder(folder, from)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // again: the same mail
		if id, err := keep(context.Background(), message); err != nil || id != "<0196-n@provincia.example>" {
			t.Fatal(id, err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 || files[0].Name() != "0196-n.eml" {
		t.Fatalf("%v %v", files, err)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "0196-n.eml"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, raw)
	if info, err := os.Stat(filepath.Join(folder, "0196-n.eml")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// What a notice says cannot add a header or a recipient.
func TestNoHeaderIsSmuggledIn(t *testing.T) {
	folder := t.TempDir()
	keep, err := Folder(folder, from)
	if err != nil {
		t.Fatal(err)
	}
	bad := message
	bad.Subject, bad.Name = "Scuola\r\nBcc: ladro@example.org", "x\r\nBcc: ladro@example.org"
	if _, err := keep(context.Background(), bad); err == nil {
		raw, err := os.ReadFile(filepath.Join(folder, "0196-n.eml"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil || m.Header.Get("Bcc") != "" {
			t.Errorf("%v\n%s", err, raw)
		}
	}
	bad.To = "a@example.org, b@example.org"
	if _, err := keep(context.Background(), bad); !notice.IsPermanent(err) {
		t.Errorf("two addresses: %v", err)
	}
}
