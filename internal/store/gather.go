package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// write is a statement that changes one row of a table. Its columns stand here once: from them come the statement for one row
// and, for PostgreSQL, the one that writes many rows out of an array per column.
type write struct {
	rank  int // writes of many cases happen in the order of their ranks, which is the order in which one case writes them
	width int // parameters of a row
	keys  int // for an update: how many of the last parameters name the row
	one   string
	many  string
	// fresh is many for the updates of cases when deadlines change in the same transaction: after those, and with next_due found
	// anew. Nearly every index of cases is written at each update of a row, so that one instead of two is half of the price.
	fresh string
}

// The writes of a transition. Within a transaction a row is written at most once by each.
var (
	insertCase = inserts(0, "cases", `id text, workflow text, version integer, hash text, state text, stage text, previous text, visited text, outcome text,
		revision bigint, parent text, root text, child text, ordinal integer, member_body text, sua text, officer text, rup text, title text, search text, cig text,
		cup text, amount bigint, data jsonb, rules_date text, next_due timestamptz, opened_at timestamptz, updated_at timestamptz, updated_on text, ended_at timestamptz,
		source text, source_key text, chain_seq bigint, chain_hash bytea, chain_at timestamptz`)
	updateCase = updates(1, "cases", `workflow text, version integer, hash text, state text, stage text, previous text, outcome text, revision bigint, officer text,
		rup text, title text, search text, cig text, cup text, amount bigint, data jsonb, rules_date text, updated_at timestamptz, ended_at timestamptz,
		chain_seq bigint, chain_hash bytea, chain_at timestamptz, visited text, updated_on text`, "id text", "")
	updateState = updates(2, "cases", `state text, stage text, previous text, visited text, outcome text, revision bigint, updated_at timestamptz, updated_on text,
		ended_at timestamptz, chain_seq bigint, chain_hash bytea, chain_at timestamptz`, "id text", "")
	updateHead  = updates(3, "cases", "updated_at timestamptz, chain_seq bigint, chain_hash bytea, chain_at timestamptz, updated_on text", "id text", "")
	insertEvent = inserts(4, "events", `root text, seq bigint, case_id text, member_body text, sua text, event text, at timestamptz, effective timestamptz, actor text,
		header bytea, hash bytea, open_salt bytea, open_body bytea, secret_salt bytea, secret_body bytea, personal_salt bytea, personal_body bytea`)
	insertRow = inserts(5, "case_rows", "case_id text, register text, row integer, root text, member_body text, sua text, data jsonb, changed_seq bigint")
	updateRow = updates(6, "case_rows", "data jsonb, changed_seq bigint", "case_id text, register text, row integer", "")

	insertDocument = inserts(7, "documents", `id text, case_id text, root text, member_body text, sua text, type text, name text, media text, size bigint, sha256 text,
		uploaded_by text, at timestamptz, seq bigint`)
	insertDeadline = inserts(8, "deadlines", `id text, case_id text, root text, member_body text, sua text, name text, status text, started_at timestamptz,
		started_seq bigint, due_at timestamptz, last_day text, limit_key text, explanation jsonb, revision bigint, next_try timestamptz, blocked_by jsonb, ended_at timestamptz`)
	updateDeadline = updates(9, "deadlines", `status text, due_at timestamptz, last_day text, revision bigint, next_try timestamptz, blocked_by jsonb,
		ended_at timestamptz, explanation jsonb`, "id text", "")
	putOff = updates(10, "deadlines", "next_try timestamptz", "id text", "")

	refreshCase = refreshes(11, "case_id")
	refreshTree = refreshes(12, "root")
	wakeBlocked = updates(13, "deadlines", "next_try timestamptz", "root text", " AND status = 'blocked'")
	insertLink  = inserts(14, "links", "from_case text, to_case text, kind text, member_body text, sua text, at timestamptz")

	insertMessage = inserts(15, "outbox", "topic text, case_id text, root text, member_body text, sua text, payload jsonb, at timestamptz")
	insertAnswer  = inserts(16, "idempotency", "actor text, path text, key text, body_hash bytea, answer bytea, at timestamptz")
)

// columns splits "name type, name type".
func columns(spec string) (names, types []string) {
	for column := range strings.SplitSeq(spec, ",") {
		f := strings.Fields(column)
		names, types = append(names, f[0]), append(types, f[1])
	}
	return names, types
}

