// Command testrun runs the Go tests on a private PostgreSQL and a private Redis and reports what happened.
//
//	go run ./internal/testrun [-race "PATTERNS"] [PATTERNS] [-- GO TEST FLAGS]
//	go run ./internal/testrun -services-only [-durable] -- COMMAND
//
// It finds or installs both servers, and the browser where the pages are tested; it starts the servers as an ordinary user on
// sockets in a new folder, tells the tests where they
// are through SUA_TEST_POSTGRES (a superuser address), SUA_TEST_REDIS (a redis-socket address), SUA_TEST_REDIS_SERVER (the
// program, for tests that stop one of their own) and SUA_TEST_REQUIRE=1 (a missing service is a failure), and stops and removes everything at the end, Ctrl-C included. It never looks at a server that
// already runs on the machine. A skipped test counts as a failure.
//
// It is a tool of the repository (make test, make bench) and no part of the product: it imports none of our packages. How a
// test uses the services is the business of internal/store/storetest and of the packages under test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

type options struct {
	race         string
	servicesOnly bool
	durable      bool
	patterns     []string
	rest         []string // what stands after "--"
}

func main() {
	// The kernel ties the servers' lives to the thread that starts them (see attributes): keep that thread.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code, err := run(ctx, parse(os.Args[1:]))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testrun:", err)
		code = 2
	}
	os.Exit(code)
}

func parse(args []string) options {
	var o options
	if i := slices.Index(args, "--"); i >= 0 {
		args, o.rest = args[:i], args[i+1:]
	}
	flags := flag.NewFlagSet("testrun", flag.ExitOnError)
	flags.StringVar(&o.race, "race", "", "package patterns, separated by spaces, whose tests run under the race detector")
	flags.BoolVar(&o.servicesOnly, "services-only", false, "start the services and run the command after --")
	flags.BoolVar(&o.durable, "durable", false, "let PostgreSQL wait for the disk, as in production (for benchmarks)")
	flags.Parse(args) // ExitOnError: it does not return an error
	o.patterns = flags.Args()
	return o
}

// pages reports whether the tests that look at the pages with a browser are among those asked for.
func (o options) pages() bool {
	return !o.servicesOnly && (len(o.patterns) == 0 || slices.ContainsFunc(o.patterns, func(p string) bool {
		return p == "./..." || strings.HasPrefix(p, "./internal/...") || strings.Contains(p, "internal/web/")
	}))
}

// run gives the exit code; an error means that the tests could not be run at all.
func run(ctx context.Context, o options) (code int, err error) {
	if o.servicesOnly && len(o.rest) == 0 {
		return 0, errors.New("-services-only needs a command after --")
	}
	services, err := startServices(ctx, o.durable, wanted{race: o.race != "", browser: o.pages()})
	if services != nil {
		defer func() { err = errors.Join(err, services.stop()) }()
	}
	if err != nil {
		return 0, err
	}
	env := append(os.Environ(), services.env()...)
	if o.servicesOnly {
		return runCommand(ctx, env, o.rest)
	}
	return runTests(ctx, env, o)
}

func runCommand(ctx context.Context, env, command []string) (int, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	inGroup(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	if ctx.Err() != nil {
		return 0, fmt.Errorf("%s: interrupted", strings.Join(command, " "))
	}
	return 0, err
}
