package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// guarded is a workflow with one event per guard, each staying where it is.
const guarded = `
workflow: guarded
version: 1
case: guarded
label: {it: Prova, en: Trial}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}}
  amount: {type: money, label: {it: Importo, en: Value}}
  qe_total: {type: money, label: {it: Totale, en: Total}}
  kind: {type: choice, of: {works: {it: Lavori, en: Works}, services: {it: Servizi, en: Services}, supplies: {it: Forniture, en: Supplies}}, label: {it: Tipo, en: Kind}}
  criterion: {type: choice, of: {best_value: {it: OEPV, en: Best value}, lowest_price: {it: Prezzo, en: Price}}, label: {it: Criterio, en: Criterion}}
  inversion: {type: bool, label: {it: Inversione, en: Inversion}}
  cui: {type: cui, label: {it: CUI, en: CUI}}
  programme_exemption: {type: text, label: {it: Esenzione, en: Exemption}}
  first: {type: date, label: {it: Prima, en: First}}
  second: {type: instant, label: {it: Seconda, en: Second}}
  bid_term: {type: choice, of: {ordinary: {it: Ordinario, en: Ordinary}, urgent: {it: Urgente, en: Urgent}, prior_notice: {it: Preinformazione, en: Prior notice}}, label: {it: Termine, en: Term}}
  urgency_reason: {type: text, label: {it: Motivi, en: Reasons}}
  pin_sent_on: {type: date, label: {it: Preinformazione, en: Prior notice}}
  winner: {type: text, label: {it: Aggiudicatario, en: Winner}}
  anomaly_elements: {type: text, label: {it: Elementi, en: Elements}}
  bids_due: {type: instant, label: {it: Scadenza, en: Bids due}}
  contract_from: {type: date, label: {it: Contratto dal, en: Contract from}}
  definitive_guarantee: {type: money, label: {it: Garanzia definitiva, en: Definitive guarantee}}
  technical_points: {type: int, label: {it: Punti tecnici, en: Technical points}}
  price_points: {type: int, label: {it: Punti prezzo, en: Price points}}
  labour_intensive: {type: bool, label: {it: Manodopera, en: Labour}}
  cross_border: {type: bool, label: {it: Transfrontaliero, en: Cross-border}}
  fvoe_malfunction: {type: bool, label: {it: FVOE guasto, en: FVOE broken}}
  results_sent: {type: bool, label: {it: Esiti inviati, en: Results sent}}
  report_published: {type: bool, label: {it: Relazione pubblicata, en: Report published}}
  guarantees_released: {type: bool, label: {it: Garanzie svincolate, en: Guarantees released}}
  cel_issued: {type: bool, label: {it: CEL emesso, en: Certificate issued}}
  archived: {type: bool, label: {it: Archiviato, en: Archived}}
documents:
  definitive_guarantee: {label: {it: Garanzia definitiva, en: Definitive guarantee}}
registers:
  parts: {label: {it: Parti, en: Parts}, columns: {name: text, amount: money}}
  bids: {label: {it: Offerte, en: Bids}, columns: {operator: text, received: instant, guarantee: {choice: [provided, missing]}, admission: {choice: [admitted, excluded]}, discount: percent, price: money, score: percent, rank: int}}
  committee: {label: {it: Commissione, en: Committee}, columns: {member: text, declaration: date}}
  quadro_economico: {label: {it: Quadro, en: Breakdown}, columns: {item: text, amount: money}}
children:
  items: {workflow: item, label: {it: Elementi, en: Items}}
  disputes: {workflow: litigation, label: {it: Contenziosi, en: Litigation}, outlives: true}
  requirements: {workflow: requirements_check, label: {it: Verifiche, en: Checks}, outlives: true}
states:
  draft: {stage: work, label: {it: Bozza, en: Draft}}
  done:  {stage: work, final: done, label: {it: Fatto, en: Done}}
events:
  begin: {label: {it: Apri, en: Open}, by: [rup], opens: true, to: draft}
  mark:  {label: {it: Segna, en: Mark}, by: [rup, sua_clerk], from: [draft], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}}
  propose_award: {label: {it: Proponi, en: Propose}, by: [rup], from: [draft], to: same, input: {effective: {type: date, optional: true, label: {it: Il, en: 'On'}}}}
  end:   {label: {it: Fine, en: End}, by: [rup], from: [draft], to: done}
  later: {label: {it: Sposta, en: Move}, by: [rup], from: [draft], to: same, input: {first: {field: first}}, guards: [{field_moves_later: {field: first}}]}
`

