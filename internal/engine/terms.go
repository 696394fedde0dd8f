package engine

import (
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// retryBlocked is how long a blocked deadline waits when nothing of its tree changes.
const retryBlocked = time.Hour

// term carries out start, restart, stop, suspend and resume.
func (w *world) term(n *node, h *happening, a flow.Action) error {
	running := n.running(a.Deadline)
	switch a.Verb {
	case flow.VerbStop:
		w.endTerm(n, h, running, store.Met)
	case flow.VerbSuspend:
		if running != nil && running.Status != store.Suspended {
			running.Status, running.EndedAt, running.BlockedBy = store.Suspended, &h.effective, nil // EndedAt holds since when, until it resumes
			w.touch(n, h, running)
		}
	case flow.VerbResume:
		if running != nil && running.Status == store.Suspended {
			running.DueAt = calendar.Suspend(running.DueAt, *running.EndedAt, h.effective)
			running.LastDay = calendar.DateOf(running.DueAt.Add(-time.Microsecond)).String()
			running.Status, running.EndedAt, running.NextTry = store.Running, nil, running.DueAt
			w.touch(n, h, running)
		}
	case flow.VerbRestart:
		w.endTerm(n, h, running, store.Cancelled)
		return w.startTerm(n, h, a.Deadline)
	default:
		if running == nil {
			return w.startTerm(n, h, a.Deadline)
		}
	}
	return nil
}

// running returns the live deadline of a name, or nil.
func (n *node) running(name string) *store.Deadline {
	for _, d := range n.deadlines {
		if d.Name == name && live(d) {
			return d
		}
	}
	return nil
}

func live(d *store.Deadline) bool {
	return d.Status == store.Running || d.Status == store.Suspended || d.Status == store.Blocked
}

// startTerm begins a deadline; it is ignored when the event ended outside the states in which the deadline runs.
func (w *world) startTerm(n *node, h *happening, name string) error {
	decl, ok := n.def.Deadline(name)
	if !ok || !slices.Contains(decl.While, n.c.State) {
		return nil
	}
	from := h.effective
	if decl.From == "at" {
		from = w.now
	}
	d := &store.Deadline{
		ID: w.e.cfg.NewID(), CaseID: n.c.ID, Root: n.c.Root, MemberBody: n.c.MemberBody, SUA: n.c.SUA,
		Name: name, Status: store.Running, StartedAt: from, StartedSeq: h.seq, Revision: 1,
	}
	if err := w.countTerm(n, decl, d, from); err != nil {
		return err
	}
	d.NextTry = d.DueAt
	n.deadlines, n.newDeadlines = append(n.deadlines, d), append(n.newDeadlines, d)
	h.story.Deadlines = append(h.story.Deadlines, DeadlineChange{Name: name, Status: store.Running, LastDay: d.LastDay})
	return nil
}

// countTerm finds when a deadline is over: at the instant or day a field says, or after a number of the law.
func (w *world) countTerm(n *node, decl *flow.Deadline, d *store.Deadline, from time.Time) error {
	if decl.Until != "" {
		return w.untilField(n, decl, d)
	}
	key := w.termKey(n, decl.Term)
	l, err := w.limits(n).Get(key)
	if err != nil {
		return &Refused{Refusals: []Refusal{*refuse("limit_missing", "key", key, "day", calendar.DateOf(w.rulesDay(n)).String())}}
	}
	res, err := countLimit(from, l, decl.Counted, w.e.holidays(n.c.SUA))
	if err != nil {
		return &Refused{Refusals: []Refusal{*refuse("term_uncountable", "key", key)}}
	}
	d.DueAt, d.LastDay, d.LimitKey = res.Due.UTC(), res.LastDay.String(), key
	d.ExplainIT, d.ExplainEN = res.Explanation.IT, res.Explanation.EN
	return nil
}

func (w *world) untilField(n *node, decl *flow.Deadline, d *store.Deadline) error {
	text, _ := n.c.Data[decl.Until].(string)
	f, _ := n.def.Field(decl.Until)
	if f.Type == flow.TypeDate {
		day, err := calendar.ParseDate(text)
		if err != nil {
			return &Refused{Refusals: []Refusal{*refuse("field_empty", "field", f.Label.IT, "field_en", f.Label.EN)}}
		}
		d.DueAt, d.LastDay = day.AddDays(1).Start(), day.String()
	} else {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return &Refused{Refusals: []Refusal{*refuse("field_empty", "field", f.Label.IT, "field_en", f.Label.EN)}}
		}
		d.DueAt, d.LastDay = at.UTC(), calendar.DateOf(at.Add(-time.Microsecond)).String()
	}
	d.ExplainIT, d.ExplainEN = "Data fissata in: "+f.Label.IT+".", "Date set in: "+f.Label.EN+"."
	return nil
}

// termKey resolves a term to its key of the law: fixed, or by a choice field of the case or of its parent.
func (w *world) termKey(n *node, t flow.Term) string {
	if t.Key != "" {
		return t.Key
	}
	from, field := n, t.Field
	if t.ParentField != "" {
		field, from = t.ParentField, w.parent(n)
	}
	if from == nil {
		return ""
	}
	choice, _ := from.c.Data[field].(string)
	return t.ByChoice[choice]
}

// leaveTerms cancels the deadlines that do not run in the state where the case now stands: no forgotten timer.
func (w *world) leaveTerms(n *node, h *happening) {
	for _, d := range n.deadlines {
		decl, ok := n.def.Deadline(d.Name)
		if live(d) && (!ok || !slices.Contains(decl.While, n.c.State)) {
			w.endTerm(n, h, d, store.Cancelled)
		}
	}
}

// reviveTerms gives back, after a rectification, the terms that were cancelled by leaving the state now restored: with
// their own last day, for a mistake moves no term of law.
func (w *world) reviveTerms(n *node, h *happening) {
	for _, decl := range n.def.Deadlines {
		if !slices.Contains(decl.While, n.c.State) || n.running(decl.ID) != nil {
			continue
		}
		for _, d := range slices.Backward(n.deadlines) {
			if d.Name == decl.ID {
				if d.Status == store.Cancelled {
					d.Status, d.EndedAt, d.NextTry = store.Running, nil, d.DueAt
					w.touch(n, h, d)
				}
				break
			}
		}
	}
}

func (w *world) endTerm(n *node, h *happening, d *store.Deadline, status string) {
	if d == nil {
		return
	}
	d.Status, d.EndedAt, d.BlockedBy = status, &w.now, nil
	w.touch(n, h, d)
}

// touch notes that a deadline changed.
func (w *world) touch(n *node, h *happening, d *store.Deadline) {
	d.Revision++
	if !slices.Contains(n.newDeadlines, d) {
		n.oldDeadlines[d] = true
	}
	if h != nil {
		h.story.Deadlines = append(h.story.Deadlines, DeadlineChange{Name: d.Name, Status: d.Status, LastDay: d.LastDay})
	}
}

// romeDay is the day in Italy on which an instant falls, as midnight UTC of that date: what law.Table.On expects.
func romeDay(t time.Time) time.Time {
	d := calendar.DateOf(t)
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
