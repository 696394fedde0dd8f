package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/store"
	"github.com/province-comuni/sua/internal/store/storetest"
)

// cycle is one transition with an input and two notices, as the hand-written limit has: four states in a ring.
const cycle = `
workflow: cycle
version: 1
case: cycle
label: {it: Giro, en: Cycle}
start: draft
stages: {all: {label: {it: Tutto, en: All}}}
fields: {title: {type: text, label: {it: Oggetto, en: Subject}}}
states:
  draft:      {stage: all, label: {it: Bozza, en: Draft}}
  published:  {stage: all, label: {it: Pubblicata, en: Published}}
  evaluation: {stage: all, label: {it: Valutazione, en: Evaluation}}
  award:      {stage: all, label: {it: Aggiudicazione, en: Award}}
  closed:     {stage: all, final: closed, label: {it: Chiusa, en: Closed}}
events:
  create: {opens: true, label: {it: Crea, en: Create}, by: [rup], to: draft, input: {title: {field: title}}}
  next:
    label: {it: Avanti, en: Next}
    by: [rup]
    input: {reason: {type: text, label: {it: Motivo, en: Reason}}}
    moves: [{from: [draft], to: published}, {from: [published], to: evaluation}, {from: [evaluation], to: award}, {from: [award], to: draft}]
    then: [{notify: state_changed, to: [sua_clerk, sua_director]}, {notify: bid_opening, to: [sua_clerk]}]
  close: {label: {it: Chiudi, en: Close}, by: [rup], from: [award], to: closed}
`

// BenchmarkTransition measures the whole path of a transition over HTTP against the limit L: the same work written by hand for
// pgbench on PostgreSQL (testdata/limit), in turns with it. SQLite, which waits for the disk too, is held against the same limit.
func BenchmarkTransition(b *testing.B) {
	if os.Getenv(storetest.PostgresEnv) == "" {
		b.Fatal("run it with: make bench BENCH=Transition")
	}
	for _, x := range []struct {
		name    string
		clients int
	}{{"postgres", 8}, {"postgres", 32}, {"sqlite", 8}} {
		b.Run(fmt.Sprintf("%s/%d", x.name, x.clients), func(b *testing.B) {
			app, super := storetest.PostgresURLs(b)
			l := &limitRun{dsn: super, folder: "testdata/limit"}
			l.prepare(b)
			if x.name == "sqlite" {
				app = "sqlite:" + filepath.Join(b.TempDir(), "ring.db")
			}
			compare(b, l, startRing(b, app, 2000), x.clients)
		})
	}
}

// compare runs limit and product in turns and reports the median of the ratios of their rates and of their slowest hundredth.
func compare(b *testing.B, l *limitRun, ring *ring, clients int) {
	b.Helper()
	const rounds, span = 6, 4 * time.Second
	ring.warm(clients)
	l.run(b, clients, 1)
	var rates, tails []float64
	for range rounds {
		limit := l.run(b, clients, int(span.Seconds()))
		product := ring.run(clients, span)
		rates, tails = append(rates, product.rate/limit.rate), append(tails, product.p99.Seconds()/limit.p99.Seconds())
		b.Logf("limit %.0f/s p99 %s  product %.0f/s p99 %s  ratio %.2f", limit.rate, limit.p99, product.rate, product.p99, product.rate/limit.rate)
	}
	sort.Float64s(rates)
	sort.Float64s(tails)
	b.ReportMetric(rates[len(rates)/2], "ratio/L")
	b.ReportMetric(tails[len(tails)/2], "p99-ratio")
	b.ReportMetric(float64(ring.trips.Load()), "trips-max")
	b.ReportMetric(0, "ns/op")
}

// pace is what a run reached: transitions a second, and the time below which 99 of 100 stayed.
type pace struct {
	rate float64
	p99  time.Duration
}

func paceOf(times []time.Duration, took time.Duration) pace {
	slices.Sort(times)
	return pace{rate: float64(len(times)) / took.Seconds(), p99: times[len(times)*99/100]}
}

// limitRun is pgbench over the hand-written transition.
type limitRun struct{ dsn, folder string }

