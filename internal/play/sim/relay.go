package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// expiredTemplate tells that a term is over.
const expiredTemplate = "deadline_expired"

// order is what an event or a term asks people to be told.
type order struct {
	Template string   `json:"template"`
	To       []string `json:"to"`
	Event    string   `json:"event"`
	Seq      int64    `json:"seq"`

	source string // what its notices say they come from
}

// ordersOf reads what a message orders: one notice, or a list of them.
func ordersOf(m store.Message) (all []order, f *Fault) {
	payload := m.Payload
	if !bytes.HasPrefix(payload, []byte("[")) {
		payload = slices.Concat([]byte("["), payload, []byte("]"))
	}
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, fault("outbox", "message %d: %v", m.ID, err)
	}
	for i := range all {
		all[i].source = "outbox:" + strconv.FormatInt(m.ID, 10)
		if i > 0 {
			all[i].source += "." + strconv.Itoa(i+1)
		}
	}
	return all, nil
}

// noticeKey names the notices that one event orders under one template.
func noticeKey(root string, seq int64, template string) string {
	return fmt.Sprintf("%s %d %s", root, seq, template)
}

// expiryKey names what is told of the end of the terms of one name in a case.
func expiryKey(id, term string) string { return id + " " + term + " is over" }

// count adds an order to what is told.
func (o order) count(m store.Message, told map[string]int) {
	told[noticeKey(m.Root, o.Seq, o.Template)]++
	if o.Template == expiredTemplate {
		told[expiryKey(m.CaseID, o.Event)]++
	}
}

var errLook = errors.New("only looked at")

// patience bounds how often something is tried while PostgreSQL has not noticed yet that a connection is gone, and keeps its locks.
const patience = 10_000

// outbox are the messages that wait, oldest first.
func (w *walker) outbox(ctx context.Context) (messages []store.Message, f *Fault) {
	for range patience {
		_, err := w.stage.DB.Relay(ctx, 100_000, math.MaxInt64, func(_ *store.Tx, found []store.Message) error {
			messages = found
			return errLook
		})
		if err != nil && !errors.Is(err, errLook) {
			return nil, fault("failure", "read outbox: %v", err)
		}
		if len(messages) > 0 {
			break
		}
		if last, err := w.stage.DB.LastMessage(ctx); err != nil || last == 0 { // who does not get the lock finds nothing
			break
		}
	}
	return messages, nil
}

// settle applies the terms that are over, after a break.
func (w *walker) settle(ctx context.Context) error {
	for range patience {
		if err := w.s.Settle(ctx); err != nil {
			return err
		}
		n, _, err := w.s.Engine().OverdueDeadlines(ctx, 1)
		if err != nil || n == 0 { // trees that seem locked are passed over
			return err
		}
	}
	return errors.New("terms are over and are not applied")
}

// someRelay has some messages of the outbox made into notices; half of the times the connection breaks in it.
func (w *walker) someRelay(ctx context.Context) {
	d := Deed{Relay: 1 + w.r.IntN(40)}
	if w.chance(0.5) {
		d.Cut = 1 + w.r.IntN(12)
		if w.chance(0.3) {
			d.Cut += w.r.IntN(60)
		}
	}
	w.do(ctx, d)
}

// relay makes messages into notices. Wherever the connection breaks, either all of them have left the outbox, in their order, and
// whoever they concern is told once; or all are still there and nobody is told.
func (w *walker) relay(ctx context.Context, d Deed) *Fault {
	before, f := w.outbox(ctx)
	if f != nil {
		return f
	}
	during := w.cutter.during(relay)
	w.cutter.arm(d.Cut, relay)
	during(true)
	_, err := w.s.Engine().ExpandOutbox(ctx, d.Relay)
	during(false)
	w.cutter.arm(0, elsewhere)
	broken := errors.Is(err, store.ErrBroken)
	if broken {
		w.outcomes["relay broken"]++
	} else if err != nil {
		return fault("failure", "relay: %v", err)
	}
	after, f := w.outbox(ctx)
	if f != nil {
		return f
	}
	batch := before[:min(d.Relay, len(before))]
	gone := max(0, len(before)-len(after))
	same := slices.EqualFunc(before[gone:], after, func(a, b store.Message) bool { return a.ID == b.ID })
	if !same || gone != len(batch) && (gone != 0 || !broken) {
		return fault("relay", "of %d messages %d stand in the outbox after %d were to leave it (broken: %v)", len(before), len(after), len(batch), broken)
	}
	for _, m := range batch {
		orders, f := ordersOf(m)
		if f != nil {
			return f
		}
		for _, o := range orders {
			if f := w.heard(ctx, m, o, gone > 0); f != nil {
				return f
			}
			if gone > 0 {
				o.count(m, w.relayed)
			}
		}
	}
	return nil
}

