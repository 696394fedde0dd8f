package exchange

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]int64{
		"45419.0": 4541900, "16556400": 1655640000, "3307836.24": 330783624, "163934.426": 16393443, "934.426": 93443, "0.0": 0, "0.005": 1,
		"1.0E7": 1000000000, "3.307.836,24": 330783624, "5000,5": 500050, "1.234.567": 123456700, "€ 5,00": 500,
	} {
		if got, ok := parseAmount(text); !ok || got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"-1", "-1,00", "abc", "1.0E99", "99999999999999999", "1,234.56", "NaN", "0x10", "1/2"} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("%q = %d, want it refused", text, got)
		}
	}
}

func TestParseDay(t *testing.T) {
	for text, want := range map[string]string{
		"2023-09-04": "2023-09-04", "04/09/2023": "2023-09-04", "2023-09-04T00:00:00": "2023-09-04", "2023-09-04 12:30:00": "2023-09-04",
		"2023-09-04T22:00:00+02:00": "2023-09-04", "20230904": "2023-09-04",
	} {
		if got, ok := parseDay(text); !ok || got != want {
			t.Errorf("%q = %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"2023-02-30", "09-04-2023", "0001-01-01", "2999-01-01", "ieri"} {
		if got, ok := parseDay(text); ok {
			t.Errorf("%q = %q, want it refused", text, got)
		}
	}
}

func TestFindCUPs(t *testing.T) {
	for text, want := range map[string][]string{
		"PNRR CUP B18E18000340009":                   {"B18E18000340009"},
		"cup:b18e18000340009.":                       {"B18E18000340009"},
		"XB18E18000340009":                           nil,
		"B18E180003400091":                           nil,
		"B18E1800034000":                             nil,
		"B18E18000340009 e J77H18001340002":          {"B18E18000340009", "J77H18001340002"},
		"B18E18000340009 e di nuovo B18E18000340009": {"B18E18000340009"},
	} {
		if got := findCUPs(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestState(t *testing.T) {
	on := calendar.Date{Year: 2023, Month: time.September, Day: 10}
	for _, c := range []struct {
		name string
		e    evidence
		want string
	}{
		{"bids not due", evidence{bidsDue: "2023-09-11"}, statePublished},
		{"bids due today", evidence{bidsDue: "2023-09-10"}, statePublished},
		{"bids were due", evidence{bidsDue: "2023-09-09"}, stateBidsClosed},
		{"published, no deadline", evidence{published: "2023-08-01"}, statePublished},
		{"nothing known", evidence{}, stateUnknown},
		{"awarded", evidence{word: "Aggiudicata", bidsDue: "2023-09-11"}, stateAwarded},
		{"proposed", evidence{word: "PROPOSTA DI AGGIUDICAZIONE"}, stateProposed},
		{"deserted", evidence{word: "DESERTA"}, stateDeserted},
		{"no good bid", evidence{word: "SENZA ESITO A SEGUITO DI OFFERTE IRREGOLARI O INAMMISSIBILI"}, stateDeserted},
		{"nobody won", evidence{word: "NON È STATO SELEZIONATO NESSUN VINCITORE E LA GARA È CHIUSA."}, stateDeserted},
		{"nobody won yet", evidence{word: "NON È ANCORA STATO SELEZIONATO UN VINCITORE MA LA GARA È ANCORA IN CORSO.", bidsDue: "2023-09-09"}, stateBidsClosed},
		{"revoked", evidence{word: "ANNULLATA/REVOCATA DOPO L'APERTURA DELLE BUSTE AMMINISTRATIVE"}, stateCancelled},
		{"code alone", evidence{code: "5.0"}, stateProposed},
		{"code of an annulment", evidence{code: "7"}, stateCancelled},
		{"the word before the code", evidence{code: "1", word: "DESERTA"}, stateDeserted},
		{"unknown word", evidence{word: "VINTA", code: "1"}, stateUnknown},
		{"unknown code", evidence{code: "98"}, stateUnknown},
		{"cancelled after the award", evidence{word: "AGGIUDICATA", cancelled: true}, stateCancelled},
		{"cancelled by its status", evidence{status: "CANCELLATO"}, stateCancelled},
		{"active", evidence{status: "ATTIVO", bidsDue: "2023-09-11"}, statePublished},
	} {
		c.e.today = on
		if got := c.e.state(); got != c.want || c.e.unknownWord != strings.HasPrefix(c.name, "unknown") {
			t.Errorf("%s: %s (unknown %v), want %s", c.name, got, c.e.unknownWord, c.want)
		}
	}
}

func TestRecords(t *testing.T) {
	for text, want := range map[string][]string{
		"a;b;c":                    {"a", "b", "c"},
		`"a";"";"c"`:               {"a", "", "c"},
		`"a ""x""";b;`:             {`a "x"`, "b", ""},
		`"a;b";"c` + "\n" + `d";e`: {"a;b", "c\nd", "e"},
		`"il "vecchio" detto";b;c`: {`il "vecchio" detto`, "b", "c"},
		`a"b;c;d"`:                 {`a"b`, "c", `d"`},
		`"""";b;c`:                 {`"`, "b", "c"},
	} {
		rs := newRecords(strings.NewReader(text))
		rs.sep, rs.columns = ';', 3
		rec, err := rs.next()
		if err != nil || rec.fault != faultNone || !slices.Equal(rec.fields, want) {
			t.Errorf("%q: %q %s %v", text, rec.fields, rec.fault, err)
		}
		if _, err := rs.next(); err != io.EOF {
			t.Errorf("%q: more follows: %v", text, err)
		}
	}
}

func TestEndlessLine(t *testing.T) {
	rs := newRecords(strings.NewReader("a;b\n" + strings.Repeat("x", 3*maxRecordBytes) + "\nc;d\n"))
	rs.sep, rs.columns = ';', 2
	for i, want := range []fault{faultNone, faultLong, faultNone} {
		if rec, err := rs.next(); err != nil || rec.fault != want || rec.line != int64(i+1) {
			t.Errorf("record %d: line %d, fault %q, %v", i, rec.line, rec.fault, err)
		}
	}
}

// TestMemoryIsBounded: what is remembered of a file does not grow with it, and the last rows are always there.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	for i := range 5 * generation {
		m.keep(cigOf(i), sight{at: i})
		if s, ok := m.find(cigOf(max(0, i-generation/2))); !ok || s.at != max(0, i-generation/2) {
			t.Fatalf("row %d: %v %v", i, s, ok)
		}
	}
	if n := len(m.young) + len(m.old); n > 2*generation {
		t.Errorf("%d rows are remembered", n)
	}
}

// FuzzReadANAC: whatever a file holds, reading it ends, does not panic, and accounts for every row.
func FuzzReadANAC(f *testing.F) {
	f.Add(sheet(row{}, row{"oggetto_lotto": "a;\"b\"\nc"}))
	f.Add(columns61 + "\n\"")
	f.Add("cig,numero_gara,oggetto_gara,cf_amministrazione_appaltante\nA0080CB958,1,x,80006510285\n")
	f.Add("\ufeffcig;cig;\x00;numero_gara\n;;;\n")
	f.Fuzz(func(t *testing.T, text string) {
		rs := newRecords(strings.NewReader(text))
		h, err := readHeader(rs)
		if err != nil {
			return
		}
		rd := &reader{h: h, today: calendar.Date{Year: 2023, Month: time.September, Day: 10}}
		for range 1 + len(text) {
			rd.batch = &batch{}
			end := rd.fill(rs, 7)
			b := rd.batch
			if int64(len(b.rows))+b.rejected+b.repeated != b.read {
				t.Fatalf("%d rows, %d rejected, %d repeated of %d", len(b.rows), b.rejected, b.repeated, b.read)
			}
			for _, lot := range b.rows {
				if lot.CIG == "" || lot.Tender == "" || lot.State == "" || lot.Member.TaxCode == "" {
					t.Fatalf("lot without what it cannot do without: %+v", lot)
				}
			}
			if end {
				return
			}
		}
		t.Fatal("the end never comes")
	})
}
