package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/store"
)

// Verify says what an audit of the stored history looks at.
type Verify struct {
	// Root is the one tree to verify, by its root or any case of it; empty: all.
	Root string
	// Documents has the bytes of every document read and hashed.
	Documents bool
	// ChainsOnly leaves out the comparison of each case with what its story rebuilds.
	ChainsOnly bool
	// Workers read and check in parallel; 0 is one for each processor.
	Workers int
	// Progress, when set, is told now and then how far it is. It is called by one goroutine at a time.
	Progress func(Verification)
}

// Verification counts what was looked at and says what is wrong.
type Verification struct {
	Trees, Cases, Events, Documents int64
	Bytes                           int64 // of headers and parts
	Surveyed                        int64 // trees at which the quick look did not do, rightly or wrongly
	Erased                          int64 // personal parts that were lawfully emptied
	Broken                          int64 // trees with something wrong
	Findings                        []Finding
	More                            int64 // findings that were counted and not kept
}

// Finding is something wrong: of a tree whose chain is broken the first place where it does not hold; of one whose chain holds,
// each thing that the database says otherwise than the story.
type Finding struct {
	Root  string `json:"root"`
	Case  string `json:"case,omitempty"`
	Seq   int64  `json:"seq,omitempty"` // 0: not at one event
	Event string `json:"event,omitempty"`
	Text  string `json:"text"` // in Italian
}

// findingsKept bounds what a verification remembers; the rest is counted.
const findingsKept = 10_000

// rangeEvents is about how many events a worker reads in one snapshot.
const rangeEvents = 8_000

// Verify walks every tree and checks all that can be checked without trusting the database: headers against their hashes, links,
// numbers, the digests of parts, the head kept on the root, columns against headers; and the present state of each case against
// what its story rebuilds. It goes on after a fault. The memory it takes does not grow with the history.
//
// It is for who sits at the database: it asks nobody's role and looks at the cases of all bodies.
func (e *Engine) Verify(ctx context.Context, q Verify) (Verification, error) {
	v := &verifier{e: e, q: q}
	var err error
	if v.now, err = e.Now(ctx); err != nil {
		return v.out, err
	}
	if err := v.definitions(ctx); err != nil {
		return v.out, err
	}
	err = v.all(ctx)
	slices.SortStableFunc(v.out.Findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Root, b.Root), cmp.Compare(a.Seq, b.Seq)) })
	return v.out, err
}

// verifier is one audit under way; its counts are shared by the workers.
type verifier struct {
	e   *Engine
	q   Verify
	now time.Time
	mu  sync.Mutex
	out Verification
	// pinned are the hashes of the definitions whose bytes are what their hash says
	pinned map[string]bool
}

// definitions checks that the pinned definitions are the bytes that headers name.
func (v *verifier) definitions(ctx context.Context) error {
	all, err := v.e.db.Definitions(ctx)
	if err != nil {
		return err
	}
	v.pinned = make(map[string]bool, len(all))
	for _, p := range all {
		sum := sha256.Sum256(p.Source)
		if v.pinned[p.Hash] = hex.EncodeToString(sum[:]) == p.Hash; !v.pinned[p.Hash] {
			v.add(Finding{Text: fmt.Sprintf("la definizione %s v%d non corrisponde alla sua impronta %s", p.Workflow, p.Version, p.Hash)})
		}
	}
	return nil
}

// all cuts the trees into ranges and gives them to the workers.
func (v *verifier) all(ctx context.Context) error {
	if v.q.Root != "" {
		root := v.q.Root
		err := v.e.db.Peek(ctx, store.Everything, v.q.Root, func(tx *store.Tx) error { root = tx.Root.ID; return nil })
		if err != nil && !errors.Is(err, ErrNotFound) { // events may stand under the id of a case that is gone
			return err
		}
		return v.survey(ctx, store.Range{Only: root})
	}
	workers := v.q.Workers
	if workers == 0 {
		workers = max(2, runtime.GOMAXPROCS(0))
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ranges := make(chan store.Range)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			quick := newSkim(v)
			for r := range ranges {
				if err := v.verifyRange(ctx, quick, r); err != nil {
					stop(err)
				}
			}
		})
	}
	err := v.cut(ctx, ranges)
	close(ranges)
	wg.Wait()
	return cmp.Or(context.Cause(ctx), err)
}

