package engine

import (
	"slices"
	"testing"
)

func TestAnswersKeepTheOrderOfTheForm(t *testing.T) {
	values := map[string]any{"amount": 1, "title": "x", "kind": "works", "zone": "?", "alone": "?"}
	got := asDeclared(values, []string{"title", "kind", "amount", "empty"})
	if want := []string{"title", "kind", "amount", "alone", "zone"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}