const litigation = `
workflow: litigation
version: 1
case: litigation
label: {it: Contenzioso, en: Litigation}
start: filed
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  filed:                 {stage: work, label: {it: Notificato, en: Filed}}
  stayed_by_court:       {stage: work, label: {it: Sospeso, en: Stayed}}
  precautionary_pending: {stage: work, label: {it: Cautelare, en: Pending}}
  over:                  {stage: work, final: over, label: {it: Finito, en: Over}}
events:
  stay: {label: {it: Sospendi, en: Stay}, by: [rup], from: [filed], to: stayed_by_court}
  wait: {label: {it: Attendi, en: Wait}, by: [rup], from: [filed], to: precautionary_pending}
  end:  {label: {it: Fine, en: End}, by: [rup], from: [filed, stayed_by_court, precautionary_pending], to: over}
`

// bench is a case whose facts a test arranges by hand.
type bench struct {
	t          *testing.T
	o          *office
	id, parent string
	root       string
}

func (b *bench) write(f func(tx *store.Tx) error) {
	b.t.Helper()
	if err := b.o.db.Update(b.t.Context(), store.Everything, b.id, nil, f); err != nil {
		b.t.Fatal(err)
	}
}

// set gives fields their values: pairs of id and value.
func (b *bench) set(pairs ...any) {
	b.write(func(tx *store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			tx.Case.Data[pairs[i].(string)] = pairs[i+1]
		}
		return tx.UpdateCase(tx.Case)
	})
}

