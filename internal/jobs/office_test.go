package jobs

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// office is an engine with one workflow, a SUA, a Comune and its RUP.
func office(t testing.TB, db *store.DB, workflow string) (*engine.Engine, auth.Actor) {
	t.Helper()
	e := engineOn(t, db, workflow)
	for _, b := range []store.Body{{ID: "sua", Name: "Provincia", Kind: "provincia", TaxCode: "00000000026"}, {ID: "comune", Name: "Comune", Kind: "comune", TaxCode: "00000000018"}} {
		if _, err := e.SaveBody(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.SaveAgreement(t.Context(), store.Agreement{ID: "a", MemberBody: "comune", SUA: "sua", ValidFrom: "2020-01-01"}); err != nil {
		t.Fatal(err)
	}
	return e, auth.Actor{ID: "rup", Memberships: []auth.Membership{{Body: "comune", Role: "rup"}}}
}

func engineOn(t testing.TB, db *store.DB, workflow string) *engine.Engine {
	t.Helper()
	cfg, err := engine.Shipped(nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Sources, err = flow.Sources(fstest.MapFS{"waiting.v1.yaml": {Data: []byte(workflow)}}); err != nil {
		t.Fatal(err)
	}
	cfg.DB = db
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// opened is the database at an address, waiting for the disk as in use; SQLite's is made there.
func opened(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	if strings.HasPrefix(o.URL, "sqlite:") {
		if err := store.Migrate(t.Context(), o.URL); err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverTime is the processor time of the PostgreSQL processes that serve a database, where the system tells it.
func serverTime(t testing.TB, database string) time.Duration {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	mine := []byte("postgres: sua_app " + strings.TrimPrefix(u.Path, "/") + " ")
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	for _, p := range processes {
		title, err := os.ReadFile(p)
		if err != nil || !bytes.HasPrefix(title, mine) {
			continue // gone meanwhile, or another program
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(p), "stat"))
		if err != nil {
			continue
		}
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, ticks := range f[11:13] { // user and system time, in hundredths of a second
			n, err := strconv.Atoi(ticks)
			if err != nil {
				t.Fatal(err)
			}
			total += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return total
}
