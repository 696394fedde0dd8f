package play

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/province-comuni/sua/internal/calendar"
)

const opened = "workflow w\nclock 2026-03-02T09:00\nopen\n"

func TestBadLinesNameThemselves(t *testing.T) {
	for _, c := range []struct{ scenario, want string }{
		{"", "riga 1: lo scenario deve dire il workflow e aprire un caso"},
		{"workflow w\nclock 2026-03-02T09:00\n", "riga 1: lo scenario deve dire il workflow e aprire un caso"},
		{"clock 2026-03-02T09:00\nopen\n", "riga 2: prima di tutto serve «workflow id»"},
		{"workflow w\nopen\n", "riga 2: prima di agire serve «clock 2026-03-02T09:00»"},
		{"workflow a\nworkflow b\n", "riga 2: serve una sola riga «workflow id», la prima"},
		{"workflow w\nclock domani\n", "riga 2: «domani» non è un momento come 2026-03-02T09:00"},
		{"workflow w\nclock 2026-02-30T09:00\n", "riga 2: «2026-02-30T09:00» non è un momento come 2026-03-02T09:00"},
		{"workflow w\nclock\n", "riga 2: serve «clock 2026-03-02T09:00»"},
		{opened + "clock 2026-03-01T09:00\n", "riga 4: l'orologio non torna indietro: 2026-03-01T09:00 viene prima di 2026-03-02T09:00"},
		{"workflow w\nclock 2026-03-02T09:00\nrup submit\n", "riga 3: per prima cosa uno scenario apre un caso"},
		{opened + "rup\n", "riga 4: manca l'evento"},
		{opened + "rup lots:1\n", "riga 4: manca l'evento"},
		{opened + "RUP submit\n", "riga 4: «RUP» non è il nome di un ruolo"},
		{opened + "rup lots:0 edit\n", "riga 4: «lots:0» non è il nome di un evento"},
		{opened + "rup submit title\n", "riga 4: «title»: serve dato=valore"},
		{opened + "rup submit title=\"aperto\n", "riga 4: virgolette non chiuse"},
		{opened + "rup submit bid={operator:x\n", "riga 4: parentesi non chiuse"},
		{opened + "rup submit bid={operator}\n", "riga 4: bid: «operator»: serve colonna:valore"},
		{opened + "rup submit a=1 a=2\n", "riga 4: a: dato due volte"},
		{opened + "rup submit a=b\"c\"\n", "riga 4: a: virgolette fuori posto in b\"c\""},
		{opened + "rup submit ack=codice\n", "riga 4: ack: serve ack=codice:\"motivo\""},
		{opened + "rup submit revision=ieri\n", "riga 4: revision: «ieri» non è una revisione"},
		{opened + "rup attach\n", "riga 4: «» non è un tipo di documento"},
		{opened + "rup attach request_form, Modulo\n", "riga 4: «Modulo» non è un tipo di documento"},
	} {
		_, err := read(strings.NewReader(c.scenario), days{})
		var bad *LineError
		if !errors.As(err, &bad) || err.Error() != c.want {
			t.Errorf("%q: %v, want %q", c.scenario, err, c.want)
		}
	}
}

func TestLineIsRead(t *testing.T) {
	s, err := read(strings.NewReader(opened+`sua_clerk lots:1/remedies:2 record  # a comment
		title="Due parole # non un commento" empty= gone=null revision=7 ack=odd:"perché sì"`+"\n"), days{})
	if err == nil {
		t.Fatalf("a line of inputs alone is no step: %+v", s.steps)
	}
	s, err = read(strings.NewReader(opened+`sua_clerk lots:1/remedies:2 record title="Due parole # qui" empty= gone=null revision=7 ack=odd:"perché sì" `+
		`rows=[{row:1, at:2026-03-02T09:00, who:"Alfa, Beta: srl"}, {row:2, note:null}] # fine`+"\n"), days{})
	if err != nil {
		t.Fatal(err)
	}
	got := s.steps[1]
	want := map[string]any{
		"title": "Due parole # qui", "empty": "", "gone": nil,
		"rows": []any{
			map[string]any{"row": "1", "at": "2026-03-02T09:00", "who": "Alfa, Beta: srl"},
			map[string]any{"row": "2", "note": nil},
		},
	}
	if diff := cmp.Diff(want, got.inputs); diff != "" {
		t.Error(diff)
	}
	if got.who != "sua_clerk" || got.path != "lots:1/remedies:2" || got.event != "record" || got.revision != 7 || got.line != 4 ||
		len(got.acks) != 1 || got.acks[0].Code != "odd" || got.acks[0].Reason != "perché sì" {
		t.Errorf("%+v", got)
	}
}

