package engine

import (
	"context"
	"errors"
	"fmt"
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
	if err := e.db.Peek(ctx, scope(who), id, func(*store.Tx) error { return nil }); err != nil {
		return nil, err
	}
	found, err := e.db.Receipts(ctx, scope(who), id)
	if err != nil {
		return nil, err
	}
	told, err := e.db.Notices(ctx, scope(who), store.NoticeFilter{CaseID: id, Channels: []string{store.ChannelPEC}, Limit: MaxPage})
	if err != nil {
		return nil, err
	}
	events := map[string]string{}
	for _, n := range told {
		events[n.ID] = n.Event
	}
	out := make([]ReceiptView, len(found))
	for i, r := range found {
		out[i] = ReceiptView{
			ID: r.ID, Notice: r.Notice, Kind: r.Kind, Provider: r.Provider, Certified: r.Certified, Signer: r.Signer, SHA256: r.SHA256,
			Event: events[r.Notice], Seq: r.Seq, Effective: r.Kind == delivered,
		}
	}
	return out, nil
}
