package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// mistake is the event that a rectification mends: the last of the case, with what it did to the terms.
type mistake struct {
	event string
	fired store.Fired
	terms []DeadlineChange
}

// loadMistake reads it after the facts; nil when nothing but uploads and rectifications happened.
func loadMistake(tx *store.Tx, n *node) (*mistake, error) {
	m := &mistake{}
	for event, fired := range n.past {
		if event != attachEvent && event != eraseEvent && event != rectifyEvent && fired.Seq > m.fired.Seq {
			m.event, m.fired = event, fired
		}
	}
	if m.event == "" {
		return nil, nil
	}
	body, err := tx.OpenPart(n.c.Root, m.fired.Seq)
	if err != nil || len(body) == 0 {
		return m, err
	}
	var told story
	if err := json.Unmarshal(body, &told); err != nil {
		return nil, fmt.Errorf("read event %d: %w", m.fired.Seq, err)
	}
	m.terms = told.Deadlines
	return m, nil
}

// undoTerms takes back what the mended event did to the clocks: what it began ends, what it stopped or held runs as if it had
// not, what it let run is held again. A term that it extended keeps its new end, which only another extension may move.
func (w *world) undoTerms(n *node, h *happening) {
	m := n.mistake
	if m == nil {
		return
	}
	ev, ok := n.def.Event(m.event)
	if !ok {
		return
	}
	for _, change := range m.terms {
		for _, d := range n.deadlines {
			if d.Name == change.Name {
				w.undoTerm(n, h, d, change.Status, ev, m.fired)
			}
		}
	}
}

func (w *world) undoTerm(n *node, h *happening, d *store.Deadline, became string, ev *flow.Event, fired store.Fired) {
	decl, ok := n.def.Deadline(d.Name)
	runsHere := ok && slices.Contains(decl.While, n.c.State)
	switch {
	case d.StartedSeq == fired.Seq:
		if live(d) {
			w.endTerm(n, h, d, store.Cancelled)
		}
	case became == store.Running && d.Status == store.Running && has(ev, flow.VerbResume, d.Name) && runsHere:
		d.Status, d.EndedAt = store.Suspended, &fired.Effective
		w.touch(n, h, d)
	case d.EndedAt == nil || !runsHere:
	case became == store.Suspended && d.Status == store.Suspended && d.EndedAt.Equal(fired.Effective),
		became == store.Met && d.Status == store.Met && d.EndedAt.Equal(fired.At):
		d.Status, d.EndedAt, d.NextTry = store.Running, nil, d.DueAt
		w.touch(n, h, d)
	}
}

// has reports whether an event does something to a deadline.
func has(ev *flow.Event, verb, deadline string) bool {
	return slices.ContainsFunc(ev.Then, func(a flow.Action) bool { return a.Verb == verb && a.Deadline == deadline })
}
