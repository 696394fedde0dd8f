package dossier

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/audit"
)

// Content is what a dossier is made of.
type Content struct {
	Program     string // name and version of the program that writes it
	Events      []Event
	Story       Story
	Definitions map[string][]byte // exact bytes by hash
	Limits      []audit.LimitUsed
	Log         *LogProofs // nil when the log has no checkpoint that covers the story
	Redacted    []string   // what was left out on request: secret, personal
	// Documents are the SHA-256 of those to include, ascending; Without of those that are only named.
	Documents, Without []string
	// Document opens the bytes of one.
	Document func(sha256 string) (io.ReadCloser, error)
}

// ErrEmpty: a dossier tells at least one event.
var ErrEmpty = errors.New("no events")

// Write writes the zip. The same content gives the same bytes, with the same version of the program: files stand in a fixed order,
// dated by the last event. Documents are copied as they come and never held in memory.
func Write(w io.Writer, c Content) error {
	if len(c.Events) == 0 {
		return ErrEmpty
	}
	z := &writer{zip: zip.NewWriter(w), at: lastTime(c.Story)}
	last := c.Events[len(c.Events)-1]
	z.manifest = Manifest{
		Format: Format, Program: c.Program, Root: c.Story.Root, Events: last.Seq, Head: hex.EncodeToString(last.Hash),
		Redacted: append([]string{}, c.Redacted...), Without: append([]string{}, c.Without...),
	}
	var page bytes.Buffer
	if err := render(&page, c.Story, c.Events); err != nil {
		return err
	}
	z.put(readmeFile, []byte(readme))
	z.put(pageFile, page.Bytes())
	z.json(storyFile, c.Story)
	z.put(eventsFile, lines(c.Events))
	z.json(limitsFile, limitsOf(c.Limits))
	if c.Log != nil {
		z.json(logFile, c.Log)
	}
	hashes := make([]string, 0, len(c.Definitions))
	for h := range c.Definitions {
		hashes = append(hashes, h)
	}
	slices.Sort(hashes)
	for _, h := range hashes {
		z.put("definizioni/"+h+".json", c.Definitions[h])
	}
	for _, sha := range c.Documents {
		z.document(c, sha)
	}
	files := z.manifest
	z.json(manifestFile, files)
	if z.err != nil {
		return fmt.Errorf("write dossier: %w", z.err)
	}
	return z.zip.Close()
}

// limitsOf is [] when there are none.
func limitsOf(all []audit.LimitUsed) []audit.LimitUsed { return append([]audit.LimitUsed{}, all...) }

func lastTime(s Story) time.Time {
	if len(s.Events) == 0 {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return s.Events[len(s.Events)-1].At.UTC().Truncate(2 * time.Second) // what the format of zip can say
}

func lines(events []Event) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for i := range events {
		_ = enc.Encode(&events[i]) // bytes and numbers always encode
	}
	return out.Bytes()
}

// writer keeps the first error, so that a file is written top to bottom.
type writer struct {
	zip      *zip.Writer
	at       time.Time
	manifest Manifest
	err      error
}

func (z *writer) json(path string, v any) {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil && z.err == nil {
		z.err = err
	}
	z.put(path, append(b, '\n'))
}

func (z *writer) put(path string, b []byte) { z.copy(path, zip.Deflate, bytes.NewReader(b)) }

func (z *writer) document(c Content, sha string) {
	if z.err != nil {
		return
	}
	f, err := c.Document(sha)
	if err != nil {
		z.err = err
		return
	}
	defer f.Close()
	z.copy("documenti/"+sha, zip.Store, f)
}

func (z *writer) copy(path string, method uint16, r io.Reader) {
	if z.err != nil {
		return
	}
	to, err := z.zip.CreateHeader(&zip.FileHeader{Name: path, Method: method, Modified: z.at})
	if err != nil {
		z.err = err
		return
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), r)
	if err != nil {
		z.err = err
		return
	}
	if path != manifestFile {
		z.manifest.Files = append(z.manifest.Files, File{path, n, hex.EncodeToString(sum.Sum(nil))})
	}
}

var readme = strings.TrimLeft(`
FASCICOLO VERIFICABILE DI UNA PROCEDURA

storia.html    la storia da leggere: si apre con qualunque browser, senza rete
storia.json    la stessa storia per i programmi
eventi.jsonl   gli eventi byte per byte: intestazione, impronta, parti (base64), una riga ciascuno
definizioni/   i flussi di lavoro che gli eventi nominano, byte per byte
limiti.json    i numeri di legge su cui gli eventi poggiano
documenti/     i documenti, ciascuno sotto la propria impronta SHA-256
registro.json  le prove che gli eventi sono nel registro pubblico (checkpoint firmato e percorsi)
manifest.json  l'elenco dei file con le impronte

Si verifica senza rete e senza database con:   sua audit check FILE
Per provare anche quando la storia esisteva:   sua audit check FILE --key CHIAVE --checkpoint FILE
dove la chiave è quella pubblica del registro e il checkpoint una copia tenuta da altri.

A mano, per ogni evento: SHA-256(intestazione) = hash; il campo "prev" dell'intestazione = hash dell'evento
prima; SHA-256(sale + corpo) di ogni parte = l'impronta in "parts". Una parte che manca è riservata o cancellata:
la sua impronta resta. Che cosa prova ogni controllo, e che cosa no: docs/audit.md del programma.
`, "\n")
