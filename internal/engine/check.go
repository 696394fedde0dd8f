package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
)

// DamagedDocument reports that the bytes kept for a document are not those that were uploaded.
type DamagedDocument struct {
	ID, Case string
	SHA256   string // as the history has it
	Fault    string
}

// Error names document, case and fault; never the name of the file, which may name people.
func (d *DamagedDocument) Error() string {
	return fmt.Sprintf("document %s of case %s: %s (sha256 %s)", d.ID, d.Case, d.Fault, d.SHA256)
}

// RecentDocuments lists the ids of the documents uploaded within a time, newest first, at most limit.
func (e *Engine) RecentDocuments(ctx context.Context, within time.Duration, limit int) ([]string, error) {
	now, err := e.db.Now(ctx)
	if err != nil {
		return nil, err
	}
	found, err := e.db.LatestDocuments(ctx, limit)
	var out []string
	for _, d := range found {
		if now.Sub(d.At) <= within {
			out = append(out, d.ID)
		}
	}
	return out, err
}

// CheckDocument reads the bytes kept for a document again and compares their size and SHA-256 with the record. *DamagedDocument says
// what is wrong; the log says it too, and the directors of the SUA are told once of each document. nil also for a document that is not there any more. It is nobody's request: it tells the
// content to no one.
func (e *Engine) CheckDocument(ctx context.Context, id string) error {
	d, err := e.db.DocumentByID(ctx, store.Everything, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	fault, err := e.damage(ctx, d)
	if err != nil || fault == "" {
		return err
	}
	e.cfg.Log.Error("document damaged: restore its bytes from a backup", "document", d.ID, "case", d.CaseID, "sha256", d.SHA256, "fault", fault)
	if err := e.tellDamage(ctx, d); err != nil { // the next check tells
		e.cfg.Log.Error("directors not told of a damaged document", "document", d.ID, "error", err)
	}
	return &DamagedDocument{ID: d.ID, Case: d.CaseID, SHA256: d.SHA256, Fault: fault}
}

// tellDamage puts a notice before the directors of the SUA, in the program and once for each document. The name of the file stays
// out of it: it may be secret.
func (e *Engine) tellDamage(ctx context.Context, d store.Document) error {
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	cases, err := e.db.CasesOf(ctx, store.Everything, []string{d.CaseID, d.Root})
	if err != nil {
		return err
	}
	c, root := cases[d.CaseID], cases[d.Root]
	if c == nil || root == nil {
		return ErrNotFound
	}
	if err := e.parties.refresh(ctx); err != nil {
		return err
	}
	t := &tale{e: e, c: c, root: root, now: now, fields: e.cfg.Notices.Templates.For(notice.Damaged).Fields()}
	t.def, _ = e.Definition(c.Hash)
	var all []store.Notice
	for _, person := range e.recipients(c, []string{"sua_director"}) {
		who := e.parties.actor(person)
		if !scope(who).Sees(c.MemberBody, c.SUA) {
			continue
		}
		values := t.values(who)
		values["document"] = notice.Text{IT: d.ID, EN: d.ID}
		params, err := json.Marshal(values)
		if err != nil {
			return err
		}
		all = append(all, store.Notice{
			ID: e.cfg.NewID(), Source: "damaged:" + d.ID, Person: person, Channel: store.ChannelApp, CaseID: c.ID, Root: c.Root, MemberBody: c.MemberBody, SUA: c.SUA,
			Seq: d.Seq, Template: notice.Damaged, Params: params, State: store.NoticeSent, NextTry: now, At: now, SentAt: &now,
		})
	}
	if len(all) == 0 {
		return nil
	}
	return e.db.Tell(ctx, all)
}

// damage says what is wrong with the bytes of a document; nothing is "".
func (e *Engine) damage(ctx context.Context, d store.Document) (fault string, err error) {
	if e.cfg.Blobs == nil {
		return "", errors.New("check document: no document store")
	}
	f, err := e.cfg.Blobs.Get(d.SHA256)
	if errors.Is(err, blob.ErrMissing) {
		return "the bytes are missing", nil
	}
	if err != nil {
		return "", fmt.Errorf("check document %s: %w", d.ID, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(f, d.Size+1))
	if err != nil {
		return "", fmt.Errorf("check document %s: %w", d.ID, err)
	}
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case size != d.Size:
		return fmt.Sprintf("%d bytes were uploaded, others are kept", d.Size), nil
	case hex.EncodeToString(hash.Sum(nil)) != d.SHA256:
		return "the bytes have changed", nil
	}
	return "", nil
}
