package engine_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

const waiting = `
workflow: waiting
version: 1
case: waiting
label: {it: Attesa, en: Waiting}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
  day:   {type: date, label: {it: Giorno, en: Day}}
  hour:  {type: instant, label: {it: Ora, en: Hour}}
states:
  draft:  {stage: work, label: {it: Bozza, en: Draft}}
  open:   {stage: work, label: {it: Aperta, en: Open}}
  aside:  {stage: work, label: {it: Altrove, en: Aside}}
  over:   {stage: work, final: over, label: {it: Finita, en: Over}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62, term: request.answer_days, counted: calendar_roll, while: [open], at_expiry: {fire: time_out}}
  tell:   {label: {it: Avviso, en: Alert}, law: art. 62, term: request.answer_days, counted: calendar_roll, while: [open], at_expiry: {alert: [sua_clerk]}}
  by_day: {label: {it: Giorno, en: Day}, law: art. 62, until: day, while: [open], at_expiry: {fire: time_out}}
  by_hour: {label: {it: Ora, en: Hour}, law: art. 62, until: hour, while: [open], at_expiry: {fire: time_out}}
  held:   {label: {it: Trattenuto, en: Held}, law: art. 62, term: request.answer_days, counted: calendar_roll, while: [open], at_expiry: {fire: let_go}, blocked_by: [{fields_filled: {fields: [title]}}]}
events:
  begin:   {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: draft, then: [{start: answer}]}
  go:      {label: {it: Vai, en: Go}, by: [rup], from: [draft, aside], to: open, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}, then: [{start: answer}]}
  back:    {label: {it: Torna, en: Back}, by: [rup], from: [aside], to: open}
  tell_me: {label: {it: Avvisa, en: Alert}, by: [rup], from: [draft], to: open, then: [{start: tell}]}
  hold:    {label: {it: Trattieni, en: Hold}, by: [rup], from: [draft], to: open, then: [{start: held}]}
  on_day:  {label: {it: Giorno, en: Day}, by: [rup], from: [draft], to: open, input: {day: {field: day, optional: true}}, then: [{start: by_day}]}
  on_hour: {label: {it: Ora, en: Hour}, by: [rup], from: [draft], to: open, input: {hour: {field: hour}}, then: [{start: by_hour}]}
  fill:    {label: {it: Compila, en: Fill}, by: [rup], from: [open], to: same, input: {title: {field: title, optional: true}}}
  again:   {label: {it: Ancora, en: Again}, by: [rup], from: [open], to: same, then: [{restart: answer}]}
  restart_once_more: {label: {it: Avvia, en: Start}, by: [rup], from: [open], to: same, then: [{start: answer}]}
  halt:    {label: {it: Ferma, en: Stop}, by: [rup], from: [open], to: same, then: [{stop: answer}]}
  pause:   {label: {it: Sospendi, en: Suspend}, by: [rup], from: [open], to: same, then: [{suspend: answer}, {suspend: held}]}
  resume:  {label: {it: Riprendi, en: Resume}, by: [rup], from: [open], to: same, then: [{resume: answer}, {resume: held}]}
  leave:   {label: {it: Lascia, en: Leave}, by: [rup], from: [open], to: aside}
  time_out: {label: {it: Scaduto, en: Time out}, by: [system], from: [open], to: over}
  let_go:  {label: {it: Via, en: Let go}, by: [system], from: [open], to: over}
  close:   {label: {it: Chiudi, en: Close}, by: [rup], from: [aside], to: over}
`

var waitingFiles = map[string]string{"waiting.v1.yaml": waiting}

// wait opens a case and fires events on it.
func wait(t *testing.T, o *office, events ...string) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "waiting"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		fire(t, o, o.rup, m.Case, e, nil)
	}
	return m.Case
}

