package sim

import (
	"regexp"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
)

// lesson is what a scenario typed for an event: values that fit each other, which chance hardly finds. Days are told from the clock of
// the scenario, and move with it.
type lesson struct {
	at     time.Time
	inputs map[string]string // by id, as typed
}

// lessons reads scenarios into lessons by workflow and event. Lines that are not understood teach nothing.
func lessons(scenarios []string, latest map[string]*flow.Definition) map[string][]lesson {
	out := map[string][]lesson{}
	for _, text := range scenarios {
		var root *flow.Definition
		var now time.Time
		for line := range strings.Lines(text) {
			words, err := play.Words(line)
			if err != nil || len(words) < 2 {
				continue
			}
			switch words[0] {
			case "workflow":
				root = latest[words[1]]
				continue
			case "clock":
				if at, err := time.ParseInLocation(clockForm, words[1], calendar.Rome); err == nil {
					now = at
				}
				continue
			case "open": // by the system
			default:
				words = words[1:]
			}
			def := root
			if strings.Contains(words[0], ":") {
				def, words = below(root, words[0], latest), words[1:]
			}
			if len(words) > 1 && words[0] == "open" {
				words = words[1:]
			}
			if def == nil || len(words) < 2 || now.IsZero() {
				continue
			}
			if ev, known := def.Event(words[0]); known {
				l := lesson{at: now, inputs: map[string]string{}}
				for _, w := range words[1:] {
					if id, value, ok := strings.Cut(w, "="); ok {
						l.inputs[id] = value
					}
				}
				key := def.Workflow + " " + ev.ID
				out[key] = append(out[key], l)
			}
		}
	}
	return out
}

// below is the workflow of the case on a path such as lots:1/contract:1; nil when there is none.
func below(def *flow.Definition, path string, latest map[string]*flow.Definition) *flow.Definition {
	for part := range strings.SplitSeq(path, "/") {
		if def == nil {
			return nil
		}
		id, _, _ := strings.Cut(part, ":")
		c, ok := def.Child(id)
		if !ok {
			return nil
		}
		def = latest[c.Workflow]
	}
	return def
}

var typedDay = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}`)

// moved writes a value of a lesson as it would be typed now: its days as far from today as they were from the day of the lesson, and
// mostly working days as those were.
func (l lesson) moved(value string, now time.Time) string {
	days := calendar.DateOf(now).Sub(calendar.DateOf(l.at))
	return typedDay.ReplaceAllStringFunc(value, func(text string) string {
		d, err := calendar.ParseDate(text)
		if err != nil {
			return text
		}
		return calendar.Italy().NextWorkingDay(d.AddDays(days)).String()
	})
}

// lesson picks one of an event now and then; nil: the walker makes up what it types.
func (w *walker) lesson(a *attempt) *lesson {
	list := w.lessons[a.def.Workflow+" "+a.ev.ID]
	if len(list) == 0 || !w.chance(0.6) {
		return nil
	}
	return &list[w.r.IntN(len(list))]
}

// taught is what a lesson types for an input, and whether it types it or leaves it out as one may. Rows that are not there are not changed.
func (w *walker) taught(l *lesson, a *attempt, in *flow.Input) (value string, typed, out bool) {
	if l == nil || w.chance(0.06) {
		return "", false, false
	}
	value, typed = l.inputs[in.ID]
	switch {
	case !typed:
		return "", false, in.Optional
	case in.Kind == flow.InputRows && strings.Count(value, "row:") > rowsOf(a, in.Register):
		return "", false, false
	}
	return l.moved(value, w.s.Now()), true, false
}

func rowsOf(a *attempt, register string) int {
	for _, reg := range a.view.Registers {
		if reg.Register.ID == register {
			return len(reg.Rows)
		}
	}
	return 0
}
