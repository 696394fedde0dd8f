package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/province-comuni/sua/internal/audit"
)

// merkleLock is the advisory lock under which one process at a time makes the Merkle log grow.
const merkleLock = sequenceLock + 1

// Leaf is what the Merkle log holds of an event, with where it stands.
type Leaf struct {
	N    int64 // its number, from 1
	Root string
	Seq  int64
	Hash []byte // the event's chain hash: the entry; empty when the event is gone
	// Header are the bytes that Hash is of; filled only where they were asked for.
	Header []byte
}

// Checkpoint is what was signed of the log, as kept.
type Checkpoint struct {
	Size int64
	Root []byte
	Note []byte
	At   time.Time
}

// Copy is where a checkpoint went outside, and what came back.
type Copy struct {
	Size         int64
	Kind, Target string // mail, pec or tsa; address
	At           time.Time
	Body         []byte // of tsa: the RFC 3161 answer
}

// Leaves gives f the entries with numbers in (after, upto], in order. An event that is gone has no hash.
func (db *DB) Leaves(ctx context.Context, after, upto int64, headers bool, f func(Leaf) error) error {
	const chunk = 20_000
	column := "e.hash"
	if headers {
		column = "e.header"
	}
	for from := after; from < upto; from += chunk {
		var failed error
		err := db.read(ctx, Everything, query{
			sql: `SELECT l.n, l.root, l.seq, coalesce(e.hash, ''), coalesce(` + column + `, '') FROM log l LEFT JOIN events e ON e.root = l.root AND e.seq = l.seq
				WHERE l.n > $1 AND l.n <= $2 ORDER BY l.n`,
			args: []any{from, min(from+chunk, upto)},
			scan: func(r rows) error {
				var l Leaf
				if err := r.Scan(&l.N, &l.Root, &l.Seq, &l.Hash, &l.Header); err != nil {
					return err
				}
				failed = f(l)
				return failed
			},
		})
		if failed != nil {
			return failed
		}
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
	}
	return nil
}

// Tile is the body of a tile as far as it has grown; empty when it is not there.
func (db *DB) Tile(ctx context.Context, level int, n int64) ([]byte, error) {
	var body []byte
	err := db.read(ctx, Everything, query{
		sql: "SELECT body FROM tiles WHERE level = $1 AND n = $2", args: []any{level, n},
		scan: func(r rows) error { return r.Scan(&body) },
	})
	if err != nil {
		return nil, fmt.Errorf("read tile: %w", err)
	}
	return body, nil
}

// Sentinels of the Merkle log.
var (
	// ErrLogChanged: what the Merkle log holds is no more what the database says.
	ErrLogChanged = errors.New("the log does not fit what it was")
	// ErrNoTile: a tile is shorter than it should be, or is not there. It is an ErrLogChanged.
	ErrNoTile = fmt.Errorf("%w: tile missing", ErrLogChanged)
)

// TileReader reads tiles for package audit, and remembers the ones it read: for one computation.
func (db *DB) TileReader(ctx context.Context) audit.TileReader {
	type key struct {
		level int
		n     int64
	}
	seen := map[key][]byte{}
	return func(level int, n int64, width int) ([]byte, error) {
		body, ok := seen[key{level, n}]
		if !ok {
			var err error
			if body, err = db.Tile(ctx, level, n); err != nil {
				return nil, err
			}
			seen[key{level, n}] = body
		}
		return cutTile(body, level, n, width)
	}
}

func cutTile(body []byte, level int, n int64, width int) ([]byte, error) {
	if len(body) < width*32 {
		return nil, fmt.Errorf("%w: %s", ErrNoTile, audit.TilePath(level, n, width))
	}
	return body[:width*32], nil
}