// heard: of an order in a message that has left the outbox everybody whom it concerns is told once; of one that has not, nobody.
func (w *walker) heard(ctx context.Context, m store.Message, o order, gone bool) *Fault {
	notices, err := w.stage.DB.Notices(ctx, store.Everything, store.NoticeFilter{Source: o.source, Limit: 1000})
	if err != nil {
		return fault("failure", "read notices: %v", err)
	}
	told := map[string]int{}
	for _, n := range notices {
		if n.CaseID != m.CaseID || n.Seq != o.Seq || n.Event != o.Event || n.Template != o.Template {
			return fault("relay", "message %d orders %s of %s %d; a notice of it tells %s of %s %d", m.ID, o.Template, o.Event, o.Seq, n.Template, n.Event, n.Seq)
		}
		told[n.Person]++
	}
	if !gone && len(told) > 0 {
		return fault("relay", "message %d stands in the outbox, and people are told: %v", m.ID, told)
	}
	if !gone {
		return nil
	}
	open := slices.Contains(o.To, "followers") // whoever leads the case
	for _, name := range w.s.Cast() {
		who, _ := w.s.Actor(name)
		concerned := slices.Contains(o.To, name) && slices.ContainsFunc(who.Memberships, func(b auth.Membership) bool { return b.Body == m.MemberBody || b.Body == m.SUA })
		n := told[who.ID]
		delete(told, who.ID)
		if concerned && n != 1 || n > 1 || n == 1 && !concerned && !open && !slices.Contains(o.To, name) {
			return fault("relay", "message %d orders %s for %v; %s is told %d times", m.ID, o.Template, o.To, name, n)
		}
	}
	if len(told) > 0 {
		return fault("relay", "message %d orders %s for %v; others are told: %v", m.ID, o.Template, o.To, told)
	}
	return nil
}

// whole: after a break what is stored is all of a change or nothing of it, whatever was done by then. Terms that are over may not be
// applied yet.
func (w *walker) whole(ctx context.Context) *Fault {
	for _, root := range w.s.Roots() {
		t, f := w.read(ctx, root)
		if f != nil {
			return f
		}
		for _, rule := range []func(context.Context) *Fault{t.follows, t.stands, t.family, t.links, t.expiries, t.documents, t.people} {
			if f := rule(ctx); f != nil {
				f.Text = fmt.Sprintf("after a break, %s (%s): %s", root, w.workflow, f.Text)
				return f
			}
		}
	}
	return w.checkOutbox(ctx)
}

// moved counts, by case and name, how often an event changed a term after it had begun: one that was over may run again then, and be
// over another time.
func (t *tree) moved() map[string]int {
	out := map[string]int{}
	for _, e := range t.events {
		for _, c := range slices.Concat(e.open.Deadlines, e.secret.Deadlines) {
			if c.Started != e.Seq && c.Name != e.open.Deadline {
				out[e.Case+" "+c.Name]++
			}
		}
	}
	return out
}

// expiries: each term that is over has brought about what it promises once, and nothing else has.
func (t *tree) expiries(context.Context) *Fault {
	fired := map[string]int{}
	for _, e := range t.events {
		if e.open.Deadline != "" {
			fired[e.Case+" "+e.open.Deadline]++
		}
	}
	moved := t.moved()
	for id, v := range t.cases {
		over := map[string]int{}
		for _, d := range v.Deadlines {
			if decl, ok := t.defs[id].Deadline(d.Name); ok && decl.Fire != "" && d.Status == store.Expired {
				over[d.Name]++
			}
		}
		for _, d := range v.Deadlines {
			if key := id + " " + d.Name; fired[key] < over[d.Name] || fired[key] > over[d.Name]+moved[key] {
				return fault("expiries", "%s of %s is over %d times, and %d events come of it", d.Name, v.Workflow.ID, over[d.Name], fired[key])
			}
		}
	}
	return nil
}

// alerts: of each term that is over those are told, once, whom it promises to tell.
func (t *tree) alerts(sent map[string]int) *Fault {
	moved := t.moved()
	for id, v := range t.cases {
		over := map[string]int{}
		for _, d := range v.Deadlines {
			decl, ok := t.defs[id].Deadline(d.Name)
			if _, event := t.defs[id].Event(d.Name); !ok || event { // what an event of that name tells could be taken for it
				continue
			}
			n := 0
			if decl.Fire == "" && d.Status == store.Expired {
				n = 1
			}
			over[d.Name] += n
		}
		for term, n := range over {
			if got := sent[expiryKey(id, term)]; got < n || got > n+moved[id+" "+term] {
				return fault("outbox", "%s of %s is over %d times and tells of it; the outbox has it %d times", term, v.Workflow.ID, n, got)
			}
		}
	}
	return nil
}

// listen has the cutter told what the session does.
func (w *walker) listen() {
	w.s.During, w.s.Sweeping = w.cutter.during(request), w.cutter.during(sweep)
}
