package exchange

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/engine"
)

// Finding is one reason for which rows were warned of or rejected, with how many and where.
type Finding struct {
	Code    string
	Text    string  // Italian
	Count   int64   // rows
	Lines   []int64 // the first few, by line of the file (the header is line 1)
	Example string  // what stood in the first of them; may be empty
}

// Report tells what became of a file. Of its rows each is imported, updated, unchanged, a repetition or rejected.
type Report struct {
	Rows      int64 // read, the header excepted
	Bytes     int64 // read
	Imported  int64 // lots not known before
	Updated   int64 // lots known, of which something changed
	Unchanged int64 // lots known, of which nothing changed
	Repeated  int64 // rows that repeat a lot of this file: for one more CPV, or word by word
	Rejected  int64

	Tenders, TendersUpdated, Bodies int64 // tenders begun and changed, bodies made

	Warnings   []Finding // the row was imported all the same
	Rejections []Finding // the row was not imported
	Facts      []Finding // worth knowing: what was read from where one would not expect it
	Absent     []string  // optional columns that the file does not have
	Truncated  bool      // the file ends in the middle of a row
}

// Complete reports whether the file was read to its end; a program that imports should otherwise not exit with success.
func (r *Report) Complete() bool { return !r.Truncated }

const keptLines = 5

// finding adds a row to the reason with this code.
func finding(list *[]Finding, code, example string, line int64) {
	i := slices.IndexFunc(*list, func(f Finding) bool { return f.Code == code })
	if i < 0 {
		text, ok := reasons[code]
		if !ok {
			text = code
		}
		*list = append(*list, Finding{Code: code, Text: text, Example: shorten(example)})
		i = len(*list) - 1
	}
	f := &(*list)[i]
	f.Count++
	if len(f.Lines) < keptLines {
		f.Lines = append(f.Lines, line)
	}
}

// merge adds the findings of a batch.
func merge(list *[]Finding, more []Finding) {
	for _, m := range more {
		i := slices.IndexFunc(*list, func(f Finding) bool { return f.Code == m.Code })
		if i < 0 {
			*list = append(*list, m)
			continue
		}
		f := &(*list)[i]
		f.Count += m.Count
		f.Lines = append(f.Lines, m.Lines...)
		f.Lines = f.Lines[:min(len(f.Lines), keptLines)]
	}
}

// note takes over what the engine said of rows.
func (r *Report) note(notes []engine.ImportNote) {
	for _, n := range notes {
		list := &r.Warnings
		if n.Rejected {
			list = &r.Rejections
		}
		finding(list, "engine:"+string(n.Code), n.Detail, n.Line)
	}
}

func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.Clone(s)
}

