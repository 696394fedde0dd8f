package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/api"
	"github.com/province-comuni/sua/internal/exchange"
	"github.com/province-comuni/sua/internal/store"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Porta lo schema del database alla versione di questo programma",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			if err := store.Migrate(c.Context(), cfg.Database.OwnerURL); err != nil {
				return databaseError(err)
			}
			fmt.Fprintln(c.OutOrStdout(), "schema aggiornato")
			return nil
		},
	}
}

func importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Importa dati pubblici"}
	c.AddCommand(&cobra.Command{
		Use:   "anac-cig FILE",
		Short: "Importa i dati aperti ANAC sui CIG (CSV, anche - per lo standard input)",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			file, size, err := openInput(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			debug.SetGCPercent(400) // rows come and go: what lives is a few megabytes
			p, err := build(c.Context(), cfg)
			if err != nil {
				return err
			}
			defer p.close()
			bar := progressbar.NewOptions64(size, progressbar.OptionShowBytes(true), progressbar.OptionSetDescription("importo"),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWriter(os.Stderr))
			report, err := exchange.ImportANAC(c.Context(), p.engine, file, exchange.Options{Progress: func(_, bytes int64) { _ = bar.Set64(bytes) }})
			_ = bar.Finish() // the bar is a courtesy: where it cannot be drawn the report still comes
			fmt.Fprint(c.OutOrStdout(), report.Text())
			if err == nil && !report.Complete() {
				return errSaid
			}
			return err
		},
	})
	return c
}

func openInput(path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return os.Stdin, -1, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("non riesco ad aprire il file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func openapiCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "openapi",
		Short: "Scrive la descrizione OpenAPI dell'API (3.1 e 3.0)",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for name, v30 := range map[string]bool{"openapi.json": false, "openapi-3.0.json": true} {
				b, err := api.OpenAPI(v30)
				if err != nil {
					return err
				}
				if err := writeFile(filepath.Join(out, name), b); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", ".", "cartella in cui scrivere")
	return c
}

func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
