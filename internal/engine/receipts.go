package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// ReceiptView is evidence of what became of a formal notice.
type ReceiptView struct {
	ID, Notice string
	Kind       string // accettazione, avvenuta-consegna, errore-consegna …
	Provider   string
	Certified  time.Time // when, as the provider certifies
	Signer     string
	SHA256     string // of the receipt as it came
	Event      string // the event that the notice told, and its place in the story
	Seq        int64
	// Effective reports that the event may be recorded, or recorded again, with effect from Certified: it proves delivery.
	Effective bool
	// Whole reports that the actor may read the receipt as it came: it carries the message, with what its person could see.
	Whole bool
}

// undelivered are the receipts that say that a message did not arrive.
var undelivered = []string{"non-accettazione", "errore-consegna", "mancata-consegna", "rilevazione-virus"}

const delivered = "avvenuta-consegna"

// RecordReceipt keeps a receipt of certified mail as evidence of the notice that it answers and of the event that the notice told. Its
// signature has been checked. A receipt that is there already changes nothing; ErrNotFound when no notice of ours went under its id.
func (e *Engine) RecordReceipt(ctx context.Context, r notice.Receipt) error {
	if r.MessageID == "" {
		return ErrNotFound
	}
	found, err := e.db.Notices(ctx, store.Everything, store.NoticeFilter{MessageID: r.MessageID, Channels: []string{store.ChannelPEC}, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("receipt for %s: %w", r.MessageID, ErrNotFound)
	}
	n := found[0]
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	state, fault := "", ""
	switch {
	case r.Kind == delivered:
		state = store.NoticeDelivered
	case slices.Contains(undelivered, r.Kind) && n.State != store.NoticeDelivered:
		state, fault = store.NoticeDead, r.Kind
		e.cfg.Log.Error("certified mail not delivered", "notice", n.ID, "case", n.CaseID, "receipt", r.Kind)
	}
	err = e.db.SaveReceipt(ctx, store.Receipt{
		ID: e.cfg.NewID(), Notice: n.ID, CaseID: n.CaseID, Root: n.Root, MemberBody: n.MemberBody, SUA: n.SUA, Seq: n.Seq, Kind: r.Kind, MessageID: r.MessageID,
		Provider: r.Provider, Certified: r.Certified.UTC().Truncate(time.Microsecond), Signer: r.Signer, SHA256: r.SHA256, Raw: r.Raw, At: now,
	}, state, fault)
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// Receipts lists the receipts of a case, oldest first. ErrNotFound: the case is not there or not the actor's.
func (e *Engine) Receipts(ctx context.Context, who auth.Actor, id string) ([]ReceiptView, error) {
	found, err := e.db.Receipts(ctx, scope(who), id)
	if err != nil {
		return nil, err
	}
	told, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{CaseID: id, Channels: []string{store.ChannelPEC}, Limit: MaxPage})
	if err != nil {
		return nil, err
	}
	notices := map[string]store.Notice{}
	for _, n := range told {
		notices[n.ID] = n
	}
	var open map[string]bool
	if err := e.db.Peek(ctx, scope(who), id, func(tx *store.Tx) error {
		open, err = e.openNotices(tx, who, told)
		return err
	}); err != nil {
		return nil, err
	}
	out := make([]ReceiptView, len(found))
	for i, r := range found {
		out[i] = ReceiptView{
			ID: r.ID, Notice: r.Notice, Kind: r.Kind, Provider: r.Provider, Certified: r.Certified, Signer: r.Signer, SHA256: r.SHA256,
			Event: notices[r.Notice].Event, Seq: r.Seq, Effective: r.Kind == delivered, Whole: open[r.Notice],
		}
	}
	return out, nil
}

// openNotices tells which notices of one case hide nothing from the actor: those to the actor, and those that would tell the actor now
// all that they could tell anybody.
func (e *Engine) openNotices(tx *store.Tx, who auth.Actor, told []store.Notice) (map[string]bool, error) {
	open := map[string]bool{}
	if len(told) == 0 {
		return open, nil
	}
	x := &expansion{e: e, tx: tx}
	orders := make([]ordered, len(told))
	for i, n := range told {
		orders[i] = ordered{Message: store.Message{CaseID: n.CaseID, Root: n.Root}, noticeOrder: noticeOrder{Template: n.Template, Event: n.Event, Seq: n.Seq}}
	}
	if err := x.load(orders); err != nil {
		return nil, err
	}
	for i, n := range told {
		t, err := x.tale(orders[i], e.cfg.Notices.Templates.For(n.Template))
		if err != nil {
			return nil, err
		}
		open[n.ID] = n.Person == who.ID || maps.Equal(t.values(who), t.values(auth.System("receipts")))
	}
	return open, nil
}

// Receipt returns a receipt of certified mail as it came, signature and all. ErrNotFound: it is not there, its case is not the actor's,
// or the message in it tells what is still secret for the actor.
func (e *Engine) Receipt(ctx context.Context, who auth.Actor, id string) (ReceiptView, []byte, error) {
	r, err := e.db.ReceiptBytes(ctx, scope(who), id)
	if err != nil {
		return ReceiptView{}, nil, err
	}
	all, err := e.Receipts(ctx, who, r.CaseID)
	if err != nil {
		return ReceiptView{}, nil, err
	}
	i := slices.IndexFunc(all, func(v ReceiptView) bool { return v.ID == id && v.Whole })
	if i < 0 {
		return ReceiptView{}, nil, ErrNotFound
	}
	return all[i], r.Raw, nil
}
