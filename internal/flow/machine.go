package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/looplab/fsm"
)

// Step is one transition that the machine allowed.
type Step struct {
	From  string // "" when the case begins
	To    string
	Event string
	Move  Move
}

// NotAllowed says that an event has no move from a state.
type NotAllowed struct {
	Event, State string
}

// Error is for operators; people get a text of package engine.
func (e NotAllowed) Error() string {
	return fmt.Sprintf("event %s is not possible from state %q", e.Event, e.State)
}

// Walk takes the event from a state ("" begins a case). It hands pick the moves that leave from there, in the order in
// which they are tried; pick, which knows the facts, answers with the move taken and the state it leads to. The errors of
// pick come back unchanged; without any move the error is NotAllowed. Nothing is changed anywhere: a step is a value.
func (d *Definition) Walk(ctx context.Context, from, event string, pick func(moves []Move) (Move, string, error)) (Step, error) {
	moves := d.MovesFrom(event, from)
	if len(moves) == 0 {
		return Step{}, NotAllowed{event, from}
	}
	move, to, err := pick(moves)
	if err != nil {
		return Step{}, err
	}
	if _, known := d.State(to); !known {
		return Step{}, fmt.Errorf("walk %s of %s: %q is not a state", event, d.Workflow, to)
	}
	machine := fsm.NewFSM(from, fsm.Events{{Name: event, Src: []string{from}, Dst: to}}, nil)
	err = machine.Event(ctx, event)
	if errors.As(err, new(fsm.NoTransitionError)) {
		err = nil // a self-loop is a success for us
	}
	if err != nil {
		return Step{}, fmt.Errorf("walk %s of %s from %s: %w", event, d.Workflow, from, err)
	}
	return Step{From: from, To: machine.Current(), Event: event, Move: move}, nil
}
