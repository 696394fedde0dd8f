package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The change of the key as who runs the program makes it: by what the command prints.
func TestTheKeyIsChangedFromTheCommandLine(t *testing.T) {
	imported(t)
	oldKey, _, err := again(t, "log", "key")
	if err != nil {
		t.Fatal(err)
	}
	note, _, err := again(t, "log", "checkpoint", "--now")
	if err != nil {
		t.Fatal(err)
	}
	file := os.Getenv("SUA_MERKLE_KEY")
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUA_MERKLE_KEY", strings.TrimSpace(string(secret)))
	if _, _, err := again(t, "log", "rotate"); err == nil || !strings.Contains(err.Error(), "sta nella configurazione") {
		t.Errorf("a key that is no file: %v", err)
	}
	t.Setenv("SUA_MERKLE_KEY", file)
	out, _, err := again(t, "log", "rotate")
	if err != nil {
		t.Fatal(err)
	}
	newKey, _, err := again(t, "log", "key")
	if err != nil || newKey == oldKey || !strings.HasPrefix(newKey, "localhost:8080/log+") || !strings.Contains(out, strings.TrimSpace(newKey)) {
		t.Fatalf("the new key: %q, %v\n%s", newKey, err, out)
	}
	aside := file + "." + strings.Split(oldKey, "+")[1]
	if kept, err := os.ReadFile(aside); err != nil || string(kept) != string(secret) {
		t.Errorf("the old key's file: %v", err)
	}
	for _, name := range []string{file, aside} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if _, _, err := again(t, "log", "verify"); !errors.Is(err, errSaid) {
		t.Errorf("old checkpoints pass without the old key: %v", err)
	}
	_, after, _ := strings.Cut(out, "SUA_MERKLE_OLD_KEYS=")
	old, _, _ := strings.Cut(after, ")\n")
	t.Setenv("SUA_MERKLE_OLD_KEYS", old)
	mail := filepath.Join(t.TempDir(), "copy.txt")
	if err := os.WriteFile(mail, []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := again(t, "log", "verify", "--checkpoint", mail); err != nil || !strings.Contains(out, "il registro torna") {
		t.Errorf("verify as the command says: %v\n%s", err, out)
	}
	if out, _, err := again(t, "log", "verify", "--checkpoint", mail, "--key", strings.TrimSpace(oldKey)); err != nil {
		t.Errorf("who has only the old key: %v\n%s", err, out)
	}
	if all, _, err := again(t, "log", "key", "--all"); err != nil || all != newKey+old+"\n" {
		t.Errorf("all keys: %q, %v", all, err)
	}
	t.Setenv("SUA_MERKLE_OLD_KEYS", strings.TrimSpace(oldKey))
	if _, _, err := again(t, "log", "verify"); err == nil || !strings.Contains(err.Error(), "merkle.old_keys") {
		t.Errorf("an old key without its last checkpoint: %v", err)
	}
}
