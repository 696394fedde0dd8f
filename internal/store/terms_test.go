package store_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// trees are cases of two bodies and a child of each, some ended, and their terms: of every status, many over at the same instant.
func trees() (cases []*store.Case, terms []store.Deadline) {
	statuses := []string{store.Running, store.Met, store.Expired, store.Suspended, store.Blocked, store.Expired, store.Cancelled}
	for i := range 12 {
		c := plain(fmt.Sprintf("t%02d", i))
		c.MemberBody = []string{"conselve", "padova", "conselve"}[i%3]
		c.Officer, c.RUP = []string{"", "anna", "bruno"}[i%3], []string{"anna", "bruno"}[i%2]
		if i%4 == 1 {
			c.State, c.Outcome = "done", "done"
		}
		below := *c
		below.ID, below.Parent, below.Child, below.Workflow, below.Officer, below.RUP = c.ID+"-1", c.ID, "lots", "lot", "", []string{"carla", "anna"}[i%2]
		cases = append(cases, c, &below)
	}
	for i, c := range append(slices.Clone(cases), cases...) {
		for k := range 3 {
			n := i + k*5
			terms = append(terms, store.Deadline{ID: fmt.Sprintf("d%03d-%d", i*31%97, k), CaseID: c.ID, Root: c.Root, MemberBody: c.MemberBody, SUA: c.SUA, Name: []string{"bids", "answer"}[k%2],
				Status: statuses[n%len(statuses)], StartedAt: noon, StartedSeq: int64(i*3 + k), DueAt: noon.Add(time.Duration(n%5-2) * time.Hour), NextTry: noon})
		}
	}
	return cases, terms
}

// wanted says in Go what TermFilter says in SQL.
func wanted(f store.TermFilter, scope store.Scope, d store.Deadline, cases map[string]*store.Case, all []store.Deadline) bool {
	c, root := cases[d.CaseID], cases[d.Root]
	live := slices.Contains([]string{store.Running, store.Suspended, store.Blocked}, d.Status)
	lapsed := d.Status == store.Expired && c.Outcome == "" && slices.Contains(f.Lapsed, d.Name) &&
		!slices.ContainsFunc(all, func(o store.Deadline) bool {
			return o.CaseID == d.CaseID && o.Name == d.Name && o.StartedSeq > d.StartedSeq
		})
	return (live || lapsed) && scope.Sees(d.MemberBody, d.SUA) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, d.Status)) &&
		(f.Due.IsZero() || !d.DueAt.After(f.Due)) && (f.After.IsZero() || !d.DueAt.Before(f.After)) && (f.Before.IsZero() || d.DueAt.Before(f.Before)) &&
		(len(f.Workflows) == 0 || slices.Contains(f.Workflows, c.Workflow)) && (f.Body == "" || d.MemberBody == f.Body || d.SUA == f.Body) &&
		(f.Person == "" || slices.Contains([]string{c.Officer, c.RUP, root.Officer, root.RUP}, f.Person))
}

// sortedTrees are trees with the cases also by id and the terms soonest first.
func sortedTrees() (cases []*store.Case, byID map[string]*store.Case, terms []store.Deadline) {
	cases, terms = trees()
	byID = map[string]*store.Case{}
	for _, c := range cases {
		byID[c.ID] = c
	}
	slices.SortFunc(terms, func(a, b store.Deadline) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID)) })
	return cases, byID, terms
}

func TestTermsAreThoseAskedForEachOnce(t *testing.T) {
	cases, byID, all := sortedTrees()
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, cases...)
		create(t, db, func(tx *store.Tx) error {
			for _, d := range all {
				if err := tx.InsertDeadline(d); err != nil {
					return err
				}
			}
			return nil
		})
		found := 0
		for _, scope := range []store.Scope{store.Everything, home, away, {Bodies: []string{"conselve"}}, {Bodies: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "padova"}}, {}} {
			for _, f := range []store.TermFilter{
				{}, {Statuses: []string{store.Blocked}}, {Due: noon}, {After: noon}, {Before: noon}, {Workflows: []string{"lot"}}, {Body: "conselve"}, {Body: "padova"}, {Body: "treviso"},
				{Person: "anna"}, {Person: "bruno", Body: "conselve"}, {Person: "carla", Workflows: []string{"lot", "parcel"}, After: noon.Add(-time.Hour), Before: noon.Add(time.Hour)}, {Person: "nobody"},
			} {
				for _, lapsed := range [][]string{nil, {"bids"}, {"bids", "answer"}} {
					f.Lapsed, f.Limit, f.Cursor = lapsed, 20, ""
					found += sameTerms(t, db, scope, f, byID, all)
				}
			}
		}
		if found < 500 {
			t.Errorf("only %d terms in all lists", found)
		}
	})
}

// sameTerms reads a list to its end and compares it with the one made in Go.
func sameTerms(t *testing.T, db *store.DB, scope store.Scope, f store.TermFilter, cases map[string]*store.Case, all []store.Deadline) int {
	t.Helper()
	var got, want []string
	for range 100 {
		page, next, err := db.Terms(t.Context(), scope, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			got = append(got, d.ID)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	for _, d := range all {
		if wanted(f, scope, d, cases, all) {
			want = append(want, d.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v in %v:\n got %v\nwant %v", f, scope, got, want)
	}
	return len(got)
}
