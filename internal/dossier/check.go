package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/audit"
)

// Report is what a check found, in Italian. A dossier with something Wrong is not to be believed.
type Report struct {
	Root      string
	Events    int64
	Proved    []string
	NotProved []string
	Wrong     []string
}

// Against is what a stranger brings to the check from outside the file; all of it may be missing.
type Against struct {
	Key        string // public key of the Merkle log, as a note verifier key
	Checkpoint []byte // a checkpoint that somebody else kept
}

// Check verifies a dossier with nothing but itself and what the caller brings. It returns ErrForeign when the file is none, or one
// built to harm; what is readable and does not hold stands in the report.
func Check(r io.ReaderAt, size int64, with Against) (Report, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return Report{}, err
	}
	c := &check{a: a, docs: map[string]bool{}, defs: map[string]bool{}, limits: map[audit.LimitUsed]bool{}, headers: map[int64]audit.Header{}}
	if err := a.decode(manifestFile, &c.manifest); err != nil {
		return Report{}, err
	}
	if c.manifest.Format != Format {
		return Report{}, foreign("è nel formato %q, questo programma legge %q", c.manifest.Format, Format)
	}
	if c.events, err = a.events(); err != nil {
		return Report{}, err
	}
	if err := a.decode(storyFile, &c.story); err != nil {
		return Report{}, err
	}
	if c.chain(); c.faults > 0 {
		c.broken = true
		c.out.Root, c.out.Events = c.manifest.Root, int64(len(c.events))
		c.restOfHeaders()
		c.not("la catena non tiene: definizioni, numeri di legge, documenti, racconto e registro sono stati guardati, ma non provano nulla")
	}
	for _, f := range []func() error{c.definitions, c.limitsUsed, c.documents, c.telling, c.inventory, func() error { return c.log(with) }} {
		c.faults = 0
		if err := f(); err != nil {
			return c.out, err
		}
	}
	return c.out, nil
}

type check struct {
	a        *archive
	manifest Manifest
	events   []Event
	story    Story
	headers  map[int64]audit.Header
	docs     map[string]bool
	defs     map[string]bool
	limits   map[audit.LimitUsed]bool
	broken   bool // the chain: what rests on its headers proves nothing
	out      Report
	faults   int // of the part of the check that is under way
}

// proved says what holds; a part of the check that found something wrong proves nothing.
func (c *check) proved(format string, args ...any) {
	if c.faults > 0 || c.broken {
		return
	}
	c.out.Proved = append(c.out.Proved, fmt.Sprintf(format, args...))
}

func (c *check) not(format string, args ...any) {
	c.out.NotProved = append(c.out.NotProved, fmt.Sprintf(format, args...))
}

// mostWrong bounds what is told of a dossier that is all wrong.
const mostWrong = 100

func (c *check) wrong(format string, args ...any) {
	c.faults++
	if len(c.out.Wrong) < mostWrong {
		c.out.Wrong = append(c.out.Wrong, fmt.Sprintf(format, args...))
	}
}

// chain checks headers, links, numbers and the parts that are there.
func (c *check) chain() {
	var chain audit.Chain
	var held, withheld, parts, digests int
	for i := range c.events {
		e := &c.events[i]
		if len(e.Header) == 0 {
			if e.Seq != int64(i)+1 {
				c.wrong("evento %d: qui doveva esserci l'evento %d e c'è il %d: manca, è in più o è fuori posto", i+1, i+1, e.Seq)
				return
			}
			if len(e.Hash) != sha256.Size || e.Open != nil || e.Secret != nil || e.Personal != nil {
				c.wrong("evento %d: è riservato, ma non ha solo numero e impronta", e.Seq)
				return
			}
			chain.Withheld(e.Hash)
			withheld++
			continue
		}
		h, err := chain.Add(audit.Sealed{Header: e.Header, Hash: e.Hash, Parts: audit.Parts{Open: e.Open.sealed(), Secret: e.Secret.sealed(), Personal: e.Personal.sealed()}})
		if err == nil && e.Seq != h.Seq {
			err = audit.Broken{Seq: h.Seq, IT: fmt.Sprintf("la riga dice %d", e.Seq)}
		}
		if err == nil && h.Root != c.manifest.Root {
			err = audit.Broken{Seq: h.Seq, IT: "appartiene a un'altra storia"}
		}
		var b audit.Broken
		if errors.As(err, &b) {
			c.wrong("evento %d: %s", b.Seq, b.IT)
			return
		}
		held++
		c.note(h)
		digests += len(missing(h, *e))
		for _, p := range []*Part{e.Open, e.Secret, e.Personal} {
			if p != nil {
				parts++
			}
		}
	}
	seq, head := chain.Head()
	c.out.Root, c.out.Events = c.manifest.Root, seq
	if seq != c.manifest.Events || hex.EncodeToString(head) != c.manifest.Head {
		c.wrong("il fascicolo finisce all'evento %d, il suo elenco dice %d: ne manca la fine", seq, c.manifest.Events)
		return
	}
	c.proved("la catena è intera e senza buchi: %d eventi, dal primo all'ultimo, ciascuno con la sua impronta e legato a quello prima", seq)
	c.proved("%d parti corrispondono alle impronte nelle intestazioni", parts)
	if withheld > 0 {
		c.not("%d eventi sono riservati: se ne prova il posto, non il contenuto", withheld)
	}
	if digests > 0 {
		c.not("di %d parti c'è solo l'impronta: riservate o cancellate, se ne prova l'esistenza e non il contenuto", digests)
	}
}

