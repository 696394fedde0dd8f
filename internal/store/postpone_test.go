package store_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/store"
)

// indexes are what makes each index of cases, by SQLite's own word, and how many are noted as dropped.
func indexes(t *testing.T, url string) (made []string, postponed int) {
	t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'cases' AND sql IS NOT NULL ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		made = append(made, text)
	}
	if err := db.QueryRow("SELECT count(*) FROM postponed_indexes").Scan(&postponed); err != nil {
		t.Fatal(err)
	}
	return made, postponed
}

// What a long import drops is there again at its end; and when it does not come to its end, after the next start.
func TestIndexesComeAgain(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/sua.db"
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	all, _ := indexes(t, url)
	if len(all) < 20 {
		t.Fatalf("only %d indexes", len(all))
	}
	db := opened(t, store.Options{URL: url, Now: func() time.Time { return noon }})
	insert(t, db, plain("a"), plain("b"))
	same := func(when string) {
		t.Helper()
		if now, postponed := indexes(t, url); !slices.Equal(now, all) || postponed != 0 {
			t.Errorf("%s: %d postponed, indexes\n%s\nwant\n%s", when, postponed, strings.Join(now, "\n"), strings.Join(all, "\n"))
		}
	}
	for _, again := range []func(context.Context) error{db.MakeIndexes, func(ctx context.Context) error { return store.Migrate(ctx, url) }} {
		if err := db.PostponeIndexes(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		same("with two cases, of fewer than two")
		if err := db.PostponeIndexes(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		now, postponed := indexes(t, url)
		if postponed != 11 || len(now) != len(all)-postponed {
			t.Errorf("%d indexes, %d postponed, of %d", len(now), postponed, len(all))
		}
		if err := db.PostponeIndexes(t.Context(), 3); err != nil { // twice is once
			t.Fatal(err)
		}
		list, _, err := db.Cases(t.Context(), store.Everything, store.CaseFilter{Limit: 10})
		if err != nil || len(list) != 2 {
			t.Errorf("the list without them: %d cases, %v", len(list), err)
		}
		if err := again(t.Context()); err != nil {
			t.Fatal(err)
		}
		same("after they were made again")
	}
}
