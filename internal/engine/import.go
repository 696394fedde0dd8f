package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// What an import of ANAC's open data writes: trees of these two workflows, moved by these events and by nobody else.
const (
	importSource  = "anac-cig"
	importTender  = "imported_tender"
	importLot     = "imported_lot"
	importChild   = "lots"
	importOpening = "import"
	importUpdate  = "update"
	importState   = "outcome_state" // the input that names the state
	lotsExpected  = "lots_expected" // the field that says how many lots the tender has
)

// importer is on whose account imports happen.
var importer = auth.System("import:" + importSource)

// ImportedBody is a contracting body as a row names it.
type ImportedBody struct {
	TaxCode string
	Name    string
	Kind    string // comune, provincia, other
}

// ImportedLot is one row of ANAC's open data, read and cleaned: a lot, and what the row says of its tender.
//
// Lot and Gara are the inputs of the event `import` (or `update`) of imported_lot and imported_tender, by id and in
// canonical form; nil empties a field, an absent input leaves it as it is.
type ImportedLot struct {
	Line   int64  // where it stood in the file, for the notes
	Tender string // ANAC's numero_gara
	CIG    string
	State  string // the state of imported_lot that the row tells
	// Secondary marks a row that repeats a lot for one more CPV: it may begin a lot, never change one.
	Secondary   bool
	Member, SUA ImportedBody
	Lot, Gara   map[string]any
	Source      json.RawMessage // the row as it was: a JSON object, kept in the event byte by byte
}

// ImportResult counts what became of the rows. Imported, Updated, Unchanged and Rejected add up to their number.
type ImportResult struct {
	Imported, Updated, Unchanged, Rejected int // lots
	Tenders, TendersUpdated                int // tenders begun, tenders changed
	Bodies                                 int // bodies made
	Notes                                  []ImportNote
}

// NoteCode says what a note is about; package exchange has the sentences.
type NoteCode string

// What an import may have to say of a row. Only the first three reject it.
const (
	NoteOtherTender NoteCode = "other_tender"   // the CIG is already known under another numero_gara
	NoteRepeated    NoteCode = "repeated"       // the CIG stands twice in one batch
	NoteRefused     NoteCode = "refused"        // the workflow refuses it; Detail says why, in Italian
	NoteOwners      NoteCode = "owners"         // its bodies are not those of the tender, which keeps its own
	NoteEnded       NoteCode = "ended"          // the outcome changed after the lot had ended: left as it was
	NoteEndedData   NoteCode = "ended_data"     // other data changed after the lot had ended: left as they were
	NoteTenderEnded NoteCode = "tender_ended"   // the tender had ended, and its lots now say otherwise
	NoteTenderData  NoteCode = "tender_refused" // the workflow refuses what the row says of the tender; Detail says why
)

// ImportNote is a remark on one row.
type ImportNote struct {
	Line     int64
	Code     NoteCode
	Detail   string
	Rejected bool
}

// add sums the counts of a tree into those of the batch.
func (r *ImportResult) add(o ImportResult) {
	r.Imported, r.Updated, r.Unchanged, r.Rejected = r.Imported+o.Imported, r.Updated+o.Updated, r.Unchanged+o.Unchanged, r.Rejected+o.Rejected
	r.Tenders, r.TendersUpdated = r.Tenders+o.Tenders, r.TendersUpdated+o.TendersUpdated
	r.Notes = append(r.Notes, o.Notes...)
}

// Import writes a batch of rows in one transaction: a tree per tender, a lot per row, each with its sealed event. Rows known
// already change only what differs; the same rows twice change nothing. Rows of one tender need not come together.
//
// What is wrong with a row becomes a note, and the others go on; the error is for what stops the batch, of which then nothing
// was written (bodies excepted: they are made first, and harmless).
func (e *Engine) Import(ctx context.Context, rows []ImportedLot) (ImportResult, error) {
	if len(rows) == 0 {
		return ImportResult{}, nil
	}
	const tries = 3 // of two imports of the same rows one meets the other's keys: the second time it finds them there
	for i := 1; ; i++ {
		res, err := e.tryImport(ctx, rows)
		if err == nil {
			return res, nil
		}
		if !errors.Is(err, store.ErrConflict) || i == tries {
			return ImportResult{}, fmt.Errorf("import: %w", err)
		}
		if err := e.parties.refresh(ctx); err != nil {
			return ImportResult{}, fmt.Errorf("import: %w", err)
		}
	}
}

func (e *Engine) tryImport(ctx context.Context, rows []ImportedLot) (ImportResult, error) {
	bodies, made, err := e.importBodies(ctx, rows)
	if err != nil {
		return ImportResult{}, err
	}
	res := ImportResult{Bodies: made}
	err = e.db.Batch(ctx, func(tx *store.Tx) error { return e.importRows(tx, rows, bodies, &res) })
	return res, err
}

