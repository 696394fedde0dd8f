package main

import (
	"testing"

	"github.com/province-comuni/sua/internal/engine"
)

// Each role is printed once, with somebody of the body that has most people.
func TestOnePerRole(t *testing.T) {
	account := func(id, body string, roles ...string) engine.Account {
		a := engine.Account{}
		a.ID = id
		for _, role := range roles {
			var m engine.AccountRole
			m.Role.ID, m.Body.ID = role, body
			a.Roles = append(a.Roles, m)
		}
		return a
	}
	shown := onePerRole([]engine.Account{
		account("anna", "small", "rup"), account("bruno", "large", "rup"), account("carla", "large", "rup", "tester"), account("dino", "large", "rup"),
		account("elio", "small", "auditor"), account("nobody", ""),
	})
	got := ""
	for _, a := range shown {
		got += a.ID + " "
	}
	if got != "bruno carla elio " {
		t.Errorf("shown: %s", got)
	}
}
