package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/province-comuni/sua/internal/engine"
)

// progress tells on a terminal how far a verification is: one line, written over and over. Anywhere else it is silent, so that logs and
// files get no half lines.
type progress struct {
	out   io.Writer // nil: silent
	now   func() time.Time
	begun time.Time
	told  time.Time
}

// progressEvery is how often the line changes.
const progressEvery = 200 * time.Millisecond

func newProgress(out io.Writer, now func() time.Time) *progress {
	p := &progress{now: now, begun: now()}
	if isTerminal(out) {
		p.out = out
	}
	return p
}

// isTerminal reports whether somebody may be looking: a device that is not the one that swallows everything.
func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nothing, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nothing)
}

// tell writes how far it is, unless it has just done so.
func (p *progress) tell(v engine.Verification) {
	now := p.now()
	if p.out == nil || now.Sub(p.told) < progressEvery {
		return
	}
	p.told = now
	fmt.Fprintf(p.out, "\r\x1b[Kverifico: %s", progressLine(v, now.Sub(p.begun)))
}

// progressLine is the line without its beginning.
func progressLine(v engine.Verification, took time.Duration) string {
	line := fmt.Sprintf("%d storie, %d eventi", v.Trees, v.Events)
	if took > 0 {
		line += fmt.Sprintf(", %.0f eventi/s", float64(v.Events)/took.Seconds())
	}
	if v.Broken > 0 {
		line += fmt.Sprintf(", %d storie non tornano", v.Broken)
	}
	return line
}

// end takes the line away.
func (p *progress) end() {
	if p.out != nil && !p.told.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
