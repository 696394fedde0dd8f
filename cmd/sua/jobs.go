package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/jobs"
	"github.com/province-comuni/sua/internal/store"
)

// redisFile is where a process that has its Redis inside leaves the address for this user: beside the embedded database.
func redisFile(database string) string {
	path, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		return ""
	}
	return path + ".redis"
}

// redisAddress finds the queues: the Redis of the configuration, or the one inside the process in service.
func redisAddress(cfg config.Config) (string, error) {
	if cfg.Redis.URL != "" {
		return cfg.Redis.URL, nil
	}
	file := redisFile(cfg.Database.URL)
	if file == "" {
		return "", errors.New("le code sono dentro il processo in servizio: per vederle da fuori indica redis.url")
	}
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return "", errors.New("nessun sua è in servizio su questo database: le code sono dentro il processo")
	}
	return strings.TrimSpace(string(text)), err
}

func jobsCommand() *cobra.Command {
	c := &cobra.Command{Use: "jobs", Short: "Mostra le code dei lavori e ripete quelli falliti"}
	var asJSON bool
	status := &cobra.Command{
		Use: "status", Short: "Code, lavori da ripetere e abbandonati, processi, scadenze in attesa", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			s, err := jobsStatus(c.Context(), cfg)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(s)
			}
			return s.print(c.OutOrStdout())
		},
	}
	status.Flags().BoolVar(&asJSON, "json", false, "in JSON")
	retry := &cobra.Command{
		Use: "retry ID", Short: "Ripete subito un lavoro fallito o abbandonato", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			address, err := redisAddress(cfg)
			if err != nil {
				return err
			}
			switch err := jobs.Retry(c.Context(), address, args[0], func(ctx context.Context, kind, payload string) error { return revive(ctx, cfg, kind, payload) }); {
			case errors.Is(err, jobs.ErrNoLetter):
				return fmt.Errorf("nessun lavoro fallito ha l'identificativo %q: vedi sua jobs status", args[0])
			case err != nil:
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: di nuovo in coda\n", args[0])
			return nil
		},
	}
	c.AddCommand(status, retry)
	return c
}

// revive lets a notice be sent again before its task is: its row decides, and has given up.
func revive(ctx context.Context, cfg config.Config, kind, id string) (err error) {
	if kind != jobs.NoticeKind {
		return nil
	}
	db, err := store.Open(ctx, store.Options{URL: cfg.Database.URL, Now: clockFor(cfg.Database.URL)})
	if err != nil {
		return databaseError(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now, err := db.Now(ctx)
	if err == nil {
		err = db.Revive(ctx, id, now)
	}
	if err != nil {
		return databaseError(err)
	}
	return nil
}

// workStatus is what sua jobs status says. The queues may be out of reach while the database is not.
type workStatus struct {
	jobs.Status
	QueueError string     `json:"queue_error,omitempty"`
	Overdue    int        `json:"overdue"` // deadlines to be looked at now, up to overdueCounted
	OldestDue  *time.Time `json:"oldest_due"`
	NextDue    *time.Time `json:"next_due"`
	At         time.Time  `json:"at"`
}

const overdueCounted = 10_000

// jobsStatus reads the queues and, without any engine, the deadlines.
func jobsStatus(ctx context.Context, cfg config.Config) (s workStatus, err error) {
	address, err := redisAddress(cfg)
	if err == nil {
		s.Status, err = jobs.Look(ctx, address)
	}
	if err != nil {
		s.QueueError = err.Error()
	}
	db, err := store.Open(ctx, store.Options{URL: cfg.Database.URL, Now: clockFor(cfg.Database.URL)})
	if err != nil {
		return s, databaseError(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if s.At, err = db.Now(ctx); err != nil {
		return s, databaseError(err)
	}
	n, oldest, err := db.Overdue(ctx, s.At, overdueCounted)
	if err != nil {
		return s, databaseError(err)
	}
	if s.Overdue = n; n > 0 {
		s.OldestDue = &oldest
	}
	next, found, err := db.NextTry(ctx, s.At)
	if err != nil {
		return s, databaseError(err)
	}
	if found {
		s.NextDue = &next
	}
	return s, nil
}

const shown = "2006-01-02 15:04:05"

func (s workStatus) print(out io.Writer) error {
	if s.QueueError != "" {
		fmt.Fprintf(out, "code non raggiungibili: %s\n(le scadenze scattano comunque)\n\n", s.QueueError)
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if len(s.Queues) > 0 {
		fmt.Fprintln(t, "coda\tpeso\tin attesa\tin corso\tprogrammati\tda ripetere\tabbandonati\tritardo")
		for _, q := range s.Queues {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f s\n", q.Name, q.Weight, q.Pending, q.Active, q.Scheduled, q.Retry, q.Dead, q.Latency)
		}
	}
	for _, list := range []struct {
		title   string
		letters []jobs.Letter
	}{{"da ripetere", s.Retries}, {"abbandonati (sua jobs retry ID)", s.Dead}} {
		if len(list.letters) == 0 {
			continue
		}
		fmt.Fprintf(t, "\n%s\n", list.title)
		for _, l := range list.letters {
			fmt.Fprintf(t, "  %s\t%s\t%d tentativi\tultimo %s\t%s\n", l.ID, l.Queue, l.Tried, l.Failed.Local().Format(shown), l.Error)
		}
	}
	fmt.Fprintln(t)
	for _, p := range s.Workers {
		fmt.Fprintf(t, "processo\t%s %d\tdal %s, %d lavori in corso\n", p.Host, p.PID, p.Started.Local().Format(shown), p.Busy)
	}
	fmt.Fprintf(t, "scadenze da applicare ora\t%d\n", s.Overdue)
	if s.OldestDue != nil {
		fmt.Fprintf(t, "la più vecchia\t%s\t%s fa\n", s.OldestDue.Local().Format(shown), s.At.Sub(*s.OldestDue).Round(time.Second))
	}
	if s.NextDue != nil {
		fmt.Fprintf(t, "la prossima\t%s\n", s.NextDue.Local().Format(shown))
	}
	return t.Flush()
}
