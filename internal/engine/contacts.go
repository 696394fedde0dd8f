package engine

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/store"
)

// reached is how a person gets notices: what the person chose, else the address of the account and the habit of the roles.
type reached struct{ store.Contact }

// reach completes a contact.
func (e *Engine) reach(who auth.Actor, c store.Contact) reached {
	if c.Email == "" {
		if p, ok := e.parties.person(who.ID); ok {
			c.Email = p.Email
		}
	}
	if c.Mail == "" {
		var held []string
		for _, m := range who.Memberships {
			held = append(held, m.Role)
		}
		habit := e.cfg.Notices.Templates.Habit(held)
		c.Mail = habit.Mail
		if c.Person == "" {
			c.DigestHour = habit.Hour
		}
	}
	if c.Language != "en" {
		c.Language = "it"
	}
	return reached{c}
}

// awake is the first instant from now on at which the person may be disturbed.
func (r reached) awake(now time.Time) time.Time {
	if r.QuietFrom == r.QuietTo {
		return now
	}
	local := now.In(calendar.Rome)
	hour := local.Hour()
	quiet := hour >= r.QuietFrom && hour < r.QuietTo
	if r.QuietFrom > r.QuietTo {
		quiet = hour >= r.QuietFrom || hour < r.QuietTo
	}
	if !quiet {
		return now
	}
	day := local.Day()
	if hour >= r.QuietTo {
		day++
	}
	return time.Date(local.Year(), local.Month(), day, r.QuietTo, 0, 0, 0, calendar.Rome).UTC()
}

// Preferences are how a person wants to be told.
type Preferences struct {
	Email, PEC string // empty Email: that of the account
	Mail       string // now, digest, off; empty: as the role
	DigestHour int    // 0 to 23, in Italy
	QuietFrom  int    // equal to QuietTo: never quiet
	QuietTo    int
	Language   string // it, en
	// Account is the address of the account, Habit how the roles get mail: what holds without a choice. Not saved.
	Account, Habit string
}

// Preferences returns how the actor is told.
func (e *Engine) Preferences(ctx context.Context, who auth.Actor) (Preferences, error) {
	c, err := e.db.Contact(ctx, who.ID)
	known := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Preferences{}, err
	}
	r := e.reach(who, store.Contact{})
	p := Preferences{DigestHour: r.DigestHour, Language: "it", Account: r.Email, Habit: r.Mail}
	if known {
		p.Email, p.PEC, p.Mail, p.DigestHour, p.QuietFrom, p.QuietTo, p.Language = c.Email, c.PEC, c.Mail, c.DigestHour, c.QuietFrom, c.QuietTo, c.Language
	}
	return p, nil
}

// SavePreferences writes how the actor wants to be told. *Invalid for an address that is none, an hour that is none.
func (e *Engine) SavePreferences(ctx context.Context, who auth.Actor, p Preferences) error {
	if _, ok := e.parties.person(who.ID); !ok {
		return ErrNotFound
	}
	var problems []Problem
	for pointer, address := range map[string]string{"/email": p.Email, "/pec": p.PEC} {
		if address == "" {
			continue
		}
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address || len(address) > 254 {
			problems = append(problems, problem(pointer, "address_wrong"))
		}
	}
	for pointer, hour := range map[string]int{"/digest_hour": p.DigestHour, "/quiet_from": p.QuietFrom, "/quiet_to": p.QuietTo} {
		if hour < 0 || hour > 23 {
			problems = append(problems, problem(pointer, "hour_wrong"))
		}
	}
	if !slices.Contains([]string{"", "now", "digest", "off"}, p.Mail) {
		problems = append(problems, problem("/mail", "choice_unknown"))
	}
	if p.Language != "it" && p.Language != "en" {
		problems = append(problems, problem("/language", "choice_unknown"))
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
		return &Invalid{problems}
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return err
	}
	return e.db.SaveContact(ctx, store.Contact{
		Person: who.ID, Email: p.Email, PEC: p.PEC, Mail: p.Mail, DigestHour: p.DigestHour, QuietFrom: p.QuietFrom, QuietTo: p.QuietTo,
		Language: p.Language, UpdatedAt: now,
	})
}
