package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The Merkle log: every event of every tree, in the order of the one sequence, under one hash. Its leaf number i (from 0) is the event
// with number i+1, and the entry there is that event's chain hash alone, so that the public log tells nothing that can be read.
//
// Hashing is RFC 6962's, tiles c2sp.org/tlog-tiles with height 8, checkpoints c2sp.org/tlog-checkpoint in signed notes: a verifier
// written by others needs nothing from us.

// TileWidth is how many hashes a full tile holds, and how many entries a full bundle.
const TileWidth = 256

const (
	tileHeight = 8
	hashSize   = tlog.HashSize
)

// TileReader returns the first width hashes, 32 bytes each, of tile number n of a level.
type TileReader func(level int, n int64, width int) ([]byte, error)

// hashes reads the stored hashes that tlog asks for out of tiles. Tiles are taken as they are: what is proved with them is checked
// against a root.
func (read TileReader) hashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	tiles := map[tlog.Tile][]byte{}
	for i, x := range indexes {
		t := tlog.TileForIndex(tileHeight, x)
		data, ok := tiles[t]
		if !ok {
			var err error
			if data, err = read(t.L, t.N, t.W); err != nil {
				return nil, err
			}
			tiles[t] = data
		}
		h, err := tlog.HashFromTile(t, data, x)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

// RootHash is the hash of the log's first size entries, from tiles. Of the empty log it is the hash of nothing.
func RootHash(read TileReader, size int64) ([]byte, error) {
	if size == 0 {
		h := sha256.Sum256(nil)
		return h[:], nil
	}
	h, err := tlog.TreeHash(size, tlog.HashReaderFunc(read.hashes))
	if err != nil {
		return nil, fmt.Errorf("root of %d entries: %w", size, err)
	}
	return h[:], nil
}

// InclusionProof is the way from leaf index (from 0) to the root of the log's first size entries, from tiles: 32 bytes a step, lowest
// first.
func InclusionProof(read TileReader, index, size int64) ([][]byte, error) {
	p, err := tlog.ProveRecord(size, index, tlog.HashReaderFunc(read.hashes))
	if err != nil {
		return nil, fmt.Errorf("inclusion of entry %d in %d: %w", index, size, err)
	}
	return plain(p), nil
}

// ErrNotProved says that a proof does not lead to the root it should.
var ErrNotProved = errors.New("the proof does not hold")

// CheckInclusion checks that an entry (the chain hash of an event) is leaf index of the log with this size and root.
func CheckInclusion(proof [][]byte, index, size int64, root, entry []byte) error {
	p, err := hashList(proof)
	if err != nil {
		return err
	}
	h, err := hashOf(root)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(p, size, h, index, tlog.RecordHash(entry)); err != nil {
		return fmt.Errorf("%w: entry %d of %d", ErrNotProved, index, size)
	}
	return nil
}

// ConsistencyProof shows that the log of newer entries begins with the one of older, from tiles; 0 < older <= newer.
func ConsistencyProof(read TileReader, older, newer int64) ([][]byte, error) {
	p, err := tlog.ProveTree(newer, older, tlog.HashReaderFunc(read.hashes))
	if err != nil {
		return nil, fmt.Errorf("consistency of %d and %d: %w", older, newer, err)
	}
	return plain(p), nil
}

// CheckConsistency checks that the log with the newer root begins with that of the older one: nothing was changed or taken away.
func CheckConsistency(proof [][]byte, older, newer int64, olderRoot, newerRoot []byte) error {
	p, err := hashList(proof)
	if err != nil {
		return err
	}
	from, err := hashOf(olderRoot)
	if err != nil {
		return err
	}
	to, err := hashOf(newerRoot)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(p, newer, to, older, from); err != nil {
		return fmt.Errorf("%w: %d entries are not the beginning of %d", ErrNotProved, older, newer)
	}
	return nil
}

func plain(in []tlog.Hash) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = in[i][:]
	}
	return out
}