// terms tells the deadlines of a case: name, status, last day.
func terms(t *testing.T, o *office, id string) string {
	t.Helper()
	v, err := o.Case(t.Context(), o.rup, id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	var next *time.Time
	for _, d := range v.Deadlines {
		out = append(out, d.Name+" "+d.Status+" "+d.LastDay)
		if (d.Status == store.Running || d.Status == store.Blocked) && (next == nil || d.DueAt.Before(*next)) {
			next = &d.DueAt
		}
	}
	if (next == nil) != (v.NextDue == nil) || next != nil && !next.Equal(*v.NextDue) {
		t.Errorf("next due %v, of the terms %v", v.NextDue, next)
	}
	return strings.Join(out, ", ")
}

func state(t *testing.T, o *office, id string) string {
	t.Helper()
	v, err := o.Case(t.Context(), o.auditor, id)
	if err != nil {
		t.Fatal(err)
	}
	return v.State.ID
}

// expire runs the worker once and returns what it applied.
func expire(t *testing.T, o *office) int {
	t.Helper()
	n, err := o.ExpireDue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const day = 24 * time.Hour

// 2 March 2026 is a Monday: ten days lead to Thursday the 12th.
func TestTermsStartAndEnd(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		for _, c := range []struct {
			events, want string
		}{
			{"", ""}, // started outside its states: ignored
			{"go", "answer running 2026-03-12"},
			{"go restart_once_more", "answer running 2026-03-12"},
			{"go leave", "answer cancelled 2026-03-12"},
			{"go leave back", "answer cancelled 2026-03-12"}, // coming back revives nothing
			{"go leave go", "answer running 2026-03-12, answer cancelled 2026-03-12"},
			{"go halt", "answer met 2026-03-12"},
			{"go halt halt again", "answer running 2026-03-12, answer met 2026-03-12"},
			{"go again", "answer running 2026-03-12, answer cancelled 2026-03-12"},
			{"go pause", "answer suspended 2026-03-12"},
			{"go pause pause resume resume", "answer running 2026-03-12"},
			{"go pause leave", "answer cancelled 2026-03-12"},
			{"go pause again", "answer running 2026-03-12, answer cancelled 2026-03-12"},
			{"tell_me", "tell running 2026-03-12"},
		} {
			if got := terms(t, o, wait(t, o, strings.Fields(c.events)...)); got != c.want {
				t.Errorf("%s: %s, want %s", c.events, got, c.want)
			}
		}
	})
}

func TestPauseMovesTheTerm(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id := wait(t, o, "go")
		o.clock.add(2 * day)
		fire(t, o, o.rup, id, "pause", nil)
		o.clock.add(20 * day) // well beyond the last day
		if n := expire(t, o); n != 0 || state(t, o, id) != "open" {
			t.Errorf("a suspended term expired: %d", n)
		}
		if got := terms(t, o, id); got != "answer suspended 2026-03-12" {
			t.Error(got)
		}
		fire(t, o, o.rup, id, "resume", nil)
		if got := terms(t, o, id); got != "answer running 2026-04-01" {
			t.Errorf("twenty days of pause: %s", got)
		}
		o.clock.at.Store(newClock("2026-04-01T21:59:59Z").at.Load())
		if n := expire(t, o); n != 0 {
			t.Errorf("before the end: %d", n)
		}
		o.clock.add(time.Second)
		if n := expire(t, o); n != 1 || state(t, o, id) != "over" {
			t.Errorf("at the end: %d", n)
		}
	})
}

func TestExpiryTwiceAndEarly(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id, told := wait(t, o, "go"), wait(t, o, "tell_me")
		o.clock.at.Store(newClock("2026-03-12T22:59:59.999999Z").at.Load())
		if n := expire(t, o); n != 0 {
			t.Errorf("a microsecond early: %d", n)
		}
		o.clock.add(time.Microsecond)
		if n := expire(t, o); n != 2 {
			t.Errorf("in time: %d", n)
		}
		if got := terms(t, o, told); got != "tell expired 2026-03-12" || state(t, o, told) != "open" {
			t.Errorf("an alert: %s, %s", got, state(t, o, told))
		}
		before, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		for range 3 {
			if n := expire(t, o); n != 0 {
				t.Errorf("again: %d", n)
			}
		}
		after, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		last := after.Items[len(after.Items)-1]
		if len(after.Items) != len(before.Items) || !after.Verified || last.Event != "time_out" || last.Role.ID != "system" || !last.Effective.Equal(newClock("2026-03-12T23:00:00Z").now()) {
			t.Errorf("history %+v", last)
		}
	})
}

