package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// The calendar of a person is found along the next term of each case. It holds the same terms as all of them looked through, also where
// the next term of a tree is another person's, where a case has only suspended ones, and where the next one has long ended.
func TestCalendarOfAPersonHoldsTheFirstTerms(t *testing.T) {
	cases, byID, all := sortedTrees()
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, cases...)
		for _, c := range cases {
			if c.Parent == "" {
				create(t, db, func(tx *store.Tx) error {
					for _, d := range all {
						if d.Root != c.ID {
							continue
						}
						if err := tx.InsertDeadline(d); err != nil {
							return err
						}
					}
					tx.RefreshDue(c.ID, []string{c.ID + "-1"})
					return nil
				})
			}
		}
		found := 0
		for _, scope := range []store.Scope{store.Everything, home, away, {Bodies: []string{"conselve"}}} {
			for _, person := range []string{"anna", "bruno", "carla", "nobody"} {
				for _, from := range []time.Time{noon.Add(-time.Hour * 24), noon.Add(-time.Hour), noon, noon.Add(time.Hour * 3)} {
					for _, limit := range []int{1, 2, 5, 100} {
						found += samePersonTerms(t, db, scope, person, from, limit, byID, all)
					}
				}
			}
		}
		if found < 500 {
			t.Errorf("only %d terms in all calendars", found)
		}
	})
}

// samePersonTerms compares a calendar with the one made in Go.
func samePersonTerms(t *testing.T, db *store.DB, scope store.Scope, person string, from time.Time, limit int, cases map[string]*store.Case, all []store.Deadline) int {
	t.Helper()
	var want []store.Deadline
	for _, d := range all {
		c := cases[d.CaseID]
		if slices.Contains([]string{store.Running, store.Suspended, store.Blocked}, d.Status) && (c.Officer == person || c.RUP == person) && scope.Sees(d.MemberBody, d.SUA) && d.DueAt.After(from) {
			want = append(want, d)
		}
	}
	want = want[:min(limit, len(want))]
	got, err := db.LiveTerms(t.Context(), scope, person, from, limit)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(g store.Term, w store.Deadline) bool { return g.ID == w.ID && g.Case.ID == w.CaseID }) {
		t.Errorf("%s in %v, %d from %s:\n got %v\nwant %v", person, scope, limit, from, ids(got), want)
	}
	return len(got)
}

func ids(terms []store.Term) (out []string) {
	for _, term := range terms {
		out = append(out, term.ID)
	}
	return out
}
