package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// site has works on it: terms counted from its own days and, in the yards below, from the site's; and duties after its end.
const site = `
workflow: site
version: 1
case: site
label: {it: Cantiere, en: Site}
start: on
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Oggetto, en: Subject}}
  days:   {type: int, label: {it: Durata, en: Duration}}
  begun:  {type: date, label: {it: Consegna, en: Begun}}
  bids:   {type: instant, label: {it: Offerte, en: Bids}}
  amount: {type: money, label: {it: Importo, en: Value}}
  pace:   {type: choice, of: {slow: {it: Lento, en: Slow}, fast: {it: Veloce, en: Fast}}, label: {it: Passo, en: Pace}}
  done:   {type: bool, label: {it: Fatto, en: Done}}
  at:     {type: instant, label: {it: Ora, en: Hour}}
documents: {paper: {label: {it: Carta, en: Paper}}}
registers: {plan: {label: {it: Piano, en: Plan}, columns: {title: text}}}
children: {yards: {workflow: yard, label: {it: Lotti, en: Yards}, outlives: true}}
states:
  on:   {stage: work, label: {it: In corso, en: 'On'}}
  held: {stage: work, label: {it: Sospesa, en: Held}}
  off:  {stage: work, final: over, label: {it: Finita, en: 'Off'}}
deadlines:
  end:    {label: {it: Ultimazione, en: End}, term: {days: days}, counted: calendar_roll, from: {field: begun}, while: [on, held], at_expiry: {alert: [rup]}}
  pauses: {label: {it: Sospensioni, en: Pauses}, term: {share: suspension.limit_fraction, of: days}, counted: calendar, while: [on, held], at_expiry: {alert: [rup]}}
  month:  {label: {it: Mese, en: Month}, term: works.publish_extension_max, counted: months_roll, while: [on, held], at_expiry: {fire: lapse}, blocked_by: [{fields_filled: {fields: [title]}}]}
  hour:   {label: {it: Ora, en: Hour}, until: bids, while: [on], at_expiry: {alert: [rup]}}
  duty:   {label: {it: Esiti, en: Results}, term: request.answer_days, counted: calendar_roll, while: [off], at_expiry: {fire: late}}
events:
  begin:  {label: {it: Apri, en: Begin}, by: [rup], opens: true, to: 'on', input: {days: {field: days, optional: true}, begun: {field: begun, optional: true}, bids: {field: bids, optional: true}, amount: {field: amount, optional: true}, title: {field: title, optional: true}}}
  run:    {label: {it: Vai, en: Run}, by: [rup], from: ['on'], to: same, then: [{start: end}]}
  watch:  {label: {it: Guarda, en: Watch}, by: [rup], from: ['on'], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: Day}}}, then: [{start: month}]}
  open_bids: {label: {it: Offerte, en: Bids}, by: [rup], from: ['on'], to: same, then: [{start: hour}]}
  more:   {label: {it: Proroga, en: Extend}, by: [rup], from: ['on', held], to: same, input: {n: {type: int, optional: true, label: {it: Giorni, en: Days}}}, then: [{extend: end, days: n}, {extend: month, days: n}, {extend: hour, days: n}]}
  month_more: {label: {it: Un mese, en: A month}, by: [rup], from: ['on', held], to: same, then: [{extend: month, term: works.publish_extension_max}]}
  hold:   {label: {it: Sospendi, en: Hold}, by: [rup], from: ['on'], to: held, then: [{suspend: end}, {suspend: month}, {start: pauses}, {resume: pauses}]}
  go_on:  {label: {it: Riprendi, en: Go on}, by: [rup], from: [held], to: 'on', then: [{resume: end}, {resume: month}, {suspend: pauses}]}
  mark:   {label: {it: Segna, en: Mark}, by: [rup], from: ['on'], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: Day}}}, then: [{set: pace, value: fast}, {set: done, value: true}, {set: begun, from: effective}, {set: at, from: effective}]}
  split:  {label: {it: Dividi, en: Split}, by: [rup], from: ['on', off], to: same, input: {rows: {row: plan, columns: [title]}, days: {type: int, optional: true, label: {it: Giorni, en: Days}}}, then: [{open: yards, for_each: rows, copy: [title, days], set: {pace: slow, done: true}}]}
  spread: {label: {it: Comunica, en: Spread}, by: [rup], from: ['on', off], to: same, input: {days: {type: int, label: {it: Giorni, en: Days}}}, then: [{tell: yards, event: take, copy: [days, begun]}]}
  leave:  {label: {it: Chiudi, en: Leave}, by: [rup], from: ['on'], to: off, then: [{start: duty}]}
  report: {label: {it: Esiti, en: Report}, by: [rup], from: [off], to: same, documents: [paper], then: [{set: done, value: true}, {stop: duty}]}
  late:   {label: {it: In ritardo, en: Late}, by: [system], from: [off], to: same, then: [{set: pace, value: slow}]}
  lapse:  {label: {it: Scade, en: Lapse}, by: [system], from: ['on', held], to: off}
  wake:   {label: {it: Sveglia, en: Wake}, by: [system], from: ['on'], to: off}
joins:
  - {children: yards, all: final, fire: wake}
`

