package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

// deadlinesCommand tells of terms to who sits at the database: like every command it sees all bodies.
func deadlinesCommand() *cobra.Command {
	c := &cobra.Command{Use: "deadlines", Short: "I termini: elenco, e come sono stati contati"}
	c.AddCommand(deadlinesListCommand(), deadlinesExplainCommand())
	return c
}

func deadlinesListCommand() *cobra.Command {
	q := engine.DeadlineQuery{Limit: engine.MaxPage}
	most := 0
	c := &cobra.Command{
		Use:   "list",
		Short: "I termini in corso, bloccati e scaduti, dal più vicino; con --state suspended i sospesi",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withEngine(c, func(ctx context.Context, e *engine.Engine) error {
				left := most
				for {
					page, err := e.FindDeadlines(ctx, auth.System("deadlines"), q)
					if err != nil {
						return spoken(err)
					}
					if most > 0 && len(page.Items) > left {
						page.Items, page.Next = page.Items[:left], ""
					}
					left -= len(page.Items)
					if err := printDeadlines(c.OutOrStdout(), page.Items); err != nil {
						return err
					}
					if q.Cursor = page.Next; page.Next == "" || most > 0 && left == 0 {
						return nil
					}
				}
			})
		},
	}
	c.Flags().StringVar(&q.State, "state", "", "solo overdue, running, blocked o suspended")
	c.Flags().IntVar(&q.Days, "days", 0, "solo quelli entro tanti giorni")
	c.Flags().StringVar(&q.Workflow, "workflow", "", "solo di pratiche di questo flusso")
	c.Flags().StringVar(&q.Body, "body", "", "solo di questo ente, come Comune o come SUA")
	c.Flags().IntVar(&most, "limit", 0, "al più tanti; 0 tutti")
	return c
}

func deadlinesExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CASE",
		Short: "Di ogni termine di una pratica e di quelle sotto: chi lo ha avviato, come si conta, che cosa gli è accaduto",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withEngine(c, func(ctx context.Context, e *engine.Engine) error {
				who := auth.System("deadlines")
				terms, err := e.Deadlines(ctx, who, args[0])
				if err != nil {
					return spoken(err)
				}
				h, err := e.History(ctx, who, args[0], 0, 0)
				if err != nil {
					return spoken(err)
				}
				return explainDeadlines(c.OutOrStdout(), terms, h.Items)
			})
		},
	}
}

// withEngine opens the program on the configured database for f.
func withEngine(c *cobra.Command, f func(context.Context, *engine.Engine) error) error {
	cfg, err := settings(c, nil)
	if err != nil {
		return err
	}
	p, err := build(c.Context(), cfg)
	if err != nil {
		return err
	}
	defer p.close()
	return f(c.Context(), p.engine)
}

// spoken says an engine's error in Italian.
func spoken(err error) error {
	var bad *engine.Invalid
	switch {
	case errors.As(err, &bad):
		var out []string
		for _, p := range bad.Problems {
			out = append(out, "--"+strings.TrimPrefix(p.Pointer, "/")+": "+p.Text.IT)
		}
		return errors.New(strings.Join(out, " "))
	case errors.Is(err, engine.ErrNotFound):
		return errors.New("la pratica non esiste")
	}
	return err
}

var statusNames = map[string]string{
	"running": "in corso", "met": "rispettato", "expired": "scaduto", "cancelled": "non più necessario", "suspended": "sospeso", "blocked": "bloccato",
}

func printDeadlines(out io.Writer, rows []engine.DeadlineRow) error {
	var b strings.Builder
	for _, r := range rows {
		late := " "
		if r.Overdue {
			late = "!"
		}
		fmt.Fprintf(&b, "%s %s  %3d %%  %-10s %s – %s (%s, %s)\n", late, r.LastDay, r.Percent, statusNames[r.Status], r.Label.IT, r.Title, r.Case.MemberBody.Name, r.Case.ID)
		if r.BlockedBy != nil {
			fmt.Fprintf(&b, "    %s\n", r.BlockedBy.Text.IT)
		}
		if r.Forecast != nil && r.Forecast.Breach {
			fmt.Fprintf(&b, "    %s\n", r.Forecast.Text.IT)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func moment(t time.Time) string { return t.In(calendar.Rome).Format("02/01/2006 15:04") }

// explainDeadlines writes each term with its story: what began it, the steps of its count, every change, and what holds it.
func explainDeadlines(out io.Writer, terms []engine.DeadlineView, story []engine.HistoryItem) error {
	var b strings.Builder
	if len(terms) == 0 {
		b.WriteString("nessun termine\n")
	}
	for i, t := range terms {
		if i > 0 {
			b.WriteByte('\n')
		}
		name := ""
		if k := slices.IndexFunc(story, func(h engine.HistoryItem) bool { return h.Case == t.Case }); k >= 0 {
			name = story[k].CaseLabel.IT
		}
		fmt.Fprintf(&b, "%s (%s) – %s: %s\n", t.Label.IT, t.Law, name, statusNames[t.Status])
		fmt.Fprintf(&b, "  avviato    %s\n", startedBy(t, story))
		for k, step := range sentences(t.Explanation.IT) {
			head := "           "
			if k == 0 {
				head = "conteggio  "
			}
			fmt.Fprintf(&b, "  %s%d. %s\n", head, k+1, step)
		}
		for _, h := range story {
			for _, d := range h.Deadlines {
				if h.Case == t.Case && d.Name == t.Name && h.Seq > t.StartedSeq {
					fmt.Fprintf(&b, "  poi        %s n. %d «%s»: %s, ultimo giorno %s%s\n", moment(h.At), h.Seq, h.Label.IT, statusNames[d.Status], d.LastDay, because(h))
				}
			}
		}
		fmt.Fprintf(&b, "  fine       ultimo giorno %s; compiuto dalle %s (trascorso %d %%)\n", t.LastDay, moment(t.DueAt), t.Percent)
		if t.Status == "suspended" && t.EndedAt != nil {
			fmt.Fprintf(&b, "  fermo      dal %s\n", moment(*t.EndedAt))
		}
		if t.BlockedBy != nil {
			fmt.Fprintf(&b, "  trattiene  %s\n", t.BlockedBy.Text.IT)
		}
		if t.AtExpiry.IT != "" {
			fmt.Fprintf(&b, "  alla fine  %s\n", t.AtExpiry.IT)
		}
		if t.Forecast != nil {
			fmt.Fprintf(&b, "  previsione %s\n", t.Forecast.Text.IT)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// startedBy names the event that began a term.
func startedBy(t engine.DeadlineView, story []engine.HistoryItem) string {
	from := "dal " + moment(t.StartedAt)
	for _, h := range story {
		if h.Seq == t.StartedSeq {
			return fmt.Sprintf("da n. %d «%s» di %s, %s; decorre %s", h.Seq, h.Label.IT, h.Actor.Name, moment(h.At), from)
		}
	}
	return from
}

// because is the reason given with an event, when there is one.
func because(h engine.HistoryItem) string {
	for _, in := range h.Inputs {
		if in.Label.IT == "Motivazione" {
			return " (" + in.Text + ")"
		}
	}
	return ""
}

// sentences splits an explanation into its steps.
func sentences(text string) []string {
	var out []string
	for _, s := range strings.SplitAfter(text, ". ") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
