package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/province-comuni/sua/internal/notice"
)

// errPrivate is said of an address that is not of the public Internet.
var errPrivate = errors.New("the address is not public")

// hookTime bounds one call, answer included; hookAnswer is how much of the answer is read, in bytes.
const (
	hookTime   = 15 * time.Second
	hookAnswer = 64 << 10
)

// Webhooks returns a function that posts messages in the Standard Webhooks format: headers webhook-id, webhook-timestamp and
// webhook-signature (v1, HMAC-SHA256 over id.timestamp.body). Any 2xx is success. Redirects are not followed and no proxy is used.
// Unless private is set, an address that is not public is refused when it is dialled: a name that pointed elsewhere a moment ago does
// not help.
func Webhooks(private bool, now func() time.Time) func(context.Context, notice.Message) (string, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !private {
		dialer.Control = publicOnly
	}
	client := &http.Client{
		Timeout:       hookTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: hookTime, MaxIdleConnsPerHost: 2,
			IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
	}
	return func(ctx context.Context, m notice.Message) (string, error) {
		signature, at, err := sign(m, now())
		if err != nil {
			return "", &notice.Permanent{Err: err}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(m.Payload))
		if err != nil {
			return "", &notice.Permanent{Err: errors.New("the address cannot be read")}
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", "SUA-Webhooks/1")
		req.Header.Set("webhook-id", m.ID)
		req.Header.Set("webhook-timestamp", at)
		req.Header.Set("webhook-signature", signature)
		res, err := client.Do(req)
		if errors.Is(err, errPrivate) {
			return "", &notice.Permanent{Err: errPrivate}
		}
		if err != nil {
			return "", fmt.Errorf("call: %w", err)
		}
		defer res.Body.Close()
		_, _ = io.CopyN(io.Discard, res.Body, hookAnswer) // only so that the connection can serve again
		switch {
		case res.StatusCode >= 200 && res.StatusCode < 300:
			return m.ID, nil
		case res.StatusCode == http.StatusGone: // the format's way to say: no more
			return "", &notice.Permanent{Err: fmt.Errorf("answered %d", res.StatusCode)}
		}
		return "", fmt.Errorf("answered %d", res.StatusCode)
	}
}

// sign makes the signature of a message sent now.
func sign(m notice.Message, now time.Time) (signature, at string, err error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Secret, "whsec_"))
	if err != nil || len(key) < 24 {
		return "", "", errors.New("the secret of the webhook cannot be read")
	}
	at = strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", m.ID, at, m.Payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), at, nil
}

// publicOnly looks at the address that is about to be dialled, after its name was resolved.
func publicOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !notice.PublicAddress(to.Addr()) {
		return errPrivate
	}
	return nil
}
