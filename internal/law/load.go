package law

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Fault is one mistake in a file of limits.
type Fault struct {
	Line int // from 1
	Text string
}

// Error names the line, for who writes the file.
func (f Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.Text) }

var keyShape = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*(\.[a-zA-Z0-9_]+)*$`)

// Load reads a file of limits (the format is at the head of workflows/law/limits.yaml). It is strict, and reports all
// mistakes together as Faults joined by errors.Join, in the order of their lines.
func Load(data []byte) (*Table, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	l := &loader{table: &Table{rows: map[string][]Limit{}}}
	l.read(root)
	l.checkValidity()
	l.checkReferences()
	if len(l.faults) > 0 {
		slices.SortStableFunc(l.faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
		errs := make([]error, len(l.faults))
		for i, f := range l.faults {
			errs[i] = f
		}
		return nil, errors.Join(errs...)
	}
	return l.table, nil
}

// document parses data, which must hold one mapping and nothing else.
func document(data []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, Fault{Line: 1, Text: "the file is empty"}
	} else if err != nil {
		return nil, fmt.Errorf("parse limits: %w", err)
	}
	if err := dec.Decode(&more); err == nil {
		return nil, Fault{Line: more.Line, Text: "a second document"}
	} else if !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parse limits: %w", err)
	}
	if len(doc.Content) == 0 {
		return nil, Fault{Line: 1, Text: "the file is empty"}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, Fault{Line: root.Line, Text: "the file must map keys to rows"}
	}
	return root, nil
}

type loader struct {
	table  *Table
	faults []Fault
}

func (l *loader) fault(n *yaml.Node, format string, args ...any) { l.faultAt(n.Line, format, args...) }

func (l *loader) faultAt(line int, format string, args ...any) {
	l.faults = append(l.faults, Fault{Line: line, Text: fmt.Sprintf(format, args...)})
}

func (l *loader) read(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		name, rows := root.Content[i], root.Content[i+1]
		key := name.Value
		switch {
		case name.Kind != yaml.ScalarNode || !keyShape.MatchString(key):
			l.fault(name, "%q is not a dotted name", key)
		case slices.Contains(l.table.keys, key):
			l.fault(name, "key %s stands twice", key)
		case rows.Kind != yaml.SequenceNode || len(rows.Content) == 0:
			l.fault(rows, "%s: want a list of rows", key)
		default:
			l.table.keys = append(l.table.keys, key)
			for _, n := range rows.Content {
				l.row(key, n)
			}
		}
	}
}

// row reads one row. A row with faults is kept all the same, so that what refers to it is not called unknown.
func (l *loader) row(key string, n *yaml.Node) {
	f := l.fields(n, "kind", "unit", "op", "value", "from", "to", "law", "mark", "note")
	if f == nil {
		return
	}
	row := Limit{Key: key, line: n.Line, From: l.day(n, f, "from"), To: l.day(n, f, "to")}
	row.Law, _ = l.text(n, f, "law", true)
	row.Note, _ = l.text(n, f, "note", false)

	mark, at := l.text(n, f, "mark", true)
	if row.Mark = Mark(mark); mark != "" && !slices.Contains(marks, row.Mark) {
		l.fault(at, "unknown mark %q (V, V23, M, P)", mark)
	}
	kind, at := l.text(n, f, "kind", true)
	if row.Kind = Kind(kind); kind != "" {
		l.value(&row, n, at, f)
	}
	if op, at := l.text(n, f, "op", false); op != "" {
		var err error
		if row.Op, err = parseOp(op); err != nil {
			l.fault(at, "op: %v", err)
		} else if !ordered(row.Kind) {
			l.fault(at, "a value of kind %s has no op", row.Kind)
		}
	}
	if row.From != "" && row.To != "" && row.To < row.From {
		l.fault(n, "%s: the row ends on %s, before it begins on %s", key, row.To, row.From)
	}
	l.table.rows[key] = append(l.table.rows[key], row)
}

// value reads the value of a row and its unit, after kind (which stands at kindAt).
func (l *loader) value(row *Limit, n, kindAt *yaml.Node, f map[string]*yaml.Node) {
	unit, at := l.text(n, f, "unit", false)
	if allowed := units[row.Kind]; len(allowed) == 0 && unit != "" {
		l.fault(at, "a value of kind %s has no unit", row.Kind)
	} else if len(allowed) > 0 && !slices.Contains(allowed, unit) {
		l.fault(at, "unknown unit %q (%s)", unit, strings.TrimSpace(strings.Join(allowed, " ")))
	}
	if !slices.Contains(kinds, row.Kind) {
		l.fault(kindAt, "unknown kind %q", row.Kind)
		return
	}
	if row.Kind == KindTable && f["value"] != nil {
		row.value.bands = l.bands(f["value"])
		return
	}
	text, at := l.text(n, f, "value", true)
	if text == "" {
		return
	}
	v, err := parseValue(row.Kind, text)
	if err != nil {
		l.fault(at, "value: %v", err)
		return
	}
	if row.Kind == KindRef {
		row.Ref = text
	}
	v.unit = unit
	row.value = v
}

// fields splits a mapping into its fields, refusing unknown and repeated ones; nil when n is no mapping.
func (l *loader) fields(n *yaml.Node, allowed ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		l.fault(n, "want {%s}", strings.Join(allowed, ", "))
		return nil
	}
	f := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		switch {
		case !slices.Contains(allowed, name.Value):
			l.fault(name, "unknown field %q", name.Value)
		case f[name.Value] != nil:
			l.fault(name, "field %s stands twice", name.Value)
		default:
			f[name.Value] = n.Content[i+1]
		}
	}
	return f
}

// text is a field as plain text and the node to blame for it; a required field that is missing or empty is a fault.
func (l *loader) text(n *yaml.Node, f map[string]*yaml.Node, name string, required bool) (string, *yaml.Node) {
	v := f[name]
	switch {
	case v == nil && f != nil && required:
		l.fault(n, "%s is missing", name)
	case v == nil:
	case v.Kind != yaml.ScalarNode || v.Tag == "!!null":
		l.fault(v, "%s is not a text", name)
	case v.Value == "" && required:
		l.fault(v, "%s is empty", name)
	default:
		return v.Value, v
	}
	if v == nil {
		v = n
	}
	return "", v
}

// day is a field that holds a calendar day, or "".
func (l *loader) day(n *yaml.Node, f map[string]*yaml.Node, name string) string {
	text, at := l.text(n, f, name, false)
	if text == "" {
		return ""
	}
	if _, err := time.Parse(dayLayout, text); err != nil {
		l.fault(at, "%s: %q is not a day such as 2023-07-01", name, text)
		return ""
	}
	return text
}

// checkValidity puts the rows of each key in order of time and refuses overlaps.
func (l *loader) checkValidity() {
	for _, key := range l.table.keys {
		rows := l.table.rows[key]
		slices.SortStableFunc(rows, func(a, b Limit) int { return cmp.Compare(a.From, b.From) })
		last := 0 // the row that holds longest so far: a long row may overlap more than the next one
		for i := 1; i < len(rows); i++ {
			if rows[last].To == "" || rows[last].To >= rows[i].From {
				l.faultAt(rows[i].line, "%s: the row overlaps the one at line %d", key, rows[last].line)
			}
			if rows[last].To != "" && (rows[i].To == "" || rows[i].To > rows[last].To) {
				last = i
			}
		}
	}
}

// checkReferences refuses references to unknown keys and cycles; without them, also kinds that differ within a key.
func (l *loader) checkReferences() {
	sound := true
	for _, key := range l.table.keys {
		for _, row := range l.table.rows[key] {
			switch {
			case row.Ref == "":
			case !l.table.Has(row.Ref):
				l.faultAt(row.line, "%s refers to %s, which does not exist", key, row.Ref)
				sound = false
			case l.reaches(row.Ref, key, map[string]bool{}):
				l.faultAt(row.line, "%s refers to itself through %s", key, row.Ref)
				sound = false
			}
		}
	}
	if sound { // else KindOf would lose its way
		for _, key := range l.table.keys {
			l.checkKinds(key)
		}
	}
}

// checkKinds refuses rows of a key that yield different kinds, whose readers would fail from one day to the next.
func (l *loader) checkKinds(key string) {
	want, _ := l.table.KindOf(key)
	for _, row := range l.table.rows[key] {
		kind := row.Kind
		if kind == KindRef {
			kind, _ = l.table.KindOf(row.Ref)
			if row.Op != "" && !ordered(kind) {
				l.faultAt(row.line, "a value of kind %s has no op", kind)
			}
		}
		if kind != want && slices.Contains(kinds, kind) && slices.Contains(kinds, want) {
			l.faultAt(row.line, "%s is of kind %s here and %s before", key, kind, want)
		}
	}
}

// reaches tells whether references lead from one key to another.
func (l *loader) reaches(from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(l.table.rows[from], func(row Limit) bool {
		return row.Ref != "" && l.reaches(row.Ref, to, seen)
	})
}
