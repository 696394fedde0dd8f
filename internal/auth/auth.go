// Package auth says who acts: a person with roles in bodies, or the engine itself; and makes the secrets that sign people in.
//
// It is pure apart from random numbers: people, memberships and token hashes live in package store, what a role may do is
// decided in package engine.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
)

// AllBodies stands in a membership for every body; only control roles have it.
const AllBodies = "*"

// Membership is a role held in a body.
type Membership struct {
	Body string // body id, or AllBodies
	Role string
}

// Actor is who asks for something. The zero value may do nothing.
type Actor struct {
	ID          string // person id, or "system:<what>"
	Name        string // for greeting only: never written into the history
	Memberships []Membership
	Demo        bool // a demonstration account
	system      bool
}

// System returns the engine acting by itself (a deadline, an import): it sees everything and fires only what workflows
// leave to the system.
func System(what string) Actor { return Actor{ID: "system:" + what, system: true} }

// IsSystem reports whether the engine acts by itself.
func (a Actor) IsSystem() bool { return a.system }

// Everywhere reports whether the actor sees the cases of every body.
func (a Actor) Everywhere() bool {
	return a.system || slices.ContainsFunc(a.Memberships, func(m Membership) bool { return m.Body == AllBodies })
}

// Bodies returns the bodies the actor belongs to, without repetition, in order of membership.
func (a Actor) Bodies() []string {
	var out []string
	for _, m := range a.Memberships {
		if m.Body != AllBodies && !slices.Contains(out, m.Body) {
			out = append(out, m.Body)
		}
	}
	return out
}

// Holds reports whether the actor has the role in the body, directly or for all bodies.
func (a Actor) Holds(role, body string) bool {
	return slices.ContainsFunc(a.Memberships, func(m Membership) bool {
		return m.Role == role && (m.Body == body || m.Body == AllBodies)
	})
}

// NewToken returns a fresh secret for a person's session or program, and the hash under which it is kept.
func NewToken() (secret string, hash []byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, HashToken(secret)
}

// HashToken returns what the database keeps of a secret.
func HashToken(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
