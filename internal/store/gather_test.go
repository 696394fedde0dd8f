package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// Many writes of one transaction leave what the same writes leave one by one.
func TestManyWritesAtOnceLeaveTheSame(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		const n = 25
		insert(t, db, plain("a"))
		for i := range n {
			create(t, db, func(tx *store.Tx) error { return writeAll(tx, i, "one") })
		}
		create(t, db, func(tx *store.Tx) error {
			for i := range n {
				if err := writeAll(tx, i, "all"); err != nil {
					return err
				}
			}
			return nil
		})
		s := load(t, db, "a")
		rows, deadlines := map[string]store.Row{}, map[string]store.Deadline{}
		for _, r := range s.Rows {
			rows[r.CaseID] = r
		}
		for _, d := range s.Deadlines {
			deadlines[d.CaseID] = d
		}
		for i := range n {
			one, all := fmt.Sprint("bone", i), fmt.Sprint("ball", i)
			got, want := *s.Cases[all], *s.Cases[one]
			got.ID, got.SourceKey = want.ID, want.SourceKey
			same(t, "case", got, want)
			if want.NextDue == nil || !want.NextDue.Equal(noon.Add(time.Duration(i)*time.Hour)) {
				t.Errorf("next due of %s: %v", one, want.NextDue)
			}
			r, d := rows[all], deadlines[all]
			r.CaseID, d.CaseID, d.ID = one, one, one
			same(t, "row", r, rows[one])
			same(t, "deadline", d, deadlines[one])
		}
		if due := s.Cases["a"].NextDue; due == nil || !due.Equal(noon) {
			t.Errorf("next due of the tree: %v", due)
		}
	})
}

// writeAll inserts a case with what hangs from it and changes some of it, in as many ways as there are values of i.
func writeAll(tx *store.Tx, i int, suffix string) error {
	c := fullCase()
	if i%3 == 0 {
		c = plain("b") // every optional value empty
		c.Parent, c.Root, c.Child, c.Ordinal = "a", "a", "lots", 1
	}
	c.ID = fmt.Sprint("b", suffix, i)
	if c.Source != "" {
		c.SourceKey = c.ID
	}
	if err := tx.InsertCase(c); err != nil {
		return err
	}
	d := store.Deadline{ID: c.ID, CaseID: c.ID, Root: "a", MemberBody: "conselve", SUA: "padova", Name: "n", Status: store.Running, StartedAt: noon,
		DueAt: noon.Add(time.Duration(i) * time.Hour), LastDay: "2026-03-02", ExplainIT: "così", ExplainEN: "so", Revision: 1, NextTry: noon}
	if err := tx.InsertDeadline(d); err != nil {
		return err
	}
	tx.InsertMessages([]store.Message{{Topic: "notice", CaseID: c.ID, Root: "a", MemberBody: "conselve", SUA: "padova", Payload: []byte(`{"a":1}`), At: noon}})
	if err := tx.InsertRow(c, store.Row{CaseID: c.ID, Register: "offers", Row: 1, Data: store.Values{"x": int64(1)}, ChangedSeq: 1}); err != nil {
		return err
	}
	if i%2 == 0 {
		d.Status, d.BlockedBy, d.EndedAt, d.Revision = store.Blocked, []byte(`{"code": "x"}`), ptr(noon), 2
		if err := tx.UpdateDeadline(d); err != nil {
			return err
		}
		if err := tx.UpdateRow(store.Row{CaseID: c.ID, Register: "offers", Row: 1, Data: store.Values{"x": "two"}, ChangedSeq: 2}); err != nil {
			return err
		}
	}
	switch i % 4 {
	case 0:
		c.State = "moved"
		tx.UpdateState(c)
	case 1:
		c.Title = "changed"
		if err := tx.UpdateCase(c); err != nil {
			return err
		}
	}
	tx.RefreshDue("a", []string{c.ID})
	return nil
}

// What is due comes in pages, whatever stands at the same instant.
func TestDueInPages(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		create(t, db, func(tx *store.Tx) error {
			for i := range 20 {
				d := store.Deadline{ID: fmt.Sprintf("d%02d", i), CaseID: "a", Root: "a", MemberBody: "conselve", SUA: "padova", Name: "n", Status: store.Running, StartedAt: noon,
					DueAt: noon, LastDay: "2026-03-01", Revision: 1, NextTry: noon.Add(-time.Duration(i/7) * time.Second)}
				if err := tx.InsertDeadline(d); err != nil {
					return err
				}
			}
			return nil
		})
		seen := map[string]bool{}
		var after store.Try
		for range 8 {
			page, err := db.Due(t.Context(), noon, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				if seen[p.ID] || p.NextTry.Before(after.NextTry) || p.CaseID != "a" || p.Root != "a" {
					t.Errorf("again or out of order: %+v", p)
				}
				seen[p.ID], after = true, p
			}
		}
		if len(seen) != 20 {
			t.Errorf("%d of 20 seen", len(seen))
		}
		if n, oldest, err := db.Overdue(t.Context(), noon, 15); n != 15 || !oldest.Equal(noon.Add(-2*time.Second)) || err != nil {
			t.Errorf("overdue: %d since %s, %v", n, oldest, err)
		}
		if at, found, err := db.NextTry(t.Context(), noon.Add(-1500*time.Millisecond)); !found || !at.Equal(noon.Add(-time.Second)) || err != nil {
			t.Errorf("next: %s %v %v", at, found, err)
		}
	})
}
