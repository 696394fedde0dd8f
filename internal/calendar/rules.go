package calendar

import (
	"slices"
	"time"
)

// Unit is what a term is expressed in. The unit of a term and the rule that counts it must fit: see Rule.Counts.
type Unit string

// The units of terms. WorkingDays are counted only by the rule working_days.
const (
	Days        Unit = "days"
	Months      Unit = "months"
	Years       Unit = "years"
	Hours       Unit = "hours"
	WorkingDays Unit = "working_days"
)

// Rule is one way of counting a term. Workflows name it in `counted:`.
type Rule struct {
	Name  string // as workflows write it
	Label Text   // for lists and for the reference pages
	Law   string // where the way of counting comes from
	Mark  string // evidence of that source: V read, M from memory, P proposal of the product

	units    []Unit
	note     Text                                                // said when reach leads elsewhere than plain counting would
	reach    func(start Date, n int, unit Unit, h Holidays) Date // where n units lead, before any move
	rest     func(d Date, h Holidays) (Text, bool)               // days that cannot be the last one, and why; nil: never moved
	back     bool                                                // counted and moved towards the past
	national bool                                                // patron saints are ordinary days
}

// Counts reports whether the rule can count a term expressed in unit.
func (r Rule) Counts(unit Unit) bool { return slices.Contains(r.units, unit) }

// Backward reports whether the rule counts towards the past.
func (r Rule) Backward() bool { return r.back }

// rules is the closed list. A new way of counting is a new line here and a line in the tests, never an option of a caller.
var rules = []Rule{
	{Name: "calendar_roll", Mark: "V", Law: "art. 2963 c.c., art. 155 c. 4 c.p.c.",
		Label: Text{"Giorni di calendario; se l'ultimo è festivo, al primo non festivo", "Calendar days; a last day that is a holiday moves to the next day that is not"},
		units: []Unit{Days}, reach: forward, rest: holiday},
	{Name: "calendar_roll_saturday", Mark: "V", Law: "art. 155 c. 4-5 c.p.c., TAR Lazio 8791/2024",
		Label: Text{"Giorni di calendario; se l'ultimo è sabato o festivo, al primo giorno lavorativo", "Calendar days; a last day that is a Saturday or holiday moves to the next working day"},
		units: []Unit{Days}, reach: forward, rest: closed},
	{Name: "calendar", Mark: "V", Law: "art. 2963 c.c.",
		Label: Text{"Giorni, mesi o anni di calendario, senza spostamenti", "Calendar days, months or years, never moved"},
		units: []Unit{Days, Months, Years}, reach: forward},
	{Name: "months_roll", Mark: "V", Law: "art. 2963 c. 3-5 c.c.",
		Label: Text{"Mesi secondo il calendario; se l'ultimo giorno è festivo, al primo non festivo", "Calendar months; a last day that is a holiday moves to the next day that is not"},
		units: []Unit{Months}, reach: forward, rest: holiday},
	{Name: "months", Mark: "V", Law: "art. 2963 c. 4-5 c.c.",
		Label: Text{"Mesi secondo il calendario, senza spostamenti", "Calendar months, never moved"},
		units: []Unit{Months}, reach: forward},
	{Name: "years_roll", Mark: "V", Law: "art. 2963 c.c.",
		Label: Text{"Anni secondo il calendario; se l'ultimo giorno è festivo, al primo non festivo", "Calendar years; a last day that is a holiday moves to the next day that is not"},
		units: []Unit{Years}, reach: forward, rest: holiday},
	{Name: "eu_1182", Mark: "V", Law: "Reg. (CEE, Euratom) 1182/71 art. 2-3",
		Label: Text{"Termini UE: sabato e festivi nazionali spostano la fine; almeno due giorni lavorativi", "EU terms: Saturdays and national holidays move the end; at least two working days"},
		units: []Unit{Days, Months, Years}, reach: forwardEU, note: Text{"Il periodo deve comprendere almeno due giorni lavorativi.", "The period must contain at least two working days."},
		rest: closed, national: true},
	{Name: "hours", Mark: "M", Law: "Reg. (CEE, Euratom) 1182/71 art. 3",
		Label: Text{"Ore continue, senza spostamenti", "Hours that run without a break, never moved"},
		units: []Unit{Hours}},
	{Name: "working_days", Mark: "P", Law: "prassi interna",
		Label: Text{"Giorni lavorativi, dal lunedì al venerdì non festivi", "Working days, Monday to Friday without holidays"},
		units: []Unit{WorkingDays, Days}, reach: forwardWorking, rest: closed, note: Text{"Sabati, domeniche e festivi non si contano.", "Saturdays, Sundays and holidays are not counted."}},
	{Name: "backward", Mark: "P", Law: "art. 52 c. 4 c.p.a. per analogia",
		Label: Text{"A ritroso da una data; se sabato o festivo, al giorno lavorativo precedente", "Back from a date; a Saturday or holiday moves to the working day before"},
		units: []Unit{Days, Months}, reach: backward, rest: closed, back: true},
	{Name: "free_days", Mark: "V", Law: "art. 155 c.p.c.",
		Label: Text{"Giorni liberi: esclusi il primo e l'ultimo; se festivo, al primo non festivo", "Free days: first and last excluded; a holiday moves to the next day that is not"},
		units: []Unit{Days}, reach: forwardFree, rest: holiday, note: Text{"Anche il giorno finale è escluso (giorni liberi).", "The final day is excluded too (free days)."}},
	{Name: "court", Mark: "V", Law: "L. 742/1969 art. 1, art. 52 e 54 c.p.a., Ad. Plen. 4 e 18/2016",
		Label: Text{"Termini processuali: sospesi dal 1° al 31 agosto; sabato e festivi spostano la fine", "Court terms: suspended from 1 to 31 August; Saturdays and holidays move the end"},
		units: []Unit{Days, Months}, reach: forwardCourt, rest: closedCourt, note: Text{"I giorni dal 1° al 31 agosto non si contano (sospensione feriale).", "The days from 1 to 31 August are not counted (court suspension)."}},
	{Name: "standstill", Mark: "V", Law: "art. 18 c. 3 D.Lgs. 36/2023",
		Label: Text{"Stand-still: giorni di calendario interi, agosto compreso, senza spostamenti", "Standstill: full calendar days, August included, never moved"},
		units: []Unit{Days}, reach: forward},
}

