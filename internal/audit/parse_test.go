package audit

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func slow(b []byte) (h Header, err error) { err = json.Unmarshal(b, &h); return h, err }

// FuzzParse: whatever the fast reader takes, encoding/json reads the same.
func FuzzParse(f *testing.F) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	for _, h := range []Header{
		{Root: "r", Seq: 1, Case: "c", Event: "e", To: "a", At: at, Effective: at, Actor: "p"},
		{Root: "r", Seq: 12, Case: "c", Event: "e", From: "a", To: "b", At: at, Effective: at.Truncate(time.Second), Actor: "p", Role: "rup", Body: "b", Definition: "d", Cause: 3,
			Limits: []LimitUsed{{"k", "35", "art. 1 c. 2", "V"}, {"l", "€ <5>", "à", "M"}}, Documents: []Attached{{"t", "00"}, {"u", "01"}}},
		{Root: "r", Seq: 12, Limits: []LimitUsed{{"k", "35", "art. 1 c. 2", "V"}}},
	} {
		s, err := Seal(h, Parts{Open: NewPart([]byte("x")), Personal: NewPart([]byte("y"))}, []byte{1, 2})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Header)
	}
	f.Add([]byte(`{"root":"r","seq":01}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, ok := canonical(b)
		if !ok {
			return
		}
		want, err := slow(b)
		if err != nil || !reflect.DeepEqual(fast, want) {
			t.Fatalf("%s\nfast %+v\njson %+v, %v", b, fast, want, err)
		}
	})
}

// The headers that Seal writes take the fast way, unless they hold more than plain ASCII.
func TestSealedHeadersAreReadFast(t *testing.T) {
	for _, e := range chain(t, 3) {
		if _, ok := canonical(e.Header); !ok {
			t.Errorf("read the slow way: %s", e.Header)
		}
	}
}
