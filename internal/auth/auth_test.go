package auth

import (
	"bytes"
	"slices"
	"testing"
)

func TestActor(t *testing.T) {
	clerk := Actor{ID: "p", Memberships: []Membership{{"padova", "sua_clerk"}, {"padova", "seat"}, {"conselve", "auditor"}}}
	if got := clerk.Bodies(); !slices.Equal(got, []string{"padova", "conselve"}) {
		t.Errorf("Bodies = %v", got)
	}
	if clerk.Everywhere() || !System("x").Everywhere() || !(Actor{Memberships: []Membership{{AllBodies, "auditor"}}}).Everywhere() {
		t.Error("only the system and control roles see every body")
	}
	if !clerk.Holds("seat", "padova") || clerk.Holds("seat", "conselve") || (Actor{}).Holds("seat", "padova") {
		t.Error("a role counts only in its body")
	}
}

func TestTokensAreFreshAndHashed(t *testing.T) {
	a, ha := NewToken()
	b, _ := NewToken()
	if a == b || len(a) < 40 {
		t.Fatal("tokens repeat or are short")
	}
	if !bytes.Equal(ha, HashToken(a)) || bytes.Contains(ha, []byte(a)) {
		t.Fatal("hash does not match its secret")
	}
}