// GrowTiles takes at most limit of the numbered events that the tiles lack into them. It returns how many entries the tiles have now,
// and whether more wait. ErrLogChanged: an event that the last tile holds is another one now, or numbers are gone.
func (db *DB) GrowTiles(ctx context.Context, limit int64) (size int64, more bool, err error) {
	err = db.run(ctx, Everything, func(tx *Tx) error {
		var numbered int64
		first := tx.begin()
		if db.pool != nil {
			first = append(first, query{sql: "SELECT pg_advisory_xact_lock($1)", args: []any{int64(merkleLock)}, scan: func(rows) error { return nil }})
		}
		first = append(first,
			query{sql: "SELECT n FROM log_head", scan: func(r rows) error { return r.Scan(&numbered) }},
			lastTile(&size),
		)
		if err := tx.send(first); err != nil {
			return err
		}
		if numbered < size {
			return fmt.Errorf("%w: %d events are numbered, it has %d", ErrLogChanged, numbered, size)
		}
		upto := min(size+limit, numbered)
		more = upto < numbered
		return tx.finish(func(tx *Tx) error {
			if upto == size {
				return nil
			}
			err := tx.growTiles(size, upto)
			size = upto
			return err
		})
	})
	if err != nil {
		return size, false, fmt.Errorf("grow the log: %w", err)
	}
	return size, more, nil
}

// growTiles queues the tiles that change when the log grows. The leaves of the last tile of level 0 are read again and compared.
func (tx *Tx) growTiles(size, upto int64) error {
	read := func(level int, n int64, width int) ([]byte, error) {
		var body []byte
		err := tx.send([]query{{sql: "SELECT body FROM tiles WHERE level = $1 AND n = $2", args: []any{level, n}, scan: func(r rows) error { return r.Scan(&body) }}})
		if err != nil {
			return nil, err
		}
		return cutTile(body, level, n, width)
	}
	put := func(level int, n int64, body []byte) error {
		tx.queueText("INSERT INTO tiles (level, n, body) VALUES ($1, $2, $3) ON CONFLICT (level, n) DO UPDATE SET body = excluded.body", level, n, bytes.Clone(body))
		return nil
	}
	g, err := audit.NewGrower(read, size, put)
	if err != nil {
		return err
	}
	from := size - size%audit.TileWidth
	var last []byte
	if from < size {
		if last, err = read(0, from/audit.TileWidth, int(size-from)); err != nil {
			return err
		}
	}
	expected := from
	var leaves []Leaf
	err = tx.send([]query{{
		sql:  "SELECT l.n, l.root, l.seq, e.hash FROM log l JOIN events e ON e.root = l.root AND e.seq = l.seq WHERE l.n > $1 AND l.n <= $2 ORDER BY l.n",
		args: []any{from, upto},
		scan: func(r rows) error {
			var l Leaf
			err := r.Scan(&l.N, &l.Root, &l.Seq, &l.Hash)
			leaves = append(leaves, l)
			return err
		},
	}})
	if err != nil {
		return err
	}
	for _, l := range leaves {
		if expected++; l.N != expected {
			return fmt.Errorf("%w: event number %d is gone", ErrLogChanged, expected)
		}
		leaf := audit.Leaf(l.Hash)
		if i := l.N - 1; i < size {
			if at := (i - from) * 32; !bytes.Equal(leaf, last[at:at+32]) {
				return fmt.Errorf("%w: event number %d (%d of tree %s) is another one", ErrLogChanged, l.N, l.Seq, l.Root)
			}
			continue
		}
		if err := g.Add(leaf); err != nil {
			return err
		}
	}
	if expected != upto {
		return fmt.Errorf("%w: event number %d is gone", ErrLogChanged, expected+1)
	}
	return g.Edge(put)
}

// TilesSize is how many entries the tiles have.
func (db *DB) TilesSize(ctx context.Context) (int64, error) {
	var size int64
	err := db.read(ctx, Everything, lastTile(&size))
	return size, err
}

