package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Cases lists the cases in the actor's sight. It returns *Invalid for a wrong order, size or cursor.
func (e *Engine) Cases(ctx context.Context, who auth.Actor, f Filter) (Page[Summary], error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	var problems []Problem
	if f.Limit < 1 || f.Limit > MaxPage {
		problems = append(problems, problem("/limit", "limit_range", "max", strconv.Itoa(MaxPage)))
	}
	if f.Sort != "" && !store.SortKnown(f.Sort) {
		problems = append(problems, problem("/sort", "sort_unknown", "sort", f.Sort))
	}
	if len(problems) > 0 {
		return Page[Summary]{}, &Invalid{problems}
	}
	words := strings.Fields(fold(f.Text))
	if len(words) == 0 && strings.TrimSpace(f.Text) != "" {
		return Page[Summary]{}, nil // what was typed holds no word: nothing has it
	}
	found, next, err := e.db.Cases(ctx, scope(who), store.CaseFilter{
		Workflow: f.Workflow, State: f.State, Stage: f.Stage, Body: f.Body, Officer: f.Officer, Words: words,
		DueBefore: f.DueBefore, Open: f.Open, Children: f.Children, Sort: f.Sort, Desc: f.Desc, After: f.After, Limit: f.Limit,
	})
	if errors.Is(err, store.ErrBadCursor) {
		return Page[Summary]{}, &Invalid{[]Problem{problem("/after", "cursor")}}
	}
	if err != nil {
		return Page[Summary]{}, err
	}
	out := Page[Summary]{Next: next, Items: make([]Summary, len(found))}
	for i := range found {
		out.Items[i] = e.summary(&found[i], look(who, &found[i]))
	}
	return out, nil
}

// summary shows a case in a list; secret columns are left out.
func (e *Engine) summary(c *store.Case, seen sight) Summary {
	s := Summary{
		ID: c.ID, Root: c.Root, Parent: c.Parent, Workflow: Labelled{c.Workflow, Text{IT: c.Workflow, EN: c.Workflow}}, Version: c.Version, Hash: c.Hash,
		State: Labelled{c.State, Text{IT: c.State, EN: c.State}}, Stage: Labelled{c.Stage, Text{IT: c.Stage, EN: c.Stage}}, Outcome: c.Outcome, Revision: c.Revision,
		Title: c.Title, CIG: c.CIG, CUP: c.CUP, Amount: c.Amount, MemberBody: e.parties.bodyRef(c.MemberBody), SUA: e.parties.bodyRef(c.SUA),
		Officer: e.parties.personRef(c.Officer), RUP: e.parties.personRef(c.RUP), Child: c.Child, Ordinal: c.Ordinal, NextDue: c.NextDue,
		OpenedAt: c.OpenedAt, UpdatedAt: c.UpdatedAt, EndedAt: c.EndedAt, Imported: c.Source != "",
	}
	def, err := e.Definition(c.Hash)
	if err != nil {
		return s
	}
	s.Workflow.Label = def.Label
	if st, ok := def.State(c.State); ok {
		s.State.Label = st.Label
	}
	if st, ok := def.Stage(c.Stage); ok {
		s.Stage.Label = st.Label
	}
	for id, hide := range map[string]func(){"title": func() { s.Title = "" }, "cig": func() { s.CIG = "" }, "cup": func() { s.CUP = "" }, "amount": func() { s.Amount = nil }} {
		if f, ok := def.Field(id); ok && !seen.sees(f.Secret, "") {
			hide()
		}
	}
	return s
}

// Case returns one case with everything the actor may see of it, but history and options.
func (e *Engine) Case(ctx context.Context, who auth.Actor, id string) (CaseView, error) {
	var v CaseView
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		s, err := tx.Load(store.Want{Tree: true, Rows: true, Documents: true, Deadlines: true, Agreement: true})
		if err != nil {
			return err
		}
		w, err := e.newWorld(tx.Now, who, s)
		if err != nil {
			return err
		}
		v = w.view(w.nodes[id])
		return nil
	})
	if err != nil {
		return v, err
	}
	if err := e.foretell(ctx, v.Deadlines); err != nil {
		return v, err
	}
	v.Links, err = e.links(ctx, who, id)
	return v, err
}

