package engine

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/province-comuni/sua/internal/flow"
	"github.com/province-comuni/sua/internal/law"
	"github.com/province-comuni/sua/internal/notice"
	"github.com/province-comuni/sua/workflows"
)

// Definition returns a pinned definition by hash, or ErrNotFound.
func (e *Engine) Definition(hash string) (*flow.Definition, error) {
	if d, ok := e.lib.ByHash(hash); ok {
		return d, nil
	}
	return nil, ErrNotFound
}

// Workflows returns every version of every workflow.
func (e *Engine) Workflows() []WorkflowView {
	var out []WorkflowView
	roots := e.lib.Roots()
	for _, d := range e.lib.All() {
		latest, _ := e.lib.Latest(d.Workflow)
		out = append(out, WorkflowView{
			Labelled: Labelled{d.Workflow, d.Label}, Version: d.Version, Hash: d.Hash, Help: d.Help, Law: d.Law, Latest: latest == d,
			States: d.States, Stages: d.Stages, Openable: slices.Contains(roots, d),
		})
	}
	return out
}

// Graph returns the diagram of a definition as SVG, drawn once per definition and language.
func (e *Engine) Graph(ctx context.Context, hash, lang string) ([]byte, error) {
	d, err := e.Definition(hash)
	if err != nil {
		return nil, err
	}
	if lang != "en" {
		lang = "it"
	}
	return e.lib.SVG(ctx, d, lang)
}

// Limits are the numbers of the law that the engine was given.
func (e *Engine) Limits() *law.Table { return e.limits }

// Library is everything the engine can follow.
func (e *Engine) Library() *flow.Library { return e.lib }

// Shipped returns the workflows, catalogue and limits that come with the program. extra is an administrator's folder with more
// workflows, or nil.
func Shipped(extra fs.FS) (Config, error) {
	var cfg Config
	for _, fsys := range []fs.FS{workflows.FS, extra} {
		if fsys == nil {
			continue
		}
		sources, err := flow.Sources(fsys)
		if err != nil {
			return cfg, err
		}
		cfg.Sources = append(cfg.Sources, sources...)
	}
	b, err := fs.ReadFile(workflows.FS, "law/limits.yaml")
	if err != nil {
		return cfg, err
	}
	if cfg.Limits, err = law.Load(b); err != nil {
		return cfg, err
	}
	if b, err = fs.ReadFile(workflows.FS, "law/documents.yaml"); err != nil {
		return cfg, err
	}
	if cfg.Catalogue, err = flow.LoadCatalogue(b); err != nil {
		return cfg, err
	}
	cfg.Notices.Templates, err = shippedNotices(extra)
	return cfg, err
}

// shippedNotices reads the texts of notices that come with the program, with those of an administrator's folder in their place.
func shippedNotices(extra fs.FS) (*notice.Templates, error) {
	var sources []notice.Source
	for _, fsys := range []fs.FS{workflows.FS, extra} {
		if fsys == nil {
			continue
		}
		b, err := fs.ReadFile(fsys, flow.NoticesFile)
		if errors.Is(err, fs.ErrNotExist) && len(sources) > 0 {
			continue
		}
		if err != nil {
			return nil, err
		}
		sources = append(sources, notice.Source{Name: flow.NoticesFile, Data: b})
	}
	return notice.Load(sources...)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
