package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/store"
)

// LogFault is a place where the Merkle log does not hold. N is the number of the event, 0 where no single one is meant; Text is
// Italian.
type LogFault struct {
	N    int64  `json:"n,omitempty"`
	Root string `json:"root,omitempty"`
	Seq  int64  `json:"seq,omitempty"`
	Text string `json:"text"`
}

// LogReport is the outcome of checking the Merkle log against the database and against what was signed.
type LogReport struct {
	Entries     int64      `json:"entries"`     // numbered events
	Tiled       int64      `json:"tiled"`       // of them in tiles
	Signed      int64      `json:"signed"`      // size of the latest checkpoint
	Checkpoints int        `json:"checkpoints"` // checked
	Outside     int        `json:"outside"`     // copies from outside, checked
	Faults      []LogFault `json:"faults"`      // the first ones
	More        int        `json:"more_faults"` // not listed
}

// OK reports whether nothing was found.
func (r *LogReport) OK() bool { return len(r.Faults) == 0 }

// faultsListed bounds a report.
const faultsListed = 20

func (r *LogReport) fault(l store.Leaf, format string, args ...any) {
	if len(r.Faults) >= faultsListed {
		r.More++
		return
	}
	r.Faults = append(r.Faults, LogFault{N: l.N, Root: l.Root, Seq: l.Seq, Text: fmt.Sprintf(format, args...)})
}

// VerifyLog reads all numbered events and computes the Merkle log anew: against the tiles, against every checkpoint kept, and against
// copies of checkpoints that come from outside. public is the log's public key; a nil error with faults in the report is an answer.
//
// It is for who runs the program, not for its users: nobody asks for it over the network.
func (e *Engine) VerifyLog(ctx context.Context, public string, outside [][]byte) (LogReport, error) {
	c := logCheck{e: e, ctx: ctx, public: public, report: LogReport{Faults: []LogFault{}}}
	r := &c.report
	var err error
	if r.Entries, err = e.db.LogSize(ctx); err != nil {
		return *r, err
	}
	if r.Tiled, err = e.db.TilesSize(ctx); err != nil {
		return *r, err
	}
	if err := c.collect(outside); err != nil {
		return *r, err
	}
	if r.Tiled > r.Entries {
		r.fault(store.Leaf{}, "le tessere del registro hanno %d voci, gli eventi numerati sono %d: mancano gli ultimi", r.Tiled, r.Entries)
	}
	c.tiled = max(r.Tiled, min(r.Signed, r.Entries))
	if c.grower, err = audit.NewGrower(nil, 0, c.sameTile); err != nil {
		return *r, err
	}
	if r.Tiled > 0 && r.Signed == 0 && len(r.Faults) == 0 { // tiles and their checkpoint are written in one transaction
		r.fault(store.Leaf{}, "le tessere del registro hanno %d voci, ma i checkpoint che le firmano sono stati tolti", r.Tiled)
	}
	c.roots(0)
	if err := e.db.Leaves(ctx, 0, r.Entries, true, c.leaf); err != nil {
		return *r, err
	}
	for ; c.next <= r.Entries; c.next++ { // the numbers at the end are gone
		r.fault(store.Leaf{N: c.next}, "l'evento n. %d non c'è più", c.next)
	}
	if err := c.grower.Edge(c.sameTile); err != nil {
		return *r, err
	}
	for _, size := range slices.Sorted(maps.Keys(c.claims)) { // those that the log is too short for
		for _, claim := range c.claims[size] {
			r.fault(store.Leaf{}, "%s attesta %d voci, il registro ne ha %d: gli ultimi eventi sono stati tolti", claim.name, size, r.Entries)
		}
	}
	return *r, nil
}

// logCheck is one run of VerifyLog.
type logCheck struct {
	e      *Engine
	ctx    context.Context
	public string
	report LogReport
	claims map[int64][]claim // by size: what is said of the log, until it was looked at
	peaks  audit.Peaks
	grower *audit.Grower
	tiled  int64  // how many entries the tiles should have: what was signed is in them
	tile   []byte // of level 0, under the leaf
	n      int64  // the number of that tile; -1 before the first
	short  bool   // it lacks leaves: it was named, and says nothing of the events
	next   int64  // the number that comes next
}

// claim is that the log had this root at some size.
type claim struct {
	name string // Italian, begins a sentence
	root []byte
}

