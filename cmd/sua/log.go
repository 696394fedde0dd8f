package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/api"
	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/jobs"
	"github.com/province-comuni/sua/internal/notify"
)

const (
	checkpointEvery = time.Minute
	outsideEvery    = 24 * time.Hour
)

// logKey reads the key that signs the Merkle log: out of the configuration, or from its file, which is made the first time. made reports
// that it was.
func logKey(cfg config.Config) (secret string, made bool, err error) {
	c := cfg.Merkle
	if strings.HasPrefix(c.Key, "PRIVATE+KEY+") {
		_, _, err := audit.PublicKey(c.Key)
		return c.Key, false, err
	}
	text, err := os.ReadFile(c.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return makeLogKey(cfg)
	}
	if err != nil {
		return "", false, fmt.Errorf("merkle.key: %w", err)
	}
	secret = strings.TrimSpace(string(text))
	if _, _, err := audit.PublicKey(secret); err != nil {
		return "", false, fmt.Errorf("merkle.key: %s non contiene una chiave del registro: %w", c.Key, err)
	}
	return secret, false, nil
}

func makeLogKey(cfg config.Config) (string, bool, error) {
	c, origin := cfg.Merkle, cfg.Merkle.Origin
	if origin == "" {
		_, host, _ := strings.Cut(cfg.PublicURL, "://")
		origin = host + api.LogPrefix
	}
	secret, _, err := audit.NewLogKey(rand.Reader, origin)
	if err != nil {
		return "", false, err
	}
	if err := os.MkdirAll(filepath.Dir(c.Key), 0o750); err != nil {
		return "", false, fmt.Errorf("merkle.key: %w", err)
	}
	f, err := os.OpenFile(c.Key, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // another process may be making it: one key only
	if err != nil {
		return "", false, fmt.Errorf("merkle.key: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", false, fmt.Errorf("merkle.key: %w", err)
	}
	return secret, true, nil
}

// regular is the work of the Merkle log in the queue: a checkpoint each minute in which something happened, and each day copies outside.
func (p *program) regular() ([]jobs.Regular, error) {
	c := p.cfg.Merkle
	secret, made, err := logKey(p.cfg)
	if err != nil {
		return nil, err
	}
	if _, err := publicKeys(p.cfg); err != nil {
		return nil, err
	}
	if made {
		p.log.Warn("key of the Merkle log made: keep a copy of it elsewhere", "file", c.Key)
	}
	all := []jobs.Regular{{Name: "merkle_log", Every: checkpointEvery, Run: func(ctx context.Context) error { return p.engine.ExtendLog(ctx, secret, c.OldKeys...) }}}
	if len(c.SendTo) > 0 {
		all = append(all, jobs.Regular{Name: "merkle_send", Every: outsideEvery, Run: func(ctx context.Context) error { return p.engine.SendCheckpoint(ctx, c.SendTo) }})
	}
	if c.TSA != "" {
		stamp := notify.Stamper(c.TSA)
		if roots, err := stampRoots(p.cfg); err != nil {
			return nil, err
		} else if roots != nil {
			stamp = notify.TrustedStamper(c.TSA, roots)
		}
		all = append(all, jobs.Regular{Name: "merkle_stamp", Every: outsideEvery, Run: func(ctx context.Context) error { return p.engine.StampCheckpoint(ctx, c.TSA, stamp) }})
	}
	return all, nil
}

func logCommand() *cobra.Command {
	c := &cobra.Command{Use: "log", Short: "Il registro Merkle: chiave, checkpoint, verifica, copia in una cartella"}
	c.AddCommand(keyCommand(), rotateCommand(), checkpointCommand(), logVerifyCommand(), &cobra.Command{
		Use: "export CARTELLA", Short: "Scrive il registro in file: checkpoint, tessere e voci", Args: cobra.ExactArgs(1),
		RunE: withProgram(func(c *cobra.Command, p *program, args []string) error {
			return exportLog(c.Context(), p.engine, args[0], c.OutOrStdout())
		}),
	})
	return c
}

func publicKey(cfg config.Config) (secret, public string, err error) {
	if secret, _, err = logKey(cfg); err != nil {
		return "", "", err
	}
	_, public, err = audit.PublicKey(secret)
	return secret, public, err
}

// withProgram runs a command on an open database.
func withProgram(run func(c *cobra.Command, p *program, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		cfg, err := settings(c, nil)
		if err != nil {
			return err
		}
		p, err := build(c.Context(), cfg)
		if err != nil {
			return err
		}
		defer p.close()
		return run(c, p, args)
	}
}

func checkpointCommand() *cobra.Command {
	var out string
	var now bool
	c := &cobra.Command{
		Use: "checkpoint", Short: "Scrive l'ultimo checkpoint firmato", Args: cobra.NoArgs,
		RunE: withProgram(func(c *cobra.Command, p *program, _ []string) error {
			if now {
				secret, _, err := publicKey(p.cfg)
				if err != nil {
					return err
				}
				if err := p.engine.ExtendLog(c.Context(), secret, p.cfg.Merkle.OldKeys...); err != nil {
					return err
				}
			}
			note, err := p.engine.LogCheckpoint(c.Context())
			switch {
			case errors.Is(err, engine.ErrNotFound):
				return errors.New("nessun checkpoint: lo firma ogni minuto il programma in servizio, oppure --now")
			case err != nil:
				return err
			case out != "":
				return writeFile(out, note)
			}
			_, err = c.OutOrStdout().Write(note)
			return err
		}),
	}
	c.Flags().StringVar(&out, "out", "", "file in cui scriverlo")
	c.Flags().BoolVar(&now, "now", false, "prima porta il registro a oggi e firma")
	return c
}

func logVerifyCommand() *cobra.Command {
	var files []string
	var key string
	var asJSON bool
	c := &cobra.Command{
		Use: "verify", Short: "Ricalcola il registro dagli eventi e lo confronta con tessere, checkpoint e copie esterne", Args: cobra.NoArgs,
		RunE: withProgram(func(c *cobra.Command, p *program, _ []string) error {
			public := key
			if public == "" {
				var err error
				if public, err = publicKeys(p.cfg); err != nil {
					return err
				}
			}
			outside, err := readCheckpoints(files)
			if err != nil {
				return err
			}
			report, err := p.engine.VerifyLog(c.Context(), public, outside)
			if err != nil {
				return err
			}
			roots, err := stampRoots(p.cfg)
			if err != nil {
				return err
			}
			stamps, bad, err := readStamps(c.Context(), p.engine, roots)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(c.OutOrStdout(), logVerification{report, stamps})
			} else {
				printLogReport(c.OutOrStdout(), &report, stamps)
			}
			if err == nil && (!report.OK() || bad) {
				return errSaid
			}
			return err
		}),
	}
	c.Flags().StringArrayVar(&files, "checkpoint", nil, "copia esterna di un checkpoint (file; si può ripetere)")
	c.Flags().StringVar(&key, "key", "", "chiave pubblica del registro, o più d'una separate da spazi (predefinite: quella di merkle.key e merkle.old_keys)")
	c.Flags().BoolVar(&asJSON, "json", false, "in JSON")
	return c
}

// readCheckpoints reads notes; of a mail's text, what stands between the two lines of dashes.
func readCheckpoints(files []string) ([][]byte, error) {
	out := make([][]byte, len(files))
	for i, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		if _, after, ok := bytes.Cut(text, []byte("-----\n")); ok {
			text, _, _ = bytes.Cut(after, []byte("-----"))
		}
		out[i] = text
	}
	return out, nil
}

