package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
	// socketLimit is the longest path of a unix socket on every system we know (104 on BSD, 108 on Linux).
	socketLimit = 103
)

// services are the private servers, in a folder that goes with them.
type services struct {
	folder   string
	programs programs
	owner    owner
	running  []*server
}

// startServices starts both servers. What it returns must be stopped even when there is an error beside it.
func startServices(ctx context.Context, durable bool, w wanted) (*services, error) {
	found, err := findPrograms(ctx, w)
	if err != nil {
		return nil, err
	}
	who, err := findOwner()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "sua-test-")
	if err != nil {
		return nil, err
	}
	s := &services{folder: folder, programs: found, owner: who}
	// The servers' user must be able to pass through; each server's own folder below is closed to others.
	if err := os.Chmod(folder, 0o755); err != nil {
		return s, err
	}
	for _, socket := range []string{s.postgresSocket(), s.redisSocket()} {
		if len(socket) > socketLimit {
			return s, fmt.Errorf("%s is too long for a socket: set TMPDIR to a shorter folder", socket)
		}
	}
	if err := s.startPostgres(ctx, durable); err != nil {
		return s, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := s.startRedis(ctx); err != nil {
		return s, fmt.Errorf("start Redis: %w", err)
	}
	return s, nil
}

// env tells the tests where the servers are. The programs of PostgreSQL (psql, pgbench) come first in PATH.
func (s *services) env() []string {
	dsn := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: url.Values{
		"host": {s.path("postgres")}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()}
	return []string{
		"SUA_TEST_POSTGRES=" + dsn.String(),
		"SUA_TEST_REDIS=redis-socket://" + s.redisSocket(),
		"SUA_TEST_REDIS_SERVER=" + s.programs.redis,
		"SUA_TEST_REQUIRE=1",
		"PATH=" + s.programs.postgresBin + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
}

// stop ends the servers and removes all they wrote.
func (s *services) stop() error {
	var faults []error
	for _, r := range s.running {
		faults = append(faults, r.stop())
	}
	return errors.Join(append(faults, os.RemoveAll(s.folder))...)
}

func (s *services) path(name string) string { return filepath.Join(s.folder, name) }
func (s *services) postgresSocket() string  { return s.path("postgres/.s.PGSQL.5432") }
func (s *services) redisSocket() string     { return s.path("redis/redis.sock") }

// private makes a folder only the servers' user may enter (and root, who needs no leave).
func (s *services) private(name string) (string, error) {
	path := s.path(name)
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", err
	}
	return path, s.owner.take(path)
}

func (s *services) startPostgres(ctx context.Context, durable bool) error {
	home, err := s.private("postgres")
	if err != nil {
		return err
	}
	data := filepath.Join(home, "data")
	initdb := s.owner.command(filepath.Join(s.programs.postgresBin, "initdb"), "--pgdata="+data, "--username=postgres",
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.Dir = home
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb as %s (who must be able to enter %s): %w\n%s", s.owner.name, s.folder, err, out)
	}
	args := []string{"-D", data, "-k", home, "-p", "5432", "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700",
		"-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "timezone=UTC"}
	if !durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	ready := func() bool {
		return exec.CommandContext(ctx, filepath.Join(s.programs.postgresBin, "pg_isready"), "-q", "-h", home, "-p", "5432").Run() == nil
	}
	return s.start(ctx, home, ready, filepath.Join(s.programs.postgresBin, "postgres"), args...)
}

func (s *services) startRedis(ctx context.Context) error {
	home, err := s.private("redis")
	if err != nil {
		return err
	}
	ready := func() bool {
		conn, err := net.DialTimeout("unix", s.redisSocket(), time.Second)
		if err != nil {
			return false
		}
		defer conn.Close()
		answer := make([]byte, len("+PONG"))
		conn.SetDeadline(time.Now().Add(time.Second)) // fails only on a closed connection, and then Read does too
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return false
		}
		_, err = conn.Read(answer)
		return err == nil && bytes.Equal(answer, []byte("+PONG"))
	}
	return s.start(ctx, home, ready, s.programs.redis, "--port", "0", "--unixsocket", s.redisSocket(), "--unixsocketperm", "700",
		"--dir", home, "--save", "", "--appendonly", "no", "--daemonize", "no")
}

// start runs one server and waits until it answers, ends by itself, or takes too long.
func (s *services) start(ctx context.Context, home string, ready func() bool, program string, args ...string) error {
	r := &server{cmd: s.owner.command(program, args...), done: make(chan struct{})}
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = home, &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		return err
	}
	s.running = append(s.running, r)
	go func() {
		r.cmd.Wait() // how it ended shows in its log
		close(r.done)
	}()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	limit := time.After(startLimit)
	for !ready() {
		select {
		case <-look.C:
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-r.done:
			return fmt.Errorf("%s ended at once:\n%s", program, r.log.String())
		case <-limit:
			return errors.Join(fmt.Errorf("%s does not answer after %s", program, startLimit), r.stop(), errors.New(r.log.String()))
		}
	}
	return nil
}
