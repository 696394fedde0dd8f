-- SQLite. Same tables and columns as postgres/, compared by a test. The one sequence of all events, and the Merkle log over it.
-- +goose Up
-- Means something on PostgreSQL only. Here there is one writer: the order of rows is the order of commits.
ALTER TABLE events ADD COLUMN xid bigint NOT NULL DEFAULT 0;

-- n = 1, 2, 3 … of every committed event: cursor of the change feed, leaf n-1 of the Merkle log. Never changed.
CREATE TABLE log (
  n    integer PRIMARY KEY,
  root text NOT NULL,
  seq  bigint NOT NULL,
  UNIQUE (root, seq)
);
INSERT INTO log (n, root, seq) SELECT row_number() OVER (ORDER BY rowid), root, seq FROM events;

-- One row. n: the last number given; watermark: rows of events before it are numbered.
CREATE TABLE log_head (
  id        integer PRIMARY KEY CHECK (id = 1),
  n         bigint NOT NULL,
  watermark bigint NOT NULL,
  cluster   text NOT NULL
);
INSERT INTO log_head (id, n, watermark, cluster) SELECT 1, count(*), (SELECT coalesce(max(rowid), 0) + 1 FROM events), '' FROM log;

-- Hashes of the Merkle log (c2sp.org/tlog-tiles, height 8): 256 hashes of 32 bytes a tile, the last of each level still growing.
CREATE TABLE tiles (
  level integer NOT NULL,
  n     bigint NOT NULL,
  body  blob NOT NULL,
  PRIMARY KEY (level, n)
);

-- What was signed of the log, and when. Never changed: a log that shrinks or changes does not fit them.
CREATE TABLE checkpoints (
  size integer PRIMARY KEY,
  root blob NOT NULL,                        -- SHA-256 of the tree of that size
  note blob NOT NULL,                        -- the signed note (c2sp.org/tlog-checkpoint)
  at   datetime NOT NULL
);

-- Where a checkpoint went outside, and what came back: the time stamp of an authority.
CREATE TABLE checkpoint_copies (
  size   bigint NOT NULL REFERENCES checkpoints(size),
  kind   text NOT NULL,                      -- mail, pec, tsa
  target text NOT NULL,
  at     datetime NOT NULL,
  body   blob NOT NULL,                      -- RFC 3161 answer; empty for a message
  PRIMARY KEY (size, kind, target)
);

-- +goose StatementBegin
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER checkpoints_no_update BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER checkpoints_no_delete BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER checkpoint_copies_no_update BEFORE UPDATE ON checkpoint_copies BEGIN SELECT RAISE(ABORT, 'checkpoint_copies is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER checkpoint_copies_no_delete BEFORE DELETE ON checkpoint_copies BEGIN SELECT RAISE(ABORT, 'checkpoint_copies is append-only'); END;
-- +goose StatementEnd
