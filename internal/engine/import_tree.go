package engine

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// importRank orders the states of an imported lot that is not over, the least advanced first: the tender stands where its
// slowest lot stands.
var importRank = map[string]int{"published": 1, "bids_closed": 2, "outcome_unknown": 3, "award_proposed": 4}

// importEnds are the states in which an imported lot is over; the first that any lot has is the tender's.
var importEnds = []string{"awarded", "deserted", "cancelled"}

// project says where a tender stands by the states of its lots. A tender of which ANAC declares more lots than are known has
// not ended, whatever those say: their outcome is not known yet.
func project(states []string, declared int64) string {
	least := ""
	have := map[string]bool{}
	for _, s := range states {
		have[s] = true
		if rank, going := importRank[s]; going && (least == "" || rank < importRank[least]) {
			least = s
		}
	}
	if least != "" {
		return least
	}
	if int64(len(states)) < declared {
		return "outcome_unknown"
	}
	for _, end := range importEnds {
		if have[end] {
			return end
		}
	}
	return "outcome_unknown"
}

// importTree is one tender of a batch: its tree in a world of its own, and the rows that speak of it.
type importTree struct {
	b     *importBatch
	w     *world
	root  *node
	fresh bool
	lots  map[string]*node // by CIG
	seen  map[string]bool  // CIGs of this batch
	steps []lotStep
	res   ImportResult
}

// lotStep is a row that is ready to happen.
type lotStep struct {
	row   *ImportedLot
	s     *step
	fresh bool
}

// tree brings one tender up to what its rows say: the lots first decide, then the tender follows. What the workflow refuses is
// noted and not written.
func (b *importBatch) tree(number string, rows []*ImportedLot, res *ImportResult) error {
	t, err := b.plant(number, rows[0])
	if err != nil {
		return err
	}
	for _, row := range rows {
		t.read(row)
	}
	if t.fresh && len(t.steps) == 0 { // no whole row: no tender
		res.add(t.res)
		return nil
	}
	switch why, refused, err := t.settle(rows); {
	case err != nil:
		return err
	case refused:
		// Half a step may have happened in this world: it is thrown away, and the rows are told why.
		for _, st := range t.steps {
			t.reject(st.row, NoteRefused, why)
		}
		t.res.Tenders, t.res.TendersUpdated = 0, 0
		res.add(t.res)
		return nil
	}
	for _, st := range t.steps {
		if st.fresh {
			t.res.Imported++
		} else {
			t.res.Updated++
		}
	}
	res.add(t.res)
	if len(t.w.happened) == 0 {
		return nil
	}
	return t.w.record(b.tx, nil, nil)
}

// plant puts the tender into a world: the one known, with all its lots, or a new one that has not begun yet.
func (b *importBatch) plant(number string, first *ImportedLot) (*importTree, error) {
	t := &importTree{b: b, lots: map[string]*node{}, seen: map[string]bool{}}
	known := b.found[tenderKey(number)]
	s := &store.Snapshot{Cases: map[string]*store.Case{}}
	if known != nil {
		s.Cases[known.ID] = known
		for _, c := range b.lots[known.ID] {
			s.Cases[c.ID] = c
		}
	}
	var err error
	if t.w, err = b.e.newWorld(b.tx.Now, importer, s); err != nil {
		return nil, err
	}
	if known == nil {
		t.fresh = true
		t.root = t.w.begin(b.tender, nil, "", b.bodies[first.Member.TaxCode], b.bodies[first.SUA.TaxCode])
		t.root.c.Source, t.root.c.SourceKey = importSource, tenderKey(number)
		return t, nil
	}
	t.root = t.w.nodes[known.ID]
	for _, c := range b.lots[known.ID] {
		t.lots[c.SourceKey] = t.w.nodes[c.ID]
	}
	return t, nil
}

