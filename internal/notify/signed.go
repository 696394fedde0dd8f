package notify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // SHA-256 and SHA-224
	_ "crypto/sha512" // SHA-384 and SHA-512
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"time"
)

// errUnsigned is said of a message whose signature does not hold, whatever the reason that goes with it.
var errUnsigned = errors.New("the signature does not hold")

func unsigned(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errUnsigned}, args...)...)
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version int
	Digests asn1.RawValue
	Content struct {
		Type asn1.ObjectIdentifier
		Data asn1.RawValue `asn1:"explicit,optional,tag:0"`
	}
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version    int
	ID         asn1.RawValue // issuer and serial number, or [0] subject key id
	Digest     pkix.AlgorithmIdentifier
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm  pkix.AlgorithmIdentifier
	Signature  []byte
	Unsigned   asn1.RawValue `asn1:"optional,tag:1"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

var (
	oidSigned      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidDigestValue = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	hashes         = map[string]crypto.Hash{ // SHA-1 is no proof any more
		"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
)

// openSigned checks a multipart/signed message (S/MIME, RFC 8551) and returns the part that is signed, exactly as it was signed, and the
// certificate that signed it. The certificate must descend from roots, be valid now and be made for mail.
func openSigned(raw []byte, roots *x509.CertPool, now time.Time) ([]byte, *x509.Certificate, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, unsigned("not a message: %w", err)
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/signed" || params["boundary"] == "" {
		return nil, nil, unsigned("the message is not signed")
	}
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	parts := bytes.Split(append([]byte("\r\n"), body...), []byte("\r\n--"+params["boundary"]))
	if len(parts) != 4 || !bytes.HasPrefix(parts[1], []byte("\r\n")) || !bytes.HasPrefix(parts[3], []byte("--")) {
		return nil, nil, unsigned("not two parts")
	}
	content := parts[1][2:]
	p7, err := mail.ReadMessage(bytes.NewReader(append(bytes.TrimLeft(parts[2], "\r\n"), "\r\n"...)))
	if err != nil {
		return nil, nil, unsigned("no signature: %w", err)
	}
	var encoded bytes.Buffer
	if _, err := encoded.ReadFrom(p7.Body); err != nil || !strings.EqualFold(p7.Header.Get("Content-Transfer-Encoding"), "base64") {
		return nil, nil, unsigned("the signature cannot be read")
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded.String()), ""))
	if err != nil {
		return nil, nil, unsigned("the signature cannot be read")
	}
	cert, err := verifyDetached(der, content, roots, now)
	return content, cert, err
}

// verifyDetached checks a CMS signature (RFC 5652) over content that stands outside it.
func verifyDetached(p7, content []byte, roots *x509.CertPool, now time.Time) (*x509.Certificate, error) {
	der, rest, err := definite(p7, 0)
	if err != nil || len(rest) > 0 {
		return nil, unsigned("the signature cannot be read")
	}
	var outer contentInfo
	var signed signedData
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !outer.Type.Equal(oidSigned) {
		return nil, unsigned("no signed data")
	}
	if rest, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil || len(rest) > 0 || len(signed.Signers) != 1 || len(signed.Content.Data.Bytes) > 0 {
		return nil, unsigned("no signed data of one signer")
	}
	certs, err := x509.ParseCertificates(signed.Certificates.Bytes)
	if err != nil {
		return nil, unsigned("certificates: %w", err)
	}
	s := signed.Signers[0]
	cert, others := signer(s, certs)
	if cert == nil {
		return nil, unsigned("the signer's certificate is missing")
	}
	if err := s.check(cert, content); err != nil {
		return nil, err
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}); err != nil {
		return nil, unsigned("the signer is not trusted: %w", err)
	}
	return cert, nil
}

// signer finds the certificate that a signature names, and gathers the others.
func signer(s signerInfo, certs []*x509.Certificate) (*x509.Certificate, *x509.CertPool) {
	var found *x509.Certificate
	others := x509.NewCertPool()
	var named struct {
		Issuer asn1.RawValue
		Serial asn1.RawValue
	}
	bySerial := s.ID.Class == asn1.ClassUniversal
	if bySerial {
		if _, err := asn1.Unmarshal(s.ID.FullBytes, &named); err != nil {
			return nil, others
		}
	}
	for _, c := range certs {
		match := !bySerial && len(s.ID.Bytes) > 0 && bytes.Equal(s.ID.Bytes, c.SubjectKeyId)
		if bySerial {
			serial, err := asn1.Marshal(c.SerialNumber)
			match = err == nil && bytes.Equal(named.Issuer.FullBytes, c.RawIssuer) && bytes.Equal(named.Serial.FullBytes, serial)
		}
		if match && found == nil {
			found = c
		} else {
			others.AddCert(c)
		}
	}
	return found, others
}

// check holds the signature against the content: its digest stands among the signed attributes, and the attributes are what is signed.
func (s signerInfo) check(cert *x509.Certificate, content []byte) error {
	hash, ok := hashes[s.Digest.Algorithm.String()]
	if !ok {
		return unsigned("digest %s is not accepted", s.Digest.Algorithm)
	}
	sum := func(b []byte) []byte {
		h := hash.New()
		h.Write(b)
		return h.Sum(nil)
	}
	if len(s.Attributes.FullBytes) == 0 {
		return unsigned("no signed attributes")
	}
	attributes := append([]byte{0x31}, s.Attributes.FullBytes[1:]...) // signed as a SET, sent as [0]
	var digest []byte
	for rest := s.Attributes.Bytes; len(rest) > 0; {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return unsigned("attributes: %w", err)
		}
		if a.Type.Equal(oidDigestValue) {
			if left, err := asn1.Unmarshal(a.Values.Bytes, &digest); err != nil || len(left) > 0 {
				return unsigned("digest: more than one")
			}
		}
	}
	if !bytes.Equal(digest, sum(content)) {
		return unsigned("the content is not what was signed")
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if rsa.VerifyPKCS1v15(key, hash, sum(attributes), s.Signature) != nil {
			return unsigned("wrong signature")
		}
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, sum(attributes), s.Signature) {
			return unsigned("wrong signature")
		}
	default:
		return unsigned("a kind of key that is not known")
	}
	return nil
}

// definite rewrites the first value of BER with definite lengths, as encoding/asn1 wants; providers also send indefinite ones.
func definite(b []byte, depth int) (der, rest []byte, err error) {
	if len(b) < 2 || depth > 30 || b[0]&0x1f == 0x1f {
		return nil, nil, errors.New("ber")
	}
	if b[1] != 0x80 { // already definite: as it is
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(b, &v)
		return v.FullBytes, rest, err
	}
	var inner []byte
	for rest = b[2:]; ; {
		if len(rest) < 2 {
			return nil, nil, errors.New("ber")
		}
		if rest[0] == 0 && rest[1] == 0 {
			out, err := asn1.Marshal(asn1.RawValue{Class: int(b[0] >> 6), Tag: int(b[0] & 0x1f), IsCompound: b[0]&0x20 != 0, Bytes: inner})
			return out, rest[2:], err
		}
		var one []byte
		if one, rest, err = definite(rest, depth+1); err != nil {
			return nil, nil, err
		}
		inner = append(inner, one...)
	}
}
