package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// outageRoles may record that the platform was down; the preview is theirs too.
var outageRoles = []string{"sua_director"}

// Outage asks to record that the platform did not work, and to give the time lost back to every term that it took it from.
type Outage struct {
	// ID makes it repeatable: recorded again with the same id, what is missing is done and nothing twice. Empty: a new one.
	ID       string
	SUA      string   // may be empty when the actor directs one only
	Bodies   []string // member bodies concerned; none: all that the SUA serves
	Platform string
	From, To time.Time // To is the first instant at which it worked again
	Evidence string    // what proves it: the number of a report, of a protocol, an address
	Law      string
}

// OutageReport is a recorded outage and what it did, or in a preview what it would do.
type OutageReport struct {
	Outage
	SUA        Ref
	Bodies     []Ref
	RecordedBy Ref
	RecordedAt time.Time // zero in a preview
	Terms      []OutageTerm
}

// Extended counts the terms that were moved.
func (r OutageReport) Extended() int {
	n := 0
	for _, t := range r.Terms {
		if t.WhyNot == nil {
			n++
		}
	}
	return n
}

// OutageTerm is what an outage did to a term.
type OutageTerm struct {
	Deadline string
	Label    Text
	Case     Ref // its title
	Body     Ref
	Before   time.Time // when it was over
	After    time.Time // when it is over now; zero when it was not extended
	LastDay  string    // then, YYYY-MM-DD
	WhyNot   *Refusal  // why it was not extended
	Seq      int64     // of the event; 0 in a preview
}

// outageID is what an id may be.
var outageID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// PreviewOutage tells what recording an outage would do. It changes nothing. Errors are those of RecordOutage.
func (e *Engine) PreviewOutage(ctx context.Context, who auth.Actor, cmd Outage) (OutageReport, error) {
	o, err := e.outage(ctx, who, cmd)
	if err != nil {
		return OutageReport{}, err
	}
	out := e.outageReport(o)
	out.RecordedAt, out.RecordedBy = time.Time{}, Ref{}
	struck, err := e.struck(ctx, o)
	if err != nil {
		return out, err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return out, err
	}
	for _, s := range struck {
		x := &outagework{e: e, o: o, now: now}
		res, no := x.end(s.c, s.decl, &s.d)
		t := e.outageTerm(s.c, s.decl.Label, store.OutageTerm{Deadline: s.d.ID, Before: s.d.DueAt})
		if t.WhyNot = no; no == nil {
			t.After, t.LastDay = res.Due.UTC(), res.LastDay.String()
		}
		out.Terms = append(out.Terms, t)
	}
	return out, nil
}

// RecordOutage records a proven outage of the platform and extends by the time lost every term of the SUA's open cases whose workflow says that
// an outage extends it and that was running meanwhile (art. 25 c. 2). Each tree has an event of its own in a transaction of its own; a term
// that cannot be extended is in the report, with the reason. Recording it again with its id does what is missing, and nothing twice.
//
// It returns *Forbidden without the role, *Invalid for what is missing or wrong, *Refused for one that overlaps another of the same platform, an
// error of kind KindKeyReused for an id used with another content, and ErrNotFound for a SUA that is not the actor's.
func (e *Engine) RecordOutage(ctx context.Context, who auth.Actor, cmd Outage) (OutageReport, error) {
	o, err := e.outage(ctx, who, cmd)
	if err != nil {
		return OutageReport{}, err
	}
	if err := e.db.SaveOutage(ctx, o); err != nil {
		return OutageReport{}, err
	}
	struck, err := e.struck(ctx, o)
	if err != nil {
		return OutageReport{}, err
	}
	failed := map[string]error{}
	byRoot := map[string][]struckTerm{}
	for _, s := range struck {
		byRoot[s.d.Root] = append(byRoot[s.d.Root], s)
	}
	for _, root := range sortedKeys(byRoot) {
		if err := e.outageTree(ctx, who, o, root, byRoot[root]); err != nil {
			if ctx.Err() != nil {
				return OutageReport{}, err
			}
			e.cfg.Log.Error("outage not applied to a tree", "outage", o.ID, "root", root, "error", err)
			failed[root] = err
		}
	}
	all, err := e.reports(ctx, store.Everything, []store.Outage{o})
	if err != nil {
		return OutageReport{}, err
	}
	out := all[0]
	for _, root := range sortedKeys(failed) {
		for _, s := range byRoot[root] {
			t := e.outageTerm(s.c, s.decl.Label, store.OutageTerm{Deadline: s.d.ID, Before: s.d.DueAt})
			t.WhyNot = refuse("outage_failed")
			out.Terms = append(out.Terms, t)
		}
	}
	return out, nil
}

