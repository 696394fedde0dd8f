package exchange

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// row is what a test says of a row; the rest is a plain lot, the first of tender 100.
type row map[string]string

var plain = row{
	"cig": cigOf(1), "numero_gara": "100", "oggetto_gara": "Scuola di via Traverso", "oggetto_lotto": "Scuola", "cf_amministrazione_appaltante": "80006510285",
	"denominazione_amministrazione_appaltante": "PROVINCIA DI PADOVA", "data_pubblicazione": "2023-08-01", "n_lotti_componenti": "1", "ESITO": "",
}

// sheet writes rows as CSV with the columns that they name; what a row does not say is plain.
func sheet(rows ...row) string { return write(";", columnsOf(rows), rows) }

func columnsOf(rows []row) []string {
	names := maps.Clone(plain)
	for _, r := range rows {
		maps.Copy(names, r)
	}
	return slices.Sorted(maps.Keys(names))
}

func write(sep string, order []string, rows []row) string {
	lines := []string{strings.Join(order, sep)}
	for _, r := range rows {
		var values []string
		for _, c := range order {
			v, ok := r[c]
			if !ok {
				v = plain[c]
			}
			values = append(values, `"`+strings.ReplaceAll(v, `"`, `""`)+`"`)
		}
		lines = append(lines, strings.Join(values, sep))
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestDirtyRows(t *testing.T) {
	cases := []struct {
		name             string
		row              row
		warned, rejected string // codes
	}{
		{"CIG without a form", row{"cig": "12345"}, "", "cig_format"},
		{"no CIG", row{"cig": ""}, "", "cig_missing"},
		{"CIG with a wrong check", row{"cig": "A0080CB959"}, "cig_check", ""},
		{"no tender", row{"numero_gara": ""}, "", "tender_missing"},
		{"endless tender", row{"numero_gara": strings.Repeat("9", 65)}, "", "tender_format"},
		{"no title", row{"oggetto_gara": " ", "oggetto_lotto": ""}, "", "title_missing"},
		{"no body", row{"cf_amministrazione_appaltante": ""}, "", "body_missing"},
		{"body without a form", row{"cf_amministrazione_appaltante": "PADOVA"}, "", "body_format"},
		{"body without its zeros", row{"cf_amministrazione_appaltante": "647320282"}, "body_padded", ""},
		{"body with a wrong check", row{"cf_amministrazione_appaltante": "80006510284"}, "body_check", ""},
		{"nameless body", row{"denominazione_amministrazione_appaltante": ""}, "body_name", ""},
		{"delegation to nobody", row{"FLAG_DELEGA": "1", "CF_SA_DELEGANTE": "80009330285", "DENOMINAZIONE_SA_DELEGANTE": "COMUNE DI CONSELVE", "CF_SA_DELEGATA": "?"}, "delegate", ""},
		{"amount in words", row{"importo_lotto": "molto"}, "amount", ""},
		{"negative amount", row{"importo_complessivo_gara": "-1.0"}, "tender_amount", ""},
		{"30 February", row{"data_scadenza_offerta": "2023-02-30"}, "bids_due", ""},
		{"year 2999", row{"data_pubblicazione": "2999-01-01"}, "published", ""},
		{"CPV", row{"cod_cpv": "4545"}, "cpv", ""},
		{"CUI", row{"CUI_PROGRAMMA": "0000000000000000000000"}, "cui", ""},
		{"CUP", row{"CUP": "B18E"}, "cup", ""},
		{"NUTS", row{"LUOGO_NUTS": "FRA10"}, "nuts", ""},
		{"place", row{"luogo_istat": "ESTERO"}, "place", ""},
		{"kind", row{"oggetto_principale_contratto": "MISTO"}, "kind", ""},
		{"lots", row{"n_lotti_componenti": "due"}, "lots", ""},
		{"flag", row{"FLAG_PNRR_PNC": "forse"}, "flag", ""},
		{"outcome", row{"ESITO": "VINTA"}, "outcome", ""},
		{"status", row{"stato": "MAH"}, "status", ""},
		{"Windows-1252", row{"oggetto_lotto": "Citt\xe0"}, "encoding", ""},
		{"control characters", row{"oggetto_lotto": "Scuola\x00\x07 di\tvia"}, "", ""},
	}
	s := newSubject(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, given := c.row["cig"]; !given {
				c.row["cig"] = cigOf(100 + i)
			}
			if _, given := c.row["numero_gara"]; !given {
				c.row["numero_gara"] = "7" + cigOf(100+i)
			}
			rep := s.take(t, sheet(c.row))
			want := Report{Imported: 1}
			if c.rejected != "" {
				want = Report{Rejected: 1}
			}
			if rep.Imported != want.Imported || rep.Rejected != want.Rejected || !only(rep.Warnings, c.warned) || !only(rep.Rejections, c.rejected) {
				t.Errorf("report:\n%s", rep.Text())
			}
			for _, f := range append(rep.Warnings, rep.Rejections...) {
				if f.Text == f.Code || f.Lines[0] != 2 || !strings.Contains(rep.Text(), f.Text) {
					t.Errorf("finding %+v has no sentence, or another line", f)
				}
			}
		})
	}
}

