package api

import "testing"

// FuzzListFilter: whatever stands in the parameters of the list, they become a filter or a fault of the request.
func FuzzListFilter(f *testing.F) {
	for _, s := range []string{"", "2026-03-02", "2026-03-02T09:00:00+01:00", "2026-02-30", "9999-12-31T23:59:59.999999999-23:59", "0000-01-01"} {
		f.Add(s, "-updated")
	}
	f.Fuzz(func(t *testing.T, due, sort string) {
		in := listInput{DueBefore: dateTime(due), Sort: sort}
		filter, err := in.filter()
		if err != nil {
			if p := problemOf(err); p.Status != 422 {
				t.Errorf("due_before %q is answered with %d", due, p.Status)
			}
			return
		}
		if due == "" && !filter.DueBefore.IsZero() {
			t.Errorf("no due_before becomes %v", filter.DueBefore)
		}
	})
}
