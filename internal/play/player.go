package play

import (
	"bufio"
	"cmp"
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
	s, err := read(scenario, days{})
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
	name      string // of its file, where several are played; else empty
	cast      map[string]auth.Actor
	body, sua string
	trees     []*tree
	strict    bool // every step must succeed (the demonstration): a refusal stops the play
	// until is when what it expects at its end is looked at; empty: when the play ends.
	until []time.Time
}

// tree is a case with those below it, and how much of its history has been told.
type tree struct {
	root  string
	told  int64                          // seq of the last event told
	cases map[string]known               // by case id
	terms map[string]engine.DeadlineView // by deadline id, as last seen
}

func newTree(root string) *tree {
	return &tree{root: root, cases: map[string]known{}, terms: map[string]engine.DeadlineView{}}
}

// known is what a trace says of a case.
type known struct {
	path, workflow string
	hash           string // of its definition, which it keeps
}

// player plays tales on one stage. Everything is played in the order of time, whatever tale it belongs to.
type player struct {
	Config
	tales   []*tale
	out     *bufio.Writer
	silent  bool // nobody reads the trace: what happened is not read back
	walked  Walked
	lagging bool // the clock has moved past terms that nobody has applied yet
	// sweeping, when set, is told when terms begin to be applied (true) and when that ends.
	sweeping func(on bool)
}

// witness reads back what happened: it sees everything.
var witness = auth.System("play")

// perform plays tales until their last line, or until the time given when it is later. The trace is written also when a line
// fails, up to that line. With io.Discard nothing is traced, and nothing counted as walked: that takes half the time.
func perform(ctx context.Context, cfg Config, tales []*tale, end time.Time, out io.Writer) (Walked, error) {
	p := &player{Config: cfg, tales: tales, out: bufio.NewWriter(out), silent: out == io.Discard, walked: Walked{}}
	err := p.play(ctx, end)
	return p.walked, errors.Join(err, p.out.Flush())
}

// cue is a step and the tale that it belongs to.
type cue struct {
	t *tale
	s step
}

// play acts every step of every tale in the order of time. What a tale expects after its last deed holds when the tale ends.
func (p *player) play(ctx context.Context, end time.Time) error {
	var cues []cue
	for _, t := range p.tales {
		if t.end.After(end) {
			end = t.end
		}
	}
	for _, t := range p.tales {
		deeds := t.deeds()
		for _, s := range t.steps[:deeds] {
			cues = append(cues, cue{t, s})
		}
		ends := t.until
		if len(ends) == 0 {
			ends = []time.Time{end}
		}
		for _, at := range ends {
			for _, s := range t.steps[deeds:] {
				s.at = at
				cues = append(cues, cue{t, s})
			}
		}
	}
	slices.SortStableFunc(cues, func(a, b cue) int { return a.s.at.Compare(b.s.at) })
	p.Clock.set(cues[0].s.at)
	for _, c := range cues {
		if err := p.reach(ctx, c.s); err != nil {
			return err
		}
		if c.s.verb == "late" {
			continue
		}
		if err := p.act(ctx, c.t, c.s); err != nil {
			return c.t.blame(err)
		}
		if p.silent {
			continue // advance looks
		}
		if err := p.expire(ctx); err != nil { // a term already over when it is recorded fires at once
			return err
		}
	}
	return p.advance(ctx, end)
}

// reach moves the clock to a step. A late one leaves the terms that ended on the way as they are, until the step after it is done or
// the clock moves on.
func (p *player) reach(ctx context.Context, s step) error {
	if s.verb == "late" {
		p.lagging = true
		p.Clock.set(s.at)
		return nil
	}
	if !s.at.After(p.Clock.Now()) {
		return nil
	}
	return p.advance(ctx, s.at)
}

// deeds is how many steps come before the expectations at the end.
func (t *tale) deeds() int {
	n := len(t.steps)
	for n > 0 && t.steps[n-1].verb == "expect" {
		n--
	}
	return n
}

// blame says in which script a line stands, where there are several.
func (t *tale) blame(err error) error {
	if t.name == "" {
		return err
	}
	return fmt.Errorf("%s: %w", t.name, err)
}

