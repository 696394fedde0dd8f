package notify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
)

// stampTime bounds one call to a time-stamping authority; stampAnswer is how large its answer may be, in bytes.
const (
	stampTime   = 30 * time.Second
	stampAnswer = 256 << 10
)

// Stamper returns a function that has an authority (RFC 3161 over HTTP, at this address) stamp some bytes: their SHA-256 leaves, the
// answer comes back as it was, with the stamp's signature checked and bound to these bytes. Whether its certificate is worth something
// StampSigner says.
func Stamper(address string) func(context.Context, []byte) ([]byte, error) {
	client := &http.Client{Timeout: stampTime}
	return func(ctx context.Context, data []byte) ([]byte, error) {
		nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
		if err != nil {
			return nil, fmt.Errorf("time stamp: %w", err)
		}
		ask, err := timestamp.CreateRequest(bytes.NewReader(data), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
		if err != nil {
			return nil, fmt.Errorf("time stamp: %w", err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(ask))
		if err != nil {
			return nil, errors.New("time stamp: the address cannot be read")
		}
		req.Header.Set("Content-Type", "application/timestamp-query")
		res, err := client.Do(req)
		if err != nil {
			return nil, fmt.Errorf("time stamp: %w", err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(io.LimitReader(res.Body, stampAnswer))
		if err != nil {
			return nil, fmt.Errorf("time stamp: %w", err)
		}
		if res.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("time stamp: the authority answers %d", res.StatusCode)
		}
		stamp, err := readStamp(answer, data)
		if err != nil {
			return nil, err
		}
		if stamp.Nonce == nil || stamp.Nonce.Cmp(nonce) != 0 {
			return nil, errors.New("time stamp: the answer is to another question")
		}
		return answer, nil
	}
}

// StampedAt reads an answer that Stamper brought and checks that it is of these bytes; it returns when they were stamped, UTC.
func StampedAt(answer, data []byte) (time.Time, error) {
	stamp, err := readStamp(answer, data)
	if err != nil {
		return time.Time{}, err
	}
	return stamp.Time.UTC(), nil
}

func parseStamp(answer []byte) (*timestamp.Timestamp, error) {
	stamp, err := timestamp.ParseResponse(answer)
	if err != nil {
		return nil, fmt.Errorf("time stamp: %w", err)
	}
	return stamp, nil
}

func readStamp(answer, data []byte) (*timestamp.Timestamp, error) {
	stamp, err := parseStamp(answer)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if len(stamp.Certificates) == 0 || stamp.HashAlgorithm != crypto.SHA256 || !bytes.Equal(stamp.HashedMessage, sum[:]) {
		return nil, errors.New("time stamp: not of these bytes, or not signed")
	}
	return stamp, nil
}
