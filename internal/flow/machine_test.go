package flow

import (
	"context"
	"errors"
	"testing"
)

// to picks the first move and the state given.
func to(state string) func([]Move) (Move, string, error) {
	return func(moves []Move) (Move, string, error) { return moves[0], state, nil }
}

func TestWalk(t *testing.T) {
	lot := latest(t, example(t), "lot")
	tests := []struct{ name, from, event, to string }{
		{"moves on", "planned", "open_for_bids", "open"},
		{"chooses a way", "admission", "decide_admission", "evaluation"},
		{"stays where it is", "admission", "record_bid", "admission"},
		{"begins a case", "", "open", "planned"},
		{"is mended after its end", "revoked", "rectify", "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step, err := lot.Walk(context.Background(), tt.from, tt.event, to(tt.to))
			if err != nil {
				t.Fatal(err)
			}
			if step.From != tt.from || step.To != tt.to || step.Event != tt.event || len(step.Move.From) == 0 && tt.from != "" {
				t.Errorf("step = %+v, want %s to %s", step, tt.from, tt.to)
			}
		})
	}
}

func TestWalkOffersTheMovesOfTheStateOnly(t *testing.T) {
	lot := latest(t, example(t), "lot")
	_, err := lot.Walk(context.Background(), "awarded", "communicate_award", func(moves []Move) (Move, string, error) {
		if len(moves) != 2 || len(moves[0].If) != 1 || moves[0].To.State != "standstill" || len(moves[1].If) != 0 {
			t.Errorf("moves offered = %+v", moves)
		}
		return moves[1], "to_contract", nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWalkRefuses(t *testing.T) {
	lot := latest(t, example(t), "lot")
	var notAllowed NotAllowed
	for _, from := range []string{"planned", "", "nowhere"} {
		_, err := lot.Walk(context.Background(), from, "award", to("awarded"))
		if !errors.As(err, &notAllowed) || notAllowed != (NotAllowed{"award", from}) {
			t.Errorf("award from %q = %v, want NotAllowed", from, err)
		}
	}
	if _, err := lot.Walk(context.Background(), "planned", "no_such_event", to("open")); !errors.As(err, &notAllowed) {
		t.Errorf("unknown event = %v, want NotAllowed", err)
	}
	if _, err := lot.Walk(context.Background(), "planned", "open_for_bids", to("paradise")); err == nil || errors.As(err, &notAllowed) {
		t.Errorf("a destination that does not exist = %v, want another error", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := lot.Walk(cancelled, "planned", "open_for_bids", to("open")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled context = %v", err)
	}
}

type refusal struct{ code string }

func (r refusal) Error() string { return r.code }

func TestWalkGivesBackTheErrorOfPick(t *testing.T) {
	lot := latest(t, example(t), "lot")
	_, err := lot.Walk(context.Background(), "planned", "open_for_bids", func([]Move) (Move, string, error) {
		return Move{}, "", refusal{"court_stay"}
	})
	var r refusal
	if !errors.As(err, &r) || r.code != "court_stay" {
		t.Errorf("err = %v, want the refusal itself", err)
	}
}
