package calendar

import (
	"testing"
	"time"
)

func TestExplanations(t *testing.T) {
	for _, c := range []struct {
		start string
		n     int
		unit  Unit
		rule  string
		want  Text
	}{
		{"2026-11-23", 15, Days, "calendar_roll", Text{
			"Il giorno iniziale (lunedì 23 novembre 2026) è escluso. Contando 15 giorni si arriva a martedì 8 dicembre 2026, " +
				"che non può essere l'ultimo giorno (Immacolata Concezione): il termine è prorogato a mercoledì 9 dicembre 2026. " +
				"Ultimo giorno: mercoledì 9 dicembre 2026; il termine è compiuto dalle 00:00 di giovedì 10 dicembre 2026. " +
				"Primo giorno lavorativo successivo: giovedì 10 dicembre 2026.",
			"The first day (Monday 23 November 2026) is excluded. Counting 15 days leads to Tuesday 8 December 2026, " +
				"which cannot be the last day (Immaculate Conception): the term moves on to Wednesday 9 December 2026. " +
				"Last day: Wednesday 9 December 2026; the term is over from 00:00 of Thursday 10 December 2026. " +
				"First working day after it: Thursday 10 December 2026."}},
		{"2026-12-04", 32, Days, "standstill", Text{
			"Il giorno iniziale (venerdì 4 dicembre 2026) è escluso. Contando 32 giorni si arriva a martedì 5 gennaio 2027. " +
				"Ultimo giorno: martedì 5 gennaio 2027; il termine è compiuto dalle 00:00 di mercoledì 6 gennaio 2027. " +
				"Primo giorno lavorativo successivo: giovedì 7 gennaio 2027.",
			"The first day (Friday 4 December 2026) is excluded. Counting 32 days leads to Tuesday 5 January 2027. " +
				"Last day: Tuesday 5 January 2027; the term is over from 00:00 of Wednesday 6 January 2027. " +
				"First working day after it: Thursday 7 January 2027."}},
		{"2027-07-01", 30, Days, "court", Text{ // 31 July is a Saturday; the thirty-one days of August are named once
			"Il giorno iniziale (giovedì 1° luglio 2027) è escluso. Contando 30 giorni si arriva a sabato 31 luglio 2027, " +
				"che non può essere l'ultimo giorno (sabato, sospensione feriale): il termine è prorogato a mercoledì 1° settembre 2027. " +
				"Ultimo giorno: mercoledì 1° settembre 2027; il termine è compiuto dalle 00:00 di giovedì 2 settembre 2027. " +
				"Primo giorno lavorativo successivo: giovedì 2 settembre 2027.", ""}},
		{"2026-08-10", 1, Months, "court", Text{
			"Il giorno iniziale (lunedì 10 agosto 2026) è escluso. I giorni dal 1° al 31 agosto non si contano (sospensione feriale). " +
				"Contando 1 mese si arriva a mercoledì 30 settembre 2026. " +
				"Ultimo giorno: mercoledì 30 settembre 2026; il termine è compiuto dalle 00:00 di giovedì 1° ottobre 2026. " +
				"Primo giorno lavorativo successivo: giovedì 1° ottobre 2026.", ""}},
		{"2026-12-14", 6, Days, "backward", Text{
			"Si conta a ritroso e il giorno di riferimento (lunedì 14 dicembre 2026) è escluso. Contando 6 giorni si arriva a martedì 8 dicembre 2026, " +
				"che non può essere l'ultimo giorno (Immacolata Concezione): il termine è anticipato a lunedì 7 dicembre 2026. " +
				"Va fatto entro la fine di lunedì 7 dicembre 2026.",
			"The count runs backward and the day it starts from (Monday 14 December 2026) is excluded. Counting 6 days leads to Tuesday 8 December 2026, " +
				"which cannot be the last day (Immaculate Conception): the term moves back to Monday 7 December 2026. " +
				"It must be done by the end of Monday 7 December 2026."}},
		{"2026-11-27", 2, Days, "eu_1182", Text{
			"Il giorno iniziale (venerdì 27 novembre 2026) è escluso. Il periodo deve comprendere almeno due giorni lavorativi. " +
				"Contando 2 giorni si arriva a martedì 1° dicembre 2026. " +
				"Ultimo giorno: martedì 1° dicembre 2026; il termine è compiuto dalle 00:00 di mercoledì 2 dicembre 2026. " +
				"Primo giorno lavorativo successivo: mercoledì 2 dicembre 2026.", ""}},
		{"2026-12-04", 1, WorkingDays, "working_days", Text{
			"Il giorno iniziale (venerdì 4 dicembre 2026) è escluso. Sabati, domeniche e festivi non si contano. " +
				"Contando 1 giorno lavorativo si arriva a lunedì 7 dicembre 2026. " +
				"Ultimo giorno: lunedì 7 dicembre 2026; il termine è compiuto dalle 00:00 di martedì 8 dicembre 2026. " +
				"Primo giorno lavorativo successivo: mercoledì 9 dicembre 2026.", ""}},
		{"2026-11-27", 48, Hours, "hours", Text{
			"Le ore corrono senza interruzioni, anche di sabato e nei festivi, da venerdì 27 novembre 2026, ore 10:00. " +
				"Dopo 48 ore il termine è compiuto: domenica 29 novembre 2026, ore 10:00.",
			"The hours run without a break, on Saturdays and holidays too, from Friday 27 November 2026, 10:00. " +
				"After 48 hours the term is over: Sunday 29 November 2026, 10:00."}},
	} {
		got := count(t, day(t, c.start).Start().Add(10*time.Hour), c.n, c.unit, c.rule, Italy()).Explanation
		if got.IT != c.want.IT {
			t.Errorf("%s in Italian\n%s\nwant\n%s", c.rule, got.IT, c.want.IT)
		}
		if c.want.EN != "" && got.EN != c.want.EN {
			t.Errorf("%s in English\n%s\nwant\n%s", c.rule, got.EN, c.want.EN)
		}
		if got.EN == "" {
			t.Errorf("%s has no English explanation", c.rule)
		}
	}
}
