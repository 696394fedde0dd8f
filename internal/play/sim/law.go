package sim

import "context"

// lawful are invariants of the law beside those that a definition says itself. They hold wherever a workflow has fields and columns of
// these names, whatever guards it has: a guard that was forgotten in one of many events is found so.
func (t *tree) lawful(context.Context) *Fault {
	for id, v := range t.cases {
		a := t.tale[id]
		signed, ok := a.fields["contract_signed_on"].(string)
		if from, known := a.fields["contract_from"].(string); ok && known && signed < from { // art. 18 c. 3: days compare as texts
			return fault("law: signed early", "the contract of %s was signed on %s; it may be from %s", v.Workflow.ID, signed, from)
		}
		for register, rows := range a.rows {
			for n, r := range rows {
				reason, has := r["reason"].(string)
				if r["admission"] == "excluded" && (!has || reason == "") { // an exclusion says why
					return fault("law: excluded without reason", "row %d of %s of %s: %v", n, register, v.Workflow.ID, r)
				}
			}
		}
	}
	return nil
}

// links: a case that an event opened beside this one, in a tree of its own, is tied to it.
func (t *tree) links(context.Context) *Fault {
	for _, e := range t.events {
		for _, id := range e.open.Opened {
			if _, below := t.cases[id]; below {
				continue
			}
			tied := false
			for _, l := range t.cases[e.Case].Links {
				tied = tied || l.To.ID == id
			}
			if !tied {
				return fault("links", "event %d (%s) opened %s, and no link says so", e.Seq, e.Event, id)
			}
		}
	}
	return nil
}

// rules are all that is held against a tree, the plain ones first.
func (t *tree) rules() []func(context.Context) *Fault {
	return []func(context.Context) *Fault{t.follows, t.stands, t.family, t.links, t.terms, t.expiries, t.documents, t.people, t.secrets, t.lawful}
}
