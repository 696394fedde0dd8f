package law

import (
	"fmt"
	"regexp"
	"strings"
)

// FormatError says that a text does not have the form of a code or of an amount. It is a fault of who typed it; a check
// character that does not match is not one (see the ChecksumOK methods).
type FormatError struct {
	Code string // stable id of what was being read: "cig", "cup", "euro"
	Name string // its Italian name
	Text string // what was typed
	Want string // Italian: the form that was expected
}

// Error is the Italian text for the person who typed the value.
func (e *FormatError) Error() string {
	if strings.TrimSpace(e.Text) == "" {
		return fmt.Sprintf("%s mancante: atteso %s", e.Name, e.Want)
	}
	return fmt.Sprintf("%s non valido (%q): atteso %s", e.Name, shorten(e.Text), e.Want)
}

// shorten keeps a pasted page out of messages and logs.
func shorten(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// form is the shape of one kind of code.
type form struct {
	code, name, want string
	shape            *regexp.Regexp
	lower            bool // the canonical writing is in lower case (IPA)
}

// read normalises text and checks its shape.
func (f form) read(text string) (string, error) {
	s := strings.TrimSpace(text)
	if isASCII(s) { // Unicode folding would turn look-alikes such as "ı" into letters of the code
		if f.lower {
			s = strings.ToLower(s)
		} else {
			s = strings.ToUpper(s)
		}
	}
	if !f.shape.MatchString(s) {
		return "", &FormatError{Code: f.code, Name: f.name, Text: text, Want: f.want}
	}
	return s, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > 127 {
			return false
		}
	}
	return true
}
