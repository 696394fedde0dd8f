package law

import "regexp"

// CUP is the code of a public investment project (codice unico di progetto): fifteen characters, upper case. No check
// is public.
type CUP string

var cupForm = form{code: "cup", name: "CUP", want: "un codice di 15 caratteri come J77H18001340002",
	shape: regexp.MustCompile(`^[A-Z][0-9]{2}[A-Z][0-9]{11}$`)}

// ParseCUP reads a CUP, trimmed and in upper case; it refuses a wrong form with an Italian *FormatError.
func ParseCUP(text string) (CUP, error) {
	s, err := cupForm.read(text)
	return CUP(s), err
}
