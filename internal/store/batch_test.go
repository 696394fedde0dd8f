package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/province-comuni/sua/internal/store"
)

// What is on its way while a batch is given up is undone with it, also what had not left yet.
func TestABatchGivenUpLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		given := errors.New("given up")
		insert(t, db, plain("before"))
		alone := func() {
			t.Helper()
			if list, _, err := db.Cases(t.Context(), store.Everything, store.CaseFilter{Limit: 10}); err != nil || len(list) != 1 {
				t.Errorf("%d cases are there, want the one from before; %v", len(list), err)
			}
		}
		for round := range 5 {
			err := db.Batch(t.Context(), func(tx *store.Tx) error {
				for i := range 12 {
					for k := range 20 {
						if err := tx.InsertCase(plain(fmt.Sprintf("c%d-%d-%d", round, i, k))); err != nil {
							return err
						}
					}
					tx.FlushBehind()
				}
				return given
			})
			if !errors.Is(err, given) {
				t.Fatal(err)
			}
		}
		alone()
		// a write that fails on its way fails the batch, whatever comes after it
		err := db.Batch(t.Context(), func(tx *store.Tx) error {
			for range 2 {
				if err := tx.InsertCase(plain("twice")); err != nil {
					return err
				}
				tx.FlushBehind()
			}
			err := tx.InsertCase(plain("once"))
			tx.FlushBehind()
			return err
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same case twice: %v", err)
		}
		alone()
	})
}
