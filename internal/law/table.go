package law

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// dayLayout writes a calendar day; days so written sort as text.
const dayLayout = "2006-01-02"

// Table holds every limit with its history. It never changes after Load and may be shared.
type Table struct {
	keys []string           // in the order of the file
	rows map[string][]Limit // by key, oldest first, never overlapping
}

// Limits is the view of a Table on one day. The zero Limits has no row for anything.
type Limits struct {
	table *Table
	day   string
}

// ErrNoLimit says that a key has no row on a day: the law had, or has, nothing to say then, or nobody has written it
// down yet. It must stop what asked, never be read as zero.
type ErrNoLimit struct {
	Key string
	Day string // "2006-01-02"
}

// Error names key and day, for operators.
func (e ErrNoLimit) Error() string { return fmt.Sprintf("no row for %s on %s", e.Key, e.Day) }

// Assume returns a table that also has the rows of another, for the days on which this one has none. It is for plays of days to
// come, whose law nobody has written yet, never for work.
func (t *Table) Assume(extra *Table) *Table {
	out := &Table{keys: slices.Clone(t.keys), rows: maps.Clone(t.rows)}
	for _, key := range extra.keys {
		if !t.Has(key) {
			out.keys = append(out.keys, key)
		}
		out.rows[key] = slices.Concat(t.rows[key], extra.rows[key]) // Get takes the first that holds
	}
	return out
}

// On is the view of the table on the calendar day of day, read in day's own location: convert an instant to Italian
// time first.
func (t *Table) On(day time.Time) Limits { return Limits{table: t, day: day.Format(dayLayout)} }

// Keys lists every key, in the order of the file.
func (t *Table) Keys() []string { return slices.Clone(t.keys) }

// Has tells whether a key exists, on whatever day.
func (t *Table) Has(key string) bool { return len(t.rows[key]) > 0 }

// KindOf is the kind that Get yields for a key, the same on every day: for a reference, the kind at its end. It is
// false for an unknown key.
func (t *Table) KindOf(key string) (Kind, bool) {
	rows := t.rows[key]
	switch {
	case len(rows) == 0:
		return "", false
	case rows[0].Kind == KindRef:
		return t.KindOf(rows[0].Ref) // Load refused cycles and unknown keys
	default:
		return rows[0].Kind, true
	}
}

// History lists the rows of a key, oldest first; references are not followed.
func (t *Table) History(key string) []Limit { return slices.Clone(t.rows[key]) }

// Get is the limit of a key on the day of l. References are followed: the answer has the value and kind of the row at
// the end, the weakest mark of the way, and the days on which all of it holds. It returns an ErrNoLimit when some row
// is missing on that day.
func (l Limits) Get(key string) (Limit, error) {
	if l.table == nil {
		return Limit{}, ErrNoLimit{Key: key, Day: l.day}
	}
	for _, row := range l.table.rows[key] {
		if row.From > l.day || (row.To != "" && row.To < l.day) {
			continue
		}
		if row.Kind != KindRef {
			return row, nil
		}
		source, err := l.Get(row.Ref)
		if err != nil {
			return Limit{}, fmt.Errorf("follow %s: %w", key, err)
		}
		return row.borrow(source), nil
	}
	return Limit{}, ErrNoLimit{Key: key, Day: l.day}
}

// borrow completes a reference with the row it refers to; what the reference says itself wins.
func (l Limit) borrow(source Limit) Limit {
	l.Kind, l.value = source.Kind, source.value
	l.Mark = weaker(l.Mark, source.Mark)
	if l.Op == "" {
		l.Op = source.Op
	}
	l.From = max(l.From, source.From)
	if l.To == "" || (source.To != "" && source.To < l.To) {
		l.To = source.To
	}
	return l
}
