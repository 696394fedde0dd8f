//go:build linux

package faulttest

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// receiver is a program that takes webhooks: at once, or never.
type receiver struct {
	mu    sync.Mutex
	times map[string]int // by id of the message
}

func (r *receiver) got() (messages, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.times {
		most = max(most, n)
	}
	return len(r.times), most
}

// hook subscribes an address to all that happens, by hand: the director of this office has no token.
func (s *site) hook(t *testing.T, id, url string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.reads+"?_time_format=sqlite&_timezone=UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec("INSERT INTO webhooks (id, owner, body, url, secret, events, state, created_at) VALUES (?, 'boss', 'sua', ?, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=', '[]', 'active', ?)", id, url, time.Now().UTC())
	if err != nil {
		t.Fatal(err)
	}
}

// Of two receivers of webhooks one hangs, with as many messages before it as the other. It is called once at a time (a call is given up
// after 15 s), and the other has all of its own meanwhile.
func TestAReceiverHangs(t *testing.T) {
	each(t, 1, 2, func(t *testing.T, seed uint64) {
		var hanging atomic.Int64
		free := make(chan struct{})
		hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			hanging.Add(1)
			select {
			case <-free:
			case <-r.Context().Done():
			}
		}))
		t.Cleanup(hangs.Close)
		t.Cleanup(func() { close(free) })
		good := &receiver{times: map[string]int{}}
		answers := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			good.mu.Lock()
			defer good.mu.Unlock()
			good.times[r.Header.Get("webhook-id")]++
		}))
		t.Cleanup(answers.Close)
		s := sqliteOffice(t, t.TempDir())
		s.hook(t, "a-hangs", hangs.URL)
		s.hook(t, "b-answers", answers.URL)
		s.env = []string{"SUA_WEBHOOKS_PRIVATE=true"}
		p := served(t, s)
		began := time.Now()
		l := newLoad(t, s, p.address(), seed)
		l.run(clients, things)
		l.judge()
		b := s.open(t)
		defer b.close()
		all := b.count("SELECT count(DISTINCT source) FROM notices WHERE target = 'b-answers'")
		eventually(t, time.Minute, "the receiver that answers has everything", func() bool { n, _ := good.got(); return n == all })
		if _, most := good.got(); most > 1 {
			t.Errorf("a message came %d times", most)
		}
		if n, turns := hanging.Load(), int64(time.Since(began)/(15*time.Second)); n == 0 || n > 1+turns {
			t.Errorf("the one that hangs was called %d times in %s: once at a time is enough", n, time.Since(began))
		}
		if n := b.count("SELECT count(*) FROM notices WHERE target = 'a-hangs'"); n != all {
			t.Errorf("of %d messages for the one that hangs %d are kept", all, n)
		}
		t.Logf("%d messages; the one that hangs was called %d times", all, hanging.Load())
		if long() {
			eventually(t, 30*time.Second, "the log says what hangs", func() bool { return p.log.says("notice not sent", `"channel":"webhook"`) > 0 })
		}
	})
}
