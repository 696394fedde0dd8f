package engine_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// bidding is a tender as far as its terms go: bids close at an hour in a field, questions are answered so many days before, an
// internal term follows, and a court may stay it all.
const bidding = `
workflow: bidding
version: 1
case: bidding
label: {it: Gara, en: Tender}
start: draft
stages:
  before: {label: {it: Preparazione, en: Preparation}}
  during: {label: {it: Offerte, en: Bids}}
  after:  {label: {it: Valutazione, en: Evaluation}}
fields:
  title:    {type: text, label: {it: Oggetto, en: Subject}}
  bids_due: {type: instant, label: {it: Scadenza offerte, en: Bids due}}
  asked_by: {type: date, label: {it: Quesiti entro, en: Questions by}}
children: {questions: {workflow: question, label: {it: Quesiti, en: Questions}, outlives: true}}
states:
  draft:  {stage: before, label: {it: Bozza, en: Draft}}
  public: {stage: during, label: {it: Pubblicata, en: Published}}
  judged: {stage: after, label: {it: In valutazione, en: Judged}}
  awarded: {stage: after, label: {it: Aggiudicata, en: Awarded}}
  over:   {stage: after, final: done, label: {it: Conclusa, en: Over}}
deadlines:
  bids_close: {label: {it: Scadenza delle offerte, en: Bids close}, law: art. 71, until: bids_due, while: [public], at_expiry: {fire: close}, outage: extends, remind: [1d]}
  asking:     {label: {it: Fine dei quesiti, en: Questions end}, law: art. 88, until: asked_by, while: [public], at_expiry: {alert: [sua_clerk]}, outage: extends}
  whole:      {label: {it: Durata massima, en: Whole}, law: All. I.3, term: maxproc.price.open, counted: months_roll, while: [public, judged, awarded], at_expiry: {alert: [sua_director]}, forecast: awarded}
  challenge:  {label: {it: Ricorso, en: Challenge}, law: c.p.a. art. 120, term: appeal.days, counted: court, while: [public, judged], at_expiry: {alert: [sua_clerk]}, peremptory: true}
events:
  begin:   {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: draft, input: {title: {field: title, optional: true}}}
  publish: {label: {it: Pubblica, en: Publish}, by: [sua_clerk], from: [draft], to: public, input: {bids_due: {field: bids_due}, asked_by: {field: asked_by, optional: true}}, then: [{start: bids_close}, {start: whole}]}
  dated:   {label: {it: Quesiti, en: Questions}, by: [sua_clerk], from: [public], to: same, then: [{start: asking}]}
  serve:   {label: {it: Notifica, en: Serve}, by: [sua_clerk], from: [public, judged], to: same, then: [{start: challenge}]}
  noted:   {label: {it: Quesiti chiusi, en: Questions over}, by: [sua_clerk], from: [public], to: same, then: [{stop: asking}]}
  ask:     {label: {it: Quesito, en: Ask}, by: [sua_clerk], from: [public], to: same, then: [{open: questions}]}
  stay:    {label: {it: Sospendi, en: Stay}, by: [sua_clerk], from: [public], to: same, then: [{suspend: bids_close}]}
  lift:    {label: {it: Riprendi, en: Lift}, by: [sua_clerk], from: [public], to: same, then: [{resume: bids_close}]}
  close:   {label: {it: Chiudi, en: Close}, by: [system], from: [public], to: judged}
  award:   {label: {it: Aggiudica, en: Award}, by: [sua_director], from: [judged], to: awarded, then: [{stop: whole}]}
  end:     {label: {it: Concludi, en: End}, by: [sua_director], from: [awarded], to: over}
`

const question = `
workflow: question
version: 1
case: question
label: {it: Quesito, en: Question}
start: open
stages: {all: {label: {it: Tutto, en: All}}}
states:
  open: {stage: all, label: {it: Aperto, en: Open}}
  done: {stage: all, final: done, label: {it: Risposto, en: Done}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 88, term: clarification.before_deadline, counted: backward, from: {parent_field: bids_due}, while: [open], at_expiry: {alert: [sua_clerk]}}
events:
  begin:  {label: {it: Apri, en: Begin}, by: [parent], opens: true, to: open, then: [{start: answer}]}
  answer: {label: {it: Rispondi, en: Answer}, by: [sua_clerk], from: [open], to: done, then: [{stop: answer}]}
`

