package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The log as who runs the program meets it: made, signed, exported, verified against a copy that came back in a mail.
func TestTheLogFromTheCommandLine(t *testing.T) {
	files, err := filepath.Glob("../../internal/exchange/testdata/*.csv")
	if err != nil || len(files) == 0 {
		t.Fatal("no sample")
	}
	if _, _, err := sua(t, "import", "anac-cig", files[0]); err != nil {
		t.Fatal(err)
	}
	key, _, err := again(t, "log", "key")
	if err != nil || !strings.HasPrefix(key, "localhost:8080/log+") {
		t.Fatalf("key %q, %v", key, err)
	}
	if info, err := os.Stat(os.Getenv("SUA_MERKLE_KEY")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}
	if same, _, err := again(t, "log", "key"); err != nil || same != key {
		t.Errorf("another key: %q %v", same, err)
	}
	if _, _, err := again(t, "log", "checkpoint"); err == nil || !strings.Contains(err.Error(), "--now") {
		t.Errorf("a checkpoint before the first: %v", err)
	}
	note, _, err := again(t, "log", "checkpoint", "--now")
	if err != nil || !strings.HasPrefix(note, "localhost:8080/log\n") {
		t.Fatalf("checkpoint %q, %v", note, err)
	}
	folder := t.TempDir()
	if out, _, err := again(t, "log", "export", folder); err != nil || !strings.Contains(out, "voci in") {
		t.Errorf("export: %s %v", out, err)
	}
	if kept, err := os.ReadFile(filepath.Join(folder, "checkpoint")); err != nil || string(kept) != note {
		t.Errorf("exported checkpoint: %v", err)
	}
	mail := filepath.Join(folder, "mail.txt")
	if err := os.WriteFile(mail, []byte("Buongiorno,\r\n-----\r\n"+strings.ReplaceAll(note, "\n", "\r\n")+"-----\r\nsaluti\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := again(t, "log", "verify", "--checkpoint", mail, "--checkpoint", filepath.Join(folder, "checkpoint"), "--key", strings.TrimSpace(key)); err != nil || !strings.Contains(out, "copie esterne: 2") || !strings.Contains(out, "il registro torna") {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if err := os.WriteFile(mail, []byte(strings.Replace(note, "\n", "\n9", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := again(t, "log", "verify", "--checkpoint", mail); !errors.Is(err, errSaid) || !strings.Contains(out, "GUASTO: il checkpoint esterno n. 1") {
		t.Errorf("verify with an edited copy: %v\n%s", err, out)
	}
	if out, _, err := again(t, "log", "verify", "--json"); err != nil || !strings.Contains(out, `"faults": []`) || !strings.Contains(out, `"stamps": []`) {
		t.Errorf("as JSON: %v\n%s", err, out)
	}
	t.Setenv("SUA_MERKLE_KEY", mail)
	if _, _, err := again(t, "log", "key"); err == nil || !strings.Contains(err.Error(), "non contiene una chiave") {
		t.Errorf("a file that holds no key: %v", err)
	}
}