const yard = `
workflow: yard
version: 1
case: yard
label: {it: Lotto, en: Yard}
start: on
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Nome, en: Name}}
  days:   {type: int, label: {it: Giorni, en: Days}}
  begun:  {type: date, label: {it: Inizio, en: Begun}}
  pace:   {type: choice, of: {slow: {it: Lento, en: Slow}, fast: {it: Veloce, en: Fast}}, label: {it: Passo, en: Pace}}
  done:   {type: bool, label: {it: Fatto, en: Done}}
  noted:  {type: int, label: {it: Annotati, en: Noted}}
children: {below: {workflow: plot, label: {it: Parti, en: Plots}, outlives: true}}
states:
  on:  {stage: work, label: {it: In corso, en: 'On'}}
  off: {stage: work, final: over, label: {it: Finito, en: 'Off'}}
deadlines:
  before: {label: {it: Prima delle offerte, en: Before the bids}, term: clarification.before_deadline, counted: backward, from: {parent_field: bids}, while: ['on'], at_expiry: {alert: [rup]}}
  by:     {label: {it: Entro le offerte, en: By the bids}, until: {parent_field: bids}, while: ['on', off], at_expiry: {alert: [rup]}}
events:
  born:  {label: {it: Nasci, en: Born}, by: [parent], opens: true, to: 'on'}
  count: {label: {it: Conta, en: Count}, by: [rup], from: ['on'], to: same, then: [{start: before}, {start: by}]}
  take:  {label: {it: Prendi, en: Take}, by: [parent], from: ['on', off], to: same, input: {n: {field: days}}, then: [{set: noted, from: n}]}
  note:  {label: {it: Annota, en: Note}, by: [rup], from: [off], to: same, input: {title: {field: title}}}
  dig:   {label: {it: Scava, en: Dig}, by: [rup], from: ['on'], to: same, then: [{open: below, copy: [title, amount, {amount: name}, {days: length}]}]}
  leave: {label: {it: Chiudi, en: Leave}, by: [rup], from: ['on'], to: off}
`

const plot = `
workflow: plot
version: 1
case: plot
label: {it: Parte, en: Plot}
start: on
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Nome, en: Name}}
  name:   {type: money, label: {it: Altro importo, en: Other value}}
  amount: {type: money, label: {it: Importo, en: Value}}
  length: {type: int, label: {it: Giorni, en: Days}}
states:
  on:  {stage: work, label: {it: In corso, en: 'On'}}
  off: {stage: work, final: over, label: {it: Finita, en: 'Off'}}
events:
  born:  {label: {it: Nasci, en: Born}, by: [parent], opens: true, to: 'on'}
  leave: {label: {it: Chiudi, en: Leave}, by: [rup], from: ['on'], to: off}
`

var siteFiles = map[string]string{"site.v1.yaml": site, "yard.v1.yaml": yard, "plot.v1.yaml": plot}

