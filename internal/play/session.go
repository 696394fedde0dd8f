package play

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// Session plays a scenario line by line, for who makes it up while it goes on: each line may depend on what came of those before.
// What it has played is a scenario that Run plays again. Its cast has, beside one person per role, people of other bodies:
// other_rup, other_clerk, other_director. It belongs to one goroutine.
type Session struct {
	// During, when set, is told when a line's own request begins (true) and ends: what the session reads and applies beside it is not of it.
	During func(on bool)
	// Sweeping, when set, is told when terms that are over begin to be applied (true) and when that ends.
	Sweeping func(on bool)

	p     *player
	t     *tale
	r     reader
	lines int
	told  bytes.Buffer
}

// Did is what came of a line.
type Did struct {
	Outcome string // as the trace says it; empty for a clock line
	// Err is what the engine answered: nil, or one of its errors for people.
	Err error
}

// Begin opens a session on an empty stage. The time is the clock's until the first clock line.
func Begin(ctx context.Context, cfg Config, workflow string) (*Session, error) {
	t, err := troupe(ctx, cfg.Engine)
	if err != nil {
		return nil, err
	}
	if err := t.strangers(ctx, cfg.Engine); err != nil {
		return nil, err
	}
	t.workflow = workflow
	s := &Session{t: t, r: reader{script: script{workflow: workflow}}}
	s.p = &player{Config: cfg, tales: []*tale{t}, out: bufio.NewWriter(&s.told), walked: Walked{}}
	s.p.sweeping = func(on bool) {
		if s.Sweeping != nil {
			s.Sweeping(on)
		}
	}
	return s, nil
}

// Do plays one line. The error is a *LineError for a line that cannot be played, or a failure of the engine, after which the session
// may go on: what the line did, if anything, is told with the next one.
func (s *Session) Do(ctx context.Context, line string) (Did, error) {
	steps, err := s.parse(line)
	if err != nil {
		return Did{}, err
	}
	if len(steps) == 0 { // a clock line
		return Did{}, s.p.reach(ctx, step{at: s.r.clock})
	}
	if err := s.p.reach(ctx, steps[0]); err != nil || steps[0].verb == "late" {
		return Did{}, err
	}
	s.during(true)
	failed := s.p.deed(ctx, s.t, &steps[0])
	s.during(false)
	did, err := s.answer(steps[0], failed)
	if err != nil {
		return did, err
	}
	return did, s.settle(ctx)
}

// Together plays lines at the same time, each on the cases as they stand before, and the terms that are over with them. What came of
// each is told when all are done.
func (s *Session) Together(ctx context.Context, lines []string) ([]Did, error) {
	var steps []step
	for _, line := range lines {
		one, err := s.parse(line)
		if err != nil {
			return nil, err
		}
		if len(one) != 1 || one[0].verb != "fire" && one[0].verb != "attach" {
			return nil, fmt.Errorf("%q cannot be played together with others", line)
		}
		steps = append(steps, one[0])
	}
	errs := make([]error, len(steps)+1)
	var wait sync.WaitGroup
	for i := range steps {
		wait.Go(func() { errs[i] = s.p.deed(ctx, s.t, &steps[i]) })
	}
	wait.Go(func() { _, errs[len(steps)] = s.p.Engine.ExpireDue(ctx) })
	wait.Wait()
	dids := make([]Did, len(steps))
	failed := errs[len(steps)]
	for i := range steps {
		var err error
		if dids[i], err = s.answer(steps[i], errs[i]); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return dids, failed
	}
	return dids, s.settle(ctx)
}

func (s *Session) during(on bool) {
	if s.During != nil {
		s.During(on)
	}
}

// parse reads a line; a clock line has no step.
func (s *Session) parse(line string) ([]step, error) {
	s.lines++
	words, err := split(line)
	if err != nil {
		return nil, wrong(s.lines, "%v", err)
	}
	if len(words) == 0 {
		return nil, wrong(s.lines, "riga vuota")
	}
	before := len(s.r.script.steps)
	if err := s.r.line(s.lines, words); err != nil {
		return nil, err
	}
	return s.r.script.steps[before:], nil
}

// answer writes the trace line of a step.
func (s *Session) answer(st step, err error) (Did, error) {
	outcome, known := outcomeOf(err)
	if !known {
		return Did{}, fmt.Errorf("%s: %w", title(st), err)
	}
	s.p.say("%s %s: %s\n", s.p.now(), title(st), outcome)
	return Did{outcome, err}, nil
}

// settle lets what is over expire, and reads back what happened.
func (s *Session) settle(ctx context.Context) error {
	if err := s.p.tell(ctx, s.t); err != nil {
		return err
	}
	return s.p.expire(ctx) // which tells of every tree
}

// Settle applies the terms that are over and reads back what happened, in every tree: after a line that failed.
func (s *Session) Settle(ctx context.Context) error {
	if err := s.p.tellAll(ctx, s.t); err != nil {
		return err
	}
	return s.p.expire(ctx)
}

// Engine is the engine of the stage.
func (s *Session) Engine() *engine.Engine { return s.p.Engine }

// Now is the played time, UTC.
func (s *Session) Now() time.Time { return s.p.Clock.Now() }

// Actor is a person of the cast.
func (s *Session) Actor(name string) (auth.Actor, bool) {
	a, found := s.t.cast[name]
	return a, found
}

// Witness is who sees every case and everything of it.
func (s *Session) Witness() auth.Actor { return witness }

// Cast lists the names that lines may begin with, sorted.
func (s *Session) Cast() []string { return slices.Sorted(maps.Keys(s.t.cast)) }

// Owners are the bodies for which the cases are opened.
func (s *Session) Owners() (memberBody, sua string) { return s.t.body, s.t.sua }

// Roots are the trees opened so far; lines act on the last one.
func (s *Session) Roots() []string {
	var roots []string
	for _, t := range s.t.trees {
		roots = append(roots, t.root)
	}
	return roots
}

// Knows reports whether a case stands in one of the trees opened so far.
func (s *Session) Knows(id string) bool { return s.t.knows(id) }

// Cases are the cases of the last tree by path, "" for its root.
func (s *Session) Cases() map[string]string {
	out := map[string]string{}
	if len(s.t.trees) == 0 {
		return out
	}
	tr := s.t.trees[len(s.t.trees)-1]
	for id, k := range tr.cases {
		if k.path == rootPath {
			out[""] = id
		} else {
			out[k.path] = id
		}
	}
	return out
}

// Walked counts the transitions so far.
func (s *Session) Walked() Walked { return s.p.walked }

// Trace is what happened so far.
func (s *Session) Trace() string {
	_ = s.p.out.Flush() // into memory
	return s.told.String()
}
