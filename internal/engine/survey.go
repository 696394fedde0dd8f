package engine

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// survey is the check of the trees of one range: what the database holds of them is collected first, then their events come by.
type survey struct {
	v         *verifier
	trees     map[string]*surveyed
	of        map[string]*surveyedCase
	documents []store.Document
	now       *surveyed // the tree whose events come by
	counts    Verification
	findings  []Finding
	broken    map[string]bool
}

// surveyed is a tree: its cases, and how far its chain was checked.
type surveyed struct {
	root   string
	head   *store.Case // nil when no case has this id
	cases  []*surveyedCase
	chain  audit.Chain
	cut    bool // the chain broke: what follows is not looked at
	gone   []int64
	erased map[int64]bool
	ended  bool
}

type surveyedCase struct {
	c         *store.Case
	rows      []store.Row
	documents []store.Document
	deadlines []store.Deadline
	told      *replayed
}

func newSurvey(v *verifier) *survey {
	return &survey{v: v, trees: map[string]*surveyed{}, of: map[string]*surveyedCase{}, broken: map[string]bool{}}
}

func (s *survey) walk() store.Walk {
	return store.Walk{
		Case: s.addCase,
		Row:  func(r store.Row) { c := s.caseOf(r.CaseID); c.rows = append(c.rows, r) },
		Document: func(d store.Document) {
			s.documents = append(s.documents, d)
			c := s.caseOf(d.CaseID)
			c.documents = append(c.documents, d)
		},
		Deadline: func(d store.Deadline) { c := s.caseOf(d.CaseID); c.deadlines = append(c.deadlines, d) },
		Event:    s.event,
	}
}

func (s *survey) addCase(c *store.Case) {
	s.counts.Cases++
	t := s.tree(c.Root)
	if c.ID == c.Root {
		t.head = c
	}
	sc := &surveyedCase{c: c}
	t.cases, s.of[c.ID] = append(t.cases, sc), sc
}

// caseOf finds the case of a row; what hangs from none is collected and never looked at: its table refuses it.
func (s *survey) caseOf(id string) *surveyedCase {
	if c := s.of[id]; c != nil {
		return c
	}
	return &surveyedCase{}
}

func (s *survey) tree(root string) *surveyed {
	t := s.trees[root]
	if t == nil {
		t = &surveyed{root: root}
		s.trees[root] = t
		s.counts.Trees++
	}
	return t
}

func (s *survey) fault(f Finding) {
	s.findings = append(s.findings, f)
	s.broken[f.Root] = true
}

// event checks the next event of the range.
func (s *survey) event(ev *store.Event) error {
	if s.now == nil || s.now.root != ev.Root {
		if s.now != nil {
			s.close(s.now)
		}
		s.now = s.tree(ev.Root)
	}
	s.counts.Events++
	s.counts.Bytes += int64(len(ev.Header) + len(ev.OpenBody) + len(ev.SecretBody) + len(ev.PersonalBody))
	t := s.now
	if t.cut {
		return nil
	}
	if t.head == nil {
		t.cut = true
		s.fault(Finding{Root: t.root, Case: ev.CaseID, Seq: ev.Seq, Event: ev.Event, Text: "eventi di una storia la cui pratica non esiste: nessuna catena li copre"})
		return nil
	}
	h, err := t.chain.Add(sealed(ev))
	if err == nil {
		err = s.columns(t, ev, h)
	}
	if err == nil {
		err = s.tellCase(t, ev, h)
	}
	if err != nil {
		t.cut = true
		f := Finding{Root: t.root, Case: ev.CaseID, Seq: ev.Seq, Event: ev.Event, Text: err.Error()}
		var b audit.Broken
		if errors.As(err, &b) {
			f.Seq, f.Text = b.Seq, b.IT
		}
		s.fault(f)
	}
	return nil
}

