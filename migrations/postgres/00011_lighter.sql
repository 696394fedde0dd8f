-- As for SQLite, where it makes imports lighter (sqlite/00011): imported cases have no contract that was signed here.
-- +goose Up
DROP INDEX cases_signed;
CREATE INDEX cases_signed ON cases (sua, signed_on) WHERE source = '' AND signed_on IS NOT NULL;
