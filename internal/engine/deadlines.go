package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// States of deadlines to ask for, besides store.Running, store.Blocked and store.Suspended.
const stateOverdue = "overdue"

// Scopes of a list of deadlines.
const (
	ScopeMine = "mine" // of cases whose RUP or officer is who asks, and of what is below them
	ScopeBody = "body" // of all cases in sight
)

// DeadlineQuery selects deadlines across cases. Zero values do not filter.
type DeadlineQuery struct {
	Scope    string // ScopeBody when empty
	State    string // overdue, running, blocked, suspended; empty: all but the suspended ones
	After    time.Time
	Before   time.Time // those over from After on, and before Before
	Days     int       // those over within so many days from now
	Workflow string    // of the case
	Body     string    // member body or SUA
	Limit    int       // 1 … MaxPage; 0 is 50
	Cursor   string
}

// DeadlineRow is a deadline in a list across cases.
type DeadlineRow struct {
	DeadlineView
	Case  Summary
	Title string // of the case, else of the root of its tree; empty when it is secret or not given yet
	// Place names the case in its tree, "Lotto 2", and Procedure the root by its title: both empty for a root, Procedure also
	// when the title is the root's already.
	Place     Text
	Procedure string
}

// FindDeadlines lists the deadlines in the actor's sight, the soonest first: those that run or are held back, and those that only told people
// that they were over while what they wait for has still not happened and may. Suspended ones are listed when asked for: their end is
// not known. It returns *Invalid for an unknown scope or state, size or cursor.
func (e *Engine) FindDeadlines(ctx context.Context, who auth.Actor, q DeadlineQuery) (Page[DeadlineRow], error) {
	if q.Limit == 0 {
		q.Limit = 50
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return Page[DeadlineRow]{}, err
	}
	f, problems := q.filter(who, now)
	if len(problems) > 0 {
		return Page[DeadlineRow]{}, &Invalid{problems}
	}
	if q.State == "" || q.State == stateOverdue {
		f.Lapsed = e.alerting()
	}
	agreements, err := e.agreements(ctx)
	if err != nil {
		return Page[DeadlineRow]{}, err
	}
	out := Page[DeadlineRow]{}
	for {
		found, next, err := e.db.Terms(ctx, scope(who), f)
		if err != nil {
			if errors.Is(err, store.ErrBadCursor) {
				err = &Invalid{[]Problem{problem("/cursor", "cursor")}}
			}
			return out, err
		}
		rows, err := e.deadlineRows(ctx, who, now, found, agreements)
		if err != nil {
			return out, err
		}
		for _, r := range rows {
			if r == nil {
				continue
			}
			if len(out.Items) == q.Limit { // the rest is for the next page
				last := out.Items[q.Limit-1]
				out.Next = store.TermCursor(store.Deadline{DueAt: last.DueAt, ID: last.ID})
				break
			}
			out.Items = append(out.Items, *r)
		}
		if out.Next != "" || next == "" {
			break
		}
		f.Cursor = next
	}
	return out, e.foretellRows(ctx, out.Items)
}

func (e *Engine) foretellRows(ctx context.Context, rows []DeadlineRow) error {
	views := make([]DeadlineView, len(rows))
	for i := range rows {
		views[i] = rows[i].DeadlineView
	}
	if err := e.foretell(ctx, views); err != nil {
		return err
	}
	for i := range rows {
		rows[i].Forecast = views[i].Forecast
	}
	return nil
}