func TestRelativeDays(t *testing.T) {
	today := calendar.Date{Year: 2028, Month: 3, Day: 1}
	s, err := read(strings.NewReader("workflow w\nclock today-1dT09:00\nopen begin due=today+30d on=today note=\"yesterday today-1d\"\n"), relative(today, calendar.Italy()))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"due": "2028-03-31", "on": "2028-03-01", "note": "yesterday 2028-02-29"}
	if diff := cmp.Diff(want, s.steps[0].inputs); diff != "" {
		t.Error(diff)
	}
	if got := s.steps[0].at.Format("2006-01-02T15:04"); got != "2028-02-29T09:00" {
		t.Errorf("clock = %s", got)
	}
	if _, err := read(strings.NewReader("workflow w\nclock today-1dT09:00\n"), days{}); err == nil {
		t.Error("a scenario without a day of its own takes relative days")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(opened + `rup lots:1 e a=[{row:1, b:"x"}] ack=c:"d" revision=2`)
	f.Add(opened + "clock 2026-10-25T02:30 late\nrup attach a, b key=k1\nlinked lots:1\nexpect 1 lots:2 done\n")
	f.Add("workflow w\nclock today-3dT09:00\nrup open begin x={a:[{b:c}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := read(strings.NewReader(text), relative(calendar.Date{Year: 2026, Month: 11, Day: 22}, calendar.Italy()))
		if err == nil && (s.workflow == "" || len(s.steps) == 0 || s.steps[0].verb != "open") {
			t.Errorf("accepted without a beginning: %+v", s)
		}
	})
}

// A day is counted from today or from a day that was named, in days of the calendar, in working days, and on to a working day.
func TestRelativeExpressions(t *testing.T) {
	at := func(month time.Month, day int) calendar.Date {
		return calendar.Date{Year: 2026, Month: month, Day: day}
	}
	for _, c := range []struct {
		today calendar.Date
		line  string
		want  string
	}{
		{at(4, 8), "today today-1d today+30d", "2026-04-08 2026-04-07 2026-05-08"},
		{at(4, 8), "today-1wd today-2wd today-3wd", "2026-04-07 2026-04-03 2026-04-02"}, // Easter Monday on the 6th
		{at(4, 3), "today+1wd~ today+1d~ today~", "2026-04-07 2026-04-07 2026-04-03"},
		{at(6, 12), "today+1d~ today+1wd", "2026-06-15 2026-06-15"},
		{at(6, 11), "today+2d today+2d~T12:00", "2026-06-13 2026-06-15T12:00"},
		{at(12, 24), "today+1d~ today+1d~+2wd-1d", "2026-12-28 2026-12-29"},
		{at(11, 22), "a=@due b=@due+1wd c=\"due @due\"", "a=2026-11-30 b=2026-12-01 c=\"due 2026-11-30\""},
		{at(11, 22), "yesterday todayish a@b.it", "yesterday todayish a@b.it"},
	} {
		d := relative(c.today, calendar.Italy(calendar.MonthDay{Month: time.June, Day: 13}))
		d.named["due"] = at(11, 30)
		if got, err := d.resolve(c.line); err != nil || got != c.want {
			t.Errorf("%s on %s = %q (%v), want %q", c.line, c.today, got, err, c.want)
		}
	}
}

func TestNamedDaysAndExpectations(t *testing.T) {
	from := relative(calendar.Date{Year: 2026, Month: 11, Day: 23}, calendar.Italy())
	s, err := read(strings.NewReader("workflow w\nday out today-3wd\nday due @out+1d~\nclock @dueT09:00\nopen\nlinked lots:2\nexpect 1 lots:2/a:1 done\nexpect ended\n"), from)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.steps[0].at.Format(time.DateOnly); got != "2026-11-19" || !s.relative {
		t.Errorf("clock on %s, relative %v", got, s.relative)
	}
	link, first, last := s.steps[1], s.steps[2], s.steps[3]
	if link.verb != "linked" || link.path != "lots:2" || first.number != 1 || first.path != "lots:2/a:1" || first.state != "done" || last.number != 0 || last.state != "ended" {
		t.Errorf("%+v", s.steps)
	}
	for _, c := range []struct{ scenario, want string }{
		{"workflow w\nclock @dueT09:00\nopen\n", "riga 2: nessuna riga «day due …» prima di questa"},
		{"workflow w\nday due\n", "riga 2: serve «day nome today-12wd», e solo in uno scenario che parte da oggi"},
		{"workflow w\nday due domani\n", "riga 2: «domani» non è un giorno"},
		{opened + "expect\n", "riga 4: serve «expect stato» o «expect lots:2 stato», dopo che un caso è aperto"},
		{"workflow w\nclock 2026-03-02T09:00\nexpect done\n", "riga 3: serve «expect stato» o «expect lots:2 stato», dopo che un caso è aperto"},
		{opened + "linked lots:2 more\n", "riga 4: serve «linked» o «linked lots:2», dopo che un caso è aperto"},
	} {
		_, err := read(strings.NewReader(c.scenario), relative(calendar.Date{Year: 2026, Month: 11, Day: 23}, calendar.Italy()))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %q", c.scenario, err, c.want)
		}
	}
	if _, err := read(strings.NewReader("workflow w\nday due today\n"), days{}); err == nil {
		t.Error("a scenario of dates names a day from today")
	}
}

// A late clock leaves what ended on the way until the next step is done: the person is in time as long as nobody has looked.
func TestLateClock(t *testing.T) {
	s, err := read(strings.NewReader("workflow w\nclock 2026-03-02T09:00\nopen\nclock 2026-04-02T09:00 late\nrup submit key=k1\nrup attach a, b key=\"k 2\"\n"), days{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.steps) != 4 || s.steps[1].verb != "late" || s.steps[2].key != "k1" || s.steps[3].key != "k 2" || len(s.steps[3].types) != 2 {
		t.Errorf("%+v", s.steps)
	}
	for _, line := range []string{"clock 2026-04-02T09:00 presto", "clock late", "rup submit key=", `rup attach a key=""`} {
		if _, err := read(strings.NewReader(opened+line+"\n"), days{}); err == nil {
			t.Errorf("%q was taken", line)
		}
	}
}
