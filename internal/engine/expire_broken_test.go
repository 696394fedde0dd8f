package engine_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// promising has two terms that are over at the same time: one makes the case move, opens another below it and tells people; the other
// only tells.
const promising = `
workflow: promising
version: 1
case: promising
label: {it: Promessa, en: Promise}
start: waiting
stages: {work: {label: {it: Lavoro, en: Work}}}
fields: {title: {type: text, label: {it: Oggetto, en: Subject}}}
children: {items: {workflow: item, label: {it: Elementi, en: Items}}}
states:
  waiting: {stage: work, label: {it: In attesa, en: Waiting}}
  lapsed:  {stage: work, label: {it: Scaduta, en: Lapsed}}
  done:    {stage: work, final: done, label: {it: Fatta, en: Done}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 1, term: request.answer_days, counted: calendar_roll, while: [waiting], at_expiry: {fire: lapse}}
  inform: {label: {it: Avviso, en: Inform}, law: art. 1, term: request.answer_days, counted: calendar_roll, while: [waiting, lapsed], at_expiry: {alert: [sua_clerk]}}
events:
  begin: {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: waiting, then: [{start: answer}, {start: inform}]}
  lapse: {label: {it: Scade, en: Lapse}, by: [system], from: [waiting], to: lapsed, then: [{open: items}, {notify: request_rejected, to: [rup, sua_clerk]}]}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [lapsed], to: done, guards: [{children_ended: {children: items}}]}
`

// promises makes trees whose terms end together, and breaks the connection while they are applied.
type promises struct {
	*office
	left           *atomic.Int64 // statements until the one at which the connection breaks
	sweeps, relays int           // breaks so far
}

// Wherever the connection breaks while terms are applied to several trees, before any statement or after the last was sent, each tree is
// whole; and when terms are applied again each has brought about, once, what it would have without a break. So it is with the messages
// that come of it, when they are made into notices.
func TestBreakBeforeEachStatementOfTheSweep(t *testing.T) {
	var left atomic.Int64
	c := newClock("2026-03-02T08:00:00Z")
	storetest.Each(t, store.Options{Now: c.now, Broken: func() bool { return left.Add(-1) == 0 }}, func(t *testing.T, db *store.DB) {
		c.at.Store(newClock("2026-03-02T08:00:00Z").at.Load())
		p := &promises{office: newOffice(t, db, c, map[string]string{"promising.v1.yaml": promising, "item.v1.yaml": item}), left: &left}
		want := p.round(t, 0)
		for n := 1; p.sweeps == n-1 || p.relays == n-1; n++ {
			if diff := cmp.Diff(want, p.round(t, n)); diff != "" || n > 300 {
				t.Fatalf("broken before statement %d:\n%s", n, diff)
			}
		}
		t.Logf("%d breaks in the sweep, %d in the relay", p.sweeps, p.relays)
		if p.sweeps < 15 || p.relays < 8 {
			t.Errorf("%d breaks in the sweep and %d in the relay", p.sweeps, p.relays)
		}
	})
}

// round opens three cases, lets their terms end, and breaks the connection before statement n of those that apply them, then of those
// that make notices; 0: nowhere. It tells what has come of it.
func (p *promises) round(t *testing.T, n int) []string {
	t.Helper()
	var roots []string
	for range 3 {
		m, err := p.Open(t.Context(), p.rup, engine.Open{Workflow: "promising", MemberBody: "conselve", SUA: "padova"})
		if err != nil {
			t.Fatal(describe(err))
		}
		roots = append(roots, m.Case)
	}
	p.clock.add(20 * 24 * time.Hour)
	p.sweeps += p.twice(t, n, "sweep", func() (bool, error) {
		_, err := p.ExpireDue(t.Context())
		left, _, failed := p.OverdueDeadlines(t.Context(), 1)
		return left == 0, errors.Join(err, failed)
	}, func() { p.whole(t, n, roots) })
	waiting := p.waiting(t)
	p.relays += p.twice(t, n, "relay", func() (bool, error) {
		_, err := p.ExpandOutbox(t.Context(), 100)
		last, failed := p.db.LastMessage(t.Context())
		return last == 0, errors.Join(err, failed)
	}, func() {
		if left := len(p.waiting(t)); left != 0 && left != len(waiting) {
			t.Fatalf("relay, statement %d: of %d messages %d are left", n, len(waiting), left)
		}
	})
	var out []string
	for i, root := range roots {
		out = append(out, p.story(t, fmt.Sprintf("%d", i+1), root)...)
	}
	return out
}

