package engine

import (
	"bytes"

	"github.com/province-comuni/sua/internal/audit"
)

// members gives each member of a JSON object to f, as bytes, in order, until f says false. It reports whether the object was read to
// its end: it is valid JSON, its names are plain ASCII, and it is not nested deeper than any part of an event. Of names that
// come twice both are given. It is for verifications, which read millions and look at few values.
func members(b []byte, f func(name, value []byte) bool) bool {
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	if i = space(b, i+1); i < len(b) && b[i] == '}' {
		return space(b, i+1) == len(b)
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return false
		}
		end := i + 1
		for end < len(b) && b[end] != '"' {
			if c := b[end]; c == '\\' || c < 0x20 || c >= 0x80 {
				return false
			}
			end++
		}
		name := b[i+1 : min(end, len(b))]
		if i = space(b, end+1); i >= len(b) || b[i] != ':' {
			return false
		}
		i = space(b, i+1)
		end = value(b, i, 0)
		if end < 0 || !f(name, b[i:end]) {
			return false
		}
		if i = space(b, end); i >= len(b) {
			return false
		}
		if b[i] == '}' {
			return space(b, i+1) == len(b)
		}
		if b[i] != ',' {
			return false
		}
		i = space(b, i+1)
	}
}

// deepest bounds the recursion of value.
const deepest = 50

// value returns where the JSON value that begins at i ends, or -1.
func value(b []byte, i, depth int) int {
	if i >= len(b) || depth > deepest {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		return text(b, i)
	case c == '{' || c == '[':
		return nested(b, i, depth)
	case c == '-' || c >= '0' && c <= '9':
		return number(b, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(b) >= i+len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return -1
}

func nested(b []byte, i, depth int) int {
	object, last := b[i] == '{', byte(']')
	if object {
		last = '}'
	}
	if i = space(b, i+1); i < len(b) && b[i] == last {
		return i + 1
	}
	for {
		if object {
			if i >= len(b) || b[i] != '"' {
				return -1
			}
			if i = text(b, i); i < 0 {
				return -1
			}
			if i = space(b, i); i >= len(b) || b[i] != ':' {
				return -1
			}
			i = space(b, i+1)
		}
		if i = value(b, i, depth+1); i < 0 {
			return -1
		}
		if i = space(b, i); i >= len(b) {
			return -1
		}
		switch b[i] {
		case last:
			return i + 1
		case ',':
			i = space(b, i+1)
		default:
			return -1
		}
	}
}

func text(b []byte, i int) int {
	if n := bytes.IndexByte(b[i+1:], '"'); n >= 0 && audit.Printable(b[i+1:i+1+n]) {
		return i + n + 2
	}
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < 0x20:
			return -1
		case c == '\\':
			n := audit.Escape(b[i:])
			if n == 0 {
				return -1
			}
			i += n - 1
		}
	}
	return -1
}

func number(b []byte, i int) int {
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// plainText returns the string that a JSON value is, when nothing in it is escaped.
func plainText(v []byte) ([]byte, bool) {
	if len(v) < 2 || v[0] != '"' || !audit.Printable(v) { // encoding/json mends what is no UTF-8
		return nil, false
	}
	return v[1 : len(v)-1], true
}

// plainScalar reports whether a valid JSON value is one of those that data columns hold: text, truth value or integer.
func plainScalar(v []byte) bool {
	switch v[0] {
	case '"', 't', 'f':
		return true
	case '{', '[', 'n':
		return false
	}
	return len(v) <= 18 && !bytes.ContainsAny(v, ".eE")
}
