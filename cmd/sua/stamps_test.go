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
	}{{"", "autorità non verificata", false}, {right, "autorità verificata: CN=Marche di prova", false}, {wrong, "NON VALIDA", true}} {
		t.Setenv("SUA_MERKLE_TSA_ROOTS", x.roots)
		out, _, err := again(t, "log", "verify")
		if !strings.Contains(out, x.want) || errors.Is(err, errSaid) != x.fails || err != nil && !x.fails {
			t.Errorf("with %q: %v\n%s", x.roots, err, out)
		}
	}
	t.Setenv("SUA_MERKLE_TSA_ROOTS", filepath.Join(folder, "none.pem"))
	if _, _, err := again(t, "log", "verify"); err == nil || !strings.Contains(err.Error(), "merkle.tsa_roots") {
		t.Errorf("authorities that are not there: %v", err)
	}
}
