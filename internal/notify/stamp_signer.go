package notify

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// StampSigner checks who signed a time stamp: the certificate must descend from roots, be made for time stamps, and have been valid when
// it stamped. It returns the signer's name. Whether a certificate was revoked is not looked at. StampedAt says of which bytes the stamp is.
func StampSigner(answer []byte, roots *x509.CertPool) (string, error) {
	stamp, err := parseStamp(answer)
	if err != nil {
		return "", err
	}
	der, rest, err := definite(stamp.RawToken, 0)
	if err != nil || len(rest) > 0 {
		return "", unsigned("the stamp cannot be read")
	}
	var outer contentInfo
	var signed signedData
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !outer.Type.Equal(oidSigned) {
		return "", unsigned("no signed data")
	}
	if rest, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil || len(rest) > 0 || len(signed.Signers) != 1 {
		return "", unsigned("no signed data of one signer")
	}
	var content []byte
	if rest, err := asn1.Unmarshal(signed.Content.Data.Bytes, &content); err != nil || len(rest) > 0 {
		return "", unsigned("the stamp cannot be read")
	}
	cert, others := signer(signed.Signers[0], stamp.Certificates)
	if cert == nil {
		return "", unsigned("the signer's certificate is missing")
	}
	if err := signed.Signers[0].check(cert, content); err != nil {
		return "", err
	}
	opts := x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: stamp.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}
	if _, err := cert.Verify(opts); err != nil {
		return "", unsigned("the authority is not trusted: %w", err)
	}
	return cert.Subject.String(), nil
}

// TrustedStamper is Stamper for an authority whose certificate must descend from roots: another answer is an error.
func TrustedStamper(address string, roots *x509.CertPool) func(context.Context, []byte) ([]byte, error) {
	ask := Stamper(address)
	return func(ctx context.Context, data []byte) ([]byte, error) {
		answer, err := ask(ctx, data)
		if err != nil {
			return nil, err
		}
		if _, err := StampSigner(answer, roots); err != nil {
			return nil, fmt.Errorf("time stamp: %w", err)
		}
		return answer, nil
	}
}
