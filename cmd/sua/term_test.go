package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// counted are dates worked out on a wall calendar: those of the domain dossier first.
var counted = []struct{ name, args, last, over, first string }{
	{"notice", "--from 2026-11-23 --days 30", "2026-12-23", "2026-12-23T23:00:00Z", "2026-12-24"},
	{"remedy, to Sunday", "--from 2026-11-26 --days 10 --rule calendar_roll_saturday", "2026-12-07", "2026-12-07T23:00:00Z", "2026-12-09"},
	{"to Immacolata", "--from 2026-11-23 --days 15", "2026-12-09", "2026-12-09T23:00:00Z", "2026-12-10"},
	{"standstill by its key", "--from 2026-12-04 --key standstill.days --on 2026-12-04", "2027-01-05", "2027-01-05T23:00:00Z", "2027-01-07"},
	{"standstill by its length", "--from 2026-12-04 --days 32 --rule standstill", "2027-01-05", "2027-01-05T23:00:00Z", "2027-01-07"},
	{"standstill of 2024", "--from 2024-06-03 --key standstill.days --on 2024-06-03", "2024-07-08", "2024-07-08T22:00:00Z", "2024-07-09"},
	{"standstill in August", "--from 2026-07-20 --key standstill.days --on 2026-07-20", "2026-08-21", "2026-08-21T22:00:00Z", "2026-08-24"},
	{"appeal", "--from 2026-12-04 --days 30 --rule court", "2027-01-04", "2027-01-04T23:00:00Z", "2027-01-05"},
	{"appeal that would start in August", "--from 2026-08-10 --days 30 --rule court", "2026-09-30", "2026-09-30T22:00:00Z", "2026-10-01"},
	{"backward", "--from 2026-12-23 --days 6 --rule backward", "2026-12-17", "2026-12-17T23:00:00Z", ""},
	{"backward from Immacolata", "--from 2026-12-14 --days 6 --rule backward", "2026-12-07", "2026-12-07T23:00:00Z", ""},
	{"two working days of the EU", "--from 2026-11-27 --days 2 --rule eu_1182", "2026-12-01", "2026-12-01T23:00:00Z", "2026-12-02"},
	{"4 October 2026, a Sunday", "--from 2026-09-24 --days 10", "2026-10-05", "2026-10-05T22:00:00Z", "2026-10-06"},
	{"4 October 2027, a Monday", "--from 2027-09-24 --days 10", "2027-10-05", "2027-10-05T22:00:00Z", "2027-10-06"},
	{"Easter Monday 2027", "--from 2027-03-19 --days 10", "2027-03-30", "2027-03-30T22:00:00Z", "2027-03-31"},
	{"13 June, elsewhere", "--from 2028-06-03 --days 10", "2028-06-13", "2028-06-13T22:00:00Z", "2028-06-14"},
	{"13 June, in Padova", "--from 2028-06-03 --days 10 --patron 06-13", "2028-06-14", "2028-06-14T22:00:00Z", "2028-06-15"},
	{"a month from 31 January", "--from 2027-01-31 --months 1", "2027-03-01", "2027-03-01T23:00:00Z", "2027-03-02"},
	{"two years from 29 February", "--from 2028-02-29 --years 2", "2030-02-28", "2030-02-28T23:00:00Z", "2030-03-01"},
	{"48 hours over a weekend", "--from 2026-11-27T10:20 --hours 48", "2026-11-29", "2026-11-29T09:20:00Z", "2026-11-30"},
	{"24 hours in which one is lost", "--from 2027-03-27T12:00 --hours 24", "2027-03-28", "2027-03-28T11:00:00Z", "2027-03-30"},
	{"working days", "--from 2026-12-04 --working-days 5", "2026-12-14", "2026-12-14T23:00:00Z", "2026-12-15"},
	{"free days", "--from 2026-11-23 --days 10 --rule free_days", "2026-12-04", "2026-12-04T23:00:00Z", "2026-12-07"},
	{"suspended ten days", "--from 2026-11-23 --days 30 --suspended 2026-12-01..2026-12-11", "2027-01-02", "2027-01-02T23:00:00Z", "2027-01-04"},
	{"suspended twice", "--from 2026-11-23 --days 30 --suspended 2026-12-15..2026-12-16 --suspended 2026-12-01..2026-12-11", "2027-01-03", "2027-01-03T23:00:00Z", "2027-01-04"},
	{"extended", "--from 2026-11-23 --days 30 --extend 5", "2026-12-28", "2026-12-28T23:00:00Z", "2026-12-29"},
	{"suspended and extended", "--from 2026-11-23 --days 30 --suspended 2026-12-01..2026-12-12 --extend 10", "2027-01-13", "2027-01-13T23:00:00Z", "2027-01-14"},
	{"the rule of the workflows", "--from 2026-11-27 --key request.answer_days --on 2026-11-27", "2026-12-07", "2026-12-07T23:00:00Z", "2026-12-09"},
}

func TestTermCounts(t *testing.T) {
	sua(t, "term") // its own configuration, for all that follows
	for _, c := range counted {
		out, errs, err := again(t, append([]string{"term", "--json"}, strings.Fields(c.args)...)...)
		if err != nil {
			t.Errorf("%s: %v %s", c.name, err, errs)
			continue
		}
		var got struct {
			Last        string `json:"last_day"`
			Over        string `json:"over_at"`
			First       string `json:"first_working_day"`
			Explanation struct{ It, En string }
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, out)
		}
		if got.Last != c.last || got.Over != c.over || got.First != c.first {
			t.Errorf("%s: %s, over %s, then %s; want %s, %s, %s", c.name, got.Last, got.Over, got.First, c.last, c.over, c.first)
		}
		if got.Explanation.It == "" || got.Explanation.En == "" || got.Explanation.It == got.Explanation.En {
			t.Errorf("%s: explained as %+v", c.name, got.Explanation)
		}
	}
}

