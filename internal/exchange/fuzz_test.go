package exchange

import (
	"testing"

	"github.com/province-comuni/sua/internal/calendar"
)

// FuzzValues: what is read of a cell – a day, an amount, a flag – is one that exists, whatever the cell held.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"2023-08-30", "30/08/2023", "2023-02-30", "2023-08-30T10:00:00", "45419.0", "1.234,56", "-1", "1e9", "NaN", "999999999999999999999", "1.0", "SI", "", " 0 ", "0x10", "1_000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if day, ok := parseDay(s); ok {
			if _, err := calendar.ParseDate(day); err != nil {
				t.Errorf("%q is the day %q, which does not exist", s, day)
			}
		}
		if cents, ok := parseAmount(s); ok && cents < 0 {
			t.Errorf("%q is %d cents", s, cents)
		}
		_, _ = parseFlag(s)
	})
}
