package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// mixed.json is what go test -json wrote for four packages: a has failed and skipped tests, b does not build, c panics, d has
// no tests.
func TestReportOfMixedRun(t *testing.T) {
	in, err := os.Open("testdata/mixed.json")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(in); err != nil {
		t.Fatal(err)
	}
	if good := r.summary(); good {
		t.Error("a run with failures counts as good")
	}
	// passed: a.TestOK, a.TestSub/y, c.TestBefore; failed: a.TestSub and its x, the build of b, c.TestPanic
	if r.passed != 3 || r.failed != 4 || r.skipped != 1 {
		t.Errorf("counted %d passed, %d failed, %d skipped; want 3, 4, 1", r.passed, r.failed, r.skipped)
	}
	text := out.String()
	for _, want := range []string{"a_test.go:4: bad x", "b/b_test.go:3:28: undefined: undefined", "panic: boom", "no service", "fake/a.TestSkip"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is shown %d times, want once, in\n%s", want, strings.Count(text, want), text)
		}
	}
	if strings.Contains(text, "hidden") {
		t.Error("the output of a test that passed is shown")
	}
	if !strings.HasSuffix(text, "\n3 passed, 4 failed, 1 skipped\n") {
		t.Errorf("last line of\n%s", text)
	}
}

func TestReportVerdicts(t *testing.T) {
	const (
		pass     = `{"Action":"pass","Package":"p","Test":"T","Elapsed":0.1}` + "\n" + `{"Action":"pass","Package":"p","Elapsed":0.2}` + "\n"
		skip     = `{"Action":"skip","Package":"q","Test":"T"}` + "\n" + `{"Action":"pass","Package":"q"}` + "\n"
		cutOff   = `{"Action":"output","Package":"r","Test":"T","Output":"was here\n"}` + "\n" + `{"Action":"fail","Package":"r","Elapsed":9}` + "\n"
		noTests  = `{"Action":"skip","Package":"s"}` + "\n"
		notJSON  = "go: something odd\n"
		lastLine = `{"Action":"fail","Package":"u","Test":"T"}` // the pipe may break off without a line end
	)
	for name, c := range map[string]struct {
		in   string
		good bool
		want string
	}{
		"all passed":                  {pass, true, "1 passed, 0 failed, 0 skipped"},
		"a skip is a failure":         {pass + skip, false, "1 passed, 0 failed, 1 skipped"},
		"nothing ran":                 {noTests, false, "no test ran"},
		"a crash shows the open test": {pass + cutOff, false, "was here"},
		"a crash is one failure":      {pass + cutOff, false, "1 passed, 1 failed, 0 skipped"},
		"other lines are kept":        {notJSON + pass, true, "go: something odd"},
		"an unfinished last line":     {pass + lastLine, false, "1 passed, 1 failed, 0 skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if good := r.summary(); good != c.good {
				t.Errorf("good = %v, want %v", good, c.good)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("no %q in\n%s", c.want, out.String())
			}
		})
	}
}

func TestSlowestPackageComesFirst(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	r.packages = []packageTime{{"quick", 0.5, 3}, {"slow", 10.25, 7}}
	r.summary()
	if strings.Index(out.String(), "slow") > strings.Index(out.String(), "quick") {
		t.Errorf("order of\n%s", out.String())
	}
}

func TestParseSplitsAtDashes(t *testing.T) {
	o := parse([]string{"-race", "./a/... ./b", "./...", "--", "-count=3", "--", "x"})
	if o.race != "./a/... ./b" || !slices.Equal(o.patterns, []string{"./..."}) || !slices.Equal(o.rest, []string{"-count=3", "--", "x"}) {
		t.Errorf("parse = %+v", o)
	}
	if !o.pages() || parse([]string{"./internal/engine"}).pages() {
		t.Error("the browser is wanted where the pages are tested, and nowhere else")
	}
	o = parse([]string{"-services-only", "--", "psql", "-c", "select 1"})
	if !o.servicesOnly || len(o.patterns) != 0 || !slices.Equal(o.rest, []string{"psql", "-c", "select 1"}) {
		t.Errorf("parse = %+v", o)
	}
}
