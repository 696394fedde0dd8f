package browser

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	needs     = "i test delle pagine usano Chromium, Node 20 o più recente e npm (pacchetti Debian: chromium nodejs npm; un altro browser: CHROME=PERCORSO)"
	startTime = 3 * time.Minute // to load the demonstration on a busy machine
	walkTime  = 60 * time.Minute
)

// long asks for every role and every case; without it a few stand for all, so that make test stays short.
func long() bool { return os.Getenv("SUA_TEST_LONG") != "" }

// place is what the tests share: how to run a script against the program that is served.
var place struct {
	env  []string
	node string
}

func TestMain(m *testing.M) { os.Exit(inPlace(m)) }

func inPlace(m *testing.M) (code int) {
	folder, err := os.MkdirTemp("", "sua-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	stop, err := prepare(folder)
	defer stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// prepare finds the browser and its driver and serves the demonstration from a folder; stop ends it, and may always be called.
func prepare(folder string) (stop func(), err error) {
	stop = func() {}
	_ = os.Getenv("SUA_TEST_POSTGRES") // other at each run: what another program showed last time must not be taken from the cache
	chrome, err := findChrome()
	if err != nil {
		return stop, err
	}
	if place.node, err = findNode(); err != nil {
		return stop, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // no home
	}
	cache = filepath.Join(cache, "sua-browser-tests")
	modules, err := fetch(cache)
	if err != nil {
		return stop, err
	}
	site, stop, err := serve(folder)
	place.env = append(os.Environ(), "SUA_BROWSER_MODULES="+modules, "SUA_BROWSER_CHROME="+chrome, "SUA_BROWSER_SITE="+site,
		"SUA_BROWSER_SHOTS="+filepath.Join(cache, "broken"))
	return stop, err
}

func findChrome() (string, error) {
	if named := os.Getenv("CHROME"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("CHROME: %w: %s", err, needs)
		}
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("manca il browser: " + needs)
}

func findNode() (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errors.New("manca node: " + needs)
	}
	out, err := exec.Command(node, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("node --version: %w", err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 20 {
		return "", fmt.Errorf("node è %s: %s", strings.TrimSpace(string(out)), needs)
	}
	return node, nil
}

// fetch gives the folder of the locked npm packages, and fills it the first time. It becomes visible whole or not at all: several
// runs may fetch at once.
func fetch(cache string) (string, error) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	folder := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work) // gone when all went well
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci non ha potuto scaricare playwright-core e axe-core (le versioni di package-lock.json; serve la rete la prima volta): %w\n%s\n%s", err, out, needs)
	}
	if err := os.Rename(work, folder); err != nil {
		if _, there := os.Stat(folder); there != nil {
			return "", err
		}
	}
	return folder, nil
}

// serve builds the program, or takes the one that SUA_TEST_BINARY names, and serves the demonstration on a free port.
func serve(folder string) (site string, stop func(), err error) {
	stop = func() {}
	sua := os.Getenv("SUA_TEST_BINARY")
	if sua == "" {
		sua = filepath.Join(folder, "sua")
		if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", sua, "../../../cmd/sua").CombinedOutput(); err != nil {
			return "", stop, fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	listen, err := freeAddress()
	if err != nil {
		return "", stop, err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return "", stop, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, sua, "serve", "--demo")
	cmd.Dir, cmd.Stderr = folder, log
	cmd.Env = append(os.Environ(), "SUA_LISTEN="+listen, "SUA_DATABASE_URL=sqlite:"+filepath.Join(folder, "sua.db"),
		"SUA_DOCUMENTS_FOLDER="+filepath.Join(folder, "documents"), "SUA_MAIL_FOLDER="+filepath.Join(folder, "mail"),
		"SUA_MERKLE_KEY="+filepath.Join(folder, "log.key"), "SUA_REDIS_URL=", "SUA_CONFIG=")
	words, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return "", stop, err
	}
	stop = func() {
		cancel()
		_ = cmd.Wait() // it is killed, and says so
		_ = log.Close()
	}
	// It welcomes people when its pages can be asked for.
	welcomed := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(words)
		for lines.Scan() {
			if strings.HasPrefix(strings.TrimSpace(lines.Text()), "pagine ") {
				welcomed <- true
			}
		}
		close(welcomed)
	}()
	select {
	case ok := <-welcomed:
		if ok {
			return "http://" + listen, stop, nil
		}
		err = errors.New("sua serve --demo ended")
	case <-time.After(startTime):
		err = fmt.Errorf("sua serve --demo does not answer within %s", startTime)
	}
	text, _ := os.ReadFile(log.Name()) // what it said, if anything
	return "", stop, fmt.Errorf("%w:\n%s", err, text)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// script runs one of the scripts; what it writes to its output are the faults of the pages.
func script(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), walkTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, place.node, args...)
	cmd.Env = place.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it then closes its browser
	cmd.WaitDelay = 20 * time.Second
	var told strings.Builder
	cmd.Stderr = &told
	out, err := cmd.Output()
	for line := range strings.Lines(string(out)) {
		t.Error(strings.TrimSpace(line))
	}
	if err != nil {
		t.Errorf("node %s: %v", strings.Join(args, " "), err)
	}
	t.Log(told.String())
}

// The checks prove nothing unless they find what is wrong.
func TestChecksFindFaults(t *testing.T) {
	t.Parallel()
	script(t, "self.mjs")
}

// Every page that these people are led to, at 1280 and 375 px.
func TestPages(t *testing.T) {
	people := []string{"demo-rup-conselve", "demo-istruttore-sua"}
	if long() {
		people = append(people, "demo-direttore-sua", "demo-controllo")
	}
	for _, account := range people {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			script(t, "walk.mjs", account)
		})
	}
}

// A request from its first word to the desk of the SUA, with its refusals.
func TestRequestFlow(t *testing.T) {
	for _, way := range []string{"keyboard", "plain"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			script(t, "flows.mjs", way)
		})
	}
}
