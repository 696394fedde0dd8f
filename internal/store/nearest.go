package store

import (
	"context"
	"fmt"
	"time"
)

// The live terms of a person stand on the cases of the person, which are many after twenty years. Those that end first are found along
// the day of the next term of each case (next_due): whatever stands on a case further on ends no earlier. A root has the next term of
// its whole tree there, which may be a child's and another person's: then some cases give no term, and more of them are asked for.

// personTerms finds the live terms that end after from on the cases whose RUP or officer is a person, soonest first, at most limit.
func (db *DB) personTerms(ctx context.Context, scope Scope, person string, from time.Time, limit int) ([]Term, error) {
	for most := 2 * (limit + 1); ; most *= 4 {
		ids, known, err := db.nearestCases(ctx, scope, person, from, most)
		if err != nil {
			return nil, err
		}
		w := &conditions{}
		in, arg, err := db.among("case_id", ids, 1)
		if err != nil {
			return nil, err
		}
		w.args = append(w.args, arg)
		found := nearestOf(w, scope, from, limit, isLive, in) + " UNION " + // a suspended term is nobody's next
			nearestOf(w, scope, from, limit, "status = 'suspended'", w.term("(SELECT c.officer = ? OR c.rup = ? FROM cases c WHERE c.id = deadlines.case_id)", person, person))
		out, err := db.termsFound(ctx, scope, found, w.args, limit)
		if err != nil || known.IsZero() || len(out) == limit && out[limit-1].DueAt.Before(known) {
			return out, err
		}
	}
}

// nearestCases gives the cases of a person on which something runs: of each of the two ways to be in charge most cases, those whose
// next term after from ends first, and all whose next term has ended before. known is until when their terms are all that there are;
// zero: for ever.
func (db *DB) nearestCases(ctx context.Context, scope Scope, person string, from time.Time, most int) (ids []string, known time.Time, err error) {
	ids = []string{}
	var qs []query
	for _, column := range []string{"officer", "rup"} {
		w := &conditions{}
		of := "SELECT id, next_due FROM cases WHERE " + w.term(column+" = ? AND "+column+" <> '' AND next_due IS NOT NULL", person) + andWithin(w, scope) + " AND next_due "
		over, n := w.term("<= ?", from), 0
		qs = append(qs, query{sql: of + over, args: w.args, scan: func(r rows) error {
			var id string
			var next time.Time
			err := r.Scan(&id, &next)
			ids = append(ids, id)
			return err
		}}, query{sql: of + fmt.Sprintf("> $%d ORDER BY %s, next_due, id LIMIT %d", len(w.args), column, most), args: w.args, scan: func(r rows) error {
			var id string
			var next time.Time
			if err := r.Scan(&id, &next); err != nil {
				return err
			}
			if n++; n == most && (known.IsZero() || next.Before(known)) {
				known = next
			}
			ids = append(ids, id)
			return nil
		}})
	}
	if db.pool != nil { // a person has few cases or very many
		qs = append([]query{planAnew}, qs...)
	}
	return ids, known, db.read(ctx, scope, qs...)
}

// nearestOf are ids and ends of the first live terms of a kind.
func nearestOf(w *conditions, scope Scope, from time.Time, limit int, terms ...string) string {
	return fmt.Sprintf("SELECT * FROM (SELECT id, due_at FROM deadlines WHERE %s%s ORDER BY due_at, id LIMIT %d) b", and(terms, []string{w.term("due_at > ?", from)}), andWithin(w, scope), limit)
}

// andWithin is the scope as one more condition.
func andWithin(w *conditions, scope Scope) string {
	if scope.All {
		return ""
	}
	return " AND " + w.within(scope)
}
