package exchange

import (
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
)

// States of imported_lot.
const (
	statePublished  = "published"
	stateBidsClosed = "bids_closed"
	stateProposed   = "award_proposed"
	stateAwarded    = "awarded"
	stateDeserted   = "deserted"
	stateCancelled  = "cancelled"
	stateUnknown    = "outcome_unknown"
	stateGoing      = "" // the outcome says that there is none yet: dates decide
)

// outcomes maps ANAC's words in ESITO to states, in the order in which they are tried; a word counts when the outcome begins
// with it. A tender that ended without an award because no bid was good stands with the deserted ones: the field `outcome`
// keeps ANAC's words.
var outcomes = []struct{ begins, state string }{
	{"AGGIUDICATA", stateAwarded},
	{"AGGIUDICATO", stateAwarded},
	{"PROPOSTA DI AGGIUDICAZIONE", stateProposed},
	{"DESERTA", stateDeserted},
	{"DESERTO", stateDeserted},
	{"SENZA ESITO", stateDeserted},
	{"NON AGGIUDICATA", stateDeserted},
	{"NON È STATO SELEZIONATO NESSUN VINCITORE", stateDeserted},
	{"NON E' STATO SELEZIONATO NESSUN VINCITORE", stateDeserted},
	{"ANNULLATA", stateCancelled},
	{"ANNULLATO", stateCancelled},
	{"REVOCATA", stateCancelled},
	{"REVOCATO", stateCancelled},
	{"NON È ANCORA STATO SELEZIONATO", stateGoing},
	{"NON E' ANCORA STATO SELEZIONATO", stateGoing},
	{"IN CORSO", stateGoing},
}

// outcomeCodes are the codes of COD_ESITO in ANAC's older system. The newer one has others: words come first.
var outcomeCodes = map[string]string{
	"1": stateAwarded, "2": stateCancelled, "3": stateDeserted, "4": stateDeserted, "5": stateProposed, "6": stateCancelled, "7": stateCancelled,
}

// byWord returns the state that an outcome means; false when nobody taught us the word.
func byWord(word string) (string, bool) {
	word = strings.ToUpper(word)
	for _, o := range outcomes {
		if strings.HasPrefix(word, o.begins) {
			return o.state, true
		}
	}
	return stateUnknown, false
}

// evidence is what a row says about how far its lot has come.
type evidence struct {
	status        string // stato
	cancelled     bool   // a date, code or reason of cancellation is there
	code, word    string // COD_ESITO, ESITO
	published     string // days as 2006-01-02, "" when not known
	bidsDue       string
	today         calendar.Date
	unknownWord   bool // out: the outcome is not among those known
	unknownStatus bool // out: stato is not among those known
}

// state is where the lot stands. A cancellation comes before an outcome, an outcome before dates. The day on which bids are due
// belongs to the bidders: they are closed from the next.
func (e *evidence) state() string {
	status := strings.ToUpper(e.status)
	switch {
	case e.cancelled || strings.HasPrefix(status, "CANCELLAT") || strings.HasPrefix(status, "ANNULLAT") || strings.HasPrefix(status, "REVOCAT"):
		return stateCancelled
	case status != "" && !strings.HasPrefix(status, "ATTIV") && !strings.HasPrefix(status, "PERFEZIONAT") && !strings.HasPrefix(status, "PUBBLICAT"):
		e.unknownStatus = true
	}
	state := stateGoing
	if e.word != "" {
		known := false
		if state, known = byWord(e.word); !known {
			e.unknownWord = true
		}
	} else if e.code != "" {
		known := false
		if state, known = outcomeCodes[whole(e.code)]; !known {
			e.unknownWord, state = true, stateUnknown
		}
	}
	if state != stateGoing {
		return state
	}
	due, err := calendar.ParseDate(e.bidsDue)
	switch {
	case err == nil && e.today.After(due):
		return stateBidsClosed
	case err == nil || e.published != "":
		return statePublished
	}
	return stateUnknown
}
