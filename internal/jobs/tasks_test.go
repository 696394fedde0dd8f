package jobs

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

var beginning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// postOffice is an engine whose one workflow tells a clerk by mail and a webhook, with what left it.
type postOffice struct {
	*engine.Engine
	db     *store.DB
	folder string      // of the documents
	fail   atomic.Bool // mail servers refuse
	mu     sync.Mutex
	sent   map[string]int // by id
}

func newPostOffice(t *testing.T, db *store.DB) *postOffice {
	t.Helper()
	p := &postOffice{db: db, sent: map[string]int{}, folder: t.TempDir()}
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	telling := strings.Replace(waiting, "then: [{start: answer}]", "then: [{start: answer}, {notify: request_received, to: [sua_clerk]}]", 1) + `
  note: {label: {it: Annota, en: Note}, by: [rup], from: [asked], to: same, documents: [request_form]}
`
	if cfg.Sources, err = flow.Sources(fstest.MapFS{"waiting.v1.yaml": {Data: []byte(telling)}}); err != nil {
		t.Fatal(err)
	}
	if cfg.Blobs, err = blob.Open(p.folder); err != nil {
		t.Fatal(err)
	}
	take := func(_ context.Context, m notice.Message) (string, error) {
		if p.fail.Load() {
			return "", &notice.Permanent{Err: errors.New("550 no such user")}
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sent[m.ID]++
		return m.ID, nil
	}
	cfg.DB = db
	cfg.Notices.Senders = map[string]func(context.Context, notice.Message) (string, error){store.ChannelMail: take, store.ChannelWebhook: take}
	p.Engine = mailRoom(t, cfg)
	return p
}

// told opens n cases and makes the notices of them: one mail and one message to the webhook for each.
func (p *postOffice) told(t *testing.T, n int) {
	t.Helper()
	rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "comune", Role: "rup"}}}
	for range n {
		if _, err := p.Open(t.Context(), rup, engine.Open{Workflow: "waiting"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.ExpandOutbox(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// left counts the messages that left; it fails for one that did twice.
func (p *postOffice) left(t *testing.T) int {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, n := range p.sent {
		if n > 1 {
			t.Fatalf("%s left %d times", id, n)
		}
	}
	return len(p.sent)
}

// sending lets a worker look for notices until the test ends.
func sending(t *testing.T, w *Worker) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.SendNotices(ctx, 50*time.Millisecond); close(done) }()
	t.Cleanup(func() { stop(); <-done })
}

// still is a clock that stands: nothing is ever late, so what leaves leaves through the queue.
func still() time.Time { return beginning }

func TestTheSameNoticeTaskThreeTimes(t *testing.T) {
	storetest.Each(t, store.Options{Now: still}, func(t *testing.T, db *store.DB) {
		p := newPostOffice(t, db)
		p.told(t, 1)
		due, err := p.DueNotices(t.Context(), 10, mails...)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		w := &Worker{cfg: Config{Engine: p.Engine}, log: discard, stopped: t.Context()}
		for range 2 { // all at once, and again after the end
			var wait sync.WaitGroup
			for range 3 {
				wait.Go(func() {
					if err := w.noticeKind().Handle(t.Context(), []byte(due[0].ID)); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		}
		if n := p.left(t); n != 1 {
			t.Errorf("%d left", n)
		}
	})
}

// Two workers on one queue, and more messages for a webhook than one: each leaves once, through the queue.
func TestNoticesLeaveThroughTheQueue(t *testing.T) {
	eachRedis(t, func(t *testing.T, address string) {
		p := newPostOffice(t, storetest.SQLite(t, store.Options{Now: still}))
		p.told(t, 20)
		for range 2 {
			sending(t, begun(t, Config{Engine: p.Engine, Redis: address}))
		}
		eventually(t, time.Minute, "all leave", func() bool { return p.left(t) == 40 })
	})
}

// Redis away: the sweep sends by itself. A queue that holds tasks nobody works on is overtaken after a while.
func TestNoticesLeaveWithoutTheQueue(t *testing.T) {
	t.Run("away", func(t *testing.T) {
		p := newPostOffice(t, storetest.SQLite(t, store.Options{Now: still}))
		p.told(t, 5)
		sending(t, begun(t, Config{Engine: p.Engine, Redis: "redis-socket://" + filepath.Join(t.TempDir(), "nobody")}))
		eventually(t, time.Minute, "all leave", func() bool { return p.left(t) == 10 })
	})
	t.Run("late", func(t *testing.T) {
		var clock atomic.Int64
		clock.Store(beginning.UnixMicro())
		p := newPostOffice(t, storetest.SQLite(t, store.Options{Now: func() time.Time { return time.UnixMicro(clock.Load()).UTC() }}))
		p.told(t, 5)
		w := begun(t, Config{Engine: p.Engine, Redis: redisInside(t)})
		for _, want := range []int{0, 5} {
			due, err := p.DueNotices(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			if late := w.offer(t.Context(), due[:5], ""); len(late) != want {
				t.Errorf("%d are late, want %d", len(late), want)
			}
			clock.Add((overdue + time.Second).Microseconds())
		}
	})
}

// What was given up is seen among the dead letters, whoever tried last, and leaves when somebody asks for it again.
func TestNoticesGivenUpAreDeadLetters(t *testing.T) {
	eachRedis(t, func(t *testing.T, address string) {
		p := newPostOffice(t, storetest.SQLite(t, store.Options{Now: still}))
		p.fail.Store(true)
		p.told(t, 1)
		w := begun(t, Config{Engine: p.Engine, Redis: address})
		due, err := p.DueNotices(t.Context(), 10, mails...)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		w.sendAll(t.Context(), due) // by the sweep itself
		sending(t, w)               // the webhook's by the queue
		var s Status
		eventually(t, time.Minute, "two dead letters", func() bool {
			if s, err = Look(t.Context(), address); err != nil {
				t.Fatal(err)
			}
			return len(s.Dead) == 2
		})
		p.fail.Store(false)
		for _, l := range s.Dead {
			if l.Queue != Notices || l.Job != NoticeKind || l.Error != "550 no such user" || !strings.HasPrefix(l.ID, "notice:") {
				t.Errorf("%+v", l)
			}
			if err := Retry(t.Context(), address, l.ID, func(ctx context.Context, kind, id string) error {
				if kind != NoticeKind {
					t.Errorf("kind %q", kind)
				}
				return p.db.Revive(ctx, id, beginning)
			}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, time.Minute, "both leave", func() bool { return p.left(t) == 2 })
		if s, err = Look(t.Context(), address); err != nil || len(s.Dead) != 0 {
			t.Errorf("%+v %v", s.Dead, err)
		}
	})
}

// A document whose bytes changed on disk is a dead letter and a line of the log; a whole one is checked and forgotten.
func TestDocumentsAreReadAgain(t *testing.T) {
	eachRedis(t, func(t *testing.T, address string) {
		p := newPostOffice(t, storetest.SQLite(t, store.Options{Now: still}))
		rup := auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "comune", Role: "rup"}}}
		m, err := p.Open(t.Context(), rup, engine.Open{Workflow: "waiting"})
		if err != nil {
			t.Fatal(err)
		}
		var docs []engine.DocumentView
		for _, content := range []string{"whole", "to change", "to lose", "to grow"} {
			d, err := p.Attach(t.Context(), rup, engine.Attach{Case: m.Case, Type: "request_form", Name: "x.pdf", Bytes: strings.NewReader(content)})
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, d)
		}
		path := func(i int) string {
			sha := docs[i].SHA256
			return filepath.Join(p.folder, sha[:2], sha[2:4], sha)
		}
		if err := errors.Join(os.WriteFile(path(1), []byte("TO CHANGE"), 0o600), os.Remove(path(2)), os.WriteFile(path(3), []byte("to grow!"), 0o600)); err != nil {
			t.Fatal(err)
		}
		begun(t, Config{Engine: p.Engine, Redis: address, Log: slog.New(slog.DiscardHandler), Plan: 100 * time.Millisecond})
		var s Status
		eventually(t, time.Minute, "three dead letters", func() bool {
			s, err = Look(t.Context(), address)
			return err == nil && len(s.Dead) == 3
		})
		for _, l := range s.Dead {
			if l.Queue != Documents || l.ID == "document:"+docs[0].ID || !strings.Contains(l.Error, "case "+m.Case) {
				t.Errorf("%+v", l)
			}
		}
		for i, want := range []string{"", "have changed", "are missing", "7 bytes were uploaded"} {
			err := p.CheckDocument(t.Context(), docs[i].ID)
			var damaged *engine.DamagedDocument
			if errors.As(err, &damaged) != (want != "") || want != "" && !strings.Contains(err.Error(), want) {
				t.Errorf("document %d: %v", i, err)
			}
		}
		boss, err := p.ActorByID(t.Context(), "boss")
		if err != nil {
			t.Fatal(err)
		}
		if told, err := p.Notices(t.Context(), boss, engine.NoticeQuery{}); err != nil || len(told.Items) != 3 || !strings.Contains(told.Items[0].Body.IT, "Documento: ") { // each once, however often it is checked
			t.Errorf("the director was told %+v, %v", told, err)
		}
		if err := p.CheckDocument(t.Context(), "none"); err != nil {
			t.Errorf("a document that is gone: %v", err)
		}
	})
}
