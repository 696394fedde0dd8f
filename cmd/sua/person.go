package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/engine"
)

// personCommand is for who runs the program: people sign in and are managed elsewhere.
func personCommand() *cobra.Command {
	c := &cobra.Command{Use: "person", Short: "Cancella i dati di una persona"}
	var reason string
	var yes bool
	erase := &cobra.Command{
		Use:   "erase PERSONA",
		Short: "Cancella per sempre i dati di una persona; la storia resta verificabile",
		Long: `Svuota le parti personali degli eventi che nominano la persona (con un evento «cancellazione» in ogni storia toccata), poi toglie
nome, indirizzi, ruoli e accessi. Restano nelle intestazioni identificativi che non nominano più nessuno. Non si torna indietro.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !yes {
				return errors.New("la cancellazione è per sempre: ripeti il comando con --yes")
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
			done, err := p.engine.ErasePerson(c.Context(), args[0], reason)
			var no *engine.Refused
			switch {
			case engine.Kind(err) == engine.KindNotFound:
				return fmt.Errorf("la persona %s non c'è", args[0])
			case errors.As(err, &no):
				return errors.New(no.Refusals[0].Text.IT)
			case err != nil:
				return sayInvalid(err)
			}
			fmt.Fprintf(c.OutOrStdout(), "cancellati i dati di %s: %d parti di %d storie\n", args[0], done.Parts, done.Trees)
			return nil
		},
	}
	erase.Flags().StringVar(&reason, "reason", "", "il motivo, che resta nella storia")
	erase.Flags().BoolVar(&yes, "yes", false, "conferma")
	c.AddCommand(erase)
	return c
}
