package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// clock is a clock that tests move by hand.
type clock struct{ at atomic.Int64 }

func newClock(s string) *clock {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	c := &clock{}
	c.at.Store(t.UnixMicro())
	return c
}

func (c *clock) now() time.Time { return time.UnixMicro(c.at.Load()).UTC() }

func (c *clock) add(d time.Duration) { c.at.Add(d.Microseconds()) }

// office is a SUA with two Comuni, and one actor per role.
type office struct {
	*engine.Engine
	db                                          *store.DB
	clock                                       *clock
	rup, director, clerk, phase, mayor          auth.Actor
	otherRUP, auditor, strangerClerk, committee auth.Actor
}

// each runs f on both databases with the workflows given (nil: those that ship).
func each(t *testing.T, yaml map[string]string, f func(t *testing.T, o *office), change ...func(*engine.Config)) {
	t.Helper()
	c := newClock("2026-03-02T08:00:00Z")
	storetest.Each(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB) {
		c.at.Store(newClock("2026-03-02T08:00:00Z").at.Load())
		f(t, newOffice(t, db, c, yaml, change...))
	})
}

// config is the engine's, with the workflows given (nil: those that ship).
func config(t testing.TB, db *store.DB, yaml map[string]string) engine.Config {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	if yaml != nil {
		fsys := fstest.MapFS{}
		for name, text := range yaml {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if cfg.Sources, err = flow.Sources(fsys); err != nil {
			t.Fatal(err)
		}
	}
	cfg.DB = db
	if cfg.Blobs, err = blob.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func newOffice(t testing.TB, db *store.DB, c *clock, yaml map[string]string, change ...func(*engine.Config)) *office {
	t.Helper()
	cfg := config(t, db, yaml)
	for _, f := range change {
		f(&cfg)
	}
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Engine: e, db: db, clock: c}
	for _, b := range []store.Body{
		{ID: "padova", Kind: "provincia", Name: "Provincia di Padova", TaxCode: "80006510285", Patron: "06-13"},
		{ID: "conselve", Kind: "comune", Name: "Comune di Conselve", TaxCode: "80009330285"},
		{ID: "este", Kind: "comune", Name: "Comune di Este", TaxCode: "00647320282"},
		{ID: "treviso", Kind: "provincia", Name: "Provincia di Treviso", TaxCode: "80008870265"},
	} {
		if _, err := e.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, body := range []string{"conselve", "este"} {
		a := store.Agreement{ID: "a-" + body, MemberBody: body, SUA: "padova", ValidFrom: "2025-01-01", Acts: map[string]string{"decision": "member", "award": "sua"}}
		if err := e.SaveAgreement(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	person := func(id, body, role string) auth.Actor {
		if err := e.SavePerson(t.Context(), store.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:]}, []auth.Membership{{Body: body, Role: role}}); err != nil {
			t.Fatal(err)
		}
		a, err := e.ActorByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	o.rup, o.otherRUP, o.mayor = person("rup", "conselve", "rup"), person("altro", "este", "rup"), person("dirigente", "conselve", "member_director")
	o.director, o.clerk, o.phase = person("direttore", "padova", "sua_director"), person("istruttore", "padova", "sua_clerk"), person("responsabile", "padova", "sua_phase_manager")
	o.committee, o.auditor, o.strangerClerk = person("commissaria", "padova", "committee"), person("revisore", "*", "auditor"), person("estraneo", "treviso", "sua_clerk")
	return o
}

// small is a workflow that uses one of everything, small enough to read.
const small = `
workflow: parcel
version: 1
case: parcel
label: {it: Plico, en: Parcel}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Oggetto, en: Subject}}
  amount: {type: money, label: {it: Importo, en: Value}}
  due:    {type: date, label: {it: Entro, en: By}}
registers:
  offers:
    label: {it: Offerte, en: Offers}
    columns: {operator: text, score: percent}
    secret: {until: {score: [done]}, see: [committee]}
children: {items: {workflow: item, label: {it: Elementi, en: Items}}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  sent:  {stage: work, label: {it: Inviato, en: Sent}}
  done:  {stage: work, final: completed, label: {it: Fatto, en: Done}}
  lost:  {stage: work, final: lost, label: {it: Perso, en: Lost}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, term: request.answer_days, counted: calendar_roll, while: [sent], at_expiry: {fire: time_out}}
events:
  fill:     {label: {it: Compila, en: Fill}, by: [rup], from: [draft], to: same, input: {title: {field: title, optional: true}, amount: {field: amount, optional: true}, due: {field: due, optional: true}}}
  add_item: {label: {it: Aggiungi, en: Add}, by: [rup], from: [draft], to: same, input: {name: {type: text, label: {it: Nome, en: Name}}}, then: [{open: items, copy: [{from: name, to: title}]}]}
  offer:    {label: {it: Offerta, en: Offer}, by: [sua_clerk], from: [sent], to: same, input: {row: {row: offers, columns: [operator]}}}
  score:    {label: {it: Punteggi, en: Scores}, by: [committee], from: [sent], to: same, input: {scores: {rows: offers, columns: [score]}}}
  send:
    label: {it: Invia, en: Send}
    by: [rup]
    from: [draft]
    to: sent
    input: {effective: {type: date, optional: true, label: {it: Ricevuto, en: Received}}}
    documents: [request_form]
    guards: [agreement_active, {fields_filled: {fields: [title, amount]}}, {children_exist: {children: items}}]
    warns: [{fields_filled: {fields: [due]}}]
    then: [{start: answer}, {tell: items, event: go}, {notify: sent, to: [sua_director]}]
  time_out: {label: {it: Silenzio, en: Silence}, by: [system], from: [sent], to: done, then: [{tell: items, event: stop}]}
  finish:   {label: {it: Concludi, en: Finish}, by: [sua_director], from: [sent], to: done, guards: [{children_ended: {children: items}}]}
  lose:     {label: {it: Perdi, en: Lose}, by: [sua_clerk], from: [{stage: work}], to: lost}
  all_over: {label: {it: Tutti finiti, en: All over}, by: [system], from: [sent], to: done}
joins: [{children: items, all: final, fire: all_over}]
`

const item = `
workflow: item
version: 1
case: item
label: {it: Elemento, en: Item}
start: idle
stages: {work: {label: {it: Lavoro, en: Work}}}
fields: {title: {type: text, label: {it: Nome, en: Name}}}
states:
  idle:  {stage: work, label: {it: Fermo, en: Idle}}
  going: {stage: work, label: {it: In corso, en: Going}}
  over:  {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  go:    {label: {it: Vai, en: Go}, by: [parent], from: [idle], to: going}
  stop:  {label: {it: Ferma, en: Stop}, by: [parent], from: [going, idle], to: over}
  close: {label: {it: Chiudi, en: Close}, by: [rup], from: [going], to: over}
`

var parcel = map[string]string{"parcel.v1.yaml": small, "item.v1.yaml": item}

// opened opens a parcel with title, amount and one item, and uploads its form.
func opened(t *testing.T, o *office) (id, itemID string) {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "parcel", Inputs: map[string]any{"title": "Scuola à la Conselve", "amount": 330783624}})
	if err != nil {
		t.Fatal(err)
	}
	added := fire(t, o, o.rup, m.Case, "add_item", map[string]any{"name": "uno"})
	if len(added.Opened) != 1 {
		t.Fatalf("add_item opened %v", added.Opened)
	}
	if _, err := o.Attach(t.Context(), o.rup, engine.Attach{Case: m.Case, Type: "request_form", Name: "richiesta.pdf", Bytes: strings.NewReader("%PDF-1.7")}); err != nil {
		t.Fatal(err)
	}
	return m.Case, added.Opened[0]
}

func fire(t *testing.T, o *office, who auth.Actor, id, event string, in map[string]any, acks ...engine.Acknowledgement) engine.Moved {
	t.Helper()
	m, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: event, Inputs: in, Acknowledge: acks})
	if err != nil {
		t.Fatalf("%s: %v", event, describe(err))
	}
	return m
}

