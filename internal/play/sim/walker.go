package sim

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
	"github.com/province-comuni/sua/internal/store"
)

// walker makes up a walk while it goes.
type walker struct {
	cfg      Config
	stage    Stage
	s        *play.Session
	r        *rand.Rand
	cutter   *cutter
	workflow string
	defs     map[string]*flow.Definition // by hash
	aims     map[string][]play.Transition
	deeds    []Deed
	outcomes map[string]int
	fault    *Fault
	thorough bool                // every answer is held against the options: in a walk that is walked again
	prelude  []string            // lines to begin with
	known    play.Walked         // by the prelude
	diligent float64             // how often what leads on is done, of what may be done
	todo     []errand            // the last one is done first
	path     string              // the case on which the walk dwells
	failed   map[string]int      // by path and event: how often it was tried in vain since it was last done
	keyed    []string            // lines with a key that were done
	done     map[string]bool     // the same, by case and line
	fresh    int                 // numbers texts and keys, so that none is like another
	lessons  map[string][]lesson // by workflow and event
	seed     uint64
	restless float64           // how often a tour is made
	tried    map[string]int    // by path and move: tours that were made for it
	relayed  map[string]int    // notices ordered by messages that have left the outbox
	hashes   map[string]string // of the definitions, by case
	dates    []calendar.Date
	amounts  []string // that refusals have named
}

// errand is something to be done so that something else becomes possible. Without an event: whatever leads on.
type errand struct {
	path, event string
	from, to    string // the move wanted of the event; empty: any
	tries       int
}

// begin makes the stage of a walk; done leaves it.
func begin(ctx context.Context, cfg Config, seed uint64) (w *walker, done func() error, err error) {
	w = &walker{
		cfg: cfg, r: rand.New(rand.NewPCG(seed, 36)), cutter: &cutter{}, outcomes: map[string]int{}, done: map[string]bool{}, failed: map[string]int{},
		defs: map[string]*flow.Definition{}, aims: map[string][]play.Transition{}, seed: seed, tried: map[string]int{}, hashes: map[string]string{}, relayed: map[string]int{},
	}
	if w.stage, err = cfg.Open(ctx, w.cutter.broken); err != nil {
		return nil, nil, err
	}
	latest := map[string]*flow.Definition{}
	for _, v := range w.stage.Engine.Workflows() {
		d, err := w.stage.Engine.Definition(v.Hash)
		if err != nil {
			return nil, nil, errors.Join(err, w.stage.Close())
		}
		w.defs[v.Hash] = d
		if v.Latest {
			latest[d.Workflow] = d
		}
	}
	w.lessons = lessons(cfg.Preludes, latest)
	w.workflow = cfg.Workflow
	if len(cfg.Preludes) > 0 && w.chance(0.8) {
		w.begun(pick(w, cfg.Preludes))
	}
	if w.workflow == "" {
		w.workflow = w.somewhere(latest)
	}
	switch d, found := latest[w.workflow]; {
	case !found:
		return nil, nil, errors.Join(fmt.Errorf("il flusso «%s» non esiste", w.workflow), w.stage.Close())
	case len(openings(d)) == 0:
		return nil, nil, errors.Join(fmt.Errorf("le pratiche di «%s» nascono solo da altre: simulare il flusso da cui nascono", w.workflow), w.stage.Close())
	}
	if w.s, err = play.Begin(ctx, w.stage.Config, w.workflow); err != nil {
		return nil, nil, errors.Join(err, w.stage.Close())
	}
	w.listen()
	w.diligent = 0.55 + 0.4*w.r.Float64()
	w.restless = pick(w, []float64{0, 0.3, 0.7, 0.7, 0.9})
	return w, w.stage.Close, nil
}

// begun takes the beginning of a scenario as prelude, when it is one of the workflow asked for.
func (w *walker) begun(scenario string) {
	var lines []string
	workflow := ""
	for line := range strings.Lines(scenario) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0][0] == '#' || words[0] == "expect":
		case words[0] == "workflow" && len(words) == 2:
			workflow = words[1]
		default:
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if w.workflow != "" && w.workflow != workflow || len(lines) == 0 {
		return
	}
	x := w.r.Float64()
	w.workflow, w.prelude = workflow, lines[:1+int(float64(len(lines)-1)*(1-0.75*x))]
}

