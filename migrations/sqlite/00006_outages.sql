-- SQLite. Same tables and columns as postgres/, compared by a test. Terms across cases, and outages of the platform with what each did to the terms.
-- +goose Up
-- Terms that are over, of cases that go on.
CREATE INDEX deadlines_over ON deadlines (due_at, id) WHERE status = 'expired';
-- How long the work took in the cases that have ended: what the forecast of a running term is read from.
CREATE INDEX cases_ended ON cases (sua, workflow, id) WHERE outcome <> '' AND source = '';

-- A proven outage: evidence, never changed.
CREATE TABLE outages (
  id          text PRIMARY KEY,
  sua         text NOT NULL,
  bodies      text NOT NULL,                -- member bodies concerned; [] = all of the SUA's
  platform    text NOT NULL,
  from_at     datetime NOT NULL,
  to_at       datetime NOT NULL,          -- first instant at which it worked again
  evidence    text NOT NULL,                 -- what proves it: number of the report, protocol, address
  law         text NOT NULL,
  recorded_by text NOT NULL,
  recorded_at datetime NOT NULL
);
CREATE INDEX outages_sua ON outages (sua, from_at DESC, id);

-- What an outage did to each term: written with the event of the term's tree, once.
CREATE TABLE outage_terms (
  outage      text NOT NULL REFERENCES outages(id),
  deadline    text NOT NULL,
  case_id     text NOT NULL,
  root        text NOT NULL,
  member_body text NOT NULL,
  sua         text NOT NULL,
  name        text NOT NULL,
  due_before  datetime NOT NULL,
  due_after   datetime,                   -- NULL: not extended
  why_not     text,                         -- then the refusal
  seq         bigint NOT NULL DEFAULT 0,     -- event that extended it
  PRIMARY KEY (outage, deadline)
);

-- +goose StatementBegin
CREATE TRIGGER outages_no_update BEFORE UPDATE ON outages BEGIN SELECT RAISE(ABORT, 'outages is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outages_no_delete BEFORE DELETE ON outages BEGIN SELECT RAISE(ABORT, 'outages is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outage_terms_no_update BEFORE UPDATE ON outage_terms BEGIN SELECT RAISE(ABORT, 'outage_terms is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER outage_terms_no_delete BEFORE DELETE ON outage_terms BEGIN SELECT RAISE(ABORT, 'outage_terms is append-only'); END;
-- +goose StatementEnd
