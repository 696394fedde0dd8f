-- PostgreSQL. What lists, worklists, calendars and figures need so that none of their statements reads a whole table (docs/scale.md).
-- No index here is on a column that a mere move changes (state, stage, revision, updated_at): see docs/decisions/0008.
-- +goose Up
-- Lists of cases below others; those of roots have their indexes since the first migration.
CREATE INDEX cases_below ON cases (updated_on DESC, id DESC) WHERE parent IS NOT NULL;
CREATE INDEX cases_member_below ON cases (member_body, updated_on DESC, id DESC) WHERE parent IS NOT NULL;
CREATE INDEX cases_sua_below ON cases (sua, updated_on DESC, id DESC) WHERE parent IS NOT NULL;
-- Those still going on: a rare state is looked for among them only.
CREATE INDEX cases_open ON cases (updated_on DESC, id DESC) WHERE parent IS NULL AND outcome = '';
-- The other orders of lists. CASE, not coalesce: the planner does not take coalesce for free of side effects, and would look at it only
-- after row-level security, that is for each row instead of in the index.
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases ((CASE WHEN next_due IS NULL THEN 'infinity' ELSE next_due END), id) WHERE parent IS NULL;
CREATE INDEX cases_due_below ON cases ((CASE WHEN next_due IS NULL THEN 'infinity' ELSE next_due END), id) WHERE parent IS NOT NULL;
CREATE INDEX cases_title ON cases (title COLLATE "C", id) WHERE parent IS NULL;
CREATE INDEX cases_amount ON cases ((CASE WHEN amount IS NULL THEN -1 ELSE amount END), id) WHERE parent IS NULL;
-- Which states the cases that go on are in: without it the planner takes a state for much rarer than it is among them.
CREATE STATISTICS cases_states (mcv) ON state, outcome FROM cases;
-- A person's cases: all of them by day, and the worklist by term.
CREATE INDEX cases_officer ON cases (officer, updated_on DESC, id DESC) WHERE officer <> '';
CREATE INDEX cases_worklist ON cases (officer, (CASE WHEN next_due IS NULL THEN 'infinity' ELSE next_due END), id) WHERE officer <> '' AND outcome = '' AND parent IS NULL;
CREATE INDEX cases_rup ON cases (rup) WHERE rup <> '';
-- The day of the contract, which the efficiency of a SUA is counted from. It is computed from data, so that an update that leaves
-- the day alone touches no index.
ALTER TABLE cases ADD COLUMN signed_on text COLLATE "C" GENERATED ALWAYS AS (data ->> 'contract_signed_on') STORED;
CREATE INDEX cases_signed ON cases (sua, signed_on) WHERE signed_on IS NOT NULL;
-- Live terms by day, for calendars.
CREATE INDEX deadlines_live ON deadlines (due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
CREATE INDEX deadlines_member ON deadlines (member_body, due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
CREATE INDEX deadlines_sua ON deadlines (sua, due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
-- What certified mail said of a case.
CREATE INDEX notices_case ON notices (case_id, id DESC) WHERE channel = 'pec';

-- The words of cases stand apart: a case is updated at each event, its words hardly ever, and an index of words is dear to write.
-- sua_app neither reads nor writes this table: the operators of text search may not look past row-level security, so that under it
-- their index would never be used. It asks case_matching for ids, and reads the cases themselves under its scope.
UPDATE cases SET search = trim(regexp_replace(translate(search, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)), ' +', ' ', 'g'));
CREATE TABLE case_search (
  n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id text COLLATE "C" NOT NULL UNIQUE REFERENCES cases(id),
  words   text NOT NULL                      -- cases.search: folded, letters and digits between single spaces
);
INSERT INTO case_search (case_id, words) SELECT id, search FROM cases WHERE search <> '';
CREATE INDEX case_search_words ON case_search USING gin (array_to_tsvector(string_to_array(words, ' ')));
-- +goose StatementBegin
CREATE FUNCTION case_search_add() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO case_search (case_id, words) SELECT id, search FROM fresh WHERE search <> '';
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION case_search_renew() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO case_search (case_id, words) VALUES (NEW.id, NEW.search) ON CONFLICT (case_id) DO UPDATE SET words = excluded.words;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER cases_search_add AFTER INSERT ON cases REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION case_search_add();
CREATE TRIGGER cases_search_renew AFTER UPDATE OF search ON cases FOR EACH ROW WHEN (OLD.search <> NEW.search) EXECUTE FUNCTION case_search_renew();
-- The ids of the cases that have words beginning with each of those asked for: 'scuola':* & 'lott':*
-- +goose StatementBegin
CREATE FUNCTION case_matching(query text) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path FROM CURRENT AS $$
  SELECT case_id FROM case_search WHERE array_to_tsvector(string_to_array(words, ' ')) @@ query::tsquery
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION case_matching(text), case_search_add(), case_search_renew() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_matching(text) TO sua_app;
