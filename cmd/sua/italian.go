package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usage is how a command is told: cobra's own words, in Italian.
const usage = `Uso:{{if and .Runnable (not .HasAvailableSubCommands)}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMANDO

Comandi:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .HasExample}}

Esempi:
{{.Example}}{{end}}{{if .HasAvailableLocalFlags}}

Opzioni:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Opzioni di tutti i comandi:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

«{{.CommandPath}} COMANDO --help» dice di più.{{end}}
`

// inItalian makes a command, and those below it, speak Italian: help, wrong arguments, wrong options, unknown commands.
func inItalian(c *cobra.Command) {
	c.SetUsageTemplate(usage)
	c.InitDefaultHelpFlag()
	c.Flags().Lookup("help").Usage = "mostra questo aiuto"
	c.SetFlagErrorFunc(wrongFlag)
	c.DisableFlagsInUseLine = true
	if right := c.Args; right != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if right(c, args) != nil {
				return fmt.Errorf("argomenti sbagliati: si scrive «%s»; «%s --help» dice di più", c.UseLine(), c.CommandPath())
			}
			return nil
		}
	}
	if !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] != "help" {
				return fmt.Errorf("comando sconosciuto «%s»: «%s --help» elenca quelli che ci sono", args[0], c.CommandPath())
			}
			return c.Help()
		}
	}
	for _, below := range c.Commands() {
		inItalian(below)
	}
}

// wrongFlag says what is wrong with an option.
func wrongFlag(c *cobra.Command, err error) error {
	var none *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	what := ""
	switch {
	case errors.As(err, &none):
		what = fmt.Sprintf("opzione sconosciuta «%s»", none.GetSpecifiedName())
	case errors.As(err, &bare):
		what = fmt.Sprintf("manca il valore dell'opzione --%s", bare.GetFlag().Name)
	case errors.As(err, &bad):
		what = fmt.Sprintf("il valore «%s» non va bene per l'opzione --%s", bad.GetValue(), bad.GetFlag().Name)
	default:
		what = "opzioni scritte male: " + err.Error()
	}
	return fmt.Errorf("%s; «%s --help» dice di più", what, c.CommandPath())
}
