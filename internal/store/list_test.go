package store_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/store"
)

// crowd is 23 cases full of equal values and nulls, so that pages must break inside runs of equals.
func crowd() []*store.Case {
	var out []*store.Case
	for i := range 23 {
		c := plain(fmt.Sprintf("c%02d", (i*7)%23))
		c.Title = []string{"", "Strada", "scuola", "Àrgine", "scuola"}[i%5]
		c.Search = strings.ToLower(c.Title)
		c.UpdatedAt = noon.Add(time.Duration(i/6) * 11 * time.Hour) // 23:00 UTC is the next day in Italy
		if i%3 > 0 {
			c.Amount = ptr(int64(i % 4 * 100))
			c.NextDue = ptr(noon.Add(time.Duration(i%4) * 100 * time.Microsecond))
		}
		out = append(out, c)
	}
	return out
}

// walk reads every page and returns the ids in order.
func walk(t *testing.T, db *store.DB, scope store.Scope, f store.CaseFilter) []string {
	t.Helper()
	var ids []string
	for range 50 {
		page, next, err := db.Cases(t.Context(), scope, f)
		if err != nil {
			t.Fatalf("%s desc=%v after %q: %v", f.Sort, f.Desc, f.After, err)
		}
		if len(page) > f.Limit || next != "" && len(page) < f.Limit {
			t.Fatalf("%s: page of %d, next %q", f.Sort, len(page), next)
		}
		for _, c := range page {
			ids = append(ids, c.ID)
		}
		if f.After = next; next == "" {
			return ids
		}
	}
	t.Fatalf("%s desc=%v: no end", f.Sort, f.Desc)
	return nil
}

func TestPagesGiveEachCaseOnce(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, crowd()...)
		for _, sort := range []string{"", "updated", "opened", "due", "title", "amount"} {
			for _, desc := range []bool{false, true} {
				whole := walk(t, db, home, store.CaseFilter{Sort: sort, Desc: desc, Limit: 100})
				if len(whole) != 23 {
					t.Fatalf("%s: %d cases", sort, len(whole))
				}
				for _, limit := range []int{1, 4, 5, 22, 23} {
					if got := walk(t, db, home, store.CaseFilter{Sort: sort, Desc: desc, Limit: limit}); !slices.Equal(got, whole) {
						t.Errorf("%s desc=%v by %d: %v, want %v", sort, desc, limit, got, whole)
					}
				}
			}
		}
	})
}

func TestOrders(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		all := crowd()
		insert(t, db, all...)
		byID := map[string]*store.Case{}
		for _, c := range all {
			byID[c.ID] = c
		}
		far := noon.AddDate(1000, 0, 0)
		for sort, compare := range map[string]func(a, b *store.Case) int{
			"updated": func(a, b *store.Case) int { // by day in Italy, then by birth
				return calendar.DateOf(a.UpdatedAt).Compare(calendar.DateOf(b.UpdatedAt))
			},
			"opened": func(_, _ *store.Case) int { return 0 }, // ids grow with time
			"title":  func(a, b *store.Case) int { return strings.Compare(a.Title, b.Title) },
			"amount": func(a, b *store.Case) int { return int(or(a.Amount, -1) - or(b.Amount, -1)) },
			"due":    func(a, b *store.Case) int { return or(a.NextDue, far).Compare(or(b.NextDue, far)) }, // no term: last
		} {
			want := slices.Clone(all)
			slices.SortFunc(want, func(a, b *store.Case) int {
				if c := compare(a, b); c != 0 {
					return c
				}
				return strings.Compare(a.ID, b.ID)
			})
			var ids []string
			for _, c := range want {
				ids = append(ids, c.ID)
			}
			if got := walk(t, db, home, store.CaseFilter{Sort: sort, Limit: 100}); !slices.Equal(got, ids) {
				t.Errorf("%s: %v, want %v", sort, got, ids)
			}
			slices.Reverse(ids)
			if got := walk(t, db, home, store.CaseFilter{Sort: sort, Desc: true, Limit: 100}); !slices.Equal(got, ids) {
				t.Errorf("%s down: %v, want %v", sort, got, ids)
			}
		}
	})
}

func or[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

func TestBadCursors(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		insert(t, db, crowd()...)
		_, good, err := db.Cases(t.Context(), home, store.CaseFilter{Sort: "title", Limit: 3})
		if err != nil || good == "" {
			t.Fatal(good, err)
		}
		encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		for sort, cursors := range map[string][]string{
			"updated": {good, "§", encode("{"), encode(`{"s":"updated","v":"yesterday","i":"a"}`), encode(`{"s":"updated"}`), encode(`{"s":"updated","v":"infinityx"}`)},
			"amount":  {good, encode(`{"s":"amount","v":"much","i":"a"}`)},
			"title":   {encode("{\"s\":\"title\",\"v\":\"\\u0000\"}"), encode("[]"), " "},
			"due":     {encode(`{"s":"due","v":"","i":"a"}`), encode(`{"s":"due","v":"'; DROP TABLE cases; --"}`)},
		} {
			for _, c := range cursors {
				if _, _, err := db.Cases(t.Context(), home, store.CaseFilter{Sort: sort, Limit: 3, After: c}); !errors.Is(err, store.ErrBadCursor) {
					t.Errorf("%s after %q = %v", sort, c, err)
				}
			}
		}
		if _, _, err := db.Cases(t.Context(), home, store.CaseFilter{Sort: "id; DROP TABLE cases", Limit: 3}); err == nil {
			t.Error("an unknown order was taken")
		}
	})
}

