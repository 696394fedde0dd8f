package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing wrong (or, as a warning, doubtful) in a workflow file. Message is Italian: the people who write
// workflows read it.
type Fault struct {
	File    string
	Line    int // 1-based; 0 when the fault has no place in the file
	Message string
}

// String writes the fault as "file:line: message".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// Faults is the error Compile returns: everything that is wrong, never only the first thing.
type Faults []Fault

// Error joins the faults, one per line, in the order of file and line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by file and line and drops repetitions: a part used by three workflows is wrong once.
func (f Faults) sorted() Faults {
	slices.SortFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(f)
}

// maybe ends a message about an unknown name with the nearest known one, or with nothing when none is near: at most one
// letter in three may differ.
func maybe(name string, known []string) string {
	best, distance := "", max(1, len(name)/3)+1
	if len(name) < 3 {
		return ""
	}
	for _, k := range slices.Sorted(slices.Values(known)) {
		if n := editDistance(name, k); n < distance {
			best, distance = k, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (forse intendevi «%s»?)", best)
}

// Suggest is what an Italian message about an unknown name ends with: " (forse intendevi «x»?)", or nothing when no known name is near.
func Suggest(name string, known []string) string { return maybe(name, known) }

// editDistance is Levenshtein's, over bytes: ids are ASCII.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
