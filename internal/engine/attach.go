package engine

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// attachEvent is the name under which an upload stands in the history.
const attachEvent = "attach"

// Events that change a term by hand or because the platform was down; moved is also what befalls a term counted from another.
const (
	movedEvent     = "deadline_moved"
	suspendedEvent = "deadline_suspended"
	resumedEvent   = "deadline_resumed"
	outageEvent    = "deadline_outage"
)

// aside are the events that no workflow declares, as people read them.
var aside = map[string]Text{
	attachEvent:    {IT: "Documento caricato", EN: "Document uploaded"},
	movedEvent:     {IT: "Termine spostato", EN: "Term moved"},
	suspendedEvent: {IT: "Termine sospeso", EN: "Term suspended"},
	resumedEvent:   {IT: "Termine ripreso", EN: "Term resumed"},
	eraseEvent:     {IT: "Dati personali cancellati", EN: "Personal data erased"},
	outageEvent:    {IT: "Termine prorogato: piattaforma ferma", EN: "Term extended: platform down"},
}

// asideInputs are what was said with them.
var asideInputs = map[string]Text{
	"deadline": {IT: "Termine", EN: "Term"},
	"reason":   {IT: "Motivazione", EN: "Reason"},
	"law":      {IT: "Norma", EN: "Law"},
	"due":      {IT: "Nuova fine", EN: "New end"},
	"since":    {IT: "Dal", EN: "Since"},
	"at":       {IT: "Ripreso dal", EN: "Resumed as of"},
	"days":     {IT: "Giorni in più", EN: "Days more"},
	"document": {IT: "Documento", EN: "Document"},
	"outage":   {IT: "Malfunzionamento", EN: "Outage"},
	"evidence": {IT: "Prova", EN: "Evidence"},
}

// rectifyEvent is the implied event that mends a mistake.
const rectifyEvent = "rectify"

// Attach adds a document to a case. The bytes are kept under their hash before the transaction that records them; when that
// fails they stay unreferenced and do no harm. A later document of the same type replaces the earlier one in checklists;
// nothing is deleted.
//
// It returns *Invalid for an unknown type, an empty or too large file; *Forbidden for who has no role on the case but control.
func (e *Engine) Attach(ctx context.Context, who auth.Actor, cmd Attach) (DocumentView, error) {
	if e.cfg.Blobs == nil {
		return DocumentView{}, errors.New("attach: no document store")
	}
	name := fileName(cmd.Name)
	if name == "" {
		return DocumentView{}, &Invalid{[]Problem{problem("/file", "file_name")}}
	}
	var c *store.Case
	if err := e.db.Peek(ctx, scope(who), cmd.Case, func(tx *store.Tx) error { c = tx.Case; return nil }); err != nil {
		return DocumentView{}, err
	}
	def, kind, err := e.attachable(who, c, cmd.Type)
	if err != nil {
		return DocumentView{}, err
	}
	kept, err := e.cfg.Blobs.Put(cmd.Bytes, e.cfg.MaxUpload)
	if errors.Is(err, blob.ErrTooLarge) {
		return DocumentView{}, &Invalid{[]Problem{problem("/file", "file_too_large", "max", strconv.FormatInt(e.cfg.MaxUpload>>20, 10)+" MB")}}
	}
	if err != nil {
		return DocumentView{}, err
	}
	if kept.Size == 0 {
		return DocumentView{}, &Invalid{[]Problem{problem("/file", "file_empty")}}
	}
	doc := store.Document{ID: e.cfg.NewID(), CaseID: cmd.Case, Type: kind.ID, Name: name, Media: kept.Media, Size: kept.Size, SHA256: kept.SHA256, UploadedBy: who.ID}
	err = e.recordDocument(ctx, who, def, cmd, &doc)
	return e.documentView(def, doc, true), err
}

// attachable checks who may add a document of this type.
func (e *Engine) attachable(who auth.Actor, c *store.Case, kind string) (*flow.Definition, *flow.DocumentType, error) {
	def, err := e.Definition(c.Hash)
	if err != nil {
		return nil, nil, err
	}
	t, ok := def.Document(kind)
	if !ok {
		return nil, nil, &Invalid{[]Problem{problem("/type", "document_unknown", "type", kind)}}
	}
	if _, _, ok := uploader(who, c); !ok {
		return nil, nil, &Forbidden{Action: attachEvent, Text: refuse("role_upload").Text}
	}
	if !def.GoesOn(c.State) {
		return nil, nil, &Refused{Event: attachEvent, Refusals: []Refusal{*refuse("case_ended")}}
	}
	return def, t, nil
}

// uploader finds in which role the actor may add documents: any but control.
func uploader(who auth.Actor, c *store.Case) (role, body string, ok bool) {
	for _, m := range who.Memberships {
		side := roles[m.Role].Side
		if side == flow.SideMember && m.Body == c.MemberBody || (side == flow.SideSUA || side == flow.SideCommittee) && m.Body == c.SUA {
			return m.Role, m.Body, true
		}
	}
	return "", "", false
}

func (e *Engine) recordDocument(ctx context.Context, who auth.Actor, def *flow.Definition, cmd Attach, doc *store.Document) error {
	key := idemKey(who, "attach/"+cmd.Case, cmd.Key, []string{cmd.Type, doc.Name, doc.SHA256})
	return e.db.Update(ctx, scope(who), cmd.Case, key, func(tx *store.Tx) error {
		if tx.Answer != nil {
			return answered(tx, doc)
		}
		w, n, err := e.loadNeeds(tx, who, flow.Needs{})
		if err != nil {
			return err
		}
		if !n.def.GoesOn(n.c.State) {
			return &Refused{Event: attachEvent, Refusals: []Refusal{*refuse("case_ended")}}
		}
		role, body, _ := uploader(who, n.c)
		root := w.root(n)
		h := &happening{
			n: n, root: root, event: attachEvent, from: n.c.State, to: n.c.State, seq: w.nextSeq(root), effective: w.now,
			actor: who.ID, role: role, body: body, documents: []audit.Attached{{Type: doc.Type, SHA256: doc.SHA256}},
		}
		note := &documentStory{ID: doc.ID, Type: doc.Type, Name: doc.Name, SHA256: doc.SHA256, Size: doc.Size}
		if t, ok := def.Document(doc.Type); ok && t.Secret != nil {
			h.secret.Inputs = map[string]any{"document": note}
		} else {
			h.story.Document = note
		}
		w.happened = append(w.happened, h)
		doc.Root, doc.MemberBody, doc.SUA, doc.At, doc.Seq = n.c.Root, n.c.MemberBody, n.c.SUA, w.now, h.seq
		n.newDocuments = append(n.newDocuments, *doc)
		return w.record(tx, key, doc)
	})
}

// fileName keeps the last element of a name and drops what a screen or a disk could take wrongly.
func fileName(s string) string {
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if s == "." || s == ".." || s == "/" {
		return ""
	}
	if r := []rune(s); len(r) > 200 {
		s = string(r[len(r)-200:]) // the end holds the extension
	}
	return s
}

func (e *Engine) documentView(def *flow.Definition, d store.Document, current bool) DocumentView {
	kind := Labelled{d.Type, Text{IT: d.Type, EN: d.Type}}
	if t, ok := def.Document(d.Type); ok {
		kind.Label = t.Label
	}
	return DocumentView{
		ID: d.ID, Case: d.CaseID, Type: kind, Name: d.Name, Media: d.Media, Size: d.Size, SHA256: d.SHA256,
		UploadedBy: e.parties.personRef(d.UploadedBy), At: d.At, Current: current,
	}
}
