//go:build linux

package faulttest

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"; the store brings "sqlite"
)

// super runs a statement as the superuser.
func (c *cluster) super(database, statement string) error {
	db, err := sql.Open("pgx", c.url("postgres", database))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// site is an office that is served: where its data are, and how to speak to it.
type site struct {
	url    string // for the server
	reads  string // for the checker: a file of SQLite, or the superuser's address
	token  string
	folder string
	env    []string // more settings of the server
	prefix []string // what the server's command stands behind
}

// server is `sua serve` as a process.
type server struct {
	t    testing.TB
	site *site
	port int
	cmd  *exec.Cmd
	done chan struct{}
	log  logBook
}

// served starts a server that ends with the test, and shows the end of its log when the test failed.
func served(t testing.TB, s *site, args ...string) *server {
	t.Helper()
	p := &server{t: t, site: s}
	var err error
	if p.port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("what the server says of its work:\n%s\nthe end of its log:\n%s", p.log.work(), p.log.tail(5))
		}
	})
	p.start(args...)
	return p
}

func (p *server) address() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

func (p *server) start(args ...string) {
	p.t.Helper()
	command := append(append([]string{}, p.site.prefix...), binary(p.t), "serve")
	command = append(command, args...)
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env = append(os.Environ(), "SUA_LISTEN=127.0.0.1:"+strconv.Itoa(p.port), "SUA_DATABASE_URL="+p.site.url, "SUA_RATE_LIMIT_PER_MINUTE=0",
		"SUA_DOCUMENTS_FOLDER="+filepath.Join(p.site.folder, "documents"), "SUA_MAIL_FOLDER="+filepath.Join(p.site.folder, "mail"),
		"SUA_MERKLE_KEY="+filepath.Join(p.site.folder, "log.key"), "SUA_WORKFLOWS_FOLDER="+testdata(p.t), "SUA_LOG_FORMAT=json")
	p.cmd.Env = append(p.cmd.Env, p.site.env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done, cmd := make(chan struct{}), p.cmd
	p.done = done
	go func() {
		_ = cmd.Wait() // it is killed, and says so
		close(done)
	}()
	if len(args) == 0 { // a worker answers nobody
		p.answers()
	}
}

// answers waits until it does.
func (p *server) answers() {
	p.t.Helper()
	done := p.done
	eventually(p.t, 30*time.Second, "the server answers", func() bool {
		select {
		case <-done:
			p.t.Fatalf("the server ended:\n%s", p.log.tail(30))
		default:
		}
		res, err := http.Get(p.address() + "/api/v1/status")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// kill ends it without a word, with all that stands before it.
func (p *server) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // gone already
	<-p.done
}

func testdata(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// logBook is what a server says of itself, over all its lives.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// says counts the lines that hold all of the words.
func (l *logBook) says(words ...string) int {
	n := 0
	for line := range strings.Lines(l.text()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}

// work are the lines above level info that tell of no request.
func (l *logBook) work() string {
	var out []string
	for line := range strings.Lines(l.text()) {
		if !strings.Contains(line, `"msg":"request"`) && !strings.Contains(line, `"msg":"api"`) && !strings.Contains(line, `"level":"INFO"`) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out[max(0, len(out)-15):], "\n")
}

func (l *logBook) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(l.text()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
