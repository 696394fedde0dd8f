package law

import (
	"regexp"
	"strings"
)

// TaxCode is a codice fiscale: of a person (16 characters), of an organisation (11 digits, the form of a partita IVA
// too), or the stand-in that ANAC gives to bodies without one ("CFAVCP-0001216").
type TaxCode string

// TaxFamily says whom a tax code names.
type TaxFamily string

// The families of tax codes.
const (
	TaxPerson       TaxFamily = "person"
	TaxOrganisation TaxFamily = "organisation"
	TaxANAC         TaxFamily = "anac" // given by ANAC in place of a tax code
)

var taxForm = form{code: "tax_code", name: "Codice fiscale", want: "16 caratteri per una persona, 11 cifre per un ente o un'impresa",
	// Among the digits of a person L M N P Q R S T U V may stand for 0-9 (omocodia).
	shape: regexp.MustCompile(`^([A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]|[0-9]{11}|CFAVCP-[0-9A-F]{7})$`)}

// ParseTaxCode reads a tax code of any family, trimmed and in upper case; it refuses a wrong form with an Italian
// *FormatError.
func ParseTaxCode(text string) (TaxCode, error) {
	s, err := taxForm.read(text)
	return TaxCode(s), err
}

// Family says whom the code names; it is empty for a code that did not come from ParseTaxCode.
func (c TaxCode) Family() TaxFamily {
	if !taxForm.shape.MatchString(string(c)) {
		return ""
	}
	switch len(c) {
	case 16:
		return TaxPerson
	case 11:
		return TaxOrganisation
	default:
		return TaxANAC
	}
}

// ChecksumOK tells whether the check character (person) or digit (organisation) is right; ANAC's stand-ins carry none
// and always pass. A mismatch only warns: the tax office alone knows which codes exist.
func (c TaxCode) ChecksumOK() bool {
	switch c.Family() {
	case TaxPerson:
		return c[15] == personCheck(string(c[:15]))
	case TaxOrganisation:
		return c[10] == organisationCheck(string(c[:10]))
	case TaxANAC:
		return true
	default:
		return false
	}
}

// oddValues gives, for 0-9 and then for A-Z, the value of a character in an odd position (D.M. 23-12-1976): the digits
// count as the first ten letters.
var oddValues = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// personCheck computes the sixteenth character from the first fifteen.
func personCheck(first string) byte {
	sum := 0
	for i := range len(first) {
		v := strings.IndexByte("0123456789", first[i])
		if v < 0 {
			v = int(first[i] - 'A')
		}
		if i%2 == 0 { // the law counts positions from one
			v = oddValues[v]
		}
		sum += v
	}
	return byte('A' + sum%26)
}

// organisationCheck computes the eleventh digit from the first ten.
func organisationCheck(first string) byte {
	sum := 0
	for i := range len(first) {
		v := int(first[i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return byte('0' + (10-sum%10)%10)
}
