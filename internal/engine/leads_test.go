package engine

import (
	"slices"
	"testing"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// shippedLast is the newest shipped definition of a workflow.
func shippedLast(t *testing.T, workflow string) *flow.Definition {
	t.Helper()
	cfg, err := Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	lib, faults, err := flow.Compile(cfg.Sources, Vocabulary(), cfg.Limits, cfg.Catalogue)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	def, ok := lib.Latest(workflow)
	if !ok {
		t.Fatalf("no workflow %s", workflow)
	}
	return def
}

func TestWhereAnEventLeads(t *testing.T) {
	for _, c := range []struct {
		workflow, state, event string
		want                   Lead
	}{
		{"lot", "bids_closed", "open_seat", LeadsOn},
		{"lot", "bids_closed", "record_bid", LeadsAside},
		{"lot", "bids_closed", "declare_deserted", LeadsOut},
		{"lot", "admin_check", "ask_remedy", LeadsRound},
		{"lot", "admin_check", "decide_admission", LeadsOn},
		{"lot", "awarded", "exclude_winner", LeadsBack},
		{"lot", "technical_evaluation", "follow_judgment", LeadsBack},
		{"lot", "standstill", "annul_award", LeadsOut},
		{"lot", "contracted", "execution_ended", LeadsOn},
		{"contract", "in_progress", "suspend_total", LeadsRound},
		{"contract", "suspended_total", "resume", LeadsOn},
		// a workflow without a good end has no bad one: each of its ends is a way to finish
		{"litigation", "notified", "record_annulment", LeadsOn},
		{"remedy", "answered", "judge_not_remedied", LeadsOn},
		{"subcontract", "under_check", "refuse", LeadsOn},
	} {
		def := shippedLast(t, c.workflow)
		ev, ok := def.Event(c.event)
		if !ok || len(def.MovesFrom(c.event, c.state)) == 0 {
			t.Errorf("%s: no %s from %s", c.workflow, c.event, c.state)
			continue
		}
		if got := leadOf(def, ev, c.state, ""); got != c.want {
			t.Errorf("%s %s from %s leads %q, want %q", c.workflow, c.event, c.state, got, c.want)
		}
	}
}

func TestWhoseTurn(t *testing.T) {
	for _, c := range []struct {
		workflow, state string
		want            []string
	}{
		{"lot", "admin_check", []string{"sua_phase_manager", "sua_director"}},
		{"lot", "technical_evaluation", []string{"committee"}},
		{"lot", "contracted", nil},              // it goes on with its contract
		{"requirements_check", "positive", nil}, // it rests while the certificate is valid
		{"requirements_check", "requested", []string{"sua_clerk", "sua_phase_manager", "rup"}},
	} {
		var got []string
		for _, r := range turn(shippedLast(t, c.workflow), &store.Case{State: c.state}, nil) {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s in %s: the turn of %v, want %v", c.workflow, c.state, got, c.want)
		}
	}
}

func TestEndedEarly(t *testing.T) {
	for _, c := range []struct {
		workflow, outcome string
		want              bool
	}{
		{"lot", "deserted", true}, {"lot", "executed", false}, {"contract", "terminated", true}, {"contract", "closed", false},
		{"litigation", "annulled", false}, {"remedy", "abandoned", true},
	} {
		if got := EndedEarly(shippedLast(t, c.workflow), c.outcome); got != c.want {
			t.Errorf("%s %s: early %v, want %v", c.workflow, c.outcome, got, c.want)
		}
	}
}
