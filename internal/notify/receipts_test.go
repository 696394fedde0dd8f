package notify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/province-comuni/sua/internal/notice"
)

// provider is who certifies mail: a certificate for mail, and its key.
type provider struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newProvider(t *testing.T, a *authority) provider {
	cert, key := a.certify(t, func(c *x509.Certificate) {
		c.Subject, c.EmailAddresses = pkix.Name{CommonName: "Gestore PEC"}, []string{"posta-certificata@gestore.example"}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	})
	return provider{cert, key}
}

// must marshals what the test itself has put together.
func must(t *testing.T, v any, params ...string) []byte {
	t.Helper()
	b, err := asn1.MarshalWithParams(v, strings.Join(params, ","))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign makes a detached CMS signature over content.
func (p provider) sign(t *testing.T, content []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(content)
	attr := func(oid asn1.ObjectIdentifier, value []byte) []byte {
		return must(t, struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue
		}{oid, asn1.RawValue{Class: 0, Tag: 17, IsCompound: true, Bytes: value}})
	}
	attributes := append(attr(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, must(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})), attr(oidDigestValue, must(t, digest[:]))...)
	sum := sha256.Sum256(must(t, asn1.RawValue{Class: 0, Tag: 17, IsCompound: true, Bytes: attributes}))
	signature, err := p.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	sha := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}
	signerInfo := must(t, struct {
		Version    int
		ID         asn1.RawValue
		Digest     pkix.AlgorithmIdentifier
		Attributes asn1.RawValue
		Algorithm  pkix.AlgorithmIdentifier
		Signature  []byte
	}{1, asn1.RawValue{FullBytes: must(t, struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}{asn1.RawValue{FullBytes: p.cert.RawIssuer}, p.cert.SerialNumber})}, sha, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: attributes},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, signature})
	data := must(t, struct {
		Version      int
		Digests      asn1.RawValue
		Content      struct{ Type asn1.ObjectIdentifier }
		Certificates asn1.RawValue
		Signers      asn1.RawValue
	}{1, asn1.RawValue{Class: 0, Tag: 17, IsCompound: true, Bytes: must(t, sha)}, struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}},
		asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: p.cert.Raw}, asn1.RawValue{Class: 0, Tag: 17, IsCompound: true, Bytes: signerInfo}})
	return must(t, struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSigned, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: data}})
}

// receipt is a message in the structure of RFC 6109.
func (p provider) receipt(t *testing.T, kind, messageID string) []byte {
	t.Helper()
	inner := strings.ReplaceAll(`Content-Type: multipart/mixed; boundary="inner"

--inner
Content-Type: text/plain; charset=utf-8

Ricevuta di `+kind+`.
--inner
Content-Type: application/xml; name="daticert.xml"
Content-Transfer-Encoding: base64
Content-Disposition: inline; filename="daticert.xml"

`+base64.StdEncoding.EncodeToString([]byte(`<?xml version="1.0" encoding="UTF-8"?>
<postacert tipo="`+kind+`" errore="nessuno"><intestazione><mittente>sua@pec.provincia.example</mittente><destinatari tipo="certificato">rup@pec.comune.example</destinatari><risposte>sua@pec.provincia.example</risposte><oggetto>x</oggetto></intestazione>
<dati><gestore-emittente>Gestore Uno</gestore-emittente><data zona="+0100"><giorno>02/03/2026</giorno><ora>10:15:30</ora></data><identificativo>opec1</identificativo><msgid>&lt;`+messageID+`&gt;</msgid><ricevuta tipo="completa"/><consegna>rup@pec.comune.example</consegna></dati></postacert>`))+`
--inner--
`, "\n", "\r\n")
	inner = strings.TrimSuffix(inner, "\r\n")
	p7 := base64.StdEncoding.EncodeToString(p.sign(t, []byte(inner)))
	return []byte("From: posta-certificata@gestore.example\r\nSubject: RICEVUTA\r\nX-Ricevuta: " + kind + "\r\nX-Riferimento-Message-ID: <" + messageID + ">\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"outer\"\r\n\r\nThis is signed.\r\n--outer\r\n" +
		inner + "\r\n--outer\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n" + p7 + "\r\n--outer--\r\n")
}