// playPrelude plays the prelude; now and then a line falls out, or the connection breaks in it.
func (w *walker) playPrelude(ctx context.Context) {
	for i, line := range w.prelude {
		if w.fault != nil || ctx.Err() != nil {
			return
		}
		d := Deed{Line: line}
		if clock := strings.HasPrefix(line, "clock "); !clock && i > 1 && w.chance(0.02) {
			continue
		} else if !clock && !strings.HasPrefix(line, "linked") && w.chance(0.03) {
			w.fresh++
			d.Line, d.Cut = fmt.Sprintf("%s key=k%d", line, w.fresh), 1+w.r.IntN(40)
		}
		w.do(ctx, d)
	}
	w.known = maps.Clone(w.s.Walked())
}

// walked are the transitions that the walk made after its prelude.
func (w *walker) walked() play.Walked {
	out := play.Walked{}
	for t, n := range w.s.Walked() {
		if n -= w.known[t]; n > 0 {
			out[t] = n
		}
	}
	return out
}

// somewhere picks a workflow of which people or the system open cases, in proportion to its moves.
func (w *walker) somewhere(latest map[string]*flow.Definition) string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		d := latest[id]
		if len(openings(d)) == 0 {
			continue
		}
		for range 1 + len(Transitions(d))/25 {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[w.r.IntN(len(ids))]
}

// openings are the events with which somebody of the cast may begin a case.
func openings(d *flow.Definition) []*flow.Event {
	return slices.DeleteFunc(slices.Clone(d.Openings()), func(ev *flow.Event) bool { return len(peopleOf(ev)) == 0 && !ev.FiredBy("system") })
}

// peopleOf are the roles of people that may fire an event. Acts belong to whom they do where the agreement is silent, as on the stage.
func peopleOf(ev *flow.Event) []string {
	owner := map[string]string{"decision": "member_director", "indiction": "sua_director", "award_proposal": "seat", "award": "sua_director"}
	var out []string
	for _, by := range ev.By {
		role := by.Role
		if by.OwnerOf != "" {
			role = owner[by.OwnerOf]
		}
		if role != "system" && role != "parent" {
			out = append(out, role)
		}
	}
	return out
}

// chance is true so often, of one.
func (w *walker) chance(p float64) bool { return w.r.Float64() < p }

func pick[T any](w *walker, list []T) T { return list[w.r.IntN(len(list))] }

// walk goes until the steps are done or a fault is found.
func (w *walker) walk(ctx context.Context) {
	w.playPrelude(ctx)
	start := time.Date(2026, 1, 2, 9, 0, 0, 0, calendar.Rome).AddDate(0, 0, w.r.IntN(330))
	if len(w.prelude) == 0 {
		w.do(ctx, Deed{Line: "clock " + start.Format(clockForm)})
	}
	steps := w.cfg.Steps
	if steps == 0 {
		steps = 240
	}
	for checked, end, idle := 0, len(w.deeds)+steps, 0; len(w.deeds) < end && idle < steps && w.fault == nil && ctx.Err() == nil; {
		before := len(w.deeds)
		if w.step(ctx); len(w.deeds) == before { // nothing was found to do
			idle++
		}
		if len(w.deeds) >= checked+15 {
			checked = len(w.deeds)
			if roots := w.s.Roots(); len(roots) > 0 && w.fault == nil {
				w.fault = w.check(ctx, roots[len(roots)-1])
			}
		}
	}
	w.finish(ctx)
	if w.fault == nil {
		w.leap(ctx, 400*24*time.Hour) // what is left to expire expires
		w.do(ctx, Deed{Relay: 10_000})
	}
	if w.fault == nil {
		w.checkAll(ctx)
	}
}

const clockForm = "2006-01-02T15:04"

func (w *walker) step(ctx context.Context) {
	switch x := w.r.Float64(); {
	case len(w.s.Roots()) == 0:
		w.open(ctx)
	case x < 0.05:
		w.leap(ctx, w.someTime())
	case x < 0.07:
		w.repeat(ctx)
	case x < 0.10 && w.cfg.Together:
		w.crowd(ctx)
	case x < 0.11:
		w.follow(ctx)
	case x < 0.13:
		w.someRelay(ctx)
	case (len(w.todo) == 0 || w.chance(0.35)) && w.chance(w.restless):
		w.tour(ctx)
	default:
		w.act(ctx)
	}
}

