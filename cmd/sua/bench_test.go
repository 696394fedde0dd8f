package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

// BenchmarkTransition measures the whole path of a transition over HTTP on PostgreSQL, 8 clients, against the limit L: the same
// work written by hand for pgbench (testdata/limit), in turns with it.
func BenchmarkTransition(b *testing.B) {
	const limit = "testdata/limit"
	if os.Getenv(storetest.PostgresEnv) == "" {
		b.Fatal("run it with: make bench BENCH=Transition")
	}
	app, super := storetest.PostgresURLs(b)
	l := &limitRun{dsn: super, folder: limit}
	l.prepare(b)
	ring := startRing(b, app, 2000)
	const clients, rounds, span = 8, 6, 4 * time.Second
	ring.run(clients, time.Second)
	l.run(b, clients, 1)
	var ratios []float64
	for range rounds {
		limitRate := l.run(b, clients, int(span.Seconds()))
		rate := ring.run(clients, span)
		ratios = append(ratios, rate/limitRate)
		b.Logf("limit %.0f/s  product %.0f/s  ratio %.2f", limitRate, rate, rate/limitRate)
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio/L")
	b.ReportMetric(float64(ring.trips.Load()), "trips-max")
	b.ReportMetric(0, "ns/op")
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

func (l *limitRun) run(b *testing.B, clients, seconds int) float64 {
	b.Helper()
	out, err := exec.Command("pgbench", l.dsn, "-n", "-M", "prepared", "-f", filepath.Join(l.folder, "opa_naive.sql"), "-D", "n=100000",
		"-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds)).CombinedOutput()
	if err != nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	rate, err := strconv.ParseFloat(string(tps.FindSubmatch(out)[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
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
	cfg.RateLimit.PerMinute, cfg.Log.Level = 0, "error"
	calmCollector(b.Context())
	r := &ring{}
	p := &program{cfg: cfg, log: newLog(cfg.Log)}
	var err error
	if p.db, err = store.Open(b.Context(), store.Options{URL: url, MaxConns: 8, Committed: func(trips int) {
		if int64(trips) > r.trips.Load() {
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

// run fires for a while from several clients, each on cases of its own, and returns transitions a second.
func (r *ring) run(clients int, span time.Duration) float64 {
	var total atomic.Int64
	var wait sync.WaitGroup
	start := time.Now()
	for k := range clients {
		wait.Go(func() {
			mine := r.cases[k*len(r.cases)/clients : (k+1)*len(r.cases)/clients]
			total.Add(r.client(mine, start.Add(span)))
		})
	}
	wait.Wait()
	return float64(total.Load()) / time.Since(start).Seconds()
}

// client speaks plain HTTP/1.1 on one connection: a full client library would eat the processor that is being measured.
func (r *ring) client(cases []ringCase, until time.Time) (done int64) {
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	const body = `{"event":"next","inputs":{"reason":"all bids opened in the presence of the committee"}}`
	for i := 0; time.Now().Before(until); i++ {
		c := &cases[i%len(cases)]
		fmt.Fprintf(conn, "POST /api/v1/cases/%s/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nIf-Match: \"%d\"\r\nContent-Length: %d\r\n\r\n%s",
			c.id, r.token, c.revision, len(body), body)
		answer := readAnswer(in)
		var moved struct{ Revision int64 }
		if err := json.Unmarshal(answer, &moved); err != nil || moved.Revision == 0 {
			panic(fmt.Sprintf("answer: %s", answer))
		}
		c.revision = moved.Revision
		done++
	}
	return done
}

func readAnswer(in *bufio.Reader) []byte {
	length := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			panic(err)
		}
		if line == "\r\n" {
			break
		}
		if v, ok := strings.CutPrefix(strings.ToLower(line), "content-length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(in, b); err != nil {
		panic(err)
	}
	return b
}
