-- SQLite, the embedded default. Same tables and columns as postgres/, compared by a test.
-- +goose Up
-- Who takes part. Names of people stand only here, never in the chained history.
CREATE TABLE bodies (
  id         text PRIMARY KEY CHECK (instr(id, ',') = 0),
  kind       text NOT NULL,                 -- comune, provincia, other
  name       text NOT NULL,
  tax_code   text NOT NULL UNIQUE,          -- codice fiscale, or ANAC's CFAVCP-… code
  istat      text NOT NULL DEFAULT '',
  nuts       text NOT NULL DEFAULT '',
  patron     text NOT NULL DEFAULT '',      -- patron saint of the seat, MM-DD
  works_level    text NOT NULL DEFAULT '',  -- qualification (art. 63): L3, L2, L1; empty = not known
  services_level text NOT NULL DEFAULT '',  -- SF3, SF2, SF1
  source     text NOT NULL DEFAULT '',      -- 'anac' when an import made it
  created_at datetime NOT NULL
);
CREATE TABLE people (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  email      text NOT NULL DEFAULT '',
  demo       integer NOT NULL DEFAULT 0,    -- 1: a demonstration account, usable only from this machine
  created_at datetime NOT NULL
);
CREATE TABLE memberships (
  person text NOT NULL REFERENCES people(id),
  body   text NOT NULL,                     -- a body, or * for those who control all of them
  role   text NOT NULL,
  PRIMARY KEY (person, body, role)
);
CREATE TABLE tokens (
  hash       blob PRIMARY KEY,              -- SHA-256 of the secret; the secret is never stored
  person     text NOT NULL REFERENCES people(id),
  label      text NOT NULL,
  created_at datetime NOT NULL,
  expires_at datetime NOT NULL
);
CREATE TABLE agreements (
  id          text PRIMARY KEY,
  member_body text NOT NULL REFERENCES bodies(id),
  sua         text NOT NULL REFERENCES bodies(id),
  valid_from  text NOT NULL,                -- first and last day, YYYY-MM-DD; empty end = open
  valid_to    text NOT NULL DEFAULT '',
  acts        text NOT NULL                 -- act -> member | sua: who adopts it
);
CREATE INDEX agreements_pair ON agreements (member_body, sua);

-- Definitions as released: exact bytes, never changed.
CREATE TABLE definitions (
  hash      text PRIMARY KEY,
  workflow  text NOT NULL,
  version   integer NOT NULL,
  source    blob NOT NULL,
  pinned_at datetime NOT NULL,
  UNIQUE (workflow, version)
);

