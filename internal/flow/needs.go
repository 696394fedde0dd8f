package flow

import "slices"

// computeNeeds fills Event.Needs: what the event itself reads, and what the events it sets off read in turn.
func (l *Library) computeNeeds(v Vocabulary) {
	for _, d := range l.all {
		for i := range d.Events {
			n := needing{library: l, vocabulary: v, seen: map[*Event]bool{}}
			n.add(d, &d.Events[i])
			d.Events[i].Needs = n.needs
		}
	}
}

// needing follows one event down (open, tell) and up (joins); each event of each workflow is looked at once.
type needing struct {
	library    *Library
	vocabulary Vocabulary
	seen       map[*Event]bool
	needs      Needs
}

func (n *needing) add(d *Definition, e *Event) {
	if n.seen[e] {
		return
	}
	n.seen[e] = true
	n.needs.What |= n.own(d, e)
	for _, a := range e.Then {
		child, found := d.Child(a.Children)
		if !found || a.Verb != VerbOpen && a.Verb != VerbTell {
			continue
		}
		n.needs.Tree = true
		for _, version := range n.library.all { // a tree may hold children of an older version
			if version.Workflow != child.Workflow {
				continue
			}
			if told, found := version.Event(a.Event); found && a.Verb == VerbTell {
				n.add(version, told)
			}
			if a.Verb == VerbOpen {
				for _, opening := range version.Openings() {
					n.add(version, opening)
				}
			}
		}
	}
	if stays(e) {
		return // no join can begin to hold when no state changes
	}
	for _, parent := range n.library.all {
		for _, j := range parent.Joins {
			child, found := parent.Child(j.Children)
			fired, fires := parent.Event(j.Fire)
			if found && fires && child.Workflow == d.Workflow {
				n.needs.Tree = true
				n.add(parent, fired)
			}
		}
	}
}

// stays reports whether the event leaves every case where it is.
func stays(e *Event) bool {
	return !slices.ContainsFunc(e.Moves, func(m Move) bool { return !m.To.Same })
}

// own is what deciding the event itself reads.
func (n *needing) own(d *Definition, e *Event) Need {
	var what Need
	for _, calls := range [][]Call{e.Guards, e.Warns} {
		what |= n.calls(calls)
	}
	for _, m := range e.Moves {
		what |= n.calls(m.If) | moveNeeds(d, m)
	}
	if len(e.Documents) > 0 {
		what |= NeedDocuments
	}
	for _, in := range e.Inputs {
		if in.Kind == InputRow || in.Kind == InputRows {
			what |= NeedRows
		}
	}
	if slices.ContainsFunc(e.By, func(b By) bool { return b.OwnerOf != "" }) {
		what |= NeedAgreement
	}
	for _, a := range e.Then {
		what |= n.action(d, a) | n.calls(a.If)
	}
	for _, deadline := range d.Deadlines {
		if deadline.Fire == e.ID {
			what |= n.calls(deadline.BlockedBy) | NeedDeadlines
		}
	}
	return what
}

// moveNeeds is what taking a move touches besides its conditions.
func moveNeeds(d *Definition, m Move) Need {
	var what Need
	touched := append(slices.Clone(m.From), m.To.States()...)
	for _, deadline := range d.Deadlines {
		if m.To.Previous || slices.ContainsFunc(touched, func(s string) bool { return slices.Contains(deadline.While, s) }) {
			what |= NeedDeadlines
		}
	}
	for _, id := range m.To.States() {
		if state, found := d.State(id); found && state.Final != "" && len(d.Children) > 0 {
			what |= NeedChildren
		}
	}
	if m.To.Previous {
		what |= NeedPast
	}
	return what
}

func (n *needing) action(d *Definition, a Action) Need {
	switch a.Verb {
	case VerbOpen, VerbTell:
		return NeedChildren
	case VerbOpenLinked:
		if len(a.Copy) > 0 && len(n.library.parents[d.Workflow]) > 0 {
			return NeedParent // a value that the case lacks is looked for above
		}
	case VerbRun:
		return n.vocabulary.Effects[a.Effect.Name].NeedsOf(a.Effect.Params)
	case VerbStart, VerbRestart, VerbStop, VerbSuspend, VerbResume, VerbExtend:
		what := NeedDeadlines
		deadline, found := d.Deadline(a.Deadline)
		if !found {
			return what
		}
		if deadline.Term.ParentField != "" || deadline.Until.ParentField != "" || deadline.FromField.ParentField != "" {
			what |= NeedParent
		}
		return what | n.calls(deadline.BlockedBy)
	}
	return 0
}

func (n *needing) calls(calls []Call) Need {
	var what Need
	for _, call := range calls {
		what |= n.vocabulary.Guards[call.Name].NeedsOf(call.Params)
	}
	return what
}
