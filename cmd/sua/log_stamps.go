package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/notify"
)

// logVerification is the JSON of log verify. Its keys are in docs/audit.md.
type logVerification struct {
	engine.LogReport
	Stamps []stampSaid `json:"stamps"`
}

// What log verify found a time stamp to be.
const (
	stampVerified   = "verified"   // of its checkpoint, by an authority of merkle.tsa_roots
	stampUnverified = "unverified" // of its checkpoint; no authorities are configured
	stampInvalid    = "invalid"    // not of its checkpoint, or of another authority
)

// stampSaid is what log verify says of one time stamp.
type stampSaid struct {
	Size      int64     `json:"size"`             // entries of the checkpoint that it is of
	Authority string    `json:"authority"`        // address that was asked
	At        time.Time `json:"at,omitzero"`      // UTC; none of an answer that cannot be read or is of something else
	Status    string    `json:"status"`           // see the constants
	Signer    string    `json:"signer,omitempty"` // name in its certificate, where verified
	Fault     string    `json:"fault,omitempty"`  // where invalid
}

// readStamps looks at each time stamp: of when it is, and whether its authority is known. bad reports that one is not of its checkpoint,
// or not of an authority that roots know.
func readStamps(ctx context.Context, e *engine.Engine, roots *x509.CertPool) (out []stampSaid, bad bool, err error) {
	out = []stampSaid{} // in JSON a list also when there are none
	stamps, err := e.CheckpointStamps(ctx)
	for _, s := range stamps {
		said := readStamp(s, roots)
		bad = bad || said.Status == stampInvalid
		out = append(out, said)
	}
	return out, bad, err
}

func readStamp(s engine.CheckpointStamp, roots *x509.CertPool) stampSaid {
	said := stampSaid{Size: s.Size, Authority: s.Authority, Status: stampUnverified}
	at, err := notify.StampedAt(s.Answer, s.Note)
	if err == nil {
		said.At = at.UTC()
	}
	if err == nil && roots != nil {
		said.Status = stampVerified
		said.Signer, err = notify.StampSigner(s.Answer, roots)
	}
	if err != nil {
		said.Status, said.Signer, said.Fault = stampInvalid, "", err.Error()
	}
	return said
}

// line says it to people.
func (s stampSaid) line() string {
	if s.Status == stampInvalid {
		return fmt.Sprintf("marca temporale di %d voci: NON VALIDA: %s", s.Size, s.Fault)
	}
	who := "autorità non verificata (merkle.tsa_roots)"
	if s.Status == stampVerified {
		who = "autorità verificata: " + s.Signer
	}
	return fmt.Sprintf("marca temporale di %d voci: %s, %s, %s", s.Size, s.At.Format("2006-01-02 15:04:05 UTC"), s.Authority, who)
}
