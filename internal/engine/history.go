package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// History tells the story of the tree of a case, oldest first, with the result of checking its chain. after and limit page
// by seq (limit 0: all); the chain is checked whole when the page is the whole story, else link by link within the page.
func (e *Engine) History(ctx context.Context, who auth.Actor, id string, after int64, limit int) (History, error) {
	var root *store.Case
	cases := map[string]*store.Case{}
	var events []store.Event
	err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		s, err := tx.Load(store.Want{Tree: true})
		root = tx.Root
		if err != nil {
			return err
		}
		cases = s.Cases
		events, err = tx.History(after, limit)
		return err
	})
	if err != nil {
		return History{}, err
	}
	out := History{Root: root.ID, Verified: true}
	if broken := check(events, root, after, limit); broken != nil {
		out.Verified, out.Broken = false, brokenText(broken)
	}
	for i := range events {
		c, ok := cases[events[i].CaseID]
		if !ok {
			continue
		}
		item, err := e.tell(&events[i], c, look(who, c).among(func(id string) *store.Case { return cases[id] }))
		if err != nil {
			out.Verified, out.Broken = false, err.Error()
			continue
		}
		out.Items = append(out.Items, item)
	}
	if limit > 0 && len(events) == limit && events[limit-1].Seq < root.ChainSeq {
		out.Next = events[limit-1].Seq
	}
	return out, nil
}

// check verifies the chain over the events read: from the first one, links and hashes; over a later page, that it is dense and
// each event fits its hash and the one before it.
func check(events []store.Event, root *store.Case, after int64, limit int) error {
	var chain audit.Chain
	if after > 0 && len(events) > 0 {
		h, err := audit.Parse(events[0].Header)
		if err != nil {
			return err
		}
		if chain, err = audit.Resume(h); err != nil {
			return err
		}
	}
	for i := range events {
		h, err := chain.Add(sealed(&events[i]))
		if err != nil {
			return err
		}
		if h.Parts.Open != "" && len(events[i].OpenSalt) == 0 || h.Parts.Secret != "" && len(events[i].SecretSalt) == 0 {
			return audit.Broken{Seq: h.Seq, Reason: "a part was taken away", IT: "una parte è stata tolta"}
		}
	}
	if limit > 0 && len(events) == limit && events[limit-1].Seq < root.ChainSeq {
		return nil
	}
	if len(events) == 0 && after == root.ChainSeq {
		return nil
	}
	return chain.Ends(root.ChainSeq, root.ChainHash)
}

// brokenText says in Italian where a chain does not hold.
func brokenText(err error) string {
	var b audit.Broken
	if errors.As(err, &b) && b.IT != "" {
		return fmt.Sprintf("Evento %d: %s.", b.Seq, b.IT)
	}
	return err.Error()
}

func sealed(e *store.Event) audit.Sealed {
	return audit.Sealed{Header: e.Header, Hash: e.Hash, Parts: audit.Parts{
		Open: audit.Part{Salt: e.OpenSalt, Body: e.OpenBody}, Secret: audit.Part{Salt: e.SecretSalt, Body: e.SecretBody},
		Personal: audit.Part{Salt: e.PersonalSalt, Body: e.PersonalBody},
	}}
}

// tell turns a stored event into what the actor may read.
func (e *Engine) tell(ev *store.Event, c *store.Case, seen sight) (HistoryItem, error) {
	h, err := audit.Parse(ev.Header)
	if err != nil {
		return HistoryItem{}, err
	}
	item := HistoryItem{
		Seq: h.Seq, Case: h.Case, Event: h.Event, Label: Text{IT: h.Event, EN: h.Event}, From: Labelled{ID: h.From}, To: Labelled{ID: h.To},
		At: h.At, Effective: h.Effective, Actor: e.parties.personRef(h.Actor), Role: roleLabel(h.Role), Cause: h.Cause,
		Hash: fmt.Sprintf("%x", ev.Hash), Definition: h.Definition,
	}
	def, err := e.Definition(h.Definition)
	if err != nil {
		return item, nil // the definition of an old ended case may be gone: the facts stay
	}
	item.CaseLabel = caseLabel(c, def)
	item.From.Label, item.To.Label = label(def, h.From), label(def, h.To)
	decl, known := def.Event(h.Event)
	if known {
		item.Label, item.Law = decl.Label, decl.Law
	} else if text, ok := aside[h.Event]; ok {
		item.Label = text
	}
	for _, d := range h.Documents {
		t := Labelled{d.Type, Text{IT: d.Type, EN: d.Type}}
		if x, ok := def.Document(d.Type); ok {
			if t.Label = x.Label; !seen.sees(x.Secret, "") {
				item.Hidden = true
				continue
			}
		}
		item.Documents = append(item.Documents, Attached{t, d.SHA256})
	}
	return item, e.tellParts(&item, ev, c, def, decl, seen)
}