// columns checks that what queries read beside the header says what the header says, and that the parts are there.
func (s *survey) columns(t *surveyed, ev *store.Event, h audit.Header) error {
	switch c := s.of[h.Case]; {
	case h.Root != ev.Root:
		return errors.New("sta sotto una storia che non è la sua")
	case c == nil || c.c.Root != ev.Root:
		return errors.New("parla di una pratica che non è di questa storia: " + h.Case)
	case h.Case != ev.CaseID, h.Seq != ev.Seq, h.Event != ev.Event, h.Actor != ev.Actor, !h.At.Equal(ev.At), !h.Effective.Equal(ev.Effective):
		return errors.New("le colonne dell'evento dicono altro dalla sua intestazione")
	case ev.MemberBody != c.c.MemberBody || ev.SUA != c.c.SUA:
		return errors.New("l'evento è intestato a enti che non sono quelli della pratica")
	case !s.v.pinned[h.Definition]:
		return errors.New("la definizione che seguiva manca o è stata cambiata: " + h.Definition)
	case h.Parts.Open != "" && len(ev.OpenSalt) == 0:
		return errors.New("la parte aperta è stata tolta")
	case h.Parts.Secret != "" && len(ev.SecretSalt) == 0:
		return errors.New("la parte segreta è stata tolta")
	}
	if h.Parts.Personal != "" && len(ev.PersonalSalt) == 0 {
		t.gone = append(t.gone, h.Seq)
	}
	return nil
}

// tellCase rebuilds the case a little further.
func (s *survey) tellCase(t *surveyed, ev *store.Event, h audit.Header) error {
	c := s.of[h.Case]
	if c.told == nil {
		c.told = &replayed{id: h.Case}
	}
	if h.From != c.told.state {
		return fmt.Errorf("parte da «%s», ma la pratica era in «%s»", h.From, c.told.state)
	}
	if h.Event == eraseEvent {
		list, err := erasedBy(ev.OpenBody)
		if err != nil {
			return errors.New("la parte aperta non è leggibile")
		}
		if t.erased == nil {
			t.erased = map[int64]bool{}
		}
		for _, seq := range list {
			t.erased[seq] = true
		}
	}
	if err := c.told.replay(h, sealed(ev).Parts); err != nil {
		return errors.New("una parte non è leggibile")
	}
	return nil
}

// finish closes the last tree and those without events.
func (s *survey) finish() {
	if s.now != nil {
		s.close(s.now)
	}
	for _, root := range sortedKeys(s.trees) {
		s.close(s.trees[root])
	}
}

// close ends a tree: the chain must stop where its root says, and its cases must be what it tells.
func (s *survey) close(t *surveyed) {
	if t.ended {
		return
	}
	t.ended = true
	cases := t.cases
	t.cases = nil
	if t.cut {
		return
	}
	if t.head == nil {
		s.fault(Finding{Root: t.root, Case: cases[0].c.ID, Text: "pratiche di un albero la cui radice non esiste"})
		return
	}
	if err := t.chain.Ends(t.head.ChainSeq, t.head.ChainHash); err != nil {
		f := Finding{Root: t.root, Text: "la pratica non ha alcun evento"}
		var b audit.Broken
		if errors.As(err, &b) {
			f.Seq, f.Text = b.Seq, b.IT
		}
		s.fault(f)
		return
	}
	for _, seq := range t.gone {
		if !t.erased[seq] {
			s.fault(Finding{Root: t.root, Seq: seq, Text: "la parte personale è stata tolta, e nessun evento di cancellazione la nomina"})
		} else {
			s.counts.Erased++
		}
	}
	for _, c := range cases {
		if !s.v.q.ChainsOnly {
			for _, text := range append(s.v.e.differences(c), sleepingTerms(c, s.v.now)...) {
				s.fault(Finding{Root: t.root, Case: c.c.ID, Text: text})
			}
		}
		delete(s.of, c.c.ID)
	}
}

// differences says, in Italian, where a stored case is other than its story tells.
func (e *Engine) differences(s *surveyedCase) []string {
	c, r := s.c, s.told
	if r == nil {
		return []string{"la pratica c'è, ma nessun evento ne parla"}
	}
	def, _ := e.lib.ByHash(c.Hash) // nil when it is gone: what it would explain is passed over
	var out []string
	differ := func(what string, have, want any) {
		if !reflect.DeepEqual(have, want) {
			out = append(out, fmt.Sprintf("%s: la pratica dice %s, la storia %s", what, quoted(have), quoted(want)))
		}
	}
	differ("stato", c.State, r.state)
	differ("revisione", c.Revision, r.revision)
	differ("definizione", c.Hash, r.definition)
	differ("stati attraversati", words(c.Visited), words(r.visited))
	differ("stato precedente", c.Previous, r.previous)
	differ("inizio", c.OpenedAt.UTC(), r.opened.UTC())
	if def != nil {
		differ("flusso", c.Workflow, def.Workflow)
		differ("versione del flusso", c.Version, def.Version)
		if st, ok := def.State(r.state); ok {
			differ("fase", c.Stage, st.Stage)
			differ("esito", c.Outcome, st.Final)
		}
	}
	if r.born != nil {
		differ("posto nell'albero", []any{c.Parent, c.Child, c.Ordinal}, []any{r.born.Parent, r.born.Child, r.born.Ordinal})
		differ("enti", []string{c.MemberBody, c.SUA}, []string{r.born.MemberBody, r.born.SUA})
		differ("provenienza", []string{c.Source, c.SourceKey}, []string{r.born.Source, r.born.SourceKey})
		differ("data delle regole", c.RulesDate, r.rulesDate)
		if !r.erased {
			differ("istruttore", c.Officer, r.officer)
			differ("RUP", c.RUP, r.rup)
		}
	}
	out = append(out, fieldDifferences(def, c, r)...)
	out = append(out, rowDifferences(s, r)...)
	out = append(out, documentDifferences(s, r)...)
	if def != nil {
		out = append(out, termDifferences(def, s, r)...)
	}
	return append(out, strayBodies(s, c.MemberBody, c.SUA)...)
}

