package flow

import (
	"cmp"
	"slices"
	"sync"
)

// Library is every definition that compiled together: the newest versions and the pinned older ones. It is immutable,
// but for the drawings it remembers, and safe for concurrent use.
type Library struct {
	all     []*Definition
	byHash  map[string]*Definition
	latest  map[string]*Definition
	parents map[string][]*Definition

	drawings sync.Map // SVG by hash and language
}

func newLibrary(definitions []*Definition) *Library {
	l := &Library{
		all: slices.Clone(definitions), byHash: map[string]*Definition{},
		latest: map[string]*Definition{}, parents: map[string][]*Definition{},
	}
	slices.SortFunc(l.all, func(a, b *Definition) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Version, b.Version))
	})
	for _, d := range l.all {
		l.byHash[d.Hash] = d
		l.latest[d.Workflow] = d // sorted: the last one wins
	}
	for _, d := range l.all {
		if l.latest[d.Workflow] != d {
			continue
		}
		for _, child := range d.Children {
			if !slices.Contains(l.parents[child.Workflow], d) {
				l.parents[child.Workflow] = append(l.parents[child.Workflow], d)
			}
		}
	}
	return l
}

// Latest returns the highest version of a workflow: the one new cases begin with.
func (l *Library) Latest(workflow string) (*Definition, bool) {
	d, found := l.latest[workflow]
	return d, found
}

// ByHash returns the definition a case is pinned to.
func (l *Library) ByHash(hash string) (*Definition, bool) {
	d, found := l.byHash[hash]
	return d, found
}

// All returns every definition, by workflow and version.
func (l *Library) All() []*Definition { return slices.Clone(l.all) }

// Roots returns the latest definitions that are no other workflow's child: what people may begin by themselves.
func (l *Library) Roots() []*Definition {
	var roots []*Definition
	for _, d := range l.all {
		if l.latest[d.Workflow] != d {
			continue
		}
		below := slices.ContainsFunc(l.parents[d.Workflow], func(p *Definition) bool { return p != d })
		if !below {
			roots = append(roots, d)
		}
	}
	return roots
}

// ParentsOf returns the latest definitions that declare the workflow as a child.
func (l *Library) ParentsOf(workflow string) []*Definition { return slices.Clone(l.parents[workflow]) }

// rootsAbove returns the definitions at the top of the trees in which a case of d may hang; d itself when nothing has it as
// a child.
func (l *Library) rootsAbove(d *Definition) []*Definition {
	var roots []*Definition
	seen := map[*Definition]bool{}
	for queue := []*Definition{d}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		parents := l.parents[at.Workflow]
		if len(parents) == 0 {
			roots = append(roots, at)
		}
		queue = append(queue, parents...)
	}
	return roots
}