// Rules lists every way of counting, in a fixed order.
func Rules() []Rule { return slices.Clone(rules) }

// Known reports whether a rule has this name.
func Known(name string) bool {
	_, ok := Lookup(name)
	return ok
}

// Lookup finds a rule by name.
func Lookup(name string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// The days that cannot be the last one, as Rule.rest wants them.

func holiday(d Date, h Holidays) (Text, bool) { return h.Holiday(d) }

func closed(d Date, h Holidays) (Text, bool) { return h.Closed(d) }

// closedCourt adds August: a term that would end on Saturday 31 July moves into the suspended month, and so on to September [P].
func closedCourt(d Date, h Holidays) (Text, bool) {
	if d.Month == time.August {
		return Text{"sospensione feriale", "August suspension"}, true
	}
	return h.Closed(d)
}

// The ways to the last day, as Rule.reach wants them. Adding n to the day of the event excludes that day and includes the last.

func forward(start Date, n int, unit Unit, _ Holidays) Date {
	switch unit {
	case Months:
		return start.AddMonths(n)
	case Years:
		return start.AddMonths(12 * n)
	default:
		return start.AddDays(n)
	}
}

func backward(start Date, n int, unit Unit, h Holidays) Date { return forward(start, -n, unit, h) }

func forwardFree(start Date, n int, unit Unit, h Holidays) Date {
	return forward(start, n, unit, h).AddDays(1)
}

// forwardEU moves the end on until the period has its two working days (Reg. 1182/71 art. 3 par. 5).
func forwardEU(start Date, n int, unit Unit, h Holidays) Date {
	end := forward(start, n, unit, h)
	if n == 0 || unit == Days && n == 1 {
		return end
	}
	if two := forwardWorking(start, 2, Days, h); two.After(end) {
		return two
	}
	return end
}

func forwardWorking(start Date, n int, _ Unit, h Holidays) Date {
	d := start
	for n > 0 {
		d = d.AddDays(1)
		if h.WorkingDay(d) {
			n--
		}
	}
	return d
}

// forwardCourt leaves out the days of August. An event in August (or on 31 July) thus has 1 September as its first counted day.
// Months follow the calendar, then as many days are added as fell in August.
func forwardCourt(start Date, n int, unit Unit, h Holidays) Date {
	if unit == Days {
		return skipAugust(start, n)
	}
	if start.Month == time.August {
		start.Day = 31
	}
	end, lost := forward(start, n, unit, h), 0
	for y := start.Year; y <= end.Year; y++ {
		first, last := Date{y, time.August, 1}, Date{y, time.August, 31}
		if first.After(start) && !first.After(end) {
			lost += min(last.Sub(first), end.Sub(first)) + 1
		}
	}
	return skipAugust(end, lost)
}

// skipAugust moves n days on without counting those of August.
func skipAugust(d Date, n int) Date {
	for n > 0 {
		d = d.AddDays(1)
		if d.Month != time.August {
			n--
		}
	}
	return d
}
