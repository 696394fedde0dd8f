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
	relative bool      // some of its days are counted from today
}

// step is one line: somebody opens, fires or attaches at a time, or the script says where a case must stand. A clock line only
// moves the time of the steps after it.
type step struct {
	line     int
	at       time.Time
	verb     string // open, fire, attach, linked, expect, late (a clock line of that kind)
	who      string // a name of the cast; empty in open: the first role that may
	path     string // of the case below the root; empty: the root
	event    string
	inputs   map[string]any // raw: string, nil, map or list
	acks     []engine.Acknowledgement
	revision int64
	key      string   // makes the request repeatable: the same line with the same key is done once
	types    []string // attach
	number   int      // expect: which of the cases opened so far, from 1; 0: the last
	state    string   // expect
}

var (
	pathShape  = regexp.MustCompile(`^[a-z_]+:[1-9][0-9]*(/[a-z_]+:[1-9][0-9]*)*$`)
	nameShape  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	inputShape = regexp.MustCompile(`^([a-z][a-z0-9_]*)=(.*)$`)
	orderShape = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)
)

// reader reads scenario lines; days are what relative ones are counted from, the zero value where they are not allowed.
type reader struct {
	days   days
	script script
	clock  time.Time
}

// read parses a scenario. Errors are *LineError, or the reader's.
func read(in io.Reader, from days) (script, error) {
	r := reader{days: from}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text, err := r.days.resolve(lines.Text())
		if err != nil {
			return script{}, wrong(n, "%v", err)
		}
		words, err := split(text)
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
	r.script.end, r.script.relative = r.clock, r.days.used
	return r.script, nil
}

func (r *reader) line(n int, words []string) error {
	switch {
	case words[0] == "workflow":
		if len(words) != 2 || r.script.workflow != "" {
			return wrong(n, "serve una sola riga «workflow id», la prima")
		}
		r.script.workflow = words[1]
		return nil
	case words[0] == "day":
		return r.name(n, words[1:])
	case words[0] == "clock":
		return r.move(n, words[1:])
	case r.script.workflow == "":
		return wrong(n, "prima di tutto serve «workflow id»")
	case r.clock.IsZero():
		return wrong(n, "prima di agire serve «clock 2026-03-02T09:00»")
	}
	s := step{line: n, at: r.clock, inputs: map[string]any{}}
	switch words[0] {
	case "expect":
		return r.expect(s, words[1:])
	case "linked":
		return r.linked(s, words[1:])
	case "open":
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

// expect reads "expect standstill", "expect lots:2 deserted" or "expect 1 lots:2 deserted".
func (r *reader) expect(s step, words []string) error {
	s.verb = "expect"
	if len(words) > 0 && orderShape.MatchString(words[0]) {
		s.number, _ = strconv.Atoi(words[0]) // the pattern leaves only digits
		words = words[1:]
	}
	if len(words) > 0 && pathShape.MatchString(words[0]) {
		s.path, words = words[0], words[1:]
	}
	if len(words) != 1 || !nameShape.MatchString(words[0]) || len(r.script.steps) == 0 {
		return wrong(s.line, "serve «expect stato» o «expect lots:2 stato», dopo che un caso è aperto")
	}
	s.state = words[0]
	r.script.steps = append(r.script.steps, s)
	return nil
}

// linked reads "linked" or "linked lots:2".
func (r *reader) linked(s step, words []string) error {
	s.verb = "linked"
	if len(words) > 0 && pathShape.MatchString(words[0]) {
		s.path, words = words[0], words[1:]
	}
	if len(words) != 0 || len(r.script.steps) == 0 {
		return wrong(s.line, "serve «linked» o «linked lots:2», dopo che un caso è aperto")
	}
	r.script.steps = append(r.script.steps, s)
	return nil
}

// name reads "day due 2026-03-02", where the day was said from another one.
func (r *reader) name(n int, words []string) error {
	if r.days.today.IsZero() || len(words) != 2 || !nameShape.MatchString(words[0]) {
		return wrong(n, "serve «day nome today-12wd», e solo in uno scenario che parte da oggi")
	}
	day, err := calendar.ParseDate(words[1])
	if err != nil {
		return wrong(n, "«%s» non è un giorno", words[1])
	}
	r.days.named[words[0]] = day
	return nil
}

// move reads a clock line.
func (r *reader) move(n int, words []string) error {
	late := len(words) == 2 && words[1] == "late"
	if late {
		words = words[:1]
	}
	if len(words) != 1 {
		return wrong(n, "serve «clock 2026-03-02T09:00»")
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, words[0], calendar.Rome); err == nil {
			if t.Before(r.clock) {
				return wrong(n, "l'orologio non torna indietro: %s viene prima di %s", words[0], r.clock.Format(layout))
			}
			r.clock = t
			if late && len(r.script.steps) > 0 {
				r.script.steps = append(r.script.steps, step{line: n, at: t, verb: "late"})
			}
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
	case "key":
		var err error
		if s.key, err = unquote(text); err != nil || s.key == "" {
			return fmt.Errorf("serve key=testo")
		}
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
	if last := len(words) - 1; last > 0 && strings.HasPrefix(words[last], "key=") {
		if err := s.input("key", words[last][len("key="):]); err != nil {
			return wrong(s.line, "%v", err)
		}
		words = words[:last]
	}
	for _, t := range strings.Split(strings.Join(words, " "), ",") {
		t = strings.TrimSpace(t)
		if !nameShape.MatchString(t) {
			return wrong(s.line, "«%s» non è un tipo di documento", t)
		}
		s.types = append(s.types, t)
	}
	return nil
}