func openSite(t *testing.T, o *office, in map[string]any) string {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "site", Inputs: in})
	if err != nil {
		t.Fatal(err)
	}
	return m.Case
}

func seen(t *testing.T, o *office, id string) engine.CaseView {
	t.Helper()
	v, err := o.Case(t.Context(), o.rup, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func refusal(t *testing.T, o *office, id, event string, in map[string]any, code string) {
	t.Helper()
	if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: event, Inputs: in}); !refusedWith(err, code) {
		t.Errorf("%s: %s, want %s", event, describe(err), code)
	}
}

func TestDaysOfAField(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		// 16 March and 20 days is Easter, 5 April 2026; Easter Monday follows
		id := openSite(t, o, map[string]any{"days": 20, "begun": "2026-03-16"})
		fire(t, o, o.rup, id, "run", nil)
		d := seen(t, o, id).Deadlines[0]
		if d.LastDay != "2026-04-07" || !d.DueAt.Equal(newClock("2026-04-07T22:00:00Z").now()) || !d.StartedAt.Equal(o.clock.now()) {
			t.Errorf("%+v", d)
		}
		if !strings.HasPrefix(d.Explanation.IT, "Giorni indicati in: Durata. ") || !strings.HasPrefix(d.Explanation.EN, "Days given in: Duration. ") {
			t.Errorf("explained: %+v", d.Explanation)
		}
		for _, c := range []struct {
			in   map[string]any
			code string
		}{
			{map[string]any{"begun": "2026-03-16"}, "field_empty"}, {map[string]any{"days": 20}, "field_empty"},
			{map[string]any{"days": 0, "begun": "2026-03-16"}, "days_wrong"}, {map[string]any{"days": -3, "begun": "2026-03-16"}, "days_wrong"},
			{map[string]any{"days": 40000, "begun": "2026-03-16"}, "days_wrong"}, {map[string]any{"days": 4_000_000_000, "begun": "2026-03-16"}, "days_wrong"},
		} {
			refusal(t, o, openSite(t, o, c.in), "run", nil, c.code)
		}
	})
}

// A quarter of 90 days is 22, rounded down; the pauses cumulate: 10 days, then what is left of the 22.
func TestPausesCumulate(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"days": 90, "begun": "2026-03-02"})
		fire(t, o, o.rup, id, "run", nil) // until 31 May, a Sunday; 1 June is not a holiday
		fire(t, o, o.rup, id, "hold", nil)
		if got := terms(t, o, id); got != "pauses running 2026-03-24, end suspended 2026-06-01" {
			t.Error(got)
		}
		if text := seen(t, o, id).Deadlines[0].Explanation.IT; !strings.Contains(text, "di 90 giorni (Durata): 22, arrotondato per difetto.") {
			t.Errorf("explained: %s", text)
		}
		o.clock.add(10 * day)
		fire(t, o, o.rup, id, "go_on", nil)
		if got := terms(t, o, id); got != "pauses suspended 2026-03-24, end running 2026-06-11" {
			t.Error(got)
		}
		o.clock.at.Store(newClock("2026-04-11T07:00:00Z").at.Load()) // thirty days at work meanwhile
		if n := expire(t, o); n != 0 {
			t.Errorf("%d expired while the works went on", n)
		}
		fire(t, o, o.rup, id, "hold", nil)
		if got := terms(t, o, id); got != "pauses running 2026-04-23, end suspended 2026-06-11" {
			t.Errorf("12 of 22 days are left: %s", got)
		}
		o.clock.at.Store(newClock("2026-04-23T21:59:59Z").at.Load())
		if n := expire(t, o); n != 0 {
			t.Errorf("early: %d", n)
		}
		o.clock.add(time.Second)
		if n := expire(t, o); n != 1 {
			t.Errorf("after 22 days of pause: %d", n)
		}
		refusal(t, o, openSite(t, o, nil), "hold", nil, "field_empty")
	})
}