// Outages lists the recorded outages of the SUAs for which the actor works, of those that serve the actor's body, or of all for control: the latest
// first, at most a hundred. What they did is told for the cases in the actor's sight.
func (e *Engine) Outages(ctx context.Context, who auth.Actor, sua string) ([]OutageReport, error) {
	mine, err := e.EfficiencySUAs(ctx, who)
	if err != nil {
		return nil, err
	}
	s := store.Scope{All: who.Everywhere()}
	for _, r := range mine {
		s.Bodies = append(s.Bodies, r.ID)
	}
	found, err := e.db.Outages(ctx, s, sua, "", 100)
	if err != nil {
		return nil, err
	}
	return e.reports(ctx, scope(who), found)
}

// OutageSUAs are the SUAs for which the actor may record outages, by name.
func (e *Engine) OutageSUAs(who auth.Actor) []Ref {
	var out []Ref
	for _, m := range who.Memberships {
		if slices.Contains(outageRoles, m.Role) && !slices.ContainsFunc(out, func(r Ref) bool { return r.ID == m.Body }) {
			out = append(out, e.parties.bodyRef(m.Body))
		}
	}
	sortRefs(out)
	return out
}

// outage checks a wish and makes the record out of it; the one that is there when it was recorded before.
func (e *Engine) outage(ctx context.Context, who auth.Actor, cmd Outage) (store.Outage, error) {
	mine := e.OutageSUAs(who)
	if len(mine) == 0 {
		return store.Outage{}, &Forbidden{Action: "outage", Roles: outageRoles, Text: roleMissing(outageRoles).Text}
	}
	if cmd.SUA == "" && len(mine) == 1 {
		cmd.SUA = mine[0].ID
	}
	if cmd.SUA != "" && !slices.ContainsFunc(mine, func(r Ref) bool { return r.ID == cmd.SUA }) {
		return store.Outage{}, ErrNotFound
	}
	if err := e.parties.refresh(ctx); err != nil {
		return store.Outage{}, err
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return store.Outage{}, err
	}
	if problems := e.outageProblems(ctx, cmd, now); len(problems) > 0 {
		return store.Outage{}, &Invalid{problems}
	}
	if cmd.ID == "" {
		cmd.ID = e.cfg.NewID()
	}
	o := store.Outage{
		ID: cmd.ID, SUA: cmd.SUA, Bodies: slices.Compact(slices.Sorted(slices.Values(cmd.Bodies))), Platform: strings.TrimSpace(cmd.Platform), From: cmd.From.UTC().Truncate(time.Microsecond),
		To: cmd.To.UTC().Truncate(time.Microsecond), Evidence: strings.TrimSpace(cmd.Evidence), Law: strings.TrimSpace(cmd.Law), RecordedBy: who.ID, RecordedAt: now,
	}
	return e.outageKnown(ctx, o)
}

func (e *Engine) outageProblems(ctx context.Context, cmd Outage, now time.Time) []Problem {
	var out []Problem
	if cmd.ID != "" && !outageID.MatchString(cmd.ID) {
		out = append(out, problem("/id", "outage_id"))
	}
	if cmd.SUA == "" {
		out = append(out, problem("/sua", "sua_choose"))
	}
	for _, f := range []struct{ at, text string }{{"/platform", cmd.Platform}, {"/evidence", cmd.Evidence}, {"/law", cmd.Law}} {
		switch text := strings.TrimSpace(f.text); {
		case text == "":
			out = append(out, problem(f.at, "text_required"))
		case len(text) > longReason || strings.ToValidUTF8(text, "") != text || strings.ContainsRune(text, 0):
			out = append(out, problem(f.at, "text_wrong", "max", strconv.Itoa(longReason)))
		}
	}
	switch {
	case !cmd.To.After(cmd.From) || calendar.DateOf(cmd.From).Year < 2000:
		out = append(out, problem("/to", "outage_span"))
	case cmd.To.After(now):
		out = append(out, problem("/to", "outage_future"))
	}
	served := e.parties.membersOf(ctx, cmd.SUA)
	for i, b := range cmd.Bodies {
		if !slices.Contains(served, b) {
			out = append(out, problem(fmt.Sprintf("/bodies/%d", i), "outage_bodies", "body", b))
		}
	}
	return out
}