func inserts(rank int, table, spec string) *write {
	names, types := columns(spec)
	marks := make([]string, len(names))
	for i := range names {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	into := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") "
	return &write{
		rank: rank, width: len(names),
		one:  into + "VALUES (" + strings.Join(marks, ", ") + ")",
		many: into + "SELECT * FROM " + unnest(types),
	}
}

// updates sets columns of the rows that the keys name and the condition allows. Parameters: the columns, then the keys.
func updates(rank int, table, set, keys, condition string) *write {
	names, types := columns(set)
	by, byTypes := columns(keys)
	w := &write{rank: rank, width: len(names) + len(by), keys: len(by)}
	one, many := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		one[i], many[i] = fmt.Sprintf("%s = $%d", name, i+1), fmt.Sprintf("%s = u.%s", name, name)
	}
	oneKey, manyKey, asKeys := make([]string, len(by)), make([]string, len(by)), make([]string, len(by))
	for i, name := range by {
		asKeys[i] = "key_" + name
		oneKey[i], manyKey[i] = fmt.Sprintf("%s = $%d", name, len(names)+i+1), fmt.Sprintf("t.%s = u.key_%s", name, name)
	}
	w.one = "UPDATE " + table + " SET " + strings.Join(one, ", ") + " WHERE " + strings.Join(oneKey, " AND ") + condition
	set = strings.Join(many, ", ")
	from := " FROM " + unnest(append(types, byTypes...)) + " AS u(" + strings.Join(append(names, asKeys...), ", ") + ") WHERE " + strings.Join(manyKey, " AND ") + condition
	w.many = "UPDATE " + table + " t SET " + set + from
	if table == "cases" {
		w.fresh = "UPDATE cases t SET " + set + ", next_due = CASE WHEN t.parent IS NULL THEN " + soonest + "root = t.id) ELSE " + soonest + "case_id = t.id) END" + from
	}
	return w
}

// soonest is when the first live deadline is over, of a column's that follows.
const soonest = "(SELECT min(due_at) FROM deadlines d WHERE status IN ('running', 'blocked') AND d."

// refreshes recomputes next_due of cases: over the deadlines whose column is the case's id.
func refreshes(rank int, column string) *write {
	return &write{
		rank: rank, width: 1, keys: 1,
		one:  "UPDATE cases SET next_due = " + soonest + column + " = cases.id) WHERE id = $1",
		many: "UPDATE cases t SET next_due = " + soonest + column + " = t.id) FROM unnest($1::text[]) AS u(id) WHERE t.id = u.id",
	}
}

func unnest(types []string) string {
	arrays := make([]string, len(types))
	for i, t := range types {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, t)
	}
	return "unnest(" + strings.Join(arrays, ", ") + ")"
}

// gatherLeast is from how many writes on a transaction is written by sets: below, a few statements are merged (merge.go).
const gatherLeast = 16

// gathered makes of many writes one statement per kind, in the order of the kinds. It is for PostgreSQL, where the start and end
// of a statement cost more than a row; few writes, and those whose kind is not known, are merged instead.
func gathered(qs []query) []query {
	if len(qs) < gatherLeast {
		return merged(qs)
	}
	for _, q := range qs {
		if q.kind == nil {
			return merged(qs)
		}
	}
	groups := map[*write][]query{}
	for _, q := range qs {
		groups[q.kind] = append(groups[q.kind], q)
	}
	moved := casesOf(groups, updateCase, updateState, updateHead)
	again := len(groups[refreshCase])+len(groups[refreshTree]) > 0
	for _, k := range []*write{refreshCase, refreshTree} {
		groups[k] = slices.DeleteFunc(groups[k], func(q query) bool { return moved[q.args[0]] })
	}
	var out []query
	for _, k := range order(groups, again) {
		switch group := groups[k]; {
		case again && k.fresh != "":
			out = append(out, query{sql: k.fresh, args: k.arrays(group), kind: k})
		case len(group) == 1:
			out = append(out, group[0])
		default:
			out = append(out, query{sql: k.many, args: k.arrays(group), kind: k})
		}
	}
	return out
}

// casesOf are the ids of the cases that some kinds update.
func casesOf(groups map[*write][]query, kinds ...*write) map[any]bool {
	ids := map[any]bool{}
	for _, k := range kinds {
		for _, q := range groups[k] {
			ids[q.args[k.width-1]] = true
		}
	}
	return ids
}

// order sorts the kinds by rank; those that find next_due anew come after the deadlines.
func order(groups map[*write][]query, again bool) []*write {
	var kinds []*write
	for k, group := range groups {
		if len(group) > 0 {
			kinds = append(kinds, k)
		}
	}
	rank := func(k *write) int {
		if again && k.fresh != "" {
			return refreshCase.rank
		}
		return k.rank
	}
	slices.SortFunc(kinds, func(a, b *write) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.rank, b.rank)) })
	return kinds
}

// arrays turns the rows of a group into one array per column. Of updates of the same row the last one counts, as it would if
// they were made one after the other.
func (w *write) arrays(group []query) []any {
	rows := make([][]any, 0, len(group))
	for _, q := range group {
		for i := 0; i < len(q.args); i += w.width {
			rows = append(rows, q.args[i:i+w.width])
		}
	}
	if w.keys > 0 {
		rows = w.lastOfEach(rows)
	}
	out := make([]any, w.width)
	for i := range out {
		column := make(pgtype.FlatArray[any], len(rows)) // of a []any pgx would read each value by reflection
		for k, row := range rows {
			column[k] = row[i]
		}
		out[i] = column
	}
	return out
}

func (w *write) lastOfEach(rows [][]any) [][]any {
	at := make(map[string]int, len(rows))
	out := rows[:0:0]
	for _, row := range rows {
		key := fmt.Sprint(row[w.width-w.keys:]...)
		if w.keys > 1 {
			key = fmt.Sprintf("%q", row[w.width-w.keys:])
		}
		if i, seen := at[key]; seen {
			out[i] = row
			continue
		}
		at[key] = len(out)
		out = append(out, row)
	}
	return out
}
