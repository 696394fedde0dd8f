package law_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/law"
)

// realTable loads the numbers that the product ships.
func realTable(t *testing.T) *law.Table {
	t.Helper()
	data, err := os.ReadFile("../../workflows/law/limits.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table, err := law.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse("2006-01-02", text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A row lost in an edit would only be missed when a tender needs it. Whoever adds a key raises the numbers.
func TestFileIsComplete(t *testing.T) {
	table := realTable(t)
	rows := 0
	for _, key := range table.Keys() {
		history := table.History(key)
		rows += len(history)
		for _, row := range history {
			if row.Text() == "" {
				t.Errorf("%s from %q has no text", key, row.From)
			}
		}
	}
	if keys := len(table.Keys()); keys != 234 || rows != 255 {
		t.Errorf("%d keys and %d rows, want 234 and 255", keys, rows)
	}
}

func TestFileValuesOnBothSidesOfTheirChange(t *testing.T) {
	table := realTable(t)
	for _, c := range []struct{ key, day, want string }{
		{"threshold.eu.works", "2023-12-31", "5.382.000,00 €"},
		{"threshold.eu.works", "2024-01-01", "5.538.000,00 €"},
		{"threshold.eu.works", "2025-12-31", "5.538.000,00 €"},
		{"threshold.eu.works", "2026-01-01", "5.404.000,00 €"},
		{"threshold.eu.works", "2027-12-31", "5.404.000,00 €"},
		{"threshold.eu.services_subcentral", "2025-12-31", "221.000,00 €"},
		{"threshold.eu.services_subcentral", "2026-01-01", "216.000,00 €"},
		{"threshold.eu.services_central", "2023-12-31", "140.000,00 €"},
		{"threshold.eu.special_social", "2026-11-22", "1.000.000,00 €"},
		{"qualification.mid.works", "2025-12-31", "5.538.000,00 €"},
		{"qualification.mid.works", "2026-01-01", "5.404.000,00 €"},
		{"standstill.days", "2024-12-30", "35 giorni"},
		{"standstill.days", "2024-12-31", "32 giorni"},
		{"min.compneg.requests", "2023-11-28", "10 giorni"},
		{"min.compneg.requests", "2023-11-29", "30 giorni"},
		{"price_revision.works.trigger", "2024-12-30", "5 %"},
		{"price_revision.works.trigger", "2024-12-31", "3 %"},
		{"penalty.daily_max", "2024-12-30", "1 ‰"},
		{"penalty.daily_max", "2024-12-31", "1,5 ‰"},
		{"selfannul.months", "2025-12-17", "12 mesi"},
		{"selfannul.months", "2025-12-18", "6 mesi"},
		{"works.publish_extension_max", "2025-01-01", "1 mese"},
		{"requirements.ban_months", "2024-01-01", "1–12 mesi"},
		{"guarantee.prov.range", "2024-01-01", "1–4 %"},
		{"engineering.alpha_range", "2024-12-31", "0,1–0,3"},
		{"anomaly.methodA.multiplier", "2024-01-01", "1,2"},
		{"anomaly.methodA.operator", "2024-12-31", "superiore o uguale a"},
		{"guarantee.below.no_adjust", "2024-12-31", "sì"},
		{"eu.publication.wait", "2024-01-01", "48 ore"},
		{"committee.max", "2024-01-01", "5 componenti"},
		{"court.summer_stop", "2024-01-01", "1º agosto – 31 agosto"},
		{"holiday.san_francesco", "2026-01-01", "4 ottobre"},
		{"anac_fee.table", "2023-04-01", "tabella di 9 fasce"},
		{"default.neg50.days", "1999-01-01", "15 giorni"},
	} {
		limit, err := table.On(day(t, c.day)).Get(c.key)
		if err != nil {
			t.Errorf("%s on %s: %v", c.key, c.day, err)
		} else if got := limit.Text(); got != c.want {
			t.Errorf("%s on %s = %q, want %q", c.key, c.day, got, c.want)
		}
	}
}

func TestFileRefusesDaysWithoutRow(t *testing.T) {
	table := realTable(t)
	for _, c := range []struct{ key, day, want string }{
		{"standstill.days", "2020-01-01", "no row for standstill.days on 2020-01-01"},
		{"standstill.days", "2023-06-30", "no row for standstill.days on 2023-06-30"},
		{"threshold.eu.works", "2028-01-01", "no row for threshold.eu.works on 2028-01-01"},
		{"qualification.mid.works", "2028-01-01", "follow qualification.mid.works: no row for threshold.eu.works on 2028-01-01"},
		{"price_revision.services.trigger", "2024-12-30", "no row for price_revision.services.trigger on 2024-12-30"},
		{"no.such_key", "2026-01-01", "no row for no.such_key on 2026-01-01"},
	} {
		_, err := table.On(day(t, c.day)).Get(c.key)
		var missing law.ErrNoLimit
		if !errors.As(err, &missing) || err.Error() != c.want {
			t.Errorf("%s on %s = %v, want %q", c.key, c.day, err, c.want)
		}
	}
}

func TestFileEvidence(t *testing.T) {
	limits := realTable(t).On(day(t, "2026-11-22"))
	for key, blocks := range map[string]bool{
		"standstill.days": true, "min.compneg.offers": true, // V23
		"min.survey.days": false, "convention.duration": false, "anac_fee.table": false,
	} {
		limit, err := limits.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		if limit.Mark.Blocks() != blocks {
			t.Errorf("%s with mark %s: blocks = %v, want %v", key, limit.Mark, !blocks, blocks)
		}
	}
}

// The fee of ANAC is a table: each band holds from its amount, included.
func TestFileFeeBands(t *testing.T) {
	limit, err := realTable(t).On(day(t, "2024-06-01")).Get("anac_fee.table")
	if err != nil {
		t.Fatal(err)
	}
	bands, err := limit.Bands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ amount, body, operator string }{
		{"0", "0", "0"}, {"39.999,99", "0", "0"}, {"40.000", "35", "0"}, {"149.999,99", "35", "0"},
		{"150.000", "250", "18"}, {"300.000", "250", "33"}, {"500.000", "410", "77"}, {"999.999,99", "410", "90"},
		{"1.000.000", "660", "165"}, {"5.000.000", "880", "220"}, {"20.000.000", "880", "560"}, {"900.000.000", "880", "560"},
	} {
		band, ok := bands.At(euro(t, c.amount))
		if !ok || band.Body != euro(t, c.body) || band.Operator != euro(t, c.operator) {
			t.Errorf("fee for %s = %s and %s (%v), want %s and %s", c.amount, band.Body, band.Operator, ok, c.body, c.operator)
		}
	}
	if _, ok := bands.At(-1); ok {
		t.Error("a negative amount has a band")
	}
}