// outageKnown returns the record of an id used before when it says the same, and refuses one that counts time twice.
func (e *Engine) outageKnown(ctx context.Context, o store.Outage) (store.Outage, error) {
	same, err := e.db.Outages(ctx, store.Everything, "", o.ID, 1)
	if err != nil {
		return o, err
	}
	if len(same) == 1 {
		was := same[0]
		if was.SUA != o.SUA || !slices.Equal(was.Bodies, o.Bodies) || was.Platform != o.Platform || !was.From.Equal(o.From) || !was.To.Equal(o.To) || was.Evidence != o.Evidence || was.Law != o.Law {
			return o, fmt.Errorf("outage %s: %w", o.ID, store.ErrKeyReused)
		}
		return was, nil
	}
	others, err := e.db.Outages(ctx, store.Everything, o.SUA, "", 1000)
	if err != nil {
		return o, err
	}
	for _, x := range others {
		common := len(x.Bodies) == 0 || len(o.Bodies) == 0 || slices.ContainsFunc(o.Bodies, func(b string) bool { return slices.Contains(x.Bodies, b) })
		if common && fold(x.Platform) == fold(o.Platform) && x.From.Before(o.To) && o.From.Before(x.To) {
			return o, &Refused{Event: outageEvent, Refusals: []Refusal{*refuse("outage_overlaps", "id", x.ID)}}
		}
	}
	return o, nil
}

// struckTerm is a term that an outage took time from.
type struckTerm struct {
	d    store.Deadline
	c    *store.Case
	decl *flow.Deadline
}

// struck finds them: of the names that some workflow marks, those whose own definition marks them.
func (e *Engine) struck(ctx context.Context, o store.Outage) ([]struckTerm, error) {
	names := map[string]bool{}
	for _, d := range e.lib.All() {
		for _, decl := range d.Deadlines {
			if decl.Outage {
				names[decl.ID] = true
			}
		}
	}
	found, err := e.db.Struck(ctx, o, sortedKeys(names))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, d := range found {
		ids = append(ids, d.CaseID)
	}
	cases, err := e.db.CasesOf(ctx, store.Everything, ids)
	if err != nil {
		return nil, err
	}
	newest := map[[2]string]int64{} // of a name that began again, the last counts
	for _, d := range found {
		newest[[2]string{d.CaseID, d.Name}] = max(newest[[2]string{d.CaseID, d.Name}], d.StartedSeq)
	}
	var out []struckTerm
	for _, d := range found {
		c := cases[d.CaseID]
		if c == nil || newest[[2]string{d.CaseID, d.Name}] != d.StartedSeq {
			continue
		}
		def, err := e.Definition(c.Hash)
		if err != nil {
			continue
		}
		if decl, ok := def.Deadline(d.Name); ok && decl.Outage {
			out = append(out, struckTerm{d, c, decl})
		}
	}
	return out, nil
}

// outagework is an outage on its way through the terms of a tree.
type outagework struct {
	e   *Engine
	o   store.Outage
	now time.Time
}

// end is the new end of a term, or why it is not extended.
func (x *outagework) end(c *store.Case, decl *flow.Deadline, d *store.Deadline) (calendar.Result, *Refusal) {
	switch {
	case d.Status == store.Suspended:
		return calendar.Result{}, refuse("outage_suspended")
	case d.Status != store.Running && d.Status != store.Blocked:
		return calendar.Result{}, refuse("outage_expired")
	case decl.Until.ParentField != "":
		return calendar.Result{}, refuse("outage_follows")
	}
	rule := decl.Counted
	if rule == "" {
		rule = "calendar"
	}
	res, err := resultOf(d).Outage(latest(x.o.From, d.StartedAt), x.o.To, rule, x.e.holidays(c.SUA))
	if err != nil {
		return res, refuse("outage_follows")
	}
	if !res.Due.After(x.now) {
		return res, refuse("outage_too_late", "day", res.LastDay.Italian(), "day_en", res.LastDay.English())
	}
	return res, nil
}

// outageTree applies an outage to the terms of one tree: each case has its event, and all of it is one transaction.
func (e *Engine) outageTree(ctx context.Context, who auth.Actor, o store.Outage, root string, struck []struckTerm) error {
	return e.db.Update(ctx, store.Scope{Bodies: []string{o.SUA}}, root, nil, func(tx *store.Tx) error {
		done, err := tx.OutageDone(o.ID)
		if err != nil {
			return err
		}
		s, err := tx.Load(store.Want{Tree: true, Deadlines: true, Agreement: true})
		if err != nil {
			return err
		}
		w, err := e.newWorld(tx.Now, who, s)
		if err != nil {
			return err
		}
		x := &outagework{e: e, o: o, now: w.now}
		for _, hit := range struck {
			n := w.nodes[hit.d.CaseID]
			if n == nil || done[hit.d.ID] {
				continue
			}
			i := slices.IndexFunc(n.deadlines, func(d *store.Deadline) bool { return d.ID == hit.d.ID })
			if i < 0 || !live(n.deadlines[i]) && n.deadlines[i].Status != store.Expired {
				continue // met or cancelled since it was found
			}
			row, err := x.apply(w, n, n.deadlines[i], hit.decl)
			if err != nil {
				return err
			}
			tx.InsertOutageTerm(row)
		}
		return w.record(tx, nil, nil)
	})
}

