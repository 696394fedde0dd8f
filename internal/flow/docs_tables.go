package flow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
)

// The tables of the reference page that follow the events.

func (p *page) deadlines() {
	if len(p.d.Deadlines) == 0 {
		return
	}
	p.line("## Termini")
	p.line("")
	p.header("Termine", "Quanto", "Come si conta", "Corre in", "Alla scadenza", "Può trattenerlo", "Promemoria", "Norma", "Evidenza")
	for _, t := range p.d.Deadlines {
		long, marks := p.term(t)
		rule := ""
		if r, found := calendar.Lookup(t.Counted); found {
			rule = r.Label.IT
		}
		expiry := ""
		if e, found := p.d.Event(t.Fire); found {
			expiry = "scatta «" + e.Label.IT + "»"
		}
		if len(t.Alert) > 0 {
			expiry = strings.TrimPrefix(expiry+"; avvisa "+p.roles(t.Alert), "; ")
		}
		p.row(t.Label.IT, long, rule, p.stateNames(t.While), expiry, strings.Join(p.calls("", t.BlockedBy), "; "),
			strings.Join(t.Remind, ", "), t.Law, marks)
	}
	p.line("")
	p.line("Evidenza: V testo vigente letto; V23 solo nel testo del 2023; M a memoria e P proposta: avvisano soltanto.")
	p.line("")
}

// term writes how long a deadline is and how sure the numbers are.
func (p *page) term(t Deadline) (long, marks string) {
	if !t.Until.Zero() {
		return "fino a: " + p.fieldName(t.Until), ""
	}
	from := ""
	if !t.FromField.Zero() {
		from = "; si conta da: " + p.fieldName(t.FromField)
	}
	long, marks = p.length(t.Term)
	return long + from, marks
}

// fieldName is the label of a field, or the id of a field of the parent, whose workflow is another page.
func (p *page) fieldName(ref FieldRef) string {
	if ref.ParentField != "" {
		return code(ref.ParentField) + " del caso padre"
	}
	if f, found := p.d.Field(ref.Field); found {
		return f.Label.IT
	}
	return code(ref.Field)
}

func (p *page) length(t Term) (long, marks string) {
	if t.Days != "" {
		return "giorni: " + p.fieldName(FieldRef{Field: t.Days}), ""
	}
	var texts, evidence []string
	for _, key := range t.keysRead() {
		if l, err := p.limits.Get(key); err == nil && !slices.Contains(evidence, string(l.Mark)) {
			evidence = append(evidence, string(l.Mark))
		}
	}
	marks = strings.Join(evidence, ", ")
	if t.Share != "" {
		return p.limit(t.Share) + " dei giorni: " + p.fieldName(FieldRef{Field: t.Of}), marks
	}
	if t.Key != "" {
		return p.limit(t.Key), marks
	}
	for _, value := range slices.Sorted(maps.Keys(t.ByChoice)) {
		name := value
		if f, found := p.d.Field(t.Field); found {
			name = formatText(TypeChoice, f.Of, value, "it")
		}
		texts = append(texts, name+": "+p.limit(t.ByChoice[value]))
	}
	return strings.Join(texts, "; "), marks
}

func (p *page) documents() {
	if len(p.d.Documents) == 0 {
		return
	}
	p.line("## Documenti")
	p.line("")
	p.header("Documento", "Id", "Chi lo fornisce", "Che cos'è", "Norma", "Riservato")
	for _, doc := range p.d.Documents {
		p.row(doc.Label.IT, code(doc.ID), p.roles(doc.By), doc.Help.IT, doc.Law, p.secret(doc.Secret, nil))
	}
	p.line("")
}

func (p *page) fields() {
	if len(p.d.Fields) == 0 {
		return
	}
	p.line("## Dati del caso")
	p.line("")
	p.header("Dato", "Id", "Tipo", "Che cos'è", "Norma", "Riservato")
	for _, f := range p.d.Fields {
		p.row(f.Label.IT, code(f.ID), typeName(f.Type, f.Of), f.Help.IT, f.Law, p.secret(f.Secret, nil))
	}
	p.line("")
}

func (p *page) registers() {
	for _, r := range p.d.Registers {
		p.line("## Registro: %s", r.Label.IT)
		p.line("")
		p.header("Colonna", "Id", "Tipo")
		for _, c := range r.Columns {
			p.row(c.Label.IT, code(c.ID), typeName(c.Type, c.Of))
		}
		p.line("")
		if r.Secret != nil {
			p.line("Riservato: %s.", p.secret(r.Secret, &r))
			p.line("")
		}
	}
}

func (p *page) children() {
	if len(p.d.Children) == 0 {
		return
	}
	p.line("## Casi figli")
	p.line("")
	p.header("Figli", "Workflow", "Può restare aperto", "Muove questo caso")
	for _, c := range p.d.Children {
		outlives := ""
		if c.Outlives {
			outlives = "sì"
		}
		var joins []string
		for _, j := range p.d.Joins {
			if j.Children == c.ID {
				joins = append(joins, p.join(j))
			}
		}
		p.row(c.Label.IT, code(c.Workflow), outlives, strings.Join(joins, "; "))
	}
	p.line("")
}

func (p *page) join(j Join) string {
	which, where := "quando uno", "in uno stato finale"
	if j.All {
		which = "quando tutti"
	}
	if !j.Final {
		where = "in " + code(strings.Join(j.States, ", "))
	}
	label := j.Fire
	if e, found := p.d.Event(j.Fire); found {
		label = e.Label.IT
	}
	return fmt.Sprintf("%s %s: «%s»", which, where, label)
}

// secret says until when, and who sees before.
func (p *page) secret(s *Secret, r *Register) string {
	if s == nil {
		return ""
	}
	var parts []string
	for _, column := range slices.Sorted(maps.Keys(s.Until)) {
		what := ""
		if r != nil && column != "" {
			if c, found := r.Column(column); found {
				what = c.Label.IT + " "
			}
		}
		parts = append(parts, what+"fino a «"+p.stateNames(s.Until[column])+"»")
	}
	text := strings.Join(parts, ", ")
	if len(s.See) > 0 {
		text += "; prima lo vede: " + p.roles(s.See)
	}
	return text
}

func typeName(t Type, of []Choice) string {
	names := map[Type]string{TypeText: "testo", TypeBool: "sì/no", TypeInt: "numero intero", TypeMoney: "euro", TypePercent: "decimale",
		TypeDate: "data", TypeInstant: "data e ora", TypeBody: "ente", TypePerson: "persona"}
	if t == TypeChoice {
		labels := make([]string, len(of))
		for i, c := range of {
			labels[i] = c.Label.IT
		}
		return "scelta: " + strings.Join(labels, ", ")
	}
	if name, found := names[t]; found {
		return name
	}
	return strings.ToUpper(string(t))
}

func code(id string) string {
	if id == "" {
		return ""
	}
	return "`" + id + "`"
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