// tellParts reads the open part, and of the secret and personal ones what the actor may see.
func (e *Engine) tellParts(item *HistoryItem, ev *store.Event, c *store.Case, def *flow.Definition, decl *flow.Event, seen sight) error {
	var open story
	var secret secretStory
	var personal map[string]any
	for _, p := range []struct {
		b    []byte
		into any
	}{{ev.OpenBody, &open}, {ev.SecretBody, &secret}, {ev.PersonalBody, &personal}} {
		if len(p.b) == 0 {
			continue
		}
		dec := json.NewDecoder(strings.NewReader(string(p.b)))
		dec.UseNumber()
		if err := dec.Decode(p.into); err != nil {
			return fmt.Errorf("event %d: part unreadable: %w", item.Seq, err)
		}
	}
	item.Deadlines = open.Deadlines
	for i := range item.Deadlines {
		if d, ok := def.Deadline(item.Deadlines[i].Name); ok {
			item.Deadlines[i].Label = d.Label
		}
	}
	open.Inputs, item.hiddenOpen = e.seenInputs(open.Inputs, def, decl, seen)
	e.tellWarnings(item, open.Acknowledged, secret.Acknowledged, telling{c, def, decl, seen})
	e.tellInputs(item, decl, open.Inputs)
	fields := map[string]any{}
	for id, v := range personal {
		if field, ok := strings.CutPrefix(id, personalField); ok {
			fields[field] = v
			delete(personal, id)
		} else if strings.HasPrefix(id, personalPlace) {
			delete(personal, id) // told as the input that assigned, or a consequence of the place in the tree
		}
	}
	personal, item.hiddenPersonal = e.seenInputs(personal, def, decl, seen)
	e.tellInputs(item, decl, personal)
	e.tellFields(item, def, fields, seen)
	item.Hidden = item.Hidden || item.hiddenOpen || item.hiddenPersonal
	if secret.Inputs != nil {
		switch {
		case decl != nil:
			inputs, hidden := e.seenInputs(secret.Inputs, def, decl, seen)
			e.tellInputs(item, decl, inputs)
			item.Hidden = item.Hidden || hidden
		case item.Event == attachEvent && !item.Hidden: // the document's own secrecy was looked at with the header
			if file, ok := secret.Inputs["document"].(map[string]any); ok {
				tellFile(item, fmt.Sprint(file["Name"]))
			}
		default:
			item.Hidden = true
		}
	}
	for _, part := range []map[string]any{open.Fields, secret.Fields} {
		e.tellFields(item, def, part, seen)
	}
	for _, r := range append(open.Rows, secret.Rows...) {
		e.tellRow(item, def, r, seen)
	}
	if open.Document != nil {
		tellFile(item, open.Document.Name)
	}
	return nil
}

func tellFile(item *HistoryItem, name string) {
	item.Inputs = append(item.Inputs, Told{Label: Text{IT: "File", EN: "File"}, Text: name, Value: name})
}

// asDeclared gives the keys of values in the order in which people met them in the form; what is not declared follows.
func asDeclared(values map[string]any, declared []string) []string {
	place := map[string]int{}
	for i, id := range declared {
		place[id] = i - len(declared)
	}
	keys := sortedKeys(values)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(place[a], place[b]) })
	return keys
}

func (e *Engine) tellInputs(item *HistoryItem, decl *flow.Event, values map[string]any) {
	var declared []string
	if decl != nil {
		for _, in := range decl.Inputs {
			declared = append(declared, in.ID)
		}
	}
	for _, id := range asDeclared(values, declared) {
		told := Told{Label: Text{IT: id, EN: id}, Text: fmt.Sprint(values[id]), Value: plainNumber(values[id])}
		if text, ok := asideInputs[id]; ok && decl == nil {
			told.Label = text
		}
		if decl != nil {
			if in, ok := decl.Input(id); ok {
				told.Label, told.Text = in.Label, e.format(in.Type, in.Of, told.Value)
			}
		}
		item.Inputs = append(item.Inputs, told)
	}
}

func (e *Engine) tellFields(item *HistoryItem, def *flow.Definition, values map[string]any, seen sight) {
	var declared []string
	for _, f := range def.Fields {
		declared = append(declared, f.ID)
	}
	for _, id := range asDeclared(values, declared) {
		f, ok := def.Field(id)
		if !ok {
			continue
		}
		if !seen.sees(f.Secret, "") {
			item.Hidden = true
			continue
		}
		v := plainNumber(values[id])
		item.Changes = append(item.Changes, Told{Label: f.Label, Text: e.format(f.Type, f.Of, v), Value: v})
	}
}

func (e *Engine) tellRow(item *HistoryItem, def *flow.Definition, r rowStory, seen sight) {
	values, hidden := seen.row(def, r.Register, r.Values)
	item.Hidden = item.Hidden || hidden
	reg, ok := def.Register(r.Register)
	if !ok || len(values) == 0 {
		return
	}
	var parts []string
	for _, c := range reg.Columns {
		if v, ok := values[c.ID]; ok {
			parts = append(parts, c.Label.IT+": "+e.format(c.Type, c.Of, plainNumber(v)))
		}
	}
	n := strconv.Itoa(r.Row)
	item.Changes = append(item.Changes, Told{Label: Text{IT: reg.Label.IT + " n. " + n, EN: reg.Label.EN + " no. " + n}, Text: strings.Join(parts, "; "), Value: values})
}

// format shows a value; bodies and people by name.
func (e *Engine) format(t flow.Type, of []flow.Choice, v any) string {
	id, _ := v.(string)
	switch {
	case v == nil:
		return "—"
	case t == flow.TypePerson:
		return e.parties.personRef(id).Name
	case t == flow.TypeBody:
		return e.parties.bodyRef(id).Name
	}
	return flow.Format(t, of, v, "it")
}

// plainNumber turns a decoded number back into the integer that every stored number is.
func plainNumber(v any) any {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
		return n.String()
	}
	return v
}

func label(def *flow.Definition, state string) Text {
	if st, ok := def.State(state); ok {
		return st.Label
	}
	return Text{}
}

// caseLabel names a case within its tree: "Lotti 2", or the workflow's name for the root.
func caseLabel(c *store.Case, def *flow.Definition) Text {
	if c.Parent == "" {
		return def.Label
	}
	n := strconv.Itoa(c.Ordinal)
	return Text{IT: def.Label.IT + " " + n, EN: def.Label.EN + " " + n}
}
