package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// quiet is a workflow whose guards look at secrets: they warn, refuse, hold a term back, and speak from a case below.
const quiet = `
workflow: quiet
version: 1
case: quiet
label: {it: Riservata, en: Quiet}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Oggetto, en: Subject}}
  public: {type: text, label: {it: Pubblico, en: Public}}
  code:   {type: cig, label: {it: Codice, en: Code}, secret: {until: [opened], see: [committee]}}
  hush:   {type: date, label: {it: Giorno, en: Day}, secret: {until: [opened], see: [committee]}}
registers:
  bids:
    label: {it: Offerte, en: Bids}
    columns:
      operator: text
      admission: {type: choice, of: {admitted: {it: Ammessa, en: Admitted}, excluded: {it: Esclusa, en: Excluded}}}
      guarantee: {type: choice, of: {present: {it: Presente, en: There}, missing: {it: Manca, en: Missing}}}
    secret: {until: [opened], see: [committee]}
children: {leaves: {workflow: leaf, label: {it: Foglie, en: Leaves}, outlives: true}}
deadlines:
  wait: {label: {it: Attesa, en: Wait}, law: art. 1, term: integration.answer_days, counted: calendar_roll, while: [draft], at_expiry: {fire: lapse}, blocked_by: [provisional_guarantee_ok]}
states:
  draft:  {stage: work, label: {it: Bozza, en: Draft}}
  opened: {stage: work, label: {it: Aperta, en: Opened}}
  done:   {stage: work, final: done, label: {it: Fatta, en: Done}}
events:
  begin:  {label: {it: Apri, en: Begin}, by: [committee], opens: true, to: draft, input: {title: {field: title}, hush: {field: hush}}, then: [{start: wait}, {open: leaves}]}
  bid:    {label: {it: Offerta, en: Bid}, by: [committee], from: [draft], to: same, input: {row: {row: bids, columns: [operator, guarantee]}}}
  weigh:  {label: {it: Pesa, en: Weigh}, by: [sua_clerk, committee], from: [draft], to: same, warns: [provisional_guarantee_ok, {effective_after: {field: hush}}, {fields_filled: {fields: [public]}}]}
  number: {label: {it: Numera, en: Number}, by: [committee], from: [draft], to: same, input: {code: {field: code}}}
  halt:   {label: {it: Ferma, en: Halt}, by: [sua_clerk, committee], from: [draft], to: same, guards: [provisional_guarantee_ok, {fields_filled: {fields: [public]}}]}
  push:   {label: {it: Spingi, en: Push}, by: [sua_clerk, committee], from: [draft], to: same, then: [{tell: leaves, event: shoved}]}
  lapse:  {label: {it: Decade, en: Lapse}, by: [system], from: [draft], to: done}
  unseal: {label: {it: Apri buste, en: Unseal}, by: [sua_clerk], from: [draft], to: opened}
  end:    {label: {it: Fine, en: End}, by: [sua_clerk], from: [opened], to: done}
`

const quietLeaf = `
workflow: leaf
version: 1
case: leaf
label: {it: Foglia, en: Leaf}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  gone:  {stage: work, final: gone, label: {it: Via, en: Gone}}
events:
  begin:   {label: {it: Nasce, en: Begin}, by: [parent], opens: true, to: draft}
  ponder:  {label: {it: Medita, en: Ponder}, by: [sua_clerk], from: [draft], to: same, warns: [{effective_after: {parent_field: hush}}]}
  shoved:  {label: {it: Spinta, en: Shoved}, by: [parent], from: [draft], to: same, guards: [{effective_after: {parent_field: hush}}]}
  end:     {label: {it: Fine, en: End}, by: [sua_clerk], from: [draft], to: gone}
  abandon: {label: {it: Lascia, en: Leave}, by: [parent], from: [draft], to: gone}
`

var quietFiles = map[string]string{"quiet.v1.yaml": quiet, "leaf.v1.yaml": quietLeaf}

// quietWords is what the guards quote and what people typed about it.
var quietWords = []string{"segretoperatore", "24 dicembre", "9885182630", "segretomotivo", "segretotto", "segretoleaf"}

// askedFor are the codes of the warnings that somebody is asked to accept.
func askedFor(t *testing.T, err error) []string {
	t.Helper()
	var ask *engine.NeedsAcknowledgement
	if !errors.As(err, &ask) {
		t.Fatalf("no warning: %v", describe(err))
	}
	b, _ := json.Marshal(ask.Warnings)
	if strings.Contains(string(b), "segreto") || strings.Contains(string(b), "24") {
		t.Errorf("a warning tells: %s", b)
	}
	var codes []string
	for _, w := range ask.Warnings {
		codes = append(codes, w.Code)
	}
	return codes
}