func lastTile(size *int64) query {
	return query{sql: "SELECT n, length(body) FROM tiles WHERE level = 0 ORDER BY n DESC LIMIT 1", scan: func(r rows) error {
		var n, length int64
		err := r.Scan(&n, &length)
		*size = n*audit.TileWidth + length/32
		return err
	}}
}

// LogNumbers are the numbers of the events of a tree, by their place in it. Events too young to have one are left out.
func (db *DB) LogNumbers(ctx context.Context, root string) (map[int64]int64, error) {
	out := map[int64]int64{}
	err := db.read(ctx, Everything, query{sql: "SELECT seq, n FROM log WHERE root = $1", args: []any{root}, scan: func(r rows) error {
		var seq, n int64
		err := r.Scan(&seq, &n)
		out[seq] = n
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return out, nil
}

// LastCheckpoint is the latest thing signed; ErrNotFound before the first.
func (db *DB) LastCheckpoint(ctx context.Context) (Checkpoint, error) {
	all, err := db.checkpoints(ctx, "ORDER BY size DESC LIMIT 1")
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints are all that was signed, by size.
func (db *DB) Checkpoints(ctx context.Context) ([]Checkpoint, error) {
	return db.checkpoints(ctx, "ORDER BY size")
}

func (db *DB) checkpoints(ctx context.Context, how string) ([]Checkpoint, error) {
	var out []Checkpoint
	err := db.read(ctx, Everything, query{sql: "SELECT size, root, note, at FROM checkpoints " + how, scan: func(r rows) error {
		var c Checkpoint
		err := r.Scan(&c.Size, &c.Root, &c.Note, &c.At)
		c.At = c.At.UTC()
		out = append(out, c)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	return out, nil
}

// SaveCheckpoint keeps what was signed; ErrConflict when something of that size is there.
func (db *DB) SaveCheckpoint(ctx context.Context, c Checkpoint) error {
	return db.Create(ctx, Everything, nil, func(tx *Tx) error {
		tx.queueText("INSERT INTO checkpoints (size, root, note, at) VALUES ($1, $2, $3, $4)", c.Size, c.Root, c.Note, c.At)
		return nil
	})
}

// SaveCopy records where a checkpoint went; ErrConflict when that is known.
func (db *DB) SaveCopy(ctx context.Context, c Copy) error {
	if c.Body == nil {
		c.Body = []byte{}
	}
	return db.Create(ctx, Everything, nil, func(tx *Tx) error {
		tx.queueText("INSERT INTO checkpoint_copies (size, kind, target, at, body) VALUES ($1, $2, $3, $4, $5)", c.Size, c.Kind, c.Target, c.At, c.Body)
		return nil
	})
}

// Copies lists where checkpoints of at least this size went.
func (db *DB) Copies(ctx context.Context, size int64) ([]Copy, error) {
	var out []Copy
	err := db.read(ctx, Everything, query{sql: "SELECT size, kind, target, at, body FROM checkpoint_copies WHERE size >= $1 ORDER BY size, kind, target", args: []any{size}, scan: func(r rows) error {
		var c Copy
		err := r.Scan(&c.Size, &c.Kind, &c.Target, &c.At, &c.Body)
		c.At = c.At.UTC()
		out = append(out, c)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("read copies of checkpoints: %w", err)
	}
	return out, nil
}

// LastCopy is the latest copy that went to a place; ErrNotFound: none did.
func (db *DB) LastCopy(ctx context.Context, kind, target string) (Copy, error) {
	c := Copy{Kind: kind, Target: target}
	err := db.read(ctx, Everything, query{
		sql:  "SELECT size, at, body FROM checkpoint_copies WHERE kind = $1 AND target = $2 ORDER BY size DESC LIMIT 1",
		args: []any{kind, target},
		scan: func(r rows) error { return r.Scan(&c.Size, &c.At, &c.Body) },
	})
	c.At = c.At.UTC()
	if err == nil && c.Size == 0 {
		err = ErrNotFound
	}
	return c, err
}