// only reports whether a list holds nothing but the code ("": nothing at all).
func only(list []Finding, code string) bool {
	if code == "" {
		return len(list) == 0
	}
	return len(list) == 1 && list[0].Code == code
}

func TestOneCIGOfTwoTenders(t *testing.T) {
	s := newSubject(t)
	rep := s.take(t, sheet(row{}, row{"numero_gara": "101"}))
	if rep.Imported != 1 || !only(rep.Rejections, "other_tender") {
		t.Errorf("in one file:\n%s", rep.Text())
	}
	if rep = s.take(t, sheet(row{"numero_gara": "102"})); rep.Tenders != 0 || !only(rep.Rejections, "engine:other_tender") {
		t.Errorf("in two files:\n%s", rep.Text())
	}
	rep = s.take(t, sheet(row{}, row{"oggetto_lotto": "Altra"}, row{}))
	if rep.Unchanged != 1 || rep.Repeated != 2 || !only(rep.Warnings, "repeated") {
		t.Errorf("the same twice, and once with another title:\n%s", rep.Text())
	}
}

func TestOtherBodiesThanTheTenders(t *testing.T) {
	s := newSubject(t)
	rep := s.take(t, sheet(row{}, row{"cig": cigOf(2), "FLAG_DELEGA": "1", "CF_SA_DELEGANTE": "80009330285", "DENOMINAZIONE_SA_DELEGANTE": "COMUNE DI CONSELVE", "CF_SA_DELEGATA": "80006510285", "DENOMINAZIONE_SA_DELEGATA": "PROVINCIA DI PADOVA"}))
	if rep.Imported != 2 || !only(rep.Warnings, "engine:owners") || s.find(t, "imported_lot", cigOf(2)).MemberBody.Name != "PROVINCIA DI PADOVA" {
		t.Errorf("report:\n%s", rep.Text())
	}
}

// TestNamesOfAdministratorsStay: an import never renames a body.
func TestNamesOfAdministratorsStay(t *testing.T) {
	s := newSubject(t)
	s.take(t, sheet(row{}))
	s.take(t, sheet(row{"cig": cigOf(2), "numero_gara": "101", "denominazione_amministrazione_appaltante": "AMMINISTRAZIONE PROVINCIALE DI PADOVA"}))
	if name := s.find(t, "imported_lot", cigOf(2)).SUA.Name; name != "PROVINCIA DI PADOVA" {
		t.Errorf("the body is called %s", name)
	}
}