// collect gathers the checkpoints kept and those from outside; what is not signed as it should be is a fault.
func (c *logCheck) collect(outside [][]byte) error {
	c.claims, c.next, c.n = map[int64][]claim{}, 1, -1
	kept, err := c.e.db.Checkpoints(c.ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		name := fmt.Sprintf("il checkpoint conservato del %s", k.At.Format("2006-01-02 15:04:05 UTC"))
		signed, err := audit.ParseCheckpoint(k.Note, c.public)
		if err != nil || signed.Size != k.Size || !bytes.Equal(signed.Root, k.Root) {
			c.report.fault(store.Leaf{}, "%s (%d voci) non è quello che la chiave del registro ha firmato", name, k.Size)
			continue
		}
		c.claims[k.Size] = append(c.claims[k.Size], claim{name, k.Root})
		c.report.Signed, c.report.Checkpoints = k.Size, c.report.Checkpoints+1
	}
	for i, signed := range outside {
		o, err := audit.ParseCheckpoint(signed, c.public)
		if err != nil {
			c.report.fault(store.Leaf{}, "il checkpoint esterno n. %d non è firmato dalla chiave di questo registro", i+1)
			continue
		}
		c.claims[o.Size] = append(c.claims[o.Size], claim{fmt.Sprintf("il checkpoint esterno n. %d", i+1), o.Root})
		c.report.Outside++
	}
	return nil
}

// roots compares what was said of the log at a size with what it is now.
func (c *logCheck) roots(size int64) {
	for _, claim := range c.claims[size] {
		if !bytes.Equal(claim.root, c.peaks.Root()) {
			c.report.fault(store.Leaf{}, "%s attesta %d voci diverse da quelle di oggi: un evento fino al n. %d è cambiato", claim.name, size, size)
		}
	}
	delete(c.claims, size)
}

// leaf checks the next event.
func (c *logCheck) leaf(l store.Leaf) error {
	for ; c.next < l.N; c.next++ {
		c.report.fault(store.Leaf{N: c.next}, "l'evento n. %d non c'è più", c.next)
	}
	c.next++
	sum := sha256.Sum256(l.Header)
	switch {
	case len(l.Hash) == 0:
		c.report.fault(l, "l'evento n. %d (il %d° dell'albero %s) è stato cancellato", l.N, l.Seq, l.Root)
	case !bytes.Equal(sum[:], l.Hash):
		c.report.fault(l, "l'evento n. %d (il %d° dell'albero %s) è diverso dalla sua impronta", l.N, l.Seq, l.Root)
	}
	c.peaks.Add(l.Hash)
	c.roots(l.N)
	if l.N > c.tiled {
		return nil
	}
	n, i := (l.N-1)/audit.TileWidth, (l.N-1)%audit.TileWidth
	if n != c.n {
		if err := c.read(n); err != nil {
			return err
		}
	}
	leaf := audit.Leaf(l.Hash)
	if at := int(i) * 32; !c.short && !bytes.Equal(leaf, c.tile[at:at+32]) {
		c.report.fault(l, "l'evento n. %d (il %d° dell'albero %s) non è quello che era quando è entrato nel registro", l.N, l.Seq, l.Root)
	}
	return c.grower.Add(leaf)
}

// read takes a tile of level 0; one that is not there, or is cut, is named once, instead of each event that it should hold.
func (c *logCheck) read(n int64) error {
	var err error
	if c.tile, err = c.e.db.Tile(c.ctx, 0, n); err != nil {
		return err
	}
	c.n = n
	width := audit.Width(0, n, c.tiled)
	if c.short = len(c.tile) < width*32; c.short {
		c.lacks(0, n, width, len(c.tile))
	}
	return nil
}

// lacks names a tile that is not there, or not whole.
func (c *logCheck) lacks(level int, n int64, width, bytes int) {
	path := audit.TilePath(level, n, width)
	if bytes == 0 {
		c.report.fault(store.Leaf{}, "manca la tessera %s", path)
		return
	}
	c.report.fault(store.Leaf{}, "la tessera %s è tagliata: ha %d voci su %d", path, bytes/32, width)
}

// sameTile compares a tile above level 0 with the one that is served; those of level 0 were compared leaf by leaf.
func (c *logCheck) sameTile(level int, n int64, body []byte) error {
	if level == 0 {
		return nil
	}
	kept, err := c.e.db.Tile(c.ctx, level, n)
	if err != nil {
		return err
	}
	if len(kept) < len(body) {
		c.lacks(level, n, len(body)/32, len(kept))
		return nil
	}
	if !bytes.Equal(kept[:len(body)], body) {
		c.report.fault(store.Leaf{}, "la tessera %s non è quella degli eventi di oggi", audit.TilePath(level, n, len(body)/32))
	}
	return nil
}
