package audit

import (
	"crypto/rand"
	"testing"
)

func TestLogKeysAreReadStrictly(t *testing.T) {
	_, key, err := NewLogKey(rand.Reader, "sua.example/log")
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		key: true, key + "\n": true, key + "@0": true, key + "@12 " + key: true,
		"": false, " \n": false, "x": false, key + "@": false, key + "@-1": false, key + "@1@2": false, key + " x": false,
	} {
		if err := CheckLogKey(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A log that has another name is not vouched for by a key of ours, also where both keys are known.
func TestAKeyVouchesForItsOwnLog(t *testing.T) {
	secret, key, err := NewLogKey(rand.Reader, "sua.example/log")
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := NewLogKey(rand.Reader, "other.example/log")
	if err != nil {
		t.Fatal(err)
	}
	note, err := SignCheckpoint(secret, 4, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for keys, good := range map[string]bool{key: true, other + " " + key: true, other: false, key + "@4": true, key + "@3": false, other + " " + key + "@3": false} {
		if _, err := ParseCheckpoint(note, keys); (err == nil) != good {
			t.Errorf("with %q: %v", keys, err)
		}
	}
}
