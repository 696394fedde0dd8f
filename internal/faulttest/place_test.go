//go:build linux

package faulttest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
)

// place is what all tests share: a folder, the binary, the database of an office at its beginning, a PostgreSQL.
var place struct {
	folder string

	program  sync.Once
	sua      string
	errBuild error

	office    sync.Once
	token     string // of the RUP, in every copy of the office
	errOffice error

	postgres    sync.Once
	cluster     *cluster
	pgToken     string
	errPostgres error
}

func TestMain(m *testing.M) { os.Exit(inPlace(m)) }

func inPlace(m *testing.M) int {
	var err error
	if place.folder, err = os.MkdirTemp("", "sua-f"); err == nil {
		err = os.Chmod(place.folder, 0o755) // the user of PostgreSQL passes through
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if place.cluster != nil {
		place.cluster.kill()
	}
	if err := os.RemoveAll(place.folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// binary builds sua once, or takes the one that SUA_TEST_BINARY names.
func binary(t testing.TB) string {
	t.Helper()
	place.program.Do(func() {
		if place.sua = os.Getenv("SUA_TEST_BINARY"); place.sua != "" {
			return
		}
		place.sua = filepath.Join(place.folder, "sua")
		out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", place.sua, "../../cmd/sua").CombinedOutput()
		if err != nil {
			place.errBuild = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if place.errBuild != nil {
		t.Fatal(place.errBuild)
	}
	return place.sua
}

// office makes a database with two bodies, three people and the workflow of testdata, and returns a token of the RUP.
func office(url string) (token string, err error) {
	ctx := context.Background()
	o := store.Options{URL: url}
	if url[:7] == "sqlite:" {
		o.Now = time.Now
	}
	db, err := store.Open(ctx, o)
	if err != nil {
		return "", err
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	cfg, err := engine.Shipped(os.DirFS("testdata"))
	if err != nil {
		return "", err
	}
	cfg.DB, cfg.Session = db, 10*time.Hour
	e, err := engine.New(ctx, cfg)
	if err != nil {
		return "", err
	}
	for _, b := range []store.Body{{ID: "sua", Kind: "provincia", Name: "Provincia", TaxCode: "00000000026"}, {ID: "comune", Kind: "comune", Name: "Comune", TaxCode: "00000000018"}} {
		if _, err := e.SaveBody(ctx, b); err != nil {
			return "", err
		}
	}
	if err := e.SaveAgreement(ctx, store.Agreement{ID: "a", MemberBody: "comune", SUA: "sua", ValidFrom: "2020-01-01", Acts: map[string]string{}}); err != nil {
		return "", err
	}
	for id, role := range map[string]auth.Membership{"rup": {Body: "comune", Role: "rup"}, "clerk": {Body: "sua", Role: "sua_clerk"}, "boss": {Body: "sua", Role: "sua_director"}} {
		if err := e.SavePerson(ctx, store.Person{ID: id, Name: id, Demo: 1}, []auth.Membership{role}); err != nil {
			return "", err
		}
	}
	return e.SignInDemo(ctx, "rup")
}

// sqliteOffice gives a test its own copy of the office in a folder.
func sqliteOffice(t testing.TB, folder string) *site {
	t.Helper()
	template := filepath.Join(place.folder, "office.db")
	place.office.Do(func() {
		if place.errOffice = store.Migrate(context.Background(), "sqlite:"+template); place.errOffice == nil {
			place.token, place.errOffice = office("sqlite:" + template)
		}
	})
	if place.errOffice != nil {
		t.Fatal(place.errOffice)
	}
	path := filepath.Join(folder, "sua.db")
	if err := copyFile(path, template); err != nil {
		t.Fatal(err)
	}
	return &site{url: "sqlite:" + path, reads: path, token: place.token, folder: folder}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// servers finds the programs of PostgreSQL: `make test` puts them into PATH. Without them the tests on PostgreSQL are left out,
// unless they are required.
func servers(t testing.TB) bool {
	t.Helper()
	if _, err := exec.LookPath("initdb"); err == nil {
		return true
	}
	if os.Getenv("SUA_TEST_REQUIRE") != "" {
		t.Fatal("initdb is not in PATH: run the tests with `make test`")
	}
	return false
}

// postgresOffice gives a test its own copy of the office in the PostgreSQL of all tests.
func postgresOffice(t testing.TB, name string) *site {
	t.Helper()
	place.postgres.Do(func() {
		place.cluster, place.errPostgres = newCluster(filepath.Join(place.folder, "pg"), filepath.Join(place.folder, "pg", "wal"))
		if place.errPostgres == nil {
			place.pgToken, place.errPostgres = place.cluster.prepare()
		}
	})
	if place.errPostgres != nil {
		t.Fatal(place.errPostgres)
	}
	return place.cluster.office(t, name, place.pgToken)
}

// office copies the prepared database.
func (c *cluster) office(t testing.TB, name, token string) *site {
	t.Helper()
	if err := c.super("postgres", "CREATE DATABASE "+name+" TEMPLATE office STRATEGY FILE_COPY"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.super("postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return &site{url: c.url("sua_app", name), reads: c.url("postgres", name), token: token, folder: t.TempDir()}
}

// cluster is a PostgreSQL of our own on a free port, that tests may break. It does not wait for the disk: the machine goes on
// when a process dies. It does wait until what is committed has left the process.
type cluster struct {
	folder string
	port   int
	cred   *syscall.Credential
	cmd    *exec.Cmd
	done   chan struct{}
}

// newCluster makes one in a folder, and its write-ahead log in another, which may be inside.
func newCluster(folder, wal string) (*cluster, error) {
	c := &cluster{folder: folder}
	if os.Geteuid() == 0 { // PostgreSQL refuses root
		if err := c.findUser(); err != nil {
			return nil, err
		}
	}
	for _, folder := range []string{folder, wal} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
		if c.cred != nil {
			if err := os.Chown(folder, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	cmd := c.command("initdb", "--pgdata="+c.data(), "--waldir="+wal, "--wal-segsize=1", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c, c.start()
}

func (c *cluster) findUser() error {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			c.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			return nil
		}
	}
	return fmt.Errorf("running as root, and neither user postgres nor nobody exists")
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT, Credential: c.cred}
	return cmd
}

// start also starts again after kill.
func (c *cluster) start() error {
	c.cmd = c.command("postgres", "-D", c.data(), "-k", c.folder, "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60",
		"-c", "shared_buffers=32MB", "-c", "timezone=UTC", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "min_wal_size=32MB", "-c", "wal_recycle=off")
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.done = make(chan struct{})
	go func() {
		_ = c.cmd.Wait() // it is killed, and says so
		close(c.done)
	}()
	return waitFor(30*time.Second, "postgres answers", func() bool { return c.super("postgres", "SELECT 1") == nil })
}

// answers starts it again if it has ended by itself, which whoever keeps one does, and says whether it answers.
func (c *cluster) answers() bool {
	select {
	case <-c.done:
		return c.start() == nil
	default:
		return c.super("postgres", "SELECT 1") == nil
	}
}

// kill is an immediate stop: every process of it ends at once, without a checkpoint.
func (c *cluster) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGQUIT) // gone already
	<-c.done
}

func (c *cluster) url(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, c.port, database)
}

func (c *cluster) prepare() (token string, err error) {
	for _, sql := range []string{"CREATE ROLE sua_app LOGIN", "CREATE DATABASE office"} {
		if err := c.super("postgres", sql); err != nil {
			return "", err
		}
	}
	if err := store.Migrate(context.Background(), c.url("postgres", "office")); err != nil {
		return "", err
	}
	return office(c.url("sua_app", "office"))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// waitFor waits for something to become true.
func waitFor(within time.Duration, what string, done func() bool) error {
	limit := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-limit:
			return fmt.Errorf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
	return nil
}

func eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	if err := waitFor(within, what, done); err != nil {
		t.Fatal(err)
	}
}
