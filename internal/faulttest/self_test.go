//go:build linux

package faulttest

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// ear hears what the checker finds, without failing the test.
type ear struct {
	testing.TB
	heard []string
}

func (e *ear) Errorf(format string, args ...any) {
	e.heard = append(e.heard, fmt.Sprintf(format, args...))
}

// What is lost, doubled or changed behind the program's back is found: a checker that finds nothing else proves nothing.
func TestTheCheckerSees(t *testing.T) {
	s := sqliteOffice(t, t.TempDir())
	p := served(t, s)
	l := newLoad(t, s, p.address(), 5)
	l.run(4, things)
	l.judge()
	p.kill()
	for _, c := range []struct{ tamper, want string }{
		{"SELECT 1", ""},
		{"DELETE FROM events WHERE (root, seq) = (SELECT root, max(seq) FROM events WHERE event = 'next' GROUP BY root LIMIT 1)", "happened 0 times"},
		{"UPDATE events SET hash = x'00' WHERE seq = 1", "header differs from its hash"},
		{"DELETE FROM log WHERE n = 7", "number 8 after 6"},
		{"UPDATE cases SET state = 'closed' WHERE id = (SELECT min(id) FROM cases)", "its events say"},
		{"DELETE FROM notices WHERE id = (SELECT min(id) FROM notices WHERE template = 'state_changed')", "1 notices, not 2"},
		{"UPDATE notices SET source = 'outbox:0' WHERE id = (SELECT min(id) FROM notices WHERE template = 'state_changed')", "has 2 messages of state_changed"},
		{"UPDATE deadlines SET status = 'running' WHERE id = (SELECT min(id) FROM deadlines)", "running, started by 1 events, ended by 1"},
		{"DELETE FROM documents WHERE id = (SELECT min(id) FROM documents)", "documents: "},
		{"UPDATE documents SET sha256 = 'aaaa' || substr(sha256, 5) WHERE id = (SELECT min(id) FROM documents)", "has no bytes"},
	} {
		copied := filepath.Join(t.TempDir(), "sua.db")
		for _, end := range []string{"", "-wal"} {
			if err := copyFile(copied+end, s.reads+end); err != nil {
				t.Fatal(err)
			}
		}
		tampered(t, copied, c.tamper)
		e := &ear{TB: t}
		other := *s
		other.reads = copied
		(&load{t: e, site: &other, requests: l.requests}).check()
		if found := strings.Join(e.heard, "\n"); (c.want == "") != (found == "") || !strings.Contains(found, c.want) {
			t.Errorf("%s: found %q, want %q", c.tamper, found, c.want)
		}
	}
}

// tampered changes a database as no role of the program may.
func tampered(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var triggers []string
	rs, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'trigger'")
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Close()
	for rs.Next() {
		var name string
		if err := rs.Scan(&name); err != nil {
			t.Fatal(err)
		}
		triggers = append(triggers, "DROP TRIGGER "+name)
	}
	for _, q := range append(triggers, statement) {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}
