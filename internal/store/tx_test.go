package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// ask updates case a under an idempotency key; it returns what the request answers and whether it was done anew.
func ask(ctx context.Context, db *store.DB, key store.IdemKey, answer string) (got string, fresh bool, err error) {
	err = db.Update(ctx, home, "a", &key, func(tx *store.Tx) error {
		if tx.Answer != nil {
			got = string(tx.Answer)
			return nil
		}
		got, fresh = answer, true
		tx.Case.Revision++
		tx.Remember(key, []byte(answer))
		return tx.UpdateCase(tx.Case)
	})
	return got, fresh, err
}

func TestIdempotency(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		key := store.IdemKey{Actor: "rup", Path: "fire/a", Key: "k1", BodyHash: []byte{1}}
		for i, want := range []bool{true, false, false} {
			got, fresh, err := ask(t.Context(), db, key, fmt.Sprintf(`{"n":%d}`, i))
			if err != nil || got != `{"n":0}` || fresh != want {
				t.Errorf("request %d: %s %v %v", i, got, fresh, err)
			}
		}
		other := key
		other.BodyHash = []byte{2}
		if _, _, err := ask(t.Context(), db, other, "x"); !errors.Is(err, store.ErrKeyReused) {
			t.Errorf("key with another body = %v", err)
		}
		for name, k := range map[string]store.IdemKey{
			"another actor": {Actor: "clerk", Path: "fire/a", Key: "k1", BodyHash: []byte{2}}, "another path": {Actor: "rup", Path: "open", Key: "k1", BodyHash: []byte{2}},
		} {
			if _, fresh, err := ask(t.Context(), db, k, "y"); err != nil || !fresh {
				t.Errorf("%s: fresh %v, %v", name, fresh, err)
			}
		}
		if r := get(t, db, home, "a").Revision; r != 4 {
			t.Errorf("revision %d, want 4", r)
		}
		if err := db.ForgetAnswers(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
		if _, fresh, _ := ask(t.Context(), db, key, "z"); fresh {
			t.Error("an answer of now was forgotten")
		}
		if err := db.ForgetAnswers(t.Context(), noon.Add(1000)); err != nil {
			t.Fatal(err)
		}
		if _, fresh, err := ask(t.Context(), db, key, "z"); !fresh || err != nil {
			t.Errorf("an old answer is kept: %v", err)
		}
	})
}

func TestSameRequestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		key := store.IdemKey{Actor: "rup", Path: "fire/a", Key: "k", BodyHash: []byte{1}}
		var wg sync.WaitGroup
		var done atomic.Int64
		for i := range 8 {
			wg.Go(func() {
				_, fresh, err := ask(t.Context(), db, key, fmt.Sprint(i))
				if err != nil {
					t.Error(err)
				}
				if fresh {
					done.Add(1)
				}
			})
		}
		wg.Wait()
		if done.Load() != 1 || get(t, db, home, "a").Revision != 2 {
			t.Errorf("done %d times", done.Load())
		}
		var conflicts, created atomic.Int64
		other := store.IdemKey{Actor: "rup", Path: "open", Key: "k", BodyHash: []byte{1}}
		for i := range 8 { // Create holds no lock: the losers see a conflict and may ask again
			wg.Go(func() {
				err := db.Create(t.Context(), home, &other, func(tx *store.Tx) error {
					if tx.Answer != nil {
						return nil
					}
					created.Add(1)
					tx.Remember(other, []byte("1"))
					return tx.InsertCase(plain(fmt.Sprint("new", i)))
				})
				if errors.Is(err, store.ErrConflict) {
					conflicts.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n, err := db.Count(t.Context()); err != nil || n != 2 || created.Load()-conflicts.Load() != 1 {
			t.Errorf("%d cases, %d tried, %d conflicts, %v", n, created.Load(), conflicts.Load(), err)
		}
	})
}

// A statement that fails with the commit, an error of the caller or a panic leave nothing behind and the database usable.
func TestAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		boom := errors.New("boom")
		for name, end := range map[string]func(*store.Tx) error{
			"a write that breaks a key": func(tx *store.Tx) error { return tx.InsertCase(plain("a")) },
			"a missing definition": func(tx *store.Tx) error {
				c := plain("c")
				c.Hash = "unknown"
				return tx.InsertCase(c)
			},
			"an error of the caller": func(tx *store.Tx) error { return errors.Join(tx.Flush(), boom) },
			"a panic":                func(*store.Tx) error { panic(boom) },
		} {
			func() {
				defer func() {
					if r := recover(); r != nil && r != boom {
						panic(r)
					}
				}()
				err := db.Update(t.Context(), home, "a", nil, func(tx *store.Tx) error {
					tx.Case.State = "sent"
					fill(tx)
					if err := tx.UpdateCase(tx.Case); err != nil {
						return err
					}
					return end(tx)
				})
				if err == nil {
					t.Errorf("%s: no error", name)
				}
			}()
			untouched(t, db, name)
		}
		if err := count(t.Context(), db, "a"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func untouched(t *testing.T, db *store.DB, name string) {
	t.Helper()
	err := db.Peek(t.Context(), home, "a", func(tx *store.Tx) error {
		s, err := tx.Load(store.Want{Rows: true, Documents: true, Deadlines: true, Past: true})
		if err == nil && (tx.Case.State != "draft" || len(s.Rows)+len(s.Documents)+len(s.Deadlines)+len(s.Past) > 0) {
			t.Errorf("%s left %s %+v", name, tx.Case.State, s)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// fuse is a context that ends at the n-th look at it: a client that goes away at every possible moment.
type fuse struct {
	context.Context
	left atomic.Int64
	over chan struct{}
}

func newFuse(ctx context.Context, n int) *fuse {
	f := &fuse{Context: ctx, over: make(chan struct{})}
	f.left.Store(int64(n))
	return f
}

func (f *fuse) Done() <-chan struct{} {
	if f.left.Add(-1) == 0 {
		close(f.over)
	}
	return f.over
}

func (f *fuse) Err() error {
	select {
	case <-f.over:
		return context.Canceled
	default:
		return nil
	}
}

func TestClientGoneAtAnyMoment(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		finished := 0
		for n := 1; n < 400 && finished < 3; n++ {
			before := get(t, db, home, "a")
			err := count(newFuse(t.Context(), n), db, "a")
			after := get(t, db, home, "a")
			if grown := after.Revision - before.Revision; err == nil && grown != 1 || grown < 0 || grown > 1 {
				t.Fatalf("gone at %d: revision grew by %d, error %v", n, grown, err)
			}
			if err == nil {
				finished++
			}
			if err := count(t.Context(), db, "a"); err != nil {
				t.Fatalf("after a client gone at %d: %v", n, err)
			}
		}
		if finished == 0 {
			t.Error("no request lived to its end: the fuse proves nothing")
		}
	})
}

func TestClientGoneWhileAPersonIsSaved(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		finished := 0
		for n := 1; n < 400 && finished < 3; n++ {
			name := fmt.Sprint("Anna ", n)
			err := db.SavePerson(newFuse(t.Context(), n), store.Person{ID: "anna", Name: name, CreatedAt: noon}, []store.Membership{{Body: "padova", Role: "sua_clerk"}})
			if err == nil {
				finished++
			}
			if err := db.SavePerson(t.Context(), store.Person{ID: "bruno", Name: name, CreatedAt: noon}, nil); err != nil {
				t.Fatalf("after a client gone at %d: %v", n, err)
			}
			p, ms, err := db.PersonByID(t.Context(), "anna")
			if err == nil && (len(ms) != 1 || finished > 0 && !strings.HasPrefix(p.Name, "Anna")) {
				t.Fatalf("half a person: %+v %v", p, ms)
			}
		}
		if finished == 0 {
			t.Error("no request lived to its end: the fuse proves nothing")
		}
	})
}

func TestRoundTrips(t *testing.T) {
	var trips atomic.Int64
	storetest.Each(t, store.Options{Now: atNoon, Committed: func(n int, _ string) { trips.Store(int64(n)) }}, func(t *testing.T, db *store.DB) {
		insert(t, db, plain("a"))
		everything := store.Want{Tree: true, Parent: true, Children: true, Rows: true, Documents: true, Agreement: true, Past: true, Deadlines: true}
		for _, c := range []struct {
			want  store.Want
			trips int64
		}{{store.Want{}, 2}, {everything, 3}} {
			key := &store.IdemKey{Actor: "rup", Path: fmt.Sprint(c.trips), Key: "k", BodyHash: []byte{1}}
			err := db.Update(t.Context(), home, "a", key, func(tx *store.Tx) error {
				if _, err := tx.Load(c.want); err != nil {
					return err
				}
				tx.Remember(*key, []byte("1"))
				return tx.UpdateCase(tx.Case)
			})
			if err != nil || trips.Load() != c.trips {
				t.Errorf("%d round trips, want %d: %v", trips.Load(), c.trips, err)
			}
		}
	})
}
