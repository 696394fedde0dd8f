package play

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/province-comuni/sua/internal/calendar"
	"github.com/province-comuni/sua/internal/engine"
)

const (
	rootPath  = "."
	stampForm = "2006-01-02T15:04:05"
)

func (p *player) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format, args...) // the writer keeps its first error for Flush
}

// now is the played time in Rome, without seconds when there are none.
func (p *player) now() string {
	return strings.TrimSuffix(p.Clock.Now().In(calendar.Rome).Format(stampForm), ":00")
}

// title is a step as its trace line names it.
func title(s step) string {
	var words []string
	if s.who != "" {
		words = append(words, s.who)
	}
	if s.path != "" {
		words = append(words, s.path)
	}
	if s.verb != "fire" {
		words = append(words, s.verb)
	}
	if s.event != "" {
		words = append(words, s.event)
	}
	if len(s.types) > 0 {
		words = append(words, strings.Join(s.types, ", "))
	}
	return strings.Join(words, " ")
}

// outcomeOf writes what the engine answered; false when it is no answer but a failure.
func outcomeOf(err error) (string, bool) {
	var refused *engine.Refused
	var warns *engine.NeedsAcknowledgement
	var invalid *engine.Invalid
	switch {
	case err == nil:
		return "ok", true
	case errors.As(err, &refused):
		return "refused " + codes(refused.Refusals), true
	case errors.As(err, &warns):
		return "warns " + codes(warns.Warnings), true
	case errors.As(err, &invalid):
		parts := make([]string, len(invalid.Problems))
		for i, problem := range invalid.Problems {
			parts[i] = problem.Pointer + " " + problem.Code
		}
		slices.Sort(parts)
		return "invalid " + strings.Join(parts, ", "), true
	case slices.Contains([]engine.ErrorKind{engine.KindInternal, engine.KindAway, engine.KindFull}, engine.Kind(err)):
		return "", false
	}
	return string(engine.Kind(err)), true
}

// codes lists refusals with what they are about: a reviewer reads the trace as law.
func codes(refusals []engine.Refusal) string {
	parts := make([]string, len(refusals))
	for i, r := range refusals {
		parts[i] = r.Code
		var about []string
		for _, key := range slices.Sorted(maps.Keys(r.Params)) {
			if !strings.HasSuffix(key, "_en") && key != "type" {
				about = append(about, r.Params[key])
			}
		}
		if len(about) > 0 {
			parts[i] += " (" + strings.Join(about, "; ") + ")"
		}
	}
	return strings.Join(parts, ", ")
}

// tell writes what a step did to the last tree of the tale, the only one that steps act on.
func (p *player) tell(ctx context.Context, t *tale) error {
	if len(t.trees) == 0 {
		return nil
	}
	return p.tellTree(ctx, t.trees[len(t.trees)-1], "")
}

// tellAll writes what terms did to any tree. Those before the last one are marked #1, #2 …
func (p *player) tellAll(ctx context.Context, t *tale) error {
	for i, tr := range t.trees {
		mark := ""
		if i < len(t.trees)-1 {
			mark = fmt.Sprintf("#%d ", i+1)
		}
		if err := p.tellTree(ctx, tr, mark); err != nil {
			return err
		}
	}
	return nil
}

// tellTree writes what happened in a tree since the last time, and what became of its terms.
func (p *player) tellTree(ctx context.Context, t *tree, mark string) error {
	if p.silent {
		return nil
	}
	for {
		h, err := p.Engine.History(ctx, witness, t.root, t.told, 0)
		if err != nil {
			return fmt.Errorf("read the history: %w", err)
		}
		if !h.Verified {
			return fmt.Errorf("the history does not verify: %s", h.Broken)
		}
		for _, item := range h.Items {
			if err := p.tellItem(ctx, t, mark, item); err != nil {
				return err
			}
			t.told = item.Seq
		}
		if h.Next == 0 {
			break
		}
	}
	return p.tellTerms(ctx, t, mark)
}

func (p *player) tellItem(ctx context.Context, t *tree, mark string, item engine.HistoryItem) error {
	k, err := p.caseOf(ctx, t, item.Case)
	if err != nil {
		return err
	}
	def, err := p.Engine.Definition(item.Definition)
	if err != nil {
		return err
	}
	if _, found := def.Event(item.Event); !found {
		return nil // an upload: the step has said it
	}
	from := item.From.ID
	if from == "" {
		from = "-"
	}
	p.say("    %s%s %s %s → %s\n", mark, k.path, item.Event, from, item.To.ID)
	p.walked[Transition{def.Workflow, item.Event, item.From.ID, item.To.ID}]++
	return nil
}

// caseOf finds the path of a case from its parents.
func (p *player) caseOf(ctx context.Context, t *tree, id string) (known, error) {
	if k, found := t.cases[id]; found {
		return k, nil
	}
	c, err := p.Engine.Case(ctx, witness, id)
	if err != nil {
		return known{}, fmt.Errorf("read case: %w", err)
	}
	k := known{rootPath, c.Workflow.ID, c.Hash}
	if c.Parent != "" {
		parent, err := p.caseOf(ctx, t, c.Parent)
		if err != nil {
			return known{}, err
		}
		k.path = fmt.Sprintf("%s:%d", c.Child, c.Ordinal)
		if parent.path != rootPath {
			k.path = parent.path + "/" + k.path
		}
	}
	t.cases[id] = k
	return k, nil
}

// tellTerms compares the terms of the tree with what they were.
func (p *player) tellTerms(ctx context.Context, t *tree, mark string) error {
	terms, err := p.Engine.Deadlines(ctx, witness, t.root)
	if err != nil {
		return fmt.Errorf("read terms: %w", err)
	}
	var lines []string
	for _, d := range terms {
		before, seen := t.terms[d.ID]
		t.terms[d.ID] = d
		k, err := p.caseOf(ctx, t, d.Case)
		if err != nil {
			return err
		}
		switch {
		case !seen && d.Status == "running":
			lines = append(lines, fmt.Sprintf("    + %s%s %s until %s\n", mark, k.path, d.Name, d.LastDay))
		case !seen || before.Status != d.Status:
			sign := "-"
			if d.Status == "running" || d.Status == "suspended" || d.Status == "blocked" {
				sign = "~"
			}
			lines = append(lines, fmt.Sprintf("    %s %s%s %s %s\n", sign, mark, k.path, d.Name, d.Status))
		case !before.DueAt.Equal(d.DueAt):
			lines = append(lines, fmt.Sprintf("    ~ %s%s %s until %s\n", mark, k.path, d.Name, d.LastDay))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		p.say("%s", line)
	}
	return nil
}
