package sim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// attempt is an event that somebody tries on a case, with what is typed.
type attempt struct {
	who, path, verb string
	ev              *flow.Event
	def             *flow.Definition
	view            engine.CaseView // as it was when the attempt began; zero when the case is to be opened
	inputs          []string        // id=value
	acks            []string
	from, to        string // the move wanted of the event; empty: any
	same            bool   // asked again with the same inputs: only warnings were in the way
}

// line is the attempt as a scenario says it.
func (a *attempt) line() string {
	words := []string{a.who}
	if a.path != "" {
		words = append(words, a.path)
	}
	words = append(append(words, a.verb), a.inputs...)
	for _, code := range a.acks {
		words = append(words, "ack="+code+`:"Verificato"`)
	}
	return strings.Join(words, " ")
}

// fill types the inputs: mostly right ones, now and then something is missing or nonsense, or the revision is an old one.
func (w *walker) fill(a *attempt) {
	if a.same {
		a.same = false
		return
	}
	a.inputs, a.acks = nil, nil
	inputs := a.ev.Inputs
	wrong := -1
	if len(inputs) > 0 && w.chance(0.07) {
		wrong = w.r.IntN(len(inputs))
	}
	hundred := w.r.IntN(101) // whole numbers of one form are often parts of a hundred
	lesson := w.lesson(a)
	for i := range inputs {
		in := &inputs[i]
		value, typed, out := w.taught(lesson, a, in)
		switch {
		case in.State && a.to != "" && i != wrong && slices.ContainsFunc(in.Of, func(c flow.Choice) bool { return c.ID == a.to }):
			value = a.to
		case out:
			continue
		case typed && i != wrong:
		case i == wrong:
			if value = pick(w, nonsense); value == "" {
				continue
			}
		case in.Optional && w.chance(skipped(in)):
			continue
		case in.Kind == flow.InputRow:
			value = w.row(a, in, 0)
		case in.Kind == flow.InputRows:
			value = w.rows(a, in)
		case in.Type == flow.TypeInt && w.chance(0.3):
			value, hundred = strconv.Itoa(hundred), 100-hundred
		case in.ID == "effective":
			value = w.past(in.Type)
		default:
			value = w.value(a, in.Type, in.Of)
		}
		a.inputs = append(a.inputs, in.ID+"="+value)
	}
	if a.view.ID != "" && w.chance(0.05) {
		a.inputs = append(a.inputs, fmt.Sprintf("revision=%d", max(1, a.view.Revision-int64(w.r.IntN(3))+1)))
	}
}

// nonsense is what people type by mistake or malice; empty: the input is left out.
var nonsense = []string{"", "", "null", `""`, `"sciocchezza"`, "-7", "99999999999999999999", "si", "{a:1}", "[x, y]", "2026-02-30", `"<b>'; --"`, "[]", "{}"}

// skipped is how often an optional input is left out.
func skipped(in *flow.Input) float64 {
	if in.ID == "effective" {
		return 0.7
	}
	return 0.25
}

// row types a row; number is the one to change, 0 for a new one.
func (w *walker) row(a *attempt, in *flow.Input, number int) string {
	var cells []string
	if number > 0 {
		cells = append(cells, fmt.Sprintf("row:%d", number))
	}
	for _, c := range in.Columns {
		if number > 0 && w.chance(0.05) {
			continue
		}
		cells = append(cells, c.ID+":"+w.value(a, c.Type, c.Of))
	}
	return "{" + strings.Join(cells, ", ") + "}"
}

