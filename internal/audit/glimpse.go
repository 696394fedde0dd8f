package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// Glimpse is what a verification needs of a header, as pieces of its exact bytes: it lives as long as they do.
type Glimpse struct {
	Root, Case, Event, From, To, Actor, Definition []byte
	Open, Secret, Personal, Prev                   []byte // hex
	Seq                                            int64
	At, Effective                                  int64 // microseconds since 1970, UTC
}

// Read takes the header apart without copying, and reports false for any spelling but the one that Seal writes for plain texts: Parse
// reads that one. Of whatever it takes, Parse says the same.
func (g *Glimpse) Read(header []byte) bool {
	s := glance{b: header, ok: true, plain: Printable(header)}
	*g = Glimpse{}
	g.Root = s.text(`{"root":"`)
	g.Seq = s.num(`,"seq":`)
	g.Case, g.Event = s.text(`,"case":"`), s.text(`,"event":"`)
	g.From, g.To = s.text(`,"from":"`), s.text(`,"to":"`)
	g.At, g.Effective = s.time(`,"at":"`), s.time(`,"effective":"`)
	g.Actor = s.text(`,"actor":"`)
	s.text(`,"role":"`)
	s.text(`,"body":"`)
	g.Definition = s.text(`,"definition":"`)
	if s.at(`,"cause":`) {
		s.num(`,"cause":`)
	}
	s.list(`,"limits":[`, `{"key":"`, `,"value":"`, `,"law":"`, `,"mark":"`)
	s.list(`,"documents":[`, `{"type":"`, `,"sha256":"`)
	s.step(`,"parts":{`)
	comma := ""
	for _, p := range [3]struct {
		name, second string
		to           *[]byte
	}{{`"open":"`, `"open":"`, &g.Open}, {`"secret":"`, `,"secret":"`, &g.Secret}, {`"personal":"`, `,"personal":"`, &g.Personal}} {
		name := p.name
		if comma != "" {
			name = p.second
		}
		if s.at(name) {
			*p.to, comma = s.text(name), ","
		}
	}
	g.Prev = s.text(`},"prev":"`)
	s.step(`}`)
	return s.ok && len(s.b) == 0
}

// glance is scan without a copy of what it reads.
type glance struct {
	b     []byte
	ok    bool
	plain bool // nothing is left that a string could not hold as it is
}

// Printable reports whether there are only printable characters of ASCII and no backslash, eight bytes at a time.
func Printable(b []byte) bool {
	const each = 0x0101010101010101
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		back := w ^ each*'\\'
		if (w|(w-each*0x20)|((back-each)&^back))&(each*0x80) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c < 0x20 || c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

func (s *glance) at(text string) bool {
	return s.ok && len(s.b) >= len(text) && string(s.b[:len(text)]) == text
}

func (s *glance) step(text string) {
	if s.ok = s.at(text); s.ok {
		s.b = s.b[len(text):]
	}
}

// text steps over what stands before a string, its opening quote included, and reads the string: plain ASCII without escapes.
func (s *glance) text(before string) []byte {
	s.step(before)
	if !s.ok {
		return nil
	}
	if s.plain {
		i := bytes.IndexByte(s.b, '"')
		if s.ok = i >= 0; !s.ok {
			return nil
		}
		text := s.b[:i]
		s.b = s.b[i+1:]
		return text
	}
	for i, c := range s.b {
		if c == '"' {
			text := s.b[:i]
			s.b = s.b[i+1:]
			return text
		}
		if c == '\\' || c < 0x20 || c >= 0x80 {
			break
		}
	}
	s.ok = false
	return nil
}

// skip is text for a string that nobody looks at: any valid one.
func (s *glance) skip(before string) {
	if s.plain {
		s.text(before)
		return
	}
	s.step(before)
	for i := 0; s.ok && i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.b = s.b[i+1:]
			return
		case c < 0x20:
			s.ok = false
			return
		case c == '\\':
			n := Escape(s.b[i:])
			if n == 0 {
				s.ok = false
				return
			}
			i += n - 1
		}
	}
	s.ok = false
}

// Escape returns how long the escape of a JSON string is that stands at the beginning, 0 when it is none.
func Escape(b []byte) int {
	if len(b) < 2 || bytes.IndexByte([]byte(`"\/bfnrtu`), b[1]) < 0 {
		return 0
	}
	if b[1] != 'u' {
		return 2
	}
	if len(b) < 6 {
		return 0
	}
	for _, c := range b[2:6] {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return 0
		}
	}
	return 6
}

