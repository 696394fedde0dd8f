//go:build linux

package faulttest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/audit"
)

// book is the database as the checker reads it: rows, without the engine.
type book struct {
	t  testing.TB
	db *sql.DB
}

func (s *site) open(t testing.TB) *book {
	t.Helper()
	driver, address := "pgx", s.reads
	if !strings.HasPrefix(address, "postgres:") {
		driver, address = "sqlite", "file:"+address+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	return &book{t, db}
}

func (b *book) close() {
	if err := b.db.Close(); err != nil {
		b.t.Error(err)
	}
}

func (b *book) count(query string) int {
	b.t.Helper()
	var n int
	if err := b.db.QueryRow(query).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// rows calls f for each row of a query.
func (b *book) rows(query string, f func(*sql.Rows) error) {
	b.t.Helper()
	rs, err := b.db.Query(query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rs.Close()
	for rs.Next() {
		if err := f(rs); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := rs.Err(); err != nil {
		b.t.Fatal(err)
	}
}

// happened is an event of a chain and what was given to it.
type happened struct {
	audit.Header
	key string // of the request, as it stands in the event; empty when nobody asked
}

// settle waits until all deadlines are applied and all messages have become notices.
func (s *site) settle(t testing.TB) {
	t.Helper()
	b := s.open(t)
	defer b.close()
	running, waiting, unnumbered := 0, 0, 0
	err := waitFor(time.Minute, "deadlines applied, outbox empty, events numbered", func() bool {
		unnumbered = b.count("SELECT (SELECT count(*) FROM events) - (SELECT count(*) FROM log)")
		running, waiting = b.count("SELECT count(*) FROM deadlines WHERE status = 'running'"), b.count("SELECT count(*) FROM outbox")
		return running+waiting+unnumbered == 0
	})
	if err != nil {
		t.Fatalf("%v: %d deadlines run, %d messages wait, %d events have no number", err, running, waiting, unnumbered)
	}
}

// check compares the database with what the clients were told.
func (l *load) check() {
	l.t.Helper()
	b := l.site.open(l.t)
	defer b.close()
	events := b.chains()
	b.sequence(len(events))
	b.cases(events)
	b.answered(l.requests, events)
	b.deadlines(events)
	b.messages(events)
	b.documents(l.site.folder, events)
}

// chains verifies every chain up to the head that its root says, and gives all events.
func (b *book) chains() []happened {
	b.t.Helper()
	var out []happened
	all, ends := map[string]*audit.Chain{}, map[string]int64{}
	b.rows(`SELECT root, header, hash, open_salt, open_body, secret_salt, secret_body, personal_salt, personal_body FROM events ORDER BY root, seq`, func(r *sql.Rows) error {
		var root string
		var s audit.Sealed
		p := &s.Parts
		if err := r.Scan(&root, &s.Header, &s.Hash, &p.Open.Salt, &p.Open.Body, &p.Secret.Salt, &p.Secret.Body, &p.Personal.Salt, &p.Personal.Body); err != nil {
			return err
		}
		if all[root] == nil {
			all[root] = &audit.Chain{}
		}
		h, err := all[root].Add(s)
		if err != nil {
			b.t.Errorf("chain of %s: %v", root, err)
		}
		ends[root] = h.Seq
		e := happened{Header: h}
		var told struct {
			Inputs   map[string]string
			Fields   map[string]any
			Document struct{ Name string }
		}
		if len(p.Open.Body) > 0 {
			if err := json.Unmarshal(p.Open.Body, &told); err != nil {
				return fmt.Errorf("%s %d: %w in %s", root, h.Seq, err, p.Open.Body)
			}
		}
		switch h.Event {
		case "create":
			e.key, _ = told.Fields["title"].(string)
		case "attach":
			e.key = strings.TrimSuffix(told.Document.Name, ".txt")
		default:
			e.key = told.Inputs["reason"]
		}
		out = append(out, e)
		return nil
	})
	b.rows("SELECT id, chain_seq, chain_hash FROM cases WHERE parent IS NULL", func(r *sql.Rows) error {
		var id string
		var seq int64
		var hash []byte
		if err := r.Scan(&id, &seq, &hash); err != nil {
			return err
		}
		chain := all[id]
		if chain == nil {
			chain = &audit.Chain{}
		}
		if err := chain.Ends(seq, hash); err != nil {
			b.t.Errorf("chain of %s: %v", id, err)
		}
		delete(all, id)
		return nil
	})
	for root := range all {
		b.t.Errorf("events of %s, which is no case", root)
	}
	return out
}

// sequence checks that the events of all trees are numbered 1, 2, 3 … in one sequence, each once and each tree's in its order.
func (b *book) sequence(events int) {
	b.t.Helper()
	last, seqs := int64(0), map[string]int64{}
	b.rows("SELECT n, root, seq FROM log ORDER BY n", func(r *sql.Rows) error {
		var n, seq int64
		var root string
		err := r.Scan(&n, &root, &seq)
		if n != last+1 || seq != seqs[root]+1 {
			b.t.Errorf("number %d after %d is event %d of %s, after %d", n, last, seq, root, seqs[root])
		}
		last, seqs[root] = n, seq
		return err
	})
	if last != int64(events) {
		b.t.Errorf("%d events, numbered up to %d", events, last)
	}
}

// cases checks that each case stands where its events lead.
func (b *book) cases(events []happened) {
	b.t.Helper()
	state, revision := map[string]string{}, map[string]int64{}
	for _, e := range events {
		if e.From != state[e.Case] {
			b.t.Errorf("event %d of %s begins at %q, the one before ended at %q", e.Seq, e.Case, e.From, state[e.Case])
		}
		state[e.Case] = e.To
		if e.Event != "attach" {
			revision[e.Case]++
		}
	}
	b.rows("SELECT id, state, revision FROM cases", func(r *sql.Rows) error {
		var id, at string
		var n int64
		err := r.Scan(&id, &at, &n)
		if at != state[id] || n != revision[id] {
			b.t.Errorf("case %s stands at %s, revision %d; its events say %s, %d", id, at, n, state[id], revision[id])
		}
		delete(state, id)
		return err
	})
	if len(state) > 0 {
		b.t.Errorf("events of cases that are not there: %v", state)
	}
}

// answered checks that every effect that a client was told of happened once and as it was told, and that nothing else did.
func (b *book) answered(requests []*request, events []happened) {
	b.t.Helper()
	by := map[string][]happened{}
	for _, e := range events {
		if e.key != "" {
			by[e.key] = append(by[e.key], e)
		}
	}
	for _, r := range requests {
		found := by[r.key]
		delete(by, r.key)
		if r.status == 0 { // the test failed already
			continue
		}
		if r.status >= 300 {
			if len(found) > 0 {
				b.t.Errorf("%s %s was refused with %d, and happened: %+v", r.event, r.key, r.status, found[0].Header)
			}
			continue
		}
		if len(found) != 1 {
			b.t.Errorf("%s %s was told as done (after %d attempts without an answer) and happened %d times", r.event, r.key, r.unanswered, len(found))
			continue
		}
		e := found[0]
		var m moved
		if err := json.Unmarshal(r.answer, &m); err != nil {
			b.t.Errorf("%s: %v", r.key, err)
		}
		same := e.Event == r.event && e.Case == r.caseID
		if r.event == "attach" {
			same = same && r.status == http.StatusCreated && len(e.Documents) == 1 && e.Documents[0].SHA256 == m.SHA256
		} else {
			same = same && m.Seq == e.Seq && m.From == e.From && m.To == e.To && m.At.Equal(e.At) && m.Case == e.Case
		}
		if !same {
			b.t.Errorf("%s: told %s, the chain says %+v", r.key, r.answer, e.Header)
		}
	}
	for key := range by {
		b.t.Errorf("%s happened, and no client knows of it", key)
	}
}

// deadlines checks that each hold started one term, and that each term was applied once, not before its hour.
func (b *book) deadlines(events []happened) {
	b.t.Helper()
	type place struct {
		root string
		seq  int64
	}
	started, released := map[place]int{}, map[place]int{}
	for _, e := range events {
		switch e.Event {
		case "hold":
			started[place{e.Root, e.Seq}]++
		case "release":
			released[place{e.Root, e.Cause}]++
		}
	}
	b.rows("SELECT root, started_seq, status FROM deadlines", func(r *sql.Rows) error {
		var p place
		var status string
		err := r.Scan(&p.root, &p.seq, &status)
		if started[p] != 1 || status != "expired" || released[p] != 1 {
			b.t.Errorf("term of %v: %s, started by %d events, ended by %d", p, status, started[p], released[p])
		}
		delete(started, p)
		delete(released, p)
		return err
	})
	if len(started)+len(released) > 0 {
		b.t.Errorf("terms that are not there: started %v, ended %v", started, released)
	}
}

// told is how many notices each message of the workflow becomes: one for each person of the office in its role.
var told = map[string]int{"state_changed": 2, "bid_opening": 1, "tacit_consent": 1}

// messages checks that each event's messages became their notices, all of them and once: a message is a source of its own.
func (b *book) messages(events []happened) {
	b.t.Helper()
	want := map[string]int{}
	add := func(e happened, template string) {
		want[fmt.Sprint(e.Root, " ", e.Seq, " ", template)] += told[template]
	}
	for _, e := range events {
		switch e.Event {
		case "next":
			add(e, "state_changed")
			add(e, "bid_opening")
		case "release":
			add(e, "tacit_consent")
		}
	}
	got := map[string]int{}
	b.rows("SELECT root, seq, template, count(*), count(DISTINCT source) FROM notices WHERE channel = 'app' GROUP BY root, seq, template", func(r *sql.Rows) error {
		var root, template string
		var seq int64
		var n, sources int
		err := r.Scan(&root, &seq, &template, &n, &sources)
		if sources != 1 {
			b.t.Errorf("event %d of %s has %d messages of %s", seq, root, sources, template)
		}
		got[fmt.Sprint(root, " ", seq, " ", template)] = n
		return err
	})
	if !maps.Equal(got, want) {
		b.t.Errorf("notices of %d messages, the events say %d", len(got), len(want))
		for m, n := range want {
			if got[m] != n {
				b.t.Errorf("message %s: %d notices, not %d", m, got[m], n)
			}
		}
	}
	if n := b.count("SELECT count(*) FROM outbox"); n > 0 {
		b.t.Errorf("%d messages wait", n)
	}
}

// documents checks that each upload has its row and its bytes.
func (b *book) documents(folder string, events []happened) {
	b.t.Helper()
	want := map[string]int{}
	for _, e := range events {
		for _, d := range e.Documents {
			want[fmt.Sprint(e.Root, e.Seq, d.SHA256)]++
		}
	}
	got := map[string]int{}
	b.rows("SELECT root, seq, sha256, size FROM documents", func(r *sql.Rows) error {
		var root, sha string
		var seq, size int64
		if err := r.Scan(&root, &seq, &sha, &size); err != nil {
			return err
		}
		got[fmt.Sprint(root, seq, sha)]++
		if info, err := os.Stat(filepath.Join(folder, "documents", sha[:2], sha[2:4], sha)); err != nil || info.Size() != size {
			b.t.Errorf("document %s has no bytes: %v", sha, err)
		}
		return nil
	})
	if !maps.Equal(got, want) {
		b.t.Errorf("documents: %d rows, the events say %d", len(got), len(want))
	}
}

// judge ends a series: all that was told is asked for again, what is under way comes to rest, and the books are compared.
func (l *load) judge() {
	l.t.Helper()
	if l.t.Failed() {
		return
	}
	l.repeat()
	l.site.settle(l.t)
	l.check()
	if l.done < len(l.requests) || len(l.requests) == 0 {
		l.t.Errorf("%d of %d requests were answered", l.done, len(l.requests))
	}
}
