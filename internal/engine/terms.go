package engine

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// retryBlocked is how long a blocked deadline waits when nothing of its tree changes.
const retryBlocked = time.Hour

// term carries out start, restart, stop, suspend, resume and extend.
func (w *world) term(s *step, h *happening, a flow.Action) error {
	n := s.n
	running := n.running(a.Deadline)
	switch a.Verb {
	case flow.VerbStop: // done before the case left its state, see commit
	case flow.VerbSuspend:
		if running != nil && running.Status != store.Suspended {
			running.Status, running.EndedAt, running.BlockedBy = store.Suspended, &h.effective, nil // EndedAt holds since when, until it resumes
			w.touch(n, h, running)
		}
	case flow.VerbResume:
		if running != nil && running.Status == store.Suspended {
			w.resumeTerm(n, running, h.effective)
			w.touch(n, h, running)
		}
	case flow.VerbExtend:
		if running == nil {
			running = n.lapsed(a.Deadline)
		}
		if running != nil {
			return w.extendTerm(s, h, running, a)
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

// resumeTerm lets a suspended term run on: its end moves by the time for which it stood still.
func (w *world) resumeTerm(n *node, d *store.Deadline, at time.Time) {
	rule := "calendar"
	if decl, ok := n.def.Deadline(d.Name); ok && decl.Counted != "" {
		rule = decl.Counted
	}
	if res, err := resultOf(d).Suspended(*d.EndedAt, at, rule, w.e.holidays(n.c.SUA)); err == nil {
		w.setTerm(d, res)
	} else { // for no time, or when it was over already: there is nothing to explain
		d.DueAt = calendar.Suspend(d.DueAt, *d.EndedAt, at)
		d.LastDay = calendar.DateOf(d.DueAt.Add(-time.Microsecond)).String()
	}
	d.Status, d.EndedAt, d.BlockedBy, d.NextTry = store.Running, nil, nil, d.DueAt
}

// setTerm gives a term another end, explained.
func (w *world) setTerm(d *store.Deadline, res calendar.Result) {
	d.DueAt, d.LastDay = res.Due.UTC(), res.LastDay.String()
	d.ExplainIT, d.ExplainEN = res.Explanation.IT, res.Explanation.EN
}

// resultOf is a term as package calendar sees it.
func resultOf(d *store.Deadline) calendar.Result {
	last, err := calendar.ParseDate(d.LastDay)
	if err != nil {
		last = calendar.DateOf(d.DueAt.Add(-time.Microsecond))
	}
	return calendar.Result{Due: d.DueAt, LastDay: last, Explanation: calendar.Text{IT: d.ExplainIT, EN: d.ExplainEN}}
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

// lapsed returns the term of a name that is over and has only been told to people: an extension granted afterwards reaches it.
func (n *node) lapsed(name string) *store.Deadline {
	decl, ok := n.def.Deadline(name)
	if !ok || decl.Fire != "" || !slices.Contains(decl.While, n.c.State) {
		return nil
	}
	for _, d := range slices.Backward(n.deadlines) {
		if d.Name == name {
			if d.Status == store.Expired {
				return d
			}
			return nil
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
	if !decl.FromField.Zero() { // it began to be shown now, whatever the day it is counted from: that may be to come
		at, _, _, err := w.fieldTime(n, decl.FromField)
		if err != nil {
			return err
		}
		from = at
	}
	if err := w.countTerm(n, decl, d, from); err != nil {
		return err
	}
	d.NextTry = d.DueAt
	n.deadlines, n.newDeadlines = append(n.deadlines, d), append(n.newDeadlines, d)
	h.story.Deadlines = append(h.story.Deadlines, changeOf(d))
	return nil
}

// countTerm finds when a deadline is over: at the instant or day a field says, or after a number of the law.
func (w *world) countTerm(n *node, decl *flow.Deadline, d *store.Deadline, from time.Time) error {
	if !decl.Until.Zero() {
		return w.untilField(n, decl, d)
	}
	if decl.Term.Days != "" || decl.Term.Share != "" {
		return w.countDays(n, decl, d, from)
	}
	key := w.termKey(n, decl.Term)
	l, err := w.limit(n, key)
	if err != nil {
		return err
	}
	res, err := countLimit(from, l, decl.Counted, w.e.holidays(n.c.SUA))
	if err != nil {
		return &Refused{Refusals: []Refusal{*refuse("term_uncountable", "key", key)}}
	}
	d.DueAt, d.LastDay, d.LimitKey = res.Due.UTC(), res.LastDay.String(), key
	d.ExplainIT, d.ExplainEN = res.Explanation.IT, res.Explanation.EN
	return nil
}

// limit is a number of the law for a case, or a refusal that names key and day.
func (w *world) limit(n *node, key string) (law.Limit, error) {
	l, err := w.limits(n).Get(key)
	if err != nil {
		return l, &Refused{Refusals: []Refusal{*refuse("limit_missing", "key", key, "day", calendar.DateOf(w.rulesDay(n)).String())}}
	}
	return l, nil
}

// countDays counts the days that a field of the case says, or the share of them that the law fixes.
func (w *world) countDays(n *node, decl *flow.Deadline, d *store.Deadline, from time.Time) error {
	id := decl.Term.Days + decl.Term.Of
	f, ok := n.def.Field(id)
	if !ok {
		return fmt.Errorf("deadline %s: %s has no field %s", decl.ID, n.def.Workflow, id)
	}
	days, err := countOf(f.Label, n.c.Data[id])
	if err != nil {
		return err
	}
	said := Text{IT: "Giorni indicati in: " + f.Label.IT + ".", EN: "Days given in: " + f.Label.EN + "."}
	if key := decl.Term.Share; key != "" {
		l, err := w.limit(n, key)
		if err != nil {
			return err
		}
		part, err := l.Fraction()
		if err != nil {
			return fmt.Errorf("deadline %s: %w", decl.ID, err)
		}
		whole := days
		part.Mul(part, big.NewRat(int64(whole), 1))
		days = int(new(big.Int).Quo(part.Num(), part.Denom()).Int64())
		said.IT = fmt.Sprintf("%s di %d giorni (%s): %d, arrotondato per difetto.", l.Text(), whole, f.Label.IT, days)
		said.EN = fmt.Sprintf("%s of %d days (%s): %d, rounded down.", l.Text(), whole, f.Label.EN, days)
		d.LimitKey = key
	}
	res, err := calendar.Count(from, days, calendar.Days, decl.Counted, w.e.holidays(n.c.SUA))
	if err != nil {
		return &Refused{Refusals: []Refusal{*refuse("days_wrong", "field", f.Label.IT, "field_en", f.Label.EN)}}
	}
	d.DueAt, d.LastDay = res.Due.UTC(), res.LastDay.String()
	d.ExplainIT, d.ExplainEN = said.IT+" "+res.Explanation.IT, said.EN+" "+res.Explanation.EN
	return nil
}

// countOf wants a whole number of days from one on, that a term can be counted with.
func countOf(label Text, v any) (int, error) {
	days, ok := v.(int64)
	switch {
	case !ok:
		return 0, &Refused{Refusals: []Refusal{*refuse("field_empty", "field", label.IT, "field_en", label.EN)}}
	case days < 1 || days > mostDays:
		return 0, &Refused{Refusals: []Refusal{*refuse("days_wrong", "field", label.IT, "field_en", label.EN)}}
	}
	return int(days), nil
}

// mostDays bounds what a field may say, so that it fits an int everywhere; package calendar has the tighter bound.
const mostDays = 1 << 20

// extendTerm moves the end of a live term later, counted on from its present last day. A blocked one runs again.
func (w *world) extendTerm(s *step, h *happening, d *store.Deadline, a flow.Action) error {
	n := s.n
	decl, ok := n.def.Deadline(d.Name)
	if !ok {
		return fmt.Errorf("deadline %s is not in %s", d.Name, n.def.Workflow)
	}
	var res calendar.Result
	var err error
	if a.Term != "" {
		l, missing := w.limit(n, a.Term)
		if missing != nil {
			return missing
		}
		if res, err = extendLimit(d.DueAt, l, decl.Counted, w.e.holidays(n.c.SUA)); err != nil {
			return &Refused{Refusals: []Refusal{*refuse("term_uncountable", "key", a.Term)}}
		}
	} else {
		label, days, wrong := s.days(a.Days)
		if wrong != nil {
			return wrong
		}
		if res, err = calendar.ExtendDays(d.DueAt, days, decl.Counted, w.e.holidays(n.c.SUA)); err != nil {
			return &Refused{Refusals: []Refusal{*refuse("days_wrong", "field", label.IT, "field_en", label.EN)}}
		}
	}
	d.DueAt, d.LastDay = res.Due.UTC(), res.LastDay.String()
	d.ExplainIT, d.ExplainEN = d.ExplainIT+" "+res.Explanation.IT, d.ExplainEN+" "+res.Explanation.EN
	if d.Status == store.Blocked || d.Status == store.Expired {
		d.Status, d.BlockedBy, d.EndedAt = store.Running, nil, nil
	}
	d.NextTry = d.DueAt
	w.touch(n, h, d)
	return nil
}

// extendLimit extends a term by a limit in its own unit.
func extendLimit(due time.Time, l law.Limit, rule string, h calendar.Holidays) (calendar.Result, error) {
	n, err := l.Int()
	if err != nil {
		return calendar.Result{}, err
	}
	return calendar.Extend(due, n, unitOf(l), rule, h)
}

// days reads the days of an extension: an input of the event, or a field.
func (s *step) days(id string) (Text, int, error) {
	if in, ok := s.ev.Input(id); ok {
		days, err := countOf(in.Label, s.inputs[id])
		return in.Label, days, err
	}
	label := Text{IT: id, EN: id}
	if f, ok := s.n.def.Field(id); ok {
		label = f.Label
	}
	days, err := countOf(label, s.n.c.Data[id])
	return label, days, err
}

// fieldTime reads a date or instant of the case or of its parent: the instant at which it begins, and for a date its day.
func (w *world) fieldTime(n *node, ref flow.FieldRef) (at time.Time, day calendar.Date, f *flow.Field, err error) {
	from, id := n, ref.Field
	if ref.ParentField != "" {
		from, id = w.parent(n), ref.ParentField
	}
	label := Text{IT: id, EN: id}
	var text string
	if from != nil {
		text, _ = from.c.Data[id].(string)
		if f, _ = from.def.Field(id); f != nil {
			label = f.Label
		}
	}
	if f == nil {
		f = &flow.Field{ID: id, Label: label}
	}
	if f.Type == flow.TypeDate {
		if day, err = calendar.ParseDate(text); err == nil {
			return day.Start(), day, f, nil
		}
	} else if at, err = time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), calendar.Date{}, f, nil
	}
	return at, day, f, &Refused{Refusals: []Refusal{*refuse("field_empty", "field", label.IT, "field_en", label.EN)}}
}

func (w *world) untilField(n *node, decl *flow.Deadline, d *store.Deadline) error {
	at, day, f, err := w.fieldTime(n, decl.Until)
	if err != nil {
		return err
	}
	if f.Type == flow.TypeDate {
		d.DueAt, d.LastDay = day.AddDays(1).Start(), day.String()
	} else {
		d.DueAt, d.LastDay = at, calendar.DateOf(at.Add(-time.Microsecond)).String()
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
			if d.Name == decl.ID && (n.mistake == nil || d.StartedSeq != n.mistake.fired.Seq) {
				if d.Status == store.Cancelled {
					w.revive(n, h, d)
				}
				break
			}
		}
	}
}

// revive lets a term that had ended run again, or stand still again since when it did.
func (w *world) revive(n *node, h *happening, d *store.Deadline) {
	since := heldSince(d)
	d.Status, d.EndedAt, d.BlockedBy, d.NextTry = store.Running, nil, nil, d.DueAt
	if since != nil {
		d.Status, d.EndedAt = store.Suspended, since
	}
	w.touch(n, h, d)
}

func (w *world) endTerm(n *node, h *happening, d *store.Deadline, status string) {
	if d == nil {
		return
	}
	held := d.EndedAt
	if d.Status != store.Suspended {
		held = nil
	}
	hand := suspendedByHand(d) // what a person suspended, a rectification of the workflow does not set going
	d.Status, d.EndedAt, d.BlockedBy = status, &w.now, nil
	if held != nil && (status == store.Cancelled || status == store.Met && hand) {
		d.BlockedBy, _ = json.Marshal(heldMark{held.UTC()}) // a time always marshals
	}
	w.touch(n, h, d)
}

// heldMark keeps since when a term stood still that was cancelled, or suspended by hand and met, meanwhile: a rectification may give it back.
type heldMark struct {
	Since time.Time `json:"suspended_since"`
}

func heldSince(d *store.Deadline) *time.Time {
	var m heldMark
	if json.Unmarshal(d.BlockedBy, &m) != nil || m.Since.IsZero() {
		return nil
	}
	return &m.Since
}

// touch notes that a deadline changed.
func (w *world) touch(n *node, h *happening, d *store.Deadline) {
	d.Revision++
	if !slices.Contains(n.newDeadlines, d) {
		n.oldDeadlines[d] = true
	}
	if h != nil {
		h.story.Deadlines = append(h.story.Deadlines, changeOf(d))
	}
}

// romeDay is the day in Italy on which an instant falls, as midnight UTC of that date: what law.Table.On expects.
func romeDay(t time.Time) time.Time {
	d := calendar.DateOf(t)
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
