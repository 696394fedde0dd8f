package config

import (
	"os"
	"strings"
	"testing"
)

// FuzzLoad: whatever the file holds, reading and checking it end, and what is said of it is said to an administrator, not to a
// programmer.
func FuzzLoad(f *testing.F) {
	if b, err := os.ReadFile("../../configs/sua.example.yaml"); err == nil {
		f.Add(b)
	}
	for _, text := range []string{"", "port: x\n", "database: {url: 1}\n", "enforce: a\n", "a: &x {b: *x}\n", "sweep: {every: 2}\n", "---\n---\n", "- 1\n", "port: 99999999999999999999\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := Default()
		err := c.fromYAML(text)
		if err == nil {
			c.complete()
			err = c.Validate()
		}
		if err != nil && strings.Contains(err.Error(), "into config.") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