// twice does something with a break in it, looks at what that left, and does it again until nothing is left to do: PostgreSQL may keep
// the locks of a connection that is gone for a moment, and who does not get them does nothing. It returns 1 when it broke.
func (p *promises) twice(t *testing.T, n int, name string, do func() (done bool, err error), look func()) int {
	t.Helper()
	p.left.Store(int64(n))
	_, err := do()
	broke := n > 0 && p.left.Load() <= 0
	p.left.Store(0)
	if broke != errors.Is(err, store.ErrBroken) {
		t.Fatalf("%s, statement %d: broken %v, but %v", name, n, broke, err)
	}
	look()
	for tries, done := 0, false; !done; tries++ {
		if done, err = do(); err != nil || tries > 10_000 {
			t.Fatalf("%s, statement %d: again: %v", name, n, err)
		}
	}
	if broke {
		return 1
	}
	return 0
}

// whole: each tree verifies, and as many messages wait as its events and terms say.
func (p *promises) whole(t *testing.T, n int, roots []string) {
	t.Helper()
	ordered := 0
	for _, root := range roots {
		v, err := p.Verify(t.Context(), engine.Verify{Root: root})
		if err != nil || v.Broken > 0 {
			t.Fatalf("statement %d: %v %+v", n, err, v.Findings)
		}
		h, err := p.History(t.Context(), p.rup, root, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range h.Items {
			if item.Event == "lapse" {
				ordered++
			}
		}
		terms, err := p.Deadlines(t.Context(), p.rup, root)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range terms {
			if d.Name == "inform" && d.Status == store.Expired {
				ordered++
			}
		}
	}
	if got := p.waiting(t); len(got) != ordered {
		t.Fatalf("statement %d: %d messages are ordered, %v wait", n, ordered, got)
	}
}

// waiting are the messages of the outbox.
func (p *promises) waiting(t *testing.T) (out []string) {
	t.Helper()
	looked := errors.New("only looked at")
	for tries, last := 0, int64(1); last > 0 && len(out) == 0 && tries < 10_000; tries++ {
		_, err := p.db.Relay(t.Context(), 1000, math.MaxInt64, func(_ *store.Tx, found []store.Message) error {
			for _, m := range found {
				out = append(out, string(m.Payload))
			}
			return looked
		})
		if err != nil && !errors.Is(err, looked) {
			t.Fatal(err)
		}
		if last, err = p.db.LastMessage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// story is what became of a tree: its events, terms and notices, without ids.
func (p *promises) story(t *testing.T, name, root string) (out []string) {
	t.Helper()
	h, err := p.History(t.Context(), p.rup, root, 0, 0)
	if err != nil || !h.Verified {
		t.Fatal(err, h.Broken)
	}
	for _, item := range h.Items {
		out = append(out, fmt.Sprintf("%s: %d %s %s -> %s, cause %d", name, item.Seq, item.Event, item.From.ID, item.To.ID, item.Cause))
	}
	terms, err := p.Deadlines(t.Context(), p.rup, root)
	if err != nil {
		t.Fatal(err)
	}
	notices, err := p.db.Notices(t.Context(), store.Everything, store.NoticeFilter{CaseID: root, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var rest []string
	for _, d := range terms {
		rest = append(rest, fmt.Sprintf("%s: %s %s", name, d.Name, d.Status))
	}
	for _, n := range notices {
		rest = append(rest, fmt.Sprintf("%s: %s of %s %d to %s", name, n.Template, n.Event, n.Seq, n.Person))
	}
	slices.Sort(rest)
	return append(out, rest...)
}
