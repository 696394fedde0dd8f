package law_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/law"
)

// realCodes reads a file of testdata: one code a line, comments with #.
func realCodes(t testing.TB, file string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			codes = append(codes, line)
		}
	}
	if len(codes) < 10 {
		t.Fatalf("only %d codes in %s", len(codes), file)
	}
	return codes
}

// parsers names every parser of a code, so that one table can try them all.
var parsers = map[string]func(string) (string, error){
	"cig":      func(s string) (string, error) { c, err := law.ParseCIG(s); return string(c), err },
	"cup":      func(s string) (string, error) { c, err := law.ParseCUP(s); return string(c), err },
	"cui":      func(s string) (string, error) { c, err := law.ParseCUI(s); return string(c), err },
	"tax_code": func(s string) (string, error) { c, err := law.ParseTaxCode(s); return string(c), err },
	"nuts":     func(s string) (string, error) { c, err := law.ParseNUTS(s); return string(c), err },
	"cpv":      func(s string) (string, error) { c, err := law.ParseCPV(s); return string(c), err },
	"ipa":      func(s string) (string, error) { c, err := law.ParseIPA(s); return string(c), err },
	"belfiore": func(s string) (string, error) { c, err := law.ParseBelfiore(s); return string(c), err },
	"istat":    func(s string) (string, error) { c, err := law.ParseISTAT(s); return string(c), err },
	"soa":      func(s string) (string, error) { c, err := law.ParseSOA(s); return string(c), err },
}

func TestCodesAreNormalised(t *testing.T) {
	for _, c := range []struct{ code, text, want string }{
		{"cig", " b24da5677b\n", "B24DA5677B"}, {"cig", "988518263e", "988518263E"}, {"cig", "Z0A1B2C3D4", "Z0A1B2C3D4"},
		{"cup", "j77h18001340002", "J77H18001340002"}, {"cup", "G39G19000560002", "G39G19000560002"},
		{"cui", "f80419560588202300001", "F80419560588202300001"},
		{"tax_code", "rssmra85t10a562s", "RSSMRA85T10A562S"}, {"tax_code", "00166340521", "00166340521"},
		{"tax_code", "cfavcp-0001216", "CFAVCP-0001216"},
		{"nuts", "ith34", "ITH34"}, {"nuts", "ITC47", "ITC47"}, {"nuts", "ITH", "ITH"},
		{"cpv", "45233140-2", "45233140-2"}, {"cpv", "45233140", "45233140"},
		{"ipa", "C_L407", "c_l407"}, {"ipa", "p_tv", "p_tv"},
		{"belfiore", "l407", "L407"}, {"istat", "028060", "028060"},
		{"soa", "og 3", "OG3"}, {"soa", "OS18-A", "OS18-A"}, {"soa", "OG3 III-bis", "OG3 III-BIS"}, {"soa", "OS 2-A / iv", "OS2-A IV"},
	} {
		got, err := parsers[c.code](c.text)
		if err != nil || got != c.want {
			t.Errorf("%s %q = %q, %v, want %q", c.code, c.text, got, err, c.want)
		}
	}
}

func TestCodesRefuseABadForm(t *testing.T) {
	for code, texts := range map[string][]string{
		"cig":      {"988518263", "988518263EE", "98851826G3", "B24DA5677G", "9885182 3E", "988518-63E", "B24DA5677B C"},
		"cup":      {"J77H1800134000", "J77H180013400022", "177H18001340002", "J77718001340002"},
		"cui":      {"80419560588202300001", "X80419560588202300001", "F8041956058820230001", "F80419560588-2023-00001"},
		"tax_code": {"0016634052", "001663405211", "RSSMRA85G10A562S", "RSSMRA85T10A562", "IT00166340521", "CFAVCP-121", "RſSMRA85T10A562S"},
		"nuts":     {"IT", "FR101", "ITH345", "H34"},
		"cpv":      {"4523314", "45233140-", "45233140-22", "452331402", "45233140 2"},
		"ipa":      {"c l407", "c-l407", "abcdefghijklmnopqrstu", "cıl407"},
		"belfiore": {"L40", "L4077", "1407"},
		"istat":    {"28060", "0280600", "L28060"},
		"soa":      {"OG14", "OG0", "OS36", "OG3-A", "OG3 IX", "OG3 III-ter", "OG3III", "3"},
	} {
		for _, text := range append(texts, "", " ", "\x00", "è") {
			got, err := parsers[code](text)
			var bad *law.FormatError
			if !errors.As(err, &bad) || bad.Code != code || got != "" {
				t.Errorf("%s %q = %q, %v, want a refusal", code, text, got, err)
			}
		}
	}
}

func TestFormatErrorIsItalianAndShort(t *testing.T) {
	_, err := law.ParseCIG("98851826")
	if want := `CIG non valido ("98851826"): atteso un codice di 10 caratteri come 988518263E o B24DA5677B`; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	_, err = law.ParseCIG("  ")
	if want := "CIG mancante: atteso un codice di 10 caratteri come 988518263E o B24DA5677B"; err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if _, err = law.ParseCIG(strings.Repeat("à", 10000)); len(err.Error()) > 250 {
		t.Errorf("the message has %d bytes", len(err.Error()))
	}
}

