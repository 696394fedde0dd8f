package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
)

// general is how a length is counted when nobody says otherwise: as the guards of package engine do.
var general = map[calendar.Unit]string{
	calendar.Days: "calendar_roll", calendar.WorkingDays: "working_days", calendar.Months: "months_roll", calendar.Years: "years_roll", calendar.Hours: "hours",
}

// chooseRule takes the rule that was named, else the one by which most workflows count the limit, else the one that is named as the
// limit (standstill.days), else the general one.
func (f termFlags) chooseRule(lib *flow.Library, q *question) error {
	name, from := f.rule, "flag"
	if name == "" {
		name, from = general[q.unit], "general"
	}
	if q.limit != nil {
		q.usedBy = lib.CountedBy(q.limit.Key)
	}
	if f.rule == "" && len(q.usedBy) > 0 {
		names := slices.SortedFunc(maps.Keys(q.usedBy), func(a, b string) int {
			if n := len(q.usedBy[b]) - len(q.usedBy[a]); n != 0 {
				return n
			}
			return strings.Compare(a, b)
		})
		name, from = names[0], "workflow"
	} else if f.rule == "" && q.limit != nil {
		if first, _, _ := strings.Cut(q.limit.Key, "."); calendar.Known(first) {
			name, from = first, "name"
		}
	}
	rule, ok := calendar.Lookup(name)
	if !ok {
		return fmt.Errorf("la regola %q non esiste%s; ci sono: %s", name, flow.Suggest(name, ruleNames("")), strings.Join(ruleNames(""), ", "))
	}
	if !rule.Counts(q.unit) {
		return fmt.Errorf("la regola %q non conta in %s; lo fanno: %s", name, unitWords[q.unit][1], strings.Join(ruleNames(q.unit), ", "))
	}
	if rule.Backward() && (len(q.suspended) > 0 || q.extend > 0) {
		return fmt.Errorf("la regola %q conta a ritroso da una data: il termine non si sospende né si proroga, cambia la data", name)
	}
	q.rule, q.ruleFrom = rule, from
	return nil
}

// ruleNames lists the rules that count a unit; all of them for none.
func ruleNames(unit calendar.Unit) []string {
	var out []string
	for _, r := range calendar.Rules() {
		if unit == "" || r.Counts(unit) {
			out = append(out, r.Name)
		}
	}
	return out
}

var unitWords = map[calendar.Unit][4]string{ // Italian, English: one, many
	calendar.Days: {"giorno", "giorni", "day", "days"}, calendar.WorkingDays: {"giorno lavorativo", "giorni lavorativi", "working day", "working days"},
	calendar.Months: {"mese", "mesi", "month", "months"}, calendar.Years: {"anno", "anni", "year", "years"}, calendar.Hours: {"ora", "ore", "hour", "hours"},
}

func quantity(n int, unit calendar.Unit) calendar.Text {
	w := unitWords[unit]
	if n == 1 {
		return calendar.Text{IT: "1 " + w[0], EN: "1 " + w[2]}
	}
	return calendar.Text{IT: fmt.Sprintf("%d %s", n, w[1]), EN: fmt.Sprintf("%d %s", n, w[3])}
}

// answer is a counted term: the JSON of the command, and what its text is made of.
type answer struct {
	From       string              `json:"from"` // instant in Rome
	RulesDate  calendar.Date       `json:"rules_date"`
	Key        string              `json:"key,omitempty"`
	N          int                 `json:"n"`
	Unit       calendar.Unit       `json:"unit"`
	Law        string              `json:"law,omitempty"`  // of the limit
	Mark       string              `json:"mark,omitempty"` // evidence of the limit
	Note       string              `json:"note,omitempty"`
	Rule       string              `json:"rule"`
	RuleLabel  calendar.Text       `json:"rule_label"`
	RuleLaw    string              `json:"rule_law"`
	RuleMark   string              `json:"rule_mark"`
	RuleFrom   string              `json:"rule_from"`         // flag, workflow, name, general
	UsedBy     map[string][]string `json:"used_by,omitempty"` // rule -> workflows that count the limit by it
	LastDay    calendar.Date       `json:"last_day"`
	OverAt     string              `json:"over_at"`                    // first instant after the term, UTC
	OverAtRome string              `json:"over_at_rome"`               // the same in Rome
	FirstDay   calendar.Date       `json:"first_working_day,omitzero"` // none backward
	Explained  calendar.Text       `json:"explanation"`

	over, from time.Time
	backward   bool
}

