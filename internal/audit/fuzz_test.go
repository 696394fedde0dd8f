package audit

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzTilePath: what is read as a path of a tile is the path of that tile, and of no other.
func FuzzTilePath(f *testing.F) {
	for _, path := range []string{"tile/0/000", "tile/1/x001/x234/067", "tile/0/x001/000.p/3", "tile/entries/000.p/255", "tile/entries/x999/999", "tile/data/000", "tile/8/000", "tile/-1/000", "tile/0/000.p/256", "tile/"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		level, n, width, err := ParseTilePath(path)
		if err != nil {
			return
		}
		back := EntriesPath(n, width)
		if level >= 0 {
			back = TilePath(level, n, width)
		}
		if back != path || n < 0 || width < 1 || width > 256 {
			t.Errorf("%q is level %d, tile %d, width %d, whose path is %q", path, level, n, width, back)
		}
	})
}

// FuzzCheckpoint: only what was signed is a checkpoint, whatever else is put around it; and reading the lines of any text ends.
func FuzzCheckpoint(f *testing.F) {
	secret, public, err := NewLogKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), "sua.example.it/log")
	if err != nil {
		f.Fatal(err)
	}
	good, err := SignCheckpoint(secret, 12, make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, public)
	f.Add(bytes.Replace(good, []byte("\n12\n"), []byte("\n13\n"), 1), public)
	f.Add(append(bytes.Clone(good), good...), public)
	f.Add([]byte("o\n-1\nAAAA\n"), "a+00000000+AA==")
	f.Add([]byte(nil), "")
	f.Fuzz(func(t *testing.T, signed []byte, key string) {
		if c, err := ParseCheckpoint(signed, public); err == nil && (c.Size != 12 || !bytes.Equal(c.Root, make([]byte, 32)) || c.Origin != "sua.example.it/log") {
			t.Errorf("%q is taken for %+v", signed, c)
		}
		_, _ = ParseCheckpoint(signed, key)
		_ = CheckLogKey(key)
		_, _, _ = PublicKey(key)
		if size, err := NoteSize(signed); err == nil && (size < 0 || strings.Count(string(signed), "\n") < 3) {
			t.Errorf("%q has the size %d", signed, size)
		}
	})
}
