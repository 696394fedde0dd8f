package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
)

// outageCommand lists and records outages of the platform by the use case of the API and of the page. An outage is recorded by a
// person, in whose name the terms are extended; the list is for whoever sits at the database.
func outageCommand() *cobra.Command {
	c := &cobra.Command{Use: "outage", Short: "I malfunzionamenti della piattaforma: elenco, anteprima e registrazione"}
	c.AddCommand(outageListCommand(), outageRecordCommand())
	return c
}

func outageListCommand() *cobra.Command {
	var as, sua string
	var short bool
	c := &cobra.Command{
		Use:   "list",
		Short: "I malfunzionamenti registrati, dal più recente, con i termini prorogati e quelli no",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withEngine(c, func(ctx context.Context, e *engine.Engine) error {
				who := auth.System("outages")
				if as != "" {
					var err error
					if who, err = personAs(ctx, e, as); err != nil {
						return err
					}
				}
				all, err := e.Outages(ctx, who, sua)
				if err != nil {
					return err
				}
				if len(all) == 0 {
					fmt.Fprintln(c.OutOrStdout(), "nessun malfunzionamento registrato")
				}
				for _, o := range all {
					if err := printOutage(c.OutOrStdout(), o, short); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&as, "as", "", "come li vede questa persona (identificativo); vuoto: tutti")
	c.Flags().StringVar(&sua, "sua", "", "solo di questa SUA")
	c.Flags().BoolVar(&short, "short", false, "senza i termini, solo quanti")
	return c
}

func outageRecordCommand() *cobra.Command {
	var cmd engine.Outage
	var as, from, to string
	var yes, short bool
	c := &cobra.Command{
		Use:   "record --as PERSONA --platform NOME --from QUANDO --to QUANDO --evidence PROVA",
		Short: "Mostra che cosa farebbe un malfunzionamento; con --yes lo registra e proroga i termini",
		Long: `Registra che la piattaforma è stata ferma e proroga, in un atto solo, i termini che correvano e che lo ammettono.
Senza --yes non cambia nulla e dice che cosa cambierebbe. Ripetuto con lo stesso --id fa ciò che manca e nulla due volte.
QUANDO è in ora italiana, "03/03/2026 09:00" o "2026-03-03T09:00", oppure con il fuso, "2026-03-03T08:00:00Z".`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if cmd.From, err = instantFlag("from", from); err != nil {
				return err
			}
			if cmd.To, err = instantFlag("to", to); err != nil {
				return err
			}
			return withEngine(c, func(ctx context.Context, e *engine.Engine) error {
				who, err := personAs(ctx, e, as)
				if err != nil {
					return err
				}
				do := e.PreviewOutage
				if yes {
					do = e.RecordOutage
				}
				done, err := do(ctx, who, cmd)
				if err != nil {
					return outageRefused(err, cmd)
				}
				if err := printOutage(c.OutOrStdout(), done, short); err != nil {
					return err
				}
				if !yes {
					_, err = fmt.Fprintln(c.OutOrStdout(), "Anteprima: nulla è cambiato. Per registrarlo ripeti il comando con --yes.")
				}
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&as, "as", "", "chi lo registra: l'identificativo di una persona con il ruolo di dirigente SUA")
	f.StringVar(&cmd.Platform, "platform", "", "il nome della piattaforma")
	f.StringVar(&from, "from", "", "ferma dal")
	f.StringVar(&to, "to", "", "ripartita alle")
	f.StringVar(&cmd.Evidence, "evidence", "", "la prova: la relazione del gestore, il protocollo o l'indirizzo dell'avviso")
	f.StringVar(&cmd.Law, "law", "D.Lgs. 36/2023 art. 25 c. 2", "la norma")
	f.StringVar(&cmd.SUA, "sua", "", "la SUA, se la persona ne dirige più d'una")
	f.StringSliceVar(&cmd.Bodies, "bodies", nil, "solo per questi enti; vuoto: tutti quelli che la SUA serve")
	f.StringVar(&cmd.ID, "id", "", "identificativo con cui ripeterlo; vuoto: uno nuovo")
	f.BoolVar(&yes, "yes", false, "registra e proroga")
	f.BoolVar(&short, "short", false, "senza i termini, solo quanti")
	return c
}

// personAs is the person in whose name a command acts.
func personAs(ctx context.Context, e *engine.Engine, id string) (auth.Actor, error) {
	if id == "" {
		return auth.Actor{}, errors.New("--as: manca la persona in nome della quale agire")
	}
	who, err := e.ActorByID(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return who, fmt.Errorf("--as: la persona %s non c'è", id)
	}
	return who, err
}

// instantFlag reads an instant as people write it, of the clock in Italy where it has no zone.
func instantFlag(name, text string) (time.Time, error) {
	v, err := flow.ParseForm(flow.TypeInstant, nil, text)
	if err != nil {
		var bad flow.BadValue
		if errors.As(err, &bad) {
			return time.Time{}, fmt.Errorf("--%s: %s", name, bad.Message.IT)
		}
		return time.Time{}, fmt.Errorf("--%s: %w", name, err)
	}
	return time.Parse(time.RFC3339Nano, v.(string))
}

// outageRefused says in Italian why an outage is not recorded.
func outageRefused(err error, cmd engine.Outage) error {
	var refused *engine.Refused
	var forbidden *engine.Forbidden
	switch {
	case errors.As(err, &refused):
		return errors.New(refused.Refusals[0].Text.IT)
	case errors.As(err, &forbidden):
		return errors.New(forbidden.Text.IT)
	case engine.Kind(err) == engine.KindKeyReused:
		return fmt.Errorf("--id: %s è già di un altro malfunzionamento", cmd.ID)
	case errors.Is(err, engine.ErrNotFound):
		return fmt.Errorf("--sua: la persona non dirige la SUA %s", cmd.SUA)
	}
	return spoken(err)
}

func printOutage(out io.Writer, o engine.OutageReport, short bool) error {
	var b strings.Builder
	bodies := "tutti gli enti"
	if len(o.Bodies) > 0 {
		names := make([]string, len(o.Bodies))
		for i, r := range o.Bodies {
			names[i] = r.Name
		}
		bodies = strings.Join(names, ", ")
	}
	fmt.Fprintf(&b, "%s – %s  %s (%s, %s)\n", moment(o.From), moment(o.To), o.Platform, o.SUA.Name, bodies)
	if !o.RecordedAt.IsZero() {
		fmt.Fprintf(&b, "  registrato  il %s da %s, con l'identificativo %s\n", moment(o.RecordedAt), o.RecordedBy.Name, o.ID)
	}
	fmt.Fprintf(&b, "  prova       %s\n  norma       %s\n", o.Evidence, o.Law)
	fmt.Fprintf(&b, "  termini     prorogati %d, non prorogati %d\n", o.Extended(), len(o.Terms)-o.Extended())
	for _, t := range o.Terms {
		if short {
			break
		}
		title := t.Case.Name
		if title == "" {
			title = "procedura senza oggetto"
		}
		what := "da " + moment(t.Before) + " a " + moment(t.After)
		if t.WhyNot != nil {
			what = "no: " + t.WhyNot.Text.IT
		}
		fmt.Fprintf(&b, "    %s – %s (%s, %s): %s\n", t.Label.IT, title, t.Body.Name, t.Case.ID, what)
	}
	_, err := io.WriteString(out, b.String())
	return err
}
