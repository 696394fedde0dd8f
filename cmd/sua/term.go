package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
)

// termFlags is a question about a term as it was typed.
type termFlags struct {
	from, key, rule, on, lang string
	length                    map[calendar.Unit]*int
	patrons, suspended        []string
	extend                    int
	json                      bool
}

// lengths are the flags that give a length without the law, in the order of the help.
var lengths = []struct {
	flag string
	unit calendar.Unit
	help string
}{
	{"days", calendar.Days, "durata in giorni"}, {"working-days", calendar.WorkingDays, "durata in giorni lavorativi"},
	{"months", calendar.Months, "durata in mesi"}, {"years", calendar.Years, "durata in anni"}, {"hours", calendar.Hours, "durata in ore"},
}

func termCommand() *cobra.Command {
	f := termFlags{length: map[calendar.Unit]*int{}}
	c := &cobra.Command{
		Use:   "term --from GIORNO (--key CHIAVE | --days N | --months N | …)",
		Short: "Conta un termine e spiega il conto",
		Long: "Conta un termine di legge (--key, come in workflows/law/limits.yaml) o una durata qualsiasi, e spiega il conto.\n" +
			"La regola è quella con cui i flussi contano quel termine, o quella di --rule. Le regole sono in docs/workflows.md.",
		Example: "  sua term --from 2026-12-04 --key standstill.days\n" +
			"  sua term --from 2026-12-04 --days 32 --rule standstill --json\n" +
			"  sua term --from 2026-11-23T10:00 --hours 48\n" +
			"  sua term --from 2026-11-23 --days 30 --suspended 2026-12-01..2026-12-11 --extend 10",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, l := range lengths {
				if !c.Flags().Changed(l.flag) {
					delete(f.length, l.unit)
				}
			}
			asked, err := f.ask(c)
			if err != nil {
				return err
			}
			told, err := asked.count()
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(c.OutOrStdout(), told)
			}
			_, err = fmt.Fprint(c.OutOrStdout(), told.text(f.lang == "en"))
			return err
		},
	}
	c.Flags().StringVar(&f.from, "from", "", "giorno dell'evento (2026-12-04) o istante a Roma (2026-12-04T10:30); a ritroso, la data che il termine precede")
	c.Flags().StringVar(&f.key, "key", "", "termine di legge, per esempio standstill.days")
	for _, l := range lengths {
		f.length[l.unit] = c.Flags().Int(l.flag, 0, l.help)
	}
	c.Flags().StringVar(&f.rule, "rule", "", "regola di conto, per esempio calendar_roll")
	c.Flags().StringVar(&f.on, "on", "", "giorno a cui leggere la legge (se manca, oggi)")
	c.Flags().StringArrayVar(&f.patrons, "patron", nil, "santo patrono della sede, MM-GG; ripetibile")
	c.Flags().StringArrayVar(&f.suspended, "suspended", nil, "sospeso dal giorno DA e ripreso il giorno A, DA..A; ripetibile")
	c.Flags().IntVar(&f.extend, "extend", 0, "proroga, nell'unità del termine")
	c.Flags().StringVar(&f.lang, "lang", "it", "lingua: it o en")
	c.Flags().BoolVar(&f.json, "json", false, "risponde in JSON")
	return c
}

// question is a term to count, read and checked.
type question struct {
	from      time.Time
	limit     *law.Limit // nil for a length of the person's own
	n         int
	unit      calendar.Unit
	rule      calendar.Rule
	ruleFrom  string              // flag, workflow, name or general
	usedBy    map[string][]string // other rules of the workflows for the same limit, with the workflows; and this one's
	on        calendar.Date
	holidays  calendar.Holidays
	suspended []pause
	extend    int
}

// pause is a suspension; both ends are instants.
type pause struct{ from, to time.Time }

func (f termFlags) ask(c *cobra.Command) (question, error) {
	var q question
	if f.lang != "it" && f.lang != "en" {
		return q, fmt.Errorf("--lang vuole it o en, non %q", f.lang)
	}
	if f.from == "" {
		return q, errors.New("manca --from: da quale giorno si conta, per esempio --from 2026-12-04")
	}
	from, withHour, err := readMoment("--from", f.from)
	if err != nil {
		return q, err
	}
	q.from, q.extend, q.on = from, f.extend, calendar.DateOf(time.Now())
	if f.extend < 0 {
		return q, fmt.Errorf("--extend vuole un numero positivo, non %d: un termine si proroga, non si accorcia", f.extend)
	}
	if f.on != "" {
		if q.on, err = readDay("--on", f.on); err != nil {
			return q, err
		}
	}
	if err := f.readHolidays(&q); err != nil {
		return q, err
	}
	if err := f.readLength(c, &q); err != nil {
		return q, err
	}
	if q.unit == calendar.Hours && !withHour {
		return q, fmt.Errorf("per contare le ore serve anche l'ora: --from %sT10:00", f.from)
	}
	return q, nil
}

