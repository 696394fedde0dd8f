// Package audit is the proof of history: what an event's header says, how its parts are sealed, how the chain of a tree
// holds together, and how a stranger checks it.
//
// It is pure: it neither reads the clock nor touches the database. Package engine fills headers, package store keeps the
// exact bytes. The header never holds names or free text; those stand in parts, of which it holds salted digests, so that
// a part can be withheld (secrecy) or emptied (erasure) while the chain still verifies.
package audit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Header is what the chain covers. Field order is the order of the stored bytes: add at the end only.
type Header struct {
	Root       string      `json:"root"`
	Seq        int64       `json:"seq"` // 1, 2, 3 … within the tree
	Case       string      `json:"case"`
	Event      string      `json:"event"`
	From       string      `json:"from"` // state before; empty when the event begins the case
	To         string      `json:"to"`
	At         time.Time   `json:"at"`        // when it was recorded, UTC, microseconds
	Effective  time.Time   `json:"effective"` // when it took effect, never later than At
	Actor      string      `json:"actor"`     // person id, or "system:…"
	Role       string      `json:"role"`      // in which role the actor acted
	Body       string      `json:"body"`      // for which body
	Definition string      `json:"definition"`
	Cause      int64       `json:"cause,omitempty"` // seq of the event that told, joined or expired into this one
	Limits     []LimitUsed `json:"limits,omitempty"`
	Documents  []Attached  `json:"documents,omitempty"`
	Parts      Digests     `json:"parts"`
	Prev       string      `json:"prev"` // hex of the hash before; empty for the first
}

// LimitUsed is a number of the law on which the event rested.
type LimitUsed struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Law   string `json:"law"`
	Mark  string `json:"mark"`
}

// Attached names a document by its type and the SHA-256 of its bytes.
type Attached struct {
	Type   string `json:"type"`
	SHA256 string `json:"sha256"`
}

// Digests are SHA-256(salt ‖ body), hex, of the parts that exist.
type Digests struct {
	Open     string `json:"open,omitempty"`
	Secret   string `json:"secret,omitempty"`
	Personal string `json:"personal,omitempty"`
}

// Part is one sealed piece of an event. Salt and Body are empty when there is none, or when it was erased.
type Part struct {
	Salt []byte
	Body []byte
}

// Parts are the three pieces: what who may see the case may read, what is secret until a state, what is personal data.
type Parts struct {
	Open, Secret, Personal Part
}

// Sealed is a header as stored.
type Sealed struct {
	Header []byte // exact bytes
	Hash   []byte // SHA-256 of Header
	Parts  Parts
}

// SaltSize is the length of every salt in bytes. It is part of the format: the digest does not say where the salt ends.
const SaltSize = 16

// NewPart seals a body under a fresh random salt; an empty body gives an empty part.
func NewPart(body []byte) Part {
	if len(body) == 0 {
		return Part{}
	}
	salt := make([]byte, SaltSize)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	return Part{Salt: salt, Body: body}
}

// Digest returns hex SHA-256(salt ‖ body), or "" for an empty part.
func (p Part) Digest() string {
	if len(p.Salt) == 0 {
		return ""
	}
	h := sha256.New()
	h.Write(p.Salt)
	h.Write(p.Body)
	return hex.EncodeToString(h.Sum(nil))
}

// Seal completes the header with the digests of its parts and the hash before it, and returns what is to be stored.
func Seal(h Header, parts Parts, prev []byte) (Sealed, error) {
	h.At, h.Effective = h.At.UTC().Truncate(time.Microsecond), h.Effective.UTC().Truncate(time.Microsecond)
	h.Parts = Digests{Open: parts.Open.Digest(), Secret: parts.Secret.Digest(), Personal: parts.Personal.Digest()}
	h.Prev = hex.EncodeToString(prev)
	b, err := json.Marshal(h)
	if err != nil {
		return Sealed{}, fmt.Errorf("marshal audit header: %w", err)
	}
	sum := sha256.Sum256(b)
	return Sealed{Header: b, Hash: sum[:], Parts: parts}, nil
}

// Parse reads stored header bytes back.
func Parse(header []byte) (Header, error) {
	if h, ok := canonical(header); ok {
		return h, nil
	}
	var h Header
	if err := json.Unmarshal(header, &h); err != nil {
		return Header{}, fmt.Errorf("parse audit header: %w", err)
	}
	return h, nil
}

