package engine

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// Forecast says when, at the pace so far, what a term waits for would happen.
type Forecast struct {
	At     time.Time // UTC
	Breach bool      // after the end of the term
	Days   int       // by so many days, rounded up; 0 when in time
	Basis  string    // history: from the SUA's ended cases; plan: from the share of the stages that is done
	Cases  int       // ended cases it rests on; 0 for a plan
	Text   Text
}

// How a forecast was made.
const (
	BasisHistory = "history"
	BasisPlan    = "plan"
)

// enoughCases is from how many ended cases on their median says more than the plan; someCases bounds how many are read.
const (
	enoughCases = 5
	someCases   = 40
)

// pace is what a forecast is made from. Stage counts from 0: the stage in which the case is, of Stages up to the one in which the
// work is done. Rest are, of ended cases, the times from entering this stage to the work done.
type pace struct {
	Started, Entered, Now, Due time.Time
	Stage, Stages              int
	Rest                       []time.Duration
}

// forecast foretells when the work is done. With enough ended cases it is the median of what they still needed from this stage on, from
// when the case entered it. Else the stages are taken to be equally long: of n, in the k-th, half of that done, so much of the whole is
// done, and the rest will take as long in proportion as that did. It is never earlier than now.
func (p pace) forecast() Forecast {
	f := Forecast{Basis: BasisPlan}
	if len(p.Rest) >= enoughCases {
		f.Basis, f.Cases = BasisHistory, len(p.Rest)
		f.At = p.Entered.Add(median(p.Rest))
	} else {
		gone := p.Now.Sub(p.Started)
		f.At = p.Started.Add(gone * time.Duration(2*p.Stages) / time.Duration(2*p.Stage+1))
	}
	f.At = latest(f.At, p.Now).UTC()
	if f.Breach = f.At.After(p.Due); f.Breach {
		f.Days = max(1, calendar.DateOf(f.At).Sub(calendar.DateOf(p.Due.Add(-time.Microsecond))))
	}
	f.Text = p.tell(f)
	return f
}

func (p pace) tell(f Forecast) Text {
	code := "forecast_" + f.Basis
	if f.Breach {
		code += "_bad"
	}
	day := calendar.DateOf(f.At)
	return say(code, []string{"cases", strconv.Itoa(f.Cases), "day", day.Italian(), "day_en", day.English(), "late", strconv.Itoa(f.Days),
		"stage", strconv.Itoa(p.Stage + 1), "stages", strconv.Itoa(p.Stages)})
}

// median is the middle of durations, or the mean of the two in the middle.
func median(all []time.Duration) time.Duration {
	s := slices.Sorted(slices.Values(all))
	if n := len(s); n%2 == 0 {
		return s[n/2-1] + (s[n/2]-s[n/2-1])/2
	}
	return s[len(s)/2]
}