// From 1 March a month leads to 1 April; another to 1 May, a holiday, hence to the 2nd; a third to 2 June, a holiday too.
func TestExtendByMonths(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		fire(t, o, o.rup, id, "month_more", nil) // none yet: nothing
		fire(t, o, o.rup, id, "watch", map[string]any{"effective": "2026-03-01"})
		for _, want := range []string{"2026-05-02", "2026-06-03"} {
			fire(t, o, o.rup, id, "month_more", nil)
			if got := terms(t, o, id); got != "month running "+want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		v := seen(t, o, id)
		if text := v.Deadlines[0].Explanation; !strings.Contains(text.IT, "Proroga di 1 mese dall'ultimo giorno (sabato 2 maggio 2026)") || !strings.Contains(text.EN, "Extended by 1 month") {
			t.Errorf("explained: %+v", text)
		}
		h, err := o.History(t.Context(), o.auditor, id, 0, 0)
		last := h.Items[len(h.Items)-1]
		if err != nil || !h.Verified || len(last.Deadlines) != 1 || last.Deadlines[0].LastDay != "2026-06-03" || last.Deadlines[0].Status != "running" {
			t.Errorf("told: %+v %v", last.Deadlines, err)
		}
	})
}

func TestExtendWhatIsHeldOrBlocked(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"days": 100})
		fire(t, o, o.rup, id, "watch", nil) // until Thursday 2 April
		fire(t, o, o.rup, id, "hold", nil)
		fire(t, o, o.rup, id, "more", map[string]any{"n": 2}) // 4 April, a Saturday that is no holiday
		fire(t, o, o.rup, id, "more", map[string]any{"n": 2}) // 6 April is Easter Monday
		if got := terms(t, o, id); got != "pauses running 2026-03-27, month suspended 2026-04-07" {
			t.Errorf("held: %s", got)
		}
		o.clock.add(3 * day)
		fire(t, o, o.rup, id, "go_on", nil)
		if got := terms(t, o, id); got != "pauses suspended 2026-03-27, month running 2026-04-10" {
			t.Errorf("going on: %s", got)
		}
		o.clock.at.Store(newClock("2026-04-10T22:00:00Z").at.Load())
		expire(t, o)
		if got := terms(t, o, id); got != "pauses suspended 2026-03-27, month blocked 2026-04-10" {
			t.Fatalf("without a title: %s", got)
		}
		fire(t, o, o.rup, id, "more", map[string]any{"n": 10})
		if got := terms(t, o, id); got != "pauses suspended 2026-03-27, month running 2026-04-20" {
			t.Errorf("blocked: %s", got)
		}
		if d := seen(t, o, id).Deadlines[1]; d.BlockedBy != nil {
			t.Errorf("still says why: %+v", d.BlockedBy)
		}
		refusal(t, o, id, "more", nil, "field_empty")
		refusal(t, o, id, "more", map[string]any{"n": 0}, "days_wrong")
		refusal(t, o, id, "more", map[string]any{"n": -1}, "days_wrong")
	})
}

// A term of an hour keeps its hour when summer time begins.
func TestExtendKeepsTheHour(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"bids": "2026-03-27T12:00:00+01:00"})
		fire(t, o, o.rup, id, "open_bids", nil)
		fire(t, o, o.rup, id, "more", map[string]any{"n": 5})
		d := seen(t, o, id).Deadlines[0]
		if d.LastDay != "2026-04-01" || !d.DueAt.Equal(newClock("2026-04-01T10:00:00Z").now()) {
			t.Errorf("%+v", d)
		}
	})
}

// opensYards gives a site one yard per title.
func opensYards(t *testing.T, o *office, id string, titles ...string) []string {
	t.Helper()
	var yards []string
	for _, title := range titles {
		yards = append(yards, fire(t, o, o.rup, id, "split", map[string]any{"rows": map[string]any{"title": title}, "days": 7}).Opened...)
	}
	return yards
}

