package engine_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// attacked is a database with two trees that somebody edits behind the program's back.
type attacked struct {
	*office
	raw        storetest.Raw
	root, item string // of the tree that is attacked: its root and the case below it
	other      string // the root of another tree
	last       int64  // number of events of the first tree
}

func (a *attacked) event(t *testing.T, seq int64) store.Event {
	t.Helper()
	all, err := a.db.History(t.Context(), store.Everything, a.root, seq-1, 1)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// attack is an edit, the event at which it must be found (0: not at one event) and words of what is said of it.
type attack struct {
	do   func(t *testing.T, a *attacked)
	seq  int64 // negative: counted from the last event
	want string
	also string // said of the other tree
}

// attacks are those of whoever may write anything into the tables.
var attacks = map[string]attack{
	"edit a header": {func(t *testing.T, a *attacked) {
		e := a.event(t, 2)
		a.raw.Exec("UPDATE events SET header = $1 WHERE root = $2 AND seq = 2", bytes.Replace(e.Header, []byte(`"rup"`), []byte(`"rop"`), 1), a.root)
	}, 2, "l'intestazione non corrisponde alla sua impronta", ""},
	"edit a header and its hash": {func(t *testing.T, a *attacked) {
		e := a.event(t, 2)
		forged := forge(t, e, func(h *audit.Header) { h.Actor = "clerk" })
		a.raw.Exec("UPDATE events SET header = $1, hash = $2, actor = 'clerk' WHERE root = $3 AND seq = 2", forged.Header, forged.Hash, a.root)
	}, 3, "non è legato all'evento che lo precede", ""},
	"edit a hash": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET hash = $1 WHERE root = $2 AND seq = 3", make([]byte, 32), a.root)
	}, 3, "l'intestazione non corrisponde alla sua impronta", ""},
	"edit the open part": {func(t *testing.T, a *attacked) {
		e := a.event(t, 1)
		a.raw.Exec("UPDATE events SET open_body = $1 WHERE root = $2 AND seq = 1", bytes.Replace(e.OpenBody, []byte("330783624"), []byte("930783624"), 1), a.root)
	}, 1, "la parte aperta non corrisponde alla sua impronta", ""},
	"put a part in place of its salt": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET open_salt = NULL, open_body = $1 WHERE root = $2 AND seq = 1", []byte(`{"fields":{}}`), a.root)
	}, 1, "la parte aperta non corrisponde alla sua impronta", ""},
	"take the open part away": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET open_salt = NULL, open_body = NULL WHERE root = $1 AND seq = 1", a.root)
	}, 1, "la parte aperta è stata tolta", ""},
	"edit a column": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET actor = 'clerk' WHERE root = $1 AND seq = 2", a.root)
	}, 2, "le colonne dell'evento dicono altro", ""},
	"give an event to other bodies": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET member_body = 'este' WHERE root = $1 AND seq = 2", a.root)
	}, 2, "enti che non sono quelli della pratica", ""},
	"delete from the middle": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("DELETE FROM events WHERE root = $1 AND seq = 3", a.root)
	}, 3, "qui doveva esserci l'evento 3 e c'è il 4", ""},
	"delete and close the gap": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("DELETE FROM events WHERE root = $1 AND seq = 3", a.root)
		for seq := int64(4); seq <= a.last; seq++ {
			a.raw.Exec("UPDATE events SET seq = $1 WHERE root = $2 AND seq = $3", seq-1, a.root, seq)
		}
	}, 3, "qui doveva esserci l'evento 3 e c'è il 4", ""},
	"insert in the middle": {func(t *testing.T, a *attacked) {
		e := a.event(t, 2)
		for seq := a.last; seq >= 3; seq-- {
			a.raw.Exec("UPDATE events SET seq = $1 WHERE root = $2 AND seq = $3", seq+1, a.root, seq)
		}
		e.Seq = 3
		a.insert(forged(t, e, e.Hash))
	}, 4, "qui doveva esserci l'evento 4 e c'è il 3", ""},
	"insert at the end": {func(t *testing.T, a *attacked) {
		e := a.event(t, a.last)
		e.Seq = a.last + 1
		a.insert(forged(t, e, e.Hash))
	}, -1, "la coda è stata tagliata o aggiunta", ""},
	"reorder": {func(_ *testing.T, a *attacked) {
		for _, s := range [][2]int64{{2, 1000}, {3, 2}, {1000, 3}} {
			a.raw.Exec("UPDATE events SET seq = $1 WHERE root = $2 AND seq = $3", s[1], a.root, s[0])
		}
	}, 2, "qui doveva esserci l'evento 2 e c'è il 3", ""},
	"swap between trees": {func(_ *testing.T, a *attacked) {
		for _, s := range [][2]string{{a.root, "aside"}, {a.other, a.root}, {"aside", a.other}} {
			a.raw.Exec("UPDATE events SET root = $1 WHERE root = $2 AND seq = 2", s[1], s[0])
		}
	}, 2, "appartiene a un'altra storia", "appartiene a un'altra storia"},
	"cut the tail": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("DELETE FROM events WHERE root = $1 AND seq = $2", a.root, a.last)
	}, 0, "la coda è stata tagliata o aggiunta", ""},
	"cut the tail and move the head": {func(t *testing.T, a *attacked) {
		e := a.event(t, a.last-1)
		a.raw.Exec("DELETE FROM events WHERE root = $1 AND seq = $2", a.root, a.last)
		a.raw.Exec("UPDATE cases SET chain_seq = $1, chain_hash = $2 WHERE id = $3", a.last-1, e.Hash, a.root)
	}, 0, "nessun evento ne parla", ""}, // the document of the event cut; an attacker who edits that too needs the checkpoint: log_test
	"edit the state": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET state = 'sent' WHERE id = $1", a.root)
	}, 0, "stato: la pratica dice «sent», la storia «draft»", ""},
	"edit the amount": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET data = $1 WHERE id = $2", `{"title": "Scuola à la Conselve", "amount": 1}`, a.root)
	}, 0, "dato amount: la pratica dice «1», la storia «330783624»", ""},
	"edit a column of lists": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET amount = 1 WHERE id = $1", a.root)
	}, 0, "importo negli elenchi", ""},
	"make a column unreadable": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET data = $1 WHERE id = $2", `{"amount": 1.5}`, a.root)
	}, 0, "una riga non è leggibile", ""},
	"assign to somebody else": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET rup = 'clerk' WHERE id = $1", a.root)
	}, 0, "RUP: la pratica dice «clerk»", ""},
	"move a case to other bodies": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET member_body = 'este' WHERE id = $1", a.item)
		a.raw.Exec("UPDATE events SET member_body = 'este' WHERE case_id = $1", a.item)
	}, 0, "enti: la pratica dice", ""},
	"edit a document's record": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE documents SET name = 'altro.pdf' WHERE case_id = $1", a.root)
	}, 0, "la scheda dice altro dall'evento", ""},
	"delete a document's record": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("DELETE FROM documents WHERE case_id = $1", a.root)
	}, 0, "manca", ""},
	"move bytes from a part into its salt": {func(t *testing.T, a *attacked) {
		e := a.event(t, 1)
		a.raw.Exec("UPDATE events SET open_salt = $1, open_body = $2 WHERE root = $3 AND seq = 1", slices.Concat(e.OpenSalt, e.OpenBody[:1]), e.OpenBody[1:], a.root)
	}, 1, "la parte aperta non corrisponde alla sua impronta", ""},
	"raise the version": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET version = 99 WHERE id = $1", a.root)
	}, 0, "versione del flusso: la pratica dice «99»", ""},
	"call the case another kind": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE cases SET workflow = 'litigation' WHERE id = $1", a.root)
	}, 0, "flusso: la pratica dice «litigation»", ""},
	"give a document to other bodies": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE documents SET sua = 'este' WHERE case_id = $1", a.root)
	}, 0, "è intestato a enti che non sono quelli della pratica", ""},
	"invent a term": {func(_ *testing.T, a *attacked) {
		a.raw.Exec(`INSERT INTO deadlines (id, case_id, root, member_body, sua, name, status, started_at, started_seq, due_at, last_day, explanation, revision, next_try)
			SELECT 'invented', id, root, member_body, sua, 'invented', 'running', opened_at, 1, opened_at, '2026-03-02', '{"it": "x", "en": "x"}', 1, opened_at FROM cases WHERE id = $1`, a.root)
	}, 0, "termine invented, cominciato con l'evento 1: nessun evento ne parla", ""},
	"forget the tree": {func(_ *testing.T, a *attacked) {
		a.raw.Exec("UPDATE events SET root = 'nowhere' WHERE root = $1", a.root)
	}, 0, "la pratica non ha alcun evento", ""},
	"edit a definition": {func(t *testing.T, a *attacked) {
		all, err := a.db.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for _, p := range all {
				if _, err := a.raw.DB.Exec(a.raw.Text("UPDATE definitions SET source = $1 WHERE hash = $2"), p.Source, p.Hash); err != nil {
					t.Error(err)
				}
			}
		})
		a.raw.Exec("UPDATE definitions SET source = $1", []byte("{}"))
	}, 1, "la definizione che seguiva manca o è stata cambiata", "la definizione che seguiva manca"},
}

