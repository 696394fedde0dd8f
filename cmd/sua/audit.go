package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/dossier"
	"github.com/province-comuni/sua/internal/engine"
)

// auditCommand proves the history: of the database, and of a file that was exported from it. See docs/audit.md.
func auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "Verifica la storia delle pratiche e ne esporta le prove"}
	c.AddCommand(auditVerifyCommand(), auditExportCommand(), auditCheckCommand())
	return c
}

func auditVerifyCommand() *cobra.Command {
	var q engine.Verify
	var asJSON bool
	var outside []string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Ricalcola tutte le catene e confronta ogni pratica con la sua storia",
		Long: `Ricalcola le impronte, i legami, i numeri e le parti di ogni evento, la testa di ogni catena, e ricostruisce
ogni pratica dai suoi eventi per confrontarla con ciò che dice il database. Nomina il primo anello rotto di
ogni storia e prosegue. Esce con 1 se qualcosa non torna. Che cosa prova e che cosa no: docs/audit.md.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			p, err := build(c.Context(), cfg)
			if err != nil {
				return err
			}
			defer p.close()
			bar := newProgress(c.ErrOrStderr(), time.Now)
			q.Progress = bar.tell
			debug.SetGCPercent(800) // rows come and go: what lives is a few megabytes
			begin := time.Now()
			v, err := p.engine.Verify(c.Context(), q)
			bar.end()
			if err == nil && len(outside) > 0 {
				err = compareLog(c.Context(), p, outside, &v)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), verificationBody(v))
			} else {
				err = printVerification(c.OutOrStdout(), v, time.Since(begin))
			}
			if err == nil && (len(v.Findings) > 0 || v.More > 0) {
				return errSaid
			}
			return err
		},
	}
	c.Flags().StringVar(&q.Root, "root", "", "solo la storia di cui questa pratica fa parte")
	c.Flags().BoolVar(&q.ChainsOnly, "chains", false, "solo le catene: non confronta le pratiche con ciò che la storia racconta")
	c.Flags().BoolVar(&q.Documents, "documents", false, "rilegge anche i byte di ogni documento")
	c.Flags().StringSliceVar(&outside, "checkpoint", nil, "confronta il registro con questa copia di un checkpoint, tenuta fuori (si può ripetere)")
	c.Flags().IntVar(&q.Workers, "workers", 0, "quanti lettori in parallelo; 0: uno per processore")
	c.Flags().BoolVar(&asJSON, "json", false, "risponde in JSON")
	return c
}

// compareLog adds what the Merkle log says against copies of checkpoints that were kept outside.
func compareLog(ctx context.Context, p *program, files []string, v *engine.Verification) error {
	public, err := publicKeys(p.cfg)
	if err != nil {
		return err
	}
	copies, err := readCheckpoints(files)
	if err != nil {
		return err
	}
	r, err := p.engine.VerifyLog(ctx, public, copies)
	if err != nil {
		return err
	}
	for _, f := range r.Faults {
		v.Findings = append(v.Findings, engine.Finding{Root: f.Root, Seq: f.Seq, Text: "registro: " + f.Text})
	}
	v.More += int64(r.More)
	return nil
}

func auditExportCommand() *cobra.Command {
	var q engine.Export
	var out, outside string
	var redact []string
	c := &cobra.Command{
		Use:   "export PRATICA",
		Short: "Scrive il fascicolo verificabile di una procedura: storia, prove, documenti",
		Long:  "Scrive il fascicolo verificabile di una procedura: storia, prove, documenti. Se la storia non torna il fascicolo è scritto com'è e lo dice; il comando avvisa ed esce con 1.",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, r := range redact {
				switch r {
				case "secret":
					q.RedactSecret = true
				case "personal":
					q.RedactPersonal = true
				default:
					return fmt.Errorf("--redact prende secret e personal, non %q", r)
				}
			}
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			p, err := build(c.Context(), cfg)
			if err != nil {
				return err
			}
			defer p.close()
			if outside != "" {
				if q.Size, err = checkpointSize(cfg, outside); err != nil {
					return err
				}
			}
			q.Case, q.Program = args[0], "sua "+version
			d, err := p.engine.Export(c.Context(), auth.System("audit"), q)
			switch {
			case engine.Kind(err) == engine.KindNotFound:
				return fmt.Errorf("la pratica %s non c'è", args[0])
			case err != nil:
				return sayInvalid(err)
			}
			if out == "" {
				out = d.Name
			}
			if err := writeDossier(c.OutOrStdout(), out, d); err != nil {
				return err
			}
			return warnBroken(c.ErrOrStderr(), d)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "il file da scrivere; - per lo standard output")
	c.Flags().StringSliceVar(&redact, "redact", nil, "che cosa lasciare fuori: secret, personal (restano le impronte)")
	c.Flags().BoolVar(&q.NoDocuments, "no-documents", false, "senza i byte dei documenti (restano le impronte)")
	c.Flags().StringVar(&outside, "checkpoint", "", "le prove portano a questo checkpoint, tenuto da altri, invece che all'ultimo")
	return c
}

// warnBroken says that the story just exported does not hold, and where.
func warnBroken(out io.Writer, d *engine.Dossier) error {
	if len(d.Faults) == 0 {
		return nil
	}
	fmt.Fprintln(out, "ATTENZIONE: la storia esportata non torna. Il fascicolo lo dice, e «sua audit check» non lo darà per buono.")
	for i, f := range d.Faults {
		if i == faultsSaid {
			fmt.Fprintf(out, "… e altre %d cose: sua audit verify --root %s\n", len(d.Faults)-i, d.Root)
			break
		}
		if err := sayFinding(out, f); err != nil {
			return err
		}
	}
	return errSaid
}

// faultsSaid is how many faults of an exported story the command lists.
const faultsSaid = 20

// sayInvalid says in Italian what the engine found wrong with a question.
func sayInvalid(err error) error {
	var bad *engine.Invalid
	if errors.As(err, &bad) {
		return errors.New(bad.Problems[0].Text.IT)
	}
	return err
}

func checkpointSize(cfg config.Config, file string) (int64, error) {
	public, err := publicKeys(cfg)
	if err != nil {
		return 0, err
	}
	note, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("non riesco ad aprire il checkpoint: %w", err)
	}
	point, err := audit.ParseCheckpoint(note, public)
	return point.Size, err
}

// writeDossier writes beside the place and moves there what is complete: half a dossier is none.
func writeDossier(said io.Writer, out string, d *engine.Dossier) error {
	if out == "-" {
		_, err := d.WriteTo(said)
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".fascicolo-*")
	if err != nil {
		return err
	}
	n, err := d.WriteTo(f)
	if err = errors.Join(err, f.Chmod(0o640), f.Close()); err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	fmt.Fprintf(said, "scritto %s (%.1f MB); si verifica con: sua audit check %s\n", out, float64(n)/1e6, out)
	return nil
}

func auditCheckCommand() *cobra.Command {
	var with dossier.Against
	var outside string
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Verifica un fascicolo senza rete e senza database",
		Long:  "Verifica un fascicolo scritto da «sua audit export»: dice che cosa è provato, che cosa no, e che cosa non torna. Esce con 1 se qualcosa non torna.",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("non riesco ad aprire il file: %w", err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			if outside != "" {
				if with.Checkpoint, err = os.ReadFile(outside); err != nil {
					return fmt.Errorf("non riesco ad aprire il checkpoint: %w", err)
				}
			}
			if with.Key, err = keyText(with.Key); err != nil {
				return err
			}
			r, err := dossier.Check(f, info.Size(), with)
			if err != nil {
				return err
			}
			return printReport(c.OutOrStdout(), r)
		},
	}
	c.Flags().StringVar(&with.Key, "key", "", "chiave pubblica del registro, o il file che la contiene (sua log key)")
	c.Flags().StringVar(&outside, "checkpoint", "", "un checkpoint tenuto da altri, con cui confrontare quello del fascicolo")
	return c
}

// keyText is a public key given as it is, or by the name of the file that holds it.
func keyText(given string) (string, error) {
	if given == "" || audit.CheckLogKey(given) == nil {
		return given, nil
	}
	b, err := os.ReadFile(given)
	if err != nil {
		return "", fmt.Errorf("--key non è né una chiave pubblica del registro né un file che si può leggere: %w", err)
	}
	return string(b), nil
}

func printReport(out io.Writer, r dossier.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Procedura %s, %d eventi\n", r.Root, r.Events)
	for _, list := range []struct {
		title, mark string
		lines       []string
	}{{"PROVATO", "✓", r.Proved}, {"NON PROVATO", "·", r.NotProved}, {"NON TORNA", "✗", r.Wrong}} {
		if len(list.lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n", list.title)
		}
		for _, line := range list.lines {
			fmt.Fprintf(&b, "  %s %s\n", list.mark, line)
		}
	}
	if _, err := io.WriteString(out, b.String()); err != nil {
		return err
	}
	if len(r.Wrong) > 0 {
		return errSaid
	}
	return nil
}

// verification is the JSON of the command.
type verification struct {
	Trees     int64            `json:"trees"`
	Cases     int64            `json:"cases"`
	Events    int64            `json:"events"`
	Documents int64            `json:"documents"`
	Bytes     int64            `json:"bytes"`
	Erased    int64            `json:"erased_parts"`
	Broken    int64            `json:"broken_trees"`
	Findings  []engine.Finding `json:"findings"`
	More      int64            `json:"more_findings,omitempty"`
}

func verificationBody(v engine.Verification) verification {
	if v.Findings == nil {
		v.Findings = []engine.Finding{}
	}
	return verification{v.Trees, v.Cases, v.Events, v.Documents, v.Bytes, v.Erased, v.Broken, v.Findings, v.More}
}

// sayFinding writes one thing that does not hold, with where it is.
func sayFinding(out io.Writer, f engine.Finding) error {
	where := "storia " + f.Root
	if f.Root == "" {
		where = "database"
	}
	if f.Case != "" && f.Case != f.Root {
		where += ", pratica " + f.Case
	}
	if f.Seq > 0 {
		where += fmt.Sprintf(", evento %d", f.Seq)
	}
	if f.Event != "" {
		where += " «" + f.Event + "»"
	}
	_, err := fmt.Fprintf(out, "ROTTA  %s: %s\n", where, f.Text)
	return err
}

func printVerification(out io.Writer, v engine.Verification, took time.Duration) error {
	for _, f := range v.Findings {
		if err := sayFinding(out, f); err != nil {
			return err
		}
	}
	if v.More > 0 {
		fmt.Fprintf(out, "… e altre %d cose che non tornano\n", v.More)
	}
	fmt.Fprintf(out, "%d storie, %d pratiche, %d eventi (%.1f MB)", v.Trees, v.Cases, v.Events, float64(v.Bytes)/1e6)
	if v.Documents > 0 {
		fmt.Fprintf(out, ", %d documenti", v.Documents)
	}
	if v.Erased > 0 {
		fmt.Fprintf(out, ", %d parti personali cancellate", v.Erased)
	}
	fmt.Fprintf(out, " in %s, %.0f eventi al secondo\n", took.Round(time.Millisecond), float64(v.Events)/took.Seconds())
	if v.Broken > 0 || len(v.Findings) > 0 {
		_, err := fmt.Fprintf(out, "NON TORNA: %d storie con qualcosa di rotto\n", v.Broken)
		return err
	}
	_, err := fmt.Fprintln(out, "tutto torna")
	return err
}