// advance moves the clock, stopping at each instant at which a term is over.
func (p *player) advance(ctx context.Context, to time.Time) error {
	if p.silent {
		if !to.After(p.Clock.Now()) {
			return nil
		}
		if err := p.expire(ctx); err != nil {
			return err
		}
	} else if p.lagging {
		if err := p.expire(ctx); err != nil {
			return err
		}
	}
	for last := (time.Time{}); ; {
		next, err := p.nextTerm(ctx, to)
		if err != nil {
			return err
		}
		stuck := next.Equal(last) && next.Before(to)
		if last = next; stuck || next.Before(p.Clock.Now()) { // not applied at its time: it would never come
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

// nextTerm is the earliest instant, not after the one given, at which a term is over: one that the trace shows, or, in silence,
// any that the engine knows.
func (p *player) nextTerm(ctx context.Context, before time.Time) (time.Time, error) {
	if p.silent {
		next, err := p.Engine.NextDue(ctx)
		if err != nil || next.IsZero() || next.After(before) {
			return before, err
		}
		return next, nil
	}
	for _, t := range p.tales {
		for _, tr := range t.trees {
			for _, d := range tr.terms {
				if d.Status == "running" && d.DueAt.Before(before) {
					before = d.DueAt
				}
			}
		}
	}
	return before, nil
}

// expire lets the engine apply the terms that are over now.
func (p *player) expire(ctx context.Context) error {
	p.lagging = false
	n, err := p.sweep(ctx)
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

func (p *player) sweep(ctx context.Context) (int, error) {
	if p.sweeping != nil {
		p.sweeping(true)
		defer p.sweeping(false)
	}
	return p.Engine.ExpireDue(ctx)
}

// act plays one step and tells what came of it.
func (p *player) act(ctx context.Context, t *tale, s step) error {
	if s.verb == "expect" {
		return p.expect(ctx, t, s)
	}
	err := p.deed(ctx, t, &s)
	outcome, known := outcomeOf(err)
	if !known {
		var bad *LineError
		if errors.As(err, &bad) {
			return err
		}
		return fmt.Errorf("line %d: %w", s.line, err)
	}
	p.say("%s %s: %s\n", p.now(), title(s), outcome)
	if t.strict && outcome != "ok" {
		return wrong(s.line, "%s: %s", title(s), outcome)
	}
	return p.tell(ctx, t)
}

// deed does what a step asks; an opening without role or event is told which they are.
func (p *player) deed(ctx context.Context, t *tale, s *step) error {
	switch s.verb {
	case "open":
		return p.open(ctx, t, s)
	case "attach":
		return p.attach(ctx, t, *s)
	case "linked":
		return p.linked(ctx, t, *s)
	case "expect":
		return p.expect(ctx, t, *s)
	}
	return p.fire(ctx, t, *s)
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
		Workflow: def.Workflow, Event: ev.ID, MemberBody: t.body, SUA: t.sua, Inputs: t.typed(ev, s.inputs), Acknowledge: s.acks, Key: s.key,
	})
	known := slices.ContainsFunc(t.trees, func(tr *tree) bool { return tr.root == moved.Case }) // asked again with the same key
	if err == nil && !known {
		t.trees = append(t.trees, newTree(moved.Case))
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
	cmd := engine.Fire{Case: id, Event: s.event, Revision: s.revision, Inputs: inputs, Acknowledge: s.acks, Key: s.key}
	_, err = p.Engine.Fire(ctx, who, cmd)
	return err
}

// attach uploads a small text for each type, always the same: what is in it matters to nobody here.
func (p *player) attach(ctx context.Context, t *tale, s step) error {
	who, id, def, err := p.target(ctx, t, s)
	if err != nil {
		return err
	}
	for _, kind := range s.types {
		text := "Documento di prova: " + kind + "\n"
		if d, found := def.Document(kind); found {
			text = "Documento di prova: " + d.Label.IT + "\n"
		}
		key := s.key
		if key != "" {
			key += "/" + kind // each upload is a request
		}
		if _, err := p.Engine.Attach(ctx, who, engine.Attach{Case: id, Type: kind, Name: kind + ".txt", Bytes: strings.NewReader(text), Key: key}); err != nil {
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
	id, k, err := p.find(ctx, t, s, 0)
	if err != nil {
		return who, "", nil, err
	}
	def, err := p.Engine.Definition(k.hash)
	return who, id, def, err
}

// find is the case that a step names, in the tree of that number, or in the last one.
func (p *player) find(ctx context.Context, t *tale, s step, number int) (string, known, error) {
	if number == 0 {
		number = len(t.trees)
	}
	if number == 0 || number > len(t.trees) {
		return "", known{}, wrong(s.line, "nessun caso è aperto")
	}
	tr, path := t.trees[number-1], s.path
	if path == "" {
		path = rootPath
	}
	for id, k := range tr.cases {
		if k.path == path {
			return id, k, nil
		}
	}
	if p.silent {
		if err := p.learn(ctx, tr, path); err != nil {
			return "", known{}, err
		}
		for id, k := range tr.cases {
			if k.path == path {
				return id, k, nil
			}
		}
	}
	return "", known{}, wrong(s.line, "non c'è alcun caso «%s»", path)
}

// learn reads the cases on the way to a path, from the last one known, which no trace has named.
func (p *player) learn(ctx context.Context, tr *tree, path string) error {
	id, at := tr.root, ""
	if path == rootPath {
		path = ""
	}
	for known, k := range tr.cases {
		if len(k.path) > len(at) && strings.HasPrefix(path, k.path+"/") {
			id, at = known, k.path
		}
	}
	for {
		v, err := p.Engine.Case(ctx, witness, id)
		if err != nil {
			return fmt.Errorf("read case: %w", err)
		}
		tr.cases[id] = known{cmp.Or(at, rootPath), v.Workflow.ID, v.Hash}
		next, reached := "", ""
		for _, group := range v.Children {
			for _, child := range group.Cases {
				below := strings.TrimPrefix(fmt.Sprintf("%s/%s:%d", at, group.ID, child.Ordinal), "/")
				tr.cases[child.ID] = known{below, child.Workflow.ID, child.Hash}
				if strings.HasPrefix(path, below+"/") {
					next, reached = child.ID, below
				}
			}
		}
		if next == "" {
			return nil
		}
		id, at = next, reached
	}
}

// expect checks that a case stands where the script says.
func (p *player) expect(ctx context.Context, t *tale, s step) error {
	id, _, err := p.find(ctx, t, s, s.number)
	if err != nil {
		return err
	}
	c, err := p.Engine.Case(ctx, witness, id)
	if err != nil {
		return fmt.Errorf("line %d: %w", s.line, err)
	}
	if c.State.ID != s.state {
		return wrong(s.line, "%s è in «%s», non in «%s»", cmp.Or(s.path, rootPath), c.State.ID, s.state)
	}
	return nil
}

// linked goes on with the newest case that the engine opened beside the one named.
func (p *player) linked(ctx context.Context, t *tale, s step) error {
	id, _, err := p.find(ctx, t, s, 0)
	if err != nil {
		return err
	}
	c, err := p.Engine.Case(ctx, witness, id)
	if err != nil {
		return err
	}
	for i := len(c.Links) - 1; i >= 0; i-- {
		other := c.Links[i].To.ID
		if !t.knows(other) {
			t.trees = append(t.trees, newTree(other))
			return nil
		}
	}
	return wrong(s.line, "nessun caso è stato aperto accanto a «%s»", cmp.Or(s.path, rootPath))
}

// knows reports whether a case stands in one of the trees: the link of a case that was opened beside another leads back to it.
func (t *tale) knows(id string) bool {
	return slices.ContainsFunc(t.trees, func(tr *tree) bool {
		_, told := tr.cases[id]
		return told || tr.root == id
	})
}

func (p *player) latest(workflow string) (*flow.Definition, error) {
	for _, w := range p.Engine.Workflows() {
		if w.ID == workflow && w.Latest {
			return p.Engine.Definition(w.Hash)
		}
	}
	return nil, fmt.Errorf("il workflow «%s» non esiste", workflow)
}