func (w *world) view(n *node) CaseView {
	seen := look(w.who, n.c)
	v := CaseView{Summary: w.e.summary(n.c, seen), RulesDate: n.c.RulesDate}
	if st, ok := n.def.State(n.c.State); ok {
		v.Help = st.Help
	}
	v.GoesOn = n.def.GoesOn(n.c.State)
	v.Stages = stagesOf(n)
	v.Turn = turn(n.def, n.c, w.agreement)
	for _, f := range n.def.Fields {
		value, has := n.c.Data[f.ID]
		open := seen.sees(f.Secret, "")
		if !open {
			value = nil
		}
		if has || !open {
			v.Fields = append(v.Fields, Value{Field: f, Value: value, Text: w.e.format(f.Type, f.Of, value), Hidden: !open})
		}
	}
	for _, r := range n.def.Registers {
		v.Registers = append(v.Registers, registerView(n, r, seen))
	}
	v.Children = w.childrenViews(n, true)
	for p := w.parent(n); p != nil; p = w.parent(p) {
		v.Parents = slices.Insert(v.Parents, 0, w.e.summary(p.c, look(w.who, p.c)))
	}
	v.Deadlines, v.Documents = w.deadlineViews(n), w.documentViews(n)
	return v
}

// childrenViews lists the cases below one; deep adds what each of them has below.
func (w *world) childrenViews(n *node, deep bool) []ChildrenView {
	var out []ChildrenView
	for _, c := range n.def.Children {
		group := ChildrenView{Labelled: Labelled{c.ID, c.Label}, Workflow: c.Workflow, Below: map[string][]ChildrenView{}}
		for _, child := range w.children(n, c.ID) {
			s := w.e.summary(child.c, look(w.who, child.c))
			s.Turn, s.About = turn(child.def, child.c, w.agreement), w.about(child)
			group.Cases = append(group.Cases, s)
			if !deep {
				continue
			}
			for _, below := range w.childrenViews(child, false) {
				if len(below.Cases) > 0 {
					group.Below[s.ID] = append(group.Below[s.ID], below)
				}
			}
		}
		out = append(out, group)
	}
	return out
}

// about tells a case without a title from its siblings by its first two fields that say something short: an operator and a
// certificate, a claimant and what is challenged.
func (w *world) about(n *node) string {
	const most, long = 2, 60
	seen := look(w.who, n.c)
	var parts []string
	for _, f := range n.def.Fields {
		if f.ID == "title" && n.c.Data["title"] != nil {
			return ""
		}
		if f.Type != flow.TypeText && f.Type != flow.TypeChoice || !seen.sees(f.Secret, "") {
			continue
		}
		if text := w.e.format(f.Type, f.Of, n.c.Data[f.ID]); text != "" && utf8.RuneCountInString(text) <= long && len(parts) < most {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " – ")
}

// stagesOf tells the stages before the current one done, those after to do. A case that ended has nothing to do.
func stagesOf(n *node) []StageView {
	var out []StageView
	status := "done"
	for _, st := range n.def.Stages {
		s := StageView{Labelled: Labelled{st.ID, st.Label}, Status: status}
		if st.ID == n.c.Stage {
			s.Status, status = "current", "todo"
		}
		out = append(out, s)
	}
	return out
}

func registerView(n *node, r flow.Register, seen sight) RegisterView {
	v := RegisterView{Register: r}
	for _, c := range r.Columns {
		if !seen.sees(r.Secret, c.ID) {
			v.Hidden = append(v.Hidden, c.ID)
		}
	}
	if len(v.Hidden) == len(r.Columns) {
		return v // even how many rows there are is secret
	}
	for _, row := range n.rows[r.ID] {
		values, _ := seen.row(n.def, r.ID, row.Data)
		v.Rows = append(v.Rows, RowView{row.Row, values})
	}
	return v
}

func (w *world) deadlineViews(n *node) []DeadlineView {
	var out []DeadlineView
	for _, d := range n.deadlines {
		v := DeadlineView{
			ID: d.ID, Case: d.CaseID, Name: d.Name, Label: Text{IT: d.Name, EN: d.Name}, Status: d.Status, StartedAt: d.StartedAt, StartedSeq: d.StartedSeq, DueAt: d.DueAt,
			LastDay: d.LastDay, Explanation: Text{IT: d.ExplainIT, EN: d.ExplainEN}, EndedAt: d.EndedAt,
		}
		if d.Status == store.Blocked || d.Status == store.Suspended {
			var no heldBack
			if json.Unmarshal(d.BlockedBy, &no) == nil && no.Code != "" {
				v.BlockedBy = w.heldBy(n, d, no)
			}
		}
		if decl, ok := n.def.Deadline(d.Name); ok {
			v.Label, v.Law, v.Help, v.Alerts = decl.Label, decl.Law, decl.Help, labelled(decl.Alert)
			if ev, ok := n.def.Event(decl.Fire); ok {
				v.AtExpiry = ev.Label
			}
		}
		w.watched(n, d, &v)
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b DeadlineView) int {
		if x, y := ended(a), ended(b); x != y {
			return x - y
		}
		return a.DueAt.Compare(b.DueAt)
	})
	return out
}