// reasons are the sentences of findings, by code.
var reasons = map[string]string{
	// rejected
	"quote":               "virgolette mai chiuse",
	"columns":             "numero di colonne diverso dall'intestazione",
	"long":                "riga troppo lunga",
	"cig_missing":         "CIG mancante",
	"cig_format":          "CIG di formato errato",
	"tender_missing":      "manca numero_gara",
	"tender_format":       "numero_gara non valido",
	"title_missing":       "manca l'oggetto",
	"body_missing":        "manca il codice fiscale dell'amministrazione appaltante",
	"body_format":         "codice fiscale dell'amministrazione appaltante non valido",
	"other_tender":        "lo stesso CIG compare nel file con un altro numero_gara",
	"engine:other_tender": "CIG già importato con un altro numero_gara",
	"engine:repeated":     "CIG ripetuto",
	"engine:refused":      "non ammesso dal flusso di lavoro",

	// warned
	"encoding":              "caratteri non UTF-8, letti come Windows-1252",
	"cig_check":             "il carattere di controllo del CIG non torna",
	"body_check":            "il carattere di controllo del codice fiscale dell'ente non torna",
	"body_padded":           "codice fiscale dell'ente senza gli zeri iniziali, aggiunti",
	"body_name":             "ente senza denominazione: usato il codice fiscale",
	"delegate":              "delega senza codici fiscali validi: usata l'amministrazione appaltante",
	"cui":                   "CUI non valido, lasciato vuoto",
	"cup":                   "CUP non valido, lasciato vuoto",
	"cpv":                   "CPV non valido, lasciato vuoto",
	"nuts":                  "codice NUTS non valido, lasciato vuoto",
	"place":                 "codice ISTAT del luogo non valido, lasciato vuoto",
	"kind":                  "tipo di appalto sconosciuto, lasciato vuoto",
	"amount":                "importo del lotto non valido, lasciato vuoto",
	"tender_amount":         "importo complessivo non valido, lasciato vuoto",
	"lots":                  "numero di lotti non valido, lasciato vuoto",
	"published":             "data di pubblicazione non valida, lasciata vuota",
	"bids_due":              "scadenza delle offerte non valida, lasciata vuota",
	"outcome_date":          "data dell'esito non valida, lasciata vuota",
	"flag":                  "sì o no scritto in un modo sconosciuto, lasciato vuoto",
	"outcome":               "esito sconosciuto: il lotto è «Esito non noto»",
	"status":                "stato del CIG sconosciuto, non considerato",
	"text_cut":              "testo troppo lungo, tagliato",
	"repeated":              "CIG ripetuto nel file con dati diversi: vale la prima riga",
	"engine:owners":         "gli enti della riga non sono quelli della gara, che tiene i suoi",
	"engine:ended":          "esito cambiato dopo la conclusione: lasciato com'era",
	"engine:ended_data":     "dati cambiati dopo la conclusione: lasciati com'erano",
	"engine:tender_ended":   "gara già conclusa: i suoi lotti ora dicono altro",
	"engine:tender_refused": "dati della gara non ammessi dal flusso di lavoro",

	// worth knowing
	"cup_from_title": "CUP letto dall'oggetto",
}

// Text is the report for people, in Italian.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Righe lette: %d\n", r.Rows)
	fmt.Fprintf(&b, "  lotti importati:   %d\n", r.Imported)
	fmt.Fprintf(&b, "  lotti aggiornati:  %d\n", r.Updated)
	fmt.Fprintf(&b, "  lotti invariati:   %d\n", r.Unchanged)
	if r.Repeated > 0 {
		fmt.Fprintf(&b, "  righe ripetute:    %d (stesso CIG, un altro CPV o la stessa riga)\n", r.Repeated)
	}
	fmt.Fprintf(&b, "  righe scartate:    %d\n", r.Rejected)
	fmt.Fprintf(&b, "Gare nuove: %d, aggiornate: %d. Enti nuovi: %d.\n", r.Tenders, r.TendersUpdated, r.Bodies)
	section(&b, "Righe scartate", r.Rejections)
	section(&b, "Avvisi", r.Warnings)
	section(&b, "Da sapere", r.Facts)
	if len(r.Absent) > 0 {
		fmt.Fprintf(&b, "Colonne assenti nel file, saltate: %s.\n", strings.Join(r.Absent, ", "))
	}
	if r.Truncated {
		b.WriteString("ATTENZIONE: il file è troncato: l'ultima riga non è intera. Le righe intere sono state importate; scaricare di nuovo il file e ripetere.\n")
	}
	return b.String()
}

func section(b *strings.Builder, title string, list []Finding) {
	if len(list) == 0 {
		return
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(x, y Finding) int { return cmp.Compare(y.Count, x.Count) })
	fmt.Fprintf(b, "%s:\n", title)
	for _, f := range sorted {
		lines := make([]string, len(f.Lines))
		for i, n := range f.Lines {
			lines[i] = fmt.Sprint(n)
		}
		where := "riga " + lines[0]
		if len(lines) > 1 {
			where = "righe " + strings.Join(lines, ", ")
		}
		if f.Count > int64(len(lines)) {
			where += " …"
		}
		if f.Example != "" {
			where += fmt.Sprintf("; per esempio «%s»", f.Example)
		}
		fmt.Fprintf(b, "  %6d  %s (%s)\n", f.Count, f.Text, where)
	}
}
