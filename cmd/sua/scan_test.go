package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// scans are the statements that may read a whole table: those with each of the words, and why.
var scans = []struct {
	words []string
	why   string
}{
	{[]string{"SELECT count(*) FROM cases"}, "asked once, before the demonstration is loaded"},
	{[]string{"SELECT DISTINCT hash FROM cases"}, "asked only by a start that finds a definition it does not understand any more"},
	{[]string{"DELETE FROM outbox WHERE at < $1"}, "asked by the demonstration only; and the outbox is a queue, emptied every two seconds: it holds what waits, not what was"},
	{[]string{"SELECT id FROM outbox", "ORDER BY id DESC LIMIT 1"}, "a queue, from its end"},
	{[]string{"DELETE FROM outbox WHERE", "ORDER BY id LIMIT"}, "a queue, from its beginning"},
	{[]string{"personal_body IS NOT NULL"}, "an erasure, asked by hand: names stand inside the parts, which no index sees"},
	{[]string{"WHERE root > $1 ORDER BY"}, "the last range of trees of a verification, which reads everything"},
	{[]string{"FROM documents ORDER BY id DESC LIMIT"}, "the newest, from the end of the index"},
	{[]string{"parent IS NOT NULL", "ORDER BY title"}, "cases below others by title: an index more for each case is not worth a list that nobody keeps open"},
	{[]string{"parent IS NOT NULL", "amount"}, "the same by amount"},
}

// big are the tables that grow with the years.
var big = []string{"cases", "events", "deadlines", "outbox", "notices", "case_rows", "documents", "case_search", "sequence", "log"}

// statements collects what store sends, by the method that was called.
type statements struct {
	sync.Mutex
	method string
	anew   bool // this transaction has its statements planned for the values given
	all    map[string]statement
}

type statement struct {
	method, sql string
	args        []any
	anew        bool
}

func (s *statements) note(q string, args []any) {
	s.Lock()
	defer s.Unlock()
	switch {
	case strings.HasPrefix(q, "BEGIN"):
		s.anew = false
	case strings.Contains(q, "force_custom_plan"):
		s.anew = true
	case strings.HasPrefix(q, "SELECT set_config"), strings.HasPrefix(q, "SET LOCAL"), q == "COMMIT":
	case s.all[q].sql == "":
		s.all[q] = statement{s.method, q, slices.Clone(args), s.anew}
	}
}

func (s *statements) of(method string) { s.Lock(); s.method = method; s.Unlock() }

// No statement that a request or a job issues reads a whole table that grows: every method of store is called, in all the ways that its
// parameters change the statement, and the database is asked how it would do it. A new method of store needs a line in calls.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		address := "sqlite:" + filepath.Join(t.TempDir(), "sua.db")
		if err := store.Migrate(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		found := issued(t, address, address)
		db, err := sql.Open("sqlite", strings.TrimPrefix(address, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range found {
			judge(t, s, liteScans(t, db, s))
		}
	})
	if os.Getenv(storetest.PostgresEnv) == "" && os.Getenv(storetest.RequireEnv) == "" {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		app, super := storetest.PostgresURLs(t)
		found := issued(t, app, super)
		conn := explainer(t, app)
		for _, s := range found {
			judge(t, s, pgScans(t, conn, s))
		}
		words := statement{"case_matching", "SELECT case_id FROM case_search WHERE array_to_tsvector(string_to_array(words, ' ')) @@ $1::text::tsquery", nil, false} // the body of the function
		judge(t, words, pgScans(t, explainer(t, super), words))
	})
}

func judge(t *testing.T, s statement, scanned []string) {
	t.Helper()
	if len(scanned) == 0 {
		return
	}
	for _, allowed := range scans {
		if !slices.ContainsFunc(allowed.words, func(w string) bool { return !strings.Contains(s.sql, w) }) {
			return
		}
	}
	t.Errorf("%s reads the whole of %s:\n%s", s.method, strings.Join(scanned, ", "), s.sql)
}

