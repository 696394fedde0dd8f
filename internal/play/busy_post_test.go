package play

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/internal/notify"
	"github.com/province-comuni/sua/internal/store"
)

// busyPost is what stands around the program: a mail server, and a receiver of webhooks of which one path hangs until it is told
// to answer. All keep what they get, with the played time.
type busyPost struct {
	t       *testing.T
	clock   *Clock
	address string
	hooks   *httptest.Server
	answers atomic.Bool
	hung    atomic.Int64

	mu     sync.Mutex
	mails  []busyMail
	calls  map[string][]busyCall // by path
	greyed map[string]bool
}

type busyMail struct {
	at  time.Time
	to  string
	raw []byte
}

type busyCall struct {
	at   time.Time
	id   string
	body string
	data struct {
		Type string
		Data struct{ Case, Root, Event, Notice string }
	}
}

// refusedBox does not exist; greyBox wants each mail twice.
const refusedBox, greyBox = "rup-10@ente.example", "rup-16@ente.example"

func newBusyPost(t *testing.T, clock *Clock) *busyPost {
	t.Helper()
	p := &busyPost{t: t, clock: clock, calls: map[string][]busyCall{}, greyed: map[string]bool{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &busySession{p: p}, nil }))
	server.Domain, server.ErrorLog = "localhost", silent{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-done); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	p.hooks = httptest.NewServer(http.HandlerFunc(p.called))
	t.Cleanup(p.hooks.Close)
	return p
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

type busySession struct {
	p  *busyPost
	to string
}

func (s *busySession) Reset()                               {}
func (s *busySession) Logout() error                        { return nil }
func (s *busySession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *busySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if to == refusedBox {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user " + to}
	}
	return nil
}

func (s *busySession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if sum := fmt.Sprint(sha256.Sum256([]byte(messageID(b)))); s.to == greyBox && !s.p.greyed[sum] {
		s.p.greyed[sum] = true
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "try again"}
	}
	s.p.mails = append(s.p.mails, busyMail{s.p.clock.Now(), s.to, b})
	return nil
}

func messageID(raw []byte) string {
	_, rest, _ := strings.Cut(string(raw), "Message-ID: <")
	id, _, _ := strings.Cut(rest, "@")
	return id
}

func (p *busyPost) called(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == "/hangs" && !p.answers.Load() {
		p.hung.Add(1)
		<-r.Context().Done()
		return
	}
	c := busyCall{at: p.clock.Now(), id: r.Header.Get("webhook-id"), body: string(body)}
	if err := json.Unmarshal(body, &c.data); err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[r.URL.Path] = append(p.calls[r.URL.Path], c)
}

// senders are those of the program. Only the patience with a receiver that hangs is shorter: the machine's clock runs slower than the
// played one.
func (p *busyPost) senders() map[string]func(context.Context, notice.Message) (string, error) {
	mail, err := notify.SMTP(notify.Server{Address: p.address, TLS: "none"}, notify.Sender{From: "SUA Località <sua@provincia.example>", ReplyTo: "ufficio@provincia.example", Preferences: "https://sua.example/avvisi/impostazioni"})
	if err != nil {
		p.t.Fatal(err)
	}
	pec, err := notify.SMTP(notify.Server{Address: p.address, TLS: "none"}, notify.Sender{From: "sua@pec.provincia.example", Plain: true})
	if err != nil {
		p.t.Fatal(err)
	}
	hook := notify.Webhooks(true, p.clock.Now)
	return map[string]func(context.Context, notice.Message) (string, error){
		store.ChannelMail: mail, store.ChannelPEC: pec,
		store.ChannelWebhook: func(ctx context.Context, m notice.Message) (string, error) {
			if strings.HasSuffix(m.To, "/hangs") && !p.answers.Load() {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
			}
			return hook(ctx, m)
		},
	}
}

// keep leaves the mails in a folder, for another client to read, when SUA_BUSY_MAILS names one.
func (p *busyPost) keep() {
	folder := os.Getenv("SUA_BUSY_MAILS")
	if folder == "" {
		return
	}
	for i, m := range p.mails {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.eml", i)), m.raw, 0o600); err != nil {
			p.t.Error(err)
		}
	}
}

func (p *busyPost) keepCalendar(person string, text []byte) {
	if folder := os.Getenv("SUA_BUSY_MAILS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, person+".ics"), text, 0o600); err != nil {
			p.t.Error(err)
		}
	}
}
