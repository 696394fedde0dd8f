package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPutAndGet(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.Put(strings.NewReader("%PDF-1.7 una relazione"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Size != 22 || kept.Media != "application/pdf" || len(kept.SHA256) != 64 {
		t.Errorf("kept %+v", kept)
	}
	again, err := s.Put(strings.NewReader("%PDF-1.7 una relazione"), 1000)
	if err != nil || again != kept {
		t.Errorf("the same bytes gave %+v, %v", again, err)
	}
	if left, err := os.ReadDir(filepath.Join(s.folder, "incoming")); err != nil || len(left) != 0 {
		t.Errorf("%d files left behind (%v)", len(left), err)
	}
	f, err := s.Get(kept.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, _ := io.ReadAll(f); string(b) != "%PDF-1.7 una relazione" {
		t.Errorf("got %q", b)
	}
}

func TestTooLargeLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	s, _ := Open(folder)
	if _, err := s.Put(strings.NewReader("12345678901"), 10); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("Put = %v", err)
	}
	left, _ := os.ReadDir(filepath.Join(folder, "incoming"))
	if len(left) != 0 {
		t.Errorf("%d files left behind", len(left))
	}
}

func TestGetRefusesPaths(t *testing.T) {
	s, _ := Open(t.TempDir())
	for _, bad := range []string{"", "../../etc/passwd", strings.Repeat("a", 64), strings.Repeat("z", 64)} {
		if _, err := s.Get(bad); !errors.Is(err, ErrMissing) {
			t.Errorf("Get(%q) = %v", bad, err)
		}
	}
}
