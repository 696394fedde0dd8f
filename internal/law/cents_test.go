package law_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/law"
)

func euro(t *testing.T, text string) law.Cents {
	t.Helper()
	c, err := law.ParseEuro(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseEuro(t *testing.T) {
	for text, want := range map[string]law.Cents{
		"3.307.836,24": 330783624, "3307836.24": 330783624, "3307836,24": 330783624, "45419.0": 4541900,
		"5.000": 500000, "5000": 500000, "5,5": 550, "0,05": 5, "0": 0, " 12,00 € ": 1200, "€ 12": 1200, "-1.234,50": -123450,
		"92233720368547758,07": math.MaxInt64, "-92233720368547758,08": math.MinInt64,
	} {
		got, err := law.ParseEuro(text)
		if err != nil || got != want {
			t.Errorf("ParseEuro(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseEuroRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "€", "-", ",5", "5,", "1.2345", "1.23.456", "12.34.567", "1,234", "1,234.56", "0.500", "1e3", "5,000",
		"1 000", "--1", "+1", "12 euro", "٣", "92233720368547758,08", "99999999999999999999", "€ 5 €",
	} {
		got, err := law.ParseEuro(text)
		var bad *law.FormatError
		if !errors.As(err, &bad) {
			t.Errorf("ParseEuro(%q) = %d, %v, want a refusal", text, got, err)
		}
	}
}

func TestCentsString(t *testing.T) {
	for cents, want := range map[law.Cents]string{
		0: "0,00 €", 5: "0,05 €", -5: "-0,05 €", 99999: "999,99 €", 100000: "1.000,00 €", 330783624: "3.307.836,24 €",
		-10000000: "-100.000,00 €", math.MinInt64: "-92.233.720.368.547.758,08 €",
	} {
		if got := cents.String(); got != want {
			t.Errorf("%d = %q, want %q", int64(cents), got, want)
		}
	}
}

func FuzzParseEuro(f *testing.F) {
	f.Add("3.307.836,24", int64(0))
	f.Add("€ 0.5", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, text string, cents int64) {
		if got, err := law.ParseEuro(law.Cents(cents).String()); err != nil || got != law.Cents(cents) {
			t.Errorf("%d is read back as %d, %v", cents, got, err)
		}
		read, err := law.ParseEuro(text)
		if err != nil {
			return
		}
		if again, err := law.ParseEuro(read.String()); err != nil || again != read {
			t.Errorf("%q = %d is read back as %d, %v", text, read, again, err)
		}
		if strings.ContainsAny(text, "eExX") {
			t.Errorf("%q was read as an amount", text)
		}
	})
}