func TestRealCIGs(t *testing.T) {
	for _, text := range append(realCodes(t, "cig.txt"), "B24DA5677B") {
		cig, err := law.ParseCIG(text)
		if err != nil {
			t.Error(err)
			continue
		}
		want := law.CIGPCP
		if text[0] <= '9' {
			want = law.CIGStandard
		}
		if cig.Family() != want || !cig.ChecksumOK() {
			t.Errorf("%s: family %q, checksum %v", cig, cig.Family(), cig.ChecksumOK())
		}
		// Changing any character of the part that is checked must be seen.
		for i := range 10 {
			for _, d := range "0123456789" {
				changed := law.CIG(text[:i] + string(d) + text[i+1:])
				if changed != cig && changed.Family() == want && changed.ChecksumOK() {
					t.Errorf("%s passes for %s", changed, cig)
				}
			}
		}
	}
}

func TestSmartCIGsHaveNoCheck(t *testing.T) {
	for _, cig := range []law.CIG{"Z0A1B2C3D4", "V000000000"} {
		if cig.Family() != law.CIGSmart || !cig.ChecksumOK() {
			t.Errorf("%s: family %q, checksum %v", cig, cig.Family(), cig.ChecksumOK())
		}
	}
	if bad := law.CIG("né un CIG"); bad.Family() != "" || bad.ChecksumOK() {
		t.Error("a CIG that was never parsed passes")
	}
}

func TestRealCUPs(t *testing.T) {
	for _, text := range realCodes(t, "cup.txt") {
		if cup, err := law.ParseCUP(text); err != nil || string(cup) != text {
			t.Errorf("%s = %s, %v", text, cup, err)
		}
	}
}

func TestRealCUIs(t *testing.T) {
	for _, text := range realCodes(t, "cui.txt") {
		cui, err := law.ParseCUI(text)
		if err != nil || !cui.ChecksumOK() || string(cui.Body()) != text[1:12] {
			t.Errorf("%s: body %s, checksum %v, %v", text, cui.Body(), cui.ChecksumOK(), err)
		}
	}
	if law.CUI("F80419560589202300001").ChecksumOK() || law.CUI("F").ChecksumOK() {
		t.Error("a wrong tax code passes inside a CUI")
	}
}

func TestRealTaxCodes(t *testing.T) {
	for _, text := range append(realCodes(t, "taxcode.txt"), "00166340521", "80001130527", "80005270030") {
		code, err := law.ParseTaxCode(text)
		if err != nil || !code.ChecksumOK() {
			t.Errorf("%s: checksum %v, %v", text, code.ChecksumOK(), err)
		}
		want := law.TaxOrganisation
		if strings.HasPrefix(text, "CFAVCP") {
			want = law.TaxANAC
		}
		if code.Family() != want {
			t.Errorf("%s: family %q, want %q", text, code.Family(), want)
		}
	}
	if law.TaxCode("00166340522").ChecksumOK() {
		t.Error("a wrong check digit passes")
	}
}

// The person is the invented one of every Italian manual; in the second code digits became letters (omocodia).
func TestPersonTaxCodes(t *testing.T) {
	for code, want := range map[law.TaxCode]bool{
		"RSSMRA85T10A562S": true, "RSSMRA85T10A56NH": true, "RSSMRA85T10A562T": false, "RSSMRA85T10A56NS": false,
	} {
		if code.Family() != law.TaxPerson || code.ChecksumOK() != want {
			t.Errorf("%s: family %q, checksum %v, want %v", code, code.Family(), code.ChecksumOK(), want)
		}
	}
	if bad := law.TaxCode("rossi"); bad.Family() != "" || bad.ChecksumOK() {
		t.Error("a code that was never parsed passes")
	}
}

func TestPartsOfCodes(t *testing.T) {
	if with, without := law.CPV("45233140-2"), law.CPV("45233140"); with.Base() != without.Base() {
		t.Errorf("%s and %s differ", with.Base(), without.Base())
	}
	if law.CPV("").Base() != "" {
		t.Error("the empty CPV has a base")
	}
	soa, err := law.ParseSOA("og 3 iii-bis")
	if err != nil || soa.Category() != "OG3" || soa.Class() != "III-BIS" {
		t.Errorf("%s: %s, %s, %v", soa, soa.Category(), soa.Class(), err)
	}
	if plain := law.SOA("OS18-A"); plain.Category() != "OS18-A" || plain.Class() != "" {
		t.Errorf("%s: %s, %s", plain, plain.Category(), plain.Class())
	}
}

func FuzzParseCIG(f *testing.F) {
	for _, text := range realCodes(f, "cig.txt") {
		f.Add(text)
	}
	f.Add("Z0A1B2C3D4")
	f.Fuzz(func(t *testing.T, text string) {
		_ = law.CIG(text).ChecksumOK() // must not panic on what was never parsed
		cig, err := law.ParseCIG(text)
		if err != nil {
			return
		}
		if again, err := law.ParseCIG(string(cig)); err != nil || again != cig {
			t.Errorf("%q = %s is read back as %s, %v", text, cig, again, err)
		}
		if cig.Family() == "" {
			t.Errorf("%s has no family", cig)
		}
	})
}

// No parser may panic, and what a parser wrote it must read unchanged.
func FuzzParseCodes(f *testing.F) {
	for _, text := range []string{"J77H18001340002", "CFAVCP-0001216", "ITH34", "OS 2-A / IV", "c_l407", "45233140-2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_ = law.TaxCode(text).ChecksumOK()
		_ = law.CUI(text).ChecksumOK()
		_ = law.CPV(text).Base()
		for name, parse := range parsers {
			code, err := parse(text)
			if err != nil {
				continue
			}
			if again, err := parse(code); err != nil || again != code {
				t.Errorf("%s %q = %q is read back as %q, %v", name, text, code, again, err)
			}
		}
	})
}
