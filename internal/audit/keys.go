package audit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// logKeys are the public keys of a log, in the order given: the one in use, and those that signed before it.
type logKeys []logKey

type logKey struct {
	note.Verifier
	upto int64 // the largest checkpoint that counts as signed by it; -1: any
}

// readLogKeys reads public keys, separated by white space. A key that was changed has "@" behind it and the size of the last checkpoint
// that it signed: what it is said to have signed later, whoever has found it signs.
func readLogKeys(public string) (logKeys, error) {
	var out logKeys
	for _, text := range strings.Fields(public) {
		key, size, former := strings.Cut(text, "@")
		upto := int64(-1)
		if former {
			var err error
			if upto, err = strconv.ParseInt(size, 10, 64); err != nil || upto < 0 {
				return nil, fmt.Errorf("read the public key of the log: %q is no size", size)
			}
		}
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fmt.Errorf("read the public key of the log: %w", err)
		}
		if !slices.ContainsFunc(out, func(k logKey) bool { return k.Name() == v.Name() && k.KeyHash() == v.KeyHash() }) {
			out = append(out, logKey{v, upto})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("read the public key of the log: there is none")
	}
	return out, nil
}

// verifiers are the keys for package note.
func (all logKeys) verifiers() note.Verifiers {
	list := make([]note.Verifier, len(all))
	for i, k := range all {
		list[i] = k.Verifier
	}
	return note.VerifierList(list...)
}

// vouch checks that one of the signatures found good is of the log that the note names, and of a key that was in use at that size.
func (all logKeys) vouch(signed []note.Signature, origin string, size int64) error {
	late := false
	for _, s := range signed {
		for _, k := range all {
			switch {
			case k.Name() != s.Name || k.KeyHash() != s.Hash || s.Name != origin:
			case k.upto < 0 || size <= k.upto:
				return nil
			default:
				late = true
			}
		}
	}
	if late {
		return fmt.Errorf("checkpoint: %d entries, signed with a key that was changed before", size)
	}
	return fmt.Errorf("checkpoint: not of %s", all[0].Name())
}
