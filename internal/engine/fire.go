package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Fire moves a case along its workflow on behalf of who.
//
// One transaction, under the lock of the tree: read the facts that the event's guards declared, decide, write state,
// event, terms, children and notices. It returns ErrNotFound when the case is not there or not in the actor's sight,
// *Forbidden without the role, *Stale when somebody was faster, *Invalid, *Refused or *NeedsAcknowledgement as the rules
// say, and an error of kind KindKeyReused when the key was used with another content.
//
// Terms of the tree that are over come first, also when the sweep is late or the program stood still: the law has made of them
// what it makes of silence, and nobody acts any more on the state before.
func (e *Engine) Fire(ctx context.Context, who auth.Actor, cmd Fire) (Moved, error) {
	moved, over, err := e.fire(ctx, who, cmd, true)
	if over != nil {
		if _, failed := e.expireTree(ctx, over.root, over.now); failed != nil {
			return Moved{}, failed
		}
		moved, _, err = e.fire(ctx, who, cmd, false)
	}
	return moved, err
}

// termsOver says that a tree has terms whose time has come.
type termsOver struct {
	root string
	now  time.Time
}

func (*termsOver) Error() string { return "terms of the tree are over" }

// fire is one attempt. With termsFirst it writes nothing and returns a termsOver where the tree has one.
func (e *Engine) fire(ctx context.Context, who auth.Actor, cmd Fire, termsFirst bool) (Moved, *termsOver, error) {
	key := idemKey(who, "fire/"+cmd.Case, cmd.Key, cmd)
	var moved Moved
	var stale *Stale
	var over []store.Try
	err := e.db.Move(ctx, scope(who), cmd.Case, key, func(tx *store.Tx) error {
		stale, over = nil, nil // a second call counts alone
		if tx.Answer != nil {
			return answered(tx, &moved)
		}
		if due := tx.Root.NextDue; termsFirst && due != nil && !due.After(tx.Now) {
			return &termsOver{tx.Root.ID, tx.Now}
		}
		if cmd.Revision != 0 && cmd.Revision != tx.Case.Revision {
			stale = &Stale{Expected: cmd.Revision, Current: tx.Case.Revision}
			return stale
		}
		w, n, err := e.load(tx, who, cmd.Event)
		if err != nil {
			return err
		}
		h, err := w.decide(n, cmd)
		if err != nil {
			return err
		}
		moved, over = w.moved(h), w.overTerms()
		return w.record(tx, key, moved)
	})
	if first := (*termsOver)(nil); errors.As(err, &first) {
		return Moved{}, first, nil
	}
	if stale != nil {
		return Moved{}, nil, e.whatChanged(ctx, who, cmd.Case, stale)
	}
	if err == nil {
		e.expireNowOver(ctx, over)
	}
	return moved, nil, err
}

// load reads the facts that deciding the event needs, cascades included, and nothing else.
func (e *Engine) load(tx *store.Tx, who auth.Actor, event string) (*world, *node, error) {
	def, err := e.Definition(tx.Case.Hash)
	if err != nil {
		return nil, nil, err
	}
	ev, ok := def.Event(event)
	if !ok {
		return e.loadNeeds(tx, who, flow.Needs{})
	}
	w, n, err := e.loadNeeds(tx, who, eventNeeds(ev))
	if err == nil && ev.Rectify {
		n.mistake, err = loadMistake(tx, n)
	}
	return w, n, err
}

// eventNeeds adds to what Compile found the things that the engine itself looks at before a rectification.
func eventNeeds(ev *flow.Event) flow.Needs {
	needs := ev.Needs
	if ev.Rectify {
		needs.What |= flow.NeedPast | flow.NeedDeadlines | flow.NeedParent
	}
	return needs
}

func (e *Engine) loadNeeds(tx *store.Tx, who auth.Actor, needs flow.Needs) (*world, *node, error) {
	s, err := tx.Load(wanted(needs))
	if err != nil {
		return nil, nil, err
	}
	w, err := e.newWorld(tx.Now, who, s)
	if err != nil {
		return nil, nil, err
	}
	return w, w.nodes[tx.Case.ID], nil
}

// wanted says to the store what was found to be needed.
func wanted(needs flow.Needs) store.Want {
	return store.Want{
		Tree: needs.Tree, Parent: needs.Has(flow.NeedParent), Children: needs.Has(flow.NeedChildren), Rows: needs.Has(flow.NeedRows),
		Documents: needs.Has(flow.NeedDocuments), Agreement: needs.Has(flow.NeedAgreement), Past: needs.Has(flow.NeedPast),
		Deadlines: needs.Has(flow.NeedDeadlines), Above: needs.Has(flow.NeedAbove),
	}
}

// whatChanged completes a Stale with the events since the revision that the person saw.
func (e *Engine) whatChanged(ctx context.Context, who auth.Actor, id string, stale *Stale) error {
	h, err := e.History(ctx, who, id, 0, 0)
	if err != nil {
		return errors.Join(stale, fmt.Errorf("what changed: %w", err))
	}
	missed := int(stale.Current - stale.Expected)
	for i := len(h.Items) - 1; i >= 0 && missed > 0; i-- {
		if h.Items[i].Case != id {
			continue
		}
		stale.Changes = append([]HistoryItem{h.Items[i]}, stale.Changes...)
		if ev := h.Items[i].Event; ev != attachEvent && ev != eraseEvent { // an upload tells what happened, but leaves the revision
			missed--
		}
	}
	return stale
}
