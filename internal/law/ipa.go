package law

import "regexp"

// IPA is the code of a body in the index of public administrations, lower case: "c_l407" is a Comune, "p_tv" a Province.
type IPA string

var ipaForm = form{code: "ipa", name: "Codice IPA", want: "da 1 a 20 lettere, cifre o _, come c_l407", lower: true,
	shape: regexp.MustCompile(`^[a-z0-9_]{1,20}$`)}

// ParseIPA reads an IPA code, trimmed and in lower case; it refuses a wrong form with an Italian *FormatError.
func ParseIPA(text string) (IPA, error) {
	s, err := ipaForm.read(text)
	return IPA(s), err
}