var biddingFiles = map[string]string{"bidding.v1.yaml": bidding, "question.v1.yaml": question}

// published opens a tender and publishes it with the hour at which bids are due.
func published(t *testing.T, o *office, due string) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "bidding", Inputs: map[string]any{"title": "Scuola"}})
	if err != nil {
		t.Fatal(err)
	}
	fire(t, o, o.clerk, m.Case, "publish", map[string]any{"bids_due": due, "asked_by": "2026-03-20"})
	return m.Case
}

func termOf(t *testing.T, o *office, id, name string) engine.DeadlineView {
	t.Helper()
	v, err := o.Case(t.Context(), o.clerk, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Deadlines {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no term %s in %+v", name, v.Deadlines)
	return engine.DeadlineView{}
}

// change is a change by hand with what is always required.
func change(t *testing.T, o *office, id, name string) engine.ChangeDeadline {
	t.Helper()
	return engine.ChangeDeadline{Case: id, Deadline: termOf(t, o, id, name).ID, Reason: "avviso integrativo", Law: "art. 92 c. 2"}
}

func refusedBy(err error, code string) bool {
	var r *engine.Refused
	return errors.As(err, &r) && r.Refusals[0].Code == code && r.Refusals[0].Text.IT != code
}

func asksFor(err error) []string {
	var a *engine.NeedsAcknowledgement
	var out []string
	if errors.As(err, &a) {
		for _, w := range a.Warnings {
			out = append(out, w.Code)
		}
	}
	return out
}

func TestMoveByHandTakesFieldAndChildrenAlong(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-25T12:00:00+01:00")
		asked := fire(t, o, o.clerk, id, "ask", nil).Opened[0]
		before := termOf(t, o, asked, "answer")
		o.clock.add(2 * day)
		cmd := change(t, o, id, "bids_close")
		cmd.To, cmd.Key = "2026-04-01", "k1"
		v, _ := o.Case(t.Context(), o.clerk, id)
		cmd.Revision = v.Revision
		m, err := o.MoveDeadline(t.Context(), o.clerk, cmd)
		if err != nil {
			t.Fatal(describe(err))
		}
		if want := time.Date(2026, 4, 1, 10, 0, 0, 0, time.UTC); !m.Deadline.DueAt.Equal(want) || m.Deadline.LastDay != "2026-04-01" { // the hour stays, over the change to summer time
			t.Errorf("moved to %s, %s", m.Deadline.DueAt, m.Deadline.LastDay)
		}
		again, err := o.MoveDeadline(t.Context(), o.clerk, cmd)
		if err != nil || again.Seq != m.Seq || !again.Deadline.DueAt.Equal(m.Deadline.DueAt) {
			t.Errorf("repeated: %+v %v", again.Moved, err)
		}
		cmd.Key = "k2"
		if _, err = o.MoveDeadline(t.Context(), o.clerk, cmd); engine.Kind(err) != engine.KindStale {
			t.Errorf("an old revision: %v", err)
		}
		v, err = o.Case(t.Context(), o.clerk, id)
		if err != nil || v.Revision != m.Revision {
			t.Fatalf("revision %d, told %d, %v", v.Revision, m.Revision, err)
		}
		i := slices.IndexFunc(v.Fields, func(f engine.Value) bool { return f.Field.ID == "bids_due" })
		if v.Fields[i].Value != "2026-04-01T10:00:00.000000Z" {
			t.Errorf("the field says %v", v.Fields[i].Value)
		}
		if after := termOf(t, o, asked, "answer"); after.DueAt.Equal(before.DueAt) || after.LastDay != "2026-03-26" {
			t.Errorf("answer: %s, was %s", after.LastDay, before.LastDay)
		}
		h, err := o.History(t.Context(), o.auditor, id, 0, 0)
		if err != nil || !h.Verified {
			t.Fatalf("history: %v %s", err, h.Broken)
		}
		last, own := h.Items[len(h.Items)-1], h.Items[len(h.Items)-2]
		if own.Event != "deadline_moved" || own.Label.IT != "Termine spostato" || own.Actor.ID != "istruttore" || own.Role.ID != "sua_clerk" || len(own.Inputs) != 4 || len(own.Changes) != 1 {
			t.Errorf("the event: %+v", own)
		}
		if last.Case != asked || last.Cause != own.Seq || last.Role.ID != "system" {
			t.Errorf("the event below: %+v", last)
		}
		if _, err := o.ExpandOutbox(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		told := inbox(t, o, o.rup)
		if len(told) == 0 || !strings.Contains(told[0].Body.IT, "avviso integrativo") || !strings.Contains(told[0].Subject.IT, "Scadenza delle offerte, Termine spostato") {
			t.Errorf("told: %+v", told)
		}
		if len(told) > 0 && strings.Contains(told[0].Body.IT, "Cambiano anche") {
			t.Errorf("nothing else changed in this case: %s", told[0].Body.IT)
		}
		if !slices.ContainsFunc(inbox(t, o, o.clerk), func(n engine.NoticeView) bool { return n.Case == asked && n.Template == "deadline_moved" }) {
			t.Error("nobody was told that the answer is due earlier or later")
		}
		o.clock.add(27*day + 3*time.Hour + 59*time.Minute) // 31 March … one minute before noon of 1 April in Rome
		if expire(t, o) != 0 && state(t, o, id) != "public" {
			t.Error("closed early")
		}
	})
}

func TestChangesByHandThatAreRefused(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-25T12:00:00+01:00")
		asked := fire(t, o, o.clerk, id, "ask", nil).Opened[0]
		fire(t, o, o.clerk, id, "serve", nil)
		o.clock.add(5 * day)
		move := func(name string, f func(*engine.ChangeDeadline)) error {
			cmd := change(t, o, id, name)
			f(&cmd)
			_, err := o.MoveDeadline(t.Context(), o.clerk, cmd)
			return err
		}
		for code, f := range map[string]func(*engine.ChangeDeadline){
			"deadline_passed": func(c *engine.ChangeDeadline) { c.To = "2026-03-05" },
			"deadline_same":   func(c *engine.ChangeDeadline) { c.To = "2026-03-25T11:00:00Z" },
		} {
			if err := move("bids_close", f); !refusedBy(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		for at, f := range map[string]func(*engine.ChangeDeadline){
			"/reason":   func(c *engine.ChangeDeadline) { c.Days, c.Reason = 3, " " },
			"/law":      func(c *engine.ChangeDeadline) { c.Days, c.Law = 3, "" },
			"/to":       func(c *engine.ChangeDeadline) { c.Days, c.To = 3, "2026-04-01" },
			"/days":     func(c *engine.ChangeDeadline) { c.Days = -1 },
			"/document": func(c *engine.ChangeDeadline) { c.Days, c.Document = 3, "none" },
		} {
			var bad *engine.Invalid
			if err := move("bids_close", f); !errors.As(err, &bad) || bad.Problems[0].Pointer != at {
				t.Errorf("%s: %v", at, err)
			}
		}
		for _, to := range []string{"2026-02-30", "domani", "9999-01-01T00:00:00Z", "2026-04-01T12:00:00"} {
			if err := move("bids_close", func(c *engine.ChangeDeadline) { c.To = to }); engine.Kind(err) != engine.KindInvalid {
				t.Errorf("to %s: %v", to, err)
			}
		}
		for want, f := range map[string]func(*engine.ChangeDeadline){
			"deadline_earlier": func(c *engine.ChangeDeadline) { c.To = "2026-03-24" },
			"deadline_day_off": func(c *engine.ChangeDeadline) { c.To = "2026-03-28" },
		} {
			if err := move("bids_close", f); !slices.Equal(asksFor(err), []string{want}) {
				t.Errorf("%s: %v", want, err)
			}
		}
		if err := move("challenge", func(c *engine.ChangeDeadline) { c.Days = 5 }); !slices.Contains(asksFor(err), "deadline_peremptory") {
			t.Errorf("peremptory: %v", err)
		}
		err := move("challenge", func(c *engine.ChangeDeadline) {
			c.Days, c.Acknowledge = 5, []engine.Acknowledgement{{Code: "deadline_peremptory", Reason: "ordinanza"}, {Code: "deadline_day_off", Reason: "ordinanza"}}
		})
		if err != nil {
			t.Errorf("acknowledged: %v", err)
		}
		below := change(t, o, asked, "answer")
		below.Days = 2
		if _, err := o.MoveDeadline(t.Context(), o.clerk, below); !refusedBy(err, "deadline_backward") {
			t.Errorf("counted back: %v", err)
		}
		if _, err := o.MoveDeadline(t.Context(), o.clerk, engine.ChangeDeadline{Case: id, Deadline: below.Deadline, Days: 1, Reason: "x", Law: "y"}); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("a term of another case: %v", err)
		}
		resume := change(t, o, id, "bids_close")
		if _, err := o.ResumeDeadline(t.Context(), o.clerk, resume); !refusedBy(err, "deadline_runs") {
			t.Errorf("resume: %v", err)
		}
		gone := change(t, o, id, "bids_close")
		o.clock.add(30 * day)
		if _, err := o.SuspendDeadline(t.Context(), o.clerk, gone); !refusedBy(err, "deadline_over") {
			t.Errorf("over and not swept: %v", err)
		}
		expire(t, o)
		gone.Days = 60
		if _, err := o.MoveDeadline(t.Context(), o.clerk, gone); !refusedBy(err, "deadline_ended") {
			t.Errorf("ended: %v", err)
		}
	})
}