func (v *verifier) cut(ctx context.Context, ranges chan<- store.Range) error {
	after := ""
	for {
		r, last, err := v.e.db.NextRange(ctx, after, rangeEvents)
		if err != nil {
			return err
		}
		select {
		case ranges <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
		if last {
			return nil
		}
		after = r.Upto
	}
}

// verifyRange skims the trees of a range, and surveys those that are not certainly well: it is the survey that says what is wrong.
func (v *verifier) verifyRange(ctx context.Context, quick *skim, r store.Range) error {
	counts, odd, err := quick.look(ctx, r)
	if err != nil {
		if ctx.Err() != nil || !v.e.db.Readable(ctx) {
			return err
		}
		return v.survey(ctx, r)
	}
	s := newSurvey(v)
	s.counts = counts
	s.counts.Surveyed = int64(len(odd))
	s.documents = slices.DeleteFunc(quick.documents, func(d store.Document) bool { return odd[d.Root] })
	if err := v.documents(ctx, s); err != nil {
		return err
	}
	for _, root := range sortedKeys(odd) {
		if err := v.survey(ctx, store.Range{Only: root}); err != nil {
			return err
		}
	}
	return nil
}

// survey checks the trees of a range and says what is wrong. Where a row cannot even be read, its trees are read one by one: the
// fault is of one.
func (v *verifier) survey(ctx context.Context, r store.Range) error {
	s := newSurvey(v)
	err := v.e.db.WalkTrees(ctx, r, s.walk())
	switch {
	case err == nil:
		s.finish()
		return v.documents(ctx, s)
	case ctx.Err() != nil || !v.e.db.Readable(ctx):
		return err
	case r.Only != "":
		s.counts.Trees, s.counts.Broken = 1, 1
		s.findings = []Finding{{Root: r.Only, Text: "una riga non è leggibile: " + err.Error()}}
		v.merge(s)
		return nil
	}
	roots, err := v.e.db.Roots(ctx, r)
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := v.survey(ctx, store.Range{Only: root}); err != nil {
			return err
		}
	}
	return nil
}

// documents hashes the bytes of the documents that a survey met.
func (v *verifier) documents(ctx context.Context, s *survey) error {
	if v.q.Documents && v.e.cfg.Blobs != nil {
		for _, d := range s.documents {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.counts.Documents++
			if text := v.document(d); text != "" {
				s.fault(Finding{Root: d.Root, Case: d.CaseID, Seq: d.Seq, Event: attachEvent, Text: text})
			}
		}
	}
	v.merge(s)
	return nil
}

func (v *verifier) document(d store.Document) string {
	f, err := v.e.cfg.Blobs.Get(d.SHA256)
	if errors.Is(err, blob.ErrMissing) {
		return fmt.Sprintf("i byte del documento %s mancano (%s)", d.ID, d.SHA256)
	}
	if err != nil {
		return fmt.Sprintf("il documento %s non è leggibile: %v", d.ID, err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	switch {
	case err != nil:
		return fmt.Sprintf("il documento %s non è leggibile: %v", d.ID, err)
	case hex.EncodeToString(sum.Sum(nil)) != d.SHA256:
		return fmt.Sprintf("i byte del documento %s non corrispondono all'impronta %s", d.ID, d.SHA256)
	case n != d.Size:
		return fmt.Sprintf("il documento %s è di %d byte, non di %d", d.ID, n, d.Size)
	}
	return ""
}

// merge adds what a survey counted and found, and reports how far the audit is.
func (v *verifier) merge(s *survey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := s.counts
	v.out.Trees, v.out.Cases, v.out.Events, v.out.Documents = v.out.Trees+c.Trees, v.out.Cases+c.Cases, v.out.Events+c.Events, v.out.Documents+c.Documents
	v.out.Surveyed += c.Surveyed
	v.out.Bytes, v.out.Erased, v.out.Broken = v.out.Bytes+c.Bytes, v.out.Erased+c.Erased, v.out.Broken+int64(len(s.broken))+c.Broken
	for _, f := range s.findings {
		v.add(f)
	}
	if v.q.Progress != nil {
		v.q.Progress(v.out)
	}
}

func (v *verifier) add(f Finding) {
	if len(v.out.Findings) < findingsKept {
		v.out.Findings = append(v.out.Findings, f)
	} else {
		v.out.More++
	}
}
