package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Lead says where an event takes a case, so that people can be shown first what brings it on.
type Lead string

// The ways.
const (
	LeadsOn    Lead = "on"    // to a later state
	LeadsRound Lead = "round" // to a state of the same stage from which one comes back: a suspension, a request for papers
	LeadsBack  Lead = "back"  // to an earlier stage, or to an earlier state that a person chooses
	LeadsOut   Lead = "out"   // to an end that comes before the work is done
	LeadsAside Lead = "stay"  // nowhere: something is recorded
)

// good are the outcomes of work that was done; broken those of a case that ended before. A workflow that knows no good one
// (a claim in court, a request to answer) has no broken end either: each of its ends is a way to finish.
var (
	good   = []string{"awarded", "closed", "completed", "ended", "executed", "paid"}
	broken = []string{"abandoned", "annulled", "cancelled", "deserted", "ineffective", "not_awarded", "revoked", "terminated", "withdrawn", "withdrawn_contract"}
)

// EndedEarly reports whether an ended case did not come to what it was opened for.
func EndedEarly(def *flow.Definition, outcome string) bool {
	return outcome == "abandoned" || slices.Contains(broken, outcome) && endsWell(def)
}

func endsWell(def *flow.Definition) bool {
	return slices.ContainsFunc(def.FinalStates(), func(s *flow.State) bool { return slices.Contains(good, s.Final) })
}

// leadOf looks at every state to which the event may lead from here; the best of them decides.
func leadOf(def *flow.Definition, ev *flow.Event, from, previous string) Lead {
	if ev.Rectify {
		return LeadsBack
	}
	lead := LeadsAside
	for _, m := range def.MovesFrom(ev.ID, from) {
		chosen := m.To.Input != ""
		ends := m.To.States()
		switch {
		case m.To.Same:
			continue
		case m.To.Previous:
			ends = []string{previous}
		}
		for _, to := range ends {
			switch l := leadTo(def, from, to, chosen && len(ends) > 1 || m.To.Previous); {
			case l == LeadsOn:
				return LeadsOn
			case l == LeadsRound || l != LeadsAside && lead == LeadsAside:
				lead = l
			}
		}
	}
	return lead
}

func leadTo(def *flow.Definition, from, to string, chosen bool) Lead {
	here, ok := def.State(from)
	there, found := def.State(to)
	switch {
	case !ok || !found || from == to:
		return LeadsAside
	case there.Final != "" && EndedEarly(def, there.Final):
		return LeadsOut
	case there.Final != "":
		return LeadsOn
	case stageIndex(def, there.Stage) < stageIndex(def, here.Stage):
		return LeadsBack
	case chosen && stateIndex(def, to) < stateIndex(def, from):
		return LeadsBack
	case there.Stage == here.Stage && stateIndex(def, to) > stateIndex(def, from) && returns(def, to, from):
		return LeadsRound
	}
	return LeadsOn
}

// returns reports whether some event leads straight back, other than where a person may choose among many states.
func returns(def *flow.Definition, from, to string) bool {
	return slices.ContainsFunc(def.EventsFrom(from), func(ev *flow.Event) bool {
		return !ev.Rectify && slices.ContainsFunc(def.MovesFrom(ev.ID, from), func(m flow.Move) bool { return m.To.State == to })
	})
}

func stageIndex(def *flow.Definition, id string) int {
	return slices.IndexFunc(def.Stages, func(s flow.Stage) bool { return s.ID == id })
}

func stateIndex(def *flow.Definition, id string) int {
	return slices.IndexFunc(def.States, func(s flow.State) bool { return s.ID == id })
}

// turn returns the roles that may lead a case on from where it stands; nil when it goes on by itself, or has ended. Conditions
// are not looked at: who must upload a document first has the turn too.
func turn(def *flow.Definition, c *store.Case, a *store.Agreement) []Labelled {
	if c.EndedAt != nil || rests(def, c.State) {
		return nil
	}
	var out, round []string
	add := func(to *[]string, ev *flow.Event) {
		for _, role := range eventRoles(ev, a) {
			if !slices.Contains(*to, role) {
				*to = append(*to, role)
			}
		}
	}
	own := byItself(def, c.State, a)
	for _, ev := range def.EventsFrom(c.State) {
		switch lead := leadOf(def, ev, c.State, c.Previous); {
		case lead == LeadsOn && !onlyTo(def, ev, c.State, own):
			add(&out, ev)
		case lead == LeadsRound:
			add(&round, ev)
		}
	}
	if len(out) == 0 && len(own) == 0 {
		out = round
	}
	return labelled(out)
}

// rests reports whether a case may well stay where it is until the case above closes it: a certificate in order, while it is valid.
func rests(def *flow.Definition, state string) bool {
	term := slices.ContainsFunc(def.Deadlines, func(d flow.Deadline) bool { return d.Fire != "" && slices.Contains(d.While, state) })
	return term && slices.ContainsFunc(def.EventsFrom(state), func(ev *flow.Event) bool {
		return ev.FiredBy("parent") && len(ev.By) > 1 && leadOf(def, ev, state, "") == LeadsOn
	})
}

// byItself returns the states to which a case comes from here with nobody acting on it: a term ends, or cases below do.
func byItself(def *flow.Definition, state string, a *store.Agreement) []string {
	var out []string
	for _, ev := range def.EventsFrom(state) {
		if len(eventRoles(ev, a)) > 0 || !ev.FiredBy("system") || leadOf(def, ev, state, "") != LeadsOn {
			continue
		}
		for _, m := range def.MovesFrom(ev.ID, state) {
			out = append(out, m.To.States()...)
		}
	}
	return out
}

// onlyTo reports whether an event leads only where the case comes by itself: then people need not wait for who may fire it.
func onlyTo(def *flow.Definition, ev *flow.Event, state string, there []string) bool {
	for _, m := range def.MovesFrom(ev.ID, state) {
		if m.To.Same || m.To.Previous || slices.ContainsFunc(m.To.States(), func(s string) bool { return !slices.Contains(there, s) }) {
			return false
		}
	}
	return true
}

// stops names the terms that an event brings to their end: firing it is what they ask for.
func stops(ev *flow.Event) []string {
	var out []string
	for _, do := range ev.Then {
		if do.Verb == flow.VerbStop {
			out = append(out, do.Deadline)
		}
	}
	return out
}

// otherWay are refusals that no work on the case takes away: the tender goes by another of the ways that the law has.
var otherWay = []string{
	"above_threshold", "below_threshold", "cross_border", "exclusion_kind", "field_other", "field_same", "fvoe_works", "inversion",
	"no_inversion", "not_best_value", "not_lowest_price", "offers_too_few",
}

// apart reports whether refusals say that the event belongs to another way.
func apart(refusals []Refusal) bool {
	return slices.ContainsFunc(refusals, func(r Refusal) bool { return slices.Contains(otherWay, r.Code) })
}
