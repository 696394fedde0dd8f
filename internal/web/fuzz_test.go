package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
)

// FuzzAddress: whatever stands in the address of a list becomes a question, and the address of that question asks the same again:
// people send each other addresses.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"testo=scuola&ordine=-amount&dopo=eyJz&collegate=si", "entro=31/12/2026&quali=tutte", "entro=2026-02-30&quali=mie", "entro=1/1/0000", "ordine=--title&flusso=lot&stato=x",
		"quali=mie&stato=scadute&entro=7", "a=%zz;&testo=%00%ff", "testo=+a+&entro=+1/2/2026+",
	} {
		f.Add(s, "2026-03-29T02:30")
	}
	f.Add("", "2026-10-25T02:30:59")
	f.Fuzz(func(t *testing.T, raw, instant string) {
		v, _ := url.ParseQuery(raw) // as the server does: what can be read of it
		q := readQuery(v)
		if back := readQuery(parametersOf(t, q.address())); back != q {
			t.Errorf("%q asks for %+v, and its address for %+v", raw, q, back)
		}
		if filter, err := q.filter(); err == nil && q.Due != "" {
			if day := calendar.DateOf(filter.DueBefore); !day.Valid() {
				t.Errorf("%q is the day %v", q.Due, day)
			}
		}
		_ = q.columns()
		terms := readDeadlineAsk(v)
		if back := readDeadlineAsk(parametersOf(t, terms.address())); back != terms {
			t.Errorf("%q asks for the terms %+v, and its address for %+v", raw, terms, back)
		}
		_ = terms.query()
		_, _ = parseLocal(instant)
	})
}

// parametersOf are the parameters of an address.
func parametersOf(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("the address %q is none: %v", address, err)
	}
	return u.Query()
}

// FuzzForm: whatever comes back of a form, each answer that must be given is read or is said to be wrong where it stood.
func FuzzForm(f *testing.F) {
	f.Add(filled().Encode(), "/inputs/decisions/0/reason", false)
	f.Add("i.amount=1.234,5&i.bid.received=2026-02-30T25:00&i.decisions.2=si", "/inputs/bid/operator", true)
	f.Add("i.bids_due=2026-03-29T02:30&i.lots=99999999999999999999&i.urgent=%00&i.criterion=x", "/inputs/decisions/-1/row", true)
	f.Add("", "inputs//", false)
	f.Fuzz(func(t *testing.T, raw, pointer string, optional bool) {
		typed, _ := url.ParseQuery(raw)
		inputs := every()
		for i := range inputs {
			inputs[i].Optional = optional
		}
		g := readForm(inputs, bids(), typed, map[string]string{})
		for _, in := range inputs {
			_, read := g.Inputs[in.ID]
			at := "i." + in.ID
			wrong := g.Faults[at] != ""
			for name := range g.Faults {
				wrong = wrong || strings.HasPrefix(name, at+".")
			}
			if !optional && !read && !wrong {
				t.Errorf("%q: %s is neither read nor wrong", raw, in.ID)
			}
			if in.Kind == flow.InputValue && read && wrong {
				t.Errorf("%q: %s is read and wrong", raw, in.ID)
			}
		}
		_ = g.place(pointer)
	})
}
