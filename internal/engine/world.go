package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// world is a tree (or a part of it) in memory while one request is decided: what was loaded, and what changes. decide
// works on it alone; record.go then writes what changed. A world that ends in an error is thrown away.
type world struct {
	e         *Engine
	now       time.Time
	who       auth.Actor
	nodes     map[string]*node
	order     []*node // new cases in the order they began
	agreement *store.Agreement
	happened  []*happening
	links     []store.Link
	orders    []caseOrders
}

// node is one case of the world.
type node struct {
	c         *store.Case
	was       store.Case // as read
	told      placed     // as the story has told it
	def       *flow.Definition
	rows      map[string][]store.Row
	documents []store.Document
	deadlines []*store.Deadline
	past      map[string]store.Fired
	mistake   *mistake // what a rectification mends

	fresh, changed bool
	newRows        []store.Row
	changedRows    map[rowKey]store.Row
	newDeadlines   []*store.Deadline
	oldDeadlines   map[*store.Deadline]bool // changed ones
	newDocuments   []store.Document
}

type rowKey struct {
	register string
	row      int
}

// happening is one event that took place, to be sealed into the chain in this order.
type happening struct {
	n         *node
	root      *node
	event     string
	from, to  string
	seq       int64
	effective time.Time
	actor     string
	role      string
	body      string
	cause     int64
	limits    []audit.LimitUsed
	documents []audit.Attached
	story     story
	secret    secretStory
	personal  map[string]any
}

// newWorld makes a world out of a snapshot.
func (e *Engine) newWorld(now time.Time, who auth.Actor, s *store.Snapshot) (*world, error) {
	w := &world{e: e, now: now, who: who, nodes: map[string]*node{}, agreement: s.Agreement}
	for _, c := range s.Cases {
		if _, err := w.add(c); err != nil {
			return nil, err
		}
	}
	for _, n := range w.nodes {
		if n.c.Parent == "" && n.c.ChainAt != nil && n.c.ChainAt.After(w.now) {
			w.now = *n.c.ChainAt // never earlier than the tree's last event
		}
	}
	for _, r := range s.Rows {
		n := w.nodes[r.CaseID]
		n.rows[r.Register] = append(n.rows[r.Register], r)
	}
	for _, d := range s.Documents {
		n := w.nodes[d.CaseID]
		n.documents = append(n.documents, d)
	}
	for _, d := range s.Deadlines {
		n := w.nodes[d.CaseID]
		n.deadlines = append(n.deadlines, &d)
	}
	for id, past := range s.Past {
		w.nodes[id].past = past
	}
	return w, nil
}

func (w *world) add(c *store.Case) (*node, error) {
	def, err := w.e.Definition(c.Hash)
	if err != nil {
		return nil, err
	}
	n := newNode(c, def)
	w.nodes[c.ID] = n
	return n, nil
}

func newNode(c *store.Case, def *flow.Definition) *node {
	n := &node{c: c, was: *c, def: def, rows: map[string][]store.Row{}, changedRows: map[rowKey]store.Row{}, oldDeadlines: map[*store.Deadline]bool{}}
	n.told = n.place()
	return n
}

func (w *world) root(n *node) *node { return w.nodes[n.c.Root] }

// parent is nil on a root, and when the parent was not loaded.
func (w *world) parent(n *node) *node {
	if n.c.Parent == "" {
		return nil
	}
	return w.nodes[n.c.Parent]
}

// children returns the loaded children of a case, in their order; child "" means all declarations.
func (w *world) children(n *node, child string) []*node {
	var out []*node
	for _, m := range w.nodes {
		if m.c.Parent == n.c.ID && (child == "" || m.c.Child == child) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.c.Child, b.c.Child), cmp.Compare(a.c.Ordinal, b.c.Ordinal), cmp.Compare(a.c.ID, b.c.ID))
	})
	return out
}

// limits are the numbers of the law for a case: at its frozen rules date, or its parent's, its root's, or today.
func (w *world) limits(n *node) law.Limits {
	return w.e.limits.On(w.rulesDay(n))
}

func (w *world) rulesDay(n *node) time.Time {
	for _, m := range []*node{n, w.parent(n), w.root(n)} {
		if m != nil && m.c.RulesDate != "" {
			if d, err := time.Parse(time.DateOnly, m.c.RulesDate); err == nil {
				return d
			}
		}
	}
	return romeDay(w.now)
}

// facts shows a case to guards: its tentative values, and what is around it.
func (w *world) facts(n *node, s *step) *Facts {
	f := &Facts{
		Now: w.now, Effective: s.effective, Actor: w.who, Def: n.def, Event: s.ev, Inputs: s.inputs, Case: s.draft, Before: n.c.Data,
		Root: w.root(n).c, Rows: s.rows, Documents: map[string]store.Document{}, Agreement: w.agreement, Past: n.past,
		Holidays: w.e.holidays(n.c.SUA), limits: w.limits(n), enforced: w.e.enforced, used: map[string]law.Limit{},
	}
	f.grounds = func(c flow.Call) []ground { return w.groundsOf(n, s.ev, c, s.by.person) }
	f.SUA, _ = w.e.parties.body(n.c.SUA)
	if p := w.parent(n); p != nil {
		f.Parent = p.c
		f.above = append(f.above, Child{p.c, p.def})
	}
	if r := w.root(n); r != n {
		f.above = append(f.above, Child{r.c, r.def})
	}
	for i, a := range f.above {
		if i > 0 && a.Case == f.above[0].Case {
			break // the parent is the root
		}
		for _, c := range w.children(w.nodes[a.ID], "") {
			if c != n {
				f.Above = append(f.Above, Child{c.c, c.def})
			}
		}
	}
	for _, d := range n.documents {
		f.Documents[d.Type] = d
	}
	for _, c := range w.children(n, "") {
		f.Children = append(f.Children, Child{c.c, c.def})
	}
	return f
}

// nextSeq numbers an event within its tree.
func (w *world) nextSeq(root *node) int64 {
	root.c.ChainSeq++
	return root.c.ChainSeq
}