// list steps over a list that may be missing.
func (s *glance) list(name string, members ...string) {
	if !s.at(name) {
		return
	}
	for s.step(name); s.ok; s.step(",") {
		for _, m := range members {
			s.skip(m)
		}
		s.step(`}`)
		if s.at(`]`) {
			s.step(`]`)
			return
		}
	}
}

func (s *glance) num(before string) int64 {
	s.step(before)
	var n int64
	i := 0
	for ; s.ok && i < len(s.b) && i < 18 && s.b[i] >= '0' && s.b[i] <= '9'; i++ {
		n = n*10 + int64(s.b[i]-'0')
	}
	if s.ok = s.ok && i > 0 && (s.b[0] != '0' || i == 1); s.ok {
		s.b = s.b[i:]
	}
	return n
}

func (s *glance) time(before string) int64 {
	text := s.text(before)
	if !s.ok || len(text) == 0 || text[len(text)-1] != 'Z' {
		s.ok = false
		return 0
	}
	n, ok := Micros(text[:len(text)-1], 'T')
	s.ok = ok
	return n
}

// Micros reads an instant of the form 2026-03-02T08:00:00.123456, of which the fraction may be shorter or missing, in microseconds
// since 1970; between is what stands between day and hour. It reports false for anything else.
func Micros(b []byte, between byte) (int64, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != between || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	ok := true
	digits := func(from, to int) (n int64) {
		for _, c := range b[from:to] {
			ok = ok && c >= '0' && c <= '9'
			n = n*10 + int64(c-'0')
		}
		return n
	}
	y, m, d := digits(0, 4), digits(5, 7), digits(8, 10)
	hour, minute, second := digits(11, 13), digits(14, 16), digits(17, 19)
	var micro int64
	if len(b) > 19 {
		if b[19] != '.' || len(b) == 20 || len(b) > 26 {
			return 0, false
		}
		micro = digits(20, len(b))
		for range 26 - len(b) {
			micro *= 10
		}
	}
	if !ok || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	if m <= 2 { // count years from March, so that the day that some have stands at the end
		y, m = y-1, m+12
	}
	if y < 0 {
		return 0, false
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
	return (((days*24+hour)*60+minute)*60+second)*1_000_000 + micro, true
}

func daysIn(y, m int64) int64 {
	switch {
	case m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0):
		return 29
	case m == 2:
		return 28
	case m == 4, m == 6, m == 9, m == 11:
		return 30
	}
	return 31
}

// Swift checks chains as Chain does and as fast as it can be done, for verifications that read millions of events. It does not say
// what is wrong: what it does not take is for Chain to look at. It takes nothing that Chain would not take, and no event of which a
// part is missing. Reset it before each chain.
type Swift struct {
	seq, at int64
	hash    [sha256.Size]byte
	sum     hash.Hash
}

// Reset stands before the first event of a chain.
func (c *Swift) Reset() {
	c.seq, c.at = 0, math.MinInt64
	if c.sum == nil {
		c.sum = sha256.New()
	}
}

// Add checks the next event; g is what Read made of its header. That the header names the chain's tree is for the caller to see.
func (c *Swift) Add(g *Glimpse, s *Sealed) bool {
	if g.Seq != c.seq+1 || g.At < c.at || g.At < yearOne {
		return false
	}
	if c.seq == 0 && len(g.Prev) > 0 || c.seq > 0 && !isHex(g.Prev, &c.hash) {
		return false
	}
	sum := sha256.Sum256(s.Header)
	if string(sum[:]) != string(s.Hash) || !c.part(g.Open, &s.Parts.Open) || !c.part(g.Secret, &s.Parts.Secret) || !c.part(g.Personal, &s.Parts.Personal) {
		return false
	}
	c.seq, c.at, c.hash = g.Seq, g.At, sum
	return true
}

// yearOne is the instant of the zero time, before which no chain begins.
const yearOne = -62135596800 * 1_000_000

func (c *Swift) part(want []byte, p *Part) bool {
	if len(p.Salt) == 0 {
		return len(want) == 0 && len(p.Body) == 0
	}
	var sum [sha256.Size]byte
	if len(p.Salt) != SaltSize {
		return false
	}
	c.sum.Reset()
	c.sum.Write(p.Salt)
	c.sum.Write(p.Body)
	c.sum.Sum(sum[:0])
	return isHex(want, &sum)
}

func isHex(text []byte, sum *[sha256.Size]byte) bool {
	var b [2 * sha256.Size]byte
	hex.Encode(b[:], sum[:])
	return string(text) == string(b[:])
}

// Ends reports whether the chain has events and stops with this one.
func (c *Swift) Ends(seq int64, hash []byte) bool {
	return c.seq > 0 && c.seq == seq && string(c.hash[:]) == string(hash)
}
