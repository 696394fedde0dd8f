package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/config"
)

// at makes a configuration whose data live in a folder of the test, on a free port.
func at(t *testing.T) config.Config {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	folder := t.TempDir()
	cfg := config.Default()
	cfg.Listen, cfg.Demo, cfg.Log.Level = l.Addr().String(), true, "error"
	cfg.PublicURL = "http://" + cfg.Listen
	cfg.Database.URL = "sqlite:" + filepath.Join(folder, "sua.db")
	cfg.Database.OwnerURL, cfg.Documents.Folder = cfg.Database.URL, filepath.Join(folder, "documents")
	cfg.Merkle.Key, cfg.Mail.Folder = filepath.Join(folder, "log.key"), filepath.Join(folder, "mail")
	return cfg
}

// running serves until the test ends and returns what was printed once it answers.
func running(t *testing.T, cfg config.Config) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, printed := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, cfg, printed)
		_ = printed.Close()
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), "import anac-cig") { // the last line of the welcome
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("serve ended early: %v\n%s", err, text.String())
		}
		text.Write(buf[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return text.String()
}

func TestServeFromNothing(t *testing.T) {
	cfg := at(t)
	welcome := running(t, cfg)
	for _, want := range []string{cfg.PublicURL, "demo-rup-conselve", "Comune di Conselve"} {
		if !strings.Contains(welcome, want) {
			t.Errorf("the welcome does not say %q", want)
		}
	}
	for path, status := range map[string]int{"/api/v1/status": 200, "/api/v1/openapi.json": 200, "/api/v1/cases": 401, "/api/v1/nothing": 404, "/accedi": 200, "/nulla": 404} {
		res, err := http.Get(cfg.PublicURL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s = %d, want %d", path, res.StatusCode, status)
		}
		if problem := res.Header.Get("Content-Type") == "application/problem+json"; strings.HasPrefix(path, "/api/") && status >= 400 && !problem {
			t.Errorf("%s answers %s", path, res.Header.Get("Content-Type"))
		}
	}
	if n := demoCases(t, cfg.PublicURL, "demo-istruttore-sua"); n < 3 {
		t.Errorf("the officer sees %d cases", n)
	}
	second := cfg
	if err := serve(t.Context(), second, io.Discard); err == nil || !strings.Contains(err.Error(), "è già in uso: ferma l'altro programma") {
		t.Errorf("same port: %v", err)
	}
	second.Listen = "127.0.0.1:0"
	if err := serve(t.Context(), second, io.Discard); err == nil || !strings.Contains(err.Error(), "già in uso da un altro sua") {
		t.Errorf("same database: %v", err)
	}
}

// demoCases signs in over the API and counts the cases seen.
func demoCases(t *testing.T, base, account string) int {
	t.Helper()
	res, err := http.Post(base+"/api/v1/session", "application/json", strings.NewReader(fmt.Sprintf(`{"account":%q}`, account)))
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Token string }
	err = errors.Join(json.NewDecoder(res.Body).Decode(&session), res.Body.Close())
	if err != nil || session.Token == "" {
		t.Fatalf("sign in: %d %v", res.StatusCode, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/cases", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+session.Token)
	if res, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	var page struct{ Items []struct{ ID string } }
	if err := errors.Join(json.NewDecoder(res.Body).Decode(&page), res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return len(page.Items)
}

func TestDataStayAndResetStartsAfresh(t *testing.T) {
	cfg := at(t)
	for range 2 { // the second load finds the first
		if err := loadDemo(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	if err := wipeDemo(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := loadDemo(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}

// sua runs a command line as a person types it, away from any configuration of this machine.
func sua(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("SUA_DATABASE_URL", "sqlite:"+filepath.Join(folder, "sua.db"))
	t.Setenv("SUA_DOCUMENTS_FOLDER", filepath.Join(folder, "documents"))
	t.Setenv("SUA_MAIL_FOLDER", filepath.Join(folder, "mail"))
	t.Setenv("SUA_MERKLE_KEY", filepath.Join(folder, "log.key"))
	return again(t, args...)
}

// again runs a command on the data of the last one.
func again(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	c := root()
	c.SetOut(&o)
	c.SetErr(&e)
	c.SetArgs(args)
	err = c.ExecuteContext(t.Context())
	return o.String(), e.String(), err
}

func TestWorkflowCheck(t *testing.T) {
	out, _, err := sua(t, "workflow", "check")
	if err != nil || !strings.Contains(out, "open_procedure") {
		t.Fatalf("check of what ships: %v\n%s", err, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.v1.yaml")
	if err := os.WriteFile(bad, []byte("workflow: bad\nversion: 1\ncase: x\nstart: nowhere\ncolour: red\nstates: {a: {stage: b}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, err := again(t, "workflow", "check", bad)
	if !errors.Is(err, errSaid) {
		t.Fatalf("check of a bad file = %v", err)
	}
	for _, want := range []string{bad + ":4", bad + ":5", "colour", "errori"} {
		if !strings.Contains(errs, want) {
			t.Errorf("faults do not say %q:\n%s", want, errs)
		}
	}
	if _, _, err := again(t, "workflow", "check", "nessuno.yaml"); err == nil || !strings.Contains(err.Error(), "non trovo") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestWorkflowGraphAndPlay(t *testing.T) {
	out, _, err := sua(t, "workflow", "graph", "integration_request", "--format", "mermaid")
	if err != nil || !strings.HasPrefix(out, "flowchart") {
		t.Errorf("graph: %v %.40s", err, out)
	}
	if _, _, err := again(t, "workflow", "graph", "nothing"); err == nil || !strings.Contains(err.Error(), "open_procedure") {
		t.Errorf("an unknown workflow: %v", err)
	}
	const scenario = "../../workflows/testdata/open_procedure/tacit"
	want, err := os.ReadFile(scenario + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	if out, _, err = again(t, "workflow", "play", scenario+".scn"); err != nil || out != string(want) {
		t.Errorf("play: %v\n%s", err, out)
	}
}

func TestWorkflowSimulate(t *testing.T) {
	out, _, err := sua(t, "workflow", "simulate", "--workflow", "contract", "--seeds", "1", "--steps", "25", "--scenario", "../../workflows/testdata/contract/early.scn")
	if err != nil || !strings.HasPrefix(out, "1 percorsi, ") || !strings.Contains(out, "nessun difetto") || !strings.Contains(out, "settlement") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err := again(t, "workflow", "simulate", "--workflow", "settlement"); err == nil || !strings.Contains(err.Error(), "nascono solo da altre") {
		t.Errorf("a workflow of cases below others: %v", err)
	}
}

func TestImportTwice(t *testing.T) {
	files, err := filepath.Glob("../../internal/exchange/testdata/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample")
	}
	first, _, err := sua(t, "import", "anac-cig", files[0])
	if err != nil || strings.Contains(first, "lotti importati:   0") {
		t.Fatalf("first: %v\n%s", err, first)
	}
	second, _, err := again(t, "import", "anac-cig", files[0])
	if err != nil || !strings.Contains(second, "lotti importati:   0") {
		t.Errorf("second: %v\n%s", err, second)
	}
	if _, _, err := again(t, "import", "anac-cig", "manca.csv"); err == nil || !strings.Contains(err.Error(), "non riesco ad aprire") {
		t.Errorf("a missing file: %v", err)
	}
	if _, _, err := again(t, "demo"); err == nil || !strings.Contains(err.Error(), "altre pratiche") {
		t.Errorf("the demonstration over other cases: %v", err)
	}
}
