package law

import "regexp"

// CPV is a code of the common procurement vocabulary of 2008, kept as it was written: eight digits, or eight digits, a
// hyphen and the check digit ("45233140-2"). No rule for the check digit is public.
type CPV string

var cpvForm = form{code: "cpv", name: "CPV", want: "otto cifre, con o senza la cifra di controllo, come 45233140-2",
	shape: regexp.MustCompile(`^[0-9]{8}(-[0-9])?$`)}

// ParseCPV reads a CPV; it refuses a wrong form with an Italian *FormatError.
func ParseCPV(text string) (CPV, error) {
	s, err := cpvForm.read(text)
	return CPV(s), err
}

// Base is the code without its check digit, as the EU's tables list it; two CPVs are the same code when their bases are.
func (c CPV) Base() string { return string(c[:min(8, len(c))]) }
