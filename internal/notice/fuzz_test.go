package notice

import (
	"os"
	"testing"
)

// FuzzLoad: whatever a file of notices holds, reading it ends, and what is accepted can be rendered in both languages.
func FuzzLoad(f *testing.F) {
	if b, err := os.ReadFile("../../workflows/notices.yaml"); err == nil {
		f.Add(b)
	}
	for _, text := range []string{"templates: {}\n", "templates:\n  a:\n    subject: {it: \"{{\", en: x}\n", "templates: {a: {text: {it: \"{case\", en: \"}\"}}}\n", "habits: 1\n", "a: &x {b: *x}\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ts, err := Load(Source{"notices.yaml", data})
		if err != nil {
			return
		}
		for _, id := range ts.IDs() {
			for _, lang := range []string{"it", "en"} {
				if _, _, _, err := ts.Mail(ts.For(id), lang, Values{}); err != nil {
					t.Errorf("%s was accepted and cannot be written: %v", id, err)
				}
			}
		}
	})
}
