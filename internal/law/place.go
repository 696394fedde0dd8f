package law

import "regexp"

// NUTS is the EU code of a region of Italy: "ITH" (area), "ITH3" (region), "ITH34" (province).
type NUTS string

// ISTAT is the code of a Comune in the tables of ISTAT: six digits, province and Comune.
type ISTAT string

// Belfiore is the cadastral code of a Comune: a letter and three digits.
type Belfiore string

var (
	nutsForm = form{code: "nuts", name: "Codice NUTS", want: "un codice come ITH34",
		shape: regexp.MustCompile(`^IT[A-Z][0-9A-Z]{0,2}$`)}
	istatForm = form{code: "istat", name: "Codice ISTAT", want: "sei cifre come 028060",
		shape: regexp.MustCompile(`^[0-9]{6}$`)}
	belfioreForm = form{code: "belfiore", name: "Codice catastale", want: "una lettera e tre cifre come L407",
		shape: regexp.MustCompile(`^[A-Z][0-9]{3}$`)}
)

// ParseNUTS reads an Italian NUTS code, trimmed and in upper case; it refuses a wrong form with an Italian
// *FormatError. Whether the code exists is a matter of tables.
func ParseNUTS(text string) (NUTS, error) {
	s, err := nutsForm.read(text)
	return NUTS(s), err
}

// ParseISTAT reads the ISTAT code of a Comune; it refuses a wrong form with an Italian *FormatError.
func ParseISTAT(text string) (ISTAT, error) {
	s, err := istatForm.read(text)
	return ISTAT(s), err
}

// ParseBelfiore reads a cadastral code, trimmed and in upper case; it refuses a wrong form with an Italian
// *FormatError.
func ParseBelfiore(text string) (Belfiore, error) {
	s, err := belfioreForm.read(text)
	return Belfiore(s), err
}
