//go:build linux

package faulttest

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// disk is a small one in memory that a test may fill. As root it is mounted; else the server itself runs in a name space of its
// own where it is, and the test looks into it through /proc.
type disk struct {
	t      *testing.T
	folder string
	prefix []string // what the server's command stands behind; nil when the disk is mounted for all
	filler string
}

var disks atomic.Int64

// newDisk gives nil where neither is allowed: then nothing is tested, and the log says so.
func newDisk(t *testing.T, size string) *disk {
	t.Helper()
	d := &disk{t: t, folder: filepath.Join(place.folder, fmt.Sprint("disk", disks.Add(1)))}
	if err := os.Mkdir(d.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", d.folder, "tmpfs", 0, "size="+size+",mode=0755"); err == nil {
		t.Cleanup(func() {
			if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		return d
	}
	if exec.Command("unshare", "-rm", "true").Run() != nil {
		t.Log("not tested: neither root nor allowed to make a name space, so there is no disk to fill")
		return nil
	}
	d.prefix = []string{"unshare", "-rm", "sh", "-c", `mount -t tmpfs -o size=` + size + ` none "$0" && exec "$@"`, d.folder}
	return d
}

// forAll says whether also the test and a PostgreSQL find the disk, which takes root.
func (d *disk) forAll() bool {
	if d != nil && d.prefix != nil {
		d.t.Log("not tested: only root can give a database a small disk")
	}
	return d != nil && d.prefix == nil
}

// seen is where the test finds the disk once the server runs.
func (d *disk) seen(p *server) string {
	if d.prefix == nil {
		return d.folder
	}
	return fmt.Sprintf("/proc/%d/root%s", p.cmd.Process.Pid, d.folder)
}

// fill leaves so many bytes.
func (d *disk) fill(folder string, leave int64) {
	d.t.Helper()
	d.filler = filepath.Join(folder, "filler")
	f, err := os.Create(d.filler)
	if err != nil {
		d.t.Fatal(err)
	}
	zeros := make([]byte, 1<<16)
	n := int64(0)
	for err == nil {
		var k int
		k, err = f.Write(zeros)
		n += int64(k)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(max(0, n-leave)), f.Close()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) free() {
	if err := os.Remove(d.filler); err != nil {
		d.t.Error(err)
	}
}

// filled lets clients work, has the disk filled under them, waits until they have been told so a few times with a status, gives
// the space back and has done what then is to do.
func filled(t *testing.T, s *site, p *server, d *disk, seed uint64, status int, fill, back func()) {
	l := newLoad(t, s, p.address(), seed)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(clients, things)
	}()
	<-l.after(clients)
	fill()
	eventually(t, 30*time.Second, "somebody is told that the disk is full", func() bool { return l.told(status) >= 3 })
	d.free()
	back()
	<-done
	l.judge()
	t.Logf("%d requests, %d attempts without an answer, by status %v", len(l.requests), l.unanswered(), l.faults)
	if p.log.says(fmt.Sprintf(`"status":%d`, status)) == 0 {
		t.Error("the log does not say it")
	}
}

// The disk of the database is full: 507, nothing done by halves, and all goes on when there is room again.
func TestDiskFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			d := newDisk(t, "48m")
			if !d.forAll() { // SQLite finds no file through /proc
				return
			}
			s := sqliteOffice(t, d.folder)
			s.folder = t.TempDir()
			p := served(t, s)
			filled(t, s, p, d, seed, http.StatusInsufficientStorage, func() { d.fill(d.folder, 40_000) }, func() {})
		})
	})
	t.Run("documents", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			d := newDisk(t, "1m")
			if d == nil {
				return
			}
			s := sqliteOffice(t, t.TempDir())
			s.env, s.prefix = []string{"SUA_DOCUMENTS_FOLDER=" + filepath.Join(d.folder, "documents")}, d.prefix
			p := served(t, s)
			s.folder = d.seen(p)
			filled(t, s, p, d, seed, http.StatusInsufficientStorage, func() { d.fill(s.folder, 0) }, func() {
				if left, err := filepath.Glob(filepath.Join(s.folder, "documents", "incoming", "*")); err != nil || len(left) > clients {
					t.Errorf("uploads that failed left %d pieces: %v", len(left), err)
				}
			})
		})
	})
	if !servers(t) {
		return
	}
	// The tables have a disk of their own: who needs a page more is refused, and PostgreSQL goes on.
	t.Run("postgres", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			if d := newDisk(t, "220m"); d.forAll() {
				fillPostgres(t, seed, d, filepath.Join(d.folder, "pg"), d.folder+"-wal", http.StatusInsufficientStorage, func(*cluster) { d.fill(d.folder, 16_000) })
			}
		})
	})
	// Its write-ahead log has one: who needs a piece of it more stops PostgreSQL, which recovers and stops again, or ends.
	t.Run("postgres log", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			if d := newDisk(t, "120m"); d.forAll() {
				fillPostgres(t, seed, d, d.folder+"-pg", filepath.Join(d.folder, "wal"), http.StatusServiceUnavailable, func(c *cluster) {
					d.fill(d.folder, 0)
					if c.super("postgres", "SELECT pg_logical_emit_message(false, '', repeat('x', 3000000))") == nil {
						t.Error("PostgreSQL wrote three pieces of its log on a full disk")
					}
				})
			}
		})
	})
}

// fillPostgres fills the disk that holds the folder of a PostgreSQL or that of its write-ahead log.
func fillPostgres(t *testing.T, seed uint64, d *disk, folder, wal string, status int, fill func(*cluster)) {
	c, err := newCluster(folder, wal)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	token, err := c.prepare()
	if err != nil {
		t.Fatal(err)
	}
	s := c.office(t, "small", token)
	p := served(t, s)
	filled(t, s, p, d, seed, status, func() { fill(c) }, func() { eventually(t, 30*time.Second, "PostgreSQL answers", c.answers) })
	if strings.Contains(p.log.text(), "panic") {
		t.Error("the program panicked")
	}
}
