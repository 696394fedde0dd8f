package engine_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// vault has no secret event: what makes its inputs secret is where they go.
const vault = `
workflow: vault
version: 1
case: vault
label: {it: Cassaforte, en: Vault}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
  price: {type: text, label: {it: Prezzo, en: Price}, secret: {until: [opened], see: [committee]}}
  why:   {type: text, label: {it: Perché, en: Why}, secret: {until: [], see: [committee]}}
  who:   {type: text, label: {it: Chi, en: Who}, secret: {until: [opened], see: [committee]}}
children:
  boxes: {workflow: box, label: {it: Cassette, en: Boxes}}
states:
  draft:  {stage: work, label: {it: Bozza, en: Draft}}
  opened: {stage: work, label: {it: Aperta, en: Opened}}
  done:   {stage: work, final: done, label: {it: Fatta, en: Done}}
events:
  begin:
    label: {it: Apri, en: Begin}
    by: [committee]
    opens: true
    to: draft
    input: {title: {field: title}}
  offer:
    label: {it: Registra, en: Record}
    by: [committee]
    from: [draft]
    to: same
    input:
      amount: {type: text, label: {it: Importo, en: Amount}}
      reason: {type: text, label: {it: Motivo, en: Reason}}
      person: {type: text, personal: true, label: {it: Nome, en: Name}}
      plain:  {type: text, label: {it: Nota, en: Note}}
    then: [{set: price, from: amount}, {set: why, from: reason}, {set: who, from: person}, {notify: request_rejected, to: [sua_clerk, sua_director]}]
  put:
    label: {it: Riponi, en: Put}
    by: [committee]
    from: [draft]
    to: same
    input: {content: {type: text, label: {it: Contenuto, en: Content}}}
    then: [{open: boxes, copy: [{content: inside}]}]
  swap:
    label: {it: Scambia, en: Swap}
    by: [committee]
    from: [draft]
    to: same
    input: {other: {type: text, label: {it: Altro, en: Other}}}
    then: [{tell: boxes, event: change, copy: [{other: inside}]}]
  unseal: {label: {it: Apri buste, en: Unseal}, by: [sua_clerk], from: [draft], to: opened}
  end:    {label: {it: Fine, en: End}, by: [sua_clerk], from: [opened], to: done}
`

const vaultBox = `
workflow: box
version: 1
case: box
label: {it: Cassetta, en: Box}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  inside: {type: text, label: {it: Dentro, en: Inside}, secret: {until: [open], see: [committee]}}
states:
  draft:  {stage: work, label: {it: Chiusa, en: Closed}}
  open:   {stage: work, final: done, label: {it: Aperta, en: Open}}
  gone:   {stage: work, final: gone, label: {it: Superata, en: Gone}}
events:
  begin:   {label: {it: Nasce, en: Begin}, by: [parent], opens: true, to: draft, input: {inside: {field: inside, optional: true}}}
  change:  {label: {it: Cambia, en: Change}, by: [parent], from: [draft], to: same, input: {inside: {field: inside, optional: true}}}
  show:    {label: {it: Mostra, en: Show}, by: [sua_clerk], from: [draft], to: open}
  abandon: {label: {it: Lascia, en: Leave}, by: [parent], from: [draft], to: gone}
`

var vaultFiles = map[string]string{"vault.v1.yaml": vault, "box.v1.yaml": vaultBox}

// vaultWords are what was typed into inputs that go into secret fields, and whether a state of the case opens the field.
var vaultWords = map[string]bool{"segretoimporto": true, "segretomotivo": false, "segretonome": true, "segretocontenuto": false, "segretoaltro": false}

func vaultCase(t *testing.T, o *office) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.committee, engine.Open{Workflow: "vault", MemberBody: "conselve", Inputs: map[string]any{"title": "Cassaforte"}})
	if err != nil {
		t.Fatal(describe(err))
	}
	for _, f := range []engine.Fire{
		{Event: "offer", Inputs: map[string]any{"amount": "segretoimporto", "reason": "segretomotivo", "person": "segretonome", "plain": "notapalese"}},
		{Event: "put", Inputs: map[string]any{"content": "segretocontenuto"}},
		{Event: "swap", Inputs: map[string]any{"other": "segretoaltro"}},
	} {
		f.Case, f.Key = m.Case, "k-"+f.Event
		if _, err := o.Fire(t.Context(), o.committee, f); err != nil {
			t.Fatal(f.Event, describe(err))
		}
	}
	return m.Case
}

// leaves is what an actor takes from a case by every way: read models, change feed, dossier.
func leaves(t *testing.T, o *office, who auth.Actor, id string, q engine.Export) string {
	t.Helper()
	var out strings.Builder
	out.WriteString(told(t, o, who, id))
	storetest.Settle(t, o.db)
	feed, err := o.Changes(t.Context(), who, engine.ChangeQuery{})
	if err != nil {
		t.Fatal(err)
	}
	asOf, err := o.AsOf(t.Context(), who, id, o.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	var stale *engine.Stale
	if _, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: "offer", Revision: 1}); !errors.As(err, &stale) || len(stale.Changes) == 0 {
		t.Fatalf("an answer to a stale page: %v", err)
	}
	b, err := json.Marshal([]any{feed, asOf, stale.Changes})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	q.Case = id
	file, _ := taken(t, o, who, q)
	out.WriteString(unzipped(t, file))
	return out.String()
}

