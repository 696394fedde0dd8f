package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Lead says where an event takes a case, so that people can be shown first what brings it on.
type Lead string

// The four ways.
const (
	LeadsOn    Lead = "on"   // to a later state
	LeadsBack  Lead = "back" // to an earlier stage, or to an earlier state that a person chooses
	LeadsOut   Lead = "out"  // to an end that comes before the work is done
	LeadsAside Lead = "stay" // nowhere: something is recorded
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
			case l != LeadsAside && lead != LeadsBack:
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
	}
	return LeadsOn
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
	var out []string
	if c.EndedAt != nil {
		return nil
	}
	for _, ev := range def.EventsFrom(c.State) {
		if leadOf(def, ev, c.State, c.Previous) != LeadsOn {
			continue
		}
		for _, role := range eventRoles(ev, a) {
			if !slices.Contains(out, role) {
				out = append(out, role)
			}
		}
	}
	return labelled(out)
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
