package api

import (
	"encoding/json"
	"testing"
)

// Whatever arrives, the reader of bodies answers; and what it accepts is JSON that other readers accept too.
func FuzzParseTree(f *testing.F) {
	for _, seed := range []string{`{"event":"a","inputs":{"x":[{"row":"1","v":1e5}]}}`, `[]`, `{"a":1,"a":2}`, `{"a":`, "\"\xff\"", `nul`, `1 2`, `[[[[`, `{"~/":{}}`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := parseTree(data)
		if err == nil && !json.Valid(data) {
			t.Errorf("accepted, but not JSON: %q", data)
		}
		if err != nil {
			if p := problemOf(err); p.Status != 400 && p.Status != 422 {
				t.Errorf("%q is answered with %d", data, p.Status)
			}
		}
	})
}