func TestSuspendAndResumeByHand(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-25T12:00:00+01:00")
		cmd := change(t, o, id, "bids_close")
		o.clock.add(day)
		early := cmd
		early.At = o.clock.now().Add(-10 * day)
		if _, err := o.SuspendDeadline(t.Context(), o.clerk, early); engine.Kind(err) != engine.KindInvalid {
			t.Errorf("before it began: %v", err)
		}
		early.At = o.clock.now().Add(time.Hour)
		if _, err := o.SuspendDeadline(t.Context(), o.clerk, early); engine.Kind(err) != engine.KindInvalid {
			t.Errorf("to come: %v", err)
		}
		m, err := o.SuspendDeadline(t.Context(), o.clerk, cmd)
		if err != nil || m.Deadline.Status != store.Suspended || m.Deadline.BlockedBy.Text.IT != "avviso integrativo" || !slices.Equal(m.Deadline.ByHand, []string{"resume"}) {
			t.Fatalf("suspended: %+v %v", m.Deadline, err)
		}
		if _, err := o.SuspendDeadline(t.Context(), o.clerk, cmd); !refusedBy(err, "deadline_suspended") {
			t.Errorf("twice: %v", err)
		}
		moved := cmd
		moved.Days = 3
		if _, err := o.MoveDeadline(t.Context(), o.clerk, moved); !refusedBy(err, "deadline_suspended") {
			t.Errorf("moved while suspended: %v", err)
		}
		o.clock.add(40 * day)
		if expire(t, o) != 0 {
			t.Error("a suspended term expired")
		}
		m, err = o.ResumeDeadline(t.Context(), o.clerk, cmd)
		if err != nil || m.Deadline.LastDay != "2026-05-05" /* forty days and, by the clocks of Rome, an hour */ || m.Deadline.DueAt.Format(time.TimeOnly) != "10:00:00" || !strings.Contains(m.Deadline.Explanation.IT, "Sospeso da") {
			t.Fatalf("resumed: %+v %v", m.Deadline, err)
		}
		fire(t, o, o.clerk, id, "stay", nil)
		if _, err := o.ResumeDeadline(t.Context(), o.clerk, cmd); !slices.Equal(asksFor(err), []string{"deadline_held_by_workflow"}) {
			t.Errorf("stayed by the workflow: %v", err)
		}
	})
}

