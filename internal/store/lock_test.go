package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

func TestRacersLoseNoIncrement(t *testing.T) {
	const racers, rounds = 10, 15
	each(t, func(t *testing.T, db *store.DB) {
		child := plain("b")
		child.Root, child.Parent = "a", "a"
		insert(t, db, plain("a"), child)
		var wg sync.WaitGroup
		failed := make(chan error, racers*rounds)
		for racer := range racers {
			wg.Go(func() {
				for range rounds {
					if err := count(t.Context(), db, []string{"a", "b"}[racer%2]); err != nil {
						failed <- err
					}
				}
			})
		}
		wg.Wait()
		close(failed)
		for err := range failed {
			t.Error(err)
		}
		for _, id := range []string{"a", "b"} {
			if n := get(t, db, home, id).Data["n"]; n != int64(racers*rounds/2) {
				t.Errorf("%s counts %v, want %d", id, n, racers*rounds/2)
			}
		}
	})
}

// A child's change waits for one of its parent: what it reads is what the other left.
func TestTheWholeTreeIsOneLock(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		child := plain("b")
		child.Root, child.Parent = "a", "a"
		insert(t, db, plain("a"), child)
		inside, done := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			done <- db.Update(t.Context(), home, "b", nil, func(tx *store.Tx) error {
				s, err := tx.Load(store.Want{Rows: true})
				if err == nil && len(s.Rows) != 1 {
					err = errors.New("the row of the first is not there yet")
				}
				return err
			})
		}()
		err := db.Update(t.Context(), home, "a", nil, func(tx *store.Tx) error {
			close(inside)
			return tx.InsertRow(child, store.Row{CaseID: "b", Register: "offers", Row: 1, Data: store.Values{}, ChangedSeq: 1})
		})
		if err := errors.Join(err, <-done); err != nil {
			t.Fatal(err)
		}
	})
}

// A gorm.Config shared with SQLite would take FOR UPDATE away without a word: so SQLite is opened first here.
func TestUpdateLocksTheRootOnPostgres(t *testing.T) {
	if !hasPostgres() {
		return
	}
	storetest.SQLite(t, store.Options{})
	url := storetest.PostgresURL(t)
	db := opened(t, store.Options{URL: url, Now: atNoon})
	insert(t, db, plain("a"), plain("b"))
	err := db.Update(t.Context(), home, "a", nil, func(*store.Tx) error {
		if err := lockable(t.Context(), url, "a"); code(err) != "55P03" {
			t.Errorf("locking the root under an update = %v, want lock_not_available", err)
		}
		if err := lockable(t.Context(), url, "b"); err != nil {
			t.Errorf("another tree is locked too: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := lockable(t.Context(), url, "a"); err != nil {
		t.Errorf("after the update: %v", err)
	}
}

func lockable(ctx context.Context, url, id string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT set_config('sua.scope', '*', false)"); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT FROM cases WHERE id = $1 FOR UPDATE NOWAIT", id)
	return err
}

func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func TestUpdateOutOfScope(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		for name, c := range map[string]struct {
			scope store.Scope
			id    string
		}{"away": {away, "a"}, "nobody": {store.Scope{}, "a"}, "absent": {home, "z"}, "unreadable": {home, "a\x00"}, "not UTF-8": {home, "\xff"}} {
			ran := false
			err := db.Update(t.Context(), c.scope, c.id, nil, func(*store.Tx) error { ran = true; return nil })
			if !errors.Is(err, store.ErrNotFound) || ran {
				t.Errorf("update %s = %v, ran %v", name, err, ran)
			}
			err = db.Peek(t.Context(), c.scope, c.id, func(*store.Tx) error { ran = true; return nil })
			if !errors.Is(err, store.ErrNotFound) || ran {
				t.Errorf("peek %s = %v, ran %v", name, err, ran)
			}
			if _, err := db.DocumentByID(t.Context(), c.scope, c.id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("document %s = %v", name, err)
			}
		}
		for _, scope := range []store.Scope{home, store.Everything, {Bodies: []string{"conselve"}}, {Bodies: []string{"padova", "treviso"}}} {
			if err := count(t.Context(), db, "a"); err != nil {
				t.Errorf("update with %v: %v", scope, err)
			}
		}
		if err := db.Update(t.Context(), away, "a", nil, func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("out of scope, now that the root is remembered: %v", err)
		}
	})
}

func TestPeekCannotWrite(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		err := db.Peek(t.Context(), home, "a", func(tx *store.Tx) error {
			tx.Case.State = "sent"
			if err := tx.UpdateCase(tx.Case); err != nil {
				return err
			}
			return tx.Flush()
		})
		if err == nil || get(t, db, home, "a").State != "draft" {
			t.Errorf("a write in Peek = %v", err)
		}
	})
}

func TestOneTimePerTransaction(t *testing.T) {
	if !hasPostgres() {
		return
	}
	db := storetest.Postgres(t, store.Options{}) // the database's own clock
	insert(t, db, plain("a"))
	var times []time.Time
	for range 3 {
		if err := db.Update(t.Context(), home, "a", nil, func(tx *store.Tx) error { times = append(times, tx.Now); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	create(t, db, func(tx *store.Tx) error { times = append(times, tx.Now); return nil })
	if !slices.IsSortedFunc(times, time.Time.Compare) || times[0].IsZero() || times[0].Location() != time.UTC || times[0].Nanosecond()%1000 != 0 {
		t.Errorf("times %v", times)
	}
}