// The bids are due on Friday 24 April at noon; six days back is Saturday the 18th, hence Friday the 17th.
func TestTermsOfTheParentsDay(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"bids": "2026-04-24T12:00:00+02:00"})
		child := opensYards(t, o, id, "Uno")[0]
		fire(t, o, o.rup, child, "count", nil)
		if got := terms(t, o, child); got != "before running 2026-04-17, by running 2026-04-24" {
			t.Error(got)
		}
		o.clock.at.Store(newClock("2026-04-24T09:59:59Z").at.Load())
		before := expire(t, o)
		o.clock.add(time.Second)
		if n := expire(t, o); before != 1 || n != 1 {
			t.Errorf("expired %d, then %d", before, n)
		}
		bare := opensYards(t, o, openSite(t, o, nil), "Due")[0]
		refusal(t, o, bare, "count", nil, "field_empty")
	})
}

// What was counted back to a day before it began is over at once, with effect from when it began.
func TestTermOfTheParentsDayOverAtOnce(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		child := opensYards(t, o, openSite(t, o, map[string]any{"bids": "2026-03-05T12:00:00+01:00"}), "Uno")[0]
		fire(t, o, o.rup, child, "count", nil)
		if got := terms(t, o, child); got != "by running 2026-03-05, before expired 2026-02-27" {
			t.Error(got)
		}
	})
}

func TestOpenSetsAndCopiesFromAbove(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"title": "Scuola", "amount": 500, "days": 90})
		child := opensYards(t, o, id, "Uno")[0]
		v := seen(t, o, child)
		if v.Title != "Uno" || fieldOf(v, "days") != int64(7) || fieldOf(v, "pace") != "slow" || fieldOf(v, "done") != true {
			t.Errorf("the row, the input, then what is fixed: %+v", v.Fields)
		}
		part := seen(t, o, fire(t, o, o.rup, child, "dig", nil).Opened[0])
		if part.Title != "Uno" || *part.Amount != 500 || fieldOf(part, "name") != int64(500) || fieldOf(part, "length") != int64(7) {
			t.Errorf("its own field, then the site's: %+v", part.Fields)
		}
	})
}

func TestTellPassesValues(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, map[string]any{"begun": "2026-02-01", "days": 90})
		yards := opensYards(t, o, id, "Uno", "Due")
		fire(t, o, o.rup, yards[1], "leave", nil) // ended: it hears all the same
		ended := seen(t, o, yards[1]).EndedAt
		o.clock.add(day)
		fire(t, o, o.rup, id, "spread", map[string]any{"days": 12})
		for i, child := range yards {
			v := seen(t, o, child)
			if fieldOf(v, "days") != int64(12) || fieldOf(v, "begun") != "2026-02-01" || fieldOf(v, "noted") != int64(12) {
				t.Errorf("yard %d: %+v", i, v.Fields)
			}
		}
		v := seen(t, o, yards[1])
		if v.State.ID != "off" || v.EndedAt == nil || !v.EndedAt.Equal(*ended) {
			t.Errorf("the end has moved from %v: %+v", ended, v.Summary)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if last := h.Items[len(h.Items)-1]; !h.Verified || last.Event != "take" || len(last.Changes) != 3 {
			t.Errorf("told: %+v", last)
		}
	})
}

// An event in a final state reads no sister case: it must not make the parent believe that all have ended.
func TestWhatHappensAfterTheEndMovesNoJoin(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		yards := opensYards(t, o, id, "Uno", "Due")
		fire(t, o, o.rup, yards[0], "leave", nil)
		fire(t, o, o.rup, yards[0], "note", map[string]any{"title": "Altro"})
		if got := state(t, o, id); got != "on" {
			t.Errorf("one yard of two has ended, and the site is %s", got)
		}
		fire(t, o, o.rup, yards[1], "leave", nil)
		if got := state(t, o, id); got != "off" {
			t.Errorf("both have ended, and the site is %s", got)
		}
	})
}

