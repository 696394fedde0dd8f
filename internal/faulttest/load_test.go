//go:build linux

package faulttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// request is one wish of a client, repeated under one key until it is answered.
type request struct {
	event, caseID, key string
	path, match, media string
	body               []byte
	status             int
	answer             []byte
	unanswered         int       // times that it was sent and nobody knows what became of it
	last               time.Time // when it was sent for the last time
}

// moved is what the API answers to an event.
type moved struct {
	Case, Event, From, To string
	Revision, Seq         int64
	At                    time.Time
	SHA256                string `json:"sha256"`
}

// held is a case as a client knows it.
type known struct {
	id       string
	mu       sync.Mutex
	revision int64
}

// load is what clients do on a schedule that a seed draws.
type load struct {
	t       testing.TB
	site    *site
	address string
	web     *http.Client
	seed    uint64

	mu       sync.Mutex
	requests []*request
	cases    []*known // of everybody
	done     int      // requests answered
	marks    map[int]chan struct{}
	faults   map[int]int // answers by status, those that say that something is broken
}

func newLoad(t testing.TB, s *site, address string, seed uint64) *load {
	tr := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(tr.CloseIdleConnections)
	return &load{t: t, site: s, address: address, seed: seed, web: &http.Client{Transport: tr, Timeout: 20 * time.Second}, marks: map[int]chan struct{}{}, faults: map[int]int{}}
}

// run lets clients do so many things each, and returns when all were answered.
func (l *load) run(clients, things int) {
	var wait sync.WaitGroup
	for k := range clients {
		wait.Go(func() {
			c := &client{load: l, number: k, rng: rand.New(rand.NewPCG(l.seed, uint64(k)))}
			for i := range things {
				if l.t.Failed() || !c.act(i) {
					return
				}
			}
		})
	}
	wait.Wait()
}

// after returns a channel that closes when so many requests were answered.
func (l *load) after(n int) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done >= n {
		done := make(chan struct{})
		close(done)
		return done
	}
	if l.marks[n] == nil {
		l.marks[n] = make(chan struct{})
	}
	return l.marks[n]
}

func (l *load) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
	if m := l.marks[l.done]; m != nil {
		close(m)
	}
}

type client struct {
	*load
	number int
	rng    *rand.Rand
	own    []*known
}

// act does one thing; false when nobody answered for too long.
func (c *client) act(i int) bool {
	key := fmt.Sprintf("s%d-c%d-%d", c.seed, c.number, i)
	k := c.pick()
	dice := c.rng.IntN(100)
	switch {
	case k == nil || dice < 10:
		return c.open(key)
	case dice < 20:
		return c.attach(key, k)
	case dice < 35:
		until := time.Now().Add(time.Duration(100+c.rng.IntN(500)) * time.Millisecond).UTC().Format(time.RFC3339Nano)
		return c.fire(key, k, "hold", map[string]any{"reason": key, "hour": until})
	}
	return c.fire(key, k, "next", map[string]any{"reason": key})
}

// pick takes a case of its own, or now and then one that another client works on.
func (c *client) pick() *known {
	if c.rng.IntN(4) == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.cases) > 0 {
			return c.cases[c.rng.IntN(min(4, len(c.cases)))]
		}
	}
	if len(c.own) > 0 {
		return c.own[c.rng.IntN(len(c.own))]
	}
	return nil
}

func (c *client) open(key string) bool {
	r := &request{event: "create", key: key, path: "/cases", media: "application/json", body: asJSON(map[string]any{"workflow": "fault", "inputs": map[string]any{"title": key}})}
	if !c.do(r) {
		return false
	}
	if m := c.read(r, http.StatusCreated); m != nil {
		r.caseID = m.Case
		k := &known{id: m.Case, revision: m.Revision}
		c.own = append(c.own, k)
		c.mu.Lock()
		c.cases = append(c.cases, k)
		c.mu.Unlock()
	} else {
		c.t.Errorf("open: %d %s", r.status, r.answer)
	}
	return true
}

func (c *client) fire(key string, k *known, event string, inputs map[string]any) bool {
	k.mu.Lock()
	revision := k.revision
	k.mu.Unlock()
	r := &request{event: event, caseID: k.id, key: key, path: "/cases/" + k.id + "/events", match: strconv.Quote(strconv.FormatInt(revision, 10)),
		media: "application/json", body: asJSON(map[string]any{"event": event, "inputs": inputs})}
	if !c.do(r) {
		return false
	}
	switch r.status {
	case http.StatusOK:
		m := c.read(r, http.StatusOK)
		k.mu.Lock()
		k.revision = max(k.revision, m.Revision)
		k.mu.Unlock()
	case http.StatusConflict, http.StatusPreconditionFailed: // held, or somebody was faster
		return c.look(k)
	default:
		c.t.Errorf("%s: %d %s", event, r.status, r.answer)
	}
	return true
}

func (c *client) attach(key string, k *known) bool {
	r := upload(k.id, key)
	if !c.do(&r) {
		return false
	}
	if r.status != http.StatusCreated {
		c.t.Errorf("attach: %d %s", r.status, r.answer)
	}
	return true
}

