package audit

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// chain builds n linked events of one tree, one second apart.
func chain(t *testing.T, n int) []Sealed {
	t.Helper()
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	var out []Sealed
	var prev []byte
	for i := range n {
		h := Header{Root: "r", Seq: int64(i + 1), Case: "c", Event: "e", At: at.Add(time.Duration(i) * time.Second), Effective: at, Actor: "p1"}
		s, err := Seal(h, Parts{Open: NewPart([]byte(`{"x":1}`)), Secret: NewPart([]byte("s"))}, prev)
		if err != nil {
			t.Fatal(err)
		}
		out, prev = append(out, s), s.Hash
	}
	return out
}

func verify(events []Sealed) error {
	var c Chain
	for _, e := range events {
		if _, err := c.Add(e); err != nil {
			return err
		}
	}
	return nil
}

func TestChainHolds(t *testing.T) {
	events := chain(t, 5)
	if err := verify(events); err != nil {
		t.Fatal(err)
	}
	var c Chain
	for _, e := range events {
		_, _ = c.Add(e)
	}
	if err := c.Ends(5, events[4].Hash); err != nil {
		t.Errorf("Ends = %v", err)
	}
	if err := c.Ends(6, events[4].Hash); err == nil {
		t.Error("a cut tail was not noticed")
	}
}

func TestErasedPartStillVerifies(t *testing.T) {
	events := chain(t, 3)
	events[1].Parts.Secret = Part{}
	if err := verify(events); err != nil {
		t.Fatalf("an erased part broke the chain: %v", err)
	}
}

func TestTamperingIsNamed(t *testing.T) {
	cases := map[string]struct {
		do   func(e []Sealed) []Sealed
		seq  int64
		want string
	}{
		"edited header": {func(e []Sealed) []Sealed {
			e[2].Header = []byte(strings.Replace(string(e[2].Header), `"p1"`, `"p2"`, 1))
			return e
		}, 3, "differs from its hash"},
		"deleted":           {func(e []Sealed) []Sealed { return append(e[:1:1], e[2:]...) }, 2, "expected number 2"},
		"reordered":         {func(e []Sealed) []Sealed { e[1], e[2] = e[2], e[1]; return e }, 2, "expected number 2"},
		"edited part":       {func(e []Sealed) []Sealed { e[3].Parts.Open.Body = []byte(`{"x":2}`); return e }, 4, "open part"},
		"body without salt": {func(e []Sealed) []Sealed { e[3].Parts.Open = Part{Body: []byte(`{"x":2}`)}; return e }, 4, "open part"},
		"part out of nothing": {func(e []Sealed) []Sealed {
			e[3].Parts.Personal = Part{Body: []byte(`{"x":2}`)}
			return e
		}, 4, "personal part"},
		"replaced with a consistent header": {func(e []Sealed) []Sealed {
			s, _ := Seal(Header{Root: "r", Seq: 2, Case: "c", Event: "other", At: e[4].mustAt(), Effective: e[4].mustAt()}, Parts{}, e[0].Hash)
			e[1] = s
			return e
		}, 3, "does not link"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := verify(c.do(chain(t, 5)))
			var b Broken
			if !errors.As(err, &b) || b.Seq != c.seq || !strings.Contains(b.Reason, c.want) {
				t.Fatalf("verify = %v, want event %d: …%s…", err, c.seq, c.want)
			}
		})
	}
}

func (s Sealed) mustAt() time.Time {
	h, err := Parse(s.Header)
	if err != nil {
		panic(err)
	}
	return h.At.Add(-3 * time.Second)
}
