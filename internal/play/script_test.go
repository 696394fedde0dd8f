package play

import (
	"errors"
	"strings"
	"testing"

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
	f.Add("workflow w\nclock today-3dT09:00\nrup open begin x={a:[{b:c}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := read(strings.NewReader(text), relative(calendar.Date{Year: 2026, Month: 11, Day: 22}, calendar.Italy()))
		if err == nil && (s.workflow == "" || len(s.steps) == 0 || s.steps[0].verb != "open") {
			t.Errorf("accepted without a beginning: %+v", s)
		}
	})
}
