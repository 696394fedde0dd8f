package exchange

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/province-comuni/sua/internal/calendar"
)

// columns61 is the header of ANAC's file as published in 2023.
const columns61 = "cig;cig_accordo_quadro;numero_gara;oggetto_gara;importo_complessivo_gara;n_lotti_componenti;oggetto_lotto;importo_lotto;" +
	"oggetto_principale_contratto;stato;settore;luogo_istat;provincia;data_pubblicazione;data_scadenza_offerta;cod_tipo_scelta_contraente;" +
	"tipo_scelta_contraente;cod_modalita_realizzazione;modalita_realizzazione;codice_ausa;cf_amministrazione_appaltante;" +
	"denominazione_amministrazione_appaltante;sezione_regionale;id_centro_costo;denominazione_centro_costo;anno_pubblicazione;" +
	"mese_pubblicazione;cod_cpv;descrizione_cpv;flag_prevalente;COD_MOTIVO_CANCELLAZIONE;MOTIVO_CANCELLAZIONE;DATA_CANCELLAZIONE;" +
	"DATA_ULTIMO_PERFEZIONAMENTO;COD_MODALITA_INDIZIONE_SPECIALI;MODALITA_INDIZIONE_SPECIALI;COD_MODALITA_INDIZIONE_SERVIZI;" +
	"MODALITA_INDIZIONE_SERVIZI;DURATA_PREVISTA;COD_STRUMENTO_SVOLGIMENTO;STRUMENTO_SVOLGIMENTO;FLAG_URGENZA;COD_MOTIVO_URGENZA;" +
	"MOTIVO_URGENZA;FLAG_DELEGA;FUNZIONI_DELEGATE;CF_SA_DELEGANTE;DENOMINAZIONE_SA_DELEGANTE;CF_SA_DELEGATA;DENOMINAZIONE_SA_DELEGATA;" +
	"IMPORTO_SICUREZZA;TIPO_APPALTO_RISERVATO;CUI_PROGRAMMA;FLAG_PREV_RIPETIZIONI;COD_IPOTESI_COLLEGAMENTO;IPOTESI_COLLEGAMENTO;" +
	"CIG_COLLEGAMENTO;COD_ESITO;ESITO;DATA_COMUNICAZIONE_ESITO;FLAG_PNRR_PNC"

var words = strings.Fields("LAVORI DI MANUTENZIONE STRAORDINARIA SERVIZIO REFEZIONE SCOLASTICA FORNITURA ARREDI PALESTRA COMUNALE VIA ROMA " +
	"ADEGUAMENTO SISMICO EFFICIENTAMENTO ENERGETICO TRASPORTO ALUNNI RACCOLTA RIFIUTI ASFALTATURA STRADE CAPOLUOGO LOTTO FUNZIONALE")

func title(r *rand.Rand) string {
	n := 8 + r.IntN(16)
	out := make([]string, n)
	for i := range out {
		out[i] = words[r.IntN(len(words))]
	}
	return strings.Join(out, " ")
}

// cigOf gives the n-th CIG of the newest family, with the check characters that law.md §7 derives.
func cigOf(n int) string {
	n &= 0xFFFFFF
	return fmt.Sprintf("B%06X%03X", n, (n+2)*211%4091)
}

// taxOf gives the n-th tax code of an organisation with a right check digit.
func taxOf(n int) string {
	first := fmt.Sprintf("%010d", n)
	sum := 0
	for i, c := range first {
		v := int(c - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return fmt.Sprintf("%s%d", first, (10-sum%10)%10)
}

// Synthetic writes n rows of the form of ANAC's file: one lot per tender mostly, a thousand bodies, a delegation in thirty.
func Synthetic(w io.Writer, n int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, columns61)
	day := calendar.Date{Year: 2023, Month: time.January, Day: 1}
	lots, left, tender, tenderTitle, body := 1, 0, 0, "", 0
	for i := range n {
		if left == 0 {
			tender, tenderTitle, body, lots = tender+1, title(r), r.IntN(1000), 1
			if r.IntN(20) == 0 {
				lots = 2 + r.IntN(6)
			}
			left = lots
		}
		left--
		published := day.AddDays(r.IntN(360))
		amount := fmt.Sprintf("%d.%d", 40_000+r.IntN(2_000_000), r.IntN(100))
		f := []string{
			cigOf(i), "", fmt.Sprint(9_000_000 + tender), tenderTitle, amount, fmt.Sprint(lots), title(r), amount,
			[]string{"LAVORI", "SERVIZI", "FORNITURE"}[r.IntN(3)], "ATTIVO", "SETTORI ORDINARI", "028031", "PADOVA", published.String(),
			published.AddDays(20).String(), "34", "PROCEDURA NEGOZIATA PER AFFIDAMENTI SOTTO SOGLIA", "1", "CONTRATTO D'APPALTO", "0000240773",
			taxOf(body), fmt.Sprintf("COMUNE DI PROVA %d", body), "SEZIONE REGIONALE VENETO", "E586013E-F378-4F76-BEF9-A4ED2235E8C0", "UFFICIO TECNICO",
			"2023", "08", "45454000-4", "LAVORI DI RISTRUTTURAZIONE", "1", "", "", "", published.AddDays(1).String(), "", "", "5.0",
			"GARA INDETTA MEDIANTE AVVISO DI PREINFORMAZIONE", "365.0", "5.0", "PROCEDURE SVOLTE ATTRAVERSO PIATTAFORME TELEMATICHE DI NEGOZIAZIONE ART.58",
			"0", "", "", "", "", "", "", "", "", "1000.0", "", "L" + taxOf(body) + "202300001", "0", "", "", "", "", "", "", "0",
		}
		if r.IntN(30) == 0 {
			f[44], f[45], f[46], f[47], f[48], f[49] = "1", "SOLO AGGIUDICAZIONE", f[20], f[21], taxOf(5000), "PROVINCIA DI PROVA"
		}
		if r.IntN(3) == 0 {
			f[57], f[58], f[59] = "1.0", "AGGIUDICATA", published.AddDays(40).String()
		}
		fmt.Fprintf(b, "\"%s\"\n", strings.Join(f, `";"`))
	}
	return b.Flush()
}

// BenchmarkImport imports 20,000 rows into an empty SQLite database; rows/s is what counts.
func BenchmarkImport(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does
	for b.Loop() {
		b.StopTimer()
		s := newSubject(b)
		r := synthetic(b, rowsPerRun)
		b.StartTimer()
		rep, err := ImportANAC(b.Context(), s.Engine, r, Options{})
		if err != nil || rep.Imported != rowsPerRun {
			b.Fatalf("imported %d rows: %v\n%s", rep.Imported, err, rep.Text())
		}
	}
	b.ReportMetric(float64(rowsPerRun)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

const rowsPerRun = 20_000

// synthetic is such a file, made before it is read.
func synthetic(tb testing.TB, n int) io.Reader {
	tb.Helper()
	var b bytes.Buffer
	if err := Synthetic(&b, n, 1); err != nil {
		tb.Fatal(err)
	}
	return &b
}