// stampRoots are the authorities of time stamps; nil when none are configured.
func stampRoots(cfg config.Config) (*x509.CertPool, error) {
	if cfg.Merkle.TSARoots == "" {
		return nil, nil
	}
	roots, err := notify.Roots(cfg.Merkle.TSARoots)
	if err != nil {
		return nil, fmt.Errorf("merkle.tsa_roots: %w", err)
	}
	return roots, nil
}

func printLogReport(out io.Writer, r *engine.LogReport, stamps []stampSaid) {
	fmt.Fprintf(out, "eventi numerati: %d, nelle tessere: %d, firmati: %d\n", r.Entries, r.Tiled, r.Signed)
	fmt.Fprintf(out, "checkpoint conservati confrontati: %d, copie esterne: %d\n", r.Checkpoints, r.Outside)
	for _, s := range stamps {
		fmt.Fprintln(out, s.line())
	}
	for _, f := range r.Faults {
		fmt.Fprintf(out, "GUASTO: %s\n", f.Text)
	}
	switch {
	case r.More > 0:
		fmt.Fprintf(out, "e altri %d\n", r.More)
	case r.OK():
		fmt.Fprintln(out, "il registro torna")
	}
}

// exportLog writes the log of the latest checkpoint as files, each where a server would have it.
func exportLog(ctx context.Context, e *engine.Engine, folder string, out io.Writer) error {
	note, err := e.LogCheckpoint(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return errors.New("nessun checkpoint da esportare")
	}
	if err != nil {
		return err
	}
	size, err := audit.NoteSize(note)
	if err != nil {
		return err
	}
	files := 0
	write := func(path string, body []byte, err error) error {
		if err == nil {
			files++
			err = writeFile(filepath.Join(folder, filepath.FromSlash(path)), body)
		}
		return err
	}
	for level := 0; level == 0 || audit.Width(level, 0, size) > 0; level++ {
		for n := int64(0); ; n++ {
			width := audit.Width(level, n, size)
			if width == 0 {
				break
			}
			body, err := e.LogTile(ctx, level, n, width)
			if err := write(audit.TilePath(level, n, width), body, err); err != nil {
				return err
			}
			if level > 0 {
				continue
			}
			body, err = e.LogTile(ctx, -1, n, width)
			if err := write(audit.EntriesPath(n, width), body, err); err != nil {
				return err
			}
		}
	}
	if err := write("checkpoint", note, nil); err != nil { // last: what it names is there
		return err
	}
	fmt.Fprintf(out, "%d voci in %d file\n", size, files)
	return nil
}