// foretell adds the forecast to the running terms that ask for one. It reads what happened in their cases and in ended ones: times alone, of
// all cases of the SUA, whoever asks.
func (e *Engine) foretell(ctx context.Context, views []DeadlineView) error {
	byCase := map[string][]*DeadlineView{}
	var ids []string
	for i := range views {
		if v := &views[i]; v.goal != "" && v.Status == store.Running {
			if byCase[v.Case] == nil {
				ids = append(ids, v.Case)
			}
			byCase[v.Case] = append(byCase[v.Case], v)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	cases, err := e.db.CasesOf(ctx, store.Everything, ids)
	if err != nil {
		return err
	}
	entered, err := e.stageEntries(ctx, cases)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c := cases[id]
		if c == nil {
			continue
		}
		def, err := e.Definition(c.Hash)
		if err != nil {
			continue
		}
		for _, v := range byCase[id] {
			p, ok := paceOf(def, c, v)
			if !ok {
				continue
			}
			p.Now, p.Entered = now, latest(entered[id].stages[c.Stage], v.StartedAt)
			if p.Rest, err = e.rest(ctx, c, v.goal, now); err != nil {
				return err
			}
			f := p.forecast()
			v.Forecast = &f
		}
	}
	return nil
}

// paceOf finds where among its stages a case stands; false when it is past the goal.
func paceOf(def *flow.Definition, c *store.Case, v *DeadlineView) (pace, bool) {
	goal, ok := def.State(v.goal)
	if !ok {
		return pace{}, false
	}
	at := func(stage string) int {
		return slices.IndexFunc(def.Stages, func(s flow.Stage) bool { return s.ID == stage })
	}
	decl, ok := def.Deadline(v.Name)
	if !ok {
		return pace{}, false
	}
	first := len(def.Stages)
	for _, id := range decl.While {
		if st, ok := def.State(id); ok {
			first = min(first, at(st.Stage))
		}
	}
	p := pace{Started: v.StartedAt, Due: v.DueAt, Stage: at(c.Stage) - first, Stages: at(goal.Stage) - first + 1}
	return p, p.Stage >= 0 && p.Stage < p.Stages
}

// entries are when a case first came to each stage and state.
type entries struct{ stages, states map[string]time.Time }

// stageEntries reads it off the history.
func (e *Engine) stageEntries(ctx context.Context, cases map[string]*store.Case) (map[string]entries, error) {
	ids := sortedKeys(cases)
	var roots []string
	out := map[string]entries{}
	for _, id := range ids {
		roots = append(roots, cases[id].Root)
		out[id] = entries{map[string]time.Time{}, map[string]time.Time{}}
	}
	slices.Sort(roots)
	passed, err := e.db.PassedBy(ctx, slices.Compact(roots), ids)
	if err != nil {
		return nil, err
	}
	for _, p := range passed {
		h, err := audit.Parse(p.Header)
		if err != nil {
			continue // what is broken is told where the history is read
		}
		in := out[p.CaseID]
		if _, been := in.states[h.To]; !been {
			in.states[h.To] = p.Effective
		}
		def, err := e.Definition(h.Definition)
		if err != nil {
			continue
		}
		if st, ok := def.State(h.To); ok {
			if _, been := in.stages[st.Stage]; !been {
				in.stages[st.Stage] = p.Effective
			}
		}
	}
	return out, nil
}

// paceKept is how long what ended cases tell is remembered: a median moves slowly.
const paceKept = time.Hour

// paces remembers, by SUA, workflow and goal, when ended cases entered their stages and came to the goal.
type paces struct {
	mu   sync.Mutex
	kept map[[3]string]keptPace
}

type keptPace struct {
	at    time.Time
	cases []entries
}

// rest are the times that ended cases of the SUA needed from entering the stage in which c is now to the goal.
func (e *Engine) rest(ctx context.Context, c *store.Case, goal string, now time.Time) ([]time.Duration, error) {
	key := [3]string{c.SUA, c.Workflow, goal}
	e.paces.mu.Lock()
	kept, ok := e.paces.kept[key]
	e.paces.mu.Unlock()
	if !ok || now.Sub(kept.at) > paceKept || now.Before(kept.at) {
		ended, err := e.db.Ended(ctx, c.SUA, c.Workflow, goal, someCases)
		if err != nil {
			return nil, err
		}
		byID := map[string]*store.Case{}
		for i := range ended {
			byID[ended[i].ID] = &ended[i]
		}
		entered, err := e.stageEntries(ctx, byID)
		if err != nil {
			return nil, err
		}
		kept = keptPace{at: now}
		for _, id := range sortedKeys(entered) {
			kept.cases = append(kept.cases, entered[id])
		}
		e.paces.mu.Lock()
		if e.paces.kept == nil {
			e.paces.kept = map[[3]string]keptPace{}
		}
		e.paces.kept[key] = kept
		e.paces.mu.Unlock()
	}
	var out []time.Duration
	for _, x := range kept.cases {
		from, in := x.stages[c.Stage]
		to, done := x.states[goal]
		if in && done && !to.Before(from) {
			out = append(out, to.Sub(from))
		}
	}
	return out, nil
}
