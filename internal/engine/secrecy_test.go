package engine_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

const sealedTender = `
workflow: sealed
version: 1
case: sealed
label: {it: Segreta, en: Sealed}
start: draft
stages: {work: {label: {it: Lavoro, en: Work}}}
fields:
  title:  {type: text, label: {it: Oggetto, en: Subject}, secret: {until: [opened], see: [committee]}}
  amount: {type: money, label: {it: Importo, en: Value}, secret: {until: [opened], see: [committee]}}
  public: {type: text, label: {it: Pubblico, en: Public}}
  asker:  {type: text, label: {it: Chi chiede, en: Who asks}, secret: {until: [], see: [committee]}}
documents:
  verdict: {label: {it: Verbale, en: Minutes}, secret: {until: [opened], see: [committee]}}
registers:
  bids: {label: {it: Offerte, en: Bids}, columns: {operator: text, score: percent}, secret: {until: {operator: [opened], score: [done]}, see: [committee]}}
  open_list: {label: {it: Elenco, en: List}, columns: {name: text}}
states:
  draft:  {stage: work, label: {it: Bozza, en: Draft}}
  opened: {stage: work, label: {it: Aperta, en: Opened}}
  done:   {stage: work, final: done, label: {it: Fatta, en: Done}}
events:
  begin:  {label: {it: Apri, en: Begin}, by: [committee, rup], opens: true, to: draft, input: {title: {field: title, optional: true}, amount: {field: amount, optional: true}, public: {field: public, optional: true}, asker: {field: asker, optional: true}}}
  bid:    {label: {it: Offerta, en: Bid}, by: [committee], from: [draft], to: same, input: {row: {row: bids, columns: [operator, score]}}}
  change: {label: {it: Cambia, en: Change}, by: [sua_clerk], from: [draft, opened], to: same, input: {rows: {rows: bids, columns: [operator]}, title: {field: title, optional: true}}}
  vote:   {label: {it: Vota, en: Vote}, by: [committee], from: [draft], to: same, input: {why: {type: text, label: {it: Motivo, en: Reason}}}, secret: {until: [opened], see: [committee]}}
  clean:  {label: {it: Verifica, en: Check}, by: [sua_clerk], from: [draft, opened], to: same, guards: [{rows_none: {register: bids}}]}
  unseal: {label: {it: Apri buste, en: Unseal}, by: [sua_clerk], from: [draft], to: opened}
  end:    {label: {it: Fine, en: End}, by: [sua_clerk], from: [opened], to: done}
`

var sealedFiles = map[string]string{"sealed.v1.yaml": sealedTender}

// sealedCase opens a case full of secrets: every one contains the word segreto or one of two numbers.
func sealedCase(t *testing.T, o *office) (id, document string) {
	t.Helper()
	m, err := o.Open(t.Context(), o.committee, engine.Open{Workflow: "sealed", MemberBody: "conselve", Inputs: map[string]any{"title": "segreto nome", "amount": 987654321, "public": "noto", "asker": "segreto richiedente"}})
	if err != nil {
		t.Fatal(err)
	}
	fire(t, o, o.committee, m.Case, "bid", map[string]any{"row": map[string]any{"operator": "segreto operatore", "score": "77.125"}})
	fire(t, o, o.committee, m.Case, "vote", map[string]any{"why": "segreto voto"})
	d, err := o.Attach(t.Context(), o.committee, engine.Attach{Case: m.Case, Type: "verdict", Name: "segreto.pdf", Bytes: strings.NewReader("%PDF-1.7")})
	if err != nil {
		t.Fatal(err)
	}
	return m.Case, d.ID
}

// told is everything that the read models say of a case, as JSON.
func told(t *testing.T, o *office, who auth.Actor, id string) string {
	t.Helper()
	var out strings.Builder
	view, err1 := o.Case(t.Context(), who, id)
	options, err2 := o.Options(t.Context(), who, id)
	history, err3 := o.History(t.Context(), who, id, 0, 0)
	documents, err4 := o.Documents(t.Context(), who, id)
	list, err5 := o.Cases(t.Context(), who, engine.Filter{})
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []any{view, options, history, documents, list} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.String()
}

