package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// On SQLite the place of a newest event that was deleted behind our back is given again: what comes there is numbered all the same, and
// whoever follows the feed gets it.
func TestWhatTakesThePlaceOfADeletedEventIsNumbered(t *testing.T) {
	for _, x := range []struct{ deleted, inserted int64 }{{1, 1}, {1, 2}, {3, 1}, {3, 3}, {3, 9}} {
		t.Run(fmt.Sprintf("%d deleted, %d inserted", x.deleted, x.inserted), func(t *testing.T) {
			storetest.EachRaw(t, store.Options{}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
				insert := func(root string, n int64) {
					t.Helper()
					err := db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
						for seq := int64(1); seq <= n; seq++ {
							link(tx, root, seq, time.Unix(seq, 0))
						}
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				numbered := func(root string) (out []int64) {
					t.Helper()
					n, err := db.LogNumbers(t.Context(), root)
					if err != nil {
						t.Fatal(err)
					}
					for seq := int64(1); seq <= int64(len(n)); seq++ {
						out = append(out, n[seq])
					}
					return out
				}
				insert("old", 5)
				sequence(t, db)
				raw.Exec("DELETE FROM events WHERE root = 'old' AND seq > $1", 5-x.deleted)
				insert("new", x.inserted)
				sequence(t, db)
				want := make([]int64, x.inserted)
				for i := range want {
					want[i] = 6 + int64(i)
				}
				if got := numbered("new"); !slices.Equal(got, want) {
					t.Errorf("numbers %v, want %v", got, want)
				}
				page, err := db.Changes(t.Context(), store.Everything, store.ChangeFilter{After: 5, Limit: 100})
				if err != nil || len(page.Items) != int(x.inserted) {
					t.Errorf("the feed tells %d events, %v", len(page.Items), err)
				}
				if n := sequence(t, db); n != 0 {
					t.Errorf("numbered again: %d", n)
				}
			})
		})
	}
}

// Events deleted behind our back whose numbers of the tree are given again: the log has them already, and whatever else came meanwhile is
// numbered all the same.
func TestAnEventWrittenAgainDoesNotHoldUpTheOthers(t *testing.T) {
	storetest.EachRaw(t, store.Options{}, func(t *testing.T, db *store.DB, raw storetest.Raw) {
		write := func(root string, from, to int64) {
			t.Helper()
			err := db.Create(t.Context(), store.Everything, nil, func(tx *store.Tx) error {
				for seq := from; seq <= to; seq++ {
					link(tx, root, seq, time.Unix(seq, 0))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		write("a", 1, 5)
		sequence(t, db)
		raw.Exec("DELETE FROM events WHERE root = 'a' AND seq > 3")
		write("a", 4, 4)
		write("b", 1, 2)
		if n := sequence(t, db); n != 2 {
			t.Errorf("%d numbered, only the two of the other tree were new", n)
		}
		write("a", 5, 7)
		write("b", 3, 3)
		if n := sequence(t, db); n != 3 {
			t.Errorf("%d numbered, want a 6, a 7 and b 3", n)
		}
		for root, want := range map[string]map[int64]int64{"a": {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 9}, "b": {1: 6, 2: 7, 3: 10}} {
			if got, err := db.LogNumbers(t.Context(), root); err != nil || !maps.Equal(got, want) {
				t.Errorf("%s has the numbers %v, want %v (%v)", root, got, want, err)
			}
		}
	})
}