// readHolidays reads what is not worked, and when the term stood still.
func (f termFlags) readHolidays(q *question) error {
	var saints []calendar.MonthDay
	for _, p := range f.patrons {
		saint, err := calendar.ParseMonthDay(p)
		if err != nil {
			return fmt.Errorf("--patron: %q non è un giorno dell'anno; scrivi mese e giorno, per esempio 12-07 per il 7 dicembre", p)
		}
		saints = append(saints, saint)
	}
	q.holidays = calendar.Italy(saints...)
	for _, s := range f.suspended {
		first, last, ok := strings.Cut(s, "..")
		if !ok {
			return fmt.Errorf("--suspended vuole DA..A, per esempio 2026-12-01..2026-12-11, non %q", s)
		}
		from, _, err := readMoment("--suspended", first)
		if err != nil {
			return err
		}
		to, _, err := readMoment("--suspended", last)
		if err != nil {
			return err
		}
		if !to.After(from) {
			return fmt.Errorf("--suspended %s: la ripresa deve venire dopo la sospensione", s)
		}
		q.suspended = append(q.suspended, pause{from, to})
	}
	slices.SortFunc(q.suspended, func(a, b pause) int { return a.from.Compare(b.from) })
	for i, p := range q.suspended {
		if p.from.Before(q.from) {
			return fmt.Errorf("--suspended: la sospensione del %s comincia prima del termine", calendar.DateOf(p.from))
		}
		if i > 0 && p.from.Before(q.suspended[i-1].to) {
			return fmt.Errorf("--suspended: la sospensione del %s comincia mentre dura la precedente", calendar.DateOf(p.from))
		}
	}
	return nil
}

// readLength finds how long the term is, and by which rule it is counted.
func (f termFlags) readLength(c *cobra.Command, q *question) error {
	given := len(f.length)
	if f.key != "" {
		given++
	}
	if given != 1 {
		return errors.New("serve una durata, e una sola: --key, --days, --working-days, --months, --years o --hours")
	}
	lib, ec, err := library(c, nil)
	if err != nil {
		return err
	}
	for unit, n := range f.length {
		q.unit, q.n = unit, *n
	}
	if f.key != "" {
		if q.limit, err = findTerm(ec.Limits, f.key, q.on); err != nil {
			return err
		}
		if q.n, err = q.limit.Int(); err != nil {
			return err
		}
		q.unit = calendar.Unit(q.limit.Kind) // findTerm has let through the kinds that are units
	}
	if q.n < 0 {
		return fmt.Errorf("una durata non può essere negativa: %d", q.n)
	}
	return f.chooseRule(lib, q)
}

// findTerm reads the row of a key on a day; Italian errors.
func findTerm(limits *law.Table, key string, on calendar.Date) (*law.Limit, error) {
	kind, ok := limits.KindOf(key)
	if !ok {
		return nil, fmt.Errorf("il termine %q non esiste%s; i termini sono in workflows/law/limits.yaml", key, flow.Suggest(key, limits.Keys()))
	}
	if _, length := general[calendar.Unit(kind)]; !length {
		return nil, fmt.Errorf("%q non è un termine: è di tipo %s, e non si conta sul calendario", key, kind)
	}
	l, err := limits.On(time.Date(on.Year, on.Month, on.Day, 0, 0, 0, 0, time.UTC)).Get(key)
	var none law.ErrNoLimit
	if errors.As(err, &none) {
		var rows []string
		for _, row := range limits.History(key) {
			rows = append(rows, row.Text()+" "+validity(row))
		}
		return nil, fmt.Errorf("la legge non dice nulla per %q il %s; in limits.yaml: %s (cambia giorno con --on)", key, on, strings.Join(rows, "; "))
	}
	return &l, err
}

func validity(l law.Limit) string {
	var out []string
	if l.From != "" {
		out = append(out, "dal "+l.From)
	}
	if l.To != "" {
		out = append(out, "al "+l.To)
	}
	return strings.Join(out, " ")
}

// readDay reads a day; flag names what was typed.
func readDay(flag, text string) (calendar.Date, error) {
	d, err := calendar.ParseDate(text)
	if err != nil {
		return d, fmt.Errorf("%s: %q non è un giorno che esiste; scrivi anno-mese-giorno, per esempio 2026-12-04", flag, text)
	}
	return d, nil
}

const hourLayout = "2006-01-02T15:04"

// readMoment reads a day, as its first instant, or a day with its hour as clocks in Rome show it.
func readMoment(flag, text string) (at time.Time, withHour bool, err error) {
	day, _, withHour := strings.Cut(text, "T")
	d, err := readDay(flag, day)
	if err != nil || !withHour {
		return d.Start(), false, err
	}
	at, err = time.ParseInLocation(hourLayout, text, calendar.Rome)
	if err != nil || at.Format(hourLayout) != text {
		return at, true, fmt.Errorf("%s: %q non è un'ora che esiste quel giorno a Roma; scrivi per esempio %sT10:30", flag, text, day)
	}
	return at, true, nil
}
