package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// walkMost is how many cases, in the order asked for, are looked at for words before their index is asked: a word that many cases
// have fills a page from the first of them, and of one that few have the index names them all. docs/scale.md says more.
const walkMost = 1_000

// branchesMost bounds the bodies of a scope for each of which a list is walked by itself.
const branchesMost = 4

// Cases returns a page and the cursor of the next one ("" at the end). Pages are keyset pages: they cost the same at any depth.
func (db *DB) Cases(ctx context.Context, scope Scope, f CaseFilter) ([]Case, string, error) {
	if f.Sort == "" {
		f.Sort = "updated"
	}
	order, ok := sorts[f.Sort]
	if !ok {
		return nil, "", fmt.Errorf("list cases: unknown order %q", f.Sort)
	}
	for _, text := range append([]string{f.Workflow, f.State, f.Stage, f.Body, f.Officer}, f.Words...) {
		if !storable(text) {
			return nil, "", nil // no case can match
		}
	}
	if !scope.All && len(scope.Bodies) == 0 {
		return nil, "", nil
	}
	l := listing{CaseFilter: f, scope: scope, expr: order.sqlite, pg: db.pool != nil, words: lexemes(f.Words)}
	if l.pg {
		l.expr = order.pg
	}
	if len(l.words) > 0 {
		page, next, err := db.page(ctx, l, l.walked)
		if err != nil || next != "" {
			return page, next, err
		}
	}
	return db.page(ctx, l, l.whole)
}

// page runs the statement that build makes.
func (db *DB) page(ctx context.Context, l listing, build func(*conditions) (string, error)) ([]Case, string, error) {
	w := &conditions{}
	sql, err := build(w)
	if err != nil {
		return nil, "", err
	}
	var out []Case
	var values []string
	qs := []query{{sql: sql, args: w.args, scan: func(r rows) error {
		var v string
		c, err := scanCase(r, &v)
		if err != nil {
			return err
		}
		out, values = append(out, *c), append(values, v)
		return nil
	}}}
	if db.pool != nil { // a plan for any body and any state would be wrong for most
		qs = append([]query{planAnew}, qs...)
	}
	if err := db.read(ctx, l.scope, qs...); err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}
	if len(out) <= l.Limit {
		return out, "", nil
	}
	out = out[:l.Limit]
	next, err := json.Marshal(cursor{l.Sort, values[l.Limit-1], out[l.Limit-1].ID})
	return out, base64.RawURLEncoding.EncodeToString(next), err
}

// planAnew has PostgreSQL plan the statements of this transaction for the values they are given, and for pages that are mostly in
// memory: with the usual price of a page it reads a middling table whole rather than a thousand rows of it in order.
var planAnew = query{
	sql:  "SELECT set_config('plan_cache_mode', 'force_custom_plan', true) || set_config('random_page_cost', '1.1', true)",
	scan: func(r rows) error { var s string; return r.Scan(&s) },
}

