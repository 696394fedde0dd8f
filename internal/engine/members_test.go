package engine

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzMembers: what members takes is valid JSON, and gives the members that encoding/json gives; plain texts and scalars are what it
// decodes.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, ` { "a" : "x" , "b":[1,{"c":null}], "d":true } `, `{"a":"\u00e0\n\"","a":-0.5e+3}`, `{"fields":{"amount":100,"title":"Lavori"},"inputs":{}}`,
		`{"a":01}`, `{"a":tru}`, `{"a":"`, `{"a":"\q"}`, `{"a":1,}`, `[1]`, `{"à":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := map[string]json.RawMessage{}
		if !members(b, func(name, v []byte) bool { got[string(name)] = v; return true }) {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nmembers %v\njson    %v, %v", b, got, want, err)
		}
		for _, v := range got {
			var x any
			if err := json.Unmarshal(v, &x); err != nil {
				t.Fatalf("%s: %v", v, err)
			}
			if text, ok := plainText(v); ok && string(text) != x {
				t.Fatalf("%s: %q", v, text)
			}
			if plainScalar(v) {
				if _, err := decodeScalar(v); err != nil {
					t.Fatalf("%s: %v", v, err)
				}
			}
		}
	})
}

// Objects that parts and data columns hold are taken; broken ones never.
func TestMembersTakesWhatEventsHold(t *testing.T) {
	for s, want := range map[string]bool{
		`{}`: true, `{"a":1,"b":"è","c":[{"d":true}]}`: true, `{"a": 1, "b": {"c": null}}`: true,
		``: false, `{`: false, `{"a"`: false, `{"a":`: false, `{"a":1`: false, `{"a":1,`: false, `{"a":1}x`: false, `{"a":"x`: false, `{"a":-}`: false, `null`: false,
	} {
		if got := members([]byte(s), func(_, _ []byte) bool { return true }); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}