// read decides on one row; what it would change waits in steps.
func (t *importTree) read(row *ImportedLot) {
	key := lotKey(row.CIG)
	stored := t.b.found[key]
	switch {
	case t.seen[row.CIG]:
		t.reject(row, NoteRepeated, "")
		return
	case stored != nil && stored.Root != t.root.c.ID:
		t.reject(row, NoteOtherTender, "")
		return
	}
	t.seen[row.CIG] = true
	if t.b.bodies[row.Member.TaxCode] != t.root.c.MemberBody || t.b.bodies[row.SUA.TaxCode] != t.root.c.SUA {
		t.note(row, NoteOwners, "")
	}
	n := t.lots[key]
	if n == nil {
		t.begin(row)
		return
	}
	switch {
	case row.Secondary:
		t.res.Unchanged++
	case n.c.Outcome != "":
		t.ended(n, row)
	default:
		s, why := t.prepare(n, importUpdate, row.Lot, row.State, 0)
		if s == nil {
			t.reject(row, NoteRefused, why)
		} else if changes(s) {
			t.steps = append(t.steps, lotStep{row, s, false})
		} else {
			t.res.Unchanged++
		}
	}
}

// begin prepares a lot that is not known yet.
func (t *importTree) begin(row *ImportedLot) {
	n := t.w.begin(t.b.lot, t.root, importChild, t.root.c.MemberBody, t.root.c.SUA)
	n.c.Source, n.c.SourceKey = importSource, lotKey(row.CIG)
	s, why := t.prepare(n, importOpening, row.Lot, row.State, 0)
	if s == nil {
		delete(t.w.nodes, n.c.ID)
		t.w.order = t.w.order[:len(t.w.order)-1]
		t.reject(row, NoteRefused, why)
		return
	}
	t.lots[n.c.SourceKey] = n
	t.steps = append(t.steps, lotStep{row, s, true})
}

// ended notes what a row would change in a lot that is over: nothing leads out of a final state but a person's rectify.
func (t *importTree) ended(n *node, row *ImportedLot) {
	t.res.Unchanged++
	if n.c.State != row.State {
		t.note(row, NoteEnded, "")
		return
	}
	ev, ok := n.def.Event(importUpdate)
	if !ok {
		return
	}
	in, problems := t.w.readInputs(n, ev, asked(n, ev, row.Lot, row.State), false)
	if len(problems) > 0 || differs(n.c.Data, in.fields) {
		t.note(row, NoteEndedData, "")
	}
}

// settle makes everything happen: a new tender, then its lots, or the lots and then the tender that follows them. It reports
// refused, and why, when the workflow says no to the whole.
func (t *importTree) settle(rows []*ImportedLot) (why string, refused bool, err error) {
	if t.fresh {
		s, why := t.prepare(t.root, importOpening, t.steps[0].row.Gara, t.projected(t.steps[0].row), 0)
		if s == nil {
			return why, true, nil
		}
		if why, err := t.happen(s, nil); why != "" || err != nil {
			return why, why != "", err
		}
		t.res.Tenders++
	}
	for _, st := range t.steps {
		if why, err := t.happen(st.s, st.row.Source); why != "" || err != nil {
			return why, why != "", err
		}
	}
	if t.fresh {
		return "", false, nil
	}
	return t.follow(rows)
}

// follow moves a known tender to where its lots now stand. Its own data come from the row of its first lot alone: rows of one
// tender may differ in them, and would otherwise undo each other at every import.
func (t *importTree) follow(rows []*ImportedLot) (why string, refused bool, err error) {
	leading := t.leading(rows)
	state := t.projected(leading)
	if t.root.c.Outcome != "" {
		if state != t.root.c.State {
			t.note(rows[0], NoteTenderEnded, "")
		}
		return "", false, nil
	}
	var inputs map[string]any
	if leading != nil {
		inputs = leading.Gara
	}
	var cause int64
	if len(t.w.happened) > 0 {
		cause = t.w.happened[len(t.w.happened)-1].seq
	}
	s, why := t.prepare(t.root, importUpdate, inputs, state, cause)
	if s == nil {
		t.note(rows[0], NoteTenderData, why)
		return "", false, nil
	}
	if !changes(s) {
		return "", false, nil
	}
	t.res.TendersUpdated++
	why, err = t.happen(s, nil)
	return why, why != "", err
}

