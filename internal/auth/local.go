package auth

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Local reports whether a request comes from this machine, as demonstration accounts demand: by the connection and never by a
// header, not handed on by a proxy that runs here, and not sent by a page of somebody else whose name was made to point here.
func Local(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if !strings.EqualFold(host, "localhost") && !loopback(strings.Trim(host, "[]")) {
		return false
	}
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && loopback(peer)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
