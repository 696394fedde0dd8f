package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Body is an organisation: a member body, a SUA, any other.
type Body struct {
	ID      string
	Kind    string // comune, provincia, other
	Name    string
	TaxCode string
	ISTAT   string `gorm:"column:istat"`
	NUTS    string `gorm:"column:nuts"`
	Patron  string // MM-DD of the patron saint of its seat, or empty
	// WorksLevel (L3, L2, L1) and ServicesLevel (SF3, SF2, SF1) are the qualification of art. 63; empty when not known.
	WorksLevel, ServicesLevel string
	Source                    string
	CreatedAt                 time.Time
}

// Person is somebody who signs in. Names stand only here.
type Person struct {
	ID        string
	Name      string
	Email     string
	Demo      int // 1: demonstration account
	CreatedAt time.Time
}

// Membership gives a person a role in a body ("*" = every body, for control roles).
type Membership struct {
	Person, Body, Role string
}

type tokenRow struct {
	Hash                 []byte
	Person, Label        string
	CreatedAt, ExpiresAt time.Time
}

func (Person) TableName() string   { return "people" }
func (tokenRow) TableName() string { return "tokens" }

// admin runs f on a gorm handle that may write, in one transaction.
func (db *DB) admin(ctx context.Context, f func(*gorm.DB) error) error {
	if db.pool != nil {
		return gormError(db.gorm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
			if err := g.Exec("SELECT set_config('sua.scope', '*', true)").Error; err != nil {
				return err
			}
			return f(g)
		}))
	}
	db.writeMu.Lock()
	defer db.writeMu.Unlock()
	g := db.writeGorm.WithContext(ctx)
	committed := false
	defer func() { // whatever happened, and although ctx may be over: the only writer must not stay inside a transaction
		if !committed {
			db.write.rollback(ctx)
		}
	}()
	if err := g.Exec("BEGIN IMMEDIATE").Error; err != nil {
		return err
	}
	if err := f(g); err != nil {
		return gormError(err)
	}
	if err := g.Exec("COMMIT").Error; err != nil {
		return gormError(err)
	}
	committed = true
	return nil
}

// gormError maps what gorm and the drivers say to our sentinels.
func gormError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return ErrNotFound
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return ErrConflict
	}
	return translate(err)
}

// SaveBody adds a body, or brings the one with the same tax code up to date and returns its id. Empty values keep what is known.
func (db *DB) SaveBody(ctx context.Context, b Body) (string, error) {
	ids, err := db.SaveBodies(ctx, []Body{b})
	if err != nil {
		return "", err
	}
	return ids[b.TaxCode], nil
}