// quietCase accepts warnings as who may not see and as who may. It returns the ids of the case and of the leaf.
func quietCase(t *testing.T, o *office) (id, leaf string) {
	t.Helper()
	m, err := o.Open(t.Context(), o.committee, engine.Open{Workflow: "quiet", MemberBody: "conselve", Inputs: map[string]any{"title": "Riservata", "hush": "2026-12-24"}})
	if err != nil {
		t.Fatal(describe(err))
	}
	id, leaf = m.Case, m.Opened[0]
	fire(t, o, o.committee, id, "bid", map[string]any{"row": map[string]any{"operator": "segretoperatore", "guarantee": "missing"}})
	ack := func(codes ...string) []engine.Acknowledgement {
		var out []engine.Acknowledgement
		for i := 0; i < len(codes); i += 2 {
			out = append(out, engine.Acknowledgement{Code: codes[i], Reason: codes[i+1]})
		}
		return out
	}
	try := func(who auth.Actor, id, event string, inputs map[string]any, acks []engine.Acknowledgement) error {
		_, err := o.Fire(t.Context(), who, engine.Fire{Case: id, Event: event, Inputs: inputs, Acknowledge: acks})
		return err
	}
	x := option(t, o, o.clerk, id, "weigh")
	if len(x.Warnings) != 2 || x.Warnings[0].Code != "fields_empty" || x.Warnings[1].Code != "secret_warning" || x.Warnings[1].Law != "" || len(x.Warnings[1].Params) != 0 || !x.Warnings[1].Soft {
		t.Errorf("the clerk is warned of %+v", x.Warnings)
	}
	if got := askedFor(t, try(o.clerk, id, "weigh", nil, nil)); !slices.Equal(got, []string{"fields_empty", "secret_warning"}) {
		t.Errorf("the clerk is asked for %v", got)
	}
	// guessing the guard's own code is no way to find out which it was
	if got := askedFor(t, try(o.clerk, id, "weigh", nil, ack("guarantee_missing", "x", "effective_not_after", "x", "fields_empty", "x"))); !slices.Equal(got, []string{"secret_warning"}) {
		t.Errorf("after a guess the clerk is asked for %v", got)
	}
	for _, step := range []struct {
		who   auth.Actor
		id    string
		event string
		in    map[string]any
		acks  []engine.Acknowledgement
	}{
		{o.clerk, id, "weigh", nil, ack("secret_warning", "segretotto", "fields_empty", "palesemotivo")},
		{o.committee, id, "weigh", nil, ack("guarantee_missing", "segretomotivo", "effective_not_after", "segretomotivo", "fields_empty", "palesemotivo")},
		{o.committee, id, "number", map[string]any{"code": "9885182630"}, ack("checksum", "9885182630 segretomotivo")},
		{o.clerk, leaf, "ponder", nil, ack("secret_warning", "segretoleaf")},
	} {
		if err := try(step.who, step.id, step.event, step.in, step.acks); err != nil {
			t.Fatal(step.event, describe(err))
		}
	}
	return id, leaf
}

// Refusals go the same way: what is open is said beside «not yet», also when a case below refuses.
func quietRefusals(t *testing.T, o *office, id string) {
	t.Helper()
	for _, c := range []struct {
		who   auth.Actor
		event string
		codes []string
	}{
		{o.clerk, "halt", []string{"fields_empty", "not_yet"}},
		{o.committee, "halt", []string{"guarantee_missing", "fields_empty"}},
		{o.clerk, "push", []string{"not_yet"}},
		{o.committee, "push", []string{"effective_not_after"}},
	} {
		_, err := o.Fire(t.Context(), c.who, engine.Fire{Case: id, Event: c.event})
		var no *engine.Refused
		if !errors.As(err, &no) {
			t.Fatalf("%s by %s: %v", c.event, c.who.ID, describe(err))
		}
		var codes []string
		for _, r := range no.Refusals {
			codes = append(codes, r.Code)
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s by %s is refused with %v, want %v", c.event, c.who.ID, codes, c.codes)
		}
	}
}

// accepted are the codes of the warnings that the story of a tree tells somebody, event by event.
func accepted(t *testing.T, o *office, who auth.Actor, id string) map[string][]string {
	t.Helper()
	h, err := o.History(t.Context(), who, id, 0, 0)
	if err != nil || !h.Verified {
		t.Fatal(err, h.Broken)
	}
	out := map[string][]string{}
	for _, x := range h.Items {
		for _, w := range x.Warnings {
			if key := x.Event + " " + x.Actor.ID; w.Code == "secret_warning" && (w.Reason != "" || !x.Hidden) {
				t.Errorf("%s: a neutral warning with reason %q, hidden %v", key, w.Reason, x.Hidden)
			} else {
				out[key] = append(out[key], w.Code)
			}
		}
	}
	return out
}

