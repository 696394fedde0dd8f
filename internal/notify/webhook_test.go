package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/notice"
)

var hookKey = []byte("0123456789abcdef0123456789abcdef")

func hookMessage(url string) notice.Message {
	return notice.Message{ID: "0196-h", To: url, Secret: "whsec_" + base64.StdEncoding.EncodeToString(hookKey), Payload: []byte(`{"type":"sua.awarded"}`)}
}

func TestWebhookIsSigned(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	var answer int
	var faults []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, hookKey)
		mac.Write([]byte(id + "." + at + "." + string(body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); err != nil || r.Header.Get("webhook-signature") != want {
			faults = append(faults, "signature "+r.Header.Get("webhook-signature"))
		}
		if id != "0196-h" || at != strconv.FormatInt(now.Unix(), 10) || r.Header.Get("Content-Type") != "application/json" || r.Method != http.MethodPost {
			faults = append(faults, "headers")
		}
		if answer == http.StatusFound {
			w.Header().Set("Location", "http://169.254.169.254/")
		}
		w.WriteHeader(answer)
	}))
	defer server.Close()
	send := Webhooks(true, func() time.Time { return now })
	for status, want := range map[int]string{200: "", 204: "", 302: "answered 302", 400: "answered 400", 500: "answered 500", 410: "permanent"} {
		answer = status
		_, err := send(t.Context(), hookMessage(server.URL))
		switch {
		case want == "" && err != nil, want == "permanent" && !notice.IsPermanent(err), strings.HasPrefix(want, "answered") && (err == nil || err.Error() != want || notice.IsPermanent(err)):
			t.Errorf("%d: %v", status, err)
		}
	}
	if len(faults) > 0 {
		t.Error(faults)
	}
}

// A name that leads to this machine is refused when it is dialled, and nothing reaches the server.
func TestWebhookToAPrivateAddressIsRefused(t *testing.T) {
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	send := Webhooks(false, time.Now)
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433"} {
		_, err := send(t.Context(), hookMessage("http://"+host+port))
		if err == nil || host != "2130706433" && !notice.IsPermanent(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if called {
		t.Error("a private address was called")
	}
}

func TestPublicAddress(t *testing.T) {
	for ip, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"127.0.0.1": false, "10.0.0.1": false, "172.16.5.4": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false,
		"255.255.255.255": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "198.18.0.1": false,
	} {
		if got := notice.PublicAddress(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
}

func TestWebhookThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if _, err := Webhooks(true, time.Now)(ctx, hookMessage(server.URL)); err == nil || notice.IsPermanent(err) {
		t.Errorf("hangs: %v", err)
	}
	bad := hookMessage(server.URL)
	bad.Secret = "whsec_short"
	if _, err := Webhooks(true, time.Now)(t.Context(), bad); !notice.IsPermanent(err) {
		t.Errorf("unreadable secret: %v", err)
	}
}