// leading is the row of the tender's first lot, or nil.
func (t *importTree) leading(rows []*ImportedLot) *ImportedLot {
	for _, row := range rows {
		if n := t.lots[lotKey(row.CIG)]; n != nil && n.c.Ordinal == 1 && !row.Secondary {
			return row
		}
	}
	return nil
}

// projected is the tender's state by all its lots, those about to move included.
func (t *importTree) projected(leading *ImportedLot) string {
	next := map[*node]string{}
	for _, st := range t.steps {
		next[st.s.n] = st.s.to
	}
	var states []string
	for _, n := range t.w.children(t.root, importChild) {
		state := n.c.State
		if to, moving := next[n]; moving {
			state = to
		}
		states = append(states, state)
	}
	declared, _ := t.root.c.Data[lotsExpected].(int64)
	if leading != nil {
		if n, ok := leading.Gara[lotsExpected].(int64); ok {
			declared = n
		}
	}
	return project(states, declared)
}

// prepare decides an event of the system; without a step, why says what stands in the way.
func (t *importTree) prepare(n *node, event string, values map[string]any, state string, cause int64) (s *step, why string) {
	ev, ok := n.def.Event(event)
	if !ok {
		return nil, event
	}
	s, err := t.w.prepare(n, ev, ask{raw: asked(n, ev, values, state), by: by{role: "system", cause: cause}})
	if err != nil {
		return nil, reason(err)
	}
	if len(s.refusals) > 0 {
		return nil, s.refusals[0].Text.IT
	}
	return s, ""
}

// happen commits a step and keeps the original row with it. why is set when the workflow refuses what follows from it.
func (t *importTree) happen(s *step, source json.RawMessage) (why string, err error) {
	h, err := t.w.commit(s)
	if err != nil {
		switch Kind(err) {
		case KindInternal, KindAway, KindFull:
			return "", err
		}
		return reason(err), nil
	}
	h.story.Source = source
	return "", nil
}

func (t *importTree) note(row *ImportedLot, code NoteCode, detail string) {
	t.res.Notes = append(t.res.Notes, ImportNote{Line: row.Line, Code: code, Detail: detail})
}

func (t *importTree) reject(row *ImportedLot, code NoteCode, detail string) {
	t.res.Rejected++
	t.res.Notes = append(t.res.Notes, ImportNote{Line: row.Line, Code: code, Detail: detail, Rejected: true})
}

// asked keeps of the values those that this version of the workflow asks for, and adds the state. Emptying what is empty
// would only lengthen the story.
func asked(n *node, ev *flow.Event, values map[string]any, state string) map[string]any {
	raw := make(map[string]any, len(values)+1)
	for id, v := range values {
		in, ok := ev.Input(id)
		if !ok || (v == nil && n.c.Data[in.Field] == nil) {
			continue
		}
		raw[id] = v
	}
	raw[importState] = state
	return raw
}

// changes reports whether a step would leave anything different.
func changes(s *step) bool { return s.to != s.n.c.State || differs(s.n.c.Data, s.in.fields) }

// differs reports whether setting fields (nil: emptying them) would change data.
func differs(data, fields store.Values) bool {
	for id, v := range fields {
		old, had := data[id]
		if (v == nil) == had || (had && !reflect.DeepEqual(old, v)) {
			return true
		}
	}
	return false
}

// reason says in Italian why the workflow refuses.
func reason(err error) string {
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return invalid.Problems[0].Pointer + ": " + invalid.Problems[0].Text.IT
	}
	var refused *Refused
	if errors.As(err, &refused) {
		return refused.Refusals[0].Text.IT
	}
	return err.Error()
}
