package flow

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

// remindForm: "3d" or "12h" before the end, or "50%" of the term.
var remindForm = regexp.MustCompile(`^([1-9][0-9]{0,3}[dh]|[1-9][0-9]?%)$`)

// outageExtends is the one thing that `outage` may say.
const outageExtends = "extends"

func (d *draft) readDeadlines(t table) {
	for _, e := range d.named(t, "deadlines") {
		d.Deadlines = append(d.Deadlines, d.readDeadline(e))
	}
	d.index.deadlines = indexBy(d.Deadlines, func(dl Deadline) string { return dl.ID })
}

func (d *draft) readDeadline(e entry) Deadline {
	t := d.table(e.val, e.path, "label", "help", "law", "term", "until", "counted", "from", "while", "at_expiry", "remind", "blocked_by", "outage", "peremptory", "forecast")
	deadline := Deadline{
		ID: e.id, Label: t.label(), Help: t.optional("help"), Law: t.text("law"),
		Term: d.readTerm(t), Counted: t.optionalID("counted"), From: "effective",
		While: d.states(t, "while"), Remind: t.ids("remind"), BlockedBy: d.calls(t, "blocked_by", d.c.vocabulary.Guards, "guardia"),
	}
	deadline.Outage, deadline.Forecast = t.optionalID("outage") == outageExtends, t.optionalID("forecast")
	deadline.Peremptory = t.flag("peremptory")
	if outage := t.keys["outage"]; outage != nil && !deadline.Outage {
		d.fault(join(e.path, "outage"), "«outage» può essere solo extends: un malfunzionamento della piattaforma proroga il termine")
	}
	if until := t.keys["until"]; until != nil && until.Kind == yaml.MappingNode {
		deadline.Until = d.fieldRef(until, join(e.path, "until"))
	} else {
		deadline.Until.Field = t.optionalID("until")
	}
	if from := t.keys["from"]; from != nil && from.Kind == yaml.MappingNode {
		deadline.FromField = d.fieldRef(from, join(e.path, "from"))
	} else if from != nil {
		deadline.From = t.id("from")
		if deadline.From != "effective" && deadline.From != "at" {
			d.fault(join(e.path, "from"), "«from» deve essere effective (data di efficacia), at (data di registrazione), {field: campo} o {parent_field: campo}")
		}
	}
	for i, remind := range deadline.Remind {
		if !remindForm.MatchString(remind) {
			d.fault(nth(join(e.path, "remind"), i), "promemoria non valido: «%s» (per esempio 3d, 12h, 50%%)", remind)
		}
	}
	if len(deadline.While) == 0 {
		d.fault(e.path, "manca «while»: gli stati in cui il termine corre")
	}
	expiry := t.keys["at_expiry"]
	if expiry == nil {
		d.fault(e.path, "manca «at_expiry»: {fire: evento} o {alert: [ruoli]}")
		return deadline
	}
	x := d.table(expiry, join(e.path, "at_expiry"), "fire", "alert")
	deadline.Fire, deadline.Alert = x.optionalID("fire"), x.roles("alert")
	if expiry.Kind == yaml.MappingNode && deadline.Fire == "" && len(deadline.Alert) == 0 {
		d.fault(x.path, "«at_expiry» deve far scattare un evento (fire) o avvisare dei ruoli (alert)")
	}
	return deadline
}

// fieldRef reads {field: f} or {parent_field: f}.
func (d *draft) fieldRef(n *yaml.Node, path string) FieldRef {
	t := d.table(n, path, "field", "parent_field")
	ref := FieldRef{Field: t.optionalID("field"), ParentField: t.optionalID("parent_field")}
	if (t.keys["field"] == nil) == (t.keys["parent_field"] == nil) {
		d.fault(path, "«%s» deve dire un solo campo: «field» oppure «parent_field»", lastOf(path))
	}
	return ref
}

// readTerm reads a limit key, or {field: f, choice: key …}, or {parent_field: f, choice: key …}, or {days: f}, or
// {share: key, of: f}. A table over a choice may have a value called days: the field says that it is one.
func (d *draft) readTerm(t table) Term {
	n := t.keys["term"]
	if n == nil {
		return Term{}
	}
	if n.Kind != yaml.MappingNode {
		return Term{Key: d.scalar(n, "term")}
	}
	if value(n, "field") == nil && value(n, "parent_field") == nil && (value(n, "days") != nil || value(n, "share") != nil) {
		return d.readDays(n, join(t.path, "term"))
	}
	term := Term{ByChoice: map[string]string{}}
	for _, e := range d.pairs(n, join(t.path, "term")) {
		d.mark(e.path, e.key)
		switch e.id {
		case "field":
			term.Field = d.scalar(e.val, e.id)
		case "parent_field":
			term.ParentField = d.scalar(e.val, e.id)
		default:
			term.ByChoice[e.id] = d.scalar(e.val, e.id)
		}
	}
	if (term.Field == "") == (term.ParentField == "") {
		d.fault(join(t.path, "term"), "la tabella dei termini deve dire il campo da cui dipende: «field» oppure «parent_field»")
	}
	return term
}

// readDays reads a length that a field of the case holds.
func (d *draft) readDays(n *yaml.Node, path string) Term {
	if value(n, "share") == nil {
		return Term{Days: d.table(n, path, "days").id("days")}
	}
	t := d.table(n, path, "share", "of")
	return Term{Share: t.text("share"), Of: t.id("of")}
}
