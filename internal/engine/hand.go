package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// ChangeDeadline asks to move, suspend or resume a term by hand.
type ChangeDeadline struct {
	Case, Deadline string // ids
	// Revision of the case that the person saw; a different one is Stale. 0 asks for no check.
	Revision int64
	// To is the new end: a last day YYYY-MM-DD, which keeps the hour of the term, or an instant RFC 3339, the first at which it is over.
	// Days counts on from the present end instead. Only for MoveDeadline, which wants one of the two.
	To   string
	Days int
	// At is since when it stands still, or from when it runs again; zero: now.
	At time.Time
	// Reason and Law are required. Document may be the id of a document of the case.
	Reason, Law, Document string
	Acknowledge           []Acknowledgement
	// Key makes the request repeatable. May be empty.
	Key string
}

// ChangedDeadline is the answer: what happened, and the term as it is now.
type ChangedDeadline struct {
	Moved
	Deadline DeadlineView
}

// MoveDeadline gives a running or blocked term another end, on the word of a person: with a reason and the law it rests on. A field that says when
// the term ends moves with it, and what is counted from that field is counted again.
//
// Errors are those of Fire; *Refused for a term that ended, stands still or follows another date, and for an end that has gone by;
// *NeedsAcknowledgement for a peremptory term, an earlier end, and a last day that is not worked.
func (e *Engine) MoveDeadline(ctx context.Context, who auth.Actor, cmd ChangeDeadline) (ChangedDeadline, error) {
	return e.changeDeadline(ctx, who, cmd, movedEvent, (*handwork).move)
}

// SuspendDeadline lets a running term stand still. *Refused for one that does not run or is over.
func (e *Engine) SuspendDeadline(ctx context.Context, who auth.Actor, cmd ChangeDeadline) (ChangedDeadline, error) {
	return e.changeDeadline(ctx, who, cmd, suspendedEvent, (*handwork).suspend)
}

// ResumeDeadline lets a suspended term run on: the time for which it stood still is added. *Refused for one that is not suspended;
// *NeedsAcknowledgement when the workflow had suspended it, for then the workflow resumes it.
func (e *Engine) ResumeDeadline(ctx context.Context, who auth.Actor, cmd ChangeDeadline) (ChangedDeadline, error) {
	return e.changeDeadline(ctx, who, cmd, resumedEvent, (*handwork).resume)
}

// handwork is one change of a term by hand while it is decided.
type handwork struct {
	w        *world
	n        *node
	decl     *flow.Deadline
	d        *store.Deadline
	cmd      ChangeDeadline
	h        *happening
	warnings []Refusal
}

// longReason bounds the texts of a change, in characters.
const longReason = 4000

func (e *Engine) changeDeadline(ctx context.Context, who auth.Actor, cmd ChangeDeadline, event string, change func(*handwork) error) (ChangedDeadline, error) {
	var out ChangedDeadline
	var stale *Stale
	cmd.Reason, cmd.Law = strings.TrimSpace(cmd.Reason), strings.TrimSpace(cmd.Law)
	asked := cmd
	asked.Key = ""
	key := idemKey(who, event+"/"+cmd.Deadline, cmd.Key, asked)
	err := e.db.Update(ctx, scope(who), cmd.Case, key, func(tx *store.Tx) error {
		if tx.Answer != nil {
			return answered(tx, &out)
		}
		if cmd.Revision != 0 && cmd.Revision != tx.Case.Revision {
			stale = &Stale{Expected: cmd.Revision, Current: tx.Case.Revision}
			return stale
		}
		s, err := tx.Load(store.Want{Tree: true, Deadlines: true, Agreement: true, Documents: cmd.Document != ""})
		if err != nil {
			return err
		}
		w, err := e.newWorld(tx.Now, who, s)
		if err != nil {
			return err
		}
		x, err := w.handwork(cmd, event)
		if err != nil {
			return err
		}
		if err := change(x); err != nil {
			return err
		}
		if err := x.settle(); err != nil {
			return err
		}
		out.Moved = w.moved(x.h)
		for _, v := range w.deadlineViews(x.n) {
			if v.ID == cmd.Deadline {
				out.Deadline = v
			}
		}
		return w.record(tx, key, out)
	})
	if stale != nil {
		return out, e.whatChanged(ctx, who, cmd.Case, stale)
	}
	return out, err
}