// open begins a case.
func (w *walker) open(ctx context.Context) {
	var def *flow.Definition
	for _, d := range w.defs {
		if d.Workflow == w.workflow && (def == nil || d.Version > def.Version) {
			def = d
		}
	}
	ev := pick(w, openings(def))
	who := "system"
	if roles := peopleOf(ev); len(roles) > 0 {
		who = pick(w, roles)
	}
	w.todo, w.path, w.keyed = nil, "", nil
	clear(w.failed)
	w.insist(ctx, &attempt{who: who, verb: "open " + ev.ID, ev: ev, def: def})
}

// someTime is how long nothing happens: minutes, hours, days, weeks or months.
func (w *walker) someTime() time.Duration {
	unit := pick(w, []time.Duration{time.Minute, time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour})
	if w.chance(0.04) {
		unit = 30 * 24 * time.Hour
	}
	return time.Duration(1+w.r.IntN(6)) * unit
}

// leap moves the clock: by a time, or to the next term and a little more. Now and then nobody applies what ends on the way.
func (w *walker) leap(ctx context.Context, by time.Duration) {
	to := w.s.Now().Add(by)
	if due, err := w.s.Engine().NextDue(ctx); err == nil && !due.IsZero() && due.After(w.s.Now()) && by < 300*24*time.Hour && w.chance(0.4) && (due.Sub(w.s.Now()) < 70*24*time.Hour || w.chance(0.1)) {
		to = due.Add(time.Duration(w.r.IntN(3)) * time.Minute)
	}
	late := ""
	if by < 300*24*time.Hour && w.chance(0.2) {
		late = " late"
	}
	w.clock(ctx, to, late)
}

// clock moves the time to an instant or, where the hour in Rome is one that comes twice or never, a little after.
func (w *walker) clock(ctx context.Context, to time.Time, late string) {
	to = to.In(calendar.Rome).Add(time.Minute - time.Nanosecond).Truncate(time.Minute)
	for range 4 {
		text := to.Format(clockForm)
		if at, err := time.ParseInLocation(clockForm, text, calendar.Rome); err == nil && !at.Before(w.s.Now()) {
			d := Deed{Line: "clock " + text + late}
			if late == "" && w.chance(0.4) {
				d.Cut = 1 + w.r.IntN(30)
			}
			w.do(ctx, d)
			return
		}
		to = to.Add(time.Hour)
	}
}

// repeat asks for something once more that was done, with the same key: it must answer as then and do nothing.
func (w *walker) repeat(ctx context.Context) {
	if len(w.keyed) > 0 {
		w.do(ctx, Deed{Line: pick(w, w.keyed)})
	}
}

// follow goes on with the case that the engine opened beside one of these.
func (w *walker) follow(ctx context.Context) {
	for path, id := range ordered(w.s.Cases()) {
		v, err := w.s.Engine().Case(ctx, w.s.Witness(), id)
		if err != nil {
			w.fault = fault("failure", "read case: %v", err)
			return
		}
		for _, l := range v.Links {
			if !w.s.Knows(l.To.ID) {
				w.do(ctx, Deed{Line: strings.TrimSpace("linked " + path)})
				w.todo, w.path = nil, ""
				w.keyed = nil // they name the cases of the tree before
				return
			}
		}
	}
}

func ordered(cases map[string]string) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for _, path := range slices.Sorted(maps.Keys(cases)) {
			if !yield(path, cases[path]) {
				return
			}
		}
	}
}

// do plays a deed and remembers it.
func (w *walker) do(ctx context.Context, d Deed) play.Did {
	w.deeds = append(w.deeds, d)
	return w.again(ctx, d)
}

