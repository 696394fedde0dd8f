//go:build linux

package faulttest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// queue is a Redis of one test, that it may break.
type queue struct {
	t      testing.TB
	folder string
	cmd    *exec.Cmd
}

// newQueue starts one; nil when the test does not run under make test.
func newQueue(t testing.TB) *queue {
	t.Helper()
	if os.Getenv("SUA_TEST_REDIS_SERVER") == "" {
		if os.Getenv("SUA_TEST_REQUIRE") != "" {
			t.Fatal("SUA_TEST_REDIS_SERVER is not set: run the tests with `make test`")
		}
		return nil
	}
	folder, err := os.MkdirTemp("", "r") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	q := &queue{t: t, folder: folder}
	t.Cleanup(func() {
		q.kill()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	q.start()
	return q
}

func (q *queue) socket() string { return filepath.Join(q.folder, "s") }

func (q *queue) start() {
	q.t.Helper()
	q.cmd = exec.Command(os.Getenv("SUA_TEST_REDIS_SERVER"), "--port", "0", "--unixsocket", q.socket(), "--dir", q.folder, "--save", "", "--appendonly", "no")
	q.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := q.cmd.Start(); err != nil {
		q.t.Fatal(err)
	}
	eventually(q.t, 20*time.Second, "redis answers", func() bool { return q.say("PING") == "+PONG" })
}

// kill ends it at once: it keeps nothing.
func (q *queue) kill() {
	_ = q.cmd.Process.Kill() // gone already
	_ = q.cmd.Wait()         // it was killed, and says so
}

// say sends a command and returns the first line of the answer.
func (q *queue) say(command string) string {
	c, err := net.Dial("unix", q.socket())
	if err != nil {
		return ""
	}
	defer c.Close()
	fmt.Fprintf(c, "%s\r\n", command)
	line, _ := bufio.NewReader(c).ReadString('\n') // what is missing is no answer
	return strings.TrimSpace(line)
}

// One process serves and two work. Under load Redis loses everything, one of the workers is killed, Redis stops and comes back empty.
// Nobody who asks for something notices, and what is to be done in the background is done once.
func TestRedisAndWorkersFail(t *testing.T) {
	if !servers(t) {
		return
	}
	each(t, 1, 5, func(t *testing.T, seed uint64) {
		q := newQueue(t)
		if q == nil {
			return
		}
		s := postgresOffice(t, "queues")
		s.env = []string{"SUA_REDIS_URL=redis-socket://" + q.socket()}
		api := served(t, s, "--role", "api")
		api.answers()
		first, second := served(t, s, "--role", "worker"), served(t, s, "--role", "worker")
		l := newLoad(t, s, api.address(), seed)
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(clients, things)
		}()
		rng := rand.New(rand.NewPCG(seed, 99))
		for i, fault := range []func(){func() { q.say("FLUSHALL") }, first.kill, q.kill} {
			<-l.after((i + 1) * clients * things / 5)
			pause(rng, 10*time.Millisecond)
			fault()
		}
		<-done
		if n := l.unanswered(); n > 0 {
			t.Errorf("%d requests noticed it", n)
		}
		s.settle(t) // without Redis, with one worker
		if long() { // queues are filled every ten seconds
			eventually(t, 40*time.Second, "the worker says that Redis is away", func() bool { return second.log.says("queues not filled") > 0 })
		}
		q.start()
		if long() {
			eventually(t, 40*time.Second, "the worker says that it is back", func() bool { return second.log.says("queues filled again") > 0 })
		}
		l.judge()
		if second.log.says("deadlines applied") == 0 {
			t.Error("the log of the worker that stayed does not say that deadlines were applied")
		}
	})
}