func TestDutiesAfterTheEnd(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		fire(t, o, o.rup, id, "leave", nil)
		ended := seen(t, o, id)
		if !ended.GoesOn || ended.EndedAt == nil || terms(t, o, id) != "duty running 2026-03-12" {
			t.Fatalf("ended: %+v, %s", ended.Summary, terms(t, o, id))
		}
		o.clock.add(day)
		refusal(t, o, id, "report", nil, "document_missing")
		opts, err := o.Options(t.Context(), o.rup, id)
		if err != nil || len(opts.Events) != 4 || opts.Events[0].Event != "split" {
			t.Errorf("options %+v %v", opts.Events, err)
		}
		if _, err := o.Attach(t.Context(), o.rup, engine.Attach{Case: id, Type: "paper", Name: "esito.pdf", Bytes: strings.NewReader("x")}); err != nil {
			t.Fatalf("a document after the end: %v", err)
		}
		opened := opensYards(t, o, id, "Dopo")
		if v := seen(t, o, opened[0]); v.State.ID != "on" || v.Title != "Dopo" {
			t.Errorf("opened after the end: %+v", v.Summary)
		}
		fire(t, o, o.rup, id, "report", nil)
		v := seen(t, o, id)
		if v.State.ID != "off" || v.Outcome != "over" || !v.EndedAt.Equal(*ended.EndedAt) || fieldOf(v, "done") != true || terms(t, o, id) != "duty met 2026-03-12" {
			t.Errorf("after the report: %+v, %s", v.Summary, terms(t, o, id))
		}
		if page, err := o.Cases(t.Context(), o.rup, engine.Filter{}); err != nil || len(page.Items) != 1 || !page.Items[0].EndedAt.Equal(*ended.EndedAt) {
			t.Errorf("in the list: %+v %v", page.Items, err)
		}
	})
}

func TestDutyThatExpiresAfterTheEnd(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		fire(t, o, o.rup, id, "leave", nil)
		ended := seen(t, o, id).EndedAt
		o.clock.add(11 * day)
		if n := expire(t, o); n != 1 {
			t.Fatalf("the sweep applied %d", n)
		}
		v := seen(t, o, id)
		if v.State.ID != "off" || fieldOf(v, "pace") != "slow" || !v.EndedAt.Equal(*ended) || terms(t, o, id) != "duty expired 2026-03-12" {
			t.Errorf("%+v, %s", v.Summary, terms(t, o, id))
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if last := h.Items[len(h.Items)-1]; !h.Verified || last.Event != "late" || last.From.ID != "off" || last.To.ID != "off" {
			t.Errorf("told: %+v", last)
		}
	})
}

// A definition whose ended cases still have terms to run must not be left out.
func TestDutiesKeepTheirDefinition(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		site, ok := o.Library().Latest("site")
		if !ok {
			t.Fatal("no site")
		}
		followed := func() bool {
			hashes, err := o.db.Followed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return hashes[site.Hash]
		}
		fire(t, o, o.rup, id, "leave", nil)
		if !followed() {
			t.Error("with a duty to come nobody follows it")
		}
		o.clock.add(11 * day)
		expire(t, o)
		if followed() {
			t.Error("with nothing to come somebody follows it")
		}
	})
}

func TestValuesGiven(t *testing.T) {
	each(t, siteFiles, func(t *testing.T, o *office) {
		id := openSite(t, o, nil)
		fire(t, o, o.rup, id, "mark", nil)
		v := seen(t, o, id)
		if fieldOf(v, "pace") != "fast" || fieldOf(v, "done") != true || fieldOf(v, "begun") != "2026-03-02" || fieldOf(v, "at") != "2026-03-02T08:00:00.000000Z" {
			t.Errorf("%+v", v.Fields)
		}
		fire(t, o, o.rup, id, "mark", map[string]any{"effective": "2026-02-10"})
		if v = seen(t, o, id); fieldOf(v, "begun") != "2026-02-10" || fieldOf(v, "at") != "2026-02-09T23:00:00.000000Z" {
			t.Errorf("earlier: %+v", v.Fields)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if changes := h.Items[len(h.Items)-1].Changes; len(changes) != 4 {
			t.Errorf("told: %+v", changes)
		}
	})
}
