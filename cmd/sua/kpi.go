package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/engine"
)

// kpiCommand reports for who sits at the database: like every command it sees all bodies.
func kpiCommand() *cobra.Command {
	var sua, from, to string
	var asJSON bool
	c := &cobra.Command{
		Use:   "kpi",
		Short: "Efficienza di una SUA: giorni dalla scadenza delle offerte al contratto (All. II.4 art. 11)",
		Args:  cobra.NoArgs,
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
			who := auth.System("kpi")
			f, err := p.engine.Efficiency(c.Context(), who, sua, from, to)
			if err != nil {
				known, errKnown := p.engine.EfficiencySUAs(c.Context(), who)
				return errors.Join(kpiError(err, known), errKnown)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), kpiBody(f))
			}
			return printKPI(c.OutOrStdout(), f)
		},
	}
	c.Flags().StringVar(&sua, "sua", "", "la SUA; può mancare se ce n'è una sola")
	c.Flags().StringVar(&from, "from", "", "solo i contratti da questo giorno")
	c.Flags().StringVar(&to, "to", "", "solo i contratti fino a questo giorno")
	c.Flags().BoolVar(&asJSON, "json", false, "risponde in JSON")
	return c
}

// kpiError says in Italian what was wrong with the question.
func kpiError(err error, known []engine.Ref) error {
	var names []string
	for _, r := range known {
		names = append(names, fmt.Sprintf("%s (%s)", r.ID, r.Name))
	}
	var bad *engine.Invalid
	switch {
	case errors.As(err, &bad):
		var out []string
		for _, p := range bad.Problems {
			out = append(out, "--"+strings.TrimPrefix(p.Pointer, "/")+": "+p.Text.IT)
		}
		if bad.Problems[0].Pointer == "/sua" {
			out = append(out, "Ci sono: "+strings.Join(names, ", "))
		}
		return errors.New(strings.Join(out, " "))
	case errors.Is(err, engine.ErrNotFound) && len(known) == 0:
		return errors.New("nel database non c'è alcuna SUA con una convenzione")
	case errors.Is(err, engine.ErrNotFound):
		return errors.New("la SUA non esiste; ci sono: " + strings.Join(names, ", "))
	}
	return err
}

// kpi is the JSON of the command.
type kpi struct {
	SUA     string      `json:"sua"`
	Name    string      `json:"name"`
	Periods []kpiPeriod `json:"periods"`
	Lots    []kpiLot    `json:"lots"`
}

type kpiPeriod struct {
	From     string      `json:"from"`
	To       string      `json:"to"`
	Complete bool        `json:"complete"`
	Lots     int         `json:"lots"`
	Missing  int         `json:"missing"`
	Mean     string      `json:"mean,omitempty"`
	Verdict  string      `json:"verdict"`
	Text     engine.Text `json:"text"`
	Law      string      `json:"law,omitempty"`
}

type kpiLot struct {
	Case     string `json:"case"`
	Title    string `json:"title"`
	Body     string `json:"body"`
	BidsDue  string `json:"bids_due,omitempty"`
	Contract string `json:"contract"`
	Days     *int   `json:"days,omitempty"`
}

func kpiBody(f engine.Efficiency) kpi {
	out := kpi{SUA: f.SUA.ID, Name: f.SUA.Name, Periods: []kpiPeriod{}, Lots: []kpiLot{}}
	for _, p := range f.Periods {
		out.Periods = append(out.Periods, kpiPeriod{p.From, p.To, p.Complete, p.Lots, p.Missing, p.Mean(), p.Verdict, p.Text, p.Law})
	}
	for _, l := range f.Lots {
		out.Lots = append(out.Lots, kpiLot{l.Case.ID, l.Case.Title, l.Case.MemberBody.Name, l.BidsDue, l.Contract, l.Days})
	}
	return out
}

func printKPI(out io.Writer, f engine.Efficiency) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", f.SUA.Name)
	if len(f.Lots) == 0 {
		b.WriteString("nessun contratto registrato\n")
	}
	for _, p := range f.Periods {
		fmt.Fprintf(&b, "\n%s – %s  %s", p.From, p.To, p.Text.IT)
		if p.Law != "" {
			fmt.Fprintf(&b, " (%s)", p.Law)
		}
		if p.Missing > 0 {
			fmt.Fprintf(&b, " Senza scadenza delle offerte: %d.", p.Missing)
		}
		b.WriteByte('\n')
		for _, l := range f.Lots {
			if l.Contract < p.From || l.Contract > p.To {
				continue
			}
			days, due := "-", l.BidsDue
			if l.Days != nil {
				days = fmt.Sprint(*l.Days)
			}
			if due == "" {
				due = "          "
			}
			fmt.Fprintf(&b, "  %s → %s %5s giorni  %s, %s\n", due, l.Contract, days, l.Case.MemberBody.Name, l.Case.Title)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