// heldBy is what holds a term back, as the actor may know it.
func (w *world) heldBy(n *node, d *store.Deadline, no heldBack) *Refusal {
	if d.Status != store.Blocked { // a person said why
		return &no.Refusal
	}
	return w.e.heldFor(look(w.who, n.c).among(w.near), n.c, n.def, d.Name, no)
}

func ended(d DeadlineView) int {
	if d.Status == store.Running || d.Status == store.Blocked || d.Status == store.Suspended {
		return 0
	}
	return 1
}

func (w *world) documentViews(n *node) []DocumentView {
	seen := look(w.who, n.c)
	var out []DocumentView
	latest := map[string]bool{}
	for _, d := range slices.Backward(n.documents) {
		if t, ok := n.def.Document(d.Type); ok && !seen.sees(t.Secret, "") {
			continue
		}
		out = append(out, w.e.documentView(n.def, d, !latest[d.Type]))
		latest[d.Type] = true
	}
	return out
}

// Deadlines returns the terms of a case; of a root, those of its whole tree.
func (e *Engine) Deadlines(ctx context.Context, who auth.Actor, id string) ([]DeadlineView, error) {
	var out []DeadlineView
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		s, err := tx.Load(store.Want{Tree: tx.Case.Parent == "", Parent: true, Deadlines: true, Agreement: true})
		if err != nil {
			return err
		}
		w, err := e.newWorld(tx.Now, who, s)
		if err != nil {
			return err
		}
		for _, n := range w.sorted() {
			if tx.Case.Parent == "" || n.c.ID == id {
				out = append(out, w.deadlineViews(n)...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, e.foretell(ctx, out)
}

// sorted returns the nodes in the order of their ids, which is that of their birth.
func (w *world) sorted() []*node {
	out := make([]*node, 0, len(w.nodes))
	for _, id := range sortedKeys(w.nodes) {
		out = append(out, w.nodes[id])
	}
	return out
}

// Documents returns the documents of a case, newest first.
func (e *Engine) Documents(ctx context.Context, who auth.Actor, id string) ([]DocumentView, error) {
	var out []DocumentView
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		w, n, err := e.loadNeeds(tx, who, flow.Needs{What: flow.NeedDocuments})
		if err != nil {
			return err
		}
		out = w.documentViews(n)
		return nil
	})
	return out, err
}

// Document opens a document that the actor may see; the caller closes the reader.
func (e *Engine) Document(ctx context.Context, who auth.Actor, id string) (DocumentView, io.ReadCloser, error) {
	d, err := e.db.DocumentByID(ctx, scope(who), id)
	if err != nil {
		return DocumentView{}, nil, err
	}
	var v *DocumentView
	all, err := e.Documents(ctx, who, d.CaseID)
	if err != nil {
		return DocumentView{}, nil, err
	}
	for i := range all {
		if all[i].ID == id {
			v = &all[i]
		}
	}
	if v == nil { // secret for now
		return DocumentView{}, nil, ErrNotFound
	}
	f, err := e.cfg.Blobs.Get(v.SHA256)
	if errors.Is(err, blob.ErrMissing) {
		return *v, nil, fmt.Errorf("document %s: %w", id, err)
	}
	return *v, f, err
}

// links returns the links of a case to cases that the actor may see.
func (e *Engine) links(ctx context.Context, who auth.Actor, id string) ([]LinkView, error) {
	found, err := e.db.Links(ctx, scope(who), id)
	if err != nil {
		return nil, err
	}
	var out []LinkView
	for _, l := range found {
		other, away := l.From, false
		if l.From == id {
			other, away = l.To, true
		}
		err := e.db.Peek(ctx, scope(who), other, func(tx *store.Tx) error {
			out = append(out, LinkView{Kind: l.Kind, To: e.summary(tx.Case, look(who, tx.Case)), Away: away, At: l.At})
			return nil
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return out, nil
}