// lexemes splits words where the index of words does: at all that is neither letter nor digit.
func lexemes(words []string) []string {
	return strings.FieldsFunc(strings.Join(words, " "), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
}

// listing is a filter on its way to a statement.
type listing struct {
	CaseFilter
	scope Scope
	expr  string // what it is sorted by
	pg    bool
	words []string
}

// ordered is the order of the list by an expression, and how many of it.
func (l *listing) ordered(expr string, n int) string {
	dir := "ASC"
	if l.Desc {
		dir = "DESC"
	}
	order := " ORDER BY id " + dir
	if l.expr != "id" {
		order = " ORDER BY " + expr + " " + dir + ", id " + dir
	}
	return order + fmt.Sprintf(" LIMIT %d", n)
}

func (l *listing) selected() string {
	return "SELECT " + caseColumns + ", CAST(" + l.expr + " AS text) AS sort_value FROM cases WHERE "
}

// whole is the statement over all cases; those with words are found by the index of words.
func (l *listing) whole(w *conditions) (string, error) {
	if len(l.words) > 0 {
		terms, err := l.strong(w, "", l.below())
		if err != nil {
			return "", err
		}
		return l.selected() + and(terms, l.weak(w), []string{l.matching(w)}) + l.ordered(l.expr, l.Limit+1), nil
	}
	branches, err := l.branches(w)
	if err != nil {
		return "", err
	}
	if len(branches) == 1 {
		return l.selected() + and(branches[0], l.weak(w)) + l.ordered(l.expr, l.Limit+1), nil
	}
	parts := make([]string, len(branches))
	for i, b := range branches {
		parts[i] = "SELECT * FROM (SELECT id, " + l.expr + " AS k FROM cases WHERE " + and(b, l.weak(w)) + l.ordered(l.expr, l.Limit+1) + ") b"
	}
	return l.rejoined(strings.Join(parts, " UNION ALL ")), nil
}

// walked is the statement that looks for words only among the first cases in the order asked for.
func (l *listing) walked(w *conditions) (string, error) {
	branches, err := l.branches(w)
	if err != nil {
		return "", err
	}
	parts := make([]string, len(branches))
	for i, b := range branches {
		parts[i] = "SELECT id, k FROM (SELECT id, " + l.expr + " AS k, workflow, state, stage, officer, outcome, next_due, search FROM cases WHERE " +
			and(b) + l.ordered(l.expr, walkMost) + ") b WHERE " + and(l.weak(w), l.literally(w))
	}
	return l.rejoined(strings.Join(parts, " UNION ALL ")), nil
}

// rejoined reads the cases whose ids a statement found, in order.
func (l *listing) rejoined(found string) string {
	return l.selected() + "id IN (SELECT id FROM (" + found + ") x" + l.ordered("k", l.Limit+1) + ")" + l.ordered(l.expr, l.Limit+1)
}

// below are the kinds of case that the filter lets through, as conditions on parent.
func (l *listing) below() string {
	if l.Children {
		return ""
	}
	return "parent IS NULL"
}

// branches are conditions that exclude each other and together are what every case of the list fulfils. Each can be walked along an
// index in the order of the day: the union of two columns, or of roots and others, cannot.
func (l *listing) branches(w *conditions) ([][]string, error) {
	one := func(owner, below string) ([][]string, error) {
		terms, err := l.strong(w, owner, below)
		return [][]string{terms}, err
	}
	if l.Officer != "" {
		return one("", l.below())
	}
	kinds := []string{"parent IS NULL"}
	if l.Children {
		kinds = append(kinds, "parent IS NOT NULL")
	}
	var out [][]string
	for _, kind := range kinds {
		owners := []string{""}
		if l.Sort == "updated" {
			owners = l.owners(w)
		}
		for _, owner := range owners {
			terms, err := one(owner, kind)
			if err != nil {
				return nil, err
			}
			out = append(out, terms...)
		}
	}
	return out, nil
}

// owners are the ways in which a case can belong to the body asked for, or to the scope: as member body, else as SUA. One empty way
// says that the scope is a condition like others.
func (l *listing) owners(w *conditions) []string {
	bodies := l.scope.Bodies
	switch {
	case l.Body != "":
		bodies = []string{l.Body}
	case l.scope.All || len(bodies) > branchesMost:
		return []string{""}
	}
	return ownersOf(w, bodies)
}

// ownersOf are conditions that exclude each other: a row of each body as member body, else as SUA.
func ownersOf(w *conditions, bodies []string) []string {
	bodies = slices.Compact(slices.Sorted(slices.Values(bodies)))
	var out []string
	for _, b := range bodies {
		out = append(out, w.term("member_body = ?", b))
	}
	for _, b := range bodies {
		out = append(out, w.term("sua = ? AND NOT "+w.in("member_body", bodies), append([]any{b}, anys(bodies)...)...))
	}
	return out
}

// strong are the conditions that an index serves: whose case it is, whether it is a root, what comes after the page before.
func (l *listing) strong(w *conditions, owner, below string) ([]string, error) {
	terms := []string{}
	for _, t := range []string{owner, below} {
		if t != "" {
			terms = append(terms, t)
		}
	}
	if owner == "" && l.Body != "" {
		terms = append(terms, w.term("(member_body = ? OR sua = ?)", l.Body, l.Body))
	}
	if !l.scope.All && (owner == "" || l.Body != "") {
		terms = append(terms, w.within(l.scope))
	}
	if l.Officer != "" {
		terms = append(terms, w.term("officer = ? AND officer <> ''", l.Officer)) // the second says nothing new, but names the index
	}
	if l.After != "" {
		term, err := w.after(l.CaseFilter, l.expr)
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return terms, nil
}

// weak are the other conditions: most of them change too often to stand in an index of cases.
func (l *listing) weak(w *conditions) []string {
	var terms []string
	for _, c := range []struct{ term, value string }{{"workflow = ?", l.Workflow}, {"state = ?", l.State}, {"stage = ?", l.Stage}} {
		if c.value != "" {
			terms = append(terms, w.term(c.term, c.value))
		}
	}
	if !l.DueBefore.IsZero() {
		due := sorts["due"].sqlite
		if l.pg {
			due = sorts["due"].pg
		}
		terms = append(terms, w.term(due+" < ?", l.DueBefore))
	}
	if l.Open != nil && *l.Open {
		terms = append(terms, "outcome = ''")
	} else if l.Open != nil {
		terms = append(terms, "outcome <> ''")
	}
	return terms
}

// literally finds words in the text of the case itself.
func (l *listing) literally(w *conditions) []string {
	var terms []string
	for _, word := range l.words { // letters and digits: nothing that LIKE would take for a sign
		terms = append(terms, w.term("' ' || search LIKE ?", "% "+word+"%"))
	}
	return terms
}

// matching finds the cases with words by the index of words. See migrations.
func (l *listing) matching(w *conditions) string {
	if l.pg {
		return w.term("id IN (SELECT case_matching(?))", "'"+strings.Join(l.words, "':* & '")+"':*")
	}
	return w.term("id IN (SELECT s.case_id FROM case_words JOIN case_search s ON s.n = case_words.rowid WHERE case_words MATCH ?)", `"`+strings.Join(l.words, `"* "`)+`"*`)
}

// and joins lists of conditions.
func and(lists ...[]string) string {
	var terms []string
	for _, l := range lists {
		terms = append(terms, l...)
	}
	if len(terms) == 0 {
		return "1 = 1"
	}
	return strings.Join(terms, " AND ")
}
