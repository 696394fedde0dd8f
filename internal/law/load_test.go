package law_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/law"
)

// Each file of testdata/bad has the expected messages below a line of dashes.
func TestLoadReportsEveryFault(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text, want, _ := strings.Cut(string(data), "\n----\n")
			table, err := law.Load([]byte(text))
			if err == nil || table != nil {
				t.Fatalf("accepted: %v", table)
			}
			if got := err.Error(); got != strings.TrimSpace(want) {
				t.Errorf("faults:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestLoadFaultsAreTyped(t *testing.T) {
	_, err := law.Load([]byte("a: []\n"))
	var fault law.Fault
	if !errors.As(err, &fault) || fault.Line != 1 {
		t.Errorf("got %v", err)
	}
}

func TestLoadRefusesWhatIsNoTable(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "comment": "# nothing\n", "list": "- a\n", "text": "a\n", "not yaml": "a: [\n",
		"two documents": "a: [{kind: days, value: 1, law: a, mark: V}]\n---\nb: 1\n",
		"half broken":   "a: [{kind: days, value: 1, law: a, mark: V}]\n---\n[\n",
	} {
		if _, err := law.Load([]byte(text)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(sample)
	f.Add("a: &x [{kind: ref, value: a, law: a, mark: V}]\nb: *x\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := law.Load([]byte(text))
		if err != nil {
			return
		}
		for _, key := range table.Keys() {
			if _, ok := table.KindOf(key); !ok {
				t.Errorf("%s has no kind", key)
			}
			for _, row := range table.History(key) {
				_ = row.Text()
			}
		}
	})
}