func (b *bench) rows(register string, rows ...store.Values) {
	b.write(func(tx *store.Tx) error {
		for i, r := range rows {
			if err := tx.InsertRow(tx.Case, store.Row{CaseID: b.id, Register: register, Row: i + 1, Data: r, ChangedSeq: 1}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) child(decl, workflow, state string, data store.Values) {
	def, _ := b.o.Library().Latest(workflow)
	st, ok := def.State(state)
	if !ok {
		b.t.Fatalf("no state %s", state)
	}
	b.write(func(tx *store.Tx) error {
		return tx.InsertCase(&store.Case{
			ID: b.id + decl + state, Root: b.root, Parent: b.id, Child: decl, Ordinal: 1, Workflow: workflow, Version: 1, Hash: def.Hash, State: state, Stage: st.Stage,
			Outcome: st.Final, Revision: 1, MemberBody: "conselve", SUA: "padova", Data: data, OpenedAt: tx.Now, UpdatedAt: tx.Now,
		})
	})
}

func (b *bench) files(types ...string) {
	b.write(func(tx *store.Tx) error {
		for _, x := range types {
			tx.InsertDocument(store.Document{ID: b.id + x, CaseID: b.id, Root: b.root, MemberBody: "conselve", SUA: "padova", Type: x, Name: x, SHA256: "00", UploadedBy: "rup", At: tx.Now, Seq: 1})
		}
		return nil
	})
}

func (b *bench) agreement(to string) {
	b.t.Helper()
	if err := b.o.SaveAgreement(b.t.Context(), store.Agreement{ID: "a-conselve", MemberBody: "conselve", SUA: "padova", ValidFrom: "2025-01-01", ValidTo: to}); err != nil {
		b.t.Fatal(err)
	}
}

func nothing(*bench) {}

type trial struct {
	guard, params string
	no            func(*bench)
	code          string
	yes           func(*bench)
}

// trials is every guard that looks at a case by itself: how its event is written, what makes it refuse and with which code, what makes it pass.
var trials = []trial{
	{"fields_filled", "{fields: [title, amount]}", func(b *bench) { b.set("title", "x") }, "fields_empty", func(b *bench) { b.set("title", "x", "amount", int64(0)) }},
	{"field_at_least", "{field: first, term: request.answer_days, counted: calendar_roll}", func(b *bench) { b.set("first", "2026-03-11") }, "field_too_early", func(b *bench) { b.set("first", "2026-03-12") }},
	{"field_at_most", "{field: second, term: request.answer_days, counted: calendar_roll}", func(b *bench) { b.set("second", "2026-03-12T23:00:00.000000Z") }, "field_too_late", func(b *bench) { b.set("second", "2026-03-12T22:59:59.000000Z") }},
	{"field_before", "{field: first, other: second}", func(b *bench) { b.set("first", "2026-03-12", "second", "2026-03-11T23:00:00.000000Z") }, "field_not_before", func(b *bench) { b.set("first", "2026-03-12", "second", "2026-03-11T23:00:00.000001Z") }},
	{"amount_within", "{field: amount, limit: threshold.direct.services}", func(b *bench) { b.set("amount", int64(140000_00)) }, "amount_beyond", func(b *bench) { b.set("amount", int64(139999_99)) }},
	{"elapsed", "{since: mark, term: request.answer_days}", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", map[string]any{"effective": "2026-02-20"}) }, "too_soon", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", map[string]any{"effective": "2026-02-16"}) }},
	{"not_elapsed", "{since: mark, term: request.answer_days}", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", map[string]any{"effective": "2026-02-16"}) }, "too_late", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", map[string]any{"effective": "2026-02-20"}) }},
	{"rows_filled", "{register: parts, column: name}", func(b *bench) { b.rows("parts", store.Values{"name": "x"}, store.Values{"amount": int64(1)}) }, "rows_unfilled", func(b *bench) { b.rows("parts", store.Values{"name": "x"}) }},
	{"rows_some", "{register: bids, column: admission, value: admitted}", func(b *bench) { b.rows("bids", store.Values{"admission": "excluded"}) }, "rows_missing", func(b *bench) { b.rows("bids", store.Values{}, store.Values{"admission": "admitted"}) }},
	{"rows_none", "{register: bids, column: admission, value: excluded}", func(b *bench) { b.rows("bids", store.Values{"admission": "excluded"}) }, "rows_present", func(b *bench) { b.rows("bids", store.Values{"admission": "admitted"}) }},
	{"rows_at_least", "{register: parts, limit: invite.min.other_two_phase}", func(b *bench) { b.rows("parts", store.Values{}, store.Values{}) }, "rows_too_few", func(b *bench) { b.rows("parts", store.Values{}, store.Values{}, store.Values{}) }},
	{"rows_odd", "{register: parts}", func(b *bench) { b.rows("parts", store.Values{}, store.Values{}) }, "rows_even", func(b *bench) { b.rows("parts", store.Values{}) }},
	{"share_within", "{amount: amount, share: penalty.cap, of: qe_total}", func(b *bench) { b.set("amount", int64(1001), "qe_total", int64(10000)) }, "share_beyond", func(b *bench) { b.set("amount", int64(1000), "qe_total", int64(10000)) }},
	{"rows_share_within", "{register: parts, column: amount, share: penalty.cap, of: amount}", func(b *bench) {
		b.set("amount", int64(10000))
		b.rows("parts", store.Values{"amount": int64(600)}, store.Values{"amount": int64(401)})
	}, "share_beyond", func(b *bench) {
		b.set("amount", int64(10000))
		b.rows("parts", store.Values{"amount": int64(600)}, store.Values{"amount": int64(400)})
	}},
	{"rows_sum", "{register: parts, column: amount, equals: amount}", func(b *bench) { b.set("amount", int64(3)); b.rows("parts", store.Values{"amount": int64(2)}) }, "rows_sum", func(b *bench) {
		b.set("amount", int64(3))
		b.rows("parts", store.Values{"amount": int64(2)}, store.Values{"amount": int64(1)})
	}},
	{"children_exist", "{children: items}", func(b *bench) { b.child("disputes", "litigation", "filed", nil) }, "children_missing", func(b *bench) { b.child("items", "item", "idle", nil) }},
	{"children_ended", "{children: items}", func(b *bench) { b.child("items", "item", "idle", nil); b.child("items", "item", "over", nil) }, "children_going_on", func(b *bench) { b.child("items", "item", "over", nil) }},
	{"children_in", "{children: items, states: [going, over]}", func(b *bench) { b.child("items", "item", "idle", nil); b.child("items", "item", "over", nil) }, "children_elsewhere", func(b *bench) { b.child("items", "item", "going", nil); b.child("items", "item", "over", nil) }},
	{"no_child_in", "{children: items, states: [idle]}", func(b *bench) { b.child("items", "item", "idle", nil) }, "children_there", func(b *bench) { b.child("items", "item", "going", nil) }},
	{"children_fields_filled", "{children: items, fields: [title]}", func(b *bench) { b.child("items", "item", "idle", store.Values{"title": ""}) }, "children_fields_empty", func(b *bench) {
		b.child("items", "item", "idle", store.Values{"title": "x"})
		b.child("items", "item", "over", nil)
	}},
	{"document_valid", "{type: request_form}", nothing, "document_missing", func(b *bench) { b.files("request_form") }},
	{"not_same_person", "{event: mark}", func(b *bench) { fire(b.t, b.o, b.o.rup, b.id, "mark", nil) }, "same_person", func(b *bench) { fire(b.t, b.o, b.o.clerk, b.id, "mark", nil) }},

	{"agreement_active", "", func(b *bench) { b.agreement("2026-03-01") }, "agreement_inactive", func(b *bench) { b.agreement("2026-03-02") }},
	{"sua_qualified", "", func(b *bench) { b.set("kind", "works", "amount", int64(5404000_01)) }, "not_qualified", func(b *bench) { b.set("kind", "works", "amount", int64(5404000_00)) }},
	{"qualification_sufficient", "", func(b *bench) { b.set("kind", "services", "amount", int64(5000000_01)) }, "not_qualified", func(b *bench) { b.set("kind", "services", "amount", int64(5000000_00)) }},
	{"above_eu_threshold", "", func(b *bench) { b.set("kind", "works", "amount", int64(5403999_99)) }, "below_threshold", func(b *bench) { b.set("kind", "works", "amount", int64(5404000_00)) }},
	{"below_eu_threshold", "", func(b *bench) { b.set("kind", "services", "amount", int64(216000_00)) }, "above_threshold", func(b *bench) { b.set("kind", "services", "amount", int64(215999_99)) }},
	{"best_value", "", func(b *bench) { b.set("criterion", "lowest_price") }, "not_best_value", func(b *bench) { b.set("criterion", "best_value") }},
	{"lowest_price", "", func(b *bench) { b.set("criterion", "best_value") }, "not_lowest_price", func(b *bench) { b.set("criterion", "lowest_price") }},
	{"standstill_applies", "", func(b *bench) {
		b.set("kind", "works", "amount", int64(9000000_00))
		b.rows("bids", store.Values{"admission": "admitted"}, store.Values{"admission": "excluded"})
	}, "single_offer", func(b *bench) {
		b.set("kind", "works", "amount", int64(9000000_00))
		b.rows("bids", store.Values{"admission": "admitted"}, store.Values{"admission": "admitted"})
	}},
	{"admission_follows_evaluation", "", func(b *bench) { b.set("inversion", false) }, "no_inversion", func(b *bench) { b.set("inversion", true) }},
	{"no_court_stay", "", func(b *bench) { b.child("disputes", "litigation", "stayed_by_court", nil) }, "court_stay", func(b *bench) { b.child("disputes", "litigation", "filed", nil) }},
	{"quadro_economico_sums", "", func(b *bench) {
		b.set("qe_total", int64(5))
		b.rows("quadro_economico", store.Values{"amount": int64(4)})
	}, "quadro_economico_sum", func(b *bench) {
		b.set("qe_total", int64(5))
		b.rows("quadro_economico", store.Values{"amount": int64(4)}, store.Values{"amount": int64(1)})
	}},
	{"programming_respected", "", func(b *bench) { b.set("kind", "works", "amount", int64(150000_00)) }, "cui_missing", func(b *bench) {
		b.set("kind", "works", "amount", int64(150000_00), "programme_exemption", "somma urgenza")
	}},
	{"request_documents_complete", "", func(b *bench) { b.set("kind", "supplies"); b.files("specs", "service_project") }, "documents_incomplete", func(b *bench) { b.set("kind", "supplies"); b.files("specs", "service_project", "requirements") }},
}