-- Everything that has a state is a case; cases form trees. The root carries the head of the tree's chain.
CREATE TABLE cases (
  id          text PRIMARY KEY,
  workflow    text NOT NULL,
  version     integer NOT NULL,
  hash        text NOT NULL REFERENCES definitions(hash),
  state       text NOT NULL,
  stage       text NOT NULL,
  previous    text NOT NULL DEFAULT '',     -- state before this one
  visited     text NOT NULL DEFAULT '',     -- states it has been in, with spaces around: secrets open by them
  outcome     text NOT NULL DEFAULT '',     -- of the final state; empty while it goes on
  revision    bigint NOT NULL,
  parent      text REFERENCES cases(id),
  root        text NOT NULL,
  child       text NOT NULL DEFAULT '',     -- under which declaration of the parent (lots, integrations …)
  ordinal     integer NOT NULL DEFAULT 0,   -- 1, 2, 3 … within it
  member_body text NOT NULL,
  sua         text NOT NULL,
  officer     text NOT NULL DEFAULT '',
  rup         text NOT NULL DEFAULT '',
  title       text NOT NULL DEFAULT '',
  search      text NOT NULL DEFAULT '',     -- folded words to look for
  cig         text NOT NULL DEFAULT '',
  cup         text NOT NULL DEFAULT '',
  amount      bigint,                       -- euro cents
  data        text NOT NULL,
  rules_date  text NOT NULL DEFAULT '',     -- day that picks the law, once frozen
  next_due    datetime,                         -- of its running deadlines; on a root, of the whole tree
  opened_at   datetime NOT NULL,
  updated_at  datetime NOT NULL,
  updated_on  text NOT NULL,                -- its day in Italy: what lists sort by. An index on the instant would be rewritten, with all others, at each event
  ended_at    datetime,
  source      text NOT NULL DEFAULT '',     -- 'anac-cig' for imported cases
  source_key  text NOT NULL DEFAULT '',
  chain_seq   bigint NOT NULL DEFAULT 0,    -- root only: number, hash and time of the tree's last event
  chain_hash  blob,
  chain_at    datetime
);
CREATE INDEX cases_root ON cases (root);
CREATE INDEX cases_parent ON cases (parent, child, ordinal);
CREATE INDEX cases_updated ON cases (updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_due ON cases (next_due, id) WHERE parent IS NULL AND outcome = '' AND next_due IS NOT NULL;
CREATE INDEX cases_member ON cases (member_body, updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_sua ON cases (sua, updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_cig ON cases (cig) WHERE cig <> '';
CREATE UNIQUE INDEX cases_source ON cases (source, source_key) WHERE source <> '';

CREATE TABLE case_rows (
  case_id     text NOT NULL REFERENCES cases(id),
  register    text NOT NULL,
  row         integer NOT NULL,
  root        text NOT NULL,
  member_body text NOT NULL,
  sua         text NOT NULL,
  data        text NOT NULL,
  changed_seq bigint NOT NULL,              -- event that added or last changed it
  PRIMARY KEY (case_id, register, row)
);
CREATE INDEX case_rows_root ON case_rows (root);

-- The history. header holds the exact bytes the chain covers; the parts may be emptied by lawful erasure, nothing else moves.
CREATE TABLE events (
  root          text NOT NULL,
  seq           bigint NOT NULL,
  case_id       text NOT NULL,
  member_body   text NOT NULL,
  sua           text NOT NULL,
  event         text NOT NULL,
  at            datetime NOT NULL,
  effective     datetime NOT NULL,
  actor         text NOT NULL,
  header        blob NOT NULL,
  hash          blob NOT NULL,
  open_salt     blob, open_body     blob,
  secret_salt   blob, secret_body   blob,
  personal_salt blob, personal_body blob,
  PRIMARY KEY (root, seq)
);

CREATE TABLE deadlines (
  id          text PRIMARY KEY,
  case_id     text NOT NULL REFERENCES cases(id),
  root        text NOT NULL,
  member_body text NOT NULL,
  sua         text NOT NULL,
  name        text NOT NULL,
  status      text NOT NULL,                -- running, met, expired, cancelled, suspended, blocked
  started_at  datetime NOT NULL,                -- instant from which it counts
  started_seq bigint NOT NULL,              -- event that started it
  due_at      datetime NOT NULL,                -- first instant at which the term is over
  last_day    text NOT NULL,                -- last useful day, YYYY-MM-DD
  limit_key   text NOT NULL DEFAULT '',
  explanation text NOT NULL,                -- it, en
  revision    bigint NOT NULL,
  next_try    datetime NOT NULL,                -- when a worker looks at it
  blocked_by  text,                         -- code and parameters of the refusal that holds it back
  ended_at    datetime
);
CREATE INDEX deadlines_try ON deadlines (next_try, id) WHERE status IN ('running', 'blocked');
CREATE INDEX deadlines_case ON deadlines (case_id, status);
CREATE INDEX deadlines_root ON deadlines (root, status);

CREATE TABLE documents (
  id          text PRIMARY KEY,
  case_id     text NOT NULL REFERENCES cases(id),
  root        text NOT NULL,
  member_body text NOT NULL,
  sua         text NOT NULL,
  type        text NOT NULL,
  name        text NOT NULL,
  media       text NOT NULL,
  size        bigint NOT NULL,
  sha256      text NOT NULL,
  uploaded_by text NOT NULL,
  at          datetime NOT NULL,
  seq         bigint NOT NULL               -- event that recorded it
);
CREATE INDEX documents_case ON documents (case_id, type);
CREATE INDEX documents_root ON documents (root);

CREATE TABLE links (
  from_case   text NOT NULL REFERENCES cases(id),
  to_case     text NOT NULL REFERENCES cases(id),
  kind        text NOT NULL,                -- re_tender_of, replaces, call_off_of …
  member_body text NOT NULL,
  sua         text NOT NULL,
  at          datetime NOT NULL,
  PRIMARY KEY (from_case, to_case, kind)
);
CREATE INDEX links_to ON links (to_case);

-- What must leave the building after the commit.
CREATE TABLE outbox (
  id          integer PRIMARY KEY AUTOINCREMENT,
  topic       text NOT NULL,
  case_id     text NOT NULL,
  root        text NOT NULL,
  member_body text NOT NULL,
  sua         text NOT NULL,
  payload     text NOT NULL,
  at          datetime NOT NULL,
  sent_at     datetime
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

CREATE TABLE idempotency (
  actor     text NOT NULL,
  path      text NOT NULL,
  key       text NOT NULL,
  body_hash blob NOT NULL,
  answer    blob NOT NULL,
  at        datetime NOT NULL,
  PRIMARY KEY (actor, path, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- SQLite has no roles: triggers keep the history append-only.
-- +goose StatementBegin
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER definitions_no_update BEFORE UPDATE ON definitions BEGIN SELECT RAISE(ABORT, 'definitions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER definitions_no_delete BEFORE DELETE ON definitions BEGIN SELECT RAISE(ABORT, 'definitions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_no_update BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'documents is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_no_delete BEFORE DELETE ON documents BEGIN SELECT RAISE(ABORT, 'documents is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER links_no_update BEFORE UPDATE ON links BEGIN SELECT RAISE(ABORT, 'links is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER links_no_delete BEFORE DELETE ON links BEGIN SELECT RAISE(ABORT, 'links is append-only'); END;
-- +goose StatementEnd
