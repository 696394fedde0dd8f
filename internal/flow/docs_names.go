package flow

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
)

// Names of things as the people of a workflow know them, for the reference page.

func (p *page) by(by []By) string {
	names := make([]string, len(by))
	for i, b := range by {
		switch {
		case b.OwnerOf != "":
			names[i] = "titolare di: " + p.v.Acts[b.OwnerOf].IT
		case b.Role == "system":
			names[i] = "sistema"
		case b.Role == "parent":
			names[i] = "caso padre"
		default:
			names[i] = p.role(b.Role)
		}
	}
	return strings.Join(names, ", ")
}

func (p *page) role(id string) string {
	if role, found := p.v.Roles[id]; found {
		return role.Label.IT
	}
	return id
}

func (p *page) roles(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = p.role(id)
	}
	return strings.Join(names, ", ")
}

func (p *page) target(t Target) string {
	switch {
	case t.Same:
		return "(resta)"
	case t.Previous:
		return "(stato precedente)"
	case t.Input != "":
		return "a scelta: " + p.stateNames(t.Among)
	}
	return p.stateNames([]string{t.State})
}

func (p *page) stateNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		if s, found := p.d.State(id); found {
			names[i] = s.Label.IT
		}
	}
	return strings.Join(names, ", ")
}

func (p *page) inputs(e *Event) string {
	var names []string
	if e.ID == "open" {
		return ""
	}
	for _, in := range e.Inputs {
		name := in.Label.IT
		for i, c := range in.Columns {
			if i == 0 {
				name += ": "
			} else {
				name += ", "
			}
			name += c.Label.IT
		}
		if in.Optional {
			name += " (facoltativo)"
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

func (p *page) documentNames(ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id
		if doc, found := p.d.Document(id); found {
			names[i] = doc.Label.IT
		}
	}
	return strings.Join(names, ", ")
}

func (p *page) calls(prefix string, calls []Call) []string {
	texts := make([]string, len(calls))
	for i, c := range calls {
		texts[i] = prefix + p.call(p.v.Guards[c.Name], c)
	}
	return texts
}

// call is the meaning of a guard or effect with its parameters as people know them.
func (p *page) call(word Word, c Call) string {
	text := word.Doc.IT
	if text == "" {
		text = c.Name
	}
	if c.Params == nil {
		return text
	}
	n := paramNames{page: p}
	value := reflect.ValueOf(c.Params)
	for _, first := range []bool{true, false} { // what other parameters depend on comes first
		for i := range value.NumField() {
			what, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("flow"), ",")
			if (what == "register" || what == "children") == first {
				n.add(what, value.Field(i))
			}
		}
	}
	if len(n.names) == 0 {
		return text
	}
	return text + " (" + strings.Join(n.names, ", ") + ")"
}

// paramNames collects the labels of the parameters of one call.
type paramNames struct {
	*page
	register *Register
	column   *Column
	field    *Field
	names    []string
}

func (n *paramNames) add(what string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			n.names = append(n.names, n.name(what, v.String()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			n.names = append(n.names, n.name(what, v.Index(i).String()))
		}
	case reflect.Struct:
		if term, ok := v.Interface().(Term); ok {
			long, _ := n.term(Deadline{Term: term})
			n.names = append(n.names, long)
		}
	}
}

func (n *paramNames) name(what, id string) string {
	d := n.d
	switch what {
	case "field":
		if f, found := d.Field(id); found {
			n.field = f
			return f.Label.IT
		}
	case "field_value":
		return n.fieldValue(id)
	case "given":
		return n.given(id)
	case "parent_field", "parent_states":
		return code(id) + " del caso padre"
	case "register":
		if r, found := d.Register(id); found {
			n.register = r
			return r.Label.IT
		}
	case "column":
		if n.register != nil {
			if c, found := n.register.Column(id); found {
				n.column = c
				return c.Label.IT
			}
		}
	case "value":
		if n.column != nil {
			return formatText(TypeChoice, n.column.Of, id, "it")
		}
	case "children":
		if c, found := d.Child(id); found {
			return c.Label.IT
		}
	case "states":
		return n.stateNames([]string{id})
	case "event":
		if e, found := d.Event(id); found {
			return e.Label.IT
		}
	case "document":
		return n.documentNames([]string{id})
	case "limit":
		return n.limit(id)
	case "rule":
		if r, found := calendar.Lookup(id); found {
			return lowerFirst(r.Label.IT)
		}
	}
	return id
}

// fieldValue is the label of a choice, or yes or no.
func (n *paramNames) fieldValue(id string) string {
	switch {
	case n.field == nil:
		return id
	case n.field.Type == TypeBool:
		return map[bool]string{true: "sì", false: "no"}[id == "true"]
	}
	return formatText(TypeChoice, n.field.Of, id, "it")
}

// given is the label of an input or of a field; the page does not say of which event the input is.
func (n *paramNames) given(id string) string {
	if f, found := n.d.Field(id); found {
		return f.Label.IT
	}
	for i := range n.d.Events {
		if in, found := n.d.Events[i].Input(id); found {
			return in.Label.IT
		}
	}
	return id
}

// limit is the value of a key on the day of the page, or its name when it has none.
func (p *page) limit(key string) string {
	l, err := p.limits.Get(key)
	if err != nil {
		return code(key) + " (nessun valore alla data)"
	}
	return l.Text()
}

// then says what follows in a few words; what is only told to people comes last.
func (p *page) then(e *Event) string {
	texts := make([]string, 0, len(e.Then))
	for _, a := range e.Then {
		texts = append(texts, p.action(a)+p.onlyIf(a))
	}
	return strings.Join(texts, "; ")
}

// onlyIf says when a line of `then` is carried out.
func (p *page) onlyIf(a Action) string {
	texts := make([]string, 0, len(a.If))
	for _, call := range a.If {
		texts = append(texts, p.call(p.v.Guards[call.Name], call))
	}
	if len(texts) == 0 {
		return ""
	}
	return " (solo se: " + strings.Join(texts, "; ") + ")"
}

// fixed is the value that a workflow itself gives to a field.
func (p *page) fixed(a Action) string {
	f, found := p.d.Field(a.Field)
	switch {
	case a.From == FromEffective:
		return " = data di efficacia"
	case a.Value == nil || !found:
		return ""
	}
	return " = " + Format(f.Type, f.Of, a.Value, "it")
}

// opened are the values that the workflow gives to a new case; its fields stand on another page.
func opened(set []Literal) string {
	var given []string
	for _, s := range set {
		given = append(given, code(s.Field)+" = "+code(fmt.Sprint(s.Value)))
	}
	if len(given) == 0 {
		return ""
	}
	return " con " + strings.Join(given, ", ")
}

// extension is by how much a term is extended.
func (p *page) extension(a Action) string {
	if a.Term != "" {
		return p.limit(a.Term)
	}
	return "tanti giorni quanti ne dice " + code(a.Days)
}

func (p *page) action(a Action) string {
	deadline, child := a.Deadline, a.Children
	if t, found := p.d.Deadline(a.Deadline); found {
		deadline = t.Label.IT
	}
	if c, found := p.d.Child(a.Children); found {
		child = c.Label.IT
	}
	switch a.Verb {
	case VerbSet:
		return "imposta " + code(a.Field) + p.fixed(a)
	case VerbClear:
		return "svuota " + code(a.Field)
	case VerbFix:
		return "fissa la data delle regole"
	case VerbAssign:
		return "assegna " + p.role(a.Role)
	case VerbStart:
		return "avvia il termine «" + deadline + "»"
	case VerbRestart:
		return "fa ripartire il termine «" + deadline + "»"
	case VerbStop:
		return "chiude il termine «" + deadline + "»"
	case VerbSuspend:
		return "sospende il termine «" + deadline + "»"
	case VerbResume:
		return "riprende il termine «" + deadline + "»"
	case VerbExtend:
		return "proroga il termine «" + deadline + "» di " + p.extension(a)
	case VerbOpen:
		return "apre «" + child + "»" + opened(a.Set)
	case VerbOpenLinked:
		return "apre " + code(a.Workflow) + " collegato (" + code(a.Link) + ")"
	case VerbTell:
		return "comanda " + code(a.Event) + " a «" + child + "»"
	case VerbNotify:
		return "avvisa " + p.roles(a.To)
	}
	return p.call(p.v.Effects[a.Effect.Name], a.Effect)
}