// Broken says where and why a chain does not hold.
type Broken struct {
	Seq    int64  // the first event that does not fit; for a missing tail, the one that should follow
	Reason string // in English
	IT     string // the same in Italian
}

func (b Broken) Error() string { return fmt.Sprintf("event %d: %s", b.Seq, b.Reason) }

// ErrEmpty is returned when a tree has no event at all: every tree begins with one.
var ErrEmpty = errors.New("the history is empty")

// Chain checks events one by one, in order. The zero value is a chain before its first event.
type Chain struct {
	root string
	seq  int64
	hash []byte
	at   time.Time
}

// Head is the number and the hash of the last event added; the hash is nil before the first.
func (c *Chain) Head() (seq int64, hash []byte) { return c.seq, c.hash }

// Add checks the next event of the tree: number, link, time, stored hash and the parts at hand.
// An erased or withheld part (no salt, no body) is accepted: its digest stays in the header.
func (c *Chain) Add(s Sealed) (Header, error) {
	h, err := Parse(s.Header)
	if err != nil {
		return h, Broken{c.seq + 1, "header unreadable", "l'intestazione non è leggibile"}
	}
	sum := sha256.Sum256(s.Header)
	switch {
	case h.Seq != c.seq+1:
		return h, Broken{c.seq + 1, fmt.Sprintf("expected number %d, found %d", c.seq+1, h.Seq),
			fmt.Sprintf("qui doveva esserci l'evento %d e c'è il %d: manca, è in più o è fuori posto", c.seq+1, h.Seq)}
	case c.root != "" && h.Root != c.root:
		return h, Broken{h.Seq, "belongs to another tree", "appartiene a un'altra storia"}
	case !bytes.Equal(sum[:], s.Hash):
		return h, Broken{h.Seq, "header differs from its hash", "l'intestazione non corrisponde alla sua impronta"}
	case h.Prev != hex.EncodeToString(c.hash):
		return h, Broken{h.Seq, "does not link to the event before", "non è legato all'evento che lo precede"}
	case h.At.Before(c.at):
		return h, Broken{h.Seq, "earlier than the event before", "è datato prima dell'evento che lo precede"}
	}
	for _, p := range []struct {
		name, it, want string
		part           Part
	}{
		{"open", "aperta", h.Parts.Open, s.Parts.Open}, {"secret", "segreta", h.Parts.Secret, s.Parts.Secret},
		{"personal", "personale", h.Parts.Personal, s.Parts.Personal},
	} {
		if len(p.part.Salt) == 0 && len(p.part.Body) == 0 {
			continue // none, erased or withheld
		}
		// A body without its salt proves nothing; nor does one cut elsewhere: salt and body are hashed as one run of bytes.
		if d := p.part.Digest(); len(p.part.Salt) != SaltSize || d != p.want {
			return h, Broken{h.Seq, p.name + " part differs from its digest", "la parte " + p.it + " non corrisponde alla sua impronta"}
		}
	}
	c.root, c.seq, c.hash, c.at = h.Root, h.Seq, sum[:], h.At
	return h, nil
}

// Withheld adds an event of which only the hash is known: the event after it proves it by its link.
func (c *Chain) Withheld(hash []byte) { c.seq, c.hash = c.seq+1, hash }

// Resume returns a chain that stands just before the event of this header, to check a page from the middle of a story: what
// came before is taken on trust, and only a check from the first event proves it.
func Resume(h Header) (Chain, error) {
	prev, err := hex.DecodeString(h.Prev)
	if err != nil {
		return Chain{}, Broken{h.Seq, "header unreadable", "l'intestazione non è leggibile"}
	}
	return Chain{root: h.Root, seq: h.Seq - 1, hash: prev}, nil
}

// Ends checks that the chain stops where the tree says it does (the head kept on the root case).
func (c *Chain) Ends(seq int64, hash []byte) error {
	if c.seq == 0 {
		return ErrEmpty
	}
	if c.seq != seq || !bytes.Equal(c.hash, hash) {
		return Broken{min(c.seq, seq) + 1, fmt.Sprintf("the history stops at %d, the case says %d", c.seq, seq),
			fmt.Sprintf("la storia finisce all'evento %d, la pratica dice che sono %d e con quale impronta finiscono: la coda è stata tagliata o aggiunta", c.seq, seq)}
	}
	return nil
}
