package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

func TestProgressOfAVerification(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	p := newProgress(&out, func() time.Time { return now })
	if p.tell(engine.Verification{Events: 5}); out.Len() > 0 {
		t.Errorf("what is no terminal gets %q", out.String())
	}
	p.out = &out
	for _, v := range []engine.Verification{{Trees: 2, Events: 900}, {Trees: 3, Events: 1000}, {Trees: 40, Events: 12000, Broken: 1}} {
		now = now.Add(150 * time.Millisecond)
		if v.Broken > 0 {
			now = p.begun.Add(4 * time.Second)
		}
		p.tell(v)
	}
	p.end()
	const start = "\r\x1b[K"
	if want := start + "verifico: 2 storie, 900 eventi, 6000 eventi/s" + start + "verifico: 40 storie, 12000 eventi, 3000 eventi/s, 1 storie non tornano" + start; out.String() != want {
		t.Errorf("told %q, want %q", out.String(), want)
	}
	nothing, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer nothing.Close()
	if isTerminal(nothing) {
		t.Error("the null device is taken for a terminal")
	}
}