func TestSecretsOpenByState(t *testing.T) {
	each(t, sealedFiles, func(t *testing.T, o *office) {
		id, document := sealedCase(t, o)
		outsiders := map[string]auth.Actor{"rup": o.rup, "clerk": o.clerk, "auditor": o.auditor}
		for name, who := range outsiders {
			text := told(t, o, who, id)
			for _, secret := range []string{"segreto", "987654321", "9.876.543,21", "77.125", "77,125"} {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("%s reads %q: …%s…", name, secret, text[max(0, i-200):i+20])
				}
			}
			if !strings.Contains(text, "noto") {
				t.Errorf("%s does not read what is public", name)
			}
			if _, _, err := o.Document(t.Context(), who, document); engine.Kind(err) != engine.KindNotFound {
				t.Errorf("%s downloads a secret document: %v", name, err)
			}
			if p, _ := o.Cases(t.Context(), who, engine.Filter{Text: "segreto"}); len(p.Items) != 0 {
				t.Errorf("%s finds the case by a secret word", name)
			}
			v, _ := o.Case(t.Context(), who, id)
			if len(v.Registers) != 2 || len(v.Registers[0].Rows) != 0 || len(v.Registers[0].Hidden) != 2 {
				t.Errorf("%s sees how many bids there are: %+v", name, v.Registers)
			}
			opt, _ := o.Options(t.Context(), who, id)
			for _, x := range opt.Events {
				if rows, ok := x.Current["rows"].([]engine.RowView); ok && len(rows) > 0 {
					t.Errorf("%s: the form of %s shows %d rows", name, x.Event, len(rows))
				}
			}
		}
		inside := told(t, o, o.committee, id)
		for _, secret := range []string{"segreto nome", "987654321", "segreto operatore", "77.125", "segreto voto", "segreto.pdf", "segreto richiedente"} {
			if !strings.Contains(inside, secret) {
				t.Errorf("the committee does not read %q", secret)
			}
		}
		fire(t, o, o.clerk, id, "unseal", nil)
		for name, who := range outsiders {
			text := told(t, o, who, id)
			for secret, open := range map[string]bool{"segreto nome": true, "987654321": true, "segreto operatore": true, "segreto voto": true, "segreto.pdf": true, "77.125": false, "77,125": false} {
				if strings.Contains(text, secret) != open {
					t.Errorf("once opened, %s reads %q: %v", name, secret, !open)
				}
			}
			if p, _ := o.Cases(t.Context(), who, engine.Filter{Text: "segreto"}); len(p.Items) != 1 {
				t.Errorf("%s does not find the case by its title", name)
			}
			_, f, err := o.Document(t.Context(), who, document)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = f.Close()
		}
		fire(t, o, o.clerk, id, "end", nil)
		text := told(t, o, o.auditor, id)
		if !strings.Contains(text, "77.125") {
			t.Error("the scores stay hidden at the end")
		}
		if strings.Contains(text, "segreto richiedente") {
			t.Error("what is never to be opened is open at the end")
		}
	})
}

// A refusal that would tell what is secret says only «not yet», when asked and when tried.
func TestSecretRefusalsSayNotYet(t *testing.T) {
	each(t, sealedFiles, func(t *testing.T, o *office) {
		id, _ := sealedCase(t, o)
		code := func() string {
			opt, err := o.Options(t.Context(), o.clerk, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range opt.Events {
				if x.Event == "clean" && len(x.Refusals) == 1 {
					return x.Refusals[0].Code
				}
			}
			return ""
		}
		_, err := o.Fire(t.Context(), o.clerk, engine.Fire{Case: id, Event: "clean"})
		if c := code(); c != "not_yet" || !refusedWith(err, "not_yet") || refusedWith(err, "rows_present") {
			t.Errorf("options say %s, fire %v", c, err)
		}
		h, _ := o.History(t.Context(), o.auditor, id, 0, 0)
		if !h.Verified || !h.Items[0].Hidden || !h.Items[2].Hidden || !h.Items[3].Hidden {
			t.Errorf("what is hidden is not marked so, or the chain does not verify: %v", h.Verified)
		}
		fire(t, o, o.clerk, id, "unseal", nil)
		fire(t, o, o.clerk, id, "end", nil)
		if err := rectify(o, o.director, t, id, "draft", nil); err != nil {
			t.Fatal(describe(err))
		}
		_, err = o.Fire(t.Context(), o.clerk, engine.Fire{Case: id, Event: "clean"})
		if c := code(); c != "rows_present" || !refusedWith(err, "rows_present") { // it has been in the states that open
			t.Errorf("once open, options say %s, fire %v", c, err)
		}
	})
}
