// Package calendar counts the terms of Italian and EU public procurement law and explains each count in words.
//
// It is pure: it never reads the clock, holds no state and imports no other package of ours. It does not know how long
// any term is (numbers live in workflows/law and come through package law), which event starts it, or what happens when
// it is over: packages flow and engine decide that and call Count. Legal days are days of Europe/Rome; the zone data is
// embedded, so that a bare container counts like a full machine. Instants are handed out in UTC.
//
// Start with Count and the table of rules in rules.go.
package calendar

import (
	"time"
	_ "time/tzdata" // the days of the law are days in Rome, also where the system has no zone files
)

// Rome is the zone of every legal day: a term "of today" ends when the day ends there.
var Rome = rome()

// rome loads the embedded zone; failing is a broken build, hence the panic at start-up.
func rome() *time.Location {
	l, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("calendar: zone data of Europe/Rome: " + err.Error())
	}
	return l
}

// Text is a text for people in the two languages of the product.
type Text struct {
	IT string `json:"it"`
	EN string `json:"en"`
}