// importBatch is one transaction of an import.
type importBatch struct {
	e      *Engine
	tx     *store.Tx
	bodies map[string]string      // tax code -> body id
	found  map[string]*store.Case // by source key: what earlier imports made
	lots   map[string][]*store.Case
	tender *flow.Definition // for new cases: the latest version
	lot    *flow.Definition
}

func tenderKey(number string) string { return "gara:" + number }

func lotKey(cig string) string { return "cig:" + cig }

func (e *Engine) importRows(tx *store.Tx, rows []ImportedLot, bodies map[string]string, res *ImportResult) error {
	b := &importBatch{e: e, tx: tx, bodies: bodies}
	var ok [2]bool
	b.tender, ok[0] = e.lib.Latest(importTender)
	b.lot, ok[1] = e.lib.Latest(importLot)
	if !ok[0] || !ok[1] {
		return errNoWorkflow
	}
	var tenders []string
	byTender := map[string][]*ImportedLot{}
	keys := make([]string, 0, 2*len(rows))
	for i := range rows {
		row := &rows[i]
		if byTender[row.Tender] == nil {
			tenders, keys = append(tenders, row.Tender), append(keys, tenderKey(row.Tender))
		}
		byTender[row.Tender] = append(byTender[row.Tender], row)
		keys = append(keys, lotKey(row.CIG))
	}
	var err error
	if b.found, err = tx.BySource(importSource, keys); err != nil {
		return err
	}
	var roots []string
	for _, number := range tenders {
		if c := b.found[tenderKey(number)]; c != nil {
			roots = append(roots, c.ID)
		}
	}
	if b.lots, err = tx.ChildrenOf(roots); err != nil {
		return err
	}
	slices.Sort(tenders) // two imports at once meet the unique keys in the same order, and cannot lock each other out
	for i, number := range tenders {
		if err := b.tree(number, byTender[number], res); err != nil {
			return err
		}
		if i%writtenAtOnce == 0 {
			tx.FlushBehind()
		}
	}
	return nil
}

// writtenAtOnce is how many tenders are written behind while the next are decided.
const writtenAtOnce = 16

// ImportMany prepares the database for many batches; done, which must be called, makes good what that left undone, also when ctx has
// ended. On SQLite, if few cases are there, the indexes of lists are made at the end: lists are slow until then.
func (e *Engine) ImportMany(ctx context.Context) (done func() error, err error) {
	const few = 10_000
	if err := e.db.PostponeIndexes(ctx, few); err != nil {
		return nil, err
	}
	return func() error { return e.db.MakeIndexes(context.WithoutCancel(ctx)) }, nil
}

// importBodies returns the id of every body that the rows name, by tax code, making those that are not there. A body that is
// there stays as it is: names are an administrator's to change.
func (e *Engine) importBodies(ctx context.Context, rows []ImportedLot) (map[string]string, int, error) {
	ids := map[string]string{}
	var fresh []store.Body
	want := func(b ImportedBody) {
		if _, seen := ids[b.TaxCode]; seen {
			return
		}
		id, known := e.parties.byTaxCode(b.TaxCode)
		if !known {
			id = e.cfg.NewID()
			fresh = append(fresh, store.Body{ID: id, Kind: b.Kind, Name: b.Name, TaxCode: b.TaxCode, Source: "anac"})
		}
		ids[b.TaxCode] = id
	}
	for i := range rows {
		want(rows[i].Member)
		want(rows[i].SUA)
	}
	if len(fresh) == 0 {
		return ids, 0, nil
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, 0, err
	}
	for i := range fresh {
		fresh[i].CreatedAt = now
	}
	slices.SortFunc(fresh, func(a, b store.Body) int { return cmp.Compare(a.TaxCode, b.TaxCode) }) // as with the tenders below
	saved, err := e.db.SaveBodies(ctx, fresh)
	if err != nil {
		return nil, 0, err
	}
	made, others := 0, false
	for _, b := range fresh {
		if saved[b.TaxCode] == b.ID {
			made++
			continue
		}
		ids[b.TaxCode], others = saved[b.TaxCode], true // somebody else made it a moment ago
	}
	if others {
		return ids, made, e.parties.refresh(ctx)
	}
	e.parties.learn(fresh)
	return ids, made, nil
}

// byTaxCode returns the id of the body with a tax code.
func (p *parties) byTaxCode(code string) (string, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	id, ok := p.byTax[code]
	return id, ok
}

// learn adds bodies that this process has just made, without reading all the others again.
func (p *parties) learn(bodies []store.Body) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range bodies {
		p.bodies[b.ID], p.byTax[b.TaxCode] = b, b.ID
	}
}
