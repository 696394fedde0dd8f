//go:build linux

package faulttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// cutter is a toxic of ours: each connection that it stands in ends after a number of bytes that is drawn when it begins, in the
// middle of a message as it comes. toxiproxy's own limit_data has one number for all connections.
type cutter struct {
	cut  *cut
	most int // bytes: fewer come from PostgreSQL than go to it, and an answer that is cut short is the worse news
}

// cut is what the cutters of a proxy share. It is reached over a registry, because toxics are made from JSON.
type cut struct {
	mu     sync.Mutex
	rng    *rand.Rand
	calm   bool
	storms int
	n      int // connections cut
}

// budget is how many more bytes a connection lives; fewer than nothing: it is left alone. It is drawn at its beginning, and again
// when the calm is over.
func (c *cut) budget(most int, left, drawn *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.calm:
		return -1
	case *drawn == c.storms:
	case c.rng.IntN(4) == 0:
		*left = -1
	default:
		*left = 100 + c.rng.IntN(most)
	}
	*drawn = c.storms
	return *left
}

func (c *cut) set(calm bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calm = calm; !calm {
		c.storms++
	}
}

// Pipe hands on what comes until the budget is spent.
func (k *cutter) Pipe(stub *toxics.ToxicStub) {
	left, drawn := -1, 0
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			if now := k.cut.budget(k.most, &left, &drawn); now < 0 || len(chunk.Data) < now {
				left -= min(len(chunk.Data), max(now, 0))
				stub.Output <- chunk
				continue
			}
			k.cut.mu.Lock()
			k.cut.n++
			k.cut.mu.Unlock()
			if left > 0 {
				stub.Output <- &stream.StreamChunk{Data: chunk.Data[:left], Timestamp: chunk.Timestamp}
			}
			stub.Close()
			return
		}
	}
}

// line starts a proxy before a port of this machine whose connections break in both directions.
func line(t *testing.T, upstream int, seed uint64) (port string, c *cut) {
	t.Helper()
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "postgres", "127.0.0.1:0", net.JoinHostPort("127.0.0.1", strconv.Itoa(upstream)))
	c = &cut{calm: true, rng: rand.New(rand.NewPCG(seed, 7))}
	toxics.Register("cutter", &cutter{}) // a name to ask for; what it makes is told its proxy below
	for direction, most := range map[string]int{"upstream": 40_000, "downstream": 3000} {
		w, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name": %q, "type": "cutter", "stream": %q}`, direction, direction)))
		if err != nil {
			t.Fatal(err)
		}
		cutter := w.Toxic.(*cutter)
		cutter.cut, cutter.most = c, most
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	_, port, err := net.SplitHostPort(p.Listen)
	if err != nil {
		t.Fatal(err)
	}
	return port, c
}

// Connections to PostgreSQL break after some bytes, in the middle of what is written, of COMMIT and of its answer.
func TestConnectionsCut(t *testing.T) {
	if !servers(t) {
		return
	}
	each(t, 2, 100, func(t *testing.T, seed uint64) {
		s := postgresOffice(t, "cut")
		port, c := line(t, place.cluster.port, seed)
		s.url = strings.Replace(s.url, strconv.Itoa(place.cluster.port), port, 1)
		p := served(t, s)
		c.set(false)
		l := newLoad(t, s, p.address(), seed)
		l.run(clients, things)
		c.set(true)
		l.judge()
		if c.n == 0 {
			t.Error("no connection was cut")
		}
		t.Logf("%d requests, %d connections cut, %d attempts without an answer, %d of the requests had had their effect", len(l.requests), c.n, l.unanswered(), l.unheard())
	})
}

// unheard counts the requests that had their effect in an attempt whose answer never came: the event is older than the last
// attempt.
func (l *load) unheard() (n int) {
	for _, r := range l.requests {
		if m := l.read(r, 200); m != nil && r.unanswered > 0 && m.At.Before(r.last) {
			n++
		}
	}
	return n
}