func TestTermAlreadyOverFiresAtOnce(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id := wait(t, o)
		fire(t, o, o.rup, id, "go", map[string]any{"effective": "2026-01-12"})
		if got := terms(t, o, id); got != "answer expired 2026-01-22" || state(t, o, id) != "over" {
			t.Errorf("recorded late: %s, %s", got, state(t, o, id))
		}
		if n := expire(t, o); n != 0 {
			t.Errorf("applied again: %d", n)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		last := h.Items[len(h.Items)-1]
		if !last.Effective.Equal(newClock("2026-01-22T23:00:00Z").now()) || !last.At.Equal(o.clock.now()) {
			t.Errorf("effective %v, at %v", last.Effective, last.At)
		}
	})
}

func TestUntilAField(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id := wait(t, o)
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "on_day"}); !refusedWith(err, "field_empty") || state(t, o, id) != "draft" {
			t.Errorf("no day: %v, now %s", err, state(t, o, id))
		}
		fire(t, o, o.rup, id, "on_day", map[string]any{"day": "2026-03-29"}) // the night the clocks change
		if got := terms(t, o, id); got != "by_day running 2026-03-29" {
			t.Error(got)
		}
		other := wait(t, o)
		fire(t, o, o.rup, other, "on_hour", map[string]any{"hour": "2026-03-20T12:00:00+01:00"})
		o.clock.at.Store(newClock("2026-03-20T10:59:59Z").at.Load())
		first := expire(t, o)
		o.clock.add(time.Second)
		if second := expire(t, o); first != 0 || second != 1 || state(t, o, other) != "over" {
			t.Errorf("hour: %d then %d", first, second)
		}
		o.clock.at.Store(newClock("2026-03-29T21:59:59Z").at.Load())
		first = expire(t, o)
		o.clock.add(time.Second)
		if second := expire(t, o); first != 0 || second != 1 || state(t, o, id) != "over" {
			t.Errorf("day: %d then %d", first, second)
		}
	})
}

// 26 March and ten days is Easter, 5 April 2026; Easter Monday follows, and summer time has begun.
func TestTermOverEasterAndSummerTime(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		o.clock.at.Store(newClock("2026-03-26T09:00:00Z").at.Load())
		id := wait(t, o, "go")
		v, err := o.Case(t.Context(), o.rup, id)
		if err != nil || v.Deadlines[0].LastDay != "2026-04-07" || !v.Deadlines[0].DueAt.Equal(newClock("2026-04-07T22:00:00Z").now()) {
			t.Errorf("%+v %v", v.Deadlines, err)
		}
	})
}

// 13 June 2025, a Friday, is Saint Anthony's in Padova, where the term ends on Saturday; in Treviso it is a day like others.
func TestPatronSaintOfTheSUA(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		o.clock.at.Store(newClock("2025-06-03T09:00:00Z").at.Load())
		for sua, want := range map[string]string{"padova": "answer running 2025-06-14", "treviso": "answer running 2025-06-13"} {
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "waiting", SUA: sua})
			if err != nil {
				t.Fatal(err)
			}
			fire(t, o, o.rup, m.Case, "go", nil)
			if got := terms(t, o, m.Case); got != want {
				t.Errorf("%s: %s, want %s", sua, got, want)
			}
		}
	})
}

