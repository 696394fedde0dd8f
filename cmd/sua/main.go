// Command sua is the whole product in one binary: it serves the API and the pages, migrates, loads the demonstration, imports
// public data and checks workflows.
//
// Only wiring stands here: configuration, the order in which things are built (build.go) and one file for each command. What
// the commands do is in the packages of internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintln(os.Stderr, "sua:", err)
		}
		os.Exit(1)
	}
}

// errSaid ends the program with status 1 when everything was already said.
var errSaid = errors.New("said")

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "sua",
		Short:         "Motore dei procedimenti della Stazione Unica Appaltante",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	c.CompletionOptions.HiddenDefaultCmd = true
	c.PersistentFlags().String("config", "", "file di configurazione YAML (oppure SUA_CONFIG)")
	c.AddCommand(serveCommand(), migrateCommand(), demoCommand(), importCommand(), workflowCommand(), termCommand(), kpiCommand(), deadlinesCommand(), outageCommand(), auditCommand(), personCommand(), jobsCommand(), logCommand(), openapiCommand())
	inItalian(c)
	c.InitDefaultVersionFlag()
	c.Flags().Lookup("version").Usage = "mostra la versione"
	c.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true}) // --help says all there is
	return c
}
