// Package blob keeps the bytes of documents under their SHA-256, in a folder.
//
// It knows nothing of cases or types: package engine records who uploaded what. The same bytes are kept once; a file is
// written beside its place and moved there when complete, so that a broken upload leaves nothing readable.
package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

// ErrTooLarge: the document exceeds the limit given to Put.
var ErrTooLarge = errors.New("document too large")

// ErrMissing: no bytes are kept under this hash.
var ErrMissing = errors.New("document bytes missing")

// Store is a folder of documents. Safe for concurrent use.
type Store struct{ folder string }

// Open returns the store in a folder, making it when needed.
func Open(folder string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(folder, "incoming"), 0o750); err != nil {
		return nil, fmt.Errorf("open document folder: %w", err)
	}
	return &Store{folder}, nil
}

// Kept says what Put has stored.
type Kept struct {
	SHA256 string // hex
	Size   int64  // bytes
	Media  string // type seen in the first bytes, not what the name promises
}

// Put stores all of r, or nothing. It returns ErrTooLarge past max bytes.
func (s *Store) Put(r io.Reader, max int64) (kept Kept, err error) {
	f, err := os.CreateTemp(filepath.Join(s.folder, "incoming"), "doc-*")
	if err != nil {
		return Kept{}, fmt.Errorf("store document: %w", err)
	}
	defer func() {
		_ = f.Close() // closed before the rename on success
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	hash, head := sha256.New(), &headWriter{}
	kept.Size, err = io.Copy(io.MultiWriter(f, hash, head), io.LimitReader(r, max+1))
	if err != nil {
		return Kept{}, fmt.Errorf("store document: %w", err)
	}
	if kept.Size > max {
		return Kept{}, ErrTooLarge
	}
	kept.SHA256, kept.Media = hex.EncodeToString(hash.Sum(nil)), http.DetectContentType(head.b)
	path := s.path(kept.SHA256)
	if same, err := os.Stat(path); err == nil && same.Size() == kept.Size { // kept already, and on disk since then
		return kept, os.Remove(f.Name())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return Kept{}, fmt.Errorf("store document: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return Kept{}, fmt.Errorf("store document: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return Kept{}, fmt.Errorf("store document: %w", err)
	}
	return kept, nil
}

// Get opens the bytes kept under a hash, or returns ErrMissing.
func (s *Store) Get(sha string) (io.ReadCloser, error) {
	if b, err := hex.DecodeString(sha); err != nil || len(b) != sha256.Size {
		return nil, ErrMissing
	}
	f, err := os.Open(s.path(sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("open document: %w", err)
	}
	return f, nil
}

func (s *Store) path(sha string) string { return filepath.Join(s.folder, sha[:2], sha[2:4], sha) }

// headWriter keeps the first 512 bytes, what content sniffing looks at.
type headWriter struct{ b []byte }

func (h *headWriter) Write(p []byte) (int, error) {
	if room := 512 - len(h.b); room > 0 {
		h.b = append(h.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
