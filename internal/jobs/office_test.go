package jobs

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
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
	"github.com/province-comuni/sua/internal/store/storetest"
)

// timed is a workflow with one deadline until an instant that the opening event says. Its event has one notice.
const timed = `
workflow: waiting
version: 1
case: waiting
label: {it: Attesa, en: Waiting}
start: asked
stages: {all: {label: {it: Tutto, en: All}}}
fields: {hour: {type: instant, label: {it: Ora, en: Hour}}}
states:
  asked:   {stage: all, label: {it: Chiesto, en: Asked}}
  granted: {stage: all, final: granted, label: {it: Concesso, en: Granted}}
deadlines:
  answer: {label: {it: Risposta, en: Answer}, law: art. 62 c. 10, until: hour, while: [asked], at_expiry: {fire: grant}}
events:
  ask:   {opens: true, label: {it: Chiedi, en: Ask}, by: [rup], to: asked, input: {hour: {field: hour}}, then: [{start: answer}]}
  grant: {label: {it: Concedi, en: Grant}, by: [system], from: [asked], to: granted, then: [{notify: tacit_consent, to: [rup]}]}
`

// ask opens a case whose deadline is over at an instant.
func ask(t testing.TB, e *engine.Engine, rup auth.Actor, until time.Time) string {
	t.Helper()
	m, err := e.Open(t.Context(), rup, engine.Open{Workflow: "waiting", Inputs: map[string]any{"hour": until.UTC().Format(time.RFC3339Nano)}})
	if err != nil {
		t.Fatal(err)
	}
	return m.Case
}

// once fails unless the case was granted exactly once, not before its hour, in a whole chain; it returns how late.
func once(t testing.TB, e *engine.Engine, id string, until time.Time) time.Duration {
	t.Helper()
	h, err := e.History(t.Context(), auth.System("test"), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Verified || len(h.Items) != 2 || h.Items[1].Event != "grant" || h.Items[1].Seq != 2 {
		t.Fatalf("case %s: verified %v, %d events", id, h.Verified, len(h.Items))
	}
	late := h.Items[1].At.Sub(until)
	if late < 0 {
		t.Errorf("case %s: applied %s early", id, -late)
	}
	return late
}

// eventually waits for something to become true.
func eventually(t testing.TB, within time.Duration, what string, done func() bool) {
	t.Helper()
	limit := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-limit:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}

// waitingIn counts the deadlines of a database that have not been applied, whenever they are due.
func waitingIn(t testing.TB, db *store.DB) int {
	t.Helper()
	n, _, err := db.Overdue(t.Context(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// long makes the long series of a test instead of the short one: make check-all.
func long(short, series int) int {
	if os.Getenv("SUA_TEST_LONG") != "" {
		return series
	}
	return short
}

// begun starts a worker that ends with the test.
func begun(t testing.TB, cfg Config) *Worker {
	t.Helper()
	w, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	return w
}

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

// byHand runs a statement on a PostgreSQL database as its superuser.
func byHand(t testing.TB, address, statement string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	super, err := url.Parse(os.Getenv(storetest.PostgresEnv))
	if err != nil {
		t.Fatal(err)
	}
	super.Path = u.Path
	out, err := exec.Command("psql", super.String(), "-q", "-v", "ON_ERROR_STOP=1", "-c", statement).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