func (l *limitRun) prepare(b *testing.B) {
	b.Helper()
	if out, err := exec.Command("psql", l.dsn, "-q", "-v", "n=100000", "-f", filepath.Join(l.folder, "schema.sql")).CombinedOutput(); err != nil {
		b.Fatalf("psql: %v\n%s", err, out)
	}
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

func (l *limitRun) run(b *testing.B, clients, seconds int) pace {
	b.Helper()
	logs := filepath.Join(b.TempDir(), "t")
	out, err := exec.Command("pgbench", l.dsn, "-n", "-M", "prepared", "-f", filepath.Join(l.folder, "opa_naive.sql"), "-D", "n=100000",
		"-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds), "-l", "--log-prefix", logs).CombinedOutput()
	if err != nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	rate, err := strconv.ParseFloat(string(tps.FindSubmatch(out)[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	p := paceOf(logged(b, logs), time.Second)
	p.rate = rate
	return p
}

// logged reads the times of transactions out of pgbench's logs, one line each: client, number, microseconds …
func logged(b *testing.B, prefix string) (times []time.Duration) {
	b.Helper()
	files, err := filepath.Glob(prefix + "*")
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			us, err := strconv.ParseInt(strings.Fields(line)[2], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Duration(us)*time.Microsecond)
		}
	}
	return times
}

// ring is the real server with cases that go round.
type ring struct {
	address, token string
	cases          []ringCase
	trips          atomic.Int64
}

type ringCase struct {
	id       string
	revision int64
}

// startRing serves on a free port, as `sua serve` would, a database with n cases of the workflow cycle.
func startRing(b *testing.B, url string, n int) *ring {
	b.Helper()
	folder := b.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "cycle.v1.yaml"), []byte(cycle), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg := config.Default()
	cfg.Database.URL, cfg.Database.OwnerURL, cfg.Workflows.Folder, cfg.Documents.Folder = url, url, folder, filepath.Join(folder, "documents")
	cfg.Mail.Folder, cfg.Merkle.Key = filepath.Join(folder, "mail"), filepath.Join(folder, "log.key")
	cfg.RateLimit.PerMinute, cfg.Log.Level = 0, "error"
	calmCollector(b.Context())
	r := &ring{}
	p := &program{cfg: cfg, log: newLog(cfg.Log)}
	err := store.Migrate(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	if p.db, err = store.Open(b.Context(), store.Options{URL: url, Now: clockFor(url), MaxConns: 8, Committed: func(trips int, root string) {
		if root != "" && int64(trips) > r.trips.Load() {
			r.trips.Store(int64(trips))
		}
	}}); err != nil {
		b.Fatal(err)
	}
	if err := p.buildEngine(b.Context()); err != nil {
		b.Fatal(err)
	}
	server, err := p.server()
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.run(ctx, server, l) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		p.close()
	})
	r.address = l.Addr().String()
	r.fill(b, p.engine, n)
	return r
}

func (r *ring) fill(b *testing.B, e *engine.Engine, n int) {
	b.Helper()
	ctx := b.Context()
	must := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	for _, x := range []store.Body{{ID: "sua", Kind: "provincia", Name: "Provincia", TaxCode: "00000000026"}, {ID: "comune", Kind: "comune", Name: "Comune", TaxCode: "00000000018"}} {
		_, err := e.SaveBody(ctx, x)
		must(err)
	}
	must(e.SaveAgreement(ctx, store.Agreement{ID: "a", MemberBody: "comune", SUA: "sua", ValidFrom: "2020-01-01", Acts: map[string]string{}}))
	must(e.SavePerson(ctx, store.Person{ID: "rup", Name: "RUP", Demo: 1}, []auth.Membership{{Body: "comune", Role: "rup"}}))
	who, err := e.ActorByID(ctx, "rup")
	must(err)
	r.token, err = e.SignInDemo(ctx, "rup")
	must(err)
	for i := range n {
		m, err := e.Open(ctx, who, engine.Open{Workflow: "cycle", Inputs: map[string]any{"title": fmt.Sprintf("Giro %d", i)}})
		must(err)
		r.cases = append(r.cases, ringCase{m.Case, m.Revision})
	}
}

// warm moves each case once: what is measured is a server that has seen its cases.
func (r *ring) warm(clients int) {
	r.fire(clients, func(moved int) bool { return moved < len(r.cases)/clients })
}

// run fires for a while.
func (r *ring) run(clients int, span time.Duration) pace {
	until := time.Now().Add(span)
	return r.fire(clients, func(int) bool { return time.Now().Before(until) })
}

// fire moves cases from several clients, each those of its own, as long as more says so of how many a client has moved.
func (r *ring) fire(clients int, more func(moved int) bool) pace {
	var mu sync.Mutex
	var times []time.Duration
	var wait sync.WaitGroup
	start := time.Now()
	for k := range clients {
		wait.Go(func() {
			mine := r.cases[k*len(r.cases)/clients : (k+1)*len(r.cases)/clients]
			own := r.client(mine, more)
			mu.Lock()
			defer mu.Unlock()
			times = append(times, own...)
		})
	}
	wait.Wait()
	return paceOf(times, time.Since(start))
}

// client speaks plain HTTP/1.1 on one connection: a full client library would eat the processor that is being measured. It
// returns how long each transition took.
func (r *ring) client(cases []ringCase, more func(moved int) bool) (times []time.Duration) {
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 1<<16)
	const body = `{"event":"next","inputs":{"reason":"all bids opened in the presence of the committee"}}`
	var out []byte
	for i, start := 0, time.Now(); more(i); i++ {
		c := &cases[i%len(cases)]
		out = fmt.Appendf(out[:0], "POST /api/v1/cases/%s/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIf-Match: \"%d\"\r\nContent-Length: %d\r\n\r\n%s",
			c.id, r.token, c.revision, len(body), body)
		if _, err := conn.Write(out); err != nil {
			panic(err)
		}
		c.revision = revisionIn(in)
		now := time.Now()
		times = append(times, now.Sub(start))
		start = now
	}
	return times
}

// revisionIn reads an answer, whose ETag is the new revision. Only a transition that was made has one.
func revisionIn(in *bufio.Reader) (revision int64) {
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			panic(err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			length, _ = strconv.Atoi(string(value))
		case "Etag":
			revision, _ = strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 64)
		}
	}
	answer, err := in.Peek(length)
	if err != nil || revision == 0 {
		panic(fmt.Sprintf("answer: %s (%v)", answer, err))
	}
	_, _ = in.Discard(length) // it is there
	return revision
}
