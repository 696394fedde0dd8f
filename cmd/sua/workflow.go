package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/play"
)

func workflowCommand() *cobra.Command {
	c := &cobra.Command{Use: "workflow", Short: "Controlla, disegna, documenta e fa girare i flussi"}
	c.AddCommand(checkCommand(), graphCommand(), docsCommand(), playCommand(), simulateCommand())
	return c
}

// library compiles the shipped workflows, the administrator's folder and the files named.
func library(c *cobra.Command, files []string) (*flow.Library, engine.Config, error) {
	cfg, err := settings(c, nil)
	if err != nil {
		return nil, engine.Config{}, err
	}
	ec, err := engineConfig(cfg)
	if err != nil {
		return nil, ec, err
	}
	if err := addFiles(&ec, files); err != nil {
		return nil, ec, err
	}
	lib, warnings, err := flow.Compile(ec.Sources, engine.Vocabulary(), ec.Limits, ec.Catalogue)
	for _, w := range warnings {
		fmt.Fprintln(c.ErrOrStderr(), "avviso:", w)
	}
	return lib, ec, err
}

// addFiles reads files and folders named by a person beside the workflows already known. A file that is known already, byte for
// byte, is passed over: the folder of the shipped workflows may be named too.
func addFiles(ec *engine.Config, files []string) error {
	add := func(s flow.Source) {
		if !slices.ContainsFunc(ec.Sources, func(known flow.Source) bool { return bytes.Equal(known.Data, s.Data) }) {
			ec.Sources = append(ec.Sources, s)
		}
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("non trovo %s", path)
		}
		if info.IsDir() {
			more, err := flow.Sources(os.DirFS(path))
			if err != nil {
				return err
			}
			for _, s := range more {
				add(s)
			}
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		add(flow.Source{Name: path, Data: b})
	}
	return nil
}

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE|CARTELLA]…",
		Short: "Controlla i flussi ed elenca tutti gli errori con la loro riga",
		RunE: func(c *cobra.Command, args []string) error {
			lib, _, err := library(c, args)
			var faults flow.Faults
			if errors.As(err, &faults) {
				fmt.Fprintln(c.ErrOrStderr(), faults.Error())
				fmt.Fprintf(c.ErrOrStderr(), "%d errori\n", len(faults))
				return errSaid
			}
			if err != nil {
				return err
			}
			for _, d := range lib.All() {
				fmt.Fprintf(c.OutOrStdout(), "%-24s v%d  %2d stati  %2d azioni  %s\n", d.Workflow, d.Version, len(d.States), len(d.Events), d.Hash[:12])
			}
			return nil
		},
	}
}

func graphCommand() *cobra.Command {
	var format, lang string
	var files []string
	c := &cobra.Command{
		Use:   "graph FLUSSO",
		Short: "Disegna un flusso (SVG o Mermaid) sullo standard output",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			lib, _, err := library(c, files)
			if err != nil {
				return err
			}
			d, ok := lib.Latest(args[0])
			if !ok {
				return fmt.Errorf("il flusso %q non esiste; ci sono: %s", args[0], names(lib))
			}
			if format == "mermaid" {
				fmt.Fprint(c.OutOrStdout(), d.Mermaid(lang))
				return nil
			}
			svg, err := d.SVG(c.Context(), lang)
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(svg)
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "svg", "svg o mermaid")
	c.Flags().StringVar(&lang, "lang", "it", "it o en")
	c.Flags().StringArrayVar(&files, "file", nil, "altri file di flussi")
	return c
}

func names(lib *flow.Library) string {
	var out []string
	for _, d := range lib.All() {
		out = append(out, d.Workflow)
	}
	return strings.Join(out, ", ")
}

func docsCommand() *cobra.Command {
	var out, day string
	c := &cobra.Command{
		Use:   "docs",
		Short: "Scrive una pagina di riferimento per ogni flusso",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			lib, ec, err := library(c, nil)
			if err != nil {
				return err
			}
			on, err := time.Parse(time.DateOnly, day)
			if err != nil {
				return fmt.Errorf("--on vuole un giorno come 2026-01-01")
			}
			for _, d := range lib.All() {
				page := d.Markdown(engine.Vocabulary(), ec.Limits.On(on))
				if err := writeFile(filepath.Join(out, d.Workflow+".md"), []byte(page)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "docs/workflows", "cartella in cui scrivere")
	c.Flags().StringVar(&day, "on", "2026-11-22", "giorno a cui leggere i termini di legge")
	return c
}

func playCommand() *cobra.Command {
	var files []string
	c := &cobra.Command{
		Use:   "play FILE",
		Short: "Fa girare uno scenario con un orologio simulato e ne mostra la traccia",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			script, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("non riesco a leggere lo scenario: %w", err)
			}
			_, ec, err := library(c, files)
			if err != nil {
				return err
			}
			return playScript(c.Context(), ec, script, c.OutOrStdout())
		},
	}
	c.Flags().StringArrayVar(&files, "file", nil, "altri file di flussi")
	return c
}

// playScript plays on a database of its own, thrown away afterwards.
func playScript(ctx context.Context, ec engine.Config, script []byte, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "sua-play-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	stage, closeStage, err := play.Stage(ctx, folder, ec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStage()) }()
	_, err = play.Run(ctx, stage, bytes.NewReader(script), out)
	return err
}
