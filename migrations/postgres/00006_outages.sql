-- PostgreSQL. Terms across cases, and outages of the platform with what each did to the terms.
-- +goose Up
-- Terms that are over, of cases that go on.
CREATE INDEX deadlines_over ON deadlines (due_at, id) WHERE status = 'expired';
-- How long the work took in the cases that have ended: what the forecast of a running term is read from.
CREATE INDEX cases_ended ON cases (sua, workflow, id) WHERE outcome <> '' AND source = '';

-- A proven outage: evidence, never changed.
CREATE TABLE outages (
  id          text COLLATE "C" PRIMARY KEY,
  sua         text COLLATE "C" NOT NULL,
  bodies      jsonb NOT NULL,                -- member bodies concerned; [] = all of the SUA's
  platform    text NOT NULL,
  from_at     timestamptz NOT NULL,
  to_at       timestamptz NOT NULL,          -- first instant at which it worked again
  evidence    text NOT NULL,                 -- what proves it: number of the report, protocol, address
  law         text NOT NULL,
  recorded_by text COLLATE "C" NOT NULL,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX outages_sua ON outages (sua, from_at DESC, id);

-- What an outage did to each term: written with the event of the term's tree, once.
CREATE TABLE outage_terms (
  outage      text COLLATE "C" NOT NULL REFERENCES outages(id),
  deadline    text COLLATE "C" NOT NULL,
  case_id     text COLLATE "C" NOT NULL,
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  name        text COLLATE "C" NOT NULL,
  due_before  timestamptz NOT NULL,
  due_after   timestamptz,                   -- NULL: not extended
  why_not     jsonb,                         -- then the refusal
  seq         bigint NOT NULL DEFAULT 0,     -- event that extended it
  PRIMARY KEY (outage, deadline)
);

GRANT SELECT, INSERT ON outages, outage_terms TO sua_app;
ALTER TABLE outages ENABLE ROW LEVEL SECURITY;
CREATE POLICY outages_scope ON outages TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE outage_terms ENABLE ROW LEVEL SECURITY;
CREATE POLICY outage_terms_scope ON outage_terms TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
