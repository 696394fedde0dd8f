package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/api"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/jobs"
	"github.com/province-comuni/sua/internal/web"
)

func serveCommand() *cobra.Command {
	var demo bool
	var role string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve le pagine e l'API e fa scattare le scadenze",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, func(cfg *config.Config) {
				cfg.Demo = cfg.Demo || demo
				if role != "" {
					cfg.Role = role
				}
			})
			if err != nil {
				return err
			}
			return serve(c.Context(), cfg, c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&demo, "demo", false, "carica i dati dimostrativi e apre i loro accessi (solo da questa macchina)")
	c.Flags().StringVar(&role, "role", "", "che cosa fa questo processo: all (predefinito), api (pagine e API) o worker (lavori in coda e scadenze)")
	return c
}

// serve runs until ctx ends: pages, API and background work in one process, or the part that the role names.
func serve(ctx context.Context, cfg config.Config, out io.Writer) error {
	var listener net.Listener
	if cfg.Role != "worker" {
		var err error
		if listener, err = listen(cfg.Listen); err != nil {
			return err
		}
		defer listener.Close() // harmless after the server has closed it
	}
	unlock, err := lockDatabase(cfg.Database.URL)
	if err != nil {
		return err
	}
	defer unlock()
	if cfg.Demo {
		if err := loadDemo(ctx, cfg); err != nil {
			return err
		}
	}
	p, err := build(ctx, cfg)
	if err != nil {
		return err
	}
	defer p.close()
	var server *http.Server
	if listener != nil {
		if server, err = p.server(); err != nil {
			return err
		}
		if err := p.welcome(ctx, out); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "SUA %s: lavori in coda e scadenze\n", version)
	}
	debug.FreeOSMemory() // what compiling the workflows, loading the demonstration and describing the API left behind
	releaseProgram()
	calmCollector(ctx) // from now on: a start is no load
	return p.run(ctx, server, listener)
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("l'indirizzo %s è già in uso: ferma l'altro programma o scegli un'altra porta, per esempio PORT=8081", address)
	}
	if err != nil {
		return nil, fmt.Errorf("ascolto su %s: %w", address, err)
	}
	return l, nil
}

func (p *program) close() {
	if err := p.db.Close(); err != nil {
		p.log.Error("close database", "error", err)
	}
}

// run serves and works, each if the role has it, until ctx ends; then requests and jobs may finish.
func (p *program) run(ctx context.Context, server *http.Server, l net.Listener) error {
	var worker *jobs.Worker
	var wait sync.WaitGroup
	sending, stopSending := context.WithCancel(context.Background())
	defer stopSending()
	if p.cfg.Role != "api" {
		regular, err := p.regular()
		if err != nil {
			return err
		}
		if worker, err = jobs.Start(jobs.Config{
			Engine: p.engine, Redis: p.cfg.Redis.URL, AddressFile: redisFile(p.cfg.Database.URL), Every: p.cfg.Sweep.Every, Regular: regular, Log: p.log,
		}); err != nil {
			return err
		}
		for _, loop := range p.loops(worker) {
			wait.Go(func() { loop(sending) })
		}
	}
	failed := make(chan error, 1)
	if server != nil {
		go func() { failed <- server.Serve(l) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		p.log.Info("stopping")
		if server != nil {
			grace, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			err = server.Shutdown(grace)
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	stopSending()
	wait.Wait()
	if worker != nil {
		err = errors.Join(err, worker.Stop())
	}
	return err
}

// loops are what a worker does beside its queues: notices on their way out, numbers of events, and receipts of certified mail on their way in.
func (p *program) loops(w *jobs.Worker) []func(context.Context) {
	out := []func(context.Context){
		func(ctx context.Context) { w.SendNotices(ctx, noticesEvery) },
		func(ctx context.Context) { jobs.Sequence(ctx, p.engine, sequenceEvery, p.log) },
	}
	if p.mailbox != nil {
		out = append(out, func(ctx context.Context) { jobs.Receipts(ctx, p.engine, p.mailbox, receiptsEvery, p.log) })
	}
	return out
}

// server mounts the API and the pages on one Echo.
func (p *program) server() (*http.Server, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // behind no proxy by default: the peer is the peer
	e.Use(middleware.RequestID(), p.recovered(), p.logged(), middleware.BodyLimit(fmt.Sprintf("%dM", p.cfg.Documents.MaxMB+1)))
	now, stopping := time.Now, make(chan struct{})
	if err := api.Register(e, api.Server{
		Engine: p.engine, Version: version, PublicURL: p.cfg.PublicURL, RatePerMinute: p.cfg.RateLimit.PerMinute,
		MaxUploadMB: p.cfg.Documents.MaxMB, Now: now, Log: p.log, Stopping: stopping,
	}); err != nil {
		return nil, err
	}
	api.RegisterLog(e, p.engine)
	web.Register(e, web.Server{
		Engine: p.engine, Version: version, Demo: p.cfg.Demo, PublicURL: p.cfg.PublicURL, SessionHours: p.cfg.Session.Hours, MaxUploadMB: p.cfg.Documents.MaxMB,
		Secure: strings.HasPrefix(p.cfg.PublicURL, "https://"), Log: p.log, Now: now, Outbox: p.outbox(),
		Contacts: web.Contacts(p.cfg.Contacts),
	})
	e.HTTPErrorHandler = api.ErrorHandler(p.log, e.HTTPErrorHandler) // the API answers its own paths, the pages the others
	server := &http.Server{
		Handler: e, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, WriteTimeout: 5 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(func() { close(stopping) })
	return server, nil
}

// recovered turns a panic into an error that the error handler answers, with the stack in the log only.
func (p *program) recovered() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
		p.log.Error("panic", "path", c.Path(), "error", err, "stack", string(stack))
		return err
	}})
}

// logged writes a line a request: no query, no body, no name.
func (p *program) logged() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogMethod: true, LogRoutePath: true, LogStatus: true, LogLatency: true, LogRequestID: true, HandleError: true, LogError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			level := slog.LevelDebug
			if v.Status >= 500 {
				level = slog.LevelError
			}
			if !p.log.Enabled(c.Request().Context(), level) {
				return nil
			}
			p.log.Log(c.Request().Context(), level, "request", "method", v.Method, "route", v.RoutePath, "status", v.Status, "ms", v.Latency.Milliseconds(), "id", v.RequestID, "error", v.Error)
			return nil
		},
	})
}

// welcome prints where to go and, in the demonstration, who can sign in.
func (p *program) welcome(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\nSUA %s\n  pagine  %s\n  API     %s/api/v1/openapi.json\n", version, p.cfg.PublicURL, p.cfg.PublicURL)
	if !p.cfg.Demo {
		return nil
	}
	accounts, err := p.engine.DemoAccounts(ctx)
	if err != nil {
		return err
	}
	shown := onePerRole(accounts)
	fmt.Fprintf(out, "\nAccessi dimostrativi, uno per ruolo (solo da questa macchina, senza password; tutti e %d: %s/accedi)\n", len(accounts), p.cfg.PublicURL)
	for _, a := range shown {
		var roles []string
		for _, r := range a.Roles {
			roles = append(roles, r.Role.Label.IT+", "+r.Body.Name)
		}
		fmt.Fprintf(out, "  %-28s %-22s %s\n", a.ID, a.Name, strings.Join(roles, "; "))
	}
	fmt.Fprintf(out, "\nPer provare i dati aperti ANAC sui CIG: %s import anac-cig FILE.csv\n(poi entra come «controllo»: vede le procedure di tutti gli enti)\n\n", os.Args[0])
	return nil
}
