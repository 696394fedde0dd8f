package engine

import (
	"slices"
	"strings"
)

func (f *Facts) childLabel(id string) Text {
	if c, ok := f.Def.Child(id); ok {
		return c.Label
	}
	return Text{IT: id, EN: id}
}

func childrenExist(f *Facts, p childrenParam) *Refusal {
	if len(f.childrenIn(p.Children)) > 0 {
		return nil
	}
	l := f.childLabel(p.Children)
	return refuse("children_missing", "children", l.IT, "children_en", l.EN)
}

func childrenEnded(f *Facts, p childrenParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if !c.final() {
			l := f.childLabel(p.Children)
			return refuse("children_going_on", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func childrenIn(f *Facts, p childStatesParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if !slices.Contains(p.States, c.State) {
			l := f.childLabel(p.Children)
			return refuse("children_elsewhere", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func childrenSome(f *Facts, p childStatesParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if slices.Contains(p.States, c.State) {
			return nil
		}
	}
	l := f.childLabel(p.Children)
	return refuse("children_none_there", "children", l.IT, "children_en", l.EN)
}

func noChildIn(f *Facts, p childStatesParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		if slices.Contains(p.States, c.State) {
			l := f.childLabel(p.Children)
			return refuse("children_there", "children", l.IT, "children_en", l.EN)
		}
	}
	return nil
}

func childrenFieldsFilled(f *Facts, p childFieldsParam) *Refusal {
	for _, c := range f.childrenIn(p.Children) {
		for _, id := range p.Fields {
			if empty(c.Data[id]) && !c.final() {
				l, name := f.childLabel(p.Children), Text{IT: id, EN: id}
				if d, ok := c.Def.Field(id); ok {
					name = d.Label
				}
				return refuse("children_fields_empty", "children", l.IT, "children_en", l.EN, "field", name.IT, "field_en", name.EN)
			}
		}
	}
	return nil
}

func documentValid(f *Facts, p documentParam) *Refusal {
	if _, ok := f.Documents[p.Type]; ok {
		return nil
	}
	label := Text{IT: p.Type, EN: p.Type}
	if t, ok := f.Def.Document(p.Type); ok {
		label = t.Label
	}
	return refuse("document_missing", "document", label.IT, "document_en", label.EN, "type", p.Type)
}

func notSamePerson(f *Facts, p eventParam) *Refusal {
	if fired, ok := f.Past[p.Event]; !ok || fired.Actor != f.Actor.ID {
		return nil
	}
	label := f.eventLabel(p.Event)
	return refuse("same_person", "event", label.IT, "event_en", label.EN)
}

// nowIn: before the event moves the case where it stands; in a line of `then` where it has come to.
func nowIn(f *Facts, p ownStatesParam) *Refusal {
	if slices.Contains(p.States, f.Case.State) {
		return nil
	}
	label := Text{IT: f.Case.State, EN: f.Case.State}
	if st, ok := f.Def.State(f.Case.State); ok {
		label = st.Label
	}
	return refuse("state_elsewhere", "state", label.IT, "state_en", label.EN)
}

func parentIn(f *Facts, p parentStatesParam) *Refusal {
	if f.Parent == nil {
		return refuse("parent_missing")
	}
	if slices.Contains(p.States, f.Parent.State) {
		return nil
	}
	label := Text{IT: f.Parent.State, EN: f.Parent.State}
	if st, ok := f.above[0].Def.State(f.Parent.State); ok {
		label = st.Label
	}
	return refuse("parent_elsewhere", "state", label.IT, "state_en", label.EN)
}

func parentFieldsFilled(f *Facts, p parentFieldsParam) *Refusal {
	if f.Parent == nil {
		return refuse("parent_missing")
	}
	var it, en []string
	for _, id := range p.Fields {
		if empty(f.Parent.Data[id]) {
			l := f.parentLabel(id)
			it, en = append(it, l.IT), append(en, l.EN)
		}
	}
	if len(it) == 0 {
		return nil
	}
	return refuse("parent_fields_empty", "fields", strings.Join(it, ", "), "fields_en", strings.Join(en, ", "))
}

// parentLabel is how people call a field of the parent, or of the root.
func (f *Facts) parentLabel(id string) Text {
	for _, c := range f.above {
		if d, ok := c.Def.Field(id); ok {
			return d.Label
		}
	}
	return Text{IT: id, EN: id}
}