func words(s string) []string {
	out := strings.Fields(s)
	slices.Sort(out)
	return out
}

func fieldDifferences(def *flow.Definition, c *store.Case, r *replayed) []string {
	want, err := r.values()
	if err != nil {
		return []string{"dati: " + err.Error()}
	}
	var out []string
	unknown := func(id string) bool { // a person whose name was erased with the part that told it
		if !r.erased || def == nil {
			return r.erased
		}
		f, ok := def.Field(id)
		return ok && f.Type == flow.TypePerson
	}
	all := map[string]bool{}
	for id := range c.Data {
		all[id] = true
	}
	for id := range want {
		all[id] = true
	}
	for _, id := range sortedKeys(all) {
		if have, told := c.Data[id], want[id]; !reflect.DeepEqual(have, told) && !unknown(id) {
			out = append(out, fmt.Sprintf("dato %s: la pratica dice %s, la storia %s", id, quoted(have), quoted(told)))
		}
	}
	text := func(id string) string { s, _ := c.Data[id].(string); return s }
	for _, col := range [][3]string{{"oggetto", c.Title, text("title")}, {"CIG", c.CIG, text("cig")}, {"CUP", c.CUP, text("cup")}} {
		if col[1] != col[2] {
			out = append(out, fmt.Sprintf("%s negli elenchi: «%s», nei dati «%s»", col[0], col[1], col[2]))
		}
	}
	if cents, ok := c.Data["amount"].(int64); ok != (c.Amount != nil) || ok && cents != *c.Amount {
		out = append(out, "importo negli elenchi diverso da quello nei dati")
	}
	return out
}

func rowDifferences(s *surveyedCase, r *replayed) []string {
	var out []string
	seen := 0
	for _, row := range s.rows {
		name := fmt.Sprintf("riga %d di %s", row.Row, row.Register)
		told, ok := r.rows[rowKey{row.Register, row.Row}]
		if !ok {
			out = append(out, name+": nessun evento ne parla")
			continue
		}
		seen++
		want, err := scalars(told.values)
		switch {
		case err != nil:
			out = append(out, name+": "+err.Error())
		case row.ChangedSeq != told.seq:
			out = append(out, fmt.Sprintf("%s: la pratica la dice cambiata dall'evento %d, la storia dal %d", name, row.ChangedSeq, told.seq))
		}
		if err == nil {
			out = append(out, cellDifferences(name, row.Data, want)...)
		}
	}
	if seen < len(r.rows) {
		out = append(out, fmt.Sprintf("mancano %d righe di registro che la storia racconta", len(r.rows)-seen))
	}
	return out
}

func documentDifferences(s *surveyedCase, r *replayed) []string {
	have := map[string]store.Document{}
	for _, d := range s.documents {
		have[d.ID] = d
	}
	var out []string
	for _, told := range r.documents {
		d, ok := have[told.ID]
		delete(have, told.ID)
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("documento %s, caricato con l'evento %d: manca", told.ID, told.seq))
		case d.SHA256 != told.SHA256 || d.Type != told.Type || d.Name != told.Name || d.Size != told.Size || d.Seq != told.seq:
			out = append(out, fmt.Sprintf("documento %s: la scheda dice altro dall'evento %d", told.ID, told.seq))
		}
	}
	for _, id := range sortedKeys(have) {
		out = append(out, fmt.Sprintf("documento %s: nessun evento ne parla", id))
	}
	return out
}
