package play

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// Config is the stage: an engine whose database reads the time from Clock. See Stage for a temporary one.
type Config struct {
	Engine *engine.Engine
	Clock  *Clock
}

// Transition is one way that a scenario walked. From is empty when the case began.
type Transition struct{ Workflow, Event, From, To string }

// Walked counts the transitions of a play.
type Walked map[Transition]int

// Run plays a scenario with a cast of one person per role, in one body and one SUA that it makes for the purpose, and writes the
// trace to out. What the engine refuses is part of the trace; the error is a *LineError for a line that cannot be played, or a
// failure of the engine.
func Run(ctx context.Context, cfg Config, scenario io.Reader, out io.Writer) (Walked, error) {
	s, err := read(scenario, calendar.Date{})
	if err != nil {
		return nil, err
	}
	t, err := troupe(ctx, cfg.Engine)
	if err != nil {
		return nil, err
	}
	t.script = s
	return perform(ctx, cfg, []*tale{t}, s.end, out)
}

// tale is one scenario being played: its cast and the trees it has opened, the last one being what the steps act on.
type tale struct {
	script
	cast      map[string]auth.Actor
	body, sua string
	trees     []*tree
	// excuse, when not empty, answers every warning that a step leaves open (the demonstration only).
	excuse string
}

// tree is a case with those below it, and how much of its history has been told.
type tree struct {
	root  string
	told  int64                          // seq of the last event told
	cases map[string]known               // by case id
	terms map[string]engine.DeadlineView // by deadline id, as last seen
}

// known is what a trace says of a case.
type known struct{ path, workflow string }

// player plays tales on one stage. Everything is played in the order of time, whatever tale it belongs to.
type player struct {
	Config
	tales  []*tale
	out    *bufio.Writer
	walked Walked
}

// witness reads back what happened: it sees everything.
var witness = auth.System("play")

// perform plays tales until their last line, or until the time given when it is later. The trace is written also when a line
// fails, up to that line.
func perform(ctx context.Context, cfg Config, tales []*tale, end time.Time, out io.Writer) (Walked, error) {
	p := &player{Config: cfg, tales: tales, out: bufio.NewWriter(out), walked: Walked{}}
	err := p.play(ctx, end)
	return p.walked, errors.Join(err, p.out.Flush())
}

// play acts every step of every tale in the order of time.
func (p *player) play(ctx context.Context, end time.Time) error {
	type cue struct {
		t *tale
		s step
	}
	var cues []cue
	for _, t := range p.tales {
		for _, s := range t.steps {
			cues = append(cues, cue{t, s})
		}
		if t.end.After(end) {
			end = t.end
		}
	}
	slices.SortStableFunc(cues, func(a, b cue) int { return a.s.at.Compare(b.s.at) })
	p.Clock.set(cues[0].s.at)
	for _, c := range cues {
		if err := p.advance(ctx, c.s.at); err != nil {
			return err
		}
		if err := p.act(ctx, c.t, c.s); err != nil {
			return err
		}
		if err := p.expire(ctx); err != nil { // a term already over when it is recorded fires at once
			return err
		}
	}
	return p.advance(ctx, end)
}

// advance moves the clock, stopping at each instant at which a term is over.
func (p *player) advance(ctx context.Context, to time.Time) error {
	for {
		next := to
		for _, t := range p.tales {
			next = t.nextTerm(next)
		}
		if next.Before(p.Clock.Now()) { // not applied at its time: it would never come
			return fmt.Errorf("a term was due on %s and did not expire", next.In(calendar.Rome).Format(stampForm))
		}
		p.Clock.set(next)
		if err := p.expire(ctx); err != nil {
			return err
		}
		if !next.Before(to) {
			return nil
		}
	}
}

// nextTerm is the earliest instant, before the one given, at which a term of the tale is over.
func (t *tale) nextTerm(before time.Time) time.Time {
	for _, tr := range t.trees {
		for _, d := range tr.terms {
			if d.Status == "running" && d.DueAt.Before(before) {
				before = d.DueAt
			}
		}
	}
	return before
}

