package notify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// tsa is a time-stamping authority of the test; spoil changes what it stamps.
func tsa(t testing.TB, at time.Time, spoil func(*timestamp.Timestamp)) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "TSA"}, NotBefore: at.Add(-time.Hour), NotAfter: at.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			t.Errorf("asked with %q, %v", r.Header.Get("Content-Type"), err)
		}
		ask, err := timestamp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		stamp := timestamp.Timestamp{HashAlgorithm: ask.HashAlgorithm, HashedMessage: ask.HashedMessage, Time: at, Nonce: ask.Nonce, Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true}
		if spoil != nil {
			spoil(&stamp)
		}
		answer, err := stamp.CreateResponseWithOpts(cert, key, crypto.SHA256)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStamperKeepsOnlyAStampOfTheseBytes(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Second)
	data := []byte("sua.example.it/log\n3\n…\n")
	answer, err := Stamper(tsa(t, at, nil))(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := StampedAt(answer, data); err != nil || !got.Equal(at) {
		t.Errorf("stamped at %v, %v", got, err)
	}
	if _, err := StampedAt(answer, []byte("other")); err == nil {
		t.Error("a stamp of other bytes was taken")
	}
	broken := append([]byte{}, answer...)
	broken[len(broken)-5] ^= 1 // in the signature
	if _, err := StampedAt(broken, data); err == nil {
		t.Error("a broken signature was taken")
	}
	for name, spoil := range map[string]func(*timestamp.Timestamp){
		"of other bytes":      func(s *timestamp.Timestamp) { s.HashedMessage = make([]byte, 32) },
		"to another question": func(s *timestamp.Timestamp) { s.Nonce = big.NewInt(7) },
		"without certificate": func(s *timestamp.Timestamp) { s.AddTSACertificate = false },
	} {
		if _, err := Stamper(tsa(t, at, spoil))(t.Context(), data); err == nil {
			t.Errorf("an answer %s was taken", name)
		}
	}
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	defer refusing.Close()
	if _, err := Stamper(refusing.URL)(t.Context(), data); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("refused: %v", err)
	}
}