// rows changes mostly every row that is there.
func (w *walker) rows(a *attempt, in *flow.Input) string {
	var list []string
	for _, reg := range a.view.Registers {
		if reg.Register.ID != in.Register {
			continue
		}
		for _, r := range reg.Rows {
			if w.chance(0.92) {
				list = append(list, w.row(a, in, r.Row))
			}
		}
	}
	if len(list) == 0 {
		list = []string{w.row(a, in, 1+w.r.IntN(2))}
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// samples are codes with right check characters, or right forms.
var samples = map[flow.Type][]string{
	flow.TypeCIG:  {"B24DA5677B", "A0080CB958"},
	flow.TypeCUP:  {"B18E18000340009"},
	flow.TypeCUI:  {"L80009330285202600007"},
	flow.TypeCPV:  {"45214200-2"},
	flow.TypeNUTS: {"ITH36"},
}

var firms = []string{"Alfa srl", "Beta srl", "Gamma spa", "Delta scarl"}

// value types a value that is right by its type, near what the case knows and what refusals have said.
func (w *walker) value(a *attempt, t flow.Type, of []flow.Choice) string {
	if codes := samples[t]; codes != nil {
		return pick(w, codes)
	}
	switch t {
	case flow.TypeBool:
		if w.chance(0.7) {
			return "si"
		}
		return "no"
	case flow.TypeInt:
		return strconv.Itoa(pick(w, []int{0, 1, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 100, 180, 300, 365}))
	case flow.TypeMoney:
		return w.money(a)
	case flow.TypePercent:
		return pick(w, []string{"0", "0.5", "1", "2", "5", "7.25", "10", "12.35", "15", "20", "25", "30", "50", "80", "100"})
	case flow.TypeDate:
		return w.day(a).String()
	case flow.TypeInstant:
		return w.day(a).String() + fmt.Sprintf("T%02d:00", 8+w.r.IntN(11))
	case flow.TypeChoice:
		return pick(w, of).ID
	case flow.TypeBody:
		memberBody, sua := w.s.Owners()
		return pick(w, []string{memberBody, sua})
	case flow.TypePerson:
		return pick(w, w.s.Cast())
	}
	return strconv.Quote(w.text(a))
}

// text is a firm, one of those in the registers first, or words that stand nowhere else.
func (w *walker) text(a *attempt) string {
	if w.chance(0.55) {
		var known []string
		for _, reg := range a.view.Registers {
			for _, r := range reg.Rows {
				if name, ok := r.Values["operator"].(string); ok && slices.Contains(firms, name) {
					known = append(known, name)
				}
			}
		}
		if len(known) > 0 && w.chance(0.6) {
			return pick(w, known)
		}
		return pick(w, firms)
	}
	w.fresh++
	return fmt.Sprintf("Parole k%dx", w.fresh)
}

// money is an amount of the case or a part of one, what a refusal named, or any.
func (w *walker) money(a *attempt) string {
	var known []int64
	for _, f := range a.view.Fields {
		if cents, ok := f.Value.(int64); ok && f.Field.Type == flow.TypeMoney && cents > 0 {
			known = append(known, cents)
		}
	}
	switch {
	case len(w.amounts) > 0 && w.chance(0.6):
		return pick(w, w.amounts)
	case len(known) > 0 && w.chance(0.6):
		cents := pick(w, known) * int64(pick(w, []int{100, 100, 80, 50, 20, 10, 10, 5, 2})) / 100
		return euro(cents)
	}
	top := pick(w, []int64{5_000_00, 60_000_00, 140_000_00, 200_000_00, 200_000_00, 900_000_00, 4_000_000_00, 9_000_000_00})
	return euro(top/2 + w.r.Int64N(top/2))
}

func euro(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// day is one that a refusal named or the case knows, or some time from now; mostly a working day.
func (w *walker) day(a *attempt) calendar.Date {
	now := calendar.DateOf(w.s.Now())
	day := now.AddDays(pick(w, []int{-30, -10, -3, -1, 0, 0, 1, 2, 5, 10, 15, 20, 31, 33, 36, 45, 60, 90, 180, 365}))
	var known []calendar.Date
	for _, f := range a.view.Fields {
		if d, ok := dayOf(f.Value); ok {
			known = append(known, d)
		}
	}
	switch {
	case len(w.dates) > 0 && w.chance(0.7):
		day = pick(w, w.dates).AddDays(pick(w, []int{-1, 0, 0, 1, 1, 3, 7}))
	case len(known) > 0 && w.chance(0.3):
		day = pick(w, known).AddDays(pick(w, []int{-3, -1, 0, 1, 2, 10, 30, 60}))
	}
	if w.chance(0.8) {
		day = calendar.Italy().NextWorkingDay(day)
	}
	return day
}

func dayOf(v any) (calendar.Date, bool) {
	text, ok := v.(string)
	if !ok {
		return calendar.Date{}, false
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return calendar.DateOf(at), true
	}
	d, err := calendar.ParseDate(text)
	return d, err == nil
}

// past is when something took effect: now, or some days ago.
func (w *walker) past(t flow.Type) string {
	if t == flow.TypeInstant {
		return w.s.Now().Add(-time.Duration(w.r.IntN(72)) * time.Hour).In(calendar.Rome).Format(clockForm)
	}
	return calendar.DateOf(w.s.Now()).AddDays(-w.r.IntN(5)).String()
}

var (
	dayInWords = regexp.MustCompile(`([0-9]{1,2})°? (gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre) ([0-9]{4})`)
	euros      = regexp.MustCompile(`[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{2}\b`)
	months     = []string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}
)

// named are the days and amounts that a sentence names.
func named(sentence string) (days []calendar.Date, amounts []string) {
	for _, m := range dayInWords.FindAllStringSubmatch(sentence, -1) {
		day, _ := strconv.Atoi(m[1])
		year, _ := strconv.Atoi(m[3])
		text := fmt.Sprintf("%04d-%02d-%02d", year, slices.Index(months, m[2])+1, day)
		if d, err := calendar.ParseDate(text); err == nil {
			days = append(days, d)
		}
	}
	for _, m := range euros.FindAllString(sentence, -1) {
		amounts = append(amounts, strings.ReplaceAll(strings.ReplaceAll(m, ".", ""), ",", "."))
	}
	return days, amounts
}
