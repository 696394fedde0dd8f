package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/engine"
)

// following has terms that hang from the hour at which bids are due: so many that a notice does not name them all.
func following(n int) map[string]string {
	var terms, starts []string
	for i := range n {
		terms = append(terms, fmt.Sprintf("  follow_%d: {label: {it: Seguito %d, en: Follow %d}, law: art. 88, term: clarification.before_deadline, counted: backward, from: {field: bids_due}, while: [public], at_expiry: {alert: [sua_clerk]}}\n", i, i+1, i+1))
		starts = append(starts, fmt.Sprintf("{start: follow_%d}", i))
	}
	yaml := strings.Replace(bidding, "deadlines:\n", "deadlines:\n"+strings.Join(terms, ""), 1)
	yaml = strings.Replace(yaml, "{start: whole}]}", "{start: whole}, "+strings.Join(starts, ", ")+"]}", 1)
	return map[string]string{"bidding.v1.yaml": yaml, "question.v1.yaml": question}
}

// A notice of a term that was moved names those that moved with it.
func TestNoticeNamesTheTermsThatFollow(t *testing.T) {
	const on = "» (giovedì 26 marzo 2026)"
	for n, want := range map[int]string{1: "Cambiano anche: «Seguito 1" + on + ".", 5: "«Seguito 3" + on + " e altri 2."} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			each(t, following(n), func(t *testing.T, o *office) {
				id := published(t, o, "2026-03-25T12:00:00+01:00")
				cmd := change(t, o, id, "bids_close")
				cmd.To = "2026-04-01"
				if _, err := o.MoveDeadline(t.Context(), o.clerk, cmd); err != nil {
					t.Fatal(describe(err))
				}
				if _, err := o.ExpandOutbox(t.Context(), 100); err != nil {
					t.Fatal(err)
				}
				all := inbox(t, o, o.rup)
				i := slices.IndexFunc(all, func(n engine.NoticeView) bool { return n.Template == "deadline_moved" })
				if i < 0 || !strings.Contains(all[i].Body.IT, want) || strings.Contains(all[i].Body.IT, "Cambiano anche: «Scadenza") {
					t.Errorf("%+v", all)
				}
			})
		})
	}
}