// upload is a request for a document that holds its key.
func upload(id, key string) request {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("type", "access_decision") // into memory
	part, _ := form.CreateFormFile("file", key+".txt")
	fmt.Fprintf(part, "atto %s", key)
	_ = form.Close()
	return request{event: "attach", caseID: id, key: key, path: "/cases/" + id + "/documents", media: form.FormDataContentType(), body: b.Bytes()}
}

// look reads what the case is now.
func (c *client) look(k *known) bool {
	r := &request{event: "look", path: "/cases/" + k.id}
	if !c.again(r) {
		return false
	}
	var seen struct{ Revision int64 }
	if err := json.Unmarshal(r.answer, &seen); err != nil || r.status != http.StatusOK {
		c.t.Errorf("look: %d %s", r.status, r.answer)
		return true
	}
	k.mu.Lock()
	k.revision = max(k.revision, seen.Revision)
	k.mu.Unlock()
	return true
}

// do sends a request until it is answered, and keeps it for the checker.
func (c *client) do(r *request) bool {
	c.mu.Lock()
	c.requests = append(c.requests, r)
	c.mu.Unlock()
	ok := c.again(r)
	c.answered()
	return ok
}

// patience is how long a client asks again.
const patience = 2 * time.Minute

func (l *load) again(r *request) bool {
	limit := time.After(patience)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		r.last = time.Now()
		status, answer, err := l.send(r)
		if err == nil && status < 500 {
			r.status, r.answer = status, answer
			return true
		}
		r.unanswered++
		select {
		case <-time.After(pause):
		case <-limit:
			l.t.Errorf("%s %s: not answered within %s: %d %s %v", r.event, r.key, patience, status, answer, err)
			return false
		}
	}
}

// send sends it once.
func (l *load) send(r *request) (int, []byte, error) {
	method := http.MethodPost
	if r.body == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, l.address+"/api/v1"+r.path, io.NopCloser(bytes.NewReader(r.body))) // of a kind that the library does not repeat by itself
	if err != nil {
		return 0, nil, err
	}
	req.ContentLength = int64(len(r.body))
	req.Header.Set("Authorization", "Bearer "+l.site.token)
	if r.body != nil {
		req.Header.Set("Content-Type", r.media)
		req.Header.Set("Idempotency-Key", r.key)
	}
	if r.match != "" {
		req.Header.Set("If-Match", r.match)
	}
	res, err := l.web.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 500 {
		l.clear(res, answer)
	}
	return res.StatusCode, answer, err
}

// clear fails unless a fault is told as one, in the format of the API and in words for people.
func (l *load) clear(res *http.Response, answer []byte) {
	l.mu.Lock()
	l.faults[res.StatusCode]++
	l.mu.Unlock()
	var p struct{ Code, Detail string }
	if err := json.Unmarshal(answer, &p); err != nil || res.Header.Get("Content-Type") != "application/problem+json" || p.Detail == "" {
		l.t.Errorf("a fault that is not clear: %d %s", res.StatusCode, answer)
	}
	if res.StatusCode == http.StatusInternalServerError {
		l.t.Errorf("a fault of what the program stands on is told as one of its own: %s", answer)
	}
}

// told counts the answers of a status that says that something is broken.
func (l *load) told(status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.faults[status]
}

// read reads the answer, nil when the status is another.
func (l *load) read(r *request, status int) *moved {
	var m moved
	if r.status != status {
		return nil
	}
	if err := json.Unmarshal(r.answer, &m); err != nil {
		l.t.Errorf("%s: %v in %s", r.key, err, r.answer)
	}
	return &m
}

// repeat sends all that was answered with an effect once more: each has to be answered as before.
func (l *load) repeat() {
	l.t.Helper()
	for _, r := range l.requests {
		if r.status >= 300 {
			continue
		}
		same := *r
		if l.again(&same) && (same.status != r.status || !bytes.Equal(same.answer, r.answer)) {
			l.t.Errorf("%s again: %d %s, before %d %s", r.key, same.status, same.answer, r.status, r.answer)
		}
	}
}

// unanswered counts the attempts of which nobody knew what became.
func (l *load) unanswered() (n int) {
	for _, r := range l.requests {
		n += r.unanswered
	}
	return n
}

func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings
	}
	return b
}

// seeds are those of this run: few in make test, many with SUA_TEST_LONG, one with SUA_TEST_SEED.
func seeds(few, many int) []uint64 {
	if s, err := strconv.ParseUint(os.Getenv("SUA_TEST_SEED"), 10, 64); err == nil {
		return []uint64{s}
	}
	if long() {
		few = many
	}
	out := make([]uint64, few)
	for i := range out {
		out[i] = uint64(i + 1)
	}
	return out
}

// each runs f for each seed, and says how to run one that fails again.
func each(t *testing.T, few, many int, f func(t *testing.T, seed uint64)) {
	t.Helper()
	for _, seed := range seeds(few, many) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: SUA_TEST_SEED=%d go run ./internal/testrun -services-only -- go test ./internal/faulttest -run '%s' -count 20", seed, t.Name())
				}
			}()
			f(t, seed)
		})
	}
}

// long asks for the long series: make check-all.
func long() bool { return os.Getenv("SUA_TEST_LONG") != "" }
