package law

import (
	"regexp"
	"strings"
)

// SOA is a category of public works with or without its class: "OG3", "OS18-A", "OG3 III-BIS".
type SOA string

var soaForm = form{code: "soa", name: "Categoria SOA", want: "una categoria con o senza classifica, come OG3 oppure OS18-A IV-BIS",
	shape: regexp.MustCompile(`^(OG ?([1-9]|1[0-3])|OS ?([1-9]|[12][0-9]|3[0-5])(-[AB])?)(( +| ?/ ?)(I|II|III|III-BIS|IV|IV-BIS|V|VI|VII|VIII))?$`)}

// ParseSOA reads a category ("OG 3", "os18-a") and, after a space or a slash, its class ("III-bis"), and writes them as
// SOA does; it refuses a wrong form with an Italian *FormatError.
func ParseSOA(text string) (SOA, error) {
	s, err := soaForm.read(text)
	if err != nil {
		return "", err
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '/' })
	if len(parts[0]) == 2 { // "OG 3"
		parts = append([]string{parts[0] + parts[1]}, parts[2:]...)
	}
	return SOA(strings.Join(parts, " ")), nil
}

// Category is the code without its class: "OG3".
func (s SOA) Category() string {
	category, _, _ := strings.Cut(string(s), " ")
	return category
}

// Class is the class of amount, "I" to "VIII" with "III-BIS" and "IV-BIS"; empty when the code has none.
func (s SOA) Class() string {
	_, class, _ := strings.Cut(string(s), " ")
	return class
}
