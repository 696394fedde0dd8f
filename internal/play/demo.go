package play

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

//go:embed demo/*.yaml demo/*.scn
var demo embed.FS

// ForDemo completes the law that an engine is given with what the demonstration must assume of years to come (demo/limits.yaml).
// The engine that serves afterwards is made without.
func ForDemo(cfg engine.Config) (engine.Config, error) {
	text, err := demo.ReadFile("demo/limits.yaml")
	if err != nil {
		return cfg, err
	}
	assumed, err := law.Load(text)
	if err != nil {
		return cfg, fmt.Errorf("demo/limits.yaml: %w", err)
	}
	cfg.Limits = cfg.Limits.Assume(assumed)
	return cfg, nil
}

// ErrOtherCases refuses to mix a demonstration with somebody's work. The text is for people.
var ErrOtherCases = errors.New("la base dati contiene già altre pratiche: la dimostrazione si carica solo in una base dati vuota")

// ErrInterrupted refuses to go on with a demonstration of which only a beginning is there. The text is for people.
var ErrInterrupted = errors.New("il caricamento dei dati dimostrativi era stato interrotto a metà: «sua demo --reset» (make demo-reset) li cancella e li ricarica")

// demoMark is the last person saved: who finds it finds the whole demonstration.
const demoMark = "demo-controllo"

// demoBegins is when the code of 2023 took effect: agreements are in force from there, and no script begins before.
var demoBegins = calendar.Date{Year: 2023, Month: time.July, Day: 1}

// stagecraft is demo/cast.yaml.
type stagecraft struct {
	SUA    bodyEntry   `yaml:"sua"`
	Bodies []bodyEntry `yaml:"bodies"`
	People []struct {
		ID    string   `yaml:"id"`
		Name  string   `yaml:"name"`
		Body  string   `yaml:"body"` // an id above, or * for every body
		Roles []string `yaml:"roles"`
	} `yaml:"people"`
	Requests []struct {
		Body   string `yaml:"body"`
		Script string `yaml:"script"`
	} `yaml:"requests"`
}

type bodyEntry struct {
	ID      string `yaml:"id"`
	Kind    string `yaml:"kind"`
	Name    string `yaml:"name"`
	TaxCode string `yaml:"tax_code"`
	ISTAT   string `yaml:"istat"`
	NUTS    string `yaml:"nuts"`
	Patron  string `yaml:"patron"` // MM-DD
}

// newsKept is how far back the notices of the demonstration go.
const newsKept = 7 * 24 * time.Hour

// Demo loads the demonstration into an empty database: bodies, people, agreements, and requests brought to different points by
// playing their scripts on the days before now. Loaded already, it does nothing and reports false. ErrOtherCases when the
// database (db, the one of cfg.Engine) holds other cases, ErrInterrupted when it holds a part of the demonstration; nothing is changed then. The clock ends at now.
func Demo(ctx context.Context, cfg Config, db *store.DB, now time.Time) (loaded bool, err error) {
	return demonstrate(ctx, cfg, db, now, io.Discard)
}

