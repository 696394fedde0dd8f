package jobs

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// redisServer is a real Redis of one test, that it may stop.
type redisServer struct {
	t       testing.TB
	program string
	folder  string
	cmd     *exec.Cmd
}

// realRedis starts one; nil when the test does not run under make test.
func realRedis(t testing.TB) *redisServer {
	t.Helper()
	program := os.Getenv("SUA_TEST_REDIS_SERVER")
	if program == "" {
		if os.Getenv("SUA_TEST_REQUIRE") != "" {
			t.Fatal("SUA_TEST_REDIS_SERVER is not set: run the tests with `make test`")
		}
		return nil
	}
	folder, err := os.MkdirTemp("", "r") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, program: program, folder: folder}
	t.Cleanup(func() {
		r.kill()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	r.start()
	return r
}

func (r *redisServer) socket() string  { return filepath.Join(r.folder, "s") }
func (r *redisServer) address() string { return "redis-socket://" + r.socket() }

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.program, "--port", "0", "--unixsocket", r.socket(), "--dir", r.folder, "--save", "", "--appendonly", "no")
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, 20*time.Second, "redis answers", func() bool {
		c, err := net.Dial("unix", r.socket())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// kill ends it at once: it keeps nothing.
func (r *redisServer) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill() // gone already
	_ = r.cmd.Wait()         // it was killed, and says so
	r.cmd = nil
}

// flush empties a Redis.
func flush(t testing.TB, address string) {
	t.Helper()
	opt, err := asynq.ParseRedisURI(address)
	if err != nil {
		t.Fatal(err)
	}
	c := opt.MakeRedisClient().(redis.UniversalClient)
	defer c.Close()
	if err := c.FlushAll(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
}

// eachRedis runs f with the Redis inside the process and with a real one.
func eachRedis(t *testing.T, f func(t *testing.T, address string)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { f(t, redisInside(t)) })
	if os.Getenv("SUA_TEST_REQUIRE") == "" && os.Getenv("SUA_TEST_REDIS_SERVER") == "" {
		return
	}
	t.Run("redis", func(t *testing.T) { f(t, realRedis(t).address()) })
}

// redisInside starts the Redis of this process for a test and returns its address.
func redisInside(t testing.TB) string {
	t.Helper()
	r, err := startEmbedded("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return r.address()
}