func same(t *testing.T, who string, got, want map[string][]string) {
	t.Helper()
	for k := range want {
		slices.Sort(got[k])
		if !slices.Equal(got[k], want[k]) {
			t.Errorf("%s reads at %s the warnings %v, want %v", who, k, got[k], want[k])
		}
	}
}

// What a guard says about something secret goes to who may see that thing: the others are told that there is a warning, accept it by that
// code, and never read it; nor the reason, which may quote it.
func TestWarningsAreAsSecretAsWhatTheyRestOn(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		c.at.Store(newClock("2026-03-02T08:00:00Z").at.Load())
		p := &postbox{}
		o := newOffice(t, db, c, quietFiles, withPost(p))
		addresses(t, o)
		id, _ := quietCase(t, o)
		quietRefusals(t, o, id)
		quietTerm(t, o, p, id)
		for _, word := range quietWords {
			for _, column := range []string{"events.open_body", "events.header", "outbox.payload", "notices.params", "idempotency.answer"} {
				if n := holding(t, raw, column, word); n > 0 {
					t.Errorf("%q stands in %d rows of %s", word, n, column)
				}
			}
		}
		judgeSecret(t, o, id, quietWords, "secret_warning")
		neutral := map[string][]string{"weigh istruttore": {"fields_empty", "secret_warning"}, "weigh commissaria": {"fields_empty", "secret_warning"}, "number commissaria": {"secret_warning"}, "ponder istruttore": {"secret_warning"}}
		whole := map[string][]string{
			"weigh istruttore": {"effective_not_after", "fields_empty", "guarantee_missing"}, "weigh commissaria": {"effective_not_after", "fields_empty", "guarantee_missing"},
			"number commissaria": {"checksum"}, "ponder istruttore": {"effective_not_after"},
		}
		same(t, "the clerk", accepted(t, o, o.clerk, id), neutral)
		same(t, "the committee", accepted(t, o, o.committee, id), whole)
		fire(t, o, o.clerk, id, "unseal", nil)
		same(t, "the clerk, once unsealed,", accepted(t, o, o.clerk, id), whole)
		text := leaves(t, o, o.rup, id, engine.Export{})
		for _, word := range []string{"segretoperatore", "segretomotivo", "segretotto", "segretoleaf"} {
			if !strings.Contains(text, word) {
				t.Errorf("once unsealed the RUP does not read %q", word)
			}
		}
	})
}

// quietTerm lets the term run out: it is held back for a reason that only the committee may read, in views and mails alike.
func quietTerm(t *testing.T, o *office, p *postbox, id string) {
	t.Helper()
	o.clock.add(60 * 24 * time.Hour)
	if _, err := o.ExpireDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for want, who := range map[string]auth.Actor{"not_yet": o.clerk, "guarantee_missing": o.committee} {
		v, err := o.Case(t.Context(), who, id)
		if err != nil || len(v.Deadlines) != 1 || v.Deadlines[0].BlockedBy == nil || v.Deadlines[0].BlockedBy.Code != want {
			t.Errorf("%s reads of the term %+v, %v", who.ID, v.Deadlines, err)
		}
	}
	if _, err := o.ExpandOutbox(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	deliver(t, o)
	mails := p.take()
	if len(mails) == 0 {
		t.Error("nobody is told that the term is held back")
	}
	for _, m := range mails {
		if strings.Contains(m.Text+m.Subject+m.HTML, "segreto") || !strings.Contains(m.Text, "Non è ancora possibile") {
			t.Errorf("a mail to %s tells: %s", m.To, m.Text)
		}
	}
}

// Stories written before have every warning in the open part. They verify and rebuild their cases, and who may not see reads no more of
// them than of new ones.
func TestOldWarningsKeepTheirSecretsToo(t *testing.T) {
	c := newClock("2026-03-02T08:00:00Z")
	storetest.EachRaw(t, store.Options{Now: c.now}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		o := newOffice(t, db, c, quietFiles)
		id, _ := quietCase(t, o)
		asBefore(t, o, raw, id)
		if n := holding(t, raw, "events.open_body", "segretoperatore"); n != 2 {
			t.Fatalf("the story is not as it was written before: %d", n)
		}
		judgeSecret(t, o, id, quietWords, "secret_warning")
	})
}
