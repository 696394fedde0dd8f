package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// shelf keeps tiles in memory, the growing ones in place.
type shelf map[string][]byte

func (s shelf) put(level int, n int64, body []byte) error {
	s[TilePath(level, n, TileWidth)] = bytes.Clone(body)
	return nil
}

func (s shelf) read(level int, n int64, width int) ([]byte, error) {
	body := s[TilePath(level, n, TileWidth)]
	if len(body) < width*32 {
		return nil, fmt.Errorf("tile %s has %d bytes", TilePath(level, n, width), len(body))
	}
	return body[:width*32], nil
}

func entry(i int64) []byte {
	h := sha256.Sum256(fmt.Appendf(nil, "event %d", i))
	return h[:]
}

// grow appends the entries [from, to), beginning anew at each of these sizes as a process that starts would.
func (s shelf) grow(t testing.TB, from, to int64) {
	t.Helper()
	g, err := NewGrower(s.read, from, s.put)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		if err := g.Add(Leaf(entry(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Edge(s.put); err != nil {
		t.Fatal(err)
	}
}

// reference keeps all hashes of the tree as x/mod's own code stores them.
func reference(t testing.TB, size int64) tlog.HashReaderFunc {
	t.Helper()
	var all []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = all[x]
		}
		return out, nil
	})
	for i := range size {
		more, err := tlog.StoredHashes(i, entry(i), read)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	return read
}

func TestProofsAreThoseOfOthers(t *testing.T) {
	sizes := []int64{1, 2, 3, 255, 256, 257, 511, 513, 1000}
	if os.Getenv("SUA_TEST_LONG") != "" {
		sizes = append(sizes, 65_535, 65_536, 65_537)
	}
	ref := reference(t, sizes[len(sizes)-1])
	dice := mrand.New(mrand.NewPCG(1, 2))
	s, before := shelf{}, int64(0)
	var peaks Peaks
	for _, size := range sizes {
		s.grow(t, before, size)
		for i := before; i < size; i++ {
			peaks.Add(entry(i))
		}
		before = size
		root, err := RootHash(s.read, size)
		if err != nil {
			t.Fatal(err)
		}
		want, err := tlog.TreeHash(size, ref)
		if err != nil || !bytes.Equal(want[:], root) || !bytes.Equal(root, peaks.Root()) {
			t.Fatalf("root of %d differs from that of x/mod (%v)", size, err)
		}
		for range 20 {
			proveOne(t, s, ref, size, dice.Int64N(size), root, want)
			older := 1 + dice.Int64N(size)
			oldRoot, err := tlog.TreeHash(older, ref)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ConsistencyProof(s.read, older, size)
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckConsistency(p, older, size, oldRoot[:], root); err != nil {
				t.Error(err)
			}
			if err := CheckConsistency(p, older, size, entry(1), root); !errors.Is(err, ErrNotProved) {
				t.Errorf("another log is consistent: %v", err)
			}
		}
	}
}

func proveOne(t *testing.T, s shelf, ref tlog.HashReader, size, index int64, root []byte, want tlog.Hash) {
	t.Helper()
	p, err := InclusionProof(s.read, index, size)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckInclusion(p, index, size, root, entry(index)); err != nil {
		t.Error(err)
	}
	if err := CheckInclusion(p, index, size, root, entry(index+1)); !errors.Is(err, ErrNotProved) {
		t.Errorf("another entry is included: %v", err)
	}
	theirs, err := tlog.ProveRecord(size, index, ref)
	if err != nil || len(theirs) != len(p) {
		t.Fatalf("theirs has %d steps, ours %d: %v", len(theirs), len(p), err)
	}
	ours, err := hashList(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(ours, size, want, index, tlog.RecordHash(entry(index))); err != nil {
		t.Error(err)
	}
}

// A log that grows one by one, with a new process for each, has the same tiles as one that grows at once.
func TestTilesDoNotDependOnHowTheLogGrew(t *testing.T) {
	slow, quick := shelf{}, shelf{}
	const size = 600
	for i := range int64(size) {
		slow.grow(t, i, i+1)
	}
	quick.grow(t, 0, size)
	if len(slow) != len(quick) || len(slow) != 4 {
		t.Errorf("%d tiles and %d, want 4", len(slow), len(quick))
	}
	for path, body := range quick {
		if !bytes.Equal(slow[path], body) {
			t.Errorf("%s differs", path)
		}
	}
	if _, err := NewGrower(slow.read, size+1, slow.put); err == nil {
		t.Error("a log without its edge went on")
	}
}

func TestTilePaths(t *testing.T) {
	for path, want := range map[string][3]int64{
		"tile/0/000": {0, 0, 256}, "tile/0/x001/x234/067": {0, 1_234_067, 256}, "tile/3/005.p/17": {3, 5, 17}, "tile/entries/x001/000.p/255": {-1, 1000, 255},
	} {
		level, n, width, err := ParseTilePath(path)
		if err != nil || [3]int64{int64(level), n, int64(width)} != want {
			t.Errorf("%s = %d %d %d, %v", path, level, n, width, err)
		}
		if back := EntriesPath(n, width); level < 0 && back != path {
			t.Errorf("%s came back as %s", path, back)
		}
		if level >= 0 && TilePath(level, n, width) != path {
			t.Errorf("%s came back as %s", path, TilePath(level, n, width))
		}
	}
	for _, bad := range []string{"", "tile/0/1", "tile/0/0001", "tile/8/000", "tile/-1/000", "tile/data/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/x000/001", "tile/0/../000", "x/0/000"} {
		if _, _, _, err := ParseTilePath(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	for _, x := range []struct {
		level, want int
		n, size     int64
	}{{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 256, 0, 256}, {0, 1, 1, 257}, {1, 0, 0, 255}, {1, 1, 0, 256}, {1, 256, 0, 65_536}, {2, 1, 0, 65_536}, {0, 0, 5, 100}} {
		if got := Width(x.level, x.n, x.size); got != x.want {
			t.Errorf("Width(%d, %d, %d) = %d, want %d", x.level, x.n, x.size, got, x.want)
		}
	}
}

func TestCheckpoints(t *testing.T) {
	secret, public, err := NewLogKey(rand.Reader, "sua.example.it/log")
	if err != nil {
		t.Fatal(err)
	}
	if origin, again, err := PublicKey(secret + "\n"); err != nil || again != public || origin != "sua.example.it/log" {
		t.Errorf("public key %q of %q, %v", again, origin, err)
	}
	signed, err := SignCheckpoint(secret, 42, entry(1))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCheckpoint(signed, public)
	if err != nil || c.Size != 42 || !bytes.Equal(c.Root, entry(1)) || c.Origin != "sua.example.it/log" {
		t.Errorf("%+v, %v", c, err)
	}
	if !strings.HasPrefix(string(signed), "sua.example.it/log\n42\n") {
		t.Errorf("note %s", signed)
	}
	if _, err := ParseCheckpoint(bytes.Replace(signed, []byte("\n42\n"), []byte("\n43\n"), 1), public); err == nil {
		t.Error("an edited checkpoint was believed")
	}
	_, other, err := NewLogKey(rand.Reader, "sua.example.it/log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCheckpoint(signed, other); err == nil {
		t.Error("a checkpoint of another key was believed")
	}
	if _, _, err := PublicKey("PRIVATE+KEY+x"); err == nil {
		t.Error("no key was read")
	}
}
