package flow

import "testing"

func TestNeeds(t *testing.T) {
	l := example(t)
	tests := []struct {
		workflow, event string
		has, lacks      Need
		tree            bool
	}{
		{"integration_request", "answer", 0, NeedParent | NeedChildren | NeedRows | NeedDocuments | NeedAgreement | NeedPast | NeedDeadlines, false},
		{"open_procedure", "submit_request", NeedAgreement | NeedDocuments | NeedChildren | NeedDeadlines, NeedRows | NeedParent, false},
		// tells the lots open_for_bids, which starts a term that reads the parent's criterion
		{"open_procedure", "publish", NeedDocuments | NeedChildren | NeedDeadlines | NeedParent, NeedAgreement, true},
		{"open_procedure", "revoke", NeedAgreement | NeedDocuments | NeedChildren, NeedRows, true},
		{"lot", "record_bid", NeedRows | NeedDeadlines, NeedParent | NeedAgreement, false}, // stays: no join can follow
		{"lot", "decide_admission", NeedRows | NeedChildren | NeedParent, NeedAgreement, true},
		{"lot", "communicate_award", NeedParent | NeedDeadlines, NeedDocuments, true},
		// the join of the lot concludes it, which the join of the procedure may follow
		{"contract", "sign", NeedChildren, NeedRows, true},
		{"litigation", "lift", NeedPast, NeedChildren, false},
	}
	for _, tt := range tests {
		e, found := latest(t, l, tt.workflow).Event(tt.event)
		if !found {
			t.Fatalf("no event %s", tt.event)
		}
		if !e.Needs.Has(tt.has) || e.Needs.What&tt.lacks != 0 || e.Needs.Tree != tt.tree {
			t.Errorf("%s.%s needs %+v; want all of %b, none of %b, tree %v", tt.workflow, tt.event, e.Needs, tt.has, tt.lacks, tt.tree)
		}
	}
}
