package play

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// LineError says which line of a scenario cannot be played, and why (Italian, for who writes it).
type LineError struct {
	Line   int // from 1
	Reason string
}

// Error gives line and reason.
func (e *LineError) Error() string { return fmt.Sprintf("riga %d: %s", e.Line, e.Reason) }

func wrong(line int, format string, args ...any) error {
	return &LineError{line, fmt.Sprintf(format, args...)}
}

// script is a parsed scenario.
type script struct {
	workflow string
	steps    []step
	end      time.Time // where the last clock line leaves the time
}

// step is one line: somebody opens, fires or attaches at a time. A clock line only moves the time of the steps after it.
type step struct {
	line     int
	at       time.Time
	verb     string // open, fire, attach
	who      string // a name of the cast; empty in open: the first role that may
	path     string // of the case below the root; empty: the root
	event    string
	inputs   map[string]any // raw: string, nil, map or list
	acks     []engine.Acknowledgement
	revision int64
	types    []string // attach
}

var (
	pathShape  = regexp.MustCompile(`^[a-z_]+:[1-9][0-9]*(/[a-z_]+:[1-9][0-9]*)*$`)
	nameShape  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	inputShape = regexp.MustCompile(`^([a-z][a-z0-9_]*)=(.*)$`)
	todayShape = regexp.MustCompile(`\btoday(?:([+-][0-9]{1,4})d)?`)
)

// reader reads scenario lines; today is what relative days refer to, zero where they are not allowed.
type reader struct {
	today  calendar.Date
	script script
	clock  time.Time
}

// read parses a scenario. Errors are *LineError, or the reader's.
func read(in io.Reader, today calendar.Date) (script, error) {
	r := reader{today: today}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		words, err := split(r.resolve(lines.Text()))
		if err != nil {
			return script{}, wrong(n, "%v", err)
		}
		if len(words) == 0 {
			continue
		}
		if err := r.line(n, words); err != nil {
			return script{}, err
		}
	}
	if err := lines.Err(); err != nil {
		return script{}, fmt.Errorf("read scenario: %w", err)
	}
	if r.script.workflow == "" || len(r.script.steps) == 0 {
		return script{}, wrong(1, "lo scenario deve dire il workflow e aprire un caso")
	}
	r.script.end = r.clock
	return r.script, nil
}

// resolve turns today-6d into a date.
func (r *reader) resolve(line string) string {
	if r.today.IsZero() {
		return line
	}
	return todayShape.ReplaceAllStringFunc(line, func(s string) string {
		days, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(s, "today"), "d")) // the pattern leaves only digits, or nothing: 0
		return r.today.AddDays(days).String()
	})
}

func (r *reader) line(n int, words []string) error {
	switch {
	case words[0] == "workflow":
		if len(words) != 2 || r.script.workflow != "" {
			return wrong(n, "serve una sola riga «workflow id», la prima")
		}
		r.script.workflow = words[1]
		return nil
	case words[0] == "clock":
		return r.move(n, words[1:])
	case r.script.workflow == "":
		return wrong(n, "prima di tutto serve «workflow id»")
	case r.clock.IsZero():
		return wrong(n, "prima di agire serve «clock 2026-03-02T09:00»")
	}
	s := step{line: n, at: r.clock, inputs: map[string]any{}}
	if words[0] == "open" {
		words = append([]string{""}, words...)
	}
	s.who, words = words[0], words[1:]
	if s.who != "" && !nameShape.MatchString(s.who) {
		return wrong(n, "«%s» non è il nome di un ruolo", s.who)
	}
	if len(words) > 0 && pathShape.MatchString(words[0]) {
		s.path, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return wrong(n, "manca l'evento")
	}
	if err := s.rest(words); err != nil {
		return err
	}
	if len(r.script.steps) == 0 && s.verb != "open" {
		return wrong(n, "per prima cosa uno scenario apre un caso")
	}
	r.script.steps = append(r.script.steps, s)
	return nil
}

// move reads a clock line.
func (r *reader) move(n int, words []string) error {
	if len(words) != 1 {
		return wrong(n, "serve «clock 2026-03-02T09:00»")
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, words[0], calendar.Rome); err == nil {
			if t.Before(r.clock) {
				return wrong(n, "l'orologio non torna indietro: %s viene prima di %s", words[0], r.clock.Format(layout))
			}
			r.clock = t
			return nil
		}
	}
	return wrong(n, "«%s» non è un momento come 2026-03-02T09:00", words[0])
}

// rest reads what follows the role and the path.
func (s *step) rest(words []string) error {
	verb := words[0]
	words = words[1:]
	switch verb {
	case "attach":
		s.verb = "attach"
		return s.documents(words)
	case "open":
		s.verb = "open"
		if len(words) > 0 && nameShape.MatchString(words[0]) {
			s.event, words = words[0], words[1:]
		}
	default:
		s.verb, s.event = "fire", verb
		if !nameShape.MatchString(verb) {
			return wrong(s.line, "«%s» non è il nome di un evento", verb)
		}
	}
	for _, w := range words {
		m := inputShape.FindStringSubmatch(w)
		if m == nil {
			return wrong(s.line, "«%s»: serve dato=valore", w)
		}
		if err := s.input(m[1], m[2]); err != nil {
			return wrong(s.line, "%s: %v", m[1], err)
		}
	}
	return nil
}

func (s *step) input(key, text string) error {
	switch key {
	case "ack":
		code, reason, found := strings.Cut(text, ":")
		reason, err := unquote(reason)
		if !found || err != nil {
			return fmt.Errorf("serve ack=codice:\"motivo\"")
		}
		s.acks = append(s.acks, engine.Acknowledgement{Code: code, Reason: reason})
		return nil
	case "revision":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return fmt.Errorf("«%s» non è una revisione", text)
		}
		s.revision = n
		return nil
	}
	if _, twice := s.inputs[key]; twice {
		return fmt.Errorf("dato due volte")
	}
	value, err := parseValue(text)
	if err != nil {
		return err
	}
	s.inputs[key] = value
	return nil
}

// documents reads "request_form, rup_appointment".
func (s *step) documents(words []string) error {
	for _, t := range strings.Split(strings.Join(words, " "), ",") {
		t = strings.TrimSpace(t)
		if !nameShape.MatchString(t) {
			return wrong(s.line, "«%s» non è un tipo di documento", t)
		}
		s.types = append(s.types, t)
	}
	return nil
}
