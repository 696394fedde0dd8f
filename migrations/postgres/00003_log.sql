-- PostgreSQL. The one sequence of all events, and the Merkle log over it.
-- +goose Up
-- Which transaction wrote an event: what the sequencer goes by, since a transaction that began first may commit last. Events
-- written before this column stood are numbered below, and have 0. A constant default rewrites nothing; the real one comes after.
ALTER TABLE events ADD COLUMN xid bigint NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN xid SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX events_xid ON events (xid);

-- n = 1, 2, 3 … of every committed event: cursor of the change feed, leaf n-1 of the Merkle log. Never changed.
CREATE TABLE log (
  n    bigint PRIMARY KEY,
  root text COLLATE "C" NOT NULL,
  seq  bigint NOT NULL,
  UNIQUE (root, seq)
);
INSERT INTO log (n, root, seq) SELECT row_number() OVER (ORDER BY at, root, seq), root, seq FROM events;

-- One row. n: the last number given; watermark: events of earlier transactions are numbered, in this cluster of PostgreSQL.
CREATE TABLE log_head (
  id        integer PRIMARY KEY CHECK (id = 1),
  n         bigint NOT NULL,
  watermark bigint NOT NULL,
  cluster   text NOT NULL                    -- another one than ours: the database was moved, transactions count anew
);
-- Whoever waits now for the lock on events has a transaction that is still running: it is beyond this watermark.
INSERT INTO log_head (id, n, watermark, cluster) SELECT 1, (SELECT count(*) FROM log), pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
  (SELECT system_identifier::text FROM pg_control_system());

-- Hashes of the Merkle log (c2sp.org/tlog-tiles, height 8): 256 hashes of 32 bytes a tile, the last of each level still growing.
CREATE TABLE tiles (
  level integer NOT NULL,
  n     bigint NOT NULL,
  body  bytea NOT NULL,
  PRIMARY KEY (level, n)
);

-- What was signed of the log, and when. Never changed: a log that shrinks or changes does not fit them.
CREATE TABLE checkpoints (
  size bigint PRIMARY KEY,
  root bytea NOT NULL,                       -- SHA-256 of the tree of that size
  note bytea NOT NULL,                       -- the signed note (c2sp.org/tlog-checkpoint)
  at   timestamptz NOT NULL
);

-- Where a checkpoint went outside, and what came back: the time stamp of an authority.
CREATE TABLE checkpoint_copies (
  size   bigint NOT NULL REFERENCES checkpoints(size),
  kind   text NOT NULL,                      -- mail, pec, tsa
  target text NOT NULL,
  at     timestamptz NOT NULL,
  body   bytea NOT NULL,                     -- RFC 3161 answer; empty for a message
  PRIMARY KEY (size, kind, target)
);

GRANT SELECT, INSERT ON log, checkpoints, checkpoint_copies TO sua_app;
GRANT SELECT, UPDATE ON log_head TO sua_app;
GRANT SELECT, INSERT, UPDATE ON tiles TO sua_app;