// handwork checks who asks for what on which term, and begins the event; nothing is changed yet.
func (w *world) handwork(cmd ChangeDeadline, event string) (*handwork, error) {
	x := &handwork{w: w, n: w.nodes[cmd.Case], cmd: cmd}
	for _, d := range x.n.deadlines {
		if d.ID == cmd.Deadline {
			x.d = d
		}
	}
	if x.d == nil {
		return nil, ErrNotFound
	}
	allowed := keepers(x.n.def)
	role, body, ok := standing(w.who, allowed, x.n.c.MemberBody, x.n.c.SUA)
	if !ok {
		return nil, &Forbidden{Action: event, Roles: allowed, Text: roleMissing(allowed).Text}
	}
	if problems := cmd.problems(event); len(problems) > 0 {
		return nil, &Invalid{problems}
	}
	if x.decl, ok = x.n.def.Deadline(x.d.Name); !ok {
		return nil, fmt.Errorf("deadline %s is not in %s v%d", x.d.Name, x.n.def.Workflow, x.n.def.Version)
	}
	if no := x.fixed(); no != nil {
		return nil, &Refused{Event: event, Refusals: []Refusal{*no}}
	}
	x.h = w.stand(x.n, event)
	x.h.role, x.h.body, x.h.story.Deadline = role, body, x.d.Name
	x.h.story.Inputs = map[string]any{"deadline": x.decl.Label.IT, "reason": cmd.Reason, "law": cmd.Law}
	return x, x.prove()
}

// stand begins an event that moves a case nowhere and that no workflow declares.
func (w *world) stand(n *node, event string) *happening {
	root := w.root(n)
	return &happening{n: n, root: root, event: event, from: n.c.State, to: n.c.State, seq: w.nextSeq(root), effective: w.now, actor: w.who.ID}
}

// keepers are the roles that may change a term by hand: those of the SUA; the RUP where the member body carries the case, which is
// where the RUP mends its mistakes: from the contract on.
func keepers(def *flow.Definition) []string {
	if ev, ok := def.Event(rectifyEvent); ok && slices.Contains(ev.By, flow.By{Role: "rup"}) {
		return []string{"rup"}
	}
	return []string{"sua_clerk", "sua_director"}
}

// problems are what is wrong with the request whatever the term.
func (cmd ChangeDeadline) problems(event string) []Problem {
	var out []Problem
	for _, f := range []struct{ at, text string }{{"/reason", cmd.Reason}, {"/law", cmd.Law}} {
		switch {
		case f.text == "":
			out = append(out, problem(f.at, "text_required"))
		case utf8.RuneCountInString(f.text) > longReason || !utf8.ValidString(f.text) || strings.ContainsRune(f.text, 0):
			out = append(out, problem(f.at, "text_wrong", "max", strconv.Itoa(longReason)))
		}
	}
	if event == movedEvent && (cmd.To == "") == (cmd.Days == 0) {
		out = append(out, problem("/to", "to_or_days"))
	}
	if cmd.Days < 0 || cmd.Days > mostDays {
		out = append(out, problem("/days", "days_range"))
	}
	return out
}

// fixed says why nobody may change this term by hand: it has ended, or it follows another date.
func (x *handwork) fixed() *Refusal {
	switch {
	case !live(x.d):
		return refuse("deadline_ended")
	case x.decl.Until.ParentField != "":
		return refuse("deadline_follows")
	case x.decl.Counted == "backward":
		return refuse("deadline_backward")
	}
	return nil
}

// prove ties the event to the document that the person names: one of the case.
func (x *handwork) prove() error {
	if x.cmd.Document == "" {
		return nil
	}
	i := slices.IndexFunc(x.n.documents, func(d store.Document) bool { return d.ID == x.cmd.Document })
	if i < 0 {
		return &Invalid{[]Problem{problem("/document", "document_elsewhere")}}
	}
	d := x.n.documents[i]
	if t, ok := x.n.def.Document(d.Type); ok && !look(x.w.who, x.n.c).sees(t.Secret, "") {
		return &Invalid{[]Problem{problem("/document", "document_elsewhere")}}
	}
	x.h.documents = []audit.Attached{{Type: d.Type, SHA256: d.SHA256}}
	return nil
}

func (x *handwork) refused(no *Refusal) error {
	return &Refused{Event: x.h.event, Refusals: []Refusal{*no}}
}

func (x *handwork) warn(r *Refusal) {
	r.Soft = true
	x.warnings = append(x.warnings, *r)
}

func (x *handwork) warnPeremptory() {
	if x.decl.Peremptory {
		r := refuse("deadline_peremptory")
		r.Law = x.decl.Law
		x.warn(r)
	}
}