// TestFormsOfTheFile: separator, order and case of the columns, BOM and line ends change nothing.
func TestFormsOfTheFile(t *testing.T) {
	rows := []row{{"oggetto_lotto": "Scuola; \"media\",\nvia Roma"}, {"cig": cigOf(2), "numero_gara": "101"}}
	order := columnsOf(rows)
	first := write(";", order, rows)
	slices.Reverse(order)
	for name, csv := range map[string]string{
		"comma":      write(",", order, rows),
		"tab":        write("\t", order, rows),
		"BOM, CRLF":  "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(first, "\n", "\r\n"), ",\r\n", ",\n"),
		"upper case": strings.ToUpper(first[:strings.Index(first, "\n")]) + first[strings.Index(first, "\n"):],
		"no end":     strings.TrimSuffix(first, "\n"),
		"blank line": strings.Replace(first, "\n", "\n\n", 1) + "\n\n",
		"columns":    write(";", order, rows),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSubject(t)
			rep := s.take(t, csv)
			lot := s.find(t, "imported_lot", cigOf(1))
			if rep.Imported != 2 || rep.Rejected != 0 || lot.Title != "Scuola; \"media\", via Roma" {
				t.Errorf("title %q\n%s", lot.Title, rep.Text())
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	whole := sheet(row{}, row{"cig": cigOf(2), "numero_gara": "101"}, row{"cig": cigOf(3), "numero_gara": "102"})
	for name, csv := range map[string]string{
		"in quotation marks": whole[:len(whole)-3],
		"after a field":      whole[:strings.LastIndex(whole, ";")],
		"in the first field": whole[:strings.LastIndex(whole[:len(whole)-1], "\n")+3],
	} {
		t.Run(name, func(t *testing.T) {
			rep := newSubject(t).take(t, csv)
			if rep.Imported != 2 || rep.Rejected != 1 || rep.Complete() || !strings.Contains(rep.Text(), "troncato") || rep.Rejections[0].Lines[0] != 4 {
				t.Errorf("report:\n%s", rep.Text())
			}
		})
	}
}

func TestOpenQuotationMarkLosesOneRow(t *testing.T) {
	lines := strings.SplitAfter(sheet(row{}, row{"cig": cigOf(2), "numero_gara": "101"}, row{"cig": cigOf(3), "numero_gara": "102"}), "\n")
	lines[2] = strings.Replace(lines[2], `"Scuola"`, `"Scuola`, 1)
	rep := newSubject(t).take(t, strings.Join(lines, ""))
	if rep.Imported != 2 || rep.Rejected != 1 || !rep.Complete() || rep.Rejections[0].Lines[0] != 3 {
		t.Errorf("report:\n%s", rep.Text())
	}
}

func TestFilesOfAnotherKind(t *testing.T) {
	s := newSubject(t)
	for name, c := range map[string]struct{ text, says string }{
		"empty":    {"", "è vuoto"},
		"zip":      {"PK\x03\x04....", "ZIP"},
		"UTF-16":   {"\xff\xfec\x00i\x00g\x00", "UTF-16"},
		"columns":  {"cig;importo\nA;1\n", "numero_gara, cf_amministrazione_appaltante, oggetto_gara (o oggetto_lotto)"},
		"unclosed": {"cig;\"numero_gara\n", "intestazione"},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := ImportANAC(t.Context(), s.Engine, strings.NewReader(c.text), Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) || rep.Rows != 0 {
				t.Errorf("error %v, want it to say %q", err, c.says)
			}
			if missing := new(MissingColumns); !errors.Is(err, ErrNotCSV) && !errors.As(err, &missing) {
				t.Errorf("error of no known kind: %v", err)
			}
		})
	}
}

func TestAbsentColumnsAreTold(t *testing.T) {
	rep := newSubject(t).take(t, sheet(row{}))
	if !slices.Contains(rep.Absent, "cod_esito") || slices.Contains(rep.Absent, "cup") || !strings.Contains(rep.Text(), "Colonne assenti") {
		t.Errorf("absent: %v", rep.Absent)
	}
}
