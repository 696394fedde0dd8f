package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyThisMachine(t *testing.T) {
	for _, c := range []struct {
		peer, host, header string
		want               bool
	}{
		{"127.0.0.1:5000", "localhost:8080", "", true}, {"[::1]:5000", "[::1]:8080", "", true}, {"127.0.0.1:5000", "127.0.0.1", "", true},
		{"192.0.2.7:5000", "localhost", "", false}, {"", "localhost", "", false},
		{"127.0.0.1:5000", "evil.example", "", false}, // a foreign name made to point here
		{"127.0.0.1:5000", "localhost.evil.example", "", false},
		{"127.0.0.1:5000", "localhost", "X-Forwarded-For", false}, {"127.0.0.1:5000", "localhost", "Forwarded", false}, {"127.0.0.1:5000", "localhost", "Via", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = c.peer, c.host
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.7")
		}
		if got := Local(r); got != c.want {
			t.Errorf("peer %q, host %q, header %q: %v, want %v", c.peer, c.host, c.header, got, c.want)
		}
	}
}
