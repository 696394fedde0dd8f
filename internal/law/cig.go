package law

import (
	"fmt"
	"regexp"
	"strconv"
)

// CIG is the code that ANAC gives to each lot (codice identificativo di gara): ten characters, upper case.
type CIG string

// CIGFamily says which system gave a CIG; each has its own form.
type CIGFamily string

// The families of CIG.
const (
	CIGStandard CIGFamily = "std"   // SIMOG, until 2023: seven digits and three check characters
	CIGSmart    CIGFamily = "smart" // SmartCIG, for small purchases until 2023: no check is used
	CIGPCP      CIGFamily = "pcp"   // SIMOG2 and PCP, from August 2023: a letter, six characters, three check characters
)

var cigForm = form{code: "cig", name: "CIG", want: "un codice di 10 caratteri come 988518263E o B24DA5677B",
	shape: regexp.MustCompile(`^([0-9]{7}[0-9A-F]{3}|[A-Z][0-9A-F]{9})$`)}

// ParseCIG reads a CIG of any family, trimmed and in upper case; it refuses a wrong form with an Italian *FormatError.
func ParseCIG(text string) (CIG, error) {
	s, err := cigForm.read(text)
	return CIG(s), err
}

// Family says which system gave the code; it is empty for a CIG that did not come from ParseCIG.
func (c CIG) Family() CIGFamily {
	switch {
	case !cigForm.shape.MatchString(string(c)):
		return ""
	case c[0] <= '9':
		return CIGStandard
	case c[0] >= 'V':
		return CIGSmart
	default:
		return CIGPCP
	}
}

// ChecksumOK tells whether the last three characters are those that the rest of the code gives; SmartCIGs carry no
// check and always pass. ANAC never published the rule (it holds on every real code seen), so a mismatch only warns.
func (c CIG) ChecksumOK() bool {
	var n int64
	switch c.Family() {
	case CIGStandard:
		n, _ = strconv.ParseInt(string(c[:7]), 10, 64) // the form was matched: it cannot fail
	case CIGPCP:
		n, _ = strconv.ParseInt(string(c[1:7]), 16, 64)
		n += int64(c[0]-'A') + 1
	case CIGSmart:
		return true
	default:
		return false
	}
	return fmt.Sprintf("%03X", n*211%4091) == string(c[7:])
}