// What goes into a secret field is nowhere open: not in the open part of the event, nor in what anybody keeps or is sent.
func TestAnInputIsAsSecretAsWhereItGoes(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		p := &postbox{}
		o := newOffice(t, db, c, vaultFiles, withPost(p))
		addresses(t, o)
		id := vaultCase(t, o)
		if _, err := o.ExpandOutbox(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		deliver(t, o)
		for word := range vaultWords {
			for _, column := range []string{"events.open_body", "events.header", "outbox.payload", "notices.params", "idempotency.answer"} {
				if n := holding(t, raw, column, word); n > 0 {
					t.Errorf("%q stands in %d rows of %s", word, n, column)
				}
			}
		}
		for _, m := range p.take() {
			if strings.Contains(m.Text+m.Subject+m.HTML, "segreto") {
				t.Errorf("a mail to %s tells: %s", m.To, m.Text)
			}
		}
		judgeSecret(t, o, id, slices.Collect(maps.Keys(vaultWords)), "notapalese") // which goes into no secret field
		fire(t, o, o.clerk, id, "unseal", nil)
		text := leaves(t, o, o.rup, id, engine.Export{})
		for word, opens := range vaultWords {
			if strings.Contains(text, word) != opens {
				t.Errorf("once unsealed the RUP reads %q: %v", word, !opens)
			}
		}
	})
}

// judgeSecret looks at the story from inside and from outside, by every way on which it leaves: the committee reads the words, who may not
// see them does not, and reads what is open.
func judgeSecret(t *testing.T, o *office, id string, words []string, plain string) {
	t.Helper()
	inside := leaves(t, o, o.committee, id, engine.Export{})
	redacted, _ := taken(t, o, o.committee, engine.Export{Case: id, RedactSecret: true})
	for _, word := range words {
		if !strings.Contains(inside, word) {
			t.Errorf("the committee does not read %q", word)
		}
		if strings.Contains(unzipped(t, redacted), word) {
			t.Errorf("an export without secrets tells %q", word)
		}
	}
	for _, who := range []auth.Actor{o.rup, o.clerk, o.auditor} {
		text := leaves(t, o, who, id, engine.Export{})
		for _, word := range words {
			if i := strings.Index(text, word); i >= 0 {
				t.Errorf("%s reads %q: …%s…", who.ID, word, text[max(0, i-300):i+20])
			}
		}
		if !strings.Contains(text, plain) {
			t.Errorf("%s does not read %q", who.ID, plain)
		}
	}
	v, err := o.Verify(t.Context(), engine.Verify{})
	if err != nil || len(v.Findings) > 0 {
		t.Errorf("verify: %+v, %v", v.Findings, err)
	}
}

// holding counts the rows whose column holds a word.
func holding(t *testing.T, raw storetest.Raw, column, word string) int {
	t.Helper()
	table, name, _ := strings.Cut(column, ".")
	rows, err := raw.DB.QueryContext(t.Context(), "SELECT "+name+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), word) {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// A story written before inputs followed their fields has them in the open part. It still verifies and rebuilds its case, and what
// may not be read there is not told: the part goes out as its digest.
func TestOldStoriesKeepTheirSecretsToo(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		o := newOffice(t, db, c, vaultFiles)
		id := vaultCase(t, o)
		asBefore(t, o, raw, id)
		if n := holding(t, raw, "events.open_body", "segretoimporto"); n != 1 {
			t.Fatalf("the story is not as it was written before: %d", n)
		}
		judgeSecret(t, o, id, slices.Collect(maps.Keys(vaultWords)), "notapalese") // which goes into no secret field
	})
}

// asBefore writes a story anew with every secret input in the open part, as the program once did.
func asBefore(t *testing.T, o *office, raw storetest.Raw, id string) {
	t.Helper()
	all, err := o.db.History(t.Context(), store.Everything, id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var prev []byte
	for _, e := range all {
		h, err := audit.Parse(e.Header)
		if err != nil {
			t.Fatal(err)
		}
		open, secret := map[string]any{}, map[string]any{}
		for into, b := range map[*map[string]any][]byte{&open: e.OpenBody, &secret: e.SecretBody} {
			if len(b) > 0 {
				if err := json.Unmarshal(b, into); err != nil {
					t.Fatal(err)
				}
			}
		}
		if given, ok := secret["inputs"].(map[string]any); ok {
			if open["inputs"] == nil {
				open["inputs"] = map[string]any{}
			}
			for k, v := range given {
				open["inputs"].(map[string]any)[k] = v
			}
			delete(secret, "inputs")
		}
		warningsAsBefore(open, secret)
		s, err := audit.Seal(h, audit.Parts{Open: part(t, open), Secret: part(t, secret), Personal: audit.Part{Salt: e.PersonalSalt, Body: e.PersonalBody}}, prev)
		if err != nil {
			t.Fatal(err)
		}
		prev = s.Hash
		p := s.Parts
		raw.Exec("UPDATE events SET header = $1, hash = $2, open_salt = $3, open_body = $4, secret_salt = $5, secret_body = $6 WHERE root = $7 AND seq = $8",
			s.Header, s.Hash, p.Open.Salt, p.Open.Body, p.Secret.Salt, p.Secret.Body, id, e.Seq)
	}
	raw.Exec("UPDATE cases SET chain_hash = $1 WHERE id = $2", prev, id)
}

// warningsAsBefore puts the accepted warnings into the open part, without what is noted beside them now.
func warningsAsBefore(open, secret map[string]any) {
	var all []any
	for _, from := range []map[string]any{open, secret} {
		list, _ := from["acknowledged"].([]any)
		delete(from, "acknowledged")
		for _, x := range list {
			a, _ := x.(map[string]any)
			if a["code"] != "secret_warning" {
				all = append(all, map[string]any{"code": a["code"], "text": a["text"], "reason": a["reason"]})
			}
		}
	}
	if len(all) > 0 {
		open["acknowledged"] = all
	}
}

func part(t *testing.T, body map[string]any) audit.Part {
	t.Helper()
	if len(body) == 0 {
		return audit.Part{}
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return audit.NewPart(b)
}