func hashList(in [][]byte) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(in))
	for i := range in {
		var err error
		if out[i], err = hashOf(in[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func hashOf(b []byte) (h tlog.Hash, err error) {
	if len(b) != hashSize {
		return h, fmt.Errorf("%w: a hash has %d bytes", ErrNotProved, len(b))
	}
	copy(h[:], b)
	return h, nil
}

// Leaf is the hash that stands for an entry in the tiles of level 0.
func Leaf(entry []byte) []byte {
	h := tlog.RecordHash(entry)
	return h[:]
}

// Grower appends leaves and hands over tiles: each when it is full, and with Edge those that are not. Start it with the edge of the
// log that is to grow: of each level, how many tiles are full and the hashes of the one that grows.
type Grower struct {
	levels []edge
	size   int64
	Full   func(level int, n int64, body []byte) error
}

type edge struct {
	n    int64 // the tile that grows
	body []byte
}

// NewGrower continues a log of size leaves, read from its tiles.
func NewGrower(read TileReader, size int64, full func(level int, n int64, body []byte) error) (*Grower, error) {
	g := &Grower{size: size, Full: full}
	for rest := size; rest > 0; rest /= TileWidth {
		e := edge{n: rest / TileWidth}
		if w := int(rest % TileWidth); w > 0 {
			body, err := read(len(g.levels), e.n, w)
			if err != nil {
				return nil, err
			}
			if len(body) != w*hashSize {
				return nil, fmt.Errorf("tile %s has %d bytes", TilePath(len(g.levels), e.n, w), len(body))
			}
			e.body = bytes.Clone(body)
		}
		g.levels = append(g.levels, e)
	}
	return g, nil
}

// Size is how many leaves there are.
func (g *Grower) Size() int64 { return g.size }

// Add appends a leaf.
func (g *Grower) Add(leaf []byte) error {
	g.size++
	for level := 0; ; level++ {
		if level == len(g.levels) {
			g.levels = append(g.levels, edge{})
		}
		e := &g.levels[level]
		if e.body = append(e.body, leaf...); len(e.body) < TileWidth*hashSize {
			return nil
		}
		if err := g.Full(level, e.n, e.body); err != nil {
			return err
		}
		leaf = top(e.body)
		e.n, e.body = e.n+1, nil
	}
}

// top is the hash of a full tile: the root of the perfect tree over its hashes.
func top(body []byte) []byte {
	row := make([]tlog.Hash, TileWidth)
	for i := range row {
		copy(row[i][:], body[i*hashSize:])
	}
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0][:]
}

// Edge hands over the tiles that are not full.
func (g *Grower) Edge(put func(level int, n int64, body []byte) error) error {
	for level, e := range g.levels {
		if len(e.body) > 0 {
			if err := put(level, e.n, e.body); err != nil {
				return err
			}
		}
	}
	return nil
}

// Width is how many hashes tile n of a level has in a log of size entries: TileWidth when it is full, 0 when it is not there.
func Width(level int, n, size int64) int {
	return int(min(max(size>>(tileHeight*level)-n*TileWidth, 0), TileWidth))
}

// TilePath is where a tile stands in the log's folder: "tile/0/x001/067", a partial one with ".p/W". Entries has no level.
func TilePath(level int, n int64, width int) string {
	return strings.Replace(tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path(), "tile/8/", "tile/", 1)
}

// EntriesPath is where a bundle of entries stands.
func EntriesPath(n int64, width int) string {
	return strings.Replace(TilePath(0, n, width), "tile/0/", "tile/entries/", 1)
}

// ParseTilePath reads what TilePath and EntriesPath write; of entries the level is -1.
func ParseTilePath(path string) (level int, n int64, width int, err error) {
	inner, ok := strings.CutPrefix(path, "tile/")
	inner = strings.Replace(inner, "entries/", "data/", 1)
	t, err := tlog.ParseTilePath("tile/8/" + inner)
	if !ok || err != nil || t.L > 7 || strings.Contains(path, "data") {
		return 0, 0, 0, fmt.Errorf("%q is no path of a tile", path)
	}
	return t.L, t.N, t.W, nil
}

// Bundle is how entries are served: two bytes of length, big-endian, before each.
func Bundle(entries [][]byte) []byte {
	var out []byte
	for _, e := range entries {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(e))), e...)
	}
	return out
}

