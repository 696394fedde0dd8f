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

// filled lets clients work, fills the disk under them, waits until they have been told so a few times, and gives the space back.
func filled(t *testing.T, s *site, p *server, d *disk, seed uint64, leave int64, back func()) {
	l := newLoad(t, s, p.address(), seed)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(clients, things)
	}()
	<-l.after(clients)
	d.fill(d.seen(p), leave)
	eventually(t, 30*time.Second, "somebody is told that the disk is full", func() bool { return l.told(http.StatusInsufficientStorage) >= 3 })
	d.free()
	back()
	<-done
	l.judge()
	t.Logf("%d requests, %d attempts without an answer, by status %v", len(l.requests), l.unanswered(), l.faults)
	if p.log.says(`"status":507`) == 0 {
		t.Error("the log does not say it")
	}
}

// The disk of the database is full: 507, nothing done by halves, and all goes on when there is room again.
func TestDiskFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			d := newDisk(t, "48m")
			if d == nil || d.prefix != nil { // SQLite finds no file through /proc
				t.Log("not tested: only root can give the database a small disk")
				return
			}
			s := sqliteOffice(t, d.folder)
			s.folder = t.TempDir()
			p := served(t, s)
			filled(t, s, p, d, seed, 40_000, func() {})
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
			filled(t, s, p, d, seed, 0, func() {
				if left, err := filepath.Glob(filepath.Join(s.folder, "documents", "incoming", "*")); err != nil || len(left) > clients {
					t.Errorf("uploads that failed left %d pieces: %v", len(left), err)
				}
			})
		})
	})
	if !servers(t) {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		each(t, 1, 10, func(t *testing.T, seed uint64) {
			d := newDisk(t, "220m")
			if d == nil || d.prefix != nil {
				t.Log("not tested: only root can give PostgreSQL a small disk")
				return
			}
			c, err := newCluster(filepath.Join(d.folder, "pg"))
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
			filled(t, s, p, d, seed, 16_000, func() {
				select {
				case <-c.done: // it ends by itself when it cannot even recover; whoever keeps it starts it again
					if err := c.start(); err != nil {
						t.Error(err)
					}
				default:
				}
			})
			if strings.Contains(p.log.text(), "panic") {
				t.Error("the program panicked")
			}
		})
	})
}
