package flow

import "slices"

// Way says how a case that stands in state comes to where event is possible: the states from which it is, in the order of the
// file, and the first event of a shortest way to one of them. The event is nil where no way leads there. previous is the
// state before, where the moves back lead; a way uses them only for its first step. Conditions are not looked at, and
// rectify, which mends a mistake, is no way on.
func (d *Definition) Way(state, previous, event string) (next *Event, from []string) {
	for _, s := range d.States {
		if slices.ContainsFunc(d.MovesFrom(event, s.ID), func(m Move) bool { return !m.Opens }) {
			from = append(from, s.ID)
		}
	}
	type step struct {
		state string
		first *Event
	}
	seen := map[string]bool{state: true}
	for queue := []step{{state: state}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at.first != nil && slices.Contains(from, at.state) {
			return at.first, from
		}
		for _, e := range d.EventsFrom(at.state) {
			if e.Rectify {
				continue
			}
			first := at.first
			if first == nil {
				first = e
			}
			for _, m := range movesFrom(e.Moves, at.state) {
				ends := m.To.States()
				if m.To.Previous && at.first == nil && previous != "" {
					ends = []string{previous}
				}
				for _, to := range ends {
					if !seen[to] {
						seen[to] = true
						queue = append(queue, step{to, first})
					}
				}
			}
		}
	}
	return nil, from
}