func TestBlockedTerm(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id, left := wait(t, o, "hold"), wait(t, o, "hold")
		o.clock.add(12 * day)
		if n := expire(t, o); n != 2 {
			t.Errorf("blocked %d", n)
		}
		v, _ := o.Case(t.Context(), o.rup, id)
		if d := v.Deadlines[0]; d.Status != store.Blocked || d.BlockedBy == nil || d.BlockedBy.Code != "fields_empty" || !strings.Contains(d.BlockedBy.Text.IT, "Oggetto") || v.State.ID != "open" {
			t.Fatalf("%+v", d)
		}
		if n := expire(t, o); n != 0 {
			t.Errorf("looked at again at once: %d", n)
		}
		fire(t, o, o.rup, id, "fill", nil) // something of the tree changed: tried again, still in vain
		if n := expire(t, o); n != 1 || !strings.Contains(terms(t, o, id), "held blocked") {
			t.Errorf("after a change: %d, %s", n, terms(t, o, id))
		}
		fire(t, o, o.rup, id, "fill", map[string]any{"title": "x"})
		if n := expire(t, o); n != 1 || state(t, o, id) != "over" || terms(t, o, id) != "held expired 2026-03-12" {
			t.Errorf("when nothing holds it: %d, %s, %s", n, state(t, o, id), terms(t, o, id))
		}
		v, _ = o.Case(t.Context(), o.rup, id)
		if v.Deadlines[0].BlockedBy != nil {
			t.Error("the reason stays after the end")
		}
		o.clock.add(time.Hour - time.Second)
		if n := expire(t, o); n != 0 {
			t.Errorf("before an hour: %d", n)
		}
		o.clock.add(time.Second)
		if n := expire(t, o); n != 1 || state(t, o, left) != "open" {
			t.Errorf("after an hour: %d", n)
		}
		fire(t, o, o.rup, left, "pause", nil)
		fire(t, o, o.rup, left, "resume", nil)
		if v, _ := o.Case(t.Context(), o.rup, left); v.Deadlines[0].Status != store.Running || v.Deadlines[0].BlockedBy != nil {
			t.Errorf("suspended and resumed while blocked: %+v", v.Deadlines[0])
		}
	})
}

func TestTwoWorkersApplyEachTermOnce(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		second, err := engine.New(t.Context(), config(t, o.db, waitingFiles))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for range 15 {
			ids = append(ids, wait(t, o, "go"))
		}
		o.clock.add(12 * day)
		var applied atomic.Int64
		var wg sync.WaitGroup
		for _, e := range []*engine.Engine{o.Engine, second, o.Engine} {
			wg.Go(func() {
				n, err := e.ExpireDue(t.Context())
				if err != nil {
					t.Error(err)
				}
				applied.Add(int64(n))
			})
		}
		wg.Wait()
		if applied.Load() != int64(len(ids)) {
			t.Errorf("applied %d times", applied.Load())
		}
		for _, id := range ids {
			h, err := o.History(t.Context(), o.auditor, id, 0, 0)
			if err != nil || len(h.Items) != 3 || h.Items[2].Event != "time_out" || !h.Verified {
				t.Errorf("%d events, %v", len(h.Items), err)
			}
		}
	})
}

// A worker that looks too early, or at a term that nobody can apply, goes on with the others and comes to an end.
func TestWorkerIsNotStopped(t *testing.T) {
	each(t, waitingFiles, func(t *testing.T, o *office) {
		id, broken := wait(t, o, "go"), wait(t, o, "go")
		v, _ := o.Case(t.Context(), o.rup, broken)
		err := o.db.Update(t.Context(), store.Everything, broken, nil, func(tx *store.Tx) error {
			for name, due := range map[string]time.Time{"ghost": tx.Now.Add(-time.Hour), "answer": tx.Now.Add(100 * day)} {
				d := store.Deadline{ID: name, CaseID: broken, Root: broken, MemberBody: "conselve", SUA: "padova", Name: name, Status: store.Running, StartedAt: tx.Now, StartedSeq: 1, DueAt: due, LastDay: "2026-01-01", Revision: 1, NextTry: tx.Now.Add(-time.Hour)}
				if err := tx.InsertDeadline(d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(v.Deadlines) != 1 {
			t.Fatal(err)
		}
		o.clock.add(12 * day)
		if n := expire(t, o); n != 2 || state(t, o, id) != "over" {
			t.Errorf("applied %d, %s", n, state(t, o, id))
		}
	})
}