// move is the change of MoveDeadline.
func (x *handwork) move() error {
	if x.d.Status == store.Suspended {
		return x.refused(refuse("deadline_suspended"))
	}
	res, err := x.end()
	if err != nil {
		return err
	}
	day := res.LastDay.Italian()
	if !res.Due.After(x.w.now) {
		return x.refused(refuse("deadline_passed", "day", day, "day_en", res.LastDay.English()))
	}
	if res.Due.Equal(x.d.DueAt) {
		return x.refused(refuse("deadline_same"))
	}
	x.warnPeremptory()
	if res.Due.Before(x.d.DueAt) {
		x.warn(refuse("deadline_earlier", "day", day, "day_en", res.LastDay.English()))
	}
	if why, closed := x.w.e.holidays(x.n.c.SUA).Closed(res.LastDay); closed {
		x.warn(refuse("deadline_day_off", "day", day, "day_en", res.LastDay.English(), "why", why.IT, "why_en", why.EN))
	}
	x.w.setTerm(x.d, res)
	x.d.Status, x.d.BlockedBy, x.d.EndedAt, x.d.NextTry = store.Running, nil, nil, x.d.DueAt
	put(&x.h.story.Inputs, "due", dueText(x.d))
	return nil
}

// end is the new end that the person asks for, explained.
func (x *handwork) end() (calendar.Result, error) {
	if x.cmd.Days > 0 {
		put(&x.h.story.Inputs, "days", x.cmd.Days)
		res, err := calendar.ExtendDays(x.d.DueAt, x.cmd.Days, x.decl.Counted, x.w.e.holidays(x.n.c.SUA))
		if err != nil {
			return res, &Invalid{[]Problem{problem("/days", "days_range")}}
		}
		res.Explanation = calendar.Text{IT: x.d.ExplainIT + " " + res.Explanation.IT, EN: x.d.ExplainEN + " " + res.Explanation.EN}
		return res, nil
	}
	res := resultOf(x.d)
	if last, err := calendar.ParseDate(x.cmd.To); err == nil {
		res.Due, res.LastDay = calendar.Shift(x.d.DueAt, last.Sub(res.LastDay)), last
	} else if at, err := time.Parse(time.RFC3339, x.cmd.To); err == nil && calendar.DateOf(at).Year > 1980 && calendar.DateOf(at).Year < 2200 {
		res.Due = at.UTC().Truncate(time.Microsecond)
		res.LastDay = calendar.DateOf(res.Due.Add(-time.Microsecond))
	} else {
		return res, &Invalid{[]Problem{problem("/to", "to_unreadable")}}
	}
	if x.whole() && !res.Due.Equal(calendar.DateOf(res.Due).Start()) {
		return res, &Invalid{[]Problem{problem("/to", "to_whole_day")}}
	}
	res.Explanation.IT += fmt.Sprintf(" Fine spostata a mano il %s: ultimo giorno %s.", calendar.DateOf(x.w.now).Italian(), res.LastDay.Italian())
	res.Explanation.EN += fmt.Sprintf(" End moved by hand on %s: last day %s.", calendar.DateOf(x.w.now).English(), res.LastDay.English())
	return res, nil
}

// whole reports whether the field that says the end holds a day and no hour.
func (x *handwork) whole() bool {
	f, ok := x.n.def.Field(x.decl.Until.Field)
	return ok && f.Type == flow.TypeDate
}

// suspend is the change of SuspendDeadline.
func (x *handwork) suspend() error {
	if x.d.Status == store.Suspended {
		return x.refused(refuse("deadline_suspended"))
	}
	if !x.d.DueAt.After(x.w.now) {
		return x.refused(refuse("deadline_over"))
	}
	since, err := x.since(x.d.StartedAt)
	if err != nil {
		return err
	}
	x.warnPeremptory()
	why, err := json.Marshal(Refusal{Code: heldByHand, Text: same(x.cmd.Reason), Law: x.cmd.Law})
	if err != nil {
		return fmt.Errorf("suspend: %w", err)
	}
	x.d.Status, x.d.EndedAt, x.d.BlockedBy = store.Suspended, &since, why
	put(&x.h.story.Inputs, "since", since.Format(time.RFC3339))
	x.h.effective = since
	return nil
}

// heldByHand marks a term that a person suspended, with the reason for its text.
const heldByHand = "deadline_held"

func suspendedByHand(d *store.Deadline) bool {
	var held Refusal
	return d.Status == store.Suspended && json.Unmarshal(d.BlockedBy, &held) == nil && held.Code == heldByHand
}

// resume is the change of ResumeDeadline.
func (x *handwork) resume() error {
	if x.d.Status != store.Suspended || x.d.EndedAt == nil {
		return x.refused(refuse("deadline_runs"))
	}
	at, err := x.since(*x.d.EndedAt)
	if err != nil {
		return err
	}
	if !suspendedByHand(x.d) {
		x.warn(refuse("deadline_held_by_workflow"))
	}
	x.w.resumeTerm(x.n, x.d, at)
	put(&x.h.story.Inputs, "at", at.Format(time.RFC3339))
	put(&x.h.story.Inputs, "due", dueText(x.d))
	x.h.effective = at
	return nil
}

