package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// column is one of ANAC's columns that a case is made of; the others are kept with the event and not looked at.
type column int

const (
	colCIG column = iota
	colTender
	colTenderTitle
	colTenderAmount
	colLots
	colTitle
	colAmount
	colKind
	colStatus
	colPlace
	colNUTS
	colPublished
	colBidsDue
	colProcedure
	colBodyCode
	colBodyName
	colCPV
	colMainCPV
	colCancelCode
	colCancelReason
	colCancelDate
	colUrgent
	colDelegated
	colMemberCode
	colMemberName
	colSUACode
	colSUAName
	colCUI
	colCUP
	colOutcomeCode
	colOutcome
	colOutcomeDate
	colPNRR
	columns // how many there are
)

// names are ANAC's names of the columns, in lower case; a file may write them in any case and order.
var names = [columns]string{
	"cig", "numero_gara", "oggetto_gara", "importo_complessivo_gara", "n_lotti_componenti", "oggetto_lotto", "importo_lotto",
	"oggetto_principale_contratto", "stato", "luogo_istat", "luogo_nuts", "data_pubblicazione", "data_scadenza_offerta",
	"tipo_scelta_contraente", "cf_amministrazione_appaltante", "denominazione_amministrazione_appaltante", "cod_cpv",
	"flag_prevalente", "cod_motivo_cancellazione", "motivo_cancellazione", "data_cancellazione", "flag_urgenza", "flag_delega",
	"cf_sa_delegante", "denominazione_sa_delegante", "cf_sa_delegata", "denominazione_sa_delegata", "cui_programma", "cup",
	"cod_esito", "esito", "data_comunicazione_esito", "flag_pnrr_pnc",
}

// required are the columns without which a row is no lot. Of the two titles one is enough.
var required = []column{colCIG, colTender, colBodyCode}

// extra are columns that ANAC's file of today does not have; nobody misses them.
var extra = []column{colNUTS, colCUP}

// ErrNotCSV: the file is not the CSV that ANAC publishes; the text, in Italian, says what it seems to be.
var ErrNotCSV = errors.New("il file non è un CSV degli open data ANAC")

// MissingColumns is returned when the header lacks columns without which nothing can be imported.
type MissingColumns struct{ Names, Found []string }

// Error is the Italian text for who chose the file.
func (e *MissingColumns) Error() string {
	found := "nessuna"
	if len(e.Found) > 0 {
		found = strings.Join(e.Found[:min(len(e.Found), 8)], ", ")
	}
	return fmt.Sprintf("nel file mancano le colonne obbligatorie: %s. Colonne trovate: %s. Serve il CSV «CIG» degli open data di ANAC",
		strings.Join(e.Names, ", "), found)
}

// header says where the columns stand.
type header struct {
	raw    []string // as the file writes them
	keys   []string // the same as JSON texts: the keys of the kept row; "" for a name that is empty or there already
	at     [columns]int
	absent []string // optional columns that are not there
}

// get is the trimmed value of a column; "" when the file has no such column.
func (h *header) get(fields []string, c column) string {
	if h.at[c] < 0 {
		return ""
	}
	return strings.TrimSpace(fields[h.at[c]])
}

func (h *header) has(c column) bool { return h.at[c] >= 0 }

// readHeader finds out the separator and the columns from the first line.
func readHeader(rs *records) (*header, error) {
	if err := refuseOthers(rs); err != nil {
		return nil, err
	}
	first, err := rs.line()
	for err == nil && strings.TrimSpace(first.text) == "" && !first.long {
		first, err = rs.line()
	}
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: è vuoto", ErrNotCSV)
	}
	if err != nil {
		return nil, err
	}
	rs.sep = separator(first.text)
	rec, err := rs.record(first)
	if err != nil {
		return nil, err
	}
	if rec.fault != faultNone {
		return nil, fmt.Errorf("%w: la prima riga non è un'intestazione leggibile", ErrNotCSV)
	}
	h := &header{raw: slices.Clone(rec.fields)}
	rs.columns = len(rec.fields)
	return h, h.locate()
}

func (h *header) locate() error {
	at := map[string]int{}
	h.keys = make([]string, len(h.raw))
	for i, name := range h.raw {
		h.raw[i] = strings.TrimSpace(name)
		key := strings.ToLower(h.raw[i])
		if _, twice := at[key]; twice || key == "" {
			continue
		}
		at[key], h.keys[i] = i, string(appendText(nil, h.raw[i]))
	}
	missing := &MissingColumns{Found: h.raw}
	for c := range columns {
		i, ok := at[names[c]]
		if !ok {
			i = -1
			if slices.Contains(required, c) {
				missing.Names = append(missing.Names, names[c])
			} else if !slices.Contains(extra, c) {
				h.absent = append(h.absent, names[c])
			}
		}
		h.at[c] = i
	}
	if !h.has(colTitle) && !h.has(colTenderTitle) {
		missing.Names = append(missing.Names, names[colTenderTitle]+" (o "+names[colTitle]+")")
	}
	if len(missing.Names) > 0 {
		return missing
	}
	return nil
}

// refuseOthers recognises by the first bytes the files that people choose by mistake: ANAC publishes the CSV in a ZIP.
func refuseOthers(rs *records) error {
	start, err := rs.r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, other := range []struct{ magic, text string }{
		{"PK\x03\x04", "è un archivio ZIP (o un foglio Excel): estrarre prima il CSV"},
		{"\x1f\x8b", "è compresso con gzip: estrarre prima il CSV"},
		{"\xff\xfe", "è in UTF-16: salvarlo in UTF-8"},
		{"\xfe\xff", "è in UTF-16: salvarlo in UTF-8"},
		{"%PDF", "è un PDF"},
	} {
		if bytes.HasPrefix(start, []byte(other.magic)) {
			return fmt.Errorf("%w: %s", ErrNotCSV, other.text)
		}
	}
	return nil
}

// separator is the candidate that occurs most in the header; ANAC's own at a tie.
func separator(line string) byte {
	best := byte(';')
	for _, c := range []byte{',', '\t', '|'} {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best
}
