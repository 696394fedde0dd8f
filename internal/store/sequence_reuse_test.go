package store_test

import (
	"fmt"
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