// since is the instant from which the change takes effect: not to come, and not before another.
func (x *handwork) since(earliest time.Time) (time.Time, error) {
	at := x.cmd.At.UTC().Truncate(time.Microsecond)
	switch {
	case x.cmd.At.IsZero():
		return latest(x.w.now, earliest), nil
	case at.After(x.w.now):
		return at, &Invalid{[]Problem{problem("/at", "effective_future")}}
	case at.Before(earliest):
		day := calendar.DateOf(earliest)
		return at, &Invalid{[]Problem{problem("/at", "at_early", "day", day.Italian(), "day_en", day.English())}}
	}
	return at, nil
}

func dueText(d *store.Deadline) string { return d.DueAt.Format(time.RFC3339) }

// settle asks for what is to be acknowledged, then makes the change part of the case and its history, and tells people.
func (x *handwork) settle() error {
	s := &step{ev: &flow.Event{ID: x.h.event}, warnings: x.warnings}
	if err := s.settle(x.cmd.Acknowledge); err != nil {
		return err
	}
	x.h.noteAccepted(s.accepted)
	return x.w.changedByHand(x.n, x.h, x.d, x.decl)
}

// changedByHand writes a changed term into the story of its case, moves the field that says its end and what is counted from that, and
// tells who follows the case.
func (w *world) changedByHand(n *node, h *happening, d *store.Deadline, decl *flow.Deadline) error {
	w.happened = append(w.happened, h)
	w.touch(n, h, d)
	w.bump(n)
	if d.Status == store.Running && decl.Until.Field != "" {
		if err := w.moveField(n, h, d, decl.Until.Field); err != nil {
			return err
		}
	}
	w.notify(n, h, notice.Moved, w.reminded(n, decl))
	return nil
}

// bump makes who looked at the case before see that it has changed.
func (w *world) bump(n *node) {
	n.c.Revision++
	n.c.UpdatedAt, n.changed = w.now, true
}

// moveField writes the new end into the field from which the term was read, and counts again what hangs from that field.
func (w *world) moveField(n *node, h *happening, d *store.Deadline, id string) error {
	f, ok := n.def.Field(id)
	if !ok {
		return nil
	}
	text := d.LastDay
	if f.Type == flow.TypeInstant {
		text = d.DueAt.Format(time.RFC3339Nano)
	}
	v, err := flow.Parse(f.Type, f.Of, text)
	if err != nil {
		return fmt.Errorf("field %s: %w", id, err)
	}
	n.c.Data = n.c.Data.Clone()
	n.c.Data[id] = v
	h.noteField(n.def, id, v)
	for _, m := range w.sorted() {
		if err := w.recount(n, m, h, id); err != nil {
			return err
		}
	}
	return nil
}

// recount counts again the running terms of m that hang from a field of n. Those of a case below are an event of that case.
func (w *world) recount(n, m *node, cause *happening, field string) error {
	var own *happening
	if m == n {
		own = cause
	}
	for _, d := range m.deadlines {
		decl, ok := m.def.Deadline(d.Name)
		if !ok || d.Status != store.Running && d.Status != store.Blocked {
			continue
		}
		refs := []flow.FieldRef{decl.Until, decl.FromField}
		hangs := m == n && slices.ContainsFunc(refs, func(r flow.FieldRef) bool { return r.Field == field }) ||
			m.c.Parent == n.c.ID && slices.ContainsFunc(refs, func(r flow.FieldRef) bool { return r.ParentField == field })
		if !hangs {
			continue
		}
		before, again, first := *d, *d, own == nil
		from := d.StartedAt
		if !decl.FromField.Zero() {
			at, _, _, err := w.fieldTime(m, decl.FromField)
			if err != nil {
				return err
			}
			from = at
		}
		if err := w.countTerm(m, decl, &again, from); err != nil {
			return err
		}
		if again.DueAt.Equal(before.DueAt) {
			continue
		}
		if own == nil {
			own = w.stand(m, movedEvent)
			own.role, own.cause, own.effective, own.story.Deadline = "system", cause.seq, cause.effective, d.Name
			own.actor = cause.actor
			w.happened = append(w.happened, own)
			w.bump(m)
		}
		*d = again
		d.Status, d.BlockedBy, d.NextTry = store.Running, nil, d.DueAt
		w.touch(m, own, d)
		if !first { // the event tells of one term: in its own case of the one that was moved
			continue
		}
		w.notify(m, own, notice.Moved, w.reminded(m, decl))
	}
	return nil
}

// byHand are the changes that the reader may make to a term now.
func (w *world) byHand(n *node, d *store.Deadline, decl *flow.Deadline) []string {
	x := &handwork{w: w, n: n, d: d, decl: decl}
	if _, _, ok := standing(w.who, keepers(n.def), n.c.MemberBody, n.c.SUA); !ok || x.fixed() != nil {
		return nil
	}
	switch {
	case d.Status == store.Suspended:
		return []string{"resume"}
	case d.DueAt.After(w.now):
		return []string{"move", "suspend"}
	}
	return []string{"move"}
}