// SaveBodies does the same for many and returns id by tax code.
func (db *DB) SaveBodies(ctx context.Context, bodies []Body) (map[string]string, error) {
	ids := map[string]string{}
	err := db.admin(ctx, func(g *gorm.DB) error {
		for _, b := range bodies {
			var old Body
			err := g.Where("tax_code = ?", b.TaxCode).Take(&old).Error
			if errors.Is(err, gorm.ErrRecordNotFound) {
				ids[b.TaxCode] = b.ID
				if err := g.Create(&b).Error; err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			ids[b.TaxCode] = old.ID
			// an import never overwrites what an administrator wrote
			if b.Source != "" && old.Source == "" {
				continue
			}
			if err := g.Model(&Body{}).Where("id = ?", old.ID).Updates(keep(b)).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("save bodies: %w", err)
	}
	return ids, nil
}

func keep(b Body) map[string]any {
	m := map[string]any{"name": b.Name, "kind": b.Kind, "source": b.Source}
	for k, v := range map[string]string{"istat": b.ISTAT, "nuts": b.NUTS, "patron": b.Patron, "works_level": b.WorksLevel, "services_level": b.ServicesLevel} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// Bodies returns every body, by name.
func (db *DB) Bodies(ctx context.Context) ([]Body, error) {
	var out []Body
	err := db.gorm.WithContext(ctx).Order("name, id").Find(&out).Error
	return out, gormError(err)
}

// BodyByID returns one body, or ErrNotFound.
func (db *DB) BodyByID(ctx context.Context, id string) (Body, error) {
	var b Body
	err := db.gorm.WithContext(ctx).Where("id = ?", id).Take(&b).Error
	return b, gormError(err)
}

// SavePerson adds a person or renews name and address, and sets exactly these memberships.
func (db *DB) SavePerson(ctx context.Context, p Person, roles []Membership) error {
	err := db.admin(ctx, func(g *gorm.DB) error {
		up := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"name", "email", "demo"})}
		if err := g.Clauses(up).Create(&p).Error; err != nil {
			return err
		}
		if err := g.Where("person = ?", p.ID).Delete(&Membership{}).Error; err != nil {
			return err
		}
		for _, m := range roles {
			m.Person = p.ID
			if err := g.Create(&m).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save person: %w", err)
	}
	return nil
}

// People returns everybody with their memberships, by name.
func (db *DB) People(ctx context.Context) ([]Person, map[string][]Membership, error) {
	var people []Person
	var all []Membership
	g := db.gorm.WithContext(ctx)
	if err := g.Order("name, id").Find(&people).Error; err != nil {
		return nil, nil, gormError(err)
	}
	if err := g.Order("person, body, role").Find(&all).Error; err != nil {
		return nil, nil, gormError(err)
	}
	by := map[string][]Membership{}
	for _, m := range all {
		by[m.Person] = append(by[m.Person], m)
	}
	return people, by, nil
}

// PersonByID returns a person with the memberships, or ErrNotFound.
func (db *DB) PersonByID(ctx context.Context, id string) (Person, []Membership, error) {
	var p Person
	if !storable(id) {
		return p, nil, ErrNotFound
	}
	g := db.gorm.WithContext(ctx)
	if err := g.Where("id = ?", id).Take(&p).Error; err != nil {
		return p, nil, gormError(err)
	}
	var ms []Membership
	err := g.Where("person = ?", id).Order("body, role").Find(&ms).Error
	return p, ms, gormError(err)
}

// SaveToken keeps the hash of a secret that signs a person in until it expires.
func (db *DB) SaveToken(ctx context.Context, hash []byte, person, label string, now, expires time.Time) error {
	return db.admin(ctx, func(g *gorm.DB) error {
		if err := g.Where("expires_at < ?", now).Delete(&tokenRow{}).Error; err != nil {
			return err
		}
		up := clause.OnConflict{Columns: []clause.Column{{Name: "hash"}}, DoUpdates: clause.AssignmentColumns([]string{"person", "label", "expires_at"})}
		return g.Clauses(up).Create(&tokenRow{Hash: hash, Person: person, Label: label, CreatedAt: now, ExpiresAt: expires}).Error
	})
}

// DropToken ends a session.
func (db *DB) DropToken(ctx context.Context, hash []byte) error {
	return db.admin(ctx, func(g *gorm.DB) error { return g.Where("hash = ?", hash).Delete(&tokenRow{}).Error })
}

// TokenPerson returns whose token this is, or ErrNotFound when there is none or it has expired.
func (db *DB) TokenPerson(ctx context.Context, hash []byte, now time.Time) (string, error) {
	var t tokenRow
	err := db.gorm.WithContext(ctx).Where("hash = ? AND expires_at > ?", hash, now).Take(&t).Error
	return t.Person, gormError(err)
}

// SaveAgreement adds an agreement or replaces the one with the same id.
func (db *DB) SaveAgreement(ctx context.Context, a Agreement) error {
	acts, err := json.Marshal(a.Acts)
	if err != nil {
		return fmt.Errorf("save agreement: %w", err)
	}
	return db.admin(ctx, func(g *gorm.DB) error {
		return g.Exec(`INSERT INTO agreements (id, member_body, sua, valid_from, valid_to, acts) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET valid_from = excluded.valid_from, valid_to = excluded.valid_to, acts = excluded.acts`,
			a.ID, a.MemberBody, a.SUA, a.ValidFrom, a.ValidTo, string(acts)).Error
	})
}

// Agreements returns those of a member body, newest first.
func (db *DB) Agreements(ctx context.Context, memberBody string) ([]Agreement, error) {
	var found []struct {
		ID, MemberBody, ValidFrom, ValidTo string
		SUA                                string `gorm:"column:sua"`
		Acts                               []byte
	}
	err := db.gorm.WithContext(ctx).Table("agreements").Where("member_body = ?", memberBody).Order("valid_from DESC").Find(&found).Error
	if err != nil {
		return nil, gormError(err)
	}
	out := make([]Agreement, len(found))
	for i, f := range found {
		out[i] = Agreement{ID: f.ID, MemberBody: f.MemberBody, SUA: f.SUA, ValidFrom: f.ValidFrom, ValidTo: f.ValidTo}
		if err := json.Unmarshal(f.Acts, &out[i].Acts); err != nil {
			return nil, fmt.Errorf("read agreement %s: %w", f.ID, err)
		}
	}
	return out, nil
}

// AllAgreements returns the pairs of bodies that have an agreement, whatever its dates.
func (db *DB) AllAgreements(ctx context.Context) ([]Agreement, error) {
	var out []Agreement
	err := db.read(ctx, Everything, query{sql: "SELECT DISTINCT member_body, sua FROM agreements ORDER BY member_body, sua", scan: func(r rows) error {
		var a Agreement
		err := r.Scan(&a.MemberBody, &a.SUA)
		out = append(out, a)
		return err
	}})
	return out, err
}