// Words of cases begin with those asked for, whether the first cases of the list are walked or the index of words is asked; the
// database takes nothing in them for a sign.
func TestWords(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		var cases []*store.Case
		for i, s := range []string{"sconto 100 subito", "sconto 1000 poi", "a b", "ab", "c d scuola", "cd scuole", ""} {
			c := plain(fmt.Sprint(i))
			c.Search = s
			cases = append(cases, c)
		}
		insert(t, db, cases...)
		find := func(words, want string) {
			t.Helper()
			for _, limit := range []int{1, 10} { // the page is full, or the index is asked
				got := walk(t, db, home, store.CaseFilter{Sort: "title", Words: strings.Fields(words), Limit: limit})
				if strings.Join(got, " ") != want {
					t.Errorf("%q by %d finds %v, want %s", words, limit, got, want)
				}
			}
		}
		for words, want := range map[string]string{
			"100": "0 1", "1000": "1", "sconto subito": "0", "subito sconto 100": "0", "a": "2 3", "scuol": "4 5", "scuola": "4", "d scuola": "4", "uola": "", "assente": "",
			"a\x00": "", "\xff": "", "100%": "0 1", `c\d`: "4", "a_b": "2", "'a' | 'c'": "", `"a" OR`: "",
		} {
			find(words, want)
		}
		if err := db.Update(t.Context(), home, "3", nil, func(tx *store.Tx) error {
			tx.Case.Search = "nuovo"
			return tx.UpdateCase(tx.Case)
		}); err != nil {
			t.Fatal(err)
		}
		find("nuov", "3")
		find("ab", "")
	})
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		due, ended, child, other, foreign := plain("due"), plain("ended"), plain("kid"), plain("other"), plain("foreign")
		due.NextDue = ptr(noon)
		ended.Outcome, ended.State, ended.Stage, ended.Officer = "done", "over", "end", "anna"
		child.Parent, child.Root = "due", "due"
		other.MemberBody, other.Workflow = "este", "other"
		foreign.MemberBody, foreign.SUA = "treviso", "treviso"
		insert(t, db, due, ended, child, other, foreign)
		rome := time.FixedZone("", 3600)
		for name, c := range map[string]struct {
			scope store.Scope
			f     store.CaseFilter
			want  string
		}{
			"home":              {home, store.CaseFilter{}, "due ended other"},
			"with children":     {home, store.CaseFilter{Children: true}, "due ended kid other"},
			"member only":       {store.Scope{Bodies: []string{"este"}}, store.CaseFilter{Children: true}, "other"},
			"away":              {away, store.CaseFilter{}, "foreign"},
			"nobody":            {store.Scope{}, store.CaseFilter{}, ""},
			"all":               {store.Everything, store.CaseFilter{}, "due ended foreign other"},
			"body as member":    {home, store.CaseFilter{Body: "este"}, "other"},
			"body as sua":       {home, store.CaseFilter{Body: "padova"}, "due ended other"},
			"body out of scope": {home, store.CaseFilter{Body: "treviso"}, ""},
			"open":              {home, store.CaseFilter{Open: ptr(true)}, "due other"},
			"over":              {home, store.CaseFilter{Open: ptr(false)}, "ended"},
			"together":          {home, store.CaseFilter{State: "over", Stage: "end", Officer: "anna", Workflow: "parcel"}, "ended"},
			"workflow":          {home, store.CaseFilter{Workflow: "other"}, "other"},
			"due at noon":       {home, store.CaseFilter{DueBefore: noon}, ""},
			"due just after":    {home, store.CaseFilter{DueBefore: noon.Add(time.Microsecond).In(rome)}, "due"},
			"due at noon, Rome": {home, store.CaseFilter{DueBefore: noon.In(rome)}, ""},
		} {
			c.f.Sort, c.f.Limit = "title", 10
			if got := strings.Join(walk(t, db, c.scope, c.f), " "); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}

func TestDue(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		if next, err := db.NextDue(t.Context()); err != nil || !next.IsZero() {
			t.Errorf("next due of nothing: %v (%v)", next, err)
		}
		insert(t, db, plain("a"))
		create(t, db, func(tx *store.Tx) error {
			for i, status := range []string{store.Running, store.Blocked, store.Suspended, store.Met, store.Expired, store.Cancelled, store.Running} {
				d := store.Deadline{ID: fmt.Sprint(i), CaseID: "a", Root: "a", MemberBody: "conselve", SUA: "padova", Name: "n", Status: status, StartedAt: noon, DueAt: noon, LastDay: "2026-03-01", Revision: 1, NextTry: noon.Add(-time.Duration(i) * time.Second)}
				if i == 6 {
					d.NextTry = noon.Add(time.Microsecond)
				}
				if err := tx.InsertDeadline(d); err != nil {
					return err
				}
			}
			return nil
		})
		ids := func(now time.Time, limit int) string {
			found, err := db.Due(t.Context(), now, store.Try{}, limit)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, d := range found {
				out = append(out, d.ID)
			}
			return strings.Join(out, " ")
		}
		if next, err := db.NextDue(t.Context()); err != nil || !next.Equal(noon) { // the blocked one is earlier
			t.Errorf("next due: %v (%v)", next, err)
		}
		for want, got := range map[string]string{"1 0": ids(noon, 9), "1": ids(noon, 1), "1 0 6": ids(noon.Add(time.Microsecond), 9), "": ids(noon.Add(-time.Hour), 9)} {
			if got != want {
				t.Errorf("due: %q, want %q", got, want)
			}
		}
	})
}
