package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// record queues everything that changed in the world: cases, sealed events, rows, terms, documents, links, notices and the
// answer to the request. The caller's transaction commits it, or nothing.
func (w *world) record(tx *store.Tx, key *store.IdemKey, answer any) error {
	events, err := w.seal()
	if err != nil {
		return err
	}
	if err := w.recordCases(tx); err != nil {
		return err
	}
	for _, e := range events {
		tx.InsertEvent(e)
	}
	for _, n := range w.nodes {
		if err := recordRows(tx, n); err != nil {
			return err
		}
		for _, d := range n.newDocuments {
			tx.InsertDocument(d)
		}
	}
	if err := w.recordTerms(tx); err != nil {
		return err
	}
	for _, l := range w.links {
		tx.InsertLink(l)
	}
	if err := w.recordOrders(tx); err != nil {
		return err
	}
	if key == nil {
		return nil
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("remember answer: %w", err)
	}
	tx.Remember(*key, b)
	return nil
}

// seal chains the events of each tree in order and moves the heads of the chains.
func (w *world) seal() ([]*store.Event, error) {
	out := make([]*store.Event, 0, len(w.happened))
	for _, h := range w.happened {
		parts, err := h.parts()
		if err != nil {
			return nil, err
		}
		sealed, err := audit.Seal(audit.Header{
			Root: h.root.c.ID, Seq: h.seq, Case: h.n.c.ID, Event: h.event, From: h.from, To: h.to, At: w.now, Effective: h.effective,
			Actor: h.actor, Role: h.role, Body: h.body, Definition: h.n.def.Hash, Cause: h.cause, Limits: h.limits, Documents: h.documents,
		}, parts, h.root.c.ChainHash)
		if err != nil {
			return nil, err
		}
		h.root.c.ChainHash, h.root.c.ChainAt, h.root.c.UpdatedAt = sealed.Hash, &w.now, w.now
		p := sealed.Parts
		out = append(out, &store.Event{
			Root: h.root.c.ID, Seq: h.seq, CaseID: h.n.c.ID, MemberBody: h.n.c.MemberBody, SUA: h.n.c.SUA, Event: h.event,
			At: w.now, Effective: h.effective, Actor: h.actor, Header: sealed.Header, Hash: sealed.Hash,
			OpenSalt: p.Open.Salt, OpenBody: p.Open.Body, SecretSalt: p.Secret.Salt, SecretBody: p.Secret.Body,
			PersonalSalt: p.Personal.Salt, PersonalBody: p.Personal.Body,
		})
	}
	return out, nil
}

// recordCases inserts the new cases, parents first, and updates the changed ones and the heads of the chains.
func (w *world) recordCases(tx *store.Tx) error {
	for _, n := range w.order {
		if err := tx.InsertCase(n.c); err != nil {
			return err
		}
	}
	heads := w.heads()
	for _, n := range w.nodes {
		switch {
		case n.fresh:
		case n.changed && !n.onlyMoved():
			if err := tx.UpdateCase(n.c); err != nil {
				return err
			}
		case n.changed:
			tx.UpdateState(n.c)
		case heads[n]:
			tx.UpdateHead(n.c)
		}
	}
	return nil
}

// onlyMoved reports whether nothing changed but where the case stands.
func (n *node) onlyMoved() bool {
	w := n.was
	return n.c.Officer == w.Officer && n.c.RUP == w.RUP && n.c.RulesDate == w.RulesDate && n.c.Hash == w.Hash && n.c.Search == w.Search && maps.Equal(n.c.Data, w.Data)
}

func recordRows(tx *store.Tx, n *node) error {
	for _, r := range n.newRows {
		if err := tx.InsertRow(n.c, r); err != nil {
			return err
		}
	}
	for _, r := range n.changedRows {
		if err := tx.UpdateRow(r); err != nil {
			return err
		}
	}
	return nil
}

// recordTerms writes deadlines, recomputes the nearest term where they changed, and wakes what was blocked in the tree.
func (w *world) recordTerms(tx *store.Tx) error {
	touched := map[string][]string{}
	for _, n := range w.nodes {
		for _, d := range n.newDeadlines {
			if err := tx.InsertDeadline(*d); err != nil {
				return err
			}
			w.remind(tx, n, d)
		}
		for d := range n.oldDeadlines {
			if err := tx.UpdateDeadline(*d); err != nil {
				return err
			}
			w.remind(tx, n, d)
		}
		if len(n.newDeadlines)+len(n.oldDeadlines) > 0 {
			touched[n.c.Root] = append(touched[n.c.Root], n.c.ID)
		}
	}
	for root, ids := range touched {
		tx.RefreshDue(root, ids)
	}
	for root := range w.heads() {
		if !root.fresh && w.e.blocking[root.def.Workflow] { // a tree that begins has nothing blocked yet
			tx.WakeBlocked(root.c.ID)
		}
	}
	return nil
}

// heads are the roots of the trees in which something happened.
func (w *world) heads() map[*node]bool {
	heads := map[*node]bool{}
	for _, h := range w.happened {
		heads[h.root] = true
	}
	return heads
}

// moved is the answer to the request that made h happen.
func (w *world) moved(h *happening) Moved {
	return Moved{
		Case: h.n.c.ID, Event: h.event, From: h.from, To: h.n.c.State, Revision: h.n.c.Revision, Seq: h.seq,
		At: w.now, Effective: h.effective, Opened: h.story.Opened,
	}
}

// idemKey identifies a repeatable request; nil without a key. The body's hash covers everything but the key itself.
func idemKey(who auth.Actor, path, key string, cmd any) *store.IdemKey {
	if key == "" {
		return nil
	}
	b, err := json.Marshal(cmd)
	if err != nil {
		b = fmt.Appendf(nil, "%#v", cmd) // inputs that JSON cannot say are refused later; the hash only has to differ
	}
	sum := sha256.Sum256(b)
	if !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		key = strconv.QuoteToASCII(key) // a column holds only text
	}
	return &store.IdemKey{Actor: who.ID, Path: path, Key: key, BodyHash: sum[:]}
}

// answered reads the stored answer of a repeated request.
func answered(tx *store.Tx, into any) error {
	dec := json.NewDecoder(bytes.NewReader(tx.Answer))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("read the stored answer: %w", err)
	}
	return nil
}