func guardedWorkflow() map[string]string {
	var y strings.Builder
	y.WriteString(guarded)
	for _, c := range slices.Concat(trials, tenderTrials, noticeTrials) {
		call := c.guard
		if c.params != "" {
			call = "{" + c.guard + ": " + c.params + "}"
		}
		fmt.Fprintf(&y, "  try_%s: {label: {it: Prova, en: Try}, by: [rup], from: [draft], to: same, guards: [%s]}\n", c.guard, call)
	}
	return map[string]string{"guarded.v1.yaml": y.String(), "item.v1.yaml": item, "litigation.v1.yaml": litigation, "holder.v1.yaml": holder, "top.v1.yaml": top, "requirements_check.v1.yaml": requirementsCheck}
}

func newBench(t *testing.T, o *office) *bench {
	t.Helper()
	m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "guarded", SUA: "padova"})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, o: o, id: m.Case, root: m.Case}
}

func TestEveryGuardRefusesAndPasses(t *testing.T) {
	tried := map[string]bool{"field_moves_later": true} // it compares with an input: tried below
	for _, c := range slices.Concat(trials, tenderTrials, noticeTrials) {
		tried[c.guard] = true
	}
	for name := range engine.Vocabulary().Guards {
		if !tried[name] {
			t.Errorf("guard %s is tried by no test", name)
		}
	}
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for i, c := range slices.Concat(trials, tenderTrials, noticeTrials) {
			newBench := newBench
			if i >= len(trials) {
				newBench = newHeldBench
			}
			b := newBench(t, o)
			c.no(b)
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + c.guard})
			var r *engine.Refused
			if !errors.As(err, &r) || len(r.Refusals) != 1 || r.Refusals[0].Code != c.code {
				t.Errorf("%s = %v, want %s", c.guard, err, c.code)
			} else if x := r.Refusals[0].Text; strings.Contains(x.IT+x.EN, "{") || x.IT == c.code || x.EN == c.code {
				t.Errorf("%s says %q, %q", c.guard, x.IT, x.EN)
			}
			b = newBench(t, o)
			c.yes(b)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + c.guard}); err != nil {
				t.Errorf("%s refuses: %s", c.guard, describe(err))
			}
		}
		b := newBench(t, o)
		for _, c := range []struct{ day, code string }{{"2026-05-01", ""}, {"2026-05-01", "field_not_later"}, {"2026-04-30", "field_not_later"}, {"2026-05-02", ""}} {
			_, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "later", Inputs: map[string]any{"first": c.day}})
			if (err == nil) != (c.code == "") || c.code != "" && !refusedWith(err, c.code) {
				t.Errorf("field_moves_later to %s: %v", c.day, err)
			}
		}
	})
}