func (a *attacked) insert(e store.Event) {
	a.raw.Exec(`INSERT INTO events (root, seq, case_id, member_body, sua, event, at, effective, actor, header, hash)
		SELECT root, $1, case_id, member_body, sua, event, at, effective, actor, $2, $3 FROM events WHERE root = $4 AND seq = $5`, e.Seq, e.Header, e.Hash, a.root, e.Seq-1)
}

// forged is an event that follows another, sealed as the program would.
func forged(t *testing.T, e store.Event, prev []byte) store.Event {
	t.Helper()
	h, err := audit.Parse(e.Header)
	if err != nil {
		t.Fatal(err)
	}
	h.Seq = e.Seq
	s, err := audit.Seal(h, audit.Parts{}, prev)
	if err != nil {
		t.Fatal(err)
	}
	e.Header, e.Hash = s.Header, s.Hash
	return e
}

// forge rewrites a header with a right hash of its own.
func forge(t *testing.T, e store.Event, change func(*audit.Header)) audit.Sealed {
	t.Helper()
	h, err := audit.Parse(e.Header)
	if err != nil {
		t.Fatal(err)
	}
	change(&h)
	prev := make([]byte, len(h.Prev)/2)
	if _, err := fmt.Sscanf(h.Prev, "%x", &prev); err != nil {
		t.Fatal(err)
	}
	s, err := audit.Seal(h, audit.Parts{Open: audit.Part{Salt: e.OpenSalt, Body: e.OpenBody}, Secret: audit.Part{Salt: e.SecretSalt, Body: e.SecretBody},
		Personal: audit.Part{Salt: e.PersonalSalt, Body: e.PersonalBody}}, prev)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever somebody edits in the tables is found, at the right place, and said in Italian; the other tree is left in peace.
func TestTamperingIsFound(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		o := newOffice(t, db, c, parcel)
		for _, name := range slices.Sorted(maps.Keys(attacks)) {
			t.Run(name, func(t *testing.T) {
				test := attacks[name]
				a := &attacked{office: o, raw: raw}
				a.root, a.item = opened(t, o)
				a.other, _ = opened(t, o)
				h, err := o.History(t.Context(), o.rup, a.root, 0, 0)
				if err != nil || !h.Verified {
					t.Fatalf("before: %v %s", err, h.Broken)
				}
				a.last = int64(len(h.Items))
				clean(t, a.verify(t, a.root))
				test.do(t, a)
				a.judge(t, test)
				a.forget()
			})
		}
	})
}