// restOfHeaders notes what stands behind the place where the chain broke, so that only what is wrong there too is called so.
func (c *check) restOfHeaders() {
	for _, e := range c.events {
		h, err := audit.Parse(e.Header)
		if _, seen := c.headers[h.Seq]; err == nil && !seen && h.Seq == e.Seq {
			c.note(h)
		}
	}
}

func (c *check) note(h audit.Header) {
	c.headers[h.Seq] = h
	c.defs[h.Definition] = true
	for _, d := range h.Documents {
		c.docs[d.SHA256] = true
	}
	for _, l := range h.Limits {
		c.limits[l] = true
	}
}

func (c *check) definitions() error {
	n := 0
	for _, hash := range slices.Sorted(maps.Keys(c.defs)) {
		name := "definizioni/" + hash + ".json"
		if c.a.files[name] == nil {
			c.wrong("manca la definizione %s, che gli eventi seguono", hash)
			continue
		}
		sum, _, err := c.a.sum(name)
		if err != nil {
			return err
		}
		if sum != hash {
			c.wrong("la definizione %s non corrisponde alla sua impronta", hash)
		}
		n++
	}
	c.proved("%d definizioni sono, byte per byte, quelle che gli eventi seguivano", n)
	return nil
}

func (c *check) limitsUsed() error {
	var told []audit.LimitUsed
	if err := c.a.decode(limitsFile, &told); err != nil {
		return err
	}
	for _, l := range told {
		if !c.limits[l] {
			c.wrong("limite %s: nessun evento dice di averlo usato così", l.Key)
		}
		delete(c.limits, l)
	}
	for l := range c.limits {
		c.wrong("manca il limite %s, che un evento ha usato", l.Key)
	}
	c.proved("%d numeri di legge sono quelli che gli eventi dicono di avere usato", len(told))
	return nil
}

func (c *check) documents() error {
	here, absent := 0, 0
	for _, name := range slices.Sorted(maps.Keys(c.a.files)) {
		sha, ok := strings.CutPrefix(name, "documenti/")
		if !ok {
			continue
		}
		sum, _, err := c.a.sum(name)
		if err != nil {
			return err
		}
		switch {
		case sum != sha:
			c.wrong("il documento %s non corrisponde alla sua impronta", sha)
		case !c.docs[sha]:
			c.wrong("il documento %s non è nominato da alcun evento", sha)
		}
		here++
	}
	for sha := range c.docs {
		if c.a.files["documenti/"+sha] == nil {
			absent++
			if !slices.Contains(c.manifest.Without, sha) {
				c.wrong("manca il documento %s", sha)
			}
		}
	}
	if here > 0 {
		c.proved("%d documenti sono, byte per byte, quelli che gli eventi nominano", here)
	}
	if absent > 0 {
		c.not("di %d documenti c'è solo l'impronta: i byte non sono nel fascicolo", absent)
	}
	return nil
}

// telling checks that the story in words says of each event what its header says, and that the page says what the files say.
func (c *check) telling() error {
	told := map[int64]bool{}
	for _, t := range c.story.Events {
		h, ok := c.headers[t.Seq]
		if !ok || told[t.Seq] {
			c.wrong("la storia racconta l'evento %d, che nel fascicolo non c'è", t.Seq)
			continue
		}
		told[t.Seq] = true
		if h.Case != t.Case || h.Event != t.Event || h.From != t.From || h.To != t.To || h.Actor != t.Actor || h.Role != t.Role || h.Cause != t.Cause ||
			h.Definition != t.Definition || !h.At.Equal(t.At) || !h.Effective.Equal(t.Effective) {
			c.wrong("la storia racconta l'evento %d in altro modo dalla sua intestazione", t.Seq)
		}
		for _, d := range t.Documents {
			if !slices.Contains(h.Documents, audit.Attached{Type: d.Type, SHA256: d.SHA256}) {
				c.wrong("la storia dà all'evento %d un documento che non ha", t.Seq)
			}
		}
	}
	if len(told) < len(c.headers) {
		c.wrong("la storia tace %d eventi", len(c.headers)-len(told))
	}
	for _, line := range c.story.Broken {
		c.wrong("già all'esportazione la storia non tornava: %s", line)
	}
	if c.story.Root != c.manifest.Root {
		c.wrong("la storia è di un'altra procedura")
	}
	page, err := c.a.read(pageFile)
	if err != nil {
		return err
	}
	var again bytes.Buffer
	if err := render(&again, c.story, c.events); err != nil || !bytes.Equal(page, again.Bytes()) {
		c.not("storia.html è altra da quella che questo programma scriverebbe: l'ha scritta un'altra versione (%s), o è stata ritoccata; fa fede eventi.jsonl", c.manifest.Program)
	} else {
		c.proved("storia.html dice ciò che dicono gli altri file")
	}
	c.proved("chi, che cosa, quando e da quale stato a quale stanno nella storia come nelle intestazioni")
	c.not("le parole della storia (etichette, nomi delle persone, oggetto) sono una lettura: provati sono i valori in eventi.jsonl")
	return nil
}

// inventory compares the manifest with what is there.
func (c *check) inventory() error {
	listed := map[string]bool{manifestFile: true}
	for _, f := range c.manifest.Files {
		if c.a.files[f.Path] == nil {
			c.wrong("manca %s, che l'elenco nomina", f.Path)
			continue
		}
		sum, size, err := c.a.sum(f.Path)
		if err != nil {
			return err
		}
		if listed[f.Path] || sum != f.SHA256 || size != f.Size {
			c.wrong("%s è altro da ciò che dice l'elenco", f.Path)
		}
		listed[f.Path] = true
	}
	for name := range c.a.files {
		if !listed[name] {
			c.wrong("%s non è nell'elenco", name)
		}
	}
	return nil
}
