package play

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/province-comuni/sua/internal/calendar"
)

// relativeShape is a day said from another one: today, today-12wd, @due+32d~.
var (
	relativeShape = regexp.MustCompile(`(?:\btoday\b|\B@[a-z][a-z0-9_]*)(?:[+-][0-9]{1,4}(?:wd|d)\b?|~)*`)
	moveShape     = regexp.MustCompile(`[+-][0-9]{1,4}(?:wd|d)|~`)
	baseShape     = regexp.MustCompile(`^@?[a-z][a-z0-9_]*`)
)

// days are what a script of the demonstration counts from: today, and the days it has named. The zero value knows none, and
// leaves every line as it is.
type days struct {
	today    calendar.Date
	holidays calendar.Holidays // of the SUA's seat: its working days count
	named    map[string]calendar.Date
	used     bool // some line has counted from them
}

// relative are the days of a script that begins from today.
func relative(today calendar.Date, holidays calendar.Holidays) days {
	return days{today: today, holidays: holidays, named: map[string]calendar.Date{}}
}

// resolve writes every relative day of a line as a date. The error says which day has no name, or stands outside the calendar.
func (d *days) resolve(line string) (string, error) {
	if d.today.IsZero() {
		return line, nil
	}
	var bad error
	out := relativeShape.ReplaceAllStringFunc(line, func(s string) string {
		d.used = true
		day, err := d.day(s)
		if err != nil {
			bad = err
			return s
		}
		return day.String()
	})
	return out, bad
}

// day reads an expression: a base, then moves from left to right.
func (d *days) day(expression string) (calendar.Date, error) {
	base := baseShape.FindString(expression)
	day := d.today
	if base[0] == '@' {
		var found bool
		if day, found = d.named[base[1:]]; !found {
			return day, fmt.Errorf("nessuna riga «day %s …» prima di questa", base[1:])
		}
	}
	for _, move := range moveShape.FindAllString(expression[len(base):], -1) {
		day = d.move(day, move)
	}
	return day, nil
}

// move is one step of an expression: -6d, +12wd, or ~, which leaves a working day and moves any other to the next one.
func (d *days) move(day calendar.Date, move string) calendar.Date {
	if move == "~" {
		return d.holidays.NextWorkingDay(day)
	}
	unit := len(move) - 1
	working := move[unit-1] == 'w'
	if working {
		unit--
	}
	n, _ := strconv.Atoi(move[:unit]) // the pattern leaves a sign and digits
	if !working {
		return day.AddDays(n)
	}
	for ; n > 0; n-- {
		day = d.holidays.NextWorkingDay(day.AddDays(1))
	}
	for ; n < 0; n++ {
		day = d.holidays.PreviousWorkingDay(day.AddDays(-1))
	}
	return day
}
