package engine

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/store"
)

// Export asks for the dossier of the tree of a case: its story with everything that proves it.
type Export struct {
	Case string
	// NoDocuments leaves the bytes of documents out; their hashes stay.
	NoDocuments bool
	// RedactSecret leaves out every secret part, RedactPersonal every personal one and the names of people. What the actor may not
	// see is left out anyway.
	RedactSecret, RedactPersonal bool
	// Program is the name and version of the program, for the record.
	Program string
	// Size is how many entries the log had in a checkpoint that somebody kept: the proofs lead to that one. 0: the latest.
	Size int64
}

// Dossier is an export that is ready to be written.
type Dossier struct {
	Root string
	Name string // of the file
	// Faults is what a verification of the tree found when the dossier was gathered, with the values of the database: for who runs the
	// program, not for whoever gets the file. The file says it without them.
	Faults  []Finding
	content dossier.Content
}

// WriteTo writes the zip. The same story gives the same bytes to the same reader.
func (d *Dossier) WriteTo(w io.Writer) (int64, error) {
	n := &counter{w: w}
	err := dossier.Write(n, d.content)
	return n.n, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Export gathers the dossier of a tree that the actor sees: all but the bytes of documents, which Dossier reads when it is written.
// Of what is secret for the actor only digests go out; an event that names a secret document goes out as its hash alone. A chain
// that does not hold is exported as it is: the file says so, and the check where.
func (e *Engine) Export(ctx context.Context, who auth.Actor, q Export) (*Dossier, error) {
	var root *store.Case
	var s *store.Snapshot
	var events []store.Event
	err := e.db.Peek(ctx, scope(who), q.Case, func(tx *store.Tx) (err error) {
		root = tx.Root
		if s, err = tx.Load(store.Want{Tree: true, Documents: true}); err != nil {
			return err
		}
		events, err = tx.History(0, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	x := &exporter{e: e, who: who, q: q, cases: s.Cases, definitions: map[string]bool{}, limits: map[audit.LimitUsed]bool{}, documents: map[string]bool{}}
	seen := look(who, root)
	x.out.Story = dossier.Story{Root: root.ID, Title: e.summary(root, seen).Title, Body: e.parties.bodyName(root.MemberBody), SUA: e.parties.bodyName(root.SUA)}
	if x.out.Story.Title == "" {
		x.out.Story.Title = e.summary(root, seen).Workflow.Label.IT
	}
	faults, err := x.verify(ctx, root, events) // before parts are taken out of what was read
	if err != nil {
		return nil, err
	}
	for i := range events {
		if err := x.add(&events[i]); err != nil {
			return nil, err
		}
	}
	x.tellCases()
	if err := x.gather(ctx, s); err != nil {
		return nil, err
	}
	if err := x.proofs(ctx, root.ID); err != nil {
		return nil, err
	}
	return &Dossier{Root: root.ID, Name: "fascicolo-" + root.ID + ".zip", Faults: faults, content: x.out}, nil
}

// exporter collects a dossier event by event.
type exporter struct {
	e           *Engine
	who         auth.Actor
	q           Export
	cases       map[string]*store.Case
	out         dossier.Content
	definitions map[string]bool
	limits      map[audit.LimitUsed]bool
	documents   map[string]bool
}

// near gives the cases of the tree.
func (x *exporter) near(id string) *store.Case { return x.cases[id] }

// add takes an event in, as far as the actor may see it.
func (x *exporter) add(ev *store.Event) error {
	c, ok := x.cases[ev.CaseID]
	h, err := audit.Parse(ev.Header)
	if err != nil || !ok { // the check will name it; to tell it there is nothing
		x.out.Events = append(x.out.Events, dossier.Event{Seq: ev.Seq, Hash: ev.Hash, Header: ev.Header})
		return nil
	}
	seen := look(x.who, c).among(x.near)
	_, known := x.e.lib.ByHash(h.Definition)
	if x.q.RedactPersonal {
		ev.PersonalSalt, ev.PersonalBody = nil, nil
	}
	item, err := x.e.tell(ev, c, seen)
	if err != nil {
		return err
	}
	p := sealed(ev).Parts
	secret := h.Parts.Secret != "" && (x.q.RedactSecret || item.Hidden || !known && !x.who.IsSystem())
	open, personal, err := x.withhold(ev, c, item)
	if err != nil {
		return err
	}
	if secret { // told again without it
		ev.SecretSalt, ev.SecretBody, p.Secret = nil, nil, audit.Part{}
	}
	without(ev, &p, open, personal)
	if secret || open || personal {
		if item, err = x.e.tell(ev, c, seen); err != nil {
			return err
		}
	}
	if len(item.Documents) < len(h.Documents) && (known || !x.who.IsSystem()) { // the header names what the actor may not know of
		x.out.Events = append(x.out.Events, dossier.Event{Seq: ev.Seq, Hash: ev.Hash})
		return nil
	}
	x.out.Events = append(x.out.Events, dossier.Event{
		Seq: ev.Seq, Hash: ev.Hash, Header: ev.Header, Open: dossier.PartOf(p.Open), Secret: dossier.PartOf(p.Secret), Personal: dossier.PartOf(p.Personal),
	})
	x.definitions[h.Definition] = true
	for _, l := range h.Limits {
		x.limits[l] = true
	}
	for _, d := range h.Documents {
		x.documents[d.SHA256] = true
	}
	item.Hidden = item.Hidden || secret || open || personal
	x.out.Story.Events = append(x.out.Story.Events, x.told(item, h))
	return nil
}

// told puts an event into the words of the dossier.
func (x *exporter) told(i HistoryItem, h audit.Header) dossier.Told {
	t := dossier.Told{
		Seq: i.Seq, Case: i.Case, CaseLabel: i.CaseLabel.IT, Event: i.Event, Label: i.Label.IT, From: i.From.ID, FromLabel: i.From.Label.IT, To: i.To.ID, ToLabel: i.To.Label.IT,
		At: i.At, Effective: i.Effective, Actor: i.Actor.ID, ActorName: i.Actor.Name, Role: h.Role, RoleLabel: i.Role.Label.IT, Law: i.Law, Cause: i.Cause,
		Inputs: said(i.Inputs), Changes: said(i.Changes), Hidden: i.Hidden, Definition: i.Definition,
	}
	if x.q.RedactPersonal {
		t.ActorName = i.Actor.ID
	}
	for _, d := range i.Documents {
		t.Documents = append(t.Documents, dossier.ToldFile{Type: d.Type.ID, Label: d.Type.Label.IT, SHA256: d.SHA256})
	}
	for _, w := range i.Warnings {
		t.Warnings = append(t.Warnings, dossier.Said{Label: w.Text.IT, Text: w.Reason})
	}
	for _, d := range i.Deadlines {
		name := d.Label.IT
		if name == "" {
			name = d.Name
		}
		t.Terms = append(t.Terms, fmt.Sprintf("Termine %s: %s, ultimo giorno %s", name, termStatus[d.Status], d.LastDay))
	}
	return t
}

// termStatus are the statuses of terms, for people.
var termStatus = map[string]string{
	store.Running: "corre", store.Met: "rispettato", store.Expired: "scaduto", store.Cancelled: "cessato", store.Suspended: "sospeso", store.Blocked: "trattenuto",
}

func said(all []Told) []dossier.Said {
	var out []dossier.Said
	for _, t := range all {
		out = append(out, dossier.Said{Label: t.Label.IT, Text: t.Text})
	}
	return out
}

// tellCases names the cases of the tree, parents first as they began.
func (x *exporter) tellCases() {
	for _, id := range sortedKeys(x.cases) {
		c := x.cases[id]
		row := dossier.StoryCase{ID: id, Label: c.Workflow, State: c.State}
		if def, err := x.e.Definition(c.Hash); err == nil {
			row.Label = caseLabel(c, def).IT
			if st, ok := def.State(c.State); ok {
				row.State = st.Label.IT
			}
		}
		x.out.Story.Cases = append(x.out.Story.Cases, row)
	}
}

// gather adds definitions, limits, documents and the proofs of the log.
func (x *exporter) gather(ctx context.Context, s *store.Snapshot) error {
	x.out.Program, x.out.Definitions = x.q.Program, map[string][]byte{}
	pinned, err := x.e.db.Definitions(ctx)
	if err != nil {
		return err
	}
	for _, p := range pinned {
		if x.definitions[p.Hash] {
			x.out.Definitions[p.Hash] = p.Source
		}
	}
	for l := range x.limits {
		x.out.Limits = append(x.out.Limits, l)
	}
	slices.SortFunc(x.out.Limits, func(a, b audit.LimitUsed) int {
		if a.Key != b.Key {
			return compare(a.Key, b.Key)
		}
		return compare(a.Value+a.Law+a.Mark, b.Value+b.Law+b.Mark)
	})
	if x.q.RedactSecret {
		x.out.Redacted = append(x.out.Redacted, "secret")
	}
	if x.q.RedactPersonal {
		x.out.Redacted = append(x.out.Redacted, "personal")
	}
	x.out.Document = func(sha string) (io.ReadCloser, error) { return x.e.cfg.Blobs.Get(sha) }
	for _, sha := range sortedKeys(x.documents) {
		if x.has(sha, s) {
			x.out.Documents = append(x.out.Documents, sha)
		} else {
			x.out.Without = append(x.out.Without, sha)
		}
	}
	return nil
}

// has reports whether the bytes of a document go into the file: they are wanted, and there. A secret document of an event that is
// told was seen already with its header.
func (x *exporter) has(sha string, s *store.Snapshot) bool {
	if x.q.NoDocuments || x.e.cfg.Blobs == nil {
		return false
	}
	if x.q.RedactSecret {
		for _, d := range s.Documents {
			c := x.cases[d.CaseID]
			if d.SHA256 != sha || c == nil {
				continue
			}
			def, err := x.e.Definition(c.Hash)
			if err != nil {
				return false
			}
			if t, ok := def.Document(d.Type); ok && t.Secret != nil {
				return false
			}
		}
	}
	f, err := x.e.cfg.Blobs.Get(sha)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
