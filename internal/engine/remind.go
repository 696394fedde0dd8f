package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// remind notes when the next reminder of a term is due, each time the term begins or moves. Reminders whose time has passed are not
// given again; those that a later end brings back are.
func (w *world) remind(tx *store.Tx, n *node, d *store.Deadline) {
	decl, ok := n.def.Deadline(d.Name)
	if ok && len(decl.Remind) > 0 && d.Status == store.Running {
		tx.SetReminder(d.ID, nextReminder(decl, d, w.now))
	}
}

// nextReminder is the first reminder after an instant and before the end; nil when none is to come.
func nextReminder(decl *flow.Deadline, d *store.Deadline, after time.Time) *time.Time {
	var next *time.Time
	for _, spec := range decl.Remind {
		at := reminderAt(spec, d)
		if at.After(after) && at.Before(d.DueAt) && (next == nil || at.Before(*next)) {
			next = &at
		}
	}
	return next
}

// reminderAt reads "3d" and "12h" before the end, or "50%" of the term gone by. Days are days of the calendar in Italy.
func reminderAt(spec string, d *store.Deadline) time.Time {
	unit := spec[len(spec)-1]
	n, err := strconv.Atoi(strings.TrimSuffix(spec, string(unit)))
	if err != nil {
		return time.Time{} // Compile lets nothing else pass
	}
	switch unit {
	case 'd':
		return calendar.Shift(d.DueAt, -n)
	case 'h':
		return d.DueAt.Add(-time.Duration(n) * time.Hour)
	}
	return d.StartedAt.Add(d.DueAt.Sub(d.StartedAt) / 100 * time.Duration(n)).Truncate(time.Microsecond)
}

// RemindDue puts the reminders whose time has come into the outbox and returns how many. Each is taken under the lock of its tree, once;
// of several that passed while nobody looked, one is given. A deadline that fails is logged and left.
func (e *Engine) RemindDue(ctx context.Context) (int, error) {
	given := 0
	failed := map[string]bool{}
	for {
		now, err := e.db.Now(ctx)
		if err != nil {
			return given, err
		}
		due, err := e.db.Remind(ctx, now, 100+len(failed))
		if err != nil {
			return given, fmt.Errorf("read due reminders: %w", err)
		}
		due = slices.DeleteFunc(due, func(d store.Deadline) bool { return failed[d.ID] })
		for _, d := range due {
			done, err := e.remindOne(ctx, d)
			if err != nil && ctx.Err() != nil {
				return given, err
			}
			if err != nil {
				failed[d.ID] = true
				e.cfg.Log.Error("reminder not given", "deadline", d.ID, "case", d.CaseID, "error", err)
			}
			if done {
				given++
			} else {
				failed[d.ID] = true
			}
		}
		if len(due) == 0 {
			return given, nil
		}
	}
}

func (e *Engine) remindOne(ctx context.Context, d store.Deadline) (bool, error) {
	done := false
	err := e.db.Update(ctx, store.Everything, d.CaseID, nil, func(tx *store.Tx) error {
		w, n, err := e.loadNeeds(tx, clockwork, flow.Needs{What: flow.NeedDeadlines | flow.NeedAgreement})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(n.deadlines, func(x *store.Deadline) bool { return x.ID == d.ID })
		if i < 0 {
			return nil
		}
		term := n.deadlines[i]
		decl, ok := n.def.Deadline(term.Name)
		var next *time.Time
		if ok {
			next = nextReminder(decl, term, tx.Now)
		}
		taken, err := tx.TakeReminder(d.ID, next)
		if err != nil || !taken || !ok || !term.DueAt.After(tx.Now) {
			return err
		}
		done = true
		w.notify(n, &happening{event: term.Name, seq: term.StartedSeq}, notice.Reminder, w.reminded(n, decl))
		return w.recordOrders(tx)
	})
	return done, err
}

// reminded are the roles that a term concerns: who follows the case, who is alerted when it ends, and who may fire what ends it in time.
func (w *world) reminded(n *node, decl *flow.Deadline) []string {
	out := append([]string{"followers"}, decl.Alert...)
	for i := range n.def.Events {
		ev := &n.def.Events[i]
		stops := slices.ContainsFunc(ev.Then, func(a flow.Action) bool { return a.Verb == flow.VerbStop && a.Deadline == decl.ID })
		if stops && len(n.def.MovesFrom(ev.ID, n.c.State)) > 0 {
			out = append(out, eventRoles(ev, w.agreement)...)
		}
	}
	if len(out) == 1 && n.c.RUP == "" && n.c.Officer == "" {
		out = append(out, "rup", "sua_clerk", "sua_director")
	}
	slices.Sort(out)
	return slices.Compact(out)
}