// Facts that are missing refuse: what is not known never counts as zero or as done.
func TestGuardsRefuseWhatIsMissing(t *testing.T) {
	each(t, guardedWorkflow(), func(t *testing.T, o *office) {
		for guard, code := range map[string]string{
			"field_at_least": "field_empty", "field_at_most": "field_empty", "field_before": "field_empty", "amount_within": "field_empty", "share_within": "field_empty", "rows_share_within": "field_empty",
			"elapsed": "not_happened", "not_elapsed": "not_happened", "rows_some": "rows_missing", "rows_at_least": "rows_too_few", "rows_odd": "rows_even",
			"sua_qualified": "field_empty", "programming_respected": "field_empty", "above_eu_threshold": "amount_unknown", "standstill_applies": "amount_unknown",
			"best_value": "not_best_value", "admission_follows_evaluation": "no_inversion",
		} {
			b := newBench(t, o)
			if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: b.id, Event: "try_" + guard}); !refusedWith(err, code) {
				t.Errorf("%s = %v, want %s", guard, err, code)
			}
		}
		if _, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "guarded", SUA: "treviso"}); err != nil {
			t.Fatal(err)
		}
		id := listed(t, o, o.strangerClerk)[0]
		if _, err := o.Fire(t.Context(), o.rup, engine.Fire{Case: id, Event: "try_agreement_active"}); !refusedWith(err, "agreement_missing") {
			t.Errorf("without an agreement: %v", err)
		}
	})
}

const soft = `
  hurry: {label: {it: Sollecita, en: Hurry}, by: [rup], from: [draft], to: same, guards: [{elapsed: {since: mark, term: integration.answer_days}}]}
`

// A limit with evidence P only warns; where the configuration enforces it, it refuses.
func TestWeakEvidenceWarnsUnlessEnforced(t *testing.T) {
	yaml := guardedWorkflow()
	yaml["guarded.v1.yaml"] += soft
	for enforce, want := range map[string]engine.ErrorKind{"": engine.KindAcknowledge, "integration.answer_days": engine.KindRefused, "*": engine.KindRefused} {
		t.Run("enforcing "+enforce, func(t *testing.T) { weakEvidence(t, yaml, enforce, want) })
	}
	cfg := config(t, nil, nil)
	cfg.Enforce = []string{"no.such.limit"}
	if _, err := engine.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no.such.limit") {
		t.Errorf("an unknown limit to enforce = %v", err)
	}
}

