package engine

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/store"
)

// quoted is a value as a finding names it, for readers who do not know Go.
func quoted(v any) string {
	switch v := v.(type) {
	case nil:
		return "niente"
	case time.Time:
		return "«" + v.Format("2006-01-02 15:04:05 UTC") + "»"
	case []string:
		return "«" + strings.Join(v, " ") + "»"
	case []any:
		return "«" + strings.TrimSuffix(fmt.Sprintln(v...), "\n") + "»"
	}
	return fmt.Sprintf("«%v»", v)
}

// cellDifferences names the cells of a row that are other than told; an absent value is the same as an emptied one.
func cellDifferences(name string, have, want store.Values) []string {
	all := map[string]bool{}
	for _, x := range []store.Values{have, want} {
		for id := range x {
			all[id] = true
		}
	}
	var out []string
	for _, id := range sortedKeys(all) {
		if !reflect.DeepEqual(have[id], want[id]) {
			out = append(out, fmt.Sprintf("%s, %s: la pratica dice %s, la storia %s", name, id, quoted(have[id]), quoted(want[id])))
		}
	}
	return out
}

// termDifferences compares terms that the story tells in full. A blocked one runs, for the story; one that only tells people may
// have lapsed without an event.
func termDifferences(def *flow.Definition, s *surveyedCase, r *replayed) []string {
	type key struct {
		name    string
		started int64
	}
	have, full := map[key]store.Deadline{}, true
	var out []string
	for _, d := range s.deadlines {
		k := key{d.Name, d.StartedSeq}
		if _, twice := have[k]; twice {
			out = append(out, fmt.Sprintf("termine %s, cominciato con l'evento %d: c'è due volte", d.Name, d.StartedSeq))
		}
		have[k] = d
	}
	for _, t := range r.deadlines {
		if t.Started == 0 { // told before terms were told in full
			full = false
			continue
		}
		d, ok := have[key{t.Name, t.Started}]
		status := d.Status
		if status == store.Blocked || status == store.Expired && t.status(def, d.DueAt) == store.Expired {
			status = t.Status
		}
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("termine %s, cominciato con l'evento %d: manca", t.Name, t.Started))
		case status != t.Status:
			out = append(out, fmt.Sprintf("termine %s: nella pratica è %s, nella storia %s", t.Name, termStatus[d.Status], termStatus[t.Status]))
		case d.LastDay != t.LastDay:
			out = append(out, fmt.Sprintf("termine %s: la pratica dice che scade il %s, la storia il %s", t.Name, d.LastDay, t.LastDay))
		case !d.DueAt.Truncate(time.Microsecond).Equal(t.Due.Truncate(time.Microsecond)):
			out = append(out, fmt.Sprintf("termine %s: la pratica lo dà per finito da %s, la storia da %s", t.Name, quoted(d.DueAt.UTC()), quoted(t.Due.UTC())))
		}
		delete(have, key{t.Name, t.Started})
	}
	for _, d := range s.deadlines {
		if _, left := have[key{d.Name, d.StartedSeq}]; left && full {
			out = append(out, fmt.Sprintf("termine %s, cominciato con l'evento %d: nessun evento ne parla", d.Name, d.StartedSeq))
		}
	}
	return out
}

// longestPutOff is more than any worker leaves a term that is over for later.
const longestPutOff = 24 * time.Hour

// sleepingTerms finds terms that no worker would look at when they are over: what should lapse by itself never would.
func sleepingTerms(s *surveyedCase, now time.Time) []string {
	var out []string
	for _, d := range s.deadlines {
		waits := d.Status == store.Running || d.Status == store.Blocked
		if waits && d.NextTry.After(d.DueAt) && d.NextTry.After(now.Add(longestPutOff)) {
			out = append(out, fmt.Sprintf("termine %s: scade il %s, ma il programma non lo guarderebbe prima del %s", d.Name, d.LastDay, d.NextTry.Format(time.DateOnly)))
		}
	}
	return out
}

// strayBodies finds what hangs from the case under the names of other bodies: these would see it, and those of the case would not.
func strayBodies(s *surveyedCase, ofBody, ofSUA string) []string {
	var out []string
	stray := func(body, sua, format string, args ...any) {
		if body != ofBody || sua != ofSUA {
			out = append(out, fmt.Sprintf(format, args...)+": è intestato a enti che non sono quelli della pratica")
		}
	}
	for _, x := range s.rows {
		stray(x.MemberBody, x.SUA, "riga %d di %s", x.Row, x.Register)
	}
	for _, x := range s.documents {
		stray(x.MemberBody, x.SUA, "documento %s", x.ID)
	}
	for _, x := range s.deadlines {
		stray(x.MemberBody, x.SUA, "termine %s", x.Name)
	}
	return out
}
