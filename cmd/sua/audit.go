package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/engine"
)

// auditCommand proves the history: of the database, and of a file that was exported from it. See docs/audit.md.
func auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "Verifica la storia delle pratiche e ne esporta le prove"}
	c.AddCommand(auditVerifyCommand())
	return c
}

func auditVerifyCommand() *cobra.Command {
	var q engine.Verify
	var asJSON bool
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
			bar := progressbar.NewOptions64(-1, progressbar.OptionSetDescription("verifico gli eventi"), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWriter(c.ErrOrStderr()))
			q.Progress = func(v engine.Verification) { _ = bar.Set64(v.Events) }
			begin := time.Now()
			v, err := p.engine.Verify(c.Context(), q)
			_ = bar.Finish() // the bar is a courtesy
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
	c.Flags().BoolVar(&q.Documents, "documents", false, "rilegge anche i byte di ogni documento")
	c.Flags().IntVar(&q.Workers, "workers", 0, "quanti lettori in parallelo; 0: uno per processore")
	c.Flags().BoolVar(&asJSON, "json", false, "risponde in JSON")
	return c
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

func printVerification(out io.Writer, v engine.Verification, took time.Duration) error {
	for _, f := range v.Findings {
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
		if _, err := fmt.Fprintf(out, "ROTTA  %s: %s\n", where, f.Text); err != nil {
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