func weakEvidence(t *testing.T, yaml map[string]string, enforce string, want engine.ErrorKind) {
	each(t, yaml, func(t *testing.T, o *office) {
		b := newBench(t, o)
		fire(t, o, o.rup, b.id, "mark", nil)
		cmd := engine.Fire{Case: b.id, Event: "hurry"}
		_, err := o.Fire(t.Context(), o.rup, cmd)
		if engine.Kind(err) != want {
			t.Fatalf("enforcing %q: %v", enforce, err)
		}
		opt, _ := o.Options(t.Context(), o.rup, b.id)
		for _, x := range opt.Events {
			if x.Event == "hurry" && (x.Allowed != (enforce == "") || len(x.Warnings) == 1 != (enforce == "")) {
				t.Errorf("enforcing %q, options: %+v", enforce, x)
			}
		}
		for i, reason := range []string{"", " ", "è urgente"} {
			cmd.Acknowledge = []engine.Acknowledgement{{Code: "too_soon", Reason: reason}}
			_, err := o.Fire(t.Context(), o.rup, cmd)
			switch {
			case enforce != "" && engine.Kind(err) != engine.KindRefused, enforce == "" && i < 2 && engine.Kind(err) != engine.KindInvalid, enforce == "" && i == 2 && err != nil:
				t.Errorf("enforcing %q with reason %q: %v", enforce, reason, err)
			}
		}
		if enforce != "" {
			return
		}
		h, _ := o.History(t.Context(), o.auditor, b.id, 0, 0)
		last := h.Items[len(h.Items)-1]
		if len(last.Warnings) != 1 || last.Warnings[0].Reason != "è urgente" {
			t.Errorf("the history keeps %+v", last.Warnings)
		}
	}, func(c *engine.Config) {
		if enforce != "" {
			c.Enforce = []string{enforce}
		}
	})
}

const standstill = `
workflow: tender
version: 1
case: tender
label: {it: Gara, en: Tender}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
states:
  draft:     {stage: work, label: {it: Bozza, en: Draft}}
  published: {stage: work, label: {it: Pubblicata, en: Published}}
  awarded:   {stage: work, label: {it: Aggiudicata, en: Awarded}}
  free:      {stage: work, final: free, label: {it: Libera, en: Free}}
deadlines:
  standstill: {label: {it: Stand-still, en: Standstill}, law: art. 18, term: standstill.days, counted: calendar_roll, while: [awarded], at_expiry: {fire: lapse}}
events:
  begin:   {label: {it: Apri, en: Open}, by: [rup], opens: true, to: draft}
  publish: {label: {it: Pubblica, en: Publish}, by: [rup], from: [draft], to: published, then: [{fix: rules_date}]}
  skip:    {label: {it: Salta, en: Skip}, by: [rup], from: [draft], to: published}
  award:   {label: {it: Aggiudica, en: Award}, by: [rup], from: [published], to: awarded, then: [{start: standstill}]}
  lapse:   {label: {it: Termine, en: Lapse}, by: [system], from: [awarded], to: free}
`

// A tender published under 35 days keeps them when the law says 32 (correttivo of 31 December 2024).
func TestRulesDateFreezes(t *testing.T) {
	each(t, map[string]string{"tender.v1.yaml": standstill}, func(t *testing.T, o *office) {
		for first, want := range map[string]string{"publish": "2025-02-14", "skip": "2025-02-11"} {
			o.clock.at.Store(newClock("2024-12-30T09:00:00Z").at.Load())
			m, err := o.Open(t.Context(), o.rup, engine.Open{Workflow: "tender"})
			if err != nil {
				t.Fatal(err)
			}
			fire(t, o, o.rup, m.Case, first, nil)
			o.clock.add(11 * 24 * time.Hour) // 10 January 2025
			fire(t, o, o.rup, m.Case, "award", nil)
			v, err := o.Case(t.Context(), o.rup, m.Case)
			if err != nil || len(v.Deadlines) != 1 || v.Deadlines[0].LastDay != want {
				t.Errorf("after %s: %+v %v, want %s", first, v.Deadlines, err, want)
			}
			if frozen := map[string]string{"publish": "2024-12-30"}[first]; v.RulesDate != frozen {
				t.Errorf("after %s the rules date is %q", first, v.RulesDate)
			}
		}
	})
}