// Checkpoint is what was signed of a log: that its first Size entries have this root.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   []byte // 32 bytes
	Note   []byte // the signed note as it was read
}

// NewLogKey makes an Ed25519 key for a log. The origin names the log: a host and a path, without scheme. Secret signs and is kept,
// public is given to whoever checks; both are in the format of signed notes.
func NewLogKey(random io.Reader, origin string) (secret, public string, err error) {
	secret, public, err = note.GenerateKey(random, origin)
	if err != nil {
		return "", "", fmt.Errorf("make the key of the log: %w", err)
	}
	return secret, public, nil
}

// PublicKey is the public part of a secret key, and the origin that both name.
func PublicKey(secret string) (origin, public string, err error) {
	secret = strings.TrimSpace(secret)
	signer, err := note.NewSigner(secret)
	if err != nil {
		return "", "", fmt.Errorf("read the key of the log: %w", err)
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE, KEY, origin, hash, and the key: a byte for the kind and the seed
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		return "", "", fmt.Errorf("read the key of the log: %w", err)
	}
	key, _ := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	public, err = note.NewEd25519VerifierKey(signer.Name(), key)
	return signer.Name(), public, err
}

// SignCheckpoint signs that the first size entries have this root.
func SignCheckpoint(secret string, size int64, root []byte) ([]byte, error) {
	signer, err := note.NewSigner(strings.TrimSpace(secret))
	if err != nil {
		return nil, fmt.Errorf("read the key of the log: %w", err)
	}
	h, err := hashOf(root)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, h)}, signer)
}

// ParseCheckpoint reads a signed note and checks its signature by the public key of the log, whose name is the origin. Where the key was
// changed public has several, see readLogKeys.
func ParseCheckpoint(signed []byte, public string) (Checkpoint, error) {
	keys, err := readLogKeys(public)
	if err != nil {
		return Checkpoint{}, err
	}
	n, err := note.Open(signed, keys.verifiers())
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	origin, size, root, err := readNote(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := keys.vouch(n.Sigs, origin, size); err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{Origin: origin, Size: size, Root: root, Note: signed}, nil
}

// CheckLogKey says whether a text is a public key that checkpoints can be verified with, or several, as the error.
func CheckLogKey(public string) error {
	_, err := readLogKeys(public)
	return err
}

// readNote reads the three lines that every checkpoint begins with.
func readNote(text string) (origin string, size int64, root []byte, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return "", 0, nil, errors.New("checkpoint: too short")
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return "", 0, nil, errors.New("checkpoint: its size cannot be read")
	}
	h, err := tlog.ParseHash(lines[2])
	if err != nil {
		return "", 0, nil, fmt.Errorf("checkpoint: %w", err)
	}
	return lines[0], size, h[:], nil
}

// NoteSize is the size that a note of ours says, its signature unchecked.
func NoteSize(signed []byte) (int64, error) {
	_, size, _, err := readNote(string(signed))
	return size, err
}

// Peaks computes roots of a growing log without tiles: leaf by leaf, with one hash for each perfect tree in it.
type Peaks struct {
	size   int64
	hashes []tlog.Hash
}

// Add appends an entry.
func (p *Peaks) Add(entry []byte) {
	h := tlog.RecordHash(entry)
	for n := p.size; n&1 == 1; n >>= 1 {
		last := len(p.hashes) - 1
		h = tlog.NodeHash(p.hashes[last], h)
		p.hashes = p.hashes[:last]
	}
	p.hashes = append(p.hashes, h)
	p.size++
}

// Root is the root of the entries so far.
func (p *Peaks) Root() []byte {
	if p.size == 0 {
		h := sha256.Sum256(nil)
		return h[:]
	}
	h := p.hashes[len(p.hashes)-1]
	for i := len(p.hashes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(p.hashes[i], h)
	}
	return h[:]
}