// again plays a deed, with what must hold of its answer. Where the connection broke the same is asked again, as a person would.
func (w *walker) again(ctx context.Context, d Deed) play.Did {
	if d.Relay > 0 {
		if w.fault == nil {
			w.fault = w.relay(ctx, d)
		}
		return play.Did{}
	}
	before := w.before(ctx, d.Line)
	w.cutter.arm(d.Cut, d.place())
	did, err := w.s.Do(ctx, d.Line)
	w.cutter.arm(0, elsewhere)
	if errors.Is(err, store.ErrBroken) {
		w.outcomes[map[place]string{request: "broken", sweep: "sweep broken"}[d.place()]]++
		if w.fault == nil {
			w.fault = w.whole(ctx)
		}
		if err = w.settle(ctx); err == nil {
			did, err = w.s.Do(ctx, d.Line)
		}
	}
	var unplayable *play.LineError
	switch {
	case errors.As(err, &unplayable): // a shrunk walk has no such case
		w.outcomes["unplayable"]++
		return did
	case err != nil:
		if w.fault == nil {
			w.fault = fault("failure", "%s: %v", d.Line, err)
		}
		return did
	}
	word, _, _ := strings.Cut(did.Outcome, " ")
	w.outcomes[word]++
	if w.fault == nil {
		w.fault = before.after(ctx, w, did)
	}
	return did
}

// crowd lets several people act at once on the same tree, some of them on the same case and with the same request.
func (w *walker) crowd(ctx context.Context) {
	var lines []string
	for range 2 + w.r.IntN(4) {
		path, v, def, ok := w.somecase(ctx)
		if !ok {
			return
		}
		ev := w.choose(ctx, path, v, def)
		if ev == nil || len(peopleOf(ev)) == 0 {
			continue
		}
		a := &attempt{who: w.who(peopleOf(ev)), path: path, verb: ev.ID, ev: ev, def: def, view: v}
		w.fill(a)
		if len(ev.Documents) > 0 && w.chance(0.7) {
			lines = append(lines, strings.Join(strings.Fields(a.who+" "+path+" attach "+pick(w, ev.Documents)), " "))
		}
		lines = append(lines, a.line())
		if w.chance(0.3) {
			lines = append(lines, a.line())
		}
	}
	if len(lines) < 2 {
		return
	}
	for _, l := range lines {
		w.deeds = append(w.deeds, Deed{Line: l})
	}
	dids, err := w.s.Together(ctx, lines)
	if err != nil {
		w.fault = fault("failure", "together: %s: %v", strings.Join(lines, " | "), err)
		return
	}
	for _, d := range dids {
		word, _, _ := strings.Cut(d.Outcome, " ")
		w.outcomes[word]++
	}
	w.checkAll(ctx)
}

// looked is how many cases a walker looks at before it picks one to act on.
const looked = 4

// somecase picks the case to act on: mostly the one it dwells on, and mostly one that goes on. Of some that it looks at it takes the one
// in whose state it has most left to do.
func (w *walker) somecase(ctx context.Context) (string, engine.CaseView, *flow.Definition, bool) {
	cases := w.s.Cases()
	paths := slices.Sorted(maps.Keys(cases))
	if len(paths) == 0 {
		return "", engine.CaseView{}, nil, false
	}
	_, there := cases[w.path]
	path, dwell := w.path, there && !w.chance(0.2)
	if !dwell {
		path = pick(w, paths)
	}
	var v engine.CaseView
	most, open := -1, 0
	for try := 0; try < 2*looked && open < looked; try++ {
		at := path
		if try > 0 {
			at = pick(w, paths)
		}
		seen, err := w.s.Engine().Case(ctx, w.s.Witness(), cases[at])
		if err != nil {
			w.fault = fault("failure", "read case: %v", err)
			return "", v, nil, false
		}
		left := 0
		if seen.EndedAt == nil {
			open++
			left = 1 + w.left(seen)
		}
		if left > most {
			path, v, most = at, seen, left
		}
		if try == 0 && (dwell && left > 0 || w.chance(0.1)) {
			break
		}
	}
	w.path = path
	return path, v, w.defs[v.Hash], true
}

// left is how many moves the walk has not made yet from the state of a case.
func (w *walker) left(v engine.CaseView) (n int) {
	for _, t := range w.unmade(w.defs[v.Hash]) {
		if t.From == v.State.ID {
			n++
		}
	}
	return n
}
