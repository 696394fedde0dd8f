package audit

import (
	"bytes"
	"testing"
	"time"
)

// FuzzGlimpse: whatever the glimpse takes, encoding/json reads the same; and it takes what the fast reader of whole headers takes,
// as far as Seal writes it.
func FuzzGlimpse(f *testing.F) {
	for _, b := range sealedHeaders(f) {
		f.Add(b)
	}
	f.Add([]byte(`{"root":"r","seq":01}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var g Glimpse
		ok := g.Read(b)
		h, err := slow(b)
		if !ok {
			if err != nil {
				return
			}
			if s, err := Seal(h, Parts{}, nil); err != nil || !bytes.Equal(s.Header, b) {
				return // not what Seal writes
			}
			if _, plain := canonical(b); plain && h.Seq >= 0 && h.Cause >= 0 && h.Seq < 1e18 && h.Cause < 1e18 {
				t.Fatalf("refused: %s", b)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s\ntaken, and json says %v", b, err)
		}
		same := func(have []byte, want string) {
			if string(have) != want {
				t.Fatalf("%s\n%q, json reads %q", b, have, want)
			}
		}
		same(g.Root, h.Root)
		same(g.Case, h.Case)
		same(g.Event, h.Event)
		same(g.From, h.From)
		same(g.To, h.To)
		same(g.Actor, h.Actor)
		same(g.Definition, h.Definition)
		same(g.Open, h.Parts.Open)
		same(g.Secret, h.Parts.Secret)
		same(g.Personal, h.Parts.Personal)
		same(g.Prev, h.Prev)
		if g.Seq != h.Seq || !time.UnixMicro(g.At).Equal(h.At) || !time.UnixMicro(g.Effective).Equal(h.Effective) {
			t.Fatalf("%s\n%+v", b, g)
		}
	})
}

func sealedHeaders(t testing.TB) (out [][]byte) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123450000, time.UTC)
	for _, h := range []Header{
		{Root: "r", Seq: 1, Case: "c", Event: "e", To: "a", At: at, Effective: at, Actor: "p"},
		{Root: "r", Seq: 12, Case: "c", Event: "e", From: "a", To: "b", At: at, Effective: at.Truncate(time.Second), Actor: "p", Role: "rup", Body: "b", Definition: "d", Cause: 3,
			Limits: []LimitUsed{{"k", "35", "art. 1 c. 2", "V"}, {"l", "€ <5>", "à", "M"}}, Documents: []Attached{{"t", "00"}, {"u", "01"}}},
		{Root: "r", Seq: 12, Limits: []LimitUsed{{"k", "35", "art. 1 c. 2", "V"}}, At: time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC)},
	} {
		for _, p := range []Parts{{}, {Open: NewPart([]byte("x"))}, {Secret: NewPart([]byte("x")), Personal: NewPart([]byte("y"))}, {Personal: NewPart([]byte("y"))}} {
			s, err := Seal(h, p, []byte{1, 2})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s.Header)
		}
	}
	return out
}

// The headers that Seal writes are glimpsed, also with words of the law that are not plain ASCII.
func TestSealedHeadersAreGlimpsed(t *testing.T) {
	for _, b := range sealedHeaders(t) {
		var g Glimpse
		if !g.Read(b) {
			t.Errorf("not read: %s", b)
		}
	}
}

// Swift and Chain agree on a chain that holds; one that was touched Swift does not take.
func TestSwiftTakesWhatChainTakes(t *testing.T) {
	touched := map[string]func(s *Sealed){
		"nothing":    func(*Sealed) {},
		"header":     func(s *Sealed) { s.Header = bytes.Replace(s.Header, []byte(`"seq"`), []byte(`"sEq"`), 1) },
		"hash":       func(s *Sealed) { s.Hash = make([]byte, 32) },
		"body":       func(s *Sealed) { s.Parts.Open.Body = []byte("other") },
		"salt":       func(s *Sealed) { s.Parts.Open.Salt = nil },
		"part gone":  func(s *Sealed) { s.Parts.Open = Part{} },
		"part added": func(s *Sealed) { s.Parts.Secret = Part{Body: []byte("x")} },
		"one before": func(s *Sealed) {
			h, _ := Parse(s.Header)
			h.Prev = ""
			*s, _ = Seal(h, s.Parts, []byte{1})
		},
	}
	for name, touch := range touched {
		var c Swift
		c.Reset()
		ok := true
		events := chain(t, 4)
		for i := range events {
			s := events[i]
			s.Header = bytes.Clone(s.Header)
			if i == 2 {
				touch(&s)
			}
			var g Glimpse
			ok = ok && g.Read(s.Header) && c.Add(&g, &s)
		}
		last := events[len(events)-1]
		if ok = ok && c.Ends(int64(len(events)), last.Hash) && !c.Ends(int64(len(events)), nil); ok != (name == "nothing") {
			t.Errorf("%s: taken %v", name, ok)
		}
	}
}

func TestMicros(t *testing.T) {
	for at := time.Date(1899, 12, 30, 23, 59, 59, 1000, time.UTC); at.Year() < 2105; at = at.Add(25*time.Hour + 61*time.Second + 10*time.Microsecond) {
		b := []byte(at.Format("2006-01-02 15:04:05.999999"))
		if n, ok := Micros(b, ' '); !ok || n != at.UnixMicro() {
			t.Fatalf("%s: %d %v", b, n, ok)
		}
	}
	for _, b := range []string{"", "2025-02-29T00:00:00", "2026-13-01T00:00:00", "2026-01-01T24:00:00", "2026-01-01T00:00:60", "2026-01-01T00:00:00.", "2026-01-01T00:00:00.1234567", "2026-01-01 00:00:00", "2026-0a-01T00:00:00"} {
		if n, ok := Micros([]byte(b), 'T'); ok {
			t.Errorf("%s: %d", b, n)
		}
	}
}

// Each byte at each place of a word: printable says what a loop says.
func TestPrintable(t *testing.T) {
	for c := range 256 {
		for i := range 19 {
			b := []byte("abcdefghijklmno~ !{")
			b[i] = byte(c)
			if want := c >= 0x20 && c < 0x80 && c != '\\'; Printable(b) != want {
				t.Fatalf("%q: %v", b, !want)
			}
		}
	}
}
