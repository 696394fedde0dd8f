package flow

import (
	"os"
	"testing"
)

// FuzzLoadCatalogue: whatever a file of documents holds, reading it ends with a catalogue or with a fault.
func FuzzLoadCatalogue(f *testing.F) {
	if b, err := os.ReadFile("../../workflows/law/documents.yaml"); err == nil {
		f.Add(b)
	}
	for _, text := range []string{"documents: {a: {label: {it: A, en: A}}}\n", "documents: [a]\n", "documents: {a: {label: {it: 1}}, a: {}}\n", "a: &x {b: *x}\n", "? [a]\n: b\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = LoadCatalogue(data)
	})
}

// FuzzParse: what Parse accepts of JSON is canonical: parsed again it is the same, and it can be shown.
func FuzzParse(f *testing.F) {
	for i, s := range []string{"ciao", "true", "12", "330783624", "12.35", "2026-11-22", "2026-03-29T02:30:00+01:00", "oepv", "B24DA5677B", "B18E18000340009"} {
		f.Add(i, s, 1.5)
	}
	f.Fuzz(func(t *testing.T, i int, s string, n float64) {
		typ := allTypes[uint(i)%uint(len(allTypes))]
		for _, given := range []any{s, n, int64(i), i, nil, true, []any{s}, map[string]any{s: n}} {
			v, err := Parse(typ, ways, given)
			if err != nil {
				codeOf(t, err)
				continue
			}
			if again, err := Parse(typ, ways, v); err != nil || again != v {
				t.Fatalf("%s %v gives %v, which parses to %v, %v", typ, given, v, again, err)
			}
			_ = Format(typ, ways, v, "it")
			_ = Warnings(typ, v)
		}
	})
}
