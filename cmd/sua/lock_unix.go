//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockDatabase keeps a second serving process away from an embedded database. The lock ends with the process.
func lockDatabase(url string) (func(), error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("blocco del database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("il database %s è già in uso da un altro sua in servizio: fermalo, oppure usa PostgreSQL per più processi", path), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
