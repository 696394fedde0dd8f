-- PostgreSQL. Who is told what, by which channel, and what became of it. Addresses of people stand only in contacts.
-- +goose Up
-- When the next reminder of a running deadline is due; NULL: none to come.
ALTER TABLE deadlines ADD COLUMN remind_at timestamptz;
CREATE INDEX deadlines_remind ON deadlines (remind_at, id) WHERE status = 'running' AND remind_at IS NOT NULL;

-- How a person wants to be reached. Without a row: the address in people, and the habits of the role.
CREATE TABLE contacts (
  person      text COLLATE "C" PRIMARY KEY REFERENCES people(id),
  email       text NOT NULL DEFAULT '',      -- instead of people.email
  pec         text NOT NULL DEFAULT '',
  mail        text NOT NULL DEFAULT '',      -- now, digest, off; empty = as the role
  digest_hour integer NOT NULL DEFAULT 8,    -- hour in Italy, 0 to 23
  quiet_from  integer NOT NULL DEFAULT 0,    -- hours in Italy between which nothing is sent; equal = none
  quiet_to    integer NOT NULL DEFAULT 0,
  language    text NOT NULL DEFAULT 'it',
  updated_at  timestamptz NOT NULL
);

-- One row per person (or webhook) and channel. params holds only what that person may see.
CREATE TABLE notices (
  id           text COLLATE "C" PRIMARY KEY,
  source       text COLLATE "C" NOT NULL,    -- outbox:17, digest:2026-03-02, test:…: with person, channel and target never twice
  person       text COLLATE "C" NOT NULL,
  channel      text NOT NULL,                -- app, mail, pec, digest, webhook
  target       text COLLATE "C" NOT NULL DEFAULT '', -- the webhook
  case_id      text COLLATE "C" NOT NULL,
  root         text COLLATE "C" NOT NULL,
  member_body  text COLLATE "C" NOT NULL,
  sua          text COLLATE "C" NOT NULL,
  event        text NOT NULL,
  seq          bigint NOT NULL,
  template     text NOT NULL,
  params       jsonb NOT NULL,
  act          integer NOT NULL DEFAULT 0,   -- 1: the person is expected to do something
  state        text NOT NULL,                -- queued, held (for the digest), sent, delivered, read, failed (tried again), dead
  attempts     integer NOT NULL DEFAULT 0,
  next_try     timestamptz NOT NULL,
  message_id   text NOT NULL DEFAULT '',
  error        text NOT NULL DEFAULT '',
  at           timestamptz NOT NULL,
  sent_at      timestamptz,
  delivered_at timestamptz,
  read_at      timestamptz,
  escalated_at timestamptz,                  -- when it was seen whether anybody had reacted
  UNIQUE (source, person, channel, target)
);
CREATE INDEX notices_person ON notices (person, channel, id DESC);
CREATE INDEX notices_unread ON notices (person) WHERE channel = 'app' AND read_at IS NULL;
CREATE INDEX notices_due ON notices (next_try, id) WHERE state IN ('queued', 'failed');
CREATE INDEX notices_held ON notices (person, id) WHERE state = 'held';
CREATE INDEX notices_act ON notices (at, id) WHERE channel = 'app' AND act = 1 AND escalated_at IS NULL;
CREATE INDEX notices_message ON notices (message_id) WHERE message_id <> '';
CREATE INDEX notices_target ON notices (target, id DESC) WHERE target <> '';

-- Programs that are told of events, in the Standard Webhooks format. The secret signs, so it is kept as it is.
CREATE TABLE webhooks (
  id         text COLLATE "C" PRIMARY KEY,
  owner      text COLLATE "C" NOT NULL REFERENCES people(id),
  body       text COLLATE "C" NOT NULL,      -- whose cases, as member or as SUA
  url        text NOT NULL,
  secret     text NOT NULL,
  events     jsonb NOT NULL,                 -- ids of events; [] = all
  state      text NOT NULL,                  -- active, paused
  created_at timestamptz NOT NULL
);
CREATE INDEX webhooks_body ON webhooks (body);

-- The secret addresses of calendars. One per person.
CREATE TABLE calendar_links (
  person     text COLLATE "C" PRIMARY KEY REFERENCES people(id),
  hash       bytea NOT NULL UNIQUE,          -- SHA-256 of the secret; the secret is never stored
  created_at timestamptz NOT NULL
);

-- What certified mail answered: evidence, never changed. One row for each receipt whose signature was checked.
CREATE TABLE receipts (
  id          text COLLATE "C" PRIMARY KEY,
  notice      text COLLATE "C" NOT NULL REFERENCES notices(id),
  case_id     text COLLATE "C" NOT NULL,
  root        text COLLATE "C" NOT NULL,
  member_body text COLLATE "C" NOT NULL,
  sua         text COLLATE "C" NOT NULL,
  seq         bigint NOT NULL,               -- the event that the notice tells
  kind        text NOT NULL,                 -- accettazione, avvenuta-consegna, mancata-consegna …
  message_id  text NOT NULL,                 -- of the notice
  provider    text NOT NULL,
  certified   timestamptz NOT NULL,          -- when, as the provider certifies
  signer      text NOT NULL,                 -- subject of the certificate that signed
  sha256      text NOT NULL UNIQUE,
  raw         bytea NOT NULL,                -- the receipt as it came
  at          timestamptz NOT NULL
);
CREATE INDEX receipts_case ON receipts (case_id, seq);
CREATE INDEX receipts_notice ON receipts (notice);

GRANT SELECT, INSERT, UPDATE ON contacts, notices TO sua_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, calendar_links TO sua_app;
GRANT SELECT, INSERT ON receipts TO sua_app;
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY notices_scope ON notices TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY receipts_scope ON receipts TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || member_body || ',' IN current_setting('sua.scope', true)) > 0
  OR position(',' || sua || ',' IN current_setting('sua.scope', true)) > 0);
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
CREATE POLICY webhooks_scope ON webhooks TO sua_app USING (
  current_setting('sua.scope', true) = '*'
  OR position(',' || body || ',' IN current_setting('sua.scope', true)) > 0);