// apply extends one term, or says why not, and gives the row to keep.
func (x *outagework) apply(w *world, n *node, d *store.Deadline, decl *flow.Deadline) (store.OutageTerm, error) {
	row := store.OutageTerm{Outage: x.o.ID, Deadline: d.ID, CaseID: n.c.ID, Root: n.c.Root, MemberBody: n.c.MemberBody, SUA: n.c.SUA, Name: d.Name, Before: d.DueAt}
	res, no := x.end(n.c, decl, d)
	if no != nil {
		why, err := json.Marshal(no)
		row.WhyNot = why
		return row, err
	}
	h := w.stand(n, outageEvent)
	h.role, h.body, h.story.Deadline = outageRoles[0], n.c.SUA, d.Name
	h.effective = latest(x.o.From, d.StartedAt)
	w.setTerm(d, res)
	d.Status, d.BlockedBy, d.EndedAt, d.NextTry = store.Running, nil, nil, d.DueAt
	h.story.Inputs = map[string]any{
		"deadline": decl.Label.IT, "outage": x.o.ID, "reason": x.o.Platform + ": " + x.o.From.Format(time.RFC3339) + " – " + x.o.To.Format(time.RFC3339),
		"evidence": x.o.Evidence, "law": x.o.Law, "due": dueText(d),
	}
	if err := w.changedByHand(n, h, d, decl); err != nil {
		return row, err
	}
	row.After, row.Seq = &d.DueAt, h.seq
	return row, nil
}

// outageReport is a record as people see it, without its terms.
func (e *Engine) outageReport(o store.Outage) OutageReport {
	out := OutageReport{
		Outage: Outage{ID: o.ID, SUA: o.SUA, Bodies: o.Bodies, Platform: o.Platform, From: o.From, To: o.To, Evidence: o.Evidence, Law: o.Law},
		SUA:    e.parties.bodyRef(o.SUA), RecordedBy: e.parties.personRef(o.RecordedBy), RecordedAt: o.RecordedAt,
	}
	for _, b := range o.Bodies {
		out.Bodies = append(out.Bodies, e.parties.bodyRef(b))
	}
	return out
}

// reports adds to records what they did, as far as the scope reaches.
func (e *Engine) reports(ctx context.Context, s store.Scope, all []store.Outage) ([]OutageReport, error) {
	var ids, caseIDs []string
	out := make([]OutageReport, len(all))
	at := map[string]int{}
	for i, o := range all {
		out[i], at[o.ID] = e.outageReport(o), i
		ids = append(ids, o.ID)
	}
	terms, err := e.db.OutageTerms(ctx, s, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range terms {
		caseIDs = append(caseIDs, t.CaseID)
	}
	cases, err := e.db.CasesOf(ctx, s, caseIDs)
	if err != nil {
		return nil, err
	}
	for _, t := range terms {
		c := cases[t.CaseID]
		if c == nil {
			continue
		}
		label := Text{IT: t.Name, EN: t.Name}
		if def, err := e.Definition(c.Hash); err == nil {
			if decl, ok := def.Deadline(t.Name); ok {
				label = decl.Label
			}
		}
		i := at[t.Outage]
		out[i].Terms = append(out[i].Terms, e.outageTerm(c, label, t))
	}
	return out, nil
}

func (e *Engine) outageTerm(c *store.Case, label Text, t store.OutageTerm) OutageTerm {
	title := e.summary(c, sight{visited: c.Visited}).Title // what is secret for anybody is not told here
	out := OutageTerm{Deadline: t.Deadline, Label: label, Case: Ref{c.ID, title}, Body: e.parties.bodyRef(c.MemberBody), Before: t.Before, Seq: t.Seq}
	if t.After != nil {
		out.After, out.LastDay = *t.After, calendar.DateOf(t.After.Add(-time.Microsecond)).String()
	}
	var no Refusal
	if t.WhyNot != nil && json.Unmarshal(t.WhyNot, &no) == nil {
		out.WhyNot = &no
	}
	return out
}
