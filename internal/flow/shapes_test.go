package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapesText uses every shape of the grammar that the worked example does not.
const shapesText = `workflow: shapes
version: 3
case: shapes
label: {it: Forme, en: Shapes}
help: {it: Per provare le forme., en: To try the shapes.}
start: draft
stages: {all: {label: {it: Tutto, en: All}}}
fields:
  title: {type: text, label: {it: Oggetto, en: Subject}, help: {it: In breve., en: In short.}, law: art. 1, secret: {until: [done], see: [rup]}}
  way:   {type: choice, of: {x: {it: X, en: X}, y: {it: Y, en: Y}}, label: {it: Via, en: Way}}
  rup:   {type: person, label: {it: RUP, en: RUP}}
documents:
  paper:        {label: {it: Carta, en: Paper}, help: {it: Un foglio., en: A sheet.}, law: art. 2, by: [rup], secret: {until: [done]}}
  request_form: {by: [rup]}
registers:
  notes: {label: {it: Note, en: Notes}, columns: {kind: {type: choice, of: {a: {it: Tipo A, en: Kind A}}, label: {it: Tipo, en: Kind}}, body: {type: text}, title: text}}
children: {twins: {workflow: remedy, label: {it: Gemelli, en: Twins}, outlives: true}}
states:
  draft: {stage: all, label: {it: Bozza, en: Draft}, help: {it: Si scrive., en: Being written.}, law: art. 3}
  sent:  {stage: all, label: {it: Inviata, en: Sent}}
  done:  {stage: all, final: done, label: {it: Fatta, en: Done}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, help: {it: Dieci giorni., en: Ten days.}, term: {field: way, x: request.answer_days, y: min.open.days}, counted: calendar, from: at, while: [{stage: all}], at_expiry: {fire: lapse, alert: [rup]}, remind: [12h]}
rectify: {by: [rup]}
events:
  begin: {label: {it: Inizia, en: Begin}, opens: true, by: [rup], to: draft, from: [sent]}
  import:
    label: {it: Importa, en: Import}
    opens: true
    by: [sua_clerk]
    input: {reason: {type: text, personal: true, optional: true, help: {it: Perché, en: Why}, label: {it: Motivo, en: Reason}}, who: {field: rup}, n: {row: notes, columns: [kind, body]}}
    moves: [{if: [agreement_active], to: sent}, {to: draft}, {from: [draft], to: same}]
    then:
      - {open: twins, for_each: n, copy: [reason, {from: body, to: reason}, {title: operator}]}
      - {set: {field: title, from: reason}}
      - {set: title, from: reason}
      - {assign: rup, from: who}
      - {open_linked: {workflow: remedy, link: replaces}, copy: [reason]}
      - {open_linked: remedy, link: re_tender_of}
      - {start: answer}
      - {suspend: answer}
      - {notify: imported, to: [followers]}
  send:  {label: {it: Invia, en: Send}, by: [rup], from: [draft], to: {input: where, among: [{stage: all}]}, input: {where: {label: {it: Dove, en: Where}}}}
  lapse: {label: {it: Scade, en: Lapse}, by: [system], from: [{stage: all}], to: done}
  note:  {label: {it: Annota, en: Note}, by: [rup], from: [done], to: same, documents: [paper, request_form], guards: [{document_valid: {type: notice}}], secret: {until: [done], see: [auditor]}}
`

func shapes(t *testing.T) *Definition {
	t.Helper()
	return latest(t, compiled(t, shapesText, string(mustRead(t, "testdata/good/stubs.yaml"))), "shapes")
}

func TestOpeningMoves(t *testing.T) {
	d := shapes(t)
	if len(d.Openings()) != 2 {
		t.Errorf("%d openings, want begin and import", len(d.Openings()))
	}
	if _, found := d.Event("open"); found {
		t.Error("open is implied only when nothing else begins a case")
	}
	opening := d.MovesFrom("import", "")
	if len(opening) != 2 || !opening[0].Opens || opening[0].To.State != "sent" || opening[1].To.State != "draft" {
		t.Errorf("opening moves = %+v", opening)
	}
	if moves := d.MovesFrom("begin", "sent"); len(moves) != 1 || moves[0].Opens {
		t.Errorf("an event that opens may also move: %+v", moves)
	}
}

func TestActionShapes(t *testing.T) {
	e, _ := shapes(t).Event("import")
	want := []Action{
		{Verb: VerbOpen, Children: "twins", ForEach: "n", Copy: []Copied{{"reason", "reason"}, {"body", "reason"}, {"title", "operator"}}},
		{Verb: VerbSet, Field: "title", From: "reason"},
		{Verb: VerbSet, Field: "title", From: "reason"},
		{Verb: VerbAssign, Role: "rup", From: "who"},
		{Verb: VerbOpenLinked, Workflow: "remedy", Link: "replaces", Copy: []Copied{{"reason", "reason"}}},
		{Verb: VerbOpenLinked, Workflow: "remedy", Link: "re_tender_of"},
		{Verb: VerbStart, Deadline: "answer"},
		{Verb: VerbSuspend, Deadline: "answer"},
		{Verb: VerbNotify, Template: "imported", To: []string{"followers"}},
	}
	if diff := cmp.Diff(want, e.Then); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
}

