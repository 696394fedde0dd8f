package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// counted is a finished count on its way to becoming sentences.
type counted struct {
	rule    Rule
	start   Date
	n       int
	unit    Unit
	reached Date   // where counting led
	reasons []Text // why that day, and those after it, cannot be the last
	last    Date
	first   Date
}

// explain tells the count in the order in which a person would check it on a wall calendar.
func (c counted) explain() Text {
	s, r, l := c.start.text(), c.reached.text(), c.last.text()
	length, over, first := quantity(c.n, c.unit), c.last.AddDays(1).text(), c.first.text()
	t := Text{
		fmt.Sprintf("Il giorno iniziale (%s) è escluso.", s.IT),
		fmt.Sprintf("The first day (%s) is excluded.", s.EN),
	}
	if c.rule.back {
		t = Text{
			fmt.Sprintf("Si conta a ritroso e il giorno di riferimento (%s) è escluso.", s.IT),
			fmt.Sprintf("The count runs backward and the day it starts from (%s) is excluded.", s.EN),
		}
	} else if c.reached != forward(c.start, c.n, c.unit, Holidays{}) {
		t = t.and(c.rule.note)
	}
	t = t.and(Text{
		fmt.Sprintf("Contando %s si arriva a %s%s.", length.IT, r.IT, c.moved().IT),
		fmt.Sprintf("Counting %s leads to %s%s.", length.EN, r.EN, c.moved().EN),
	})
	if c.rule.back {
		return t.and(Text{
			fmt.Sprintf("Va fatto entro la fine di %s.", l.IT),
			fmt.Sprintf("It must be done by the end of %s.", l.EN),
		})
	}
	return t.and(Text{
		fmt.Sprintf("Ultimo giorno: %s; il termine è compiuto dalle 00:00 di %s. Primo giorno lavorativo successivo: %s.", l.IT, over.IT, first.IT),
		fmt.Sprintf("Last day: %s; the term is over from 00:00 of %s. First working day after it: %s.", l.EN, over.EN, first.EN),
	})
}

// moved tells why and where the reached day was moved; empty when it was not.
func (c counted) moved() Text {
	if len(c.reasons) == 0 {
		return Text{}
	}
	var why Text
	for i, r := range c.reasons {
		if slices.Contains(c.reasons[:i], r) {
			continue // one word is enough for the thirty-one days of August
		}
		if i > 0 {
			why.IT, why.EN = why.IT+", ", why.EN+", "
		}
		why.IT, why.EN = why.IT+r.IT, why.EN+r.EN
	}
	l := c.last.text()
	it, en := "il termine è prorogato a", "the term moves on to"
	if c.rule.back {
		it, en = "il termine è anticipato a", "the term moves back to"
	}
	return Text{
		fmt.Sprintf(", che non può essere l'ultimo giorno (%s): %s %s", why.IT, it, l.IT),
		fmt.Sprintf(", which cannot be the last day (%s): %s %s", why.EN, en, l.EN),
	}
}

func explainHours(start, due time.Time, n int) Text {
	length, from, to := quantity(n, Hours), instant(start), instant(due)
	return Text{
		fmt.Sprintf("Le ore corrono senza interruzioni, anche di sabato e nei festivi, da %s. Dopo %s il termine è compiuto: %s.", from.IT, length.IT, to.IT),
		fmt.Sprintf("The hours run without a break, on Saturdays and holidays too, from %s. After %s the term is over: %s.", from.EN, length.EN, to.EN),
	}
}

// instant writes day and hour as clocks in Rome show them.
func instant(t time.Time) Text {
	day, clock := DateOf(t).text(), t.In(Rome).Format("15:04")
	return Text{day.IT + ", ore " + clock, day.EN + ", " + clock}
}

// quantity writes a number of units, "1 giorno", "10 giorni".
func quantity(n int, unit Unit) Text {
	var one, many Text
	switch unit {
	case Months:
		one, many = Text{"mese", "month"}, Text{"mesi", "months"}
	case Years:
		one, many = Text{"anno", "year"}, Text{"anni", "years"}
	case Hours:
		one, many = Text{"ora", "hour"}, Text{"ore", "hours"}
	case WorkingDays:
		one, many = Text{"giorno lavorativo", "working day"}, Text{"giorni lavorativi", "working days"}
	default:
		one, many = Text{"giorno", "day"}, Text{"giorni", "days"}
	}
	noun := many
	if n == 1 {
		noun = one
	}
	return Text{fmt.Sprintf("%d %s", n, noun.IT), fmt.Sprintf("%d %s", n, noun.EN)}
}

// and appends a sentence.
func (t Text) and(next Text) Text {
	return Text{strings.TrimSpace(t.IT + " " + next.IT), strings.TrimSpace(t.EN + " " + next.EN)}
}
