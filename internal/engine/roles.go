package engine

import (
	"slices"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// roles are the roles of law.md §1.2 with the side for which each acts. eo_user is nobody's role: what operators do is
// recorded by sua_clerk.
var roles = map[string]flow.Role{
	"rup":                  {Side: flow.SideMember, Label: Text{IT: "RUP", EN: "RUP (project manager)"}},
	"phase_manager_member": {Side: flow.SideMember, Label: Text{IT: "Responsabile di fase (Comune)", EN: "Phase manager (municipality)"}},
	"member_director":      {Side: flow.SideMember, Label: Text{IT: "Dirigente del Comune", EN: "Municipal director"}},
	"works_director":       {Side: flow.SideMember, Label: Text{IT: "Direttore dei lavori / dell'esecuzione", EN: "Works or performance director"}},
	"tester":               {Side: flow.SideMember, Label: Text{IT: "Collaudatore", EN: "Tester"}},
	"contract_officer":     {Side: flow.SideMember, Label: Text{IT: "Ufficiale rogante", EN: "Contract officer"}},
	"accountant":           {Side: flow.SideMember, Label: Text{IT: "Responsabile finanziario", EN: "Accountant"}},
	"sua_phase_manager":    {Side: flow.SideSUA, Label: Text{IT: "Responsabile della fase di affidamento (SUA)", EN: "Award phase manager (SUA)"}},
	"sua_director":         {Side: flow.SideSUA, Label: Text{IT: "Dirigente SUA", EN: "SUA director"}},
	"sua_clerk":            {Side: flow.SideSUA, Label: Text{IT: "Istruttore SUA", EN: "SUA officer"}},
	"seat":                 {Side: flow.SideSUA, Label: Text{IT: "Seggio di gara", EN: "Tender seat"}},
	"committee":            {Side: flow.SideCommittee, Label: Text{IT: "Commissione giudicatrice", EN: "Evaluation committee"}},
	"auditor":              {Side: flow.SideControl, Label: Text{IT: "Controllo e revisione", EN: "Auditor"}},
	"system":               {Side: flow.SideSystem, Label: Text{IT: "Sistema", EN: "System"}},
	"parent":               {Side: flow.SideSystem, Label: Text{IT: "Procedura superiore", EN: "Parent case"}},
}

// acts are what the agreement assigns to one side or the other (law.md §3.1, last line).
var acts = map[string]Text{
	"decision":       {IT: "Decisione di contrarre", EN: "Decision to contract"},
	"indiction":      {IT: "Indizione", EN: "Call for tenders"},
	"award_proposal": {IT: "Proposta di aggiudicazione", EN: "Award proposal"},
	"award":          {IT: "Aggiudicazione", EN: "Award"},
}

// defaultOwner says who adopts an act when the agreement is silent (law.md §3.1).
var defaultOwner = map[string]string{"decision": "member", "indiction": "sua", "award_proposal": "seat", "award": "sua"}

// ownerRole returns the role that adopts an act under an agreement (nil: none).
func ownerRole(act string, a *store.Agreement) string {
	owner := defaultOwner[act]
	if a != nil && a.Acts[act] != "" {
		owner = a.Acts[act]
	}
	switch owner {
	case "member":
		return "member_director"
	case "sua":
		return "sua_director"
	}
	return owner
}

// eventRoles returns the roles that may fire an event by hand, acts resolved.
func eventRoles(ev *flow.Event, a *store.Agreement) []string {
	var out []string
	for _, by := range ev.By {
		role := by.Role
		if by.OwnerOf != "" {
			role = ownerRole(by.OwnerOf, a)
		}
		if roles[role].Side != flow.SideSystem && !slices.Contains(out, role) {
			out = append(out, role)
		}
	}
	return out
}

// ServesSUA reports whether the actor works for a SUA or controls one: who the figures of a SUA concern.
func ServesSUA(who auth.Actor) bool {
	return slices.ContainsFunc(who.Memberships, func(m auth.Membership) bool {
		side := roles[m.Role].Side
		return side == flow.SideSUA || side == flow.SideControl
	})
}

// standing returns in which role and for which body the actor may act as one of the roles on a case of these owners.
func standing(who auth.Actor, allowed []string, memberBody, sua string) (role, body string, ok bool) {
	for _, r := range allowed {
		for _, b := range bodiesOf(roles[r].Side, memberBody, sua) {
			if who.Holds(r, b) {
				return r, b, true
			}
		}
	}
	return "", "", false
}

// bodiesOf returns for which of the two owners a side acts.
func bodiesOf(side flow.Side, memberBody, sua string) []string {
	switch side {
	case flow.SideMember:
		return []string{memberBody}
	case flow.SideSUA, flow.SideCommittee:
		return []string{sua}
	case flow.SideControl:
		return []string{sua, memberBody}
	}
	return nil
}

// labelled returns roles with their labels.
func labelled(ids []string) []Labelled {
	out := make([]Labelled, 0, len(ids))
	for _, id := range ids {
		out = append(out, roleLabel(id))
	}
	return out
}

func roleLabel(id string) Labelled {
	if r, ok := roles[id]; ok {
		return Labelled{id, r.Label}
	}
	return Labelled{id, Text{IT: id, EN: id}}
}