func describe(err error) string {
	var r *engine.Refused
	if errors.As(err, &r) {
		var parts []string
		for _, x := range r.Refusals {
			parts = append(parts, x.Code+": "+x.Text.IT)
		}
		return strings.Join(parts, "; ")
	}
	return err.Error()
}

var dueAck = engine.Acknowledgement{Code: "fields_empty", Reason: "data da fissare"}

func TestSendAndTacitExpiry(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, itemID := opened(t, o)
		_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "send"})
		var ask *engine.NeedsAcknowledgement
		if !errors.As(err, &ask) || ask.Warnings[0].Code != "fields_empty" {
			t.Fatalf("send = %v, want a warning", err)
		}
		m := fire(t, o, o.rup, id, "send", map[string]any{"effective": "2026-02-27"}, dueAck)
		if m.To != "sent" || m.Effective.Format(time.DateOnly) != "2026-02-26" { // midnight in Rome is the evening before in UTC
			t.Fatalf("sent: %+v", m)
		}
		child, err := o.Case(t.Context(), o.rup, itemID)
		if err != nil || child.State.ID != "going" {
			t.Fatalf("item told: %v %v", child.State, err)
		}
		v, err := o.Case(t.Context(), o.clerk, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Deadlines) != 1 || v.Deadlines[0].LastDay != "2026-03-09" || v.NextDue == nil {
			t.Fatalf("deadline %+v next %v", v.Deadlines, v.NextDue)
		}
		if n, err := o.ExpireDue(t.Context()); n != 0 || err != nil {
			t.Fatalf("early: %d %v", n, err)
		}
		o.clock.add(8 * 24 * time.Hour)
		if n, err := o.ExpireDue(t.Context()); n != 1 || err != nil {
			t.Fatalf("expire: %d %v", n, err)
		}
		v, _ = o.Case(t.Context(), o.clerk, id)
		if v.State.ID != "done" || v.Outcome != "completed" || v.Deadlines[0].Status != store.Expired || v.NextDue != nil {
			t.Fatalf("after expiry %v %q %+v %v", v.State, v.Outcome, v.Deadlines, v.NextDue)
		}
		h, err := o.History(t.Context(), o.auditor, id, 0, 0)
		if err != nil || !h.Verified {
			t.Fatalf("history %v %q", err, h.Broken)
		}
		var story []string
		for _, i := range h.Items {
			story = append(story, i.Event)
		}
		if got := strings.Join(story, " "); got != "open add_item open attach send go time_out stop" {
			t.Errorf("story: %s", got)
		}
	})
}

func TestJoinEndsTheParent(t *testing.T) {
	each(t, parcel, func(t *testing.T, o *office) {
		id, itemID := opened(t, o)
		fire(t, o, o.rup, id, "send", nil, dueAck)
		fire(t, o, o.rup, itemID, "close", nil)
		v, err := o.Case(t.Context(), o.rup, id)
		if err != nil || v.State.ID != "done" || v.Deadlines[0].Status != store.Cancelled {
			t.Fatalf("joined: %v %v %+v", v.State, err, v.Deadlines)
		}
	})
}

// newStore is an empty SQLite database with a clock that stands still, for what does not depend on the database.
func newStore(t *testing.T) *store.DB {
	return storetest.SQLite(t, store.Options{Now: newClock("2026-03-02T08:00:00Z").now})
}
