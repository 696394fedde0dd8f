package web

import (
	"testing"
	"time"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestComingTerm(t *testing.T) {
	now := at(t, "2026-11-30T09:00:00+01:00") // a Monday
	for _, c := range []struct {
		due, text, notice string
		late              bool
	}{
		{"2026-12-03T00:00:00+01:00", "entro mer 2 dic", "fra 2 giorni", false},
		{"2026-12-02T00:00:00+01:00", "entro mar 1 dic", "domani", false},
		{"2026-12-01T00:00:00+01:00", "entro lun 30 nov", "oggi", false},
		{"2026-12-04T00:00:00+01:00", "entro gio 3 dic", "fra 3 giorni", false},
		{"2026-12-05T00:00:00+01:00", "entro ven 4 dic", "", false},
		{"2027-01-09T00:00:00+01:00", "entro ven 8 gen 2027", "", false},
		{"2026-12-02T12:00:00+01:00", "entro mer 2 dic, ore 12:00", "fra 2 giorni", false},
		{"2026-11-30T00:00:00+01:00", "entro dom 29 nov", "scaduto da 1 giorno", true},
		{"2026-11-28T00:00:00+01:00", "entro ven 27 nov", "scaduto da 3 giorni", true},
		{"2026-11-30T08:00:00+01:00", "entro lun 30 nov, ore 08:00", "scaduto", true},
	} {
		got := coming(at(t, c.due), now)
		if got != (term{c.text, c.notice, c.late}) {
			t.Errorf("due %s: %+v, want %q %q %v", c.due, got, c.text, c.notice, c.late)
		}
	}
}

func TestMomentsAreInRome(t *testing.T) {
	if got := moment(at(t, "2026-07-01T22:30:00Z")); got != "02/07/2026 00:30" {
		t.Errorf("summer: %s", got)
	}
	if got := moment(at(t, "2026-12-01T22:30:00Z")); got != "01/12/2026 23:30" {
		t.Errorf("winter: %s", got)
	}
	if got := day(time.Time{}); got != "" {
		t.Errorf("no time: %q", got)
	}
}

func TestAmountsAndSizes(t *testing.T) {
	cents := int64(330783624)
	if got := euro(&cents); got != "3.307.836,24 €" {
		t.Errorf("euro: %s", got)
	}
	if got := euro(nil); got != "" {
		t.Errorf("no amount: %q", got)
	}
	for bytes, want := range map[int64]string{12: "12 byte", 1536: "1,5 kB", 5 << 20: "5,0 MB"} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d) = %s, want %s", bytes, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{"manca il CUP": "Manca il CUP.", "": "", "È tardi!": "È tardi!", " è tardi ": "È tardi."} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}