// expire lets the engine apply the terms that are over now.
func (p *player) expire(ctx context.Context) error {
	n, err := p.Engine.ExpireDue(ctx)
	if err != nil {
		return fmt.Errorf("expire terms: %w", err)
	}
	if n == 0 {
		return nil
	}
	p.say("%s system expires: ok\n", p.now())
	for _, t := range p.tales {
		if err := p.tellAll(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// act plays one step and tells what came of it.
func (p *player) act(ctx context.Context, t *tale, s step) error {
	var err error
	switch s.verb {
	case "open":
		err = p.open(ctx, t, &s)
	case "attach":
		err = p.attach(ctx, t, s)
	default:
		err = p.fire(ctx, t, s)
	}
	outcome, known := outcomeOf(err)
	if !known {
		var bad *LineError
		if errors.As(err, &bad) {
			return err
		}
		return fmt.Errorf("line %d: %w", s.line, err)
	}
	p.say("%s %s: %s\n", p.now(), title(s), outcome)
	if t.excuse != "" && outcome != "ok" {
		return wrong(s.line, "%s: %s", title(s), outcome)
	}
	return p.tell(ctx, t)
}

func (p *player) open(ctx context.Context, t *tale, s *step) error {
	def, err := p.latest(t.workflow)
	if err != nil {
		return wrong(s.line, "%v", err)
	}
	ev, err := opening(def, s.event)
	if err != nil {
		return wrong(s.line, "%v", err)
	}
	s.event = ev.ID
	if s.who == "" {
		s.who = firstRole(ev)
	}
	who, found := t.cast[s.who]
	if !found {
		return wrong(s.line, "«%s» non è fra i ruoli: %s", s.who, t.names())
	}
	moved, err := p.Engine.Open(ctx, who, engine.Open{
		Workflow: def.Workflow, Event: ev.ID, MemberBody: t.body, SUA: t.sua, Inputs: t.typed(ev, s.inputs), Acknowledge: s.acks,
	})
	if err == nil {
		t.trees = append(t.trees, &tree{root: moved.Case, cases: map[string]known{}, terms: map[string]engine.DeadlineView{}})
	}
	return err
}

func opening(def *flow.Definition, event string) (*flow.Event, error) {
	for _, ev := range def.Openings() {
		if ev.ID == event || event == "" && len(def.Openings()) == 1 {
			return ev, nil
		}
	}
	if event == "" {
		return nil, fmt.Errorf("il workflow «%s» si apre in più modi: dire quale", def.Workflow)
	}
	return nil, fmt.Errorf("«%s» non apre il workflow «%s»", event, def.Workflow)
}

// firstRole is the first who may fire the event; an owner of an act counts as its director.
func firstRole(ev *flow.Event) string {
	if ev.By[0].OwnerOf != "" {
		return "sua_director"
	}
	return ev.By[0].Role
}

func (p *player) fire(ctx context.Context, t *tale, s step) error {
	who, id, def, err := p.target(ctx, t, s)
	if err != nil {
		return err
	}
	inputs := s.inputs
	if ev, found := def.Event(s.event); found {
		inputs = t.typed(ev, s.inputs)
	}
	cmd := engine.Fire{Case: id, Event: s.event, Revision: s.revision, Inputs: inputs, Acknowledge: s.acks}
	_, err = p.Engine.Fire(ctx, who, cmd)
	var warns *engine.NeedsAcknowledgement
	if t.excuse != "" && errors.As(err, &warns) {
		for _, w := range warns.Warnings {
			cmd.Acknowledge = append(cmd.Acknowledge, engine.Acknowledgement{Code: w.Code, Reason: t.excuse})
		}
		_, err = p.Engine.Fire(ctx, who, cmd)
	}
	return err
}

// attach uploads a small text for each type: what is in it matters to nobody here.
func (p *player) attach(ctx context.Context, t *tale, s step) error {
	who, id, _, err := p.target(ctx, t, s)
	if err != nil {
		return err
	}
	for _, kind := range s.types {
		text := "Documento di prova: " + kind + ", " + p.now() + "\n"
		if _, err := p.Engine.Attach(ctx, who, engine.Attach{Case: id, Type: kind, Name: kind + ".txt", Bytes: strings.NewReader(text)}); err != nil {
			return err
		}
	}
	return nil
}

// target finds who acts on which case.
func (p *player) target(ctx context.Context, t *tale, s step) (auth.Actor, string, *flow.Definition, error) {
	who, found := t.cast[s.who]
	if !found {
		return who, "", nil, wrong(s.line, "«%s» non è fra i ruoli: %s", s.who, t.names())
	}
	path := s.path
	if path == "" {
		path = rootPath
	}
	if len(t.trees) == 0 {
		return who, "", nil, wrong(s.line, "nessun caso è aperto")
	}
	for id, k := range t.trees[len(t.trees)-1].cases {
		if k.path == path {
			c, err := p.Engine.Case(ctx, witness, id)
			if err != nil {
				return who, "", nil, err
			}
			def, err := p.Engine.Definition(c.Hash)
			return who, id, def, err
		}
	}
	return who, "", nil, wrong(s.line, "non c'è alcun caso «%s»", path)
}

func (p *player) latest(workflow string) (*flow.Definition, error) {
	for _, w := range p.Engine.Workflows() {
		if w.ID == workflow && w.Latest {
			return p.Engine.Definition(w.Hash)
		}
	}
	return nil, fmt.Errorf("il workflow «%s» non esiste", workflow)
}