// filter turns the question into the store's.
func (q DeadlineQuery) filter(who auth.Actor, now time.Time) (store.TermFilter, []Problem) {
	var problems []Problem
	if q.Limit < 1 || q.Limit > MaxPage {
		problems = append(problems, problem("/limit", "limit_range", "max", strconv.Itoa(MaxPage)))
	}
	if q.Days < 0 || q.Days > mostDays {
		problems = append(problems, problem("/days", "days_range"))
	}
	f := store.TermFilter{After: q.After, Before: q.Before, Body: q.Body, Cursor: q.Cursor, Limit: q.Limit}
	if q.Workflow != "" {
		f.Workflows = []string{q.Workflow}
	}
	if q.Days > 0 {
		// a term of that last day is over at the midnight after it: that instant must be before the bound
		until := calendar.DateOf(now).AddDays(q.Days + 1).Start().Add(time.Microsecond)
		if f.Before.IsZero() || until.Before(f.Before) {
			f.Before = until
		}
	}
	switch q.State {
	case "":
		f.Statuses = []string{store.Running, store.Blocked, store.Expired}
	case stateOverdue:
		f.Due, f.Statuses = now, []string{store.Running, store.Blocked, store.Expired}
	case store.Running, store.Blocked, store.Suspended:
		f.Statuses = []string{q.State}
	default:
		problems = append(problems, problem("/state", "deadline_state_unknown", "state", q.State))
	}
	switch q.Scope {
	case "", ScopeBody:
	case ScopeMine:
		f.Person = who.ID
	default:
		problems = append(problems, problem("/scope", "deadline_scope_unknown", "scope", q.Scope))
	}
	return f, problems
}

