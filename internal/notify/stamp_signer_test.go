package notify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// stampCA is an authority of the test that certifies those who stamp.
type stampCA struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func certify(t *testing.T, template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func newStampCA(t *testing.T, from time.Time) stampCA {
	t.Helper()
	cert, key := certify(t, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Radice"}, NotBefore: from, NotAfter: from.AddDate(20, 0, 0),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}, nil, nil)
	return stampCA{t, cert, key}
}

func (ca stampCA) roots() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.cert)
	return p
}

// stamp stamps data at an instant with a certificate that is valid for a year from a day on.
func (ca stampCA) stamp(data []byte, at, validFrom time.Time, usage x509.ExtKeyUsage) []byte {
	ca.t.Helper()
	cert, key := certify(ca.t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Marche"}, NotBefore: validFrom, NotAfter: validFrom.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}}, ca.cert, ca.key)
	sum := sha256.Sum256(data)
	s := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: at, Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true}
	answer, err := s.CreateResponseWithOpts(cert, key, crypto.SHA256)
	if err != nil {
		ca.t.Fatal(err)
	}
	return answer
}

func TestAStampIsWorthItsAuthority(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	ca, other := newStampCA(t, now.AddDate(-10, 0, 0)), newStampCA(t, now.AddDate(-10, 0, 0))
	data := []byte("sua.example.it/log\n3\n…\n")
	good := ca.stamp(data, now, now.AddDate(0, -1, 0), x509.ExtKeyUsageTimeStamping)
	if who, err := StampSigner(good, ca.roots()); err != nil || who != "CN=Marche" {
		t.Errorf("a good stamp: %q, %v", who, err)
	}
	for name, x := range map[string]struct {
		answer []byte
		roots  *x509.CertPool
	}{
		"of another authority":             {good, other.roots()},
		"of nobody known":                  {good, x509.NewCertPool()},
		"by who may not stamp":             {ca.stamp(data, now, now.AddDate(0, -1, 0), x509.ExtKeyUsageServerAuth), ca.roots()},
		"after the certificate was over":   {ca.stamp(data, now.AddDate(0, 0, -1), now.AddDate(-3, 0, 0), x509.ExtKeyUsageTimeStamping), ca.roots()},
		"before the certificate was valid": {ca.stamp(data, now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0), x509.ExtKeyUsageTimeStamping), ca.roots()},
	} {
		if who, err := StampSigner(x.answer, x.roots); err == nil {
			t.Errorf("a stamp %s is trusted as of %s", name, who)
		}
	}
	if _, err := StampSigner([]byte("x"), ca.roots()); err == nil {
		t.Error("what is no stamp is trusted")
	}
}

// An answer of an authority that nobody knows is not kept.
func TestTrustedStamperWantsItsAuthority(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Second)
	if _, err := TrustedStamper(tsa(t, at, nil), newStampCA(t, at.AddDate(-1, 0, 0)).roots())(t.Context(), []byte("x")); !errors.Is(err, errUnsigned) {
		t.Errorf("the answer of an unknown authority: %v", err)
	}
	silent := httptest.NewServer(http.NotFoundHandler())
	defer silent.Close()
	if _, err := TrustedStamper(silent.URL, x509.NewCertPool())(t.Context(), []byte("x")); err == nil || errors.Is(err, errUnsigned) {
		t.Errorf("no answer: %v", err)
	}
}
