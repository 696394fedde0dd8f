package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of go test -json (go doc test2json, go help buildjson).
type event struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64 // seconds
	Output      string
	ImportPath  string // of build-output and build-fail
	FailedBuild string
}

// report counts tests and shows failures as they happen, with all they wrote; what passes leaves only its package's line.
type report struct {
	w                       io.Writer
	passed, failed, skipped int
	packages                []packageTime
	skips                   []string
	output                  map[string][]string // by test or build, until it ends
	open                    map[string]counts   // by package, until it ends
}

type counts struct{ tests, failed int }

type packageTime struct {
	name    string
	seconds float64
	tests   int
}

func newReport(w io.Writer) *report {
	return &report{w: w, output: map[string][]string{}, open: map[string]counts{}}
}

// read takes one run of go test to its end. Lines that are not JSON are shown as they are.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.add(e)
			} else {
				fmt.Fprint(r.w, string(line))
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read go test: %w", err)
		}
	}
}

func (r *report) add(e event) {
	key := e.ImportPath + e.Package + "\n" + e.Test
	switch e.Action {
	case "output", "build-output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-fail":
		r.show(key)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e, key)
		}
	}
}

func (r *report) endTest(e event, key string) {
	c := r.open[e.Package]
	c.tests++
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		c.failed++
		r.show(key)
	case "skip":
		r.skipped++
		r.skips = append(r.skips, e.Package+"."+e.Test)
		r.show(key)
	}
	r.open[e.Package] = c
	delete(r.output, key)
}

func (r *report) endPackage(e event) {
	c := r.open[e.Package]
	delete(r.open, e.Package)
	if e.Action == "fail" && c.failed == 0 {
		r.failed++ // it did not build, or ended outside any test
	}
	if e.Action == "fail" {
		r.showAll(e.Package + "\n") // tests cut off by a crash or a timeout, and what belongs to no test
	}
	for key := range r.output {
		if strings.HasPrefix(key, e.Package+"\n") {
			delete(r.output, key)
		}
	}
	if c.tests == 0 && e.Action != "fail" {
		return // no test files
	}
	r.packages = append(r.packages, packageTime{e.Package, e.Elapsed, c.tests})
	fmt.Fprintf(r.w, "%-4s %s  %d tests, %.1fs\n", map[string]string{"pass": "ok", "fail": "FAIL", "skip": "skip"}[e.Action], e.Package, c.tests, e.Elapsed)
}

func (r *report) show(key string) {
	for _, text := range r.output[key] {
		fmt.Fprint(r.w, text)
	}
	delete(r.output, key)
}

func (r *report) showAll(prefix string) {
	var keys []string
	for key := range r.output {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		r.show(key)
	}
}

// summary prints the table of times and the counts, and reports whether the run counts as good: something ran, nothing failed
// and nothing was skipped.
func (r *report) summary() bool {
	slices.SortStableFunc(r.packages, func(a, b packageTime) int { return cmp.Compare(b.seconds, a.seconds) })
	fmt.Fprintf(r.w, "\n%8s %6s  package\n", "seconds", "tests")
	for _, p := range r.packages {
		fmt.Fprintf(r.w, "%8.2f %6d  %s\n", p.seconds, p.tests, p.name)
	}
	if r.skipped > 0 {
		fmt.Fprintf(r.w, "\nskipped tests count as failures:\n  %s\n", strings.Join(r.skips, "\n  "))
	}
	if r.passed+r.failed+r.skipped == 0 {
		fmt.Fprintln(r.w, "\nno test ran")
	}
	fmt.Fprintf(r.w, "\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return r.passed > 0 && r.failed == 0 && r.skipped == 0
}