// What is changed by hand is mended by hand: a rectification mends the event of the workflow before it.
func TestRectifyBesideChangesByHand(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-25T12:00:00+01:00")
		cmd := change(t, o, id, "bids_close")
		cmd.Days = 7
		if _, err := o.MoveDeadline(t.Context(), o.clerk, cmd); err != nil {
			t.Fatal(describe(err))
		}
		if err := rectify(o, o.director, t, id, "draft", nil); err != nil { // mends the publication, which began the term
			t.Fatal(describe(err))
		}
		if d := termOf(t, o, id, "bids_close"); d.Status != store.Cancelled {
			t.Errorf("after the publication was taken back: %+v", d)
		}
		fire(t, o, o.clerk, id, "publish", map[string]any{"bids_due": "2026-03-30T12:00:00+02:00"})
		live := func() engine.ChangeDeadline {
			v, _ := o.Case(t.Context(), o.clerk, id)
			i := slices.IndexFunc(v.Deadlines, func(d engine.DeadlineView) bool { return d.Name == "whole" && len(d.ByHand) > 0 })
			return engine.ChangeDeadline{Case: id, Deadline: v.Deadlines[i].ID, Reason: "prova", Law: "prassi"}
		}
		if _, err := o.SuspendDeadline(t.Context(), o.clerk, live()); err != nil {
			t.Fatal(describe(err))
		}
		o.clock.add(29 * day)
		expire(t, o)
		fire(t, o, o.director, id, "award", nil) // meets the suspended term
		if err := rectify(o, o.director, t, id, "judged", nil); err != nil {
			t.Fatal(describe(err))
		}
		if d := termOf(t, o, id, "whole"); d.Status != store.Suspended { // as it stood before the mistake
			t.Errorf("given back: %+v", d)
		}
		if h, err := o.History(t.Context(), o.auditor, id, 0, 0); err != nil || !h.Verified {
			t.Errorf("history: %v %s", err, h.Broken)
		}
	})
}

