package notify

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"testing"
	"time"
)

// FuzzReadReceipt: whatever a message holds, reading it ends, and without an authority that is trusted nothing is a receipt.
func FuzzReadReceipt(f *testing.F) {
	data := `<postacert tipo="accettazione" errore="nessuno"><dati><gestore-emittente>G</gestore-emittente><data zona="+0100"><giorno>02/03/2026</giorno><ora>10:15:30</ora></data><msgid>&lt;a@b&gt;</msgid></dati></postacert>`
	inner := "Content-Type: multipart/mixed; boundary=\"i\"\r\n\r\n--i\r\nContent-Type: application/xml; name=\"daticert.xml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte(data)) + "\r\n--i--\r\n"
	f.Add([]byte(inner))
	f.Add([]byte("X-Ricevuta: accettazione\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=\"o\"\r\n\r\n--o\r\n" + inner +
		"\r\n--o\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n--o--\r\n"))
	f.Add([]byte("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIACAQE=\r\n"))
	nobody, now := x509.NewCertPool(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = certified(raw)
		if r, err := ReadReceipt(raw, nobody, now); err == nil {
			t.Errorf("taken for a receipt: %+v", r)
		}
	})
}

// FuzzStampedAt: whatever an authority answers, reading it ends, and a stamp is of the bytes that it was asked for, not of others.
func FuzzStampedAt(f *testing.F) {
	data := []byte("sua.example.it/log\n3\n…\n")
	answer, err := Stamper(tsa(f, time.Now().UTC().Truncate(time.Second), nil))(f.Context(), data)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answer, data)
	f.Add(answer, []byte("other"))
	f.Add(answer[:len(answer)/2], data)
	f.Add([]byte{0x30, 0x80}, []byte{})
	f.Fuzz(func(t *testing.T, answer, of []byte) {
		if _, err := StampedAt(answer, of); err == nil && !bytes.Equal(of, data) {
			t.Errorf("taken for a stamp of %q", of)
		}
	})
}
