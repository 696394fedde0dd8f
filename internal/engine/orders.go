package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// noticeOrder says that a notice is to be made: which, for whom, about which event. For a deadline Event is its name and Seq the event
// that started it. The payload of a row of the outbox is one, or a list of those that one change orders for one case: a row less costs
// a transition, and the relay, less than what is in it.
type noticeOrder struct {
	Template string   `json:"template"`
	To       []string `json:"to"`
	Event    string   `json:"event"`
	Seq      int64    `json:"seq"`
}

// caseOrders are the notices that a change orders for a case, in their order.
type caseOrders struct {
	c      *store.Case
	orders []noticeOrder
}

// notify orders a notice for roles: see ExpandOutbox.
func (w *world) notify(n *node, h *happening, template string, to []string) {
	o := noticeOrder{Template: template, To: to, Event: h.event, Seq: h.seq}
	if last := len(w.orders) - 1; last >= 0 && w.orders[last].c == n.c {
		w.orders[last].orders = append(w.orders[last].orders, o)
		return
	}
	w.orders = append(w.orders, caseOrders{n.c, []noticeOrder{o}})
}

// recordOrders queues what is to be told as messages of the outbox.
func (w *world) recordOrders(tx *store.Tx) error {
	messages := make([]store.Message, 0, len(w.orders))
	for _, o := range w.orders {
		m, err := o.message(w.now)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	tx.InsertMessages(messages)
	return nil
}

func (o caseOrders) message(now time.Time) (store.Message, error) {
	var payload any = o.orders
	if len(o.orders) == 1 {
		payload = o.orders[0]
	}
	b, err := json.Marshal(payload)
	if err != nil {
		return store.Message{}, fmt.Errorf("notices of case %s: %w", o.c.ID, err)
	}
	return store.Message{Topic: store.NoticeTopic, CaseID: o.c.ID, Root: o.c.Root, MemberBody: o.c.MemberBody, SUA: o.c.SUA, Payload: b, At: now}, nil
}

// ordered is a notice that a message of the outbox orders. Its source names the order for ever: nobody gets a notice of it twice.
type ordered struct {
	store.Message
	noticeOrder

	source string
}

// ordersOf reads what a message orders.
func ordersOf(m store.Message) ([]ordered, error) {
	orders := make([]noticeOrder, 1)
	var into any = &orders[0]
	if bytes.HasPrefix(m.Payload, []byte("[")) {
		into = &orders
	}
	if err := json.Unmarshal(m.Payload, into); err != nil {
		return nil, err
	}
	out := make([]ordered, len(orders))
	for i, o := range orders {
		out[i] = ordered{m, o, "outbox:" + strconv.FormatInt(m.ID, 10)}
		if i > 0 {
			out[i].source += "." + strconv.Itoa(i+1)
		}
	}
	return out, nil
}