// count answers; errors are Italian.
func (q question) count() (answer, error) {
	r, err := calendar.Count(q.from, q.n, q.unit, q.rule.Name, q.holidays)
	for _, p := range q.suspended {
		if err == nil {
			r, err = r.Suspended(p.from, p.to, q.rule.Name, q.holidays)
		}
	}
	if err == nil && q.extend > 0 {
		told := r.Explanation
		r, err = calendar.Extend(r.Due, q.extend, q.unit, q.rule.Name, q.holidays)
		r.Explanation = calendar.Text{IT: told.IT + " " + r.Explanation.IT, EN: told.EN + " " + r.Explanation.EN}
	}
	switch {
	case errors.Is(err, calendar.ErrLength):
		return answer{}, errors.New("la durata è troppo lunga: più di un secolo")
	case errors.Is(err, calendar.ErrStart):
		return answer{}, errors.New("--from è fuori dagli anni in cui si conta, 1980-2200")
	case errors.Is(err, calendar.ErrPause):
		return answer{}, errors.New("--suspended: la sospensione comincia quando il termine è già scaduto")
	case err != nil:
		return answer{}, err
	}
	a := answer{
		From: q.from.In(calendar.Rome).Format(time.RFC3339), RulesDate: q.on, N: q.n, Unit: q.unit, Rule: q.rule.Name, RuleLabel: q.rule.Label,
		RuleLaw: q.rule.Law, RuleMark: q.rule.Mark, RuleFrom: q.ruleFrom, UsedBy: q.usedBy, LastDay: r.LastDay, OverAt: r.Due.Format(time.RFC3339),
		OverAtRome: r.Due.In(calendar.Rome).Format(time.RFC3339), FirstDay: r.FirstDay, Explained: r.Explanation,
		over: r.Due, from: q.from, backward: q.rule.Backward(),
	}
	if a.backward {
		a.FirstDay = calendar.Date{}
	}
	if q.limit != nil {
		a.Key, a.Law, a.Mark, a.Note = q.limit.Key, q.limit.Law, string(q.limit.Mark), q.limit.Note
	}
	return a, nil
}

var markWords = map[string]calendar.Text{
	"V":   {IT: "letto nel testo in vigore", EN: "read in the text in force"},
	"V23": {IT: "letto nel testo del 2023", EN: "read in the text of 2023"},
	"M":   {IT: "a memoria, da verificare", EN: "from memory, to be checked"},
	"P":   {IT: "proposta di questo programma, non legge", EN: "a proposal of this program, not law"},
}

// text is the answer for a person.
func (a answer) text(english bool) string {
	in := func(t calendar.Text) string {
		if english {
			return t.EN
		}
		return t.IT
	}
	both := func(it, en string) string { return in(calendar.Text{IT: it, EN: en}) }
	day := func(d calendar.Date) string { return both(d.Italian(), d.English()) }
	clock := func(t time.Time) string {
		return day(calendar.DateOf(t)) + both(", ore ", ", ") + t.In(calendar.Rome).Format("15:04")
	}
	var b strings.Builder
	line := func(label, value string) { fmt.Fprintf(&b, "%-31s%s\n", label, value) }
	term := in(quantity(a.N, a.Unit))
	if a.Key != "" {
		term += fmt.Sprintf(", %s (%s; %s: %s)", a.Key, a.Law, a.Mark, in(markWords[a.Mark]))
	}
	line(both("Termine", "Term"), term)
	line(both("Regola", "Rule"), fmt.Sprintf("%s – %s (%s)", a.Rule, in(a.RuleLabel), a.RuleLaw))
	if why := a.whyRule(); in(why) != "" {
		line("", in(why))
	}
	start := day(calendar.DateOf(a.from))
	if a.Unit == calendar.Hours {
		start = clock(a.from)
	}
	line(both("Da", "From"), start)
	line(both("Ultimo giorno utile", "Last useful day"), fmt.Sprintf("%s (%s)", day(a.LastDay), a.LastDay))
	if !a.backward {
		line(both("Scaduto dalle", "Over from"), fmt.Sprintf("%s (%s)", clock(a.over), a.OverAtRome))
		line(both("Primo giorno lavorativo dopo", "First working day after"), day(a.FirstDay))
	}
	fmt.Fprintf(&b, "\n%s\n", in(a.Explained))
	return b.String()
}

// whyRule says where the rule comes from, when nobody named it, and which others there are.
func (a answer) whyRule() calendar.Text {
	var others []string
	for rule := range a.UsedBy {
		if rule != a.Rule {
			others = append(others, rule)
		}
	}
	slices.Sort(others)
	var t calendar.Text
	switch used := strings.Join(a.UsedBy[a.Rule], ", "); {
	case a.RuleFrom == "workflow":
		t = calendar.Text{IT: "così lo contano i flussi: " + used, EN: "so it is counted by: " + used}
	case a.RuleFrom == "name":
		t = calendar.Text{IT: "la regola che porta il nome del termine", EN: "the rule named as the term"}
	case a.RuleFrom == "general" && a.Key != "":
		t = calendar.Text{IT: "nessun flusso lo conta: regola generale; un'altra con --rule", EN: "no workflow counts it: general rule; another with --rule"}
	}
	if len(others) > 0 {
		list := strings.Join(others, ", ")
		t = calendar.Text{IT: strings.TrimPrefix(t.IT+"; altri con: "+list, "; "), EN: strings.TrimPrefix(t.EN+"; others by: "+list, "; ")}
	}
	return t
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