func TestInputShapes(t *testing.T) {
	d := shapes(t)
	e, _ := d.Event("import")
	reason, _ := e.Input("reason")
	who, _ := e.Input("who")
	rows, _ := e.Input("n")
	if !reason.Personal || !reason.Optional || reason.Help.IT != "Perché" {
		t.Errorf("reason = %+v", reason)
	}
	if !who.Personal || who.Type != TypePerson {
		t.Errorf("a person is personal: %+v", who)
	}
	if rows.Kind != InputRow || rows.Label.IT != "Note" || len(rows.Columns) != 2 || rows.Columns[0].Of[0].Label.IT != "Tipo A" {
		t.Errorf("rows = %+v", rows)
	}
	send, _ := d.Event("send")
	where, _ := send.Input("where")
	if !where.State || where.Label.IT != "Dove" || len(where.Of) != 2 {
		t.Errorf("a declared choice of state keeps its label and takes the states: %+v", where)
	}
}

func TestDeclaredThings(t *testing.T) {
	d := shapes(t)
	title, _ := d.Field("title")
	if !cmp.Equal(title.Secret, &Secret{Until: map[string][]string{"": {"done"}}, See: []string{"rup"}}) || title.Law != "art. 1" {
		t.Errorf("title = %+v", title)
	}
	paper, _ := d.Document("paper")
	form, _ := d.Document("request_form")
	if paper.Secret == nil || !slices.Equal(paper.By, []string{"rup"}) || form.Label.IT != "Modulo di richiesta" || !slices.Equal(form.By, []string{"rup"}) {
		t.Errorf("documents = %+v, %+v; the second takes its label from the catalogue", paper, form)
	}
	if _, found := d.Document("notice"); !found {
		t.Error("a document that a guard names is borrowed from the catalogue")
	}
	answer, _ := d.Deadline("answer")
	if answer.From != "at" || answer.Term.Field != "way" || !slices.Equal(answer.Term.Keys(), []string{"min.open.days", "request.answer_days"}) ||
		!slices.Equal(answer.While, []string{"draft", "sent"}) || answer.Fire != "lapse" || len(answer.Alert) != 1 {
		t.Errorf("answer = %+v", answer)
	}
	if twins, _ := d.Child("twins"); !twins.Outlives {
		t.Error("outlives is lost")
	}
}

// TestParentsMustAgree: a lot's term that depends on its parent needs the field in each workflow that has lots.
func TestParentsMustAgree(t *testing.T) {
	other := `workflow: other
version: 1
case: procurement
label: {it: Altra, en: Other}
start: a
stages: {s: {label: {it: S, en: S}}}
children: {lots: {workflow: lot, label: {it: Lotti, en: Lots}}}
states: {a: {stage: s, label: {it: A, en: A}}, z: {stage: s, final: done, label: {it: Z, en: Z}}}
events: {go: {label: {it: Vai, en: Go}, by: [rup], from: [a], to: z}}
`
	example, stubs := string(mustRead(t, "testdata/good/open_procedure.yaml")), string(mustRead(t, "testdata/good/stubs.yaml"))
	faults := faultsOf(t, asSources(example, stubs, other)).Error()
	for _, want := range []string{
		"a.yaml:106: il workflow «other» non ha il campo «criterion» da cui dipende il termine",
		"«admission_follows_evaluation» legge il campo «inversion», che il workflow «other» non ha",
	} {
		if !strings.Contains(faults, want) {
			t.Errorf("missing %q in:\n%s", want, faults)
		}
	}
}

// TestNeedsOfOlderChildren: children of an older version still count in what an event needs.
func TestNeedsOfOlderChildren(t *testing.T) {
	parent := `workflow: parent
version: 1
case: p
label: {it: P, en: P}
start: a
stages: {s: {label: {it: S, en: S}}}
children: {kids: {workflow: kid, label: {it: K, en: K}}}
states: {a: {stage: s, label: {it: A, en: A}}, z: {stage: s, final: done, label: {it: Z, en: Z}}}
events: {go: {label: {it: Vai, en: Go}, by: [rup], from: [a], to: z, then: [{tell: kids, event: end}]}}
`
	kid := func(version, guards string) string {
		return `workflow: kid
version: ` + version + `
case: k
label: {it: K, en: K}
start: a
stages: {s: {label: {it: S, en: S}}}
states: {a: {stage: s, label: {it: A, en: A}}, z: {stage: s, final: done, label: {it: Z, en: Z}}}
events: {end: {label: {it: Fine, en: End}, by: [parent], from: [a], to: z, guards: [` + guards + `]}}
`
	}
	l := compiled(t, parent, kid("1", "agreement_active"), kid("2", ""))
	e, _ := latest(t, l, "parent").Event("go")
	if !e.Needs.Has(NeedAgreement | NeedChildren) {
		t.Errorf("needs = %+v: the guard of version 1 counts", e.Needs)
	}
	if d := latest(t, l, "kid"); d.Version != 2 || len(l.All()) != 3 {
		t.Errorf("latest kid = %d of %d definitions", d.Version, len(l.All()))
	}
}
