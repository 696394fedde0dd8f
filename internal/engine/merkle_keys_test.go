package engine_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/audit"
)

// The key changes and the log goes on: what the old key has signed holds, what it signs afterwards does not.
func TestTheKeyOfTheLogMayChange(t *testing.T) {
	eachRegistry(t, func(t *testing.T, r registry) {
		r.happen(t, 0, 3)
		before := r.extend(t)
		origin, _, err := audit.PublicKey(r.secret)
		if err != nil {
			t.Fatal(err)
		}
		fresh, freshPublic, err := audit.NewLogKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		former := fmt.Sprintf("%s@%d", r.public, 3)
		r.happen(t, 3, 6)
		if err := r.ExtendLog(t.Context(), fresh); err == nil || !strings.Contains(err.Error(), "not signed with the key in use") {
			t.Errorf("another key goes on by itself: %v", err)
		}
		if err := r.ExtendLog(t.Context(), fresh, former); err != nil {
			t.Fatal(err)
		}
		now, err := r.LogCheckpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := audit.ParseCheckpoint(now, freshPublic); err != nil || c.Size != 6 {
			t.Errorf("the new checkpoint: %+v, %v", c, err)
		}
		if c, err := audit.ParseCheckpoint(before, r.public); err != nil || c.Size != 3 {
			t.Errorf("the old checkpoint with the old key: %+v, %v", c, err)
		}
		if report, err := r.VerifyLog(t.Context(), freshPublic, [][]byte{before}); err != nil || report.OK() {
			t.Errorf("without the old key the old checkpoints pass: %v", err)
		}
		both := freshPublic + "\n" + former
		if report, err := r.VerifyLog(t.Context(), both, [][]byte{before, now}); err != nil || !report.OK() || report.Checkpoints != 2 || report.Outside != 2 {
			t.Errorf("with both keys: %+v, %v", report, err)
		}
		point, err := audit.ParseCheckpoint(now, freshPublic)
		if err != nil {
			t.Fatal(err)
		}
		stolen, err := audit.SignCheckpoint(r.secret, 6, point.Root)
		if err != nil {
			t.Fatal(err)
		}
		if report, err := r.VerifyLog(t.Context(), both, [][]byte{stolen}); err != nil || report.OK() {
			t.Errorf("what the old key signs after the change passes: %v", err)
		}
		if report, err := r.VerifyLog(t.Context(), both+"\n"+r.public, [][]byte{stolen}); err != nil || report.OK() {
			t.Errorf("the old key named twice: %v", err)
		}
	})
}