// alerting are the names of deadlines that do nothing at their end but tell people.
func (e *Engine) alerting() []string {
	var out []string
	for _, d := range e.lib.All() {
		for _, decl := range d.Deadlines {
			if decl.Fire == "" {
				out = append(out, decl.ID)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type pair struct{ member, sua string }

// agreements are those that count now, by bodies: of several the one that began last.
func (e *Engine) agreements(ctx context.Context) (map[pair]*store.Agreement, error) {
	all, err := e.db.AllAgreements(ctx)
	if err != nil {
		return nil, err
	}
	out := map[pair]*store.Agreement{}
	for i := range all {
		p := pair{all[i].MemberBody, all[i].SUA}
		if out[p] == nil || out[p].ValidFrom < all[i].ValidFrom {
			out[p] = &all[i]
		}
	}
	return out, nil
}

// deadlineRows shows deadlines with their cases; nil in the place of one that is not to be shown.
func (e *Engine) deadlineRows(ctx context.Context, who auth.Actor, now time.Time, found []store.Deadline, agreements map[pair]*store.Agreement) ([]*DeadlineRow, error) {
	var ids []string
	for _, d := range found {
		ids = append(ids, d.CaseID, d.Root)
	}
	slices.Sort(ids)
	cases, err := e.db.CasesOf(ctx, scope(who), slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	var parents []string
	for _, c := range cases {
		if c.Parent != "" && cases[c.Parent] == nil {
			parents = append(parents, c.Parent)
		}
	}
	above, err := e.db.CasesOf(ctx, scope(who), parents)
	if err != nil {
		return nil, err
	}
	maps.Copy(cases, above)
	done, err := e.lateDone(ctx, found, cases)
	if err != nil {
		return nil, err
	}
	rows := make([]*DeadlineRow, len(found))
	for i := range found {
		d := &found[i]
		c, root := cases[d.CaseID], cases[d.Root]
		if c == nil || root == nil || done[d.ID] {
			continue
		}
		def, err := e.Definition(c.Hash)
		if err != nil {
			continue
		}
		decl, ok := def.Deadline(d.Name)
		if !ok || d.Status == store.Expired && (decl.Fire != "" || !slices.Contains(decl.While, c.State) || !stoppable(def, d.Name, c.State)) {
			continue
		}
		n := newNode(c, def)
		n.deadlines = []*store.Deadline{d}
		w := &world{e: e, now: now, who: who, nodes: map[string]*node{c.ID: n}, agreement: agreements[pair{c.MemberBody, c.SUA}]}
		for _, m := range []*store.Case{cases[c.Parent], root} { // what is secret there is not told here
			if m == nil || m == c {
				continue
			}
			if def, err := e.Definition(m.Hash); err == nil {
				w.nodes[m.ID] = newNode(m, def)
			}
		}
		row := &DeadlineRow{DeadlineView: w.deadlineViews(n)[0], Case: e.summary(c, look(who, c))}
		row.Overdue = row.Overdue || d.Status == store.Expired
		top := e.summary(root, look(who, root)).Title
		row.Title = firstOf(row.Case.Title, top)
		if c != root {
			row.Place = caseLabel(c, def)
		}
		if c != root && row.Title != top {
			row.Procedure = top
		}
		rows[i] = row
	}
	return rows, nil
}

// stoppable reports whether something may still be done from a state that a term waits for. A term of others, such as that to challenge an
// award, goes by and leaves nothing to do.
func stoppable(def *flow.Definition, deadline, state string) bool {
	return slices.ContainsFunc(def.EventsFrom(state), func(ev *flow.Event) bool { return has(ev, flow.VerbStop, deadline) })
}

// lateDone tells of which terms that are over what they wait for has happened since, though late.
func (e *Engine) lateDone(ctx context.Context, found []store.Deadline, cases map[string]*store.Case) (map[string]bool, error) {
	stops := map[string]map[string]*store.Deadline{} // case -> event that stops one of its terms -> the term
	var roots, ids []string
	for i := range found {
		d := &found[i]
		c := cases[d.CaseID]
		if d.Status != store.Expired || c == nil {
			continue
		}
		def, err := e.Definition(c.Hash)
		if err != nil {
			continue
		}
		if stops[c.ID] == nil {
			stops[c.ID] = map[string]*store.Deadline{}
			roots, ids = append(roots, c.Root), append(ids, c.ID)
		}
		for j := range def.Events {
			if ev := &def.Events[j]; has(ev, flow.VerbStop, d.Name) {
				stops[c.ID][ev.ID+" "+d.Name] = d
			}
		}
	}
	slices.Sort(roots)
	passed, err := e.db.PassedBy(ctx, slices.Compact(roots), ids)
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for _, p := range passed {
		for key, d := range stops[p.CaseID] {
			if key == p.Event+" "+d.Name && p.Seq > d.StartedSeq {
				done[d.ID] = true
			}
		}
	}
	return done, nil
}

// watched adds to a term how far it has gone, who may do what it waits for, and what the reader may do to it.
func (w *world) watched(n *node, d *store.Deadline, v *DeadlineView) {
	decl, ok := n.def.Deadline(d.Name)
	at := w.now
	if d.EndedAt != nil { // or since when it stands still
		at = *d.EndedAt
	}
	v.Percent = percent(d.StartedAt, at, d.DueAt)
	if !live(d) && d.Status != store.Expired {
		return
	}
	v.Overdue = (d.Status == store.Running || d.Status == store.Blocked) && !d.DueAt.After(w.now)
	if !ok {
		return
	}
	v.Peremptory = decl.Peremptory
	v.Acts = labelled(w.acting(n, decl))
	if live(d) {
		v.ByHand, v.goal = w.byHand(n, d, decl), decl.Forecast
	}
}

// percent is how much of a term has gone by, rounded down, from 0 to 100.
func percent(from, at, due time.Time) int {
	switch whole := due.Sub(from); {
	case !at.Before(due):
		return 100
	case whole <= 0 || !at.After(from):
		return 0
	default:
		return int(at.Sub(from).Seconds() * 100 / whole.Seconds())
	}
}

// acting are the roles that may do what a term waits for: fire what stops it, or else what leads the case on.
func (w *world) acting(n *node, decl *flow.Deadline) []string {
	var out []string
	for i := range n.def.Events {
		ev := &n.def.Events[i]
		if has(ev, flow.VerbStop, decl.ID) && len(n.def.MovesFrom(ev.ID, n.c.State)) > 0 {
			out = append(out, eventRoles(ev, w.agreement)...)
		}
	}
	if len(out) == 0 {
		for _, r := range turn(n.def, n.c, w.agreement) {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
