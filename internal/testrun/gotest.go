package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// runTests runs every package once: those of o.race under the race detector, the others plainly.
func runTests(ctx context.Context, env []string, o options) (int, error) {
	all, err := listPackages(ctx, o.patterns)
	if err != nil {
		return 0, err
	}
	raced, err := racePackages(ctx, o.race)
	if err != nil {
		return 0, err
	}
	var plain, race []string
	for _, p := range all {
		if slices.Contains(raced, p) {
			race = append(race, p)
		} else {
			plain = append(plain, p)
		}
	}

	report := newReport(os.Stdout)
	if err := goTest(ctx, report, env, o.rest, plain); err != nil {
		return 0, err
	}
	// The race detector is written in C: it needs cgo, which the product itself does without.
	raceFlags := append([]string{"-race"}, o.rest...)
	if err := goTest(ctx, report, append(env, "CGO_ENABLED=1"), raceFlags, race); err != nil {
		return 0, err
	}
	if !report.summary() {
		return 1, nil
	}
	return 0, nil
}

func listPackages(ctx context.Context, patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	// -e: a package that does not parse is reported by go test, with its place, and not here.
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e"}, patterns...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", strings.Join(patterns, " "), err)
	}
	return strings.Fields(string(out)), nil
}

// racePackages leaves out patterns whose folder is not there yet, so that the list in the Makefile may run ahead of the code.
func racePackages(ctx context.Context, patterns string) ([]string, error) {
	var present []string
	for _, p := range strings.Fields(patterns) {
		if _, err := os.Stat(strings.TrimSuffix(p, "...")); err == nil {
			present = append(present, p)
		}
	}
	if len(present) == 0 {
		return nil, nil
	}
	return listPackages(ctx, present)
}

// goTest runs one pass into report. Failing tests are the report's business; an error means that go test itself broke.
func goTest(ctx context.Context, r *report, env, flags, packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	args := slices.Concat([]string{"test", "-json"}, flags, packages)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env, cmd.Stderr = env, os.Stderr
	inGroup(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	before := r.failed
	readErr := r.read(out)
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case readErr != nil:
		return readErr
	case err != nil && r.failed == before && r.skipped == 0:
		return fmt.Errorf("go test: %w", err)
	}
	return nil
}
