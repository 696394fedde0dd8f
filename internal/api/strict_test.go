package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

// Whatever arrives, the reader of bodies answers; what it accepts is JSON that other readers accept too, and the same by either way.
func FuzzParseTree(f *testing.F) {
	for _, seed := range []string{`{"event":"a","inputs":{"x":[{"row":"1","v":1e5}]}}`, `[]`, `{"a":1,"a":2}`, `{"a":`, "\"\xff\"", `nul`, `1 2`, `[[[[`, `{"~/":{}}`, ``, `{"a":":\"{","\u0061b":[]}`, `{"a":1,"\u0061":2}`,
		"{\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", ` {"a":null} `} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := parseTree(data)
		if err == nil && !json.Valid(data) {
			t.Errorf("accepted, but not JSON: %q", data)
		}
		if told, errTold := tokenTree(data); utf8.Valid(data) && len(bytes.TrimSpace(data)) > 0 && ((errTold == nil) != (err == nil) || !reflect.DeepEqual(told, tree)) {
			t.Errorf("%q: %v (%v), token by token %v (%v)", data, tree, err, told, errTold)
		}
		if err != nil {
			if p := problemOf(err); p.Status != 400 && p.Status != 422 {
				t.Errorf("%q is answered with %d", data, p.Status)
			}
		}
	})
}

func BenchmarkParseTree(b *testing.B) {
	body := []byte(`{"event":"next","inputs":{"reason":"all bids opened in the presence of the committee"}}`)
	for b.Loop() {
		if _, err := parseTree(body); err != nil {
			b.Fatal(err)
		}
	}
}
