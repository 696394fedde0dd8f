package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/store"
)

// Account is a person who may sign in, with what they may do where.
type Account struct {
	ID, Name string
	Roles    []AccountRole
}

// AccountRole is a role in a body.
type AccountRole struct {
	Role Labelled
	Body Ref
}

// DemoAccounts returns the demonstration accounts, by name; none when the demonstration is not loaded.
func (e *Engine) DemoAccounts(ctx context.Context) ([]Account, error) {
	people, byPerson, err := e.db.People(ctx)
	if err != nil {
		return nil, err
	}
	var out []Account
	for _, p := range people {
		if p.Demo == 0 {
			continue
		}
		a := Account{ID: p.ID, Name: p.Name}
		for _, m := range byPerson[p.ID] {
			body := Ref{m.Body, "Tutti gli enti"}
			if m.Body != auth.AllBodies {
				body = e.parties.bodyRef(m.Body)
			}
			a.Roles = append(a.Roles, AccountRole{roleLabel(m.Role), body})
		}
		out = append(out, a)
	}
	return out, nil
}

// SignInDemo gives a fresh token to a demonstration account, or ErrNotFound. The edge has checked that the request comes from
// this machine.
func (e *Engine) SignInDemo(ctx context.Context, personID string) (string, error) {
	p, _, err := e.db.PersonByID(ctx, personID)
	if err != nil {
		return "", err
	}
	if p.Demo == 0 {
		return "", ErrNotFound
	}
	now, err := e.db.Now(ctx)
	if err != nil {
		return "", err
	}
	secret, hash := auth.NewToken()
	return secret, e.db.SaveToken(ctx, hash, p.ID, "demo", now, now.Add(e.cfg.Session))
}

// SignOut ends the session of a token; an unknown one is no error.
func (e *Engine) SignOut(ctx context.Context, secret string) error {
	hash := auth.HashToken(secret)
	e.tokens.drop(hash)
	return e.db.DropToken(ctx, hash)
}

// Actor returns who a token belongs to, or ErrNotFound when it is unknown or has expired. Answers are remembered for a few
// seconds: a membership taken away elsewhere holds that much longer.
func (e *Engine) Actor(ctx context.Context, secret string) (auth.Actor, error) {
	hash := auth.HashToken(secret)
	now, err := e.db.Now(ctx)
	if err != nil {
		return auth.Actor{}, err
	}
	if a, ok := e.tokens.get(hash, now); ok {
		return a, nil
	}
	id, err := e.db.TokenPerson(ctx, hash, now)
	if err != nil {
		return auth.Actor{}, err
	}
	a, err := e.ActorByID(ctx, id)
	if err == nil {
		e.tokens.put(hash, a, now)
	}
	return a, err
}

// ActorByID returns a person as an actor, for the command line and the demonstration.
func (e *Engine) ActorByID(ctx context.Context, id string) (auth.Actor, error) {
	p, ms, err := e.db.PersonByID(ctx, id)
	if err != nil {
		return auth.Actor{}, err
	}
	a := auth.Actor{ID: p.ID, Name: p.Name, Demo: p.Demo != 0}
	for _, m := range ms {
		a.Memberships = append(a.Memberships, auth.Membership{Body: m.Body, Role: m.Role})
	}
	return a, nil
}

// SaveBody adds or renews a body and returns its id.
func (e *Engine) SaveBody(ctx context.Context, b store.Body) (string, error) {
	if b.ID == "" {
		b.ID = e.cfg.NewID()
	}
	if b.CreatedAt.IsZero() {
		now, err := e.db.Now(ctx)
		if err != nil {
			return "", err
		}
		b.CreatedAt = now
	}
	id, err := e.db.SaveBody(ctx, b)
	return id, errors.Join(err, e.parties.refresh(ctx))
}

// SavePerson adds or renews a person with exactly these roles.
func (e *Engine) SavePerson(ctx context.Context, p store.Person, ms []auth.Membership) error {
	if p.CreatedAt.IsZero() {
		now, err := e.db.Now(ctx)
		if err != nil {
			return err
		}
		p.CreatedAt = now
	}
	rows := make([]store.Membership, len(ms))
	for i, m := range ms {
		rows[i] = store.Membership{Person: p.ID, Body: m.Body, Role: m.Role}
	}
	return errors.Join(e.db.SavePerson(ctx, p, rows), e.parties.refresh(ctx))
}

// SaveAgreement adds or renews an agreement.
func (e *Engine) SaveAgreement(ctx context.Context, a store.Agreement) error {
	return errors.Join(e.db.SaveAgreement(ctx, a), e.parties.refresh(ctx))
}

// tokenCache remembers whose token it is for a few seconds.
type tokenCache struct {
	mu     sync.Mutex
	byHash map[string]cached
}

type cached struct {
	actor auth.Actor
	until time.Time
}

const tokenMemory = 5 * time.Second

func (c *tokenCache) get(hash []byte, now time.Time) (auth.Actor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.byHash[string(hash)]
	return x.actor, ok && now.Before(x.until)
}

func (c *tokenCache) put(hash []byte, a auth.Actor, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byHash == nil || len(c.byHash) > 10_000 {
		c.byHash = map[string]cached{}
	}
	c.byHash[string(hash)] = cached{a, now.Add(tokenMemory)}
}

func (c *tokenCache) drop(hash []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byHash, string(hash))
}
