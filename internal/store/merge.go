package store

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// mergeMost bounds how many writes one statement carries: the usual transition has three, an import has thousands.
const mergeMost = 6

// merged puts the writes marked `alone` of a transition into one PostgreSQL statement, as common table expressions, in the place
// of the first. Each touches rows that no other of them touches, so that it does not matter that all see the same snapshot.
// A third of what a transition costs the server is the start and end of statements.
func merged(qs []query) []query {
	var picked []int
	for i, q := range qs {
		if q.alone {
			picked = append(picked, i)
		}
	}
	if len(picked) < 2 || len(picked) > mergeMost {
		return qs
	}
	var shape [mergeMost]string
	var args []any
	for k, i := range picked {
		shape[k] = qs[i].sql
		args = append(args, qs[i].args...)
	}
	sql, known := shapes.Load(shape)
	if !known {
		sql = mergedSQL(qs, picked)
		shapes.Store(shape, sql)
	}
	out := make([]query, 0, len(qs)-len(picked)+1)
	for i, q := range qs {
		if i == picked[0] {
			out = append(out, query{sql: sql.(string), args: args})
		} else if !q.alone {
			out = append(out, q)
		}
	}
	return out
}

// shapes remembers the text of each combination of writes; there are a few dozen.
var shapes sync.Map // [mergeMost]string -> string

func mergedSQL(qs []query, picked []int) string {
	var sql strings.Builder
	n := 0
	for k, i := range picked {
		switch {
		case k == len(picked)-1:
			sql.WriteString(" ")
		case k == 0:
			sql.WriteString("WITH w0 AS (")
		default:
			fmt.Fprintf(&sql, ", w%d AS (", k)
		}
		renumber(&sql, qs[i].sql, n)
		n += len(qs[i].args)
		if k < len(picked)-1 {
			sql.WriteByte(')')
		}
	}
	return sql.String()
}

// renumber writes a statement with its parameters $1, $2 … moved up by n. Our statements hold no dollar but parameters.
func renumber(b *strings.Builder, sql string, n int) {
	for {
		i := strings.IndexByte(sql, '$')
		if i < 0 || n == 0 {
			b.WriteString(sql)
			return
		}
		end := i + 1
		for end < len(sql) && sql[end] >= '0' && sql[end] <= '9' {
			end++
		}
		k, err := strconv.Atoi(sql[i+1 : end])
		if err != nil {
			panic("store: a dollar that is no parameter in: " + sql)
		}
		b.WriteString(sql[:i+1])
		b.WriteString(strconv.Itoa(k + n))
		sql = sql[end:]
	}
}
