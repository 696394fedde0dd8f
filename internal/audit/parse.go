package audit

import (
	"bytes"
	"strconv"
	"time"
)

// scan reads a header in the one spelling that Seal writes, ten times faster than encoding/json: a verification reads millions. It
// reports false for any other spelling, which Parse then reads the slow way; both give the same.
type scan struct {
	b  []byte
	ok bool
}

func (s *scan) lit(text string) {
	if s.ok = s.ok && len(s.b) >= len(text) && string(s.b[:len(text)]) == text; s.ok {
		s.b = s.b[len(text):]
	}
}

// next reports whether a text comes next, and steps over it.
func (s *scan) next(text string) bool {
	if !s.ok || len(s.b) < len(text) || string(s.b[:len(text)]) != text {
		return false
	}
	s.b = s.b[len(text):]
	return true
}

// str reads a string of plain ASCII without escapes.
func (s *scan) str() string {
	s.lit(`"`)
	if !s.ok {
		return ""
	}
	for i, c := range s.b {
		switch {
		case c == '"':
			text := string(s.b[:i])
			s.b = s.b[i+1:]
			return text
		case c == '\\' || c < 0x20 || c >= 0x80:
			s.ok = false
			return ""
		}
	}
	s.ok = false
	return ""
}

func (s *scan) num() int64 {
	end := bytes.IndexAny(s.b, ",}")
	if !s.ok || end < 0 {
		s.ok = false
		return 0
	}
	n, err := strconv.ParseInt(string(s.b[:end]), 10, 64)
	s.ok = err == nil && (s.b[0] != '+' && (s.b[0] != '0' || end == 1) && string(s.b[:end]) != "-0")
	s.b = s.b[end:]
	return n
}

func (s *scan) time() time.Time {
	text := s.str()
	if !s.ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	s.ok = err == nil && len(text) > 0 && text[len(text)-1] == 'Z' && t.Format(time.RFC3339Nano) == text
	return t
}

// canonical reads a header as Seal writes it.
func canonical(b []byte) (h Header, ok bool) {
	s := &scan{b: b, ok: true}
	s.lit(`{"root":`)
	h.Root = s.str()
	s.lit(`,"seq":`)
	h.Seq = s.num()
	for _, f := range []struct {
		name string
		to   *string
	}{{`,"case":`, &h.Case}, {`,"event":`, &h.Event}, {`,"from":`, &h.From}, {`,"to":`, &h.To}} {
		s.lit(f.name)
		*f.to = s.str()
	}
	s.lit(`,"at":`)
	h.At = s.time()
	s.lit(`,"effective":`)
	h.Effective = s.time()
	for _, f := range []struct {
		name string
		to   *string
	}{{`,"actor":`, &h.Actor}, {`,"role":`, &h.Role}, {`,"body":`, &h.Body}, {`,"definition":`, &h.Definition}} {
		s.lit(f.name)
		*f.to = s.str()
	}
	if s.next(`,"cause":`) {
		h.Cause = s.num()
	}
	if s.next(`,"limits":[`) {
		for first := true; first || s.next(","); first = false {
			var l LimitUsed
			s.lit(`{"key":`)
			l.Key = s.str()
			s.lit(`,"value":`)
			l.Value = s.str()
			s.lit(`,"law":`)
			l.Law = s.str()
			s.lit(`,"mark":`)
			l.Mark = s.str()
			s.lit(`}`)
			h.Limits = append(h.Limits, l)
		}
		s.lit(`]`)
	}
	if s.next(`,"documents":[`) {
		for first := true; first || s.next(","); first = false {
			var d Attached
			s.lit(`{"type":`)
			d.Type = s.str()
			s.lit(`,"sha256":`)
			d.SHA256 = s.str()
			s.lit(`}`)
			h.Documents = append(h.Documents, d)
		}
		s.lit(`]`)
	}
	s.lit(`,"parts":{`)
	comma := ""
	for _, f := range []struct {
		name string
		to   *string
	}{{`"open":`, &h.Parts.Open}, {`"secret":`, &h.Parts.Secret}, {`"personal":`, &h.Parts.Personal}} {
		if s.next(comma + f.name) {
			*f.to = s.str()
			comma = ","
		}
	}
	s.lit(`},"prev":`)
	h.Prev = s.str()
	s.lit(`}`)
	return h, s.ok && len(s.b) == 0
}