func demonstrate(ctx context.Context, cfg Config, db *store.DB, now time.Time, trace io.Writer) (bool, error) {
	switch _, _, err := db.PersonByID(ctx, demoMark); {
	case err == nil:
		return false, nil
	case !errors.Is(err, store.ErrNotFound):
		return false, fmt.Errorf("look for the demonstration: %w", err)
	}
	switch n, err := db.Count(ctx); {
	case err != nil:
		return false, fmt.Errorf("count cases: %w", err)
	case n > 0:
		return false, whoseCases(ctx, db)
	}
	today := calendar.DateOf(now)
	cfg.Clock.set(demoBegins.Start())
	d, err := cast(ctx, cfg)
	if err != nil {
		return false, fmt.Errorf("load the demonstration: %w", err)
	}
	tales, err := d.tales(today)
	if err != nil {
		return false, err
	}
	if _, err := perform(ctx, cfg, tales, now, trace); err != nil {
		return false, fmt.Errorf("play the demonstration: %w", err)
	}
	err = db.Create(ctx, store.Everything, nil, func(tx *store.Tx) error {
		tx.LetGo(now.Add(-newsKept)) // three years of news at once would hide today's
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("old news of the demonstration: %w", err)
	}
	return true, d.savePeople(ctx, cfg, func(id string) bool { return id == demoMark })
}

// whoseCases says why a database with cases and without the mark is refused: it holds somebody's work, or what a killed load left.
func whoseCases(ctx context.Context, db *store.DB) error {
	people, _, err := db.People(ctx)
	if err != nil {
		return fmt.Errorf("look for the demonstration: %w", err)
	}
	for _, p := range people {
		if p.Demo == 0 {
			return ErrOtherCases
		}
	}
	if len(people) == 0 {
		return ErrOtherCases
	}
	return ErrInterrupted
}

// cast saves bodies, agreements and people, all but the mark.
func cast(ctx context.Context, cfg Config) (*stagecraft, error) {
	data, err := demo.ReadFile("demo/cast.yaml")
	if err != nil {
		return nil, err
	}
	var d stagecraft
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("cast.yaml: %w", err)
	}
	ids := map[string]string{auth.AllBodies: auth.AllBodies} // a body that an import made before keeps its id
	for _, b := range append([]bodyEntry{d.SUA}, d.Bodies...) {
		if ids[b.ID], err = cfg.Engine.SaveBody(ctx, store.Body{ID: b.ID, Kind: b.Kind, Name: b.Name, TaxCode: b.TaxCode, ISTAT: b.ISTAT, NUTS: b.NUTS, Patron: b.Patron}); err != nil {
			return nil, err
		}
	}
	d.SUA.ID = ids[d.SUA.ID]
	for i := range d.Bodies {
		d.Bodies[i].ID = ids[d.Bodies[i].ID]
		a := store.Agreement{
			ID: "demo-" + d.Bodies[i].ID, MemberBody: d.Bodies[i].ID, SUA: d.SUA.ID, ValidFrom: demoBegins.String(),
			Acts: map[string]string{"decision": "member", "indiction": "sua", "award_proposal": "seat", "award": "sua"},
		}
		if err := cfg.Engine.SaveAgreement(ctx, a); err != nil {
			return nil, err
		}
	}
	for i := range d.People {
		d.People[i].Body = ids[d.People[i].Body]
	}
	for i := range d.Requests {
		d.Requests[i].Body = ids[d.Requests[i].Body]
	}
	return &d, d.savePeople(ctx, cfg, func(id string) bool { return id != demoMark })
}

func (d *stagecraft) savePeople(ctx context.Context, cfg Config, which func(id string) bool) error {
	for i, p := range d.People {
		if !which(p.ID) {
			continue
		}
		person := store.Person{ID: p.ID, Name: p.Name, Email: p.ID + "@sua.example", Demo: 1}
		if err := cfg.Engine.SavePerson(ctx, person, d.memberships(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d *stagecraft) memberships(person int) []auth.Membership {
	p := d.People[person]
	ms := make([]auth.Membership, len(p.Roles))
	for i, role := range p.Roles {
		ms[i] = auth.Membership{Body: p.Body, Role: role}
	}
	return ms
}

// tales reads every script, for a demonstration loaded today.
func (d *stagecraft) tales(today calendar.Date) ([]*tale, error) {
	tales := make([]*tale, len(d.Requests))
	for i, r := range d.Requests {
		t, err := d.tale(r.Body, r.Script, today)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Script, err)
		}
		tales[i] = t
	}
	return tales, nil
}

// tale reads the script of a request. Its cast are the people of the body and of the SUA by role; a second person in a role
// is role_2.
func (d *stagecraft) tale(body, script string, today calendar.Date) (*tale, error) {
	text, err := demo.ReadFile("demo/" + script)
	if err != nil {
		return nil, err
	}
	t := &tale{name: script, body: body, sua: d.SUA.ID, cast: map[string]auth.Actor{"system": witness}, strict: true}
	for i, p := range d.People {
		if p.Body != body && p.Body != d.SUA.ID {
			continue
		}
		for _, role := range p.Roles {
			name := role
			for n := 2; t.cast[name].ID != ""; n++ {
				name = fmt.Sprintf("%s_%d", role, n)
			}
			t.cast[name] = auth.Actor{ID: p.ID, Name: p.Name, Memberships: d.memberships(i), Demo: true}
		}
	}
	seat, err := calendar.ParseMonthDay(d.SUA.Patron)
	if err != nil {
		return nil, fmt.Errorf("cast.yaml: %w", err)
	}
	t.script, err = read(bytes.NewReader(text), relative(today, calendar.Italy(seat)))
	return t, err
}