func pool(a *authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func TestReceiptIsRead(t *testing.T) {
	ca := newAuthority(t, "Certificatore")
	raw := newProvider(t, ca).receipt(t, "avvenuta-consegna", "0196-n@pec.provincia.example")
	r, err := ReadReceipt(raw, pool(ca), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != "avvenuta-consegna" || r.MessageID != "<0196-n@pec.provincia.example>" || r.Provider != "Gestore Uno" || r.To != "rup@pec.comune.example" ||
		!r.Certified.Equal(time.Date(2026, 3, 2, 9, 15, 30, 0, time.UTC)) || !strings.Contains(r.Signer, "Gestore PEC") || len(r.SHA256) != 64 {
		t.Errorf("%+v", r)
	}
}

func TestForgedReceiptsAreNotBelieved(t *testing.T) {
	ca := newAuthority(t, "Certificatore")
	good := newProvider(t, ca)
	raw := good.receipt(t, "avvenuta-consegna", "a@b")
	stranger := newProvider(t, newAuthority(t, "Certificatore")) // same name, other key
	server := good
	server.cert, server.key = ca.certify(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	noSignature := []byte("X-Ricevuta: avvenuta-consegna\r\nContent-Type: text/plain\r\n\r\nfidati\r\n")
	for name, c := range map[string][]byte{
		"changed inside":      bytes.Replace(raw, []byte("Ricevuta di"), []byte("Ricevuta da"), 1),
		"another authority":   stranger.receipt(t, "avvenuta-consegna", "a@b"),
		"not made for mail":   server.receipt(t, "avvenuta-consegna", "a@b"),
		"not signed":          noSignature,
		"signature cut":       bytes.Replace(raw, []byte("name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMII"), []byte("name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMIJ"), 1),
		"a third part":        bytes.Replace(raw, []byte("\r\n--outer--"), []byte("\r\n--outer\r\nContent-Type: application/xml; name=daticert.xml\r\n\r\n<postacert/>\r\n--outer--"), 1),
		"another's signature": bytes.Replace(raw, raw[bytes.Index(raw, []byte("smime.p7s")):], good.receipt(t, "accettazione", "a@b")[bytes.Index(good.receipt(t, "accettazione", "a@b"), []byte("smime.p7s")):], 1),
	} {
		if _, err := ReadReceipt(c, pool(ca), time.Now()); !errors.Is(err, errUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadReceipt(raw, pool(ca), time.Now().Add(48*time.Hour)); !errors.Is(err, errUnsigned) {
		t.Errorf("an expired certificate: %v", err)
	}
	if _, err := ReadReceipt([]byte("Subject: ciao\r\n\r\nx"), pool(ca), time.Now()); !errors.Is(err, errNoReceipt) {
		t.Errorf("a letter: %v", err)
	}
	// what stands outside the signature is not believed: the id comes from inside
	outside := bytes.Replace(raw, []byte("X-Riferimento-Message-ID: <a@b>"), []byte("X-Riferimento-Message-ID: <other@b>"), 1)
	if r, err := ReadReceipt(outside, pool(ca), time.Now()); err != nil || r.MessageID != "<a@b>" {
		t.Errorf("%+v %v", r, err)
	}
}

// Indefinite lengths, as some providers write them.
func TestIndefiniteLengths(t *testing.T) {
	ca := newAuthority(t, "Certificatore")
	content := []byte("Content-Type: text/plain\r\n\r\nx")
	der := newProvider(t, ca).sign(t, content)
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	ber := append(append([]byte{der[0], 0x80}, outer.Bytes...), 0, 0)
	if _, err := verifyDetached(ber, content, pool(ca), time.Now()); err != nil {
		t.Error(err)
	}
	for i := range len(ber) { // cut anywhere it must fail, and not panic
		if _, err := verifyDetached(ber[:i], content, pool(ca), time.Now()); err == nil {
			t.Fatalf("believed after %d bytes", i)
		}
	}
}

// mailbox serves an INBOX with these messages over TLS.
func mailbox(t *testing.T, config *tls.Config, messages ...[]byte) (string, *imapmemserver.User) {
	t.Helper()
	user := imapmemserver.NewUser("sua", "segreta")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		put(t, user, m)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, TLSConfig: config, Logger: quiet{},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return l.Addr().String(), user
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return int64(l.Len()) }

func put(t *testing.T, user *imapmemserver.User, m []byte) {
	t.Helper()
	if _, err := user.Append("INBOX", literal{bytes.NewReader(m)}, &imap.AppendOptions{Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

func TestMailboxIsOnlyLookedAt(t *testing.T) {
	ca := newAuthority(t, "Certificatore")
	gestore := newProvider(t, ca)
	forged := bytes.Replace(gestore.receipt(t, "avvenuta-consegna", "z@b"), []byte("Ricevuta di"), []byte("Ricevuta da"), 1)
	address, user := mailbox(t, ca.server(t), gestore.receipt(t, "accettazione", "a@b"), []byte("Subject: ciao\r\n\r\nx\r\n"), forged)
	box := &Mailbox{Server: Server{Address: address, User: "sua", Password: "segreta", TLS: "tls", CA: ca.file}, Roots: pool(ca), Now: time.Now}
	var got []notice.Receipt
	var refused []error
	take := func(_ context.Context, r notice.Receipt) error { got = append(got, r); return nil }
	poll := func(want int) {
		t.Helper()
		if n, err := box.Poll(t.Context(), take, func(err error) { refused = append(refused, err) }); err != nil || n != want {
			t.Fatalf("%d receipts, %v; want %d", n, err, want)
		}
	}
	poll(1)
	poll(0)
	if len(refused) != 1 || !errors.Is(refused[0], errUnsigned) {
		t.Errorf("refused %v", refused)
	}
	put(t, user, gestore.receipt(t, "avvenuta-consegna", "a@b"))
	failing := errors.New("database away")
	if _, err := box.Poll(t.Context(), func(context.Context, notice.Receipt) error { return failing }, nil); !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
	poll(1)
	if got[1].Kind != "avvenuta-consegna" {
		t.Errorf("%+v", got[1])
	}
	status, err := user.Status("INBOX", &imap.StatusOptions{NumMessages: true, NumUnseen: true})
	if err != nil || *status.NumMessages != 4 || *status.NumUnseen != 4 {
		t.Errorf("the mailbox was touched: %v %v", status, err)
	}
	wrong := &Mailbox{Server: box.Server, Roots: box.Roots, Now: time.Now}
	wrong.Server.Password = "sbagliata"
	if _, err := wrong.Poll(t.Context(), take, nil); err == nil || strings.Contains(err.Error(), "sbagliata") {
		t.Errorf("wrong password: %v", err)
	}
}