func TestTermInWords(t *testing.T) {
	for args, want := range map[string][]string{
		"--from 2026-12-04 --key standstill.days --on 2026-12-04": {"32 giorni, standstill.days (art. 18 c.3; V: letto nel testo in vigore)", "standstill – Stand-still",
			"Ultimo giorno utile            martedì 5 gennaio 2027 (2027-01-05)", "mercoledì 6 gennaio 2027, ore 00:00", "Primo giorno lavorativo dopo   giovedì 7 gennaio 2027", "è escluso. Contando 32 giorni"},
		"--from 2026-12-04 --key standstill.days --on 2026-12-04 --lang en": {"32 days, standstill.days", "Last useful day                Tuesday 5 January 2027", "Counting 32 days"},
		"--from 2026-11-27 --key request.answer_days --on 2026-11-27":       {"così lo contano i flussi: ", "open_procedure"},
		"--from 2026-11-27 --key kpi.award.check_months --on 2026-11-27":    {"6 mesi", "nessun flusso lo conta: regola generale", "months_roll"},
		"--from 2026-11-23 --days 1":                                        {"1 giorno\n", "martedì 24 novembre 2026"},
		"--from 2026-11-23 --days 30 --extend 1":                            {"Proroga di 1 giorno dall"},
	} {
		out, errs, err := sua(t, append([]string{"term"}, strings.Fields(args)...)...)
		if err != nil {
			t.Errorf("%s: %v %s", args, err, errs)
		}
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s does not say %q:\n%s", args, w, out)
			}
		}
	}
}

func TestTermRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"":                                      "manca --from",
		"--from 2026-11-23":                     "serve una durata, e una sola",
		"--from 2026-11-23 --days 3 --months 1": "serve una durata, e una sola",
		"--from 2026-11-23 --days 3 --key standstill.days":                                                  "serve una durata, e una sola",
		"--from 2026-11-23 --key standstil.days":                                                            "forse intendevi «standstill.days»?",
		"--from 2026-11-23 --key zzz":                                                                       `il termine "zzz" non esiste; i termini`,
		"--from 2026-11-23 --key threshold.eu.works":                                                        "non è un termine: è di tipo amount",
		"--from 2026-11-23 --key standstill.days --on 2020-01-01":                                           "la legge non dice nulla per \"standstill.days\" il 2020-01-01; in limits.yaml: 35 giorni dal 2023-07-01 al 2024-12-30; 32 giorni dal 2024-12-31",
		"--from 2026-02-29 --days 3":                                                                        `"2026-02-29" non è un giorno che esiste`,
		"--from 23/11/2026 --days 3":                                                                        "non è un giorno che esiste",
		"--from 2026-11-23 --days 3 --on 2026-11-31":                                                        "--on: \"2026-11-31\"",
		"--from 2026-11-23T25:00 --hours 3":                                                                 "non è un'ora che esiste",
		"--from 2027-03-28T02:30 --hours 3":                                                                 "non è un'ora che esiste", // clocks jump over it
		"--from 2026-11-23 --hours 3":                                                                       "serve anche l'ora: --from 2026-11-23T10:00",
		"--from 2026-11-23 --months 3 --rule calendar_roll":                                                 `la regola "calendar_roll" non conta in mesi; lo fanno: calendar, months_roll`,
		"--from 2026-11-23 --days 3 --rule calendar_rol":                                                    "forse intendevi «calendar_roll»?",
		"--from 2026-11-23 --days -3":                                                                       "non può essere negativa",
		"--from 2026-11-23 --days 99999999":                                                                 "più di un secolo",
		"--from 1492-10-12 --days 3":                                                                        "1980-2200",
		"--from 2026-11-23 --days 3 --patron 13-40":                                                         "--patron: \"13-40\" non è un giorno dell'anno",
		"--from 2026-11-23 --days 3 --lang fr":                                                              "--lang vuole it o en",
		"--from 2026-11-23 --days 3 --extend -1":                                                            "un termine si proroga, non si accorcia",
		"--from 2026-11-23 --days 3 --rule backward --extend 1":                                             "a ritroso",
		"--from 2026-11-23 --days 30 --suspended 2026-12-01":                                                "--suspended vuole DA..A",
		"--from 2026-11-23 --days 30 --suspended 2026-12-02..2026-12-01":                                    "la ripresa deve venire dopo",
		"--from 2026-11-23 --days 30 --suspended 2026-11-02..2026-12-01":                                    "comincia prima del termine",
		"--from 2026-11-23 --days 30 --suspended 2027-02-02..2027-02-03":                                    "quando il termine è già scaduto",
		"--from 2026-11-23 --days 30 --suspended 2026-12-01..2026-12-05 --suspended 2026-12-04..2026-12-06": "mentre dura la precedente",
	} {
		out, _, err := sua(t, append([]string{"term"}, strings.Fields(args)...)...)
		if err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%s: %v, want %q\n%s", args, err, want, out)
		}
	}
}
