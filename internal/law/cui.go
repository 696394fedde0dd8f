package law

import "regexp"

// CUI is the code of a purchase in the programme of a body (codice unico intervento): L works, F supplies or S
// services, tax code of the body, first year of the programme, five digits.
type CUI string

var cuiForm = form{code: "cui", name: "CUI", want: "L, F o S seguito da 20 cifre, come F80419560588202300001",
	shape: regexp.MustCompile(`^[LFS][0-9]{20}$`)}

// ParseCUI reads a CUI, trimmed and in upper case; it refuses a wrong form with an Italian *FormatError.
func ParseCUI(text string) (CUI, error) {
	s, err := cuiForm.read(text)
	return CUI(s), err
}

// Body is the tax code of the body whose programme holds the purchase; empty for a CUI that did not come from ParseCUI.
func (c CUI) Body() TaxCode {
	if !cuiForm.shape.MatchString(string(c)) {
		return ""
	}
	return TaxCode(c[1:12])
}

// ChecksumOK tells whether the tax code inside is one that can exist. A mismatch only warns.
func (c CUI) ChecksumOK() bool { return c.Body().ChecksumOK() }