// issued gives the statements of everything: of the demonstration, played by the real engine, and of each method in calls. The database
// has so many rows that a plan is worth its choice.
func issued(t *testing.T, address, super string) []statement {
	t.Helper()
	seen := &statements{all: map[string]statement{}, method: "demonstration"}
	clock := &play.Clock{}
	db, err := store.Open(t.Context(), store.Options{URL: address, Now: clock.Now, Volatile: true, MaxConns: 4, Statement: seen.note})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ec, err := engineConfig(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	if ec, err = play.ForDemo(ec); err != nil {
		t.Fatal(err)
	}
	stage, err := play.On(t.Context(), db, clock, t.TempDir(), ec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := play.Demo(t.Context(), stage, db, time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	k := kindOf(t, stage.Engine, "lot")
	if err := storetest.Fill(t.Context(), super, storetest.Big{Cases: 10_000, Events: 5, Now: clock.Now(), Root: kindOf(t, stage.Engine, "open_procedure"), Lot: k, Contract: k, Question: k}); err != nil {
		t.Fatal(err)
	}
	for method, call := range calls(t.Context(), db, clock.Now()) {
		seen.of(method)
		call()
	}
	for _, of := range []any{db, &store.Tx{}} {
		methods := reflect.TypeOf(of)
		for i := range methods.NumMethod() {
			name := methods.Method(i).Name
			if _, called := calls(t.Context(), db, clock.Now())[name]; !called && !slices.Contains(silent, name) {
				t.Errorf("store.%s: say in calls how it is called, or in silent that it sends nothing of its own", name)
			}
		}
	}
	out := make([]statement, 0, len(seen.all))
	for _, s := range seen.all {
		out = append(out, s)
	}
	return out
}

func kindOf(t *testing.T, e *engine.Engine, workflow string) storetest.Kind {
	t.Helper()
	d, ok := e.Library().Latest(workflow)
	if !ok {
		t.Fatal(workflow)
	}
	return storetest.Kind{Workflow: d.Workflow, Version: d.Version, Hash: d.Hash, Open: [][2]string{{d.Start, d.Stages[0].ID}}, Final: [3]string{"concluded", "closed", "done"}}
}

var parameter = regexp.MustCompile(`\$([0-9]+)`)

// parameters is how many parameters a statement has.
func parameters(q string) int {
	most := 0
	for _, m := range parameter.FindAllStringSubmatch(q, -1) {
		n, _ := strconv.Atoi(m[1])
		most = max(most, n)
	}
	return most
}

// explainer is a connection as sua_app with the scope of one SUA, for which PostgreSQL plans without looking at values.
func explainer(t *testing.T, address string) *sql.Conn {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("default_query_exec_mode", "simple_protocol")
	u.RawQuery = q.Encode()
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"SELECT set_config('sua.scope', ',sua-1,comune-3,', false)", "SET plan_cache_mode = force_generic_plan"} {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// plan is a node of what EXPLAIN (FORMAT JSON) says.
type plan struct {
	Node     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Cond     string `json:"Index Cond"`
	Filter   string
	Plans    []plan
}

func (p plan) scanned() (out []string) {
	if p.Node == "Seq Scan" && slices.Contains(big, p.Relation) {
		out = append(out, p.Relation)
	}
	if strings.HasPrefix(p.Node, "Index") && p.Index != "cases_open" && p.Cond == "" && strings.Contains(p.Filter, "ROW(") { // from the first page to this one; cases_open holds only those that go on
		out = append(out, p.Relation+" before the page")
	}
	for _, below := range p.Plans {
		out = append(out, below.scanned()...)
	}
	return out
}

func pgScans(t *testing.T, conn *sql.Conn, s statement) []string {
	t.Helper()
	q, args := "EXPLAIN (FORMAT JSON) "+s.sql, s.args
	settings := "SELECT set_config('random_page_cost', '1.1', false)" // as the program does where it has a statement planned anew
	if !s.anew {
		settings = "RESET random_page_cost"
	}
	if _, err := conn.ExecContext(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	if !s.anew {
		n := parameters(s.sql)
		if _, err := conn.ExecContext(t.Context(), "PREPARE it AS "+s.sql); err != nil {
			t.Errorf("%s: %v in %s", s.method, err, s.sql)
			return nil
		}
		defer conn.ExecContext(context.WithoutCancel(t.Context()), "DEALLOCATE it") //nolint:errcheck // it exists
		q, args = "EXPLAIN (FORMAT JSON) EXECUTE it", nil
		if n > 0 {
			q += "(" + strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ") + ")"
		}
	}
	var text string
	if err := conn.QueryRowContext(t.Context(), q, args...).Scan(&text); err != nil {
		t.Errorf("%s: %v in %s", s.method, err, s.sql)
		return nil
	}
	var answer []struct{ Plan plan }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(answer[0].Plan.scanned(), func(what string) bool { // a thousand cases are half of the roots here
		return strings.HasSuffix(what, " before the page") && strings.Contains(s.sql, "LIMIT 1000")
	})
}

// liteScan is a line of EXPLAIN QUERY PLAN that reads a whole table: as it lies, or in the order of its ids, which only lists of cases
// ask for.
var liteScan = regexp.MustCompile(`^SCAN (\w+)( USING (?:COVERING )?INDEX sqlite_autoindex_\w+)?$`)

// aliases are the names that statements give to big tables; a SCAN of another name is of a list in a parameter or of what another
// step found.
var aliases = map[string]string{"c": "cases", "p": "cases", "e": "events", "d": "deadlines", "s": "case_search"}

func liteScans(t *testing.T, db *sql.DB, s statement) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.sql, make([]any, parameters(s.sql))...)
	if err != nil {
		if !strings.HasPrefix(s.sql, "PRAGMA") {
			t.Errorf("%s: %v in %s", s.method, err, s.sql)
		}
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		m := liteScan.FindStringSubmatch(detail)
		if m == nil {
			continue
		}
		name := m[1]
		if s.method == "Cases" && name == "cases" && m[2] != "" {
			continue
		}
		if table, ok := aliases[name]; ok {
			name = table
		}
		if slices.Contains(big, name) {
			out = append(out, name)
		}
	}
	return out
}

var errStop = errors.New("nothing of this is kept")
