-- SQLite. Same tables and columns as postgres/, compared by a test. The calendar of a person: along the day of the next term of each of the person's cases, and the suspended terms,
-- which are nobody's next (docs/scale.md). Imported cases have no term, so that an import pays nothing for these indexes; a mere move
-- does not change next_due.
-- +goose Up
CREATE INDEX cases_officer_next ON cases (officer, next_due, id) WHERE officer <> '' AND next_due IS NOT NULL;
CREATE INDEX cases_rup_next ON cases (rup, next_due, id) WHERE rup <> '' AND next_due IS NOT NULL;
CREATE INDEX deadlines_suspended ON deadlines (due_at, id) WHERE status = 'suspended';