// Every role in every body: the SUA's officer and director in a tender, the RUP where the body carries the case.
func TestChangeByHandRoleBodyMatrix(t *testing.T) {
	files := map[string]string{"waiting.v1.yaml": waiting}
	for k, v := range biddingFiles {
		files[k] = v
	}
	each(t, files, func(t *testing.T, o *office) {
		gara := published(t, o, "2026-03-25T12:00:00+01:00")
		own := wait(t, o, "go")
		for _, c := range []struct {
			id, term string
			may      []string
		}{{gara, "bids_close", []string{"sua_clerk padova", "sua_director padova"}}, {own, "answer", []string{"rup conselve"}}} {
			cmd := engine.ChangeDeadline{Case: c.id, Deadline: termOf(t, o, c.id, c.term).ID}
			for _, p := range posts() {
				want := engine.KindForbidden
				switch {
				case p.body == "este" || p.body == "treviso":
					want = engine.KindNotFound
				case slices.Contains(c.may, p.role+" "+p.body):
					want = engine.KindInvalid // let through: the reason is missing
				}
				for name, f := range map[string]func() error{
					"move":    func() error { _, err := o.MoveDeadline(t.Context(), p.actor(), cmd); return err },
					"suspend": func() error { _, err := o.SuspendDeadline(t.Context(), p.actor(), cmd); return err },
					"resume":  func() error { _, err := o.ResumeDeadline(t.Context(), p.actor(), cmd); return err },
				} {
					if got := engine.Kind(f()); got != want {
						t.Errorf("%s of %s: %s of %s: %s, want %s", name, c.term, p.role, p.body, got, want)
					}
				}
			}
		}
	})
}

