package store_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// FuzzCases: whatever a cursor and filters hold, the list answers with a page or says that the cursor is none.
func FuzzCases(f *testing.F) {
	db := storetest.SQLite(f, store.Options{Now: func() time.Time { return noon }})
	insert(f, db, crowd()...)
	sorts := []string{"updated", "opened", "due", "title", "amount"}
	for i, sort := range sorts {
		_, good, err := db.Cases(f.Context(), home, store.CaseFilter{Sort: sort, Limit: 3})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, good, "scuola", "published", true)
		f.Add(i, base64.RawURLEncoding.EncodeToString([]byte(`{"s":"`+sort+`","v":"'; --","i":"a"}`)), "%_\\", "", false)
	}
	f.Fuzz(func(t *testing.T, i int, after, text, state string, desc bool) {
		sort := sorts[uint(i)%uint(len(sorts))]
		page, next, err := db.Cases(t.Context(), home, store.CaseFilter{Sort: sort, After: after, Words: []string{text}, State: state, Desc: desc, Limit: 3})
		switch {
		case errors.Is(err, store.ErrBadCursor):
		case err != nil:
			t.Fatalf("%s after %q with %q, %q: %v", sort, after, text, state, err)
		case len(page) > 3 || next != "" && len(page) < 3:
			t.Fatalf("%d cases, and the next page is %q", len(page), next)
		}
	})
}