func (a *attacked) verify(t *testing.T, root string) engine.Verification {
	t.Helper()
	v, err := a.Verify(t.Context(), engine.Verify{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// judge verifies everything and looks at what is said of the attacked tree.
func (a *attacked) judge(t *testing.T, want attack) {
	t.Helper()
	if want.seq < 0 {
		want.seq = a.last + 1
	}
	v, err := a.Verify(t.Context(), engine.Verify{})
	if err != nil {
		t.Fatal(err)
	}
	var mine, others []engine.Finding
	for _, f := range v.Findings {
		switch f.Root {
		case a.root:
			mine = append(mine, f)
		case a.other:
			others = append(others, f)
		}
	}
	if len(mine) == 0 || !strings.Contains(mine[0].Text, want.want) || want.seq > 0 && mine[0].Seq != want.seq {
		t.Errorf("found %+v, want at %d: …%s…", mine, want.seq, want.want)
	}
	if (want.also == "") != (len(others) == 0) || want.also != "" && !strings.Contains(others[0].Text, want.also) {
		t.Errorf("of the other tree: %+v, want %q", others, want.also)
	}
}

// forget removes both trees, so that the next attack begins with a clean database.
func (a *attacked) forget() {
	for _, sql := range []string{"DELETE FROM events", "DELETE FROM case_rows", "DELETE FROM documents", "DELETE FROM deadlines", "DELETE FROM notices", "DELETE FROM outbox", "DELETE FROM case_search", "DELETE FROM cases WHERE parent IS NOT NULL", "DELETE FROM cases"} {
		if _, err := a.raw.DB.Exec(sql); err != nil {
			panic(err)
		}
	}
}

func clean(t *testing.T, v engine.Verification) {
	t.Helper()
	if len(v.Findings) > 0 || v.Trees != 1 {
		t.Fatalf("before: %+v", v)
	}
}
