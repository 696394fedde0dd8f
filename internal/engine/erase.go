package engine

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// eraseEvent is the name under which the erasure of personal data stands in the history.
const eraseEvent = "erase"

// erasedName is what stands in place of the name of a person whose data were erased.
const erasedName = "Persona cancellata"

// Erasure says what an erasure took away.
type Erasure struct {
	Trees, Parts int
}

// ErasePerson erases the data of a person: the personal parts of the history that name the person, each tree with an event of its own
// that says so, then name, addresses, roles and sign-ins. What stays verifies: headers hold digests and ids only. Doing it again
// finishes what was interrupted.
//
// It is for who runs the program, after the controller's decision, for which reason is the record. It returns ErrNotFound for an
// unknown person, *Invalid without a reason, *Refused while the person leads open cases.
func (e *Engine) ErasePerson(ctx context.Context, person, reason string) (Erasure, error) {
	var out Erasure
	if reason == "" {
		return out, &Invalid{[]Problem{problem("/reason", "erase_reason")}}
	}
	if _, _, err := e.db.PersonByID(ctx, person); err != nil {
		return out, err
	}
	n, err := e.db.InCharge(ctx, person)
	if err != nil {
		return out, err
	}
	if n > 0 {
		return out, &Refused{Event: eraseEvent, Refusals: []Refusal{*refuse("person_in_charge", "n", strconv.FormatInt(n, 10))}}
	}
	mentions, err := e.db.PersonalMentions(ctx, person)
	if err != nil {
		return out, err
	}
	for _, root := range sortedKeys(mentions) {
		if err := e.eraseParts(ctx, root, mentions[root], reason); err != nil {
			return out, err
		}
		out.Trees, out.Parts = out.Trees+1, out.Parts+len(mentions[root])
	}
	if err := e.db.ErasePerson(ctx, person, erasedName); err != nil {
		return out, err
	}
	return out, e.parties.refresh(ctx)
}

// eraseParts empties personal parts of a tree and records that it did.
func (e *Engine) eraseParts(ctx context.Context, root string, seqs []int64, reason string) error {
	who := auth.System(eraseEvent)
	return e.db.Update(ctx, store.Everything, root, nil, func(tx *store.Tx) error {
		s, err := tx.Load(store.Want{})
		if err != nil {
			return err
		}
		w, err := e.newWorld(tx.Now, who, s)
		if err != nil {
			return err
		}
		n := w.nodes[root]
		h := &happening{n: n, root: n, event: eraseEvent, from: n.c.State, to: n.c.State, seq: w.nextSeq(n), effective: w.now, actor: who.ID, role: "system"}
		h.story.Erased = seqs
		put(&h.story.Inputs, "reason", reason)
		w.happened = append(w.happened, h)
		if err := w.record(tx, nil, nil); err != nil {
			return err
		}
		return tx.ErasePersonal(root, h.seq, seqs)
	})
}

// erasedBy reads from the open part of an erasure which events of the tree lost their personal part.
func erasedBy(open []byte) ([]int64, error) {
	var a account
	err := json.Unmarshal(open, &a)
	return a.Erased, err
}