// Two people press at once: one moves, the other is told that the case has changed.
func TestTwoMoveAtOnce(t *testing.T) {
	each(t, biddingFiles, func(t *testing.T, o *office) {
		id := published(t, o, "2026-03-25T12:00:00+01:00")
		v, _ := o.Case(t.Context(), o.clerk, id)
		cmd := change(t, o, id, "bids_close")
		cmd.Revision = v.Revision
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				mine := cmd
				mine.Days = i + 1
				mine.Acknowledge = []engine.Acknowledgement{{Code: "deadline_day_off", Reason: "prova"}}
				_, errs[i] = o.MoveDeadline(t.Context(), []auth.Actor{o.clerk, o.director}[i%2], mine)
			})
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			switch engine.Kind(err) {
			case engine.KindStale:
			default:
				if err != nil {
					t.Error(err)
				}
				done++
			}
		}
		if done != 1 {
			t.Errorf("%d moved it", done)
		}
	})
}

// A term that would be over at 02:30 in Rome on the nights in which the clock changes: on 28 March 2027 that hour is missing, and the term is over
// when it would have been; on 31 October it is there twice, and the second counts, in favour of who has the term. Two workers apply it once,
// and never before its instant.
func TestTermsOverTheChangeOfHourAndTwoWorkers(t *testing.T) {
	for _, c := range []struct{ now, due, last, over string }{
		{"2027-03-20T08:00:00Z", "2027-03-25T02:30:00+01:00", "2027-03-28", "2027-03-28T01:30:00Z"},
		{"2027-03-20T08:00:00Z", "2027-03-25T02:30:00+01:00", "2027-03-30", "2027-03-30T00:30:00Z"},
		{"2027-10-20T08:00:00Z", "2027-10-27T02:30:00+02:00", "2027-10-31", "2027-10-31T01:30:00Z"},
		{"2027-10-20T08:00:00Z", "2027-10-27T02:30:00+02:00", "2027-11-02", "2027-11-02T01:30:00Z"},
	} {
		t.Run(c.last, func(t *testing.T) { overTheChange(t, c.now, c.due, c.last, c.over) })
	}
}

func overTheChange(t *testing.T, now, due, last, end string) {
	t.Helper()
	clk := newClock(now)
	storetest.Each(t, store.Options{Now: clk.now}, func(t *testing.T, db *store.DB) {
		clk.at.Store(newClock(now).at.Load())
		o := newOffice(t, db, clk, biddingFiles)
		id := published(t, o, due)
		cmd := change(t, o, id, "bids_close")
		cmd.To, cmd.Acknowledge = last, []engine.Acknowledgement{{Code: "deadline_day_off", Reason: "prova"}}
		m, err := o.MoveDeadline(t.Context(), o.clerk, cmd)
		if err != nil {
			t.Fatal(describe(err))
		}
		over, _ := time.Parse(time.RFC3339, end)
		if !m.Deadline.DueAt.Equal(over) {
			t.Fatalf("%s moved to %s is over %s, want %s", due, last, m.Deadline.DueAt, over)
		}
		ahead, err := engine.New(t.Context(), config(t, db, biddingFiles))
		if err != nil {
			t.Fatal(err)
		}
		clk.at.Store(over.Add(-time.Microsecond).UnixMicro())
		if a, b := expire(t, o), twice(t, ahead); a+b > 1 || state(t, o, id) != "public" { // the questions' day may be over
			t.Errorf("early: %d %d, %s", a, b, state(t, o, id))
		}
		clk.at.Store(over.UnixMicro())
		var wg sync.WaitGroup
		wg.Go(func() { expire(t, o) })
		wg.Go(func() { twice(t, ahead) })
		wg.Wait()
		h, err := o.History(t.Context(), o.auditor, id, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		closed := 0
		for _, i := range h.Items {
			if i.Event == "close" {
				closed++
				if !i.Effective.Equal(over) {
					t.Errorf("closed as of %s", i.Effective)
				}
			}
		}
		if closed != 1 || !h.Verified {
			t.Errorf("closed %d times", closed)
		}
	})
}

func twice(t *testing.T, e *engine.Engine) int {
	t.Helper()
	n, err := e.ExpireDue(t.Context())
	if err != nil {
		t.Error(err)
	}
	return n
}
