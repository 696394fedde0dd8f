// Package sim plays what nobody wrote down: people of every role, and some who have none, who do random things to cases of the
// workflows, with right and wrong inputs, at random times, with terms that are applied late, requests repeated, connections that break
// between two writes, and several people at once. After each step what is stored must agree with its history and with what the
// definitions promise (check.go). A walk comes from a seed; one that finds a fault is shrunk and becomes a scenario, which package play
// plays again. It knows the workflows only by their definitions: it serves a workflow written tomorrow too.
package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
)

// Stage is an empty stage with its database, and how to leave it.
type Stage struct {
	play.Config
	DB    *store.DB
	Close func() error
}

// Config says what is walked.
type Config struct {
	// Open makes an empty stage whose database asks broken where to break (store.Options.Broken).
	Open func(ctx context.Context, broken func() bool) (Stage, error)
	// Workflow is the id of the one whose cases are opened; empty: any, the larger ones more often.
	Workflow string
	Steps    int // of a walk, at least; 0 is 240
	// Preludes are texts of scenarios. Four walks of five begin with the first lines of one, or all, so that they go on from where it
	// leads; what a prelude walks does not count as walked. What they type for an event is also what a walker types for it now and then.
	Preludes []string
	// Together lets several people act at the same time now and then. What comes of it is not the same each time.
	Together bool
}

// Deed is a step of a walk: a line of a scenario, or at most so many messages of the outbox made into notices; and where in it the
// connection broke: before that statement, from 1; 0: it held. Of a line that moves the clock the statements are those that apply terms.
type Deed struct {
	Line  string
	Relay int
	Cut   int
}

// place is where the connection breaks.
func (d Deed) place() place {
	switch {
	case d.Relay > 0:
		return relay
	case strings.HasPrefix(d.Line, "clock "):
		return sweep
	}
	return request
}

// Fault is something that must not be.
type Fault struct {
	Rule string // a short name: a walk is shrunk as long as the same rule is broken
	Text string
}

func (f *Fault) Error() string { return f.Rule + ": " + f.Text }

// fault makes one.
func fault(rule, format string, args ...any) *Fault {
	return &Fault{rule, fmt.Sprintf(format, args...)}
}

// Result is one walk.
type Result struct {
	Seed     uint64
	Workflow string
	Deeds    []Deed
	Walked   play.Walked    // transitions, those of a prelude left out
	Outcomes map[string]int // first word of the outcome → how often; "broken", "sweep broken", "relay broken" for the connection
	Fault    *Fault         // nil: nothing was found
	// Shrunk are the deeds that are left when those that the fault does not need are taken away; nil when it did not come again.
	Shrunk []Deed
	Trace  string // of the walk, or of the shrunk one
}

// Walk walks one seed. The error is for a stage that cannot be made; a fault that is found stands in the result, shrunk.
func Walk(ctx context.Context, cfg Config, seed uint64) (Result, error) {
	w, done, err := begin(ctx, cfg, seed)
	if err != nil {
		return Result{}, err
	}
	if w.walk(ctx); ctx.Err() != nil {
		return Result{}, errors.Join(ctx.Err(), done())
	}
	out := Result{Seed: seed, Workflow: w.workflow, Deeds: w.deeds, Walked: w.walked(), Outcomes: w.outcomes, Fault: w.fault, Trace: w.s.Trace()}
	if err := done(); err != nil {
		return out, err
	}
	if out.Fault != nil {
		return out, shrink(ctx, cfg, &out)
	}
	return out, nil
}

// Scenario writes the walk, shrunk where it could be, as a scenario for `sua workflow play`.
func (r Result) Scenario() string {
	deeds := r.Shrunk
	var b strings.Builder
	if r.Fault != nil {
		fmt.Fprintf(&b, "# %s\n", strings.ReplaceAll(r.Fault.Error(), "\n", "\n# "))
	}
	fmt.Fprintf(&b, "# seed %d\n", r.Seed)
	if deeds == nil {
		deeds = r.Deeds
	}
	fmt.Fprintf(&b, "workflow %s\n", r.Workflow)
	for _, d := range deeds {
		switch {
		case d.Relay > 0:
			fmt.Fprintf(&b, "# of the outbox %d messages are made into notices; the connection breaks before statement %d (0: it holds)\n", d.Relay, d.Cut)
			continue
		case d.Cut > 0 && d.place() == sweep:
			fmt.Fprintf(&b, "# the connection breaks before statement %d of those that apply the terms; they are applied again\n", d.Cut)
		case d.Cut > 0:
			fmt.Fprintf(&b, "# the connection breaks before statement %d of this line; it is asked again with the same key\n", d.Cut)
		}
		b.WriteString(d.Line + "\n")
	}
	return b.String()
}

// replayed walks the deeds of another walk again, with the same checks, and returns the fault met.
func replayed(ctx context.Context, cfg Config, workflow string, deeds []Deed) (*Fault, string, error) {
	w, done, err := begin(ctx, cfg, 0)
	if err != nil {
		return nil, "", err
	}
	w.thorough = true
	if w.s, err = play.Begin(ctx, w.stage.Config, workflow); err != nil {
		return nil, "", errors.Join(err, done())
	}
	w.listen()
	for _, d := range deeds {
		if w.again(ctx, d); w.fault != nil {
			break
		}
	}
	if w.fault == nil {
		w.checkAll(ctx)
	}
	return w.fault, w.s.Trace(), done()
}

// shrinkings bounds how often a walk is walked again.
const shrinkings = 40

// shrink takes away deeds, in ever smaller pieces, as long as the same rule is broken.
func shrink(ctx context.Context, cfg Config, r *Result) error {
	rule, left := r.Fault.Rule, shrinkings
	fails := func(deeds []Deed) (bool, error) {
		left--
		f, trace, err := replayed(ctx, cfg, r.Workflow, deeds)
		if err != nil || f == nil || f.Rule != rule {
			return false, err
		}
		r.Shrunk, r.Fault, r.Trace = deeds, f, trace
		return true, nil
	}
	if same, err := fails(r.Deeds); err != nil || !same {
		return err
	}
	for size := len(r.Shrunk) / 2; size > 0 && left > 0; size /= 2 {
		for from := 0; from < len(r.Shrunk) && left > 0; {
			fewer := slices.Concat(r.Shrunk[:from], r.Shrunk[min(from+size, len(r.Shrunk)):])
			same, err := fails(fewer)
			if err != nil {
				return err
			}
			if !same {
				from += size
			}
		}
	}
	return nil
}

// Transitions are the moves of a definition, one for each state they leave and may reach; rectify is left out, it leads anywhere, and
// previous, which leads where one came from.
func Transitions(d *flow.Definition) []play.Transition {
	var all []play.Transition
	for i := range d.Events {
		if d.Events[i].Rectify {
			continue
		}
		for _, m := range d.Events[i].Moves {
			from := m.From
			if m.Opens {
				from = []string{""}
			}
			for _, f := range from {
				to := m.To.States()
				if m.To.Same {
					to = []string{f}
				}
				for _, s := range to {
					all = append(all, play.Transition{Workflow: d.Workflow, Event: d.Events[i].ID, From: f, To: s})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b play.Transition) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.Event, b.Event), strings.Compare(a.To, b.To))
	})
	return slices.Compact(all)
}
