-- PostgreSQL. The owner migrates, sua_app serves; the scope of a request is the setting sua.scope: bodies
-- between commas (",a,b,"), or *. Plain functions and no sub-select: a policy is part of every statement's price.
-- +goose Up
-- Who takes part. Names of people stand only here, never in the chained history.
CREATE TABLE bodies (
  id         text COLLATE "C" PRIMARY KEY CHECK (position(',' IN id) = 0),
  kind       text NOT NULL,                 -- comune, provincia, other
  name       text NOT NULL,
  tax_code   text NOT NULL UNIQUE,          -- codice fiscale, or ANAC's CFAVCP-… code
  istat      text NOT NULL DEFAULT '',
  nuts       text NOT NULL DEFAULT '',
  patron     text NOT NULL DEFAULT '',      -- patron saint of the seat, MM-DD
  works_level    text NOT NULL DEFAULT '',  -- qualification (art. 63): L3, L2, L1; empty = not known
  services_level text NOT NULL DEFAULT '',  -- SF3, SF2, SF1
  source     text NOT NULL DEFAULT '',      -- 'anac' when an import made it
  created_at timestamptz NOT NULL
);
CREATE TABLE people (
  id         text COLLATE "C" PRIMARY KEY,
  name       text NOT NULL,
  email      text NOT NULL DEFAULT '',
  demo       integer NOT NULL DEFAULT 0,    -- 1: a demonstration account, usable only from this machine
  created_at timestamptz NOT NULL
);
CREATE TABLE memberships (
  person text COLLATE "C" NOT NULL REFERENCES people(id),
  body   text COLLATE "C" NOT NULL,                     -- a body, or * for those who control all of them
  role   text NOT NULL,
  PRIMARY KEY (person, body, role)
);
CREATE TABLE tokens (
  hash       bytea PRIMARY KEY,              -- SHA-256 of the secret; the secret is never stored
  person     text COLLATE "C" NOT NULL REFERENCES people(id),
  label      text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE TABLE agreements (
  id          text COLLATE "C" PRIMARY KEY,
  member_body text COLLATE "C" NOT NULL REFERENCES bodies(id),
  sua         text COLLATE "C" NOT NULL REFERENCES bodies(id),
  valid_from  text NOT NULL,                -- first and last day, YYYY-MM-DD; empty end = open
  valid_to    text NOT NULL DEFAULT '',
  acts        jsonb NOT NULL                 -- act -> member | sua: who adopts it
);
CREATE INDEX agreements_pair ON agreements (member_body, sua);

-- Definitions as released: exact bytes, never changed.
CREATE TABLE definitions (
  hash      text PRIMARY KEY,
  workflow  text NOT NULL,
  version   integer NOT NULL,
  source    bytea NOT NULL,
  pinned_at timestamptz NOT NULL,
  UNIQUE (workflow, version)
);

-- Everything that has a state is a case; cases form trees. The root carries the head of the tree's chain.
CREATE TABLE cases (
  id          text COLLATE "C" PRIMARY KEY,
  workflow    text NOT NULL,
  version     integer NOT NULL,
  hash        text NOT NULL REFERENCES definitions(hash),
  state       text NOT NULL,
  stage       text NOT NULL,
  previous    text NOT NULL DEFAULT '',     -- state before this one
  visited     text NOT NULL DEFAULT '',     -- states it has been in, with spaces around: secrets open by them
  outcome     text NOT NULL DEFAULT '',     -- of the final state; empty while it goes on
  revision    bigint NOT NULL,
  parent      text COLLATE "C" REFERENCES cases(id),
  root        text COLLATE "C" NOT NULL,
  child       text NOT NULL DEFAULT '',     -- under which declaration of the parent (lots, integrations …)
  ordinal     integer NOT NULL DEFAULT 0,   -- 1, 2, 3 … within it
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  officer     text COLLATE "C" NOT NULL DEFAULT '',
  rup         text COLLATE "C" NOT NULL DEFAULT '',
  title       text NOT NULL DEFAULT '',
  search      text NOT NULL DEFAULT '',     -- folded words to look for
  cig         text NOT NULL DEFAULT '',
  cup         text NOT NULL DEFAULT '',
  amount      bigint,                       -- euro cents
  data        jsonb NOT NULL,
  rules_date  text NOT NULL DEFAULT '',     -- day that picks the law, once frozen
  next_due    timestamptz,                         -- of its running deadlines; on a root, of the whole tree
  opened_at   timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  updated_on  text COLLATE "C" NOT NULL,                -- its day in Italy: what lists sort by. An index on the instant would be rewritten, with all others, at each event
  ended_at    timestamptz,
  source      text NOT NULL DEFAULT '',     -- 'anac-cig' for imported cases
  source_key  text NOT NULL DEFAULT '',
  chain_seq   bigint NOT NULL DEFAULT 0,    -- root only: number, hash and time of the tree's last event
  chain_hash  bytea,
  chain_at    timestamptz
) WITH (fillfactor=85);
CREATE INDEX cases_root ON cases (root);
CREATE INDEX cases_parent ON cases (parent, child, ordinal);
CREATE INDEX cases_updated ON cases (updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_due ON cases (next_due, id) WHERE parent IS NULL AND outcome = '' AND next_due IS NOT NULL;
CREATE INDEX cases_member ON cases (member_body, updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_sua ON cases (sua, updated_on DESC, id DESC) WHERE parent IS NULL;
CREATE INDEX cases_cig ON cases (cig) WHERE cig <> '';
CREATE UNIQUE INDEX cases_source ON cases (source, source_key) WHERE source <> '';

CREATE TABLE case_rows (
  case_id     text COLLATE "C" NOT NULL REFERENCES cases(id),
  register    text NOT NULL,
  row         integer NOT NULL,
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  data        jsonb NOT NULL,
  changed_seq bigint NOT NULL,              -- event that added or last changed it
  PRIMARY KEY (case_id, register, row)
);
CREATE INDEX case_rows_root ON case_rows (root);

-- The history. header holds the exact bytes the chain covers; the parts may be emptied by lawful erasure, nothing else moves.
CREATE TABLE events (
  root          text COLLATE "C" NOT NULL,
  seq           bigint NOT NULL,
  case_id       text COLLATE "C" NOT NULL,
  member_body   text COLLATE "C" NOT NULL,
  sua           text COLLATE "C" NOT NULL,
  event         text NOT NULL,
  at            timestamptz NOT NULL,
  effective     timestamptz NOT NULL,
  actor         text NOT NULL,
  header        bytea NOT NULL,
  hash          bytea NOT NULL,
  open_salt     bytea, open_body     bytea,
  secret_salt   bytea, secret_body   bytea,
  personal_salt bytea, personal_body bytea,
  PRIMARY KEY (root, seq)
);

CREATE TABLE deadlines (
  id          text COLLATE "C" PRIMARY KEY,
  case_id     text COLLATE "C" NOT NULL REFERENCES cases(id),
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  name        text NOT NULL,
  status      text NOT NULL,                -- running, met, expired, cancelled, suspended, blocked
  started_at  timestamptz NOT NULL,                -- instant from which it counts
  started_seq bigint NOT NULL,              -- event that started it
  due_at      timestamptz NOT NULL,                -- first instant at which the term is over
  last_day    text NOT NULL,                -- last useful day, YYYY-MM-DD
  limit_key   text NOT NULL DEFAULT '',
  explanation jsonb NOT NULL,                -- it, en
  revision    bigint NOT NULL,
  next_try    timestamptz NOT NULL,                -- when a worker looks at it
  blocked_by  jsonb,                         -- code and parameters of the refusal that holds it back
  ended_at    timestamptz
);
CREATE INDEX deadlines_try ON deadlines (next_try, id) WHERE status IN ('running', 'blocked');
CREATE INDEX deadlines_case ON deadlines (case_id, status);
CREATE INDEX deadlines_root ON deadlines (root, status);

CREATE TABLE documents (
  id          text COLLATE "C" PRIMARY KEY,
  case_id     text COLLATE "C" NOT NULL REFERENCES cases(id),
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  type        text NOT NULL,
  name        text NOT NULL,
  media       text NOT NULL,
  size        bigint NOT NULL,
  sha256      text NOT NULL,
  uploaded_by text NOT NULL,
  at          timestamptz NOT NULL,
  seq         bigint NOT NULL               -- event that recorded it
);
CREATE INDEX documents_case ON documents (case_id, type);
CREATE INDEX documents_root ON documents (root);

CREATE TABLE links (
  from_case   text COLLATE "C" NOT NULL REFERENCES cases(id),
  to_case     text COLLATE "C" NOT NULL REFERENCES cases(id),
  kind        text NOT NULL,                -- re_tender_of, replaces, call_off_of …
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (from_case, to_case, kind)
);
CREATE INDEX links_to ON links (to_case);

-- What must leave the building after the commit.
CREATE TABLE outbox (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic       text NOT NULL,
  case_id     text COLLATE "C" NOT NULL,
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  payload     jsonb NOT NULL,
  at          timestamptz NOT NULL,
  sent_at     timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

CREATE TABLE idempotency (
  actor     text NOT NULL,
  path      text NOT NULL,
  key       text NOT NULL,
  body_hash bytea NOT NULL,
  answer    bytea NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (actor, path, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- The application's role: it may add to the history, never change it. Create it with a password beforehand
-- (configs/postgres-init.sql does); where the migrating role may, it is created here without login.
-- +goose StatementBegin
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sua_app') THEN
    CREATE ROLE sua_app NOLOGIN;
  END IF;
END $$;
-- +goose StatementEnd
GRANT SELECT, INSERT ON events, definitions, documents, links TO sua_app;
GRANT SELECT, INSERT, UPDATE ON bodies, people, agreements, cases, case_rows, deadlines, outbox TO sua_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, tokens, idempotency TO sua_app;
GRANT SELECT ON goose_db_version TO sua_app;
ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY cases_scope ON cases TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE case_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_rows_scope ON case_rows TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY events_scope ON events TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE deadlines ENABLE ROW LEVEL SECURITY;
CREATE POLICY deadlines_scope ON deadlines TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY documents_scope ON documents TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE links ENABLE ROW LEVEL SECURITY;
CREATE POLICY links_scope ON links TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY outbox_scope ON outbox TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
