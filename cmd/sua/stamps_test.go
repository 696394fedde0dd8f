package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	mathbig "math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// stampOf stamps a note as an authority that certifies itself, and writes its certificate to a file.
func stampOf(t *testing.T, note []byte, file string) []byte {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: mathbig.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "Marche di prova"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(note)
	s := timestamp.Timestamp{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: now, Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true}
	answer, err := s.CreateResponseWithOpts(cert, key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// What log verify says of a stamp, without authorities, with the right one and with another.
func TestStampsAreHeldAgainstTheirAuthorities(t *testing.T) {
	_, db := imported(t)
	note, _, err := again(t, "log", "checkpoint", "--now")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	right, wrong := filepath.Join(folder, "right.pem"), filepath.Join(folder, "wrong.pem")
	stampOf(t, []byte(note), wrong)
	if _, err := db.Exec("INSERT INTO checkpoint_copies (size, kind, target, at, body) SELECT size, 'tsa', 'https://tsa.example', at, ? FROM checkpoints", stampOf(t, []byte(note), right)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		roots, want string
		fails       bool
		status      string
	}{{"", "autorità non verificata", false, "unverified"}, {right, "autorità verificata: CN=Marche di prova", false, "verified"}, {wrong, "NON VALIDA", true, "invalid"}} {
		t.Setenv("SUA_MERKLE_TSA_ROOTS", x.roots)
		out, _, err := again(t, "log", "verify")
		if !strings.Contains(out, x.want) || errors.Is(err, errSaid) != x.fails || err != nil && !x.fails {
			t.Errorf("with %q: %v\n%s", x.roots, err, out)
		}
		out, _, err = again(t, "log", "verify", "--json")
		stampInJSON(t, out, x.status)
		if errors.Is(err, errSaid) != x.fails || err != nil && !x.fails {
			t.Errorf("with %q, as JSON: %v", x.roots, err)
		}
	}
	t.Setenv("SUA_MERKLE_TSA_ROOTS", filepath.Join(folder, "none.pem"))
	if _, _, err := again(t, "log", "verify"); err == nil || !strings.Contains(err.Error(), "merkle.tsa_roots") {
		t.Errorf("authorities that are not there: %v", err)
	}
}

// stampInJSON looks whether programs are told what people are: one stamp, with all that the text says of it.
func stampInJSON(t *testing.T, out, status string) {
	t.Helper()
	var got struct {
		Signed int64             `json:"signed"`
		Faults []json.RawMessage `json:"faults"`
		Stamps []struct {
			Size                             int64
			Authority, Status, Signer, Fault string
			At                               time.Time
		} `json:"stamps"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Faults == nil || len(got.Stamps) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	s := got.Stamps[0]
	if s.Status != status || s.Size != got.Signed || s.Size == 0 || s.Authority != "https://tsa.example" || s.At.IsZero() || s.At.Location() != time.UTC ||
		(s.Signer == "CN=Marche di prova") != (status == "verified") || (s.Fault != "") != (status == "invalid") {
		t.Errorf("want %s: %+v", status, s)
	}
}
