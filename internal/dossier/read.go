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
)

// Bounds of what a check takes from a stranger. Documents are hashed as they are read and may be long; what is read into memory not.
const (
	mostFiles  = 200_000
	mostMemory = 256 << 20 // of the files read into memory, all together
	mostPacked = 1 << 30   // of the files that are compressed, all together: no bomb is larger
)

// ErrForeign: the file is no dossier, or not one that a careful reader opens; the error says why, in Italian.
var ErrForeign = errors.New("non è un fascicolo leggibile")

func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForeign, fmt.Sprintf(format, args...))
}

// archive is an opened zip whose directory was looked at: known names, each once, of bounded size.
type archive struct {
	files  map[string]*zip.File
	memory int64 // still to be had
}

func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, foreign("%v", err)
	}
	if len(z.File) > mostFiles {
		return nil, foreign("contiene %d file", len(z.File))
	}
	a := &archive{files: map[string]*zip.File{}, memory: mostMemory}
	var total uint64
	for _, f := range z.File {
		if !knownFiles[f.Name] && !definitionPath.MatchString(f.Name) && !documentPath.MatchString(f.Name) {
			return nil, foreign("contiene un file che non gli appartiene: %q", f.Name)
		}
		if a.files[f.Name] != nil {
			return nil, foreign("contiene due volte %q", f.Name)
		}
		switch {
		case !f.Mode().IsRegular() || f.Method == zip.Store && f.UncompressedSize64 != f.CompressedSize64:
			return nil, foreign("%q non è un file ordinario", f.Name)
		case f.Method != zip.Store && f.UncompressedSize64 > mostPacked:
			return nil, foreign("%q è troppo grande", f.Name)
		case f.Method != zip.Store:
			total += f.UncompressedSize64
		}
		if total > mostPacked {
			return nil, foreign("è troppo grande")
		}
		a.files[f.Name] = f
	}
	for _, name := range []string{manifestFile, eventsFile, storyFile, pageFile} {
		if a.files[name] == nil {
			return nil, foreign("manca %s", name)
		}
	}
	return a, nil
}

// read returns a file whole. What it declares and what it holds are both bounded.
func (a *archive) read(name string) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, foreign("manca %s", name)
	}
	if f.UncompressedSize64 > uint64(a.memory) {
		return nil, foreign("%s è troppo grande", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, foreign("%s: %v", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(f.UncompressedSize64)+1))
	if err != nil {
		return nil, foreign("%s: %v", name, err)
	}
	if a.memory -= int64(len(b)); a.memory < 0 {
		return nil, foreign("%s è troppo grande", name)
	}
	return b, nil
}

// sum hashes a file without holding it.
func (a *archive) sum(name string) (digest string, size int64, err error) {
	f := a.files[name]
	r, err := f.Open()
	if err != nil {
		return "", 0, foreign("%s: %v", name, err)
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, int64(min(f.UncompressedSize64, 1<<62))+1)) // never more than it declares
	if err != nil {
		return "", n, foreign("%s: %v", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), n, nil
}

// decode reads a file of JSON into v, strictly: a member that nobody knows might say something that nobody checks.
func (a *archive) decode(name string, v any) error {
	b, err := a.read(name)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return foreign("%s: %v", name, err)
	}
	if dec.More() {
		return foreign("%s: c'è altro dopo la fine", name)
	}
	return nil
}

// events reads the lines of the events.
func (a *archive) events() ([]Event, error) {
	b, err := a.read(eventsFile)
	if err != nil {
		return nil, err
	}
	var out []Event
	for line := range bytes.Lines(b) {
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		var e Event
		if err := dec.Decode(&e); err != nil || dec.More() {
			return nil, foreign("%s, riga %d: non è un evento", eventsFile, len(out)+1)
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, foreign("non contiene eventi")
	}
	return out, nil
}
