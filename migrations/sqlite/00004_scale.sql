-- SQLite. Same tables and columns as postgres/, compared by a test. What lists, worklists, calendars and figures need so that none of
-- their statements reads a whole table (docs/scale.md).
-- +goose Up
-- Of roots it said nothing, but SQLite took it for the way to them, and then sorted them all.
DROP INDEX cases_parent;
CREATE INDEX cases_parent ON cases (parent, child, ordinal) WHERE parent IS NOT NULL;
CREATE INDEX cases_below ON cases (updated_on DESC, id DESC) WHERE parent IS NOT NULL;
CREATE INDEX cases_member_below ON cases (member_body, updated_on DESC, id DESC) WHERE parent IS NOT NULL;
CREATE INDEX cases_sua_below ON cases (sua, updated_on DESC, id DESC) WHERE parent IS NOT NULL;
CREATE INDEX cases_open ON cases (updated_on DESC, id DESC) WHERE parent IS NULL AND outcome = '';
DROP INDEX cases_due;
CREATE INDEX cases_due ON cases (coalesce(next_due, '9999'), id) WHERE parent IS NULL;
CREATE INDEX cases_due_below ON cases (coalesce(next_due, '9999'), id) WHERE parent IS NOT NULL;
CREATE INDEX cases_title ON cases (title, id) WHERE parent IS NULL;
CREATE INDEX cases_amount ON cases (coalesce(amount, -1), id) WHERE parent IS NULL;
CREATE INDEX cases_officer ON cases (officer, updated_on DESC, id DESC) WHERE officer <> '';
CREATE INDEX cases_worklist ON cases (officer, coalesce(next_due, '9999'), id) WHERE officer <> '' AND outcome = '' AND parent IS NULL;
CREATE INDEX cases_rup ON cases (rup) WHERE rup <> '';
ALTER TABLE cases ADD COLUMN signed_on text GENERATED ALWAYS AS (data ->> 'contract_signed_on') VIRTUAL;
CREATE INDEX cases_signed ON cases (sua, signed_on) WHERE signed_on IS NOT NULL;
CREATE INDEX deadlines_live ON deadlines (due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
CREATE INDEX deadlines_member ON deadlines (member_body, due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
CREATE INDEX deadlines_sua ON deadlines (sua, due_at, id) WHERE status IN ('running', 'blocked', 'suspended');
CREATE INDEX notices_case ON notices (case_id, id DESC) WHERE channel = 'pec';

-- The words of cases, apart from them. The tokenizer of case_words splits at what is no letter or digit, as the program does before.
CREATE TABLE case_search (
  n       integer PRIMARY KEY AUTOINCREMENT,
  case_id text NOT NULL UNIQUE REFERENCES cases(id),
  words   text NOT NULL                      -- cases.search: folded, letters and digits between single spaces
);
CREATE VIRTUAL TABLE case_words USING fts5(words, content='case_search', content_rowid='n', detail=none, tokenize='unicode61 remove_diacritics 0');
-- +goose StatementBegin
CREATE TRIGGER case_search_add AFTER INSERT ON case_search BEGIN
  INSERT INTO case_words (rowid, words) VALUES (new.n, new.words);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_search_renew AFTER UPDATE ON case_search BEGIN
  INSERT INTO case_words (case_words, rowid, words) VALUES ('delete', old.n, old.words);
  INSERT INTO case_words (rowid, words) VALUES (new.n, new.words);
END;
-- +goose StatementEnd
-- There is no trigger on new cases: the program adds their words for all new cases of a transaction at once, because the index of
-- words goes to the file at the end of every statement that changes it.
-- +goose StatementBegin
CREATE TRIGGER cases_search_renew AFTER UPDATE OF search ON cases WHEN old.search <> new.search BEGIN
  INSERT INTO case_search (case_id, words) VALUES (new.id, new.search) ON CONFLICT (case_id) DO UPDATE SET words = excluded.words;
END;
-- +goose StatementEnd
UPDATE cases SET search = trim(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(search, '!', ' '), '"', ' '), '#', ' '), '$', ' '), '%', ' '), '&', ' '), '''', ' '), '(', ' '), ')', ' '), '*', ' '), '+', ' '), ',', ' '), '-', ' '), '.', ' '), '/', ' '), ':', ' '), ';', ' '), '<', ' '), '=', ' '), '>', ' '), '?', ' '), '@', ' '), '[', ' '), '\', ' '), ']', ' '), '^', ' '), '_', ' '), '`', ' '), '{', ' '), '|', ' '), '}', ' '), '~', ' ')) WHERE search GLOB '*[^a-z0-9 ]*';
-- the triggers above have added those just changed
INSERT INTO case_search (case_id, words) SELECT id, search FROM cases WHERE search <> '' ON CONFLICT (case_id) DO NOTHING;
