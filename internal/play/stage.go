package play

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/auth"
	"github.com/province-comuni/sua/internal/blob"
	"github.com/province-comuni/sua/internal/engine"
	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/store"
)

// Prepare reads the workflows, limits and catalogue of a folder (workflows.FS, or one on disk) into what an engine is made of.
// DB and Blobs are left to the caller.
func Prepare(fsys fs.FS) (engine.Config, error) {
	sources, err := flow.Sources(fsys)
	if err != nil {
		return engine.Config{}, err
	}
	limits, err := fs.ReadFile(fsys, "law/limits.yaml")
	if err != nil {
		return engine.Config{}, fmt.Errorf("read limits: %w", err)
	}
	table, err := law.Load(limits)
	if err != nil {
		return engine.Config{}, err
	}
	documents, err := fs.ReadFile(fsys, "law/documents.yaml")
	if err != nil {
		return engine.Config{}, fmt.Errorf("read catalogue: %w", err)
	}
	catalogue, err := flow.LoadCatalogue(documents)
	if err != nil {
		return engine.Config{}, err
	}
	return engine.Config{Sources: sources, Limits: table, Catalogue: catalogue}, nil
}

// Stage makes an empty database and document store in a folder, and an engine on them that lives in the played time. The folder
// is the caller's to remove, after close.
func Stage(ctx context.Context, folder string, cfg engine.Config) (stage Config, closeStage func() error, err error) {
	clock := &Clock{}
	url := "sqlite:" + filepath.Join(folder, "play.db")
	if err := store.Migrate(ctx, url); err != nil {
		return Config{}, nil, err
	}
	db, err := store.Open(ctx, store.Options{URL: url, Now: clock.Now, Volatile: true})
	if err != nil {
		return Config{}, nil, err
	}
	stage, err = On(ctx, db, clock, filepath.Join(folder, "documents"), cfg)
	if err != nil {
		return Config{}, nil, errors.Join(err, db.Close())
	}
	return stage, db.Close, nil
}

// On puts an engine on a database that was opened with the Now of this clock. Documents go to a folder.
func On(ctx context.Context, db *store.DB, clock *Clock, documents string, cfg engine.Config) (Config, error) {
	blobs, err := blob.Open(documents)
	if err != nil {
		return Config{}, err
	}
	cfg.DB, cfg.Blobs = db, blobs
	e, err := engine.New(ctx, cfg)
	if err != nil {
		return Config{}, err
	}
	return Config{Engine: e, Clock: clock}, nil
}

// The two bodies of every scenario. Their tax codes are right and nobody's.
var (
	theBody = store.Body{ID: "play-comune", Kind: "comune", Name: "Comune di Prova", TaxCode: "00000000018"}
	theSUA  = store.Body{ID: "play-sua", Kind: "provincia", Name: "Provincia di Prova", TaxCode: "00000000026"}
)

// troupe makes the bodies of a scenario with an agreement in force, and one person per role.
func troupe(ctx context.Context, e *engine.Engine) (*tale, error) {
	t := &tale{cast: map[string]auth.Actor{"system": witness}}
	var err error
	if t.body, err = e.SaveBody(ctx, theBody); err != nil {
		return nil, err
	}
	if t.sua, err = e.SaveBody(ctx, theSUA); err != nil {
		return nil, err
	}
	agreement := store.Agreement{ID: "play-agreement", MemberBody: t.body, SUA: t.sua, ValidFrom: "2023-07-01", Acts: map[string]string{}}
	if err := e.SaveAgreement(ctx, agreement); err != nil {
		return nil, err
	}
	for id, role := range engine.Vocabulary().Roles {
		m := auth.Membership{Role: id}
		switch role.Side {
		case flow.SideMember:
			m.Body = t.body
		case flow.SideSUA, flow.SideCommittee:
			m.Body = t.sua
		case flow.SideControl:
			m.Body = auth.AllBodies
		default:
			continue
		}
		who := auth.Actor{ID: "play-" + id, Name: role.Label.IT, Memberships: []auth.Membership{m}}
		if err := e.SavePerson(ctx, store.Person{ID: who.ID, Name: who.Name, Email: id + "@prova.example"}, who.Memberships); err != nil {
			return nil, err
		}
		t.cast[id] = who
	}
	return t, nil
}

// strangers adds to the cast people whom the cases of the scenario do not concern: a RUP of another Comune of the same SUA, an officer
// and a director of another SUA.
func (t *tale) strangers(ctx context.Context, e *engine.Engine) error {
	others := []struct {
		name, role string
		body       store.Body
	}{
		{"other_rup", "rup", store.Body{ID: "play-other-comune", Kind: "comune", Name: "Comune Estraneo", TaxCode: "00000000034"}},
		{"other_clerk", "sua_clerk", store.Body{ID: "play-other-sua", Kind: "provincia", Name: "Provincia Estranea", TaxCode: "00000000042"}},
		{"other_director", "sua_director", store.Body{ID: "play-other-sua", Kind: "provincia", Name: "Provincia Estranea", TaxCode: "00000000042"}},
	}
	for _, o := range others {
		body, err := e.SaveBody(ctx, o.body)
		if err != nil {
			return err
		}
		who := auth.Actor{ID: "play-" + o.name, Name: o.name, Memberships: []auth.Membership{{Role: o.role, Body: body}}}
		if err := e.SavePerson(ctx, store.Person{ID: who.ID, Name: who.Name, Email: o.name + "@prova.example"}, who.Memberships); err != nil {
			return err
		}
		t.cast[o.name] = who
	}
	return e.SaveAgreement(ctx, store.Agreement{ID: "play-other-agreement", MemberBody: "play-other-comune", SUA: t.sua, ValidFrom: "2023-07-01", Acts: map[string]string{}})
}

// names lists the cast.
func (t *tale) names() string {
	names := make([]string, 0, len(t.cast))
	for name := range t.cast {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
