package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/province-comuni/sua/internal/audit"
	"github.com/province-comuni/sua/internal/config"
	"github.com/province-comuni/sua/internal/engine"
)

// publicKeys are the keys that checkpoints of this log may be signed with: the one in use and those before it, one a line.
func publicKeys(cfg config.Config) (string, error) {
	_, public, err := publicKey(cfg)
	if err != nil {
		return "", err
	}
	for _, old := range cfg.Merkle.OldKeys {
		if err := audit.CheckLogKey(old); err != nil || !strings.Contains(old, "@") {
			return "", fmt.Errorf("merkle.old_keys: %q non è una chiave pubblica seguita da @ e dalle voci del suo ultimo checkpoint, come le scrive sua log rotate", old)
		}
	}
	return strings.Join(append([]string{public}, cfg.Merkle.OldKeys...), "\n"), nil
}

func keyCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "key", Short: "Scrive la chiave pubblica del registro, da dare a chi verifica (crea la chiave se non c'è)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings(c, nil)
			if err != nil {
				return err
			}
			public, err := publicKeys(cfg)
			if err != nil {
				return err
			}
			if !all {
				public, _, _ = strings.Cut(public, "\n")
			}
			fmt.Fprintln(c.OutOrStdout(), public)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "anche quelle che hanno firmato prima, una per riga")
	return c
}

func rotateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "Cambia la chiave del registro (a programma fermo)", Args: cobra.NoArgs,
		Long: `Firma un ultimo checkpoint con la chiave in uso, mette da parte il suo file e ne crea una nuova con lo stesso nome.
Il registro resta uno e prosegue; i checkpoint di prima si verificano con la chiave di prima, che va in merkle.old_keys.
Prima si fermano tutti i processi: chi firmasse ancora con la chiave vecchia firmerebbe ciò che poi non vale.
La procedura intera: docs/audit.md.`,
		RunE: withProgram(func(c *cobra.Command, p *program, _ []string) error { return rotate(c.Context(), p, c.OutOrStdout()) }),
	}
}

// rotate leaves the old key's file until the new one is whole: whatever goes wrong between, one of the two stands under merkle.key.
func rotate(ctx context.Context, p *program, out io.Writer) error {
	c := p.cfg.Merkle
	if strings.HasPrefix(c.Key, "PRIVATE+KEY+") {
		return errors.New("la chiave sta nella configurazione: la si scriva in un file, si dia quel file come merkle.key (SUA_MERKLE_KEY) a questo comando, e poi si metta dove serve ciò che il file contiene")
	}
	secret, public, err := publicKey(p.cfg)
	if err != nil {
		return err
	}
	origin, _, err := audit.PublicKey(secret)
	if err != nil {
		return err
	}
	if err := p.engine.ExtendLog(ctx, secret, c.OldKeys...); err != nil {
		return err
	}
	size, err := signedSize(ctx, p.engine)
	if err != nil {
		return err
	}
	fresh, freshPublic, err := audit.NewLogKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	aside := c.Key + "." + strings.Split(public, "+")[1]
	if err := swapKey(c.Key, aside, fresh); err != nil {
		return fmt.Errorf("merkle.key: %w", err)
	}
	old := append(append([]string{}, c.OldKeys...), fmt.Sprintf("%s@%d", public, size))
	fmt.Fprintf(out, `La chiave è cambiata. Ora:
1. nella configurazione di ogni processo, prima di riavviarlo:
merkle:
  old_keys:
`)
	for _, key := range old {
		fmt.Fprintf(out, "    - %q\n", key)
	}
	fmt.Fprintf(out, `   (o SUA_MERKLE_OLD_KEYS=%s)
2. riavviare, e controllare: sua log verify
3. dare a chi verifica la chiave nuova, per la via della prima volta (per verificare anche ciò che è stato firmato prima: sua log key --all):
%s
4. conservare altrove una copia di %s, e distruggere %s con le sue copie
`, strings.Join(old, ","), freshPublic, c.Key, aside)
	return nil
}

// signedSize is how many entries the latest checkpoint has; 0 before the first.
func signedSize(ctx context.Context, e *engine.Engine) (int64, error) {
	note, err := e.LogCheckpoint(ctx)
	if errors.Is(err, engine.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return audit.NoteSize(note)
}

// swapKey puts the file of the key in use aside and writes a new one in its place.
func swapKey(file, aside, secret string) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		if err = os.Link(file, aside); err == nil { // refuses to write over another
			err = os.Rename(f.Name(), file)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
